"""`lr plugins list|show|check|new`, called as the command line calls them."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import pytest
from lerobot_core import kinds
from lerobot_core.cli import plugins, plugins_check
from lerobot_core.errors import ConfigError, PluginError, UsageError
from lerobot_core.registry import Registry
from typer.testing import CliRunner, Result

ACME = """
from lerobot_core.config.fields import option

@dataclass(frozen=True, kw_only=True)
class AcmeConfig:
    port: str = option(help="where it is plugged in")
    baud_rate: int = option(1000, help="speed", unit="Bd", choices=("a", "b"))
    keys: list[str] = option(factory=lambda: ["x"], help="keys")

@hookimpl
def lerobot_robots():
    return RobotSpec(
        name="acme", summary="an arm", config=AcmeConfig, build=build, aliases=("acme1",), requires=("a serial port",)
    )

@hookimpl
def resolve(kind, ref):
    if ref == "virtual":
        return Overlay(name=ref, sections={"robot": {"type": "acme", "port": "sim"}, "camera": {"front": {"type": "sim"}}})
"""


@pytest.fixture(autouse=True)
def alone(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "default_registry", lambda: registry)


@pytest.fixture
def acme(install):
    entries = {"robot": {"acme": "acme.plugin", "acme1": "acme.plugin", "virtual": "acme.plugin"}}
    install("lerobot-robot-acme", entries, ACME)


def lr(*arguments: str) -> Result:
    return CliRunner().invoke(plugins.app, list(arguments))


def failing(error: type[Exception], *arguments: str) -> str:
    result = lr(*arguments)
    assert isinstance(result.exception, error), result.exception
    return str(result.exception)


def test_list_prints_one_json_object_on_the_last_line(acme, site):
    result = lr("list", "--json")
    last = json.loads(result.stdout.splitlines()[-1])
    assert result.exit_code == 0
    assert last["plugins"][0] == {
        "kind": "robot",
        "name": "acme",
        "distribution": "lerobot-robot-acme",
        "version": "0.1.0",
        "origin": str(site),
    }
    assert len(last["plugins"]) == 3
    assert "acme" not in sys.modules


def test_list_prints_aligned_columns(acme, install):
    install("lerobot-x", {"camera": {"x": "x.plugin"}})
    lines = lr("list").stdout.splitlines()
    assert len({line.index("lerobot-") for line in lines}) == 1
    assert lr("list", "camera").stdout.split()[:2] == ["camera", "x"]


def test_list_of_nothing(site):
    assert lr("list").stdout == "nothing installed\n"
    assert json.loads(lr("list", "--json").stdout) == {"plugins": []}


def test_broken_metadata_is_one_warning_line_on_stderr(acme, site):
    (site / "lerobot_bad-0.1.dist-info").mkdir()
    result = lr("list", "--json")
    assert result.stderr == f"warning: skipped {site}/lerobot_bad-0.1.dist-info: it has no METADATA\n"
    assert len(json.loads(result.stdout)["plugins"]) == 3


def test_list_of_an_unknown_kind(site):
    assert "did you mean 'camera'?" in failing(UsageError, "list", "camra")


def test_show_says_everything_a_spec_does(acme, site):
    shown = lr("show", "robot", "acme").stdout
    assert shown.splitlines()[0] == "robot acme: an arm"
    for words in ("lerobot-robot-acme 0.1.0", "acme.plugin", str(site), "acme1", "a serial port"):
        assert words in shown
    options = {line.split()[0]: " ".join(line.split()[1:]) for line in shown.splitlines() if line.startswith("  --")}
    assert options == {
        "--robot.port": "str where it is plugged in (required)",
        "--robot.baud-rate": "int speed (one of a, b; default 1000 Bd)",
        "--robot.keys": "list[str] keys (default ['x'])",
    }


def test_show_says_what_a_preset_stands_for(acme):
    shown = lr("show", "robot", "virtual").stdout
    assert "robot.port = sim" in shown
    assert "camera.front.type = sim" in shown


def test_show_names_an_instance_of_a_plural_kind(install):
    code = "@hookimpl\ndef lerobot_cameras():\n    from lerobot_core.specs import CameraSpec\n"
    code += "    return CameraSpec(name='eye', summary='an eye', config=Config, build=build)"
    install("lerobot-camera-eye", {"camera": {"eye": "eye.plugin"}}, code)
    assert "--camera.NAME.port" in lr("show", "camera", "eye").stdout


def test_show_of_a_verb_imports_nothing(install):
    install("lerobot-train", {"command": {"train": "train_pkg.cli:app"}}, "1/0")
    assert lr("show", "command", "train").stdout.startswith("command train: what lerobot-train does")


def test_show_of_what_is_not_there(acme):
    assert "did you mean 'acme'" in failing(PluginError, "show", "robot", "acmme")
    assert "did you mean 'robot'" in failing(UsageError, "show", "robt", "acme")


KIT = """
class RobotConformance:
    kind = name = ""

    def test_names(self):
        assert (self.kind, self.name) == ("robot", "{name}")
"""


@pytest.fixture
def kit(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kit of one law: its plugin is called acme."""
    (site / "acme_kit.py").write_text(KIT.format(name="acme"))
    row = kinds.KINDS["robot"]._replace(conformance="acme_kit:RobotConformance")
    monkeypatch.setitem(kinds.KINDS, "robot", row)
    monkeypatch.setenv("PYTHONPATH", str(site))


def test_check_runs_the_kit(acme, kit, capfd):
    assert lr("check", "robot", "acme").exit_code == 0
    assert "1 passed" in capfd.readouterr().out


def test_check_without_a_kind_finds_it_and_fails_with_1(acme, kit, capfd):
    assert lr("check", "acme1").exit_code == 1
    assert "1 failed" in capfd.readouterr().out


def test_check_of_a_plugin_that_does_not_load_shows_its_traceback(install, kit):
    install("lerobot-robot-bad", {"robot": {"bad": "bad_pkg.plugin"}}, "1/0")
    result = lr("check", "robot", "bad")
    assert isinstance(result.exception, PluginError)
    assert 'bad_pkg/plugin.py", line' in result.stderr


def test_check_of_what_cannot_be_checked(acme, install):
    install("lerobot-train", {"command": {"train": "train_pkg.cli:app"}})
    assert "did you mean 'acme'?" in failing(UsageError, "check", "acmee")
    assert "has no contract" in failing(UsageError, "check", "command", "train")
    assert "lr plugins show robot virtual" in failing(UsageError, "check", "robot", "virtual")


def test_check_without_pytest_says_what_to_install(acme, monkeypatch):
    monkeypatch.setattr(plugins_check.importlib.util, "find_spec", lambda name: None)
    assert "pip install 'lerobot-core[test]'" in failing(PluginError, "check", "robot", "acme")


def test_new_writes_the_template_and_says_what_is_next(tmp_path, monkeypatch):
    made = []
    maker = types.ModuleType("lerobot_core.template_maker")
    maker.make = lambda kind, name, target: made.append((kind, name, target))
    monkeypatch.setitem(sys.modules, "lerobot_core.template_maker", maker)
    target = tmp_path / "arm"
    result = lr("new", "robot", "acme", "--dir", str(target))
    assert made == [("robot", "acme", target)]
    assert f"pip install -e {target}\nthen: lr plugins check robot acme" in result.stdout


def test_new_refuses_what_it_cannot_make(tmp_path):
    (tmp_path / "mine.txt").touch()
    assert "already there" in failing(ConfigError, "new", "robot", "acme", "--dir", str(tmp_path))
    assert "did you mean 'robot'?" in failing(UsageError, "new", "robt", "acme")
    assert "no kind to make" in failing(UsageError, "new", "command", "acme")
    assert "no plugin name" in failing(UsageError, "new", "robot", "My Arm")
