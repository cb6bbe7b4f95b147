"""Help and `--show-config`: plain text, what is installed, what was named, where each value came from."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from catalogue_stub import Stub
from lerobot_core.config.decode import decode
from lerobot_core.config.help import render
from lerobot_core.config.origin import Origin
from lerobot_core.config.resolve import resolve_run
from lerobot_core.config.run import VERBS, RunConfig
from lerobot_core.config.show import MASK, as_data, as_json
from lerobot_core.config.show import render as show


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_that_imports_no_plugin(verb: str, registry: Stub) -> None:
    text = render(verb, ["--help"], registry)
    assert text.startswith(f"usage: lr {verb} ")
    assert VERBS[verb].summary in text
    assert registry.asked == []
    assert max(map(len, text.splitlines())) <= 110


def test_help_names_flags_sections_ranges_and_what_is_installed(registry: Stub) -> None:
    text = " ".join(render("rollout", [], registry).split())
    for part in (
        "--robot TYPE arm, arm_follower, fake, two_arms, virtual_arm",
        "--robot.park-pose '{key: value}'",
        "--camera.NAME TYPE opencv, sim",
        "--camera.NAME.width INT image width [1..8192 px]",
        "--inference TYPE remote, rtc, sync [default: sync]",
        "--dataset PATH | --dataset.type TYPE lerobot, memory [default: lerobot]",
        "--dataset.num-episodes INT",
        "--processor.NAME TYPE clip",
        "--world.seed INT first attempt's seed [>= 0; default: 0]",
        "--duration NUMBER from the first action sent; 0 or absent: until stopped [>= 0 s]",
        "--on-exit park|hold park the arm or hold it where it is [default: park]",
        "--no-safety the safety filter, on or off [default: on]",
        "--log-file PATH",
    ):
        assert part in text
    assert "--episode" not in text
    assert "--dataset.port" not in text


def test_help_of_a_named_plugin_shows_its_own_options(registry: Stub) -> None:
    argv = [
        "--robot",
        "arm",
        "--camera.top",
        "opencv",
        "--observer",
        "rerun",
        "--inference=rtc",
        "--duraton",
        "5",
        "--help",
    ]
    text = " ".join(render("rollout", argv, registry).split())
    for part in (
        "arm_follower: the arm_follower robot --robot.id TEXT",
        "--robot.port TEXT serial port [required]",
        "--robot.baud INT bits a second [9600..4000000 Bd; default: 1000000]",
        "--camera.top.index-or-path INT|TEXT",
        "--observer.rerun.port INT TCP port [1..65535; default: 9876]",
        "--inference.rtc.schedule LINEAR|EXP prefix weights [default: LINEAR]",
    ):
        assert part in text
    assert set(registry.asked) == {("robot", "arm"), ("camera", "opencv"), ("observer", "rerun"), ("inference", "rtc")}


def test_help_of_a_preset_shows_the_plugin_behind_it(registry: Stub) -> None:
    text = render("rollout", ["--robot", "virtual_arm"], registry)
    assert "virtual_arm: a preset that sets robot, camera" in text
    assert "--robot.baud" in text


def test_help_of_a_fixed_strategy_and_of_a_policys_folder(registry: Stub) -> None:
    assert "always record" in render("record", [], registry)
    assert "--strategy.upload" in render("record", ["--strategy.upload"], registry)
    assert "--policy.chunk-size" in render("rollout", ["--policy.path=runs/a"], registry)


def test_help_survives_a_broken_plugin_and_a_broken_command_line(registry: Stub) -> None:
    text = render("rollout", ["--robot", "nix", "--camera.a={", "--teleop", "{"], registry)
    assert "no robot named 'nix'" in text
    assert "--duration" in text
    assert "--duration" in render("rollout", ["stray", "--display_data=perhaps"], registry)


def test_show_config_is_a_table_of_values_and_origins(registry: Stub) -> None:
    argv = [
        "--robot",
        "virtual_arm",
        "--robot.id",
        "me",
        "--inference",
        "remote",
        "--inference.token",
        "hush",
        "--fps",
        "20",
    ]
    resolved = resolve_run("rollout", argv, registry, {})
    lines = {line.split()[0]: line.split() for line in show(resolved).splitlines()}
    assert lines["robot.type"] == ["robot.type", "arm_follower", "command", "line", "--robot"]
    assert lines["robot.port"] == ["robot.port", "sim", "plugin", "virtual_arm"]
    assert lines["robot.id"] == ["robot.id", "me", "command", "line", "--robot.id"]
    assert lines["fps"] == ["fps", "20.0", "command", "line", "--fps"]
    assert lines["safety"] == ["safety", "true", "default"]
    assert lines["duration"] == ["duration", "-", "default"]
    assert lines["inference.token"][1] == MASK
    assert "episode" not in lines
    assert "hush" not in show(resolved)


def test_show_config_as_json(registry: Stub) -> None:
    argv = ["--robot=arm", "--robot.port=X", "--inference=remote", "--inference.token=hush", "--rename-map={a: b}"]
    data = json.loads(json.dumps(as_json(resolve_run("rollout", argv, registry, {}))))
    assert data["verb"] == "rollout"
    assert data["options"]["robot.port"] == {"value": "X", "origin": "command line --robot.port"}
    assert data["options"]["inference.token"]["value"] == MASK
    assert data["options"]["rename_map"] == {"value": {"a": "b"}, "origin": "command line --rename-map"}


def test_secrets_are_masked_only_where_shown(registry: Stub) -> None:
    config = decode(
        RunConfig, {"robot": "fake", "inference": {"type": "remote", "token": "hush"}}, Origin("config"), registry
    )
    assert as_data(config)["inference"]["token"] == "hush"
    assert as_data(config, mask=True)["inference"]["token"] == MASK


def test_a_secret_of_the_wrong_type_is_not_printed(registry: Stub) -> None:
    with pytest.raises(Exception, match="a value of another type") as caught:
        decode(RunConfig, {"inference": {"type": "remote", "token": 12345}}, Origin("config"), registry)
    assert "12345" not in str(caught.value)


LIGHT = """
import sys
sys.path.insert(0, {folder!r})
from catalogue_stub import Stub
from lerobot_core.config.help import render
render("rollout", ["--robot", "arm", "--help"], Stub())
heavy = {{"numpy", "rich", "msgspec", "yaml", "typer", "pluggy", "hypothesis", "logging.handlers"}}
print(sorted(heavy & set(sys.modules)), len(sys.modules))
from lerobot_core.config.resolve import resolve_run
resolve_run("rollout", ["--robot", "arm", "--robot.port", "X", "--fps", "5", "--task=t"], Stub(), {{}})
print(sorted({{"numpy", "rich", "yaml", "typer"}} & set(sys.modules)))
"""


def test_help_imports_nothing_heavy_and_resolving_little() -> None:
    script = LIGHT.format(folder=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    help_modules, resolve_modules = done.stdout.splitlines()
    assert help_modules.startswith("[] ")
    assert int(help_modules.split()[-1]) < 160  # 110 on Python 3.11; a guard against a careless import
    assert resolve_modules == "[]"
