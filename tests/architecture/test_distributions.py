"""What nox installs: every distribution is found, and a closure holds all of ours that is needed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

PROJECT = '[project]\nname = "{name}"\nversion = "0.1.0"\ndependencies = {needs}\n{more}'


@pytest.fixture
def forest(tmp_path: Path) -> Path:
    """core <- bus <- arm; core <- base (torch) <- act; arm's tests need sim, which needs core."""

    def plant(folder: str, name: str, needs: list[str], more: str = "") -> None:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pyproject.toml").write_text(PROJECT.format(name=name, needs=needs, more=more))

    plant("core", "lerobot-core", ["numpy>=1.26"])
    plant("plugins/lerobot_bus", "lerobot-bus", ["lerobot-core>=0.1,<0.2", "pyserial"])
    plant(
        "lerobot_arm",
        "lerobot_arm",
        ["lerobot_core >= 0.1", "lerobot-bus"],
        "[project.optional-dependencies]\ntest = ['lerobot-sim', 'pytest']\n",
    )
    plant("plugins/lerobot_sim", "lerobot-sim", ["lerobot-core"])
    plant("plugins/lerobot_base", "lerobot-base", ["lerobot-core", "torch>=2.7"])
    plant("plugins/lerobot_act", "lerobot-act", ["lerobot-base"], "[tool.lerobot]\nalone = true\n")
    (tmp_path / "plugins" / "no_project").mkdir()
    return tmp_path


def test_distributions_are_found_core_first(tree: ModuleType, forest: Path) -> None:
    assert list(tree.discover(forest)) == [
        "lerobot-core",
        "lerobot-act",
        "lerobot-base",
        "lerobot-bus",
        "lerobot-sim",
        "lerobot-arm",
    ]


def _names(closure: tuple[tuple[object, ...], bool]) -> list[str]:
    return [each.name for each in closure[0]]  # type: ignore[attr-defined]


def test_a_closure_holds_what_it_and_its_tests_stand_on(tree: ModuleType, forest: Path) -> None:
    known = tree.discover(forest)
    assert _names(tree.closure("lerobot-arm", known)) == ["lerobot-core", "lerobot-bus", "lerobot-sim", "lerobot-arm"]
    assert _names(tree.closure("lerobot-bus", known)) == ["lerobot-core", "lerobot-bus"]
    assert _names(tree.closure("lerobot-core", known)) == ["lerobot-core"]


def test_torch_is_seen_through_others(tree: ModuleType, forest: Path) -> None:
    known = tree.discover(forest)
    assert [name for name in known if tree.closure(name, known).torch] == ["lerobot-act", "lerobot-base"]
    assert [name for name in known if known[name].alone] == ["lerobot-act"]


def test_an_installer_is_told_of_the_extra_for_tests(tree: ModuleType, forest: Path) -> None:
    known = tree.discover(forest)
    assert known["lerobot-arm"].with_tests == f"{forest / 'lerobot_arm'}[test]"
    assert known["lerobot-sim"].with_tests == str(forest / "plugins" / "lerobot_sim")


def test_every_distribution_of_this_tree_carries_the_licence(tree: ModuleType, root: Path) -> None:
    """In its own folder, because a wheel takes it from there."""
    licence = (root / "LICENSE").read_bytes()
    files = [each.folder / "LICENSE" for each in tree.discover().values()]
    assert not [f"cp LICENSE {path}" for path in files if not path.is_file() or path.read_bytes() != licence]


def test_every_distribution_of_this_tree_has_the_same_shape(tree: ModuleType) -> None:
    """pyproject.toml, README.md, src/<import name>/, tests/."""
    for each in tree.discover().values():
        wanted = (each.folder / "README.md", each.source / "__init__.py", each.tests)
        assert not [str(path) for path in wanted if not path.exists()]
