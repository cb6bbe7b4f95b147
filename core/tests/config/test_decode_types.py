"""Plain data into dataclasses: every type, every limit, every mistake named by its key path."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from catalogue_stub import Arm, Stub, TwoArms, to_argv
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.config.decode import decode
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.config.origin import Origin
from lerobot_core.config.resolve import resolve_run
from lerobot_core.config.run import RunConfig
from lerobot_core.config.show import as_data
from lerobot_core.errors import ConfigError, PluginError, UserError

FILE = Origin("config", "some.toml")
TYPED = Origin("command line")


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Point:
    x: float = option(0.0, help="across", unit="m")
    y: float = option(0.0, help="along", unit="m", low=-1.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Many:
    flag: bool = option(False, help="a switch")
    maybe: bool | None = option(None, help="a switch with three states")
    count: int = option(1, help="how many", low=0, high=10)
    rate: float = option(1.0, help="how fast", unit="Hz", low=0.5)
    name: str = option("", help="a name")
    path: Path | None = option(None, help="a file")
    level: Literal["low", "high"] = option("low", help="how much")
    step: Literal[1, 2] = option(1, help="stride")
    color: Color = option(Color.RED, help="which")
    mode: str = option("a", help="how", choices=("a", "b"))
    words: list[str] = option(factory=list, help="several", choices=("x", "y"))
    size: tuple[int, int] | None = option(None, help="width and height")
    gains: tuple[float, ...] = option((), help="one a joint")
    pose: dict[str, float] = option(factory=dict, help="by key")
    extra: dict[str, Any] = option(factory=dict, help="anything")
    source: int | str = option(0, help="index or path")
    origin: Point = option(factory=lambda: Point(x=5.0), help="nested")
    far: Point | None = option(None, help="nested, or none")
    route: list[Point] = option(factory=list, help="points", aliases=("way-points",))


CASES: list[tuple[str, Any, str, Any]] = [
    ("flag", True, "on", True),
    ("flag", False, "0", False),
    ("maybe", None, "none", None),
    ("count", 7, "7", 7),
    ("rate", 2, "2", 2.0),
    ("rate", 2.5, "2.5e0", 2.5),
    ("name", "none", "none", "none"),
    ("path", "a/b", "a/b", Path("a/b")),
    ("level", "high", "high", "high"),
    ("step", 2, "2", 2),
    ("color", "blue", "blue", Color.BLUE),
    ("mode", "b", "b", "b"),
    ("words", ["x", "y"], "x, y", ["x", "y"]),
    ("words", ["x"], "[x]", ["x"]),
    ("size", [640, 480], "[640, 480]", (640, 480)),
    ("size", None, "none", None),
    ("gains", [1, 2.5], "1,2.5", (1.0, 2.5)),
    ("pose", {"a.pos": 1}, "{a.pos: 1}", {"a.pos": 1.0}),
    ("extra", {"a": 1, "b": [True]}, "{a: 1, b: [true]}", {"a": 1, "b": [True]}),
    ("source", 3, "3", 3),
    ("source", "/dev/video0", "/dev/video0", "/dev/video0"),
    ("origin", {"y": 1}, "{y: 1}", Point(x=5.0, y=1.0)),
    ("far", {"x": 1}, "{x: 1}", Point(x=1.0)),
    ("far", None, "none", None),
    ("route", [{"x": 1}], "[{x: 1}]", [Point(x=1.0)]),
    ("way-points", [], "[]", []),
]


@pytest.mark.parametrize(("key", "plain", "typed", "expected"), CASES)
def test_value_of_each_type_from_file_and_command_line(key: str, plain: Any, typed: str, expected: Any) -> None:
    name = "route" if key == "way-points" else key
    assert getattr(decode(Many, {key: plain}, FILE), name) == expected
    assert getattr(decode(Many, {key: typed}, TYPED), name) == expected


WRONG: list[tuple[str, Any, str]] = [
    ("flag", "maybe", "'maybe' is not true or false"),
    ("flag", 1, "1 is not true or false"),
    ("count", "5.0", "'5.0' is not a whole number"),
    ("count", 11, "count in config some.toml: 11 is out of range, allowed is 0..10"),
    ("count", True, "True is not a whole number"),
    ("rate", "fast", "'fast' is not a number"),
    ("rate", 0.1, "0.1 Hz is out of range, allowed is >= 0.5 Hz"),
    ("rate", float("nan"), "nan is not a number"),
    ("name", 5, "5 is not text"),
    ("path", 5, "5 is not a path"),
    ("path", "", "'' is not a path"),
    ("level", "middle", "'middle' is not one of low, high"),
    ("step", 3, "3 is not one of 1, 2"),
    ("color", "green", "'green' is not one of red, blue"),
    ("mode", "c", "'c' is not one of a, b"),
    ("words", ["x", "z"], "'z' is not one of x, y"),
    ("words", "x", "'x' is not a list"),
    ("size", [1, 2, 3], "wanted are 2"),
    ("gains", [1, "x"], "gains.1 in config some.toml: 'x' is not a number"),
    ("pose", {"a": "x"}, "pose.a in config some.toml: 'x' is not a number"),
    ("pose", 3, "3 is not a {key: value} mapping"),
    ("origin", {"y": 2}, "origin.y in config some.toml: 2 m is out of range, allowed is -1..1 m"),
    ("origin", {"z": 2}, "no option origin.z"),
    ("origin", 3, "3 is not a section of options"),
    ("route", [{"z": 1}], "no option z"),
    ("cuont", 3, "did you mean count?"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_wrong_value_is_named_with_its_path(key: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode(Many, {key: value}, FILE)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_malformed_flow_notation_says_what_is_wrong() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        decode(Many, {"pose": "{a: 1"}, TYPED)


def test_files_are_strict_where_the_command_line_cannot_be() -> None:
    assert decode(Many, {"count": "5"}, TYPED).count == 5
    with pytest.raises(ConfigError, match="'5' is not a whole number"):
        decode(Many, {"count": "5"}, FILE)


def test_missing_required_options_are_reported_together_with_everything_else() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Needy:
        port: str = option(help="serial port")
        id: str = option(help="which one")
        rate: float = option(1.0, help="how fast", high=2.0)

    with pytest.raises(ConfigError) as caught:
        decode(Needy, {"rate": 3}, FILE)
    text = str(caught.value)
    assert "missing options: port (serial port), id (which one)" in text
    assert "rate in config some.toml: 3 is out of range" in text


def test_a_class_may_refuse_values_that_do_not_go_together() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Pair:
        low: int = option(0, help="low")
        high: int = option(1, help="high")

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is above high")

    with pytest.raises(ConfigError, match="Pair: low is above high"):
        decode(Pair, {"low": 3}, FILE)


def test_a_class_with_unreadable_annotations_is_the_plugins_mistake() -> None:
    @dataclass
    class Broken:
        x: Missing = None  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(PluginError, match="annotations resolve at run time"):
        decode(Broken, {}, FILE)


def test_plugin_field_takes_a_mapping_or_a_name_and_gives_chosen(registry: Stub) -> None:
    arms = decode(TwoArms, {"left": {"type": "arm", "port": "X"}, "right": "fake"}, FILE, registry)
    assert arms.left is not None
    assert arms.right is not None
    assert (arms.left.kind, arms.left.name, arms.left.config) == ("robot", "arm_follower", Arm(port="X"))
    assert (arms.right.name, arms.right.instance) == ("fake", "")


def test_plugin_field_may_have_a_default_name(registry: Stub) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Host:
        engine: Any = plugin_field("inference", default="sync", help="engine")

    assert decode(Host, {}, FILE, registry).engine.name == "sync"
    assert decode(Host, {"engine": "rtc"}, FILE, registry).engine.name == "rtc"
    assert ("inference", "sync") in registry.asked


def test_plugin_field_without_a_registry_says_so() -> None:
    with pytest.raises(ConfigError, match="no registry"):
        decode(TwoArms, {"left": "fake"}, FILE)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ({"left": {"port": "X"}}, UserError, "no left is named"),
        ({"left": {"type": "arm", "prt": "X"}}, UserError, "left.prt"),
        ({"left": "nothing"}, PluginError, "no robot named 'nothing'"),
        ({"left": 5}, ConfigError, "5 is neither a name nor a section"),
        ({"left": {"type": 5}}, UserError, "needs a name"),
        ({"left": "virtual_arm"}, PluginError, "has no left"),
    ],
)
def test_plugin_field_with_a_bad_value(
    data: dict[str, Any], error: type[UserError], message: str, registry: Stub
) -> None:
    with pytest.raises(error) as caught:
        decode(TwoArms, data, FILE, registry)
    assert message in str(caught.value)


_words = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), max_size=8)
_names = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True).filter(lambda name: name != "none")
_numbers = st.floats(allow_nan=False, allow_infinity=False)
_keys = st.dictionaries(_words, _numbers, max_size=3)
_arm = st.fixed_dictionaries(
    {"type": st.just("arm"), "port": _words},
    optional={"id": _words, "park_pose": _keys, "baud": st.integers(9600, 4_000_000), "calibration_dir": _names},
)
_camera = st.fixed_dictionaries(
    {"type": st.just("opencv"), "index_or_path": st.integers(0, 9) | st.just("/dev/video0")},
    optional={"width": st.integers(1, 4000), "fps": st.floats(0.1, 500), "optional": st.booleans()},
)
_runs = st.fixed_dictionaries(
    {"robot": _arm, "strategy": st.just("base"), "inference": st.sampled_from(["sync", "remote"])},
    optional={
        "camera": st.dictionaries(_names, _camera, max_size=3),
        "policy": st.fixed_dictionaries(
            {"type": st.just("act")}, optional={"device": st.sampled_from(["cpu", "cuda"])}
        ),
        "observer": st.fixed_dictionaries({"rerun": st.fixed_dictionaries({"labels": st.lists(_words, max_size=3)})}),
        "dataset": st.fixed_dictionaries({"root": _names}, optional={"num_episodes": st.integers(1, 10**9)}),
        "world": st.fixed_dictionaries({"auto_reset": st.none() | st.booleans()}),
        "duration": st.none() | st.floats(0, 1e9),
        "task": _words,
        "safety": st.booleans(),
        "rename_map": st.dictionaries(_words, _words, max_size=3),
        "on_exit": st.sampled_from(["park", "hold"]),
    },
)


_SHARED = Stub()  # specs compare by their build functions: one table for both sides


@given(_runs)
def test_configuration_survives_being_typed(data: dict[str, Any]) -> None:
    config = decode(RunConfig, data, FILE, _SHARED)
    assert resolve_run("rollout", _typed(config), _SHARED, {}).config == config


def _typed(config: RunConfig) -> list[str]:
    """`episode` and `show` are other verbs'."""
    return to_argv({key: value for key, value in as_data(config).items() if key not in ("episode", "show")})


@given(_runs)
def test_configuration_survives_being_written_down(data: dict[str, Any]) -> None:
    config = decode(RunConfig, data, FILE, _SHARED)
    assert decode(RunConfig, as_data(config), FILE, _SHARED) == config
