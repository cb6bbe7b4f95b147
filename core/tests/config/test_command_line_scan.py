"""The grammar of the command line, and each thing that is not in it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from catalogue_stub import Stub
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.config.resolve import resolve_run
from lerobot_core.config.run import VERBS, RunConfig
from lerobot_core.config.scan import Given, layer, scan
from lerobot_core.errors import ConfigError, PluginError, UsageError, UserError

ARM = ["--robot", "arm", "--robot.port", "X"]


def rollout(*argv: str) -> RunConfig:
    """Resolve with an arm named, no environment."""
    return resolve_run("rollout", [*ARM, *argv], Stub(), {}).config


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--a.b", "1"], [(("a", "b"), "1", "--a.b")]),
        (["--a.b=1=2"], [(("a", "b"), "1=2", "--a.b")]),
        (["--a="], [(("a",), "", "--a")]),
        (["--a", "--b"], [(("a",), None, "--a"), (("b",), None, "--b")]),
        (["--a", "-5", "--b", "-.5", "--c", "-inf", "--d", "-"], [
            (("a",), "-5", "--a"), (("b",), "-.5", "--b"), (("c",), "-inf", "--c"), (("d",), "-", "--d"),
        ]),
        (["--a", ""], [(("a",), "", "--a")]),
        (["--a=-x"], [(("a",), "-x", "--a")]),
    ],
)  # fmt: skip
def test_words_become_options(argv: list[str], expected: list[Any]) -> None:
    assert scan(argv) == [Given(*each) for each in expected]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["so100"], "'so100' belongs to no option"),
        (["--a", "1", "2"], "'2' belongs to no option"),
        (["-x"], "there is no option -x"),
        (["--a", "-x"], "there is no option -x"),
        (["--"], "there is no option --"),
        (["--=1"], "is not an option"),
        (["--a..b", "1"], "is not an option"),
        (["--.a"], "is not an option"),
        (["--a b"], "is not an option"),
    ],
)
def test_words_that_are_no_options(argv: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        scan(argv)
    assert message in str(caught.value)


@given(st.lists(st.text(max_size=12), max_size=6))
def test_any_words_scan_or_are_refused_politely(argv: list[str]) -> None:
    with contextlib.suppress(UsageError):
        given = scan(argv)
        layer(given, VERBS["rollout"].table())
        assert len(given) == sum(word.startswith("--") for word in argv)


@given(st.lists(st.sampled_from(["--robot", "--robot.port", "--robot.type", "--camera", "--camera.f", "--dataset", "--no-safety",
                                 "--observer.x.port", "arm", "X", "5", "none", "{a: 1}", "{", "--fps=3", "--robot.limits.x", ""]), max_size=7))  # fmt: skip
def test_any_options_decode_or_are_refused_politely(argv: list[str]) -> None:
    with contextlib.suppress(UserError):
        resolve_run("rollout", argv, Stub(), {})


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["--json"], True), (["--json=true"], True), (["--json", "yes"], True), (["--json=ON"], True), (["--json=1"], True),
        (["--no-json"], False), (["--json=false"], False), (["--json", "off"], False), (["--no_json"], False),
        (["--json", "--no-json"], False), (["--no-json", "--json"], True),
    ],
)  # fmt: skip
def test_booleans(argv: list[str], expected: bool) -> None:
    assert rollout(*argv).json is expected


@pytest.mark.parametrize("spelling", ["--no-strategy.upload", "--strategy.no-upload", "--strategy.upload=false"])
def test_booleans_of_a_section(spelling: str) -> None:
    config = rollout("--strategy.upload", spelling)
    assert config.strategy is not None
    assert config.strategy.config.upload is False


@pytest.mark.parametrize("spelling", ["--robot.calibration-dir", "--robot.calibration_dir"])
def test_kebab_and_snake_are_the_same(spelling: str) -> None:
    config = rollout(spelling, "d")
    assert config.robot is not None
    assert str(config.robot.config.calibration_dir) == "d"


def test_the_last_of_several_wins_whatever_its_spelling() -> None:
    config = rollout(
        "--on-exit", "hold", "--on_exit", "park", "--dataset", "a", "--dataset.root", "b", "--fps", "1", "--fps=2"
    )
    assert config.dataset is not None
    assert (config.on_exit, str(config.dataset.config.root), config.fps) == ("park", "b", 2.0)
    again = rollout("--dataset.root", "b", "--dataset", "a")
    assert again.dataset is not None
    assert str(again.dataset.config.root) == "a"


def test_section_with_a_primary_option_takes_a_path_and_has_a_default_plugin() -> None:
    config = rollout("--dataset", "out", "--dataset.num-episodes", "3")
    assert config.dataset is not None
    assert (config.dataset.name, str(config.dataset.config.root), config.dataset.config.num_episodes) == (
        "lerobot",
        "out",
        3,
    )
    other = rollout("--dataset.type", "memory", "--dataset.repo-id", "a/b").dataset
    assert other is not None
    assert (other.name, other.config.repo_id) == ("memory", "a/b")
    assert rollout().dataset is None


def test_plural_sections_are_named_by_instance() -> None:
    config = rollout(
        "--camera.left-wrist", "opencv", "--camera.left-wrist.index-or-path", "0", "--camera.front.type=sim",
        "--observer", "rerun", "--observer.rerun.port", "5", "--observer", "sound", "--operator.scripted.port", "7",
    )  # fmt: skip
    assert [(name, each.name, each.instance) for name, each in config.camera.items()] == [
        ("left-wrist", "opencv", "left-wrist"),
        ("front", "sim", "front"),
    ]
    assert list(config.observer) == ["rerun", "sound"]
    assert config.observer["rerun"].config.port == 5
    assert config.operator["scripted"].config.port == 7  # an instance called like a plugin is that plugin


def test_none_removes_one_instance_or_all() -> None:
    assert list(rollout("--observer", "rerun", "--observer", "sound", "--observer.rerun", "none").observer) == ["sound"]
    assert rollout("--observer", "rerun", "--observer", "none").observer == {}
    assert list(rollout("--observer", "rerun", "--observer", "none", "--observer", "sound").observer) == ["sound"]
    assert rollout("--teleop", "scripted", "--teleop", "none").teleop is None
    assert rollout("--teleop", "none", "--teleop", "scripted").teleop is not None
    assert rollout("--dataset.root", "x", "--dataset", "none").dataset is None


def test_a_whole_section_may_be_one_word() -> None:
    config = rollout(
        "--camera", "{front: {type: opencv, index-or-path: 0, width: 640}, top: sim}", "--camera.front.width", "320"
    )
    assert (config.camera["front"].config.index_or_path, config.camera["front"].config.width) == (0, 320)
    assert config.camera["top"].name == "sim"
    robot = resolve_run(
        "rollout", ["--robot", "{type: arm, port: X, limits: {a.pos: {low: -5}}}"], Stub(), {}
    ).config.robot
    assert robot is not None
    assert (robot.config.port, robot.config.limits) == ("X", {"a.pos": {"low": -5.0}})


def test_plugins_inside_plugins() -> None:
    robot = resolve_run(
        "rollout", ["--robot", "two_arms", "--robot.left", "arm", "--robot.left.port", "L"], Stub(), {}
    ).config.robot
    assert robot is not None
    assert (robot.config.left.config.port, robot.config.right) == ("L", None)


def test_nested_sections_keep_their_other_defaults() -> None:
    config = rollout("--inference", "rtc", "--inference.rtc.horizon", "4")
    assert config.inference is not None
    assert (config.inference.config.rtc.horizon, config.inference.config.rtc.schedule) == (4, "LINEAR")


def test_policy_by_name_by_folder_and_by_path() -> None:
    for argv in (["--policy", "runs/a"], ["--policy.path=runs/a"], ["--policy.pretrained-path", "runs/a"]):
        policy = rollout(*argv).policy
        assert policy is not None
        assert (policy.name, policy.config.path) == ("act", "runs/a/pretrained_model")
    policy = rollout("--policy", "act", "--policy.path", "runs/b").policy
    assert policy is not None
    assert policy.config.path == "runs/b"


def test_a_camera_whose_index_is_the_world_is_a_camera_of_the_world() -> None:
    camera = rollout("--robot.cameras={front: {type: opencv, index_or_path: sim, width: 640}}").camera["front"]
    assert (camera.name, camera.config.width) == ("sim", 640)


def test_only_what_is_named_is_asked_for(registry: Stub) -> None:
    resolve_run("rollout", [*ARM, "--policy", "fake"], registry, {})
    assert {name for _, name in registry.asked} == {"arm", "fake", "base", "sync"}


BAD: list[tuple[str, type[UserError], str]] = [
    ("--duraton 5", UsageError, "there is no option --duraton here\n  did you mean --duration?"),
    ("--robot.prt Y", UsageError, "there is no option --robot.prt here\n  did you mean --robot.port?"),
    ("--robot.id --json", UsageError, "--robot.id needs a value\n  it takes text"),
    ("--return_to_start=maybe", UsageError, "there is no option --return_to_start"),
    ("--return_to_initial_position=maybe", UsageError, "'maybe' is not true or false"),
    ("--resume=maybe", ConfigError, "--resume: 'maybe' is not true or false"),
    ("--fps abc", ConfigError, "--fps: 'abc' is not a number\n  it takes a number, 0.1..1000 Hz"),
    ("--duration -1", ConfigError, "--duration: -1 s is out of range, allowed is >= 0 s"),
    ("--duration nan", ConfigError, "nan is not a number"),
    ("--interpolation 1.5", ConfigError, "'1.5' is not a whole number"),
    ("--on-exit drop", ConfigError, "'drop' is not one of park, hold"),
    ("--rename-map {", ConfigError, "cannot be read"),
    ("--robot.baud 1", ConfigError, "1 Bd is out of range, allowed is 9600..4000000 Bd"),
    ("--robot.park_pose.a 1", UsageError, "takes one value, not options of its own"),
    ("--camera.front.width 5", UsageError, "no camera.front is named"),
    ("--camera.front opencv", ConfigError, "missing option: --camera.front.index-or-path (index or device path)"),
    (
        "--teleop.port X",
        UsageError,
        "--teleop.port is given, but no teleop is named\n  add --teleop NAME; installed: leader, scripted",
    ),
    ("--teleop", UsageError, "--teleop needs a name\n  installed: leader, scripted"),
    ("--observer", UsageError, "--observer needs a name"),
    ("--policy atc", PluginError, "no policy named 'atc'\n  did you mean 'act'?"),
    ("--episode 3", UsageError, "there is no option --episode here\n  another verb takes it"),
    ("--strategy none", UsageError, "`lr rollout` needs a strategy"),
    ("--world.seed -1", ConfigError, "--world.seed: -1 is out of range"),
    ("--world.sed 1", UsageError, "did you mean --world.seed?"),
    ("--world 3", ConfigError, "'3' is not a section of options"),
    ("--rig", UsageError, "--rig needs a file"),
]


@pytest.mark.parametrize(("line", "error", "message"), BAD)
def test_bad_option(line: str, error: type[UserError], message: str) -> None:
    with pytest.raises(error) as caught:
        rollout(*line.split())
    assert message in str(caught.value)
    assert type(caught.value) is error
    assert len(str(caught.value).splitlines()) <= 5


def test_problems_are_told_together() -> None:
    with pytest.raises(UsageError) as caught:
        rollout("--duraton", "5", "--robot.prt", "X", "--fps", "abc", "--policy", "atc", "--teleop", "leader")
    text = str(caught.value)
    for part in ("--duraton", "--robot.prt", "--fps: 'abc'", "no policy named 'atc'", "missing option: --teleop.port"):
        assert part in text
    assert text.startswith("5 things are wrong:")


def test_a_plugin_that_fails_is_told_once() -> None:
    with pytest.raises(PluginError) as caught:
        rollout("--camera.a", "nix", "--camera.b", "nix")
    assert str(caught.value).count("nix") == 1


def test_the_robot_is_asked_for_with_what_is_installed() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_run("rollout", [], Stub(), {})
    assert "`lr rollout` needs a robot" in str(caught.value)
    assert "add --robot NAME; installed: arm, arm_follower, fake, two_arms, virtual_arm" in str(caught.value)


def test_verbs_take_their_own_sections_only() -> None:
    record = resolve_run("record", [*ARM, "--dataset", "out", "--strategy.upload"], Stub(), {}).config
    assert record.strategy is not None
    assert (record.strategy.name, record.strategy.config.upload, record.policy, record.inference) == (
        "record",
        True,
        None,
        None,
    )
    replay = resolve_run("replay", [*ARM, "--dataset", "out", "--dataset.episode=2"], Stub(), {}).config
    assert replay.episode == 2
    with pytest.raises(UsageError, match="the strategy is always 'record' here"):
        resolve_run("record", [*ARM, "--strategy", "sentry"], Stub(), {})
    with pytest.raises(UsageError, match="there is no option --policy here"):
        resolve_run("teleoperate", [*ARM, "--policy", "act"], Stub(), {})
    assert resolve_run("find", ["--json"], Stub(), {}).config.json
