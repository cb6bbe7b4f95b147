"""Core knows no plugin; plugins know core and what they declare; naming a plugin is cheap."""

from __future__ import annotations

from types import ModuleType

from lerobot_core.kinds import KINDS
from source import Source, imports, packages, sources

FOREIGN_TO_CORE = {
    "torch",
    "torchvision",
    "cv2",
    "pyarrow",
    "av",
    "pandas",
    "serial",
    "mujoco",
    "transformers",
    "zenoh",
    "safetensors",
}
HEAVY = FOREIGN_TO_CORE | {
    "numpy", "scipy", "PIL", "datasets", "gymnasium", "scservo_sdk", "dynamixel_sdk", "huggingface_hub", "accelerate",
    "rerun", "matplotlib", "onnxruntime",
}  # fmt: skip

PRESETS = {("lerobot-sim", "lerobot.robot"): "virtual_so100 stands for lerobot-robot-so100's robot"}
"""(distribution, group) whose names stand for another plugin's -> which."""


def _bad(found: list[Source], modules: set[str], top_only: bool = False) -> list[str]:
    return [
        f"{source.path}:{each.line} imports {each.module}"
        for source in found
        for each in imports(source)
        if each.module.split(".")[0] in modules and (each.top or not top_only)
    ]


def test_core_imports_no_plugin() -> None:
    found = [
        f"{source.path}:{each.line} imports {each.module}"
        for source in sources("core/src/**/*.py")
        for each in imports(source)
        if each.module.startswith("lerobot_") and each.module.split(".")[0] != "lerobot_core"
    ]
    assert not found


def test_core_imports_nothing_big_anywhere() -> None:
    assert not _bad(list(sources("core/src/**/*.py")), FOREIGN_TO_CORE)


def test_plugin_and_config_modules_are_light() -> None:
    light = [
        source for source in packages() if source.path.rpartition("/")[2] in ("plugin.py", "config.py", "__init__.py")
    ]
    assert not _bad(light, HEAVY, top_only=True)


def test_plugins_import_only_what_of_ours_they_declare(tree: ModuleType) -> None:
    found = []
    for distribution in tree.discover().values():
        declared = {name.replace("-", "_") for name in distribution.needs | {distribution.name}}
        folder = distribution.folder.relative_to(tree.ROOT)
        found += [
            f"{source.path}:{each.line} imports {each.module}, which {distribution.name} does not require"
            for source in sources(f"{folder}/src/**/*.py")
            for each in imports(source)
            if each.module.startswith("lerobot_") and each.module.split(".")[0] not in declared
        ]
    assert not found


def test_requirements_of_ours_pin_the_minor(tree: ModuleType) -> None:
    known = tree.discover()
    found = []
    for distribution in known.values():
        for line in distribution.requirements:
            name = tree.name_of(line)
            if name in known and not (">=" in line and "<" in line):
                found.append(f"{distribution.name} requires {line!r}: give both ends of the minor")
        if distribution.name != "lerobot-core" and "lerobot-core" not in distribution.needs:
            found.append(f"{distribution.name} does not require lerobot-core")
    assert not found


def test_entry_points_name_light_modules(tree: ModuleType) -> None:
    """Kinds point to a `plugin` module; commands to a Typer app; every target exists."""
    found = []
    for distribution in tree.discover().values():
        for group, name, value in distribution.entry_points:
            module = value.partition(":")[0]
            path = distribution.folder / "src" / (module.replace(".", "/") + ".py")
            if not path.is_file():
                found.append(f"{distribution.name}: {group} {name} = {value}: no such module")
            if group != "lerobot.command" and group.startswith("lerobot.") and not module.endswith(".plugin"):
                found.append(f"{distribution.name}: {group} {name} = {value}: not a plugin module")
    assert not found


def test_every_plugin_is_judged_by_its_kit(tree: ModuleType) -> None:
    """A distribution's own tests subclass the conformance class of each kind it offers."""
    kits = {kind.group: kind.conformance.partition(":")[0] for kind in KINDS.values() if kind.conformance}
    found = []
    for distribution in tree.discover().values():
        text = "".join(path.read_text() for path in distribution.tests.rglob("*.py"))
        offered = {group for group, _, _ in distribution.entry_points if group in kits}
        offered -= {group for name, group in PRESETS if name == distribution.name}
        found += [
            f"{distribution.name}: no test uses {kits[group]}" for group in sorted(offered) if kits[group] not in text
        ]
    assert not found


def test_policies_do_not_see_a_worlds_truth() -> None:
    """The scripted expert may; a policy that could would score well for the wrong reason."""
    policies = [source for source in packages() if "policy" in source.path.split("/src/")[0]]
    found = [source.path for source in policies if ".truth(" in source.text]
    assert not found
