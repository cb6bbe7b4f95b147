"""Six layers, each above the one before; every value says which one it is from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogue_stub import Stub
from lerobot_core.config.origin import Origin
from lerobot_core.config.resolve import Resolved, resolve_run
from lerobot_core.config.run import RunConfig
from lerobot_core.errors import ConfigError, PluginError, UsageError
from lerobot_core.specs import Overlay

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and return its path."""

    def written(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return written


def rollout(line: str, environ: dict[str, str] | None = None, registry: Stub | None = None) -> Resolved[RunConfig]:
    """Resolve a command line without spaces in its values."""
    return resolve_run("rollout", line.split(), registry or Stub(), environ or {})


def test_each_layer_overrules_the_one_below(write: Write) -> None:
    rig = write("rig.toml", '[robot]\nport = "rig"\nid = "rig"\nbaud = 20000\ncalibration_dir = "rig"\n')
    config = write("run.yaml", "robot: {port: file, id: file, baud: 30000}\n")
    environ = {"LEROBOT_ROBOT__PORT": "env", "LEROBOT_ROBOT__ID": "env"}
    resolved = rollout(f"--robot virtual_arm --rig {rig} --config {config} --robot.port cmd", environ)
    robot = resolved.config.robot
    assert robot is not None
    assert (robot.config.port, robot.config.id, robot.config.baud, str(robot.config.calibration_dir)) == (
        "cmd",
        "env",
        30000,
        "rig",
    )
    assert {
        path: resolved.origins[path] for path in resolved.origins if path.startswith(("robot.", "camera.wrist."))
    } == {
        "robot.type": Origin("command line", "--robot"),
        "robot.port": Origin("command line", "--robot.port"),
        "robot.id": Origin("environment", "LEROBOT_ROBOT__ID"),
        "robot.baud": Origin("config", config),
        "robot.calibration_dir": Origin("rig", rig),
        "robot.calibration_hash": Origin("default"),
        "robot.park_pose": Origin("default"),
        "robot.limits": Origin("default"),
        "camera.wrist.type": Origin("plugin", "virtual_arm"),
        "camera.wrist.width": Origin("plugin", "virtual_arm"),
        "camera.wrist.height": Origin("default"),
        "camera.wrist.fps": Origin("default"),
        "camera.wrist.optional": Origin("default"),
    }
    assert [each.name for each in resolved.overlays] == ["virtual_arm"]


def test_preset_fills_sections_and_can_be_changed() -> None:
    config = rollout("--robot virtual_arm --camera.front none --camera.wrist.width 64 --camera.top sim").config
    assert config.robot is not None
    assert (config.robot.name, config.robot.config.port) == ("arm_follower", "sim")
    assert {name: each.config.width for name, each in config.camera.items()} == {"wrist": 64, "top": None}


def test_preset_from_a_rig_keeps_what_the_rig_adds(write: Write) -> None:
    rig = write("rig.toml", '[robot]\ntype = "virtual_arm"\nid = "mine"\n')
    robot = rollout("", {"LEROBOT_RIG": rig}).config.robot
    assert robot is not None
    assert (robot.config.id, robot.config.port) == ("mine", "sim")


def test_naming_another_plugin_forgets_the_options_of_the_first(write: Write) -> None:
    """A virtual arm must never get the real arm's port from the bench's rig."""
    rig = write(
        "rig.toml",
        '[robot]\ntype = "arm_follower"\nport = "/dev/real"\n[teleop]\ntype = "leader"\nport = "/dev/lead"\n',
    )
    resolved = rollout(f"--rig {rig} --robot virtual_arm")
    assert resolved.config.robot is not None
    assert resolved.config.robot.config.port == "sim"
    assert resolved.config.teleop is not None
    assert resolved.config.teleop.config.port == "/dev/lead"
    fake = rollout(f"--rig {rig} --robot fake").config.robot
    assert fake is not None
    assert fake.name == "fake"
    assert rollout(f"--rig {rig} --teleop none").config.teleop is None


def test_an_alias_is_the_same_plugin(write: Write) -> None:
    rig = write("rig.toml", '[robot]\ntype = "arm_follower"\nport = "/dev/real"\n')
    robot = rollout(f"--rig {rig} --robot arm").config.robot
    assert robot is not None
    assert robot.config.port == "/dev/real"


def test_a_plugin_that_is_overruled_is_not_asked_for(write: Write, registry: Stub) -> None:
    rig = write("rig.toml", '[robot]\ntype = "not_installed"\n')
    rollout(f"--rig {rig} --robot fake", registry=registry)
    assert ("robot", "not_installed") not in registry.asked


def test_a_preset_may_name_a_preset_in_another_section(registry: Stub) -> None:
    registry.table["teleoperator", "bench"] = Overlay(
        "bench",
        {
            "teleop": {"type": "scripted"},
            "robot": {"type": "virtual_arm", "id": "b"},
            "camera": {"front": {"width": 8}},
        },
    )
    resolved = rollout("--teleop bench", registry=registry)
    assert resolved.config.teleop is not None
    assert resolved.config.robot is not None
    assert (resolved.config.teleop.name, resolved.config.robot.name) == ("scripted", "arm_follower")
    assert (resolved.config.robot.config.id, resolved.config.robot.config.port) == ("b", "sim")
    assert resolved.config.camera["front"].config.width == 8
    assert [each.name for each in resolved.overlays] == ["virtual_arm", "bench"]


@pytest.mark.parametrize("sections", [{"robot": "ring"}, {"camera": {}}, {"robot": {"port": "X"}}])
def test_a_preset_that_leads_nowhere_is_refused(sections: dict[str, object], registry: Stub) -> None:
    registry.table["robot", "ring"] = Overlay("ring", sections)  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="preset 'ring'"):
        rollout("--robot ring", registry=registry)


def test_default_plugins_are_overruled_like_values() -> None:
    assert rollout("--robot fake").origins["strategy.type"] == Origin("default")
    resolved = rollout("--robot fake --strategy sentry")
    assert resolved.config.strategy is not None
    assert resolved.config.strategy.name == "sentry"
    assert resolved.origins["strategy.type"] == Origin("command line", "--strategy")


def test_environment_names_sections_and_options() -> None:
    environ = {
        "LEROBOT_ROBOT__TYPE": "arm",
        "LEROBOT_ROBOT__PORT": "X",
        "LEROBOT_CAMERA__TOP__TYPE": "sim",
        "LEROBOT_ROBOT__BAUD": "9600",
    }
    config = rollout("", environ).config
    assert config.robot is not None
    assert (config.robot.config.port, config.robot.config.baud, config.camera["top"].name) == ("X", 9600, "sim")


def test_environment_for_other_verbs_and_other_programs_is_left_alone() -> None:
    environ = {
        "LEROBOT_PLUGINS": "a",
        "LEROBOT_TELEOP__PORT": "X",
        "LEROBOT_TRAIN__STEPS": "5",
        "HOME": "/h",
        "LEROBOT_FPS": "7",
    }
    config = rollout("--robot fake", environ).config
    assert (config.teleop, config.fps) == (None, None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("LEROBOT_ROBOT__PRT", "no option robot.prt in environment LEROBOT_ROBOT__PRT\n  did you mean --robot.port?"),
        ("LEROBOT_ROBOT__BAUD", "robot.baud in environment LEROBOT_ROBOT__BAUD: 'x' is not a whole number"),
    ],
)
def test_environment_is_checked_like_the_command_line(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rollout("--robot arm --robot.port X", {name: "x"})
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["run.toml", "run.yaml", "run.yml", "run.json"])
def test_every_kind_of_file_says_the_same(name: str, write: Write) -> None:
    data = {
        "robot": {"type": "arm", "port": "X", "park-pose": {"a.pos": 1}},
        "fps": 50,
        "observer": {"rerun": {"port": 5}},
    }
    text = (
        'fps = 50\n[robot]\ntype="arm"\nport="X"\npark-pose={"a.pos"=1}\n[observer.rerun]\nport=5\n'
        if name == "run.toml"
        else json.dumps(data)
    )
    config = rollout(f"--config {write(name, text)}").config
    assert config.robot is not None
    assert (config.robot.config.park_pose, config.fps, config.observer["rerun"].config.port) == (
        {"a.pos": 1.0},
        50.0,
        5,
    )


def test_an_empty_file_has_no_options(write: Write) -> None:
    assert rollout(f"--robot fake --config {write('a.yaml', '')}").config.fps is None


BAD_FILES = [
    ("a.toml", "fps = \n", "not well-formed TOML", "line 1"),
    ("a.json", '{\n"fps": 5,\n}', "not well-formed JSON", "line 3"),
    ("a.yaml", "fps: 5\nrobot: {a\n", "not well-formed YAML", "line 3"),
    ("a.yaml", "fps: \x07", "not well-formed YAML", ""),
    ("a.yaml", "- 1\n", "holds no options", "found list"),
    ("a.ini", "", "unknown kind of file", ".toml, .yaml, .yml, .json"),
    ("a.toml", "fsp = 5\n", "no option fsp in config", "did you mean --fps?"),
    (
        "a.toml",
        '[robot]\ntype="arm"\nport="X"\nprt="Y"\n',
        "no option robot.prt in config",
        "did you mean --robot.port?",
    ),
    ("a.toml", 'fps = "5"\n', "fps in config", "'5' is not a number"),
    ("a.toml", '[robot]\ntype="arm"\nport=5\n', "robot.port in config", "5 is not text"),
    ("a.toml", 'rig = "b.toml"\n', "rig cannot be set in a file", "give --rig on the command line"),
]


@pytest.mark.parametrize(("name", "text", "what", "more"), BAD_FILES)
def test_bad_file(name: str, text: str, what: str, more: str, write: Write) -> None:
    path = write(name, text)
    with pytest.raises(ConfigError) as caught:
        rollout(f"--robot fake --config {path}" if "robot" not in text else f"--config {path}")
    assert what in str(caught.value)
    assert more in str(caught.value)
    assert path in str(caught.value)


@pytest.mark.parametrize("option", ["--config", "--rig", "--config_path"])
def test_file_that_is_not_there(option: str) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        rollout(f"--robot fake {option} nowhere.toml")


def test_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").mkdir()
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        rollout(f"--robot fake --config {tmp_path / 'a.toml'}")
    with pytest.raises(ConfigError, match="not UTF-8"):
        rollout(f"--robot fake --config {tmp_path / 'b.toml'}")


def test_rig_holds_devices_only(write: Write) -> None:
    with pytest.raises(ConfigError, match="a rig file has no policy"):
        rollout(f"--rig {write('rig.toml', '[policy]')}")
    with pytest.raises(ConfigError, match=r"did you mean robot\?"):
        rollout(f"--rig {write('rig.toml', '[robto]')}")


def test_rig_is_found_by_its_variable_only_and_sections_of_other_verbs_are_left_out(write: Write) -> None:
    rig = write("rig.toml", '[robot]\ntype = "fake"\n[teleop]\ntype = "nobody"\n[operator]\nterminal = {}\n')
    resolved = resolve_run("calibrate", ["--teleop", "scripted"], Stub(), {"LEROBOT_RIG": rig})
    assert str(resolved.config.rig) == rig
    assert resolved.origins["rig"] == Origin("environment", "LEROBOT_RIG")
    assert resolved.config.operator == {}
    with pytest.raises(UsageError, match="needs a robot"):
        rollout("")


def test_the_command_lines_rig_wins_over_the_variables(write: Write) -> None:
    rig = write("rig.toml", 'robot = {type = "fake"}')
    resolved = rollout(f"--rig {rig}", {"LEROBOT_RIG": "nowhere.toml"})
    assert resolved.config.robot is not None
