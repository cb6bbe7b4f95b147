"""A registry made of a table, so that configuration is tested without installing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from lerobot_core.config.bases import CameraConfig, Chosen, DatasetConfig, DeviceConfig, PolicyConfig, RobotConfig
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.errors import PluginError, did_you_mean
from lerobot_core.specs import Overlay, Spec


@dataclass(frozen=True)
class Entry:
    name: str
    distribution: str


@dataclass(frozen=True, kw_only=True)
class Arm(RobotConfig):
    port: str = option(help="serial port")
    baud: int = option(1_000_000, help="bits a second", unit="Bd", low=9600, high=4_000_000)


@dataclass(frozen=True, kw_only=True)
class Bare:
    """Nothing to set."""


@dataclass(frozen=True, kw_only=True)
class TwoArms(DeviceConfig):
    left: Chosen | None = plugin_field("robot", help="the left arm")
    right: Chosen | None = plugin_field("robot", help="the right arm")


@dataclass(frozen=True, kw_only=True)
class OpenCv(CameraConfig):
    index_or_path: int | str = option(help="index or device path")


@dataclass(frozen=True, kw_only=True)
class Act(PolicyConfig):
    device: str = option("auto", help="where it runs", choices=("auto", "cpu", "cuda"))
    chunk_size: int = option(100, help="actions a chunk", low=1)


@dataclass(frozen=True, kw_only=True)
class Guidance:
    horizon: int = option(10, help="steps to blend", low=1)
    schedule: Literal["LINEAR", "EXP"] = option("LINEAR", help="prefix weights")


@dataclass(frozen=True, kw_only=True)
class Rtc:
    rtc: Guidance = option(factory=Guidance, help="guidance")
    execution_horizon: int = option(10, help="steps")
    schedule: str = option("LINEAR", help="weights")
    max_guidance_weight: float = option(10.0, help="pull")
    mode: str = option("auto", help="what of it")


@dataclass(frozen=True, kw_only=True)
class Remote:
    connect: str = option("tcp/127.0.0.1:7447", help="where the server listens", aliases=("connect_endpoint",))
    token: str | None = option(None, help="shared secret")


class Mood(Enum):
    CALM = "calm"
    BRISK = "brisk"


@dataclass(frozen=True, kw_only=True)
class Sentry:
    keys: dict[str, str] = option(factory=dict, help="rebind keys")
    upload: bool = option(False, help="push in between", aliases=("upload_now",))
    mood: Mood = option(Mood.CALM, help="how it moves")


@dataclass(frozen=True, kw_only=True)
class V3(DatasetConfig):
    """The dataset's own options are enough."""


@dataclass(frozen=True, kw_only=True)
class Port:
    port: int = option(9876, help="TCP port", low=1, high=65535)
    labels: tuple[str, ...] = option((), help="what to show")
    address: str | None = option(None, help="where")
    jpeg_quality: int = option(75, help="of pictures")


@dataclass(frozen=True, kw_only=True)
class Pedal:
    device_path: str = option("/dev/input/event0", help="the pedal")


PRESET = Overlay(
    "virtual_arm",
    {
        "robot": {"type": "arm_follower", "port": "sim", "id": "virtual"},
        "camera": {"front": {"type": "sim"}, "wrist": {"type": "sim", "width": 320}},
    },
)


def _spec(kind: str, name: str, config: type[Any], *aliases: str) -> Spec:
    made = type(f"{kind}Spec", (Spec,), {"kind": kind})
    spec = made(
        name=name, summary=f"the {name} {kind}", config=config, build=lambda config, parts: config, aliases=aliases
    )
    assert isinstance(spec, Spec)
    return spec


def _table() -> dict[tuple[str, str], Any]:
    specs = (
        _spec("robot", "arm_follower", Arm, "arm"),
        _spec("robot", "fake", Bare),
        _spec("robot", "two_arms", TwoArms),
        _spec("teleoperator", "leader", Arm),
        _spec("teleoperator", "scripted", Bare),
        _spec("camera", "opencv", OpenCv),
        _spec("camera", "sim", CameraConfig),
        _spec("policy", "act", Act),
        _spec("policy", "fake", Bare),
        _spec("inference", "sync", Bare),
        _spec("inference", "rtc", Rtc),
        _spec("inference", "remote", Remote),
        *(_spec("strategy", name, Sentry) for name in ("base", "teleoperate", "record", "replay", "sentry")),
        _spec("storage", "lerobot", V3),
        _spec("storage", "memory", DatasetConfig),
        _spec("operator", "terminal", Bare),
        _spec("operator", "scripted", Port),
        _spec("operator", "pedal", Pedal),
        _spec("observer", "rerun", Port),
        _spec("observer", "sound", Bare),
        _spec("processor", "clip", Port),
    )
    table: dict[tuple[str, str], Any] = {(type(s).kind, n): s for s in specs for n in (s.name, *s.aliases)}
    return {**table, ("robot", "virtual_arm"): PRESET}


@dataclass
class Stub:
    """Remembers what was asked for, since each question imports a plugin."""

    table: dict[tuple[str, str], Any] = field(default_factory=_table)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def entries(self, kind: str | None = None) -> list[Entry]:
        return [Entry(name, f"lerobot-{k}-{name}") for k, name in self.table if kind in (None, k)]

    def spec(self, kind: str, name: str) -> Spec:
        self.asked.append((kind, name))
        found = self.table.get((kind, name))
        if not isinstance(found, Spec):
            raise PluginError(
                f"no {kind} named {name!r}", "", did_you_mean(name, [n for k, n in self.table if k == kind])
            )
        return found

    def resolve(self, kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any]:
        if kind == "policy" and ref.startswith("runs/"):
            return {"type": "act", "path": f"{ref}/pretrained_model"}
        found = self.table.get((kind, ref))
        return found if isinstance(found, Overlay) else self.spec(kind, ref)


def to_argv(data: Mapping[str, Any], path: str = "") -> list[str]:
    """A configuration's plain data as somebody would type it; a mapping that is one value goes as one word."""
    argv: list[str] = []
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and here not in VALUES and key not in VALUES:
            argv += to_argv(value, here)
        elif value is not None:
            argv.append(_word(here, value))
    return argv


VALUES = ("rename_map", "park_pose", "limits", "keys")


def _word(path: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{path}" if value else f"--no-{path}"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | Mapping) else str(value)
    return f"--{path}={text}"
