"""The options of the fakes."""

from __future__ import annotations

from dataclasses import dataclass

from ..config.bases import CameraConfig, DatasetConfig, DeviceConfig, PolicyConfig, RobotConfig
from ..config.fields import option
from .joints import ARM


@dataclass(frozen=True, kw_only=True)
class FakeRobotConfig(RobotConfig):
    """An ideal arm, unless a fault is asked for."""

    joints: tuple[str, ...] = option(ARM, help="joint names; each is the key NAME.pos")
    lag_s: float = option(0.0, help="time constant with which joints follow their goals", unit="s", low=0.0)
    noise: float = option(0.0, help="standard deviation of what is read", low=0.0)
    seed: int = option(0, help="seed of the noise")
    fault: str = option("none", help="what goes wrong", choices=("none", "dead_motor", "lost_packets", "bus_gone"))
    fault_after: int = option(30, help="observations before it goes wrong; 0 with bus_gone: connect fails", low=0)


@dataclass(frozen=True, kw_only=True)
class FakeTeleoperatorConfig(DeviceConfig):
    """A person with a very steady hand."""

    joints: tuple[str, ...] = option(ARM, help="joint names; each is the key NAME.pos")
    amplitude: float = option(0.3, help="fraction of half of each range", low=0.0, high=1.0)
    period_s: float = option(4.0, help="seconds of one swing", unit="s", low=0.01)
    seed: int = option(0, help="phases; 0 starts at the centre of every range at t = 0")
    actuated: bool = option(False, help="a leader whose own motors follow the robot while engaged")


@dataclass(frozen=True, kw_only=True)
class FakeCameraConfig(CameraConfig):
    """A moving test pattern that carries its frame number."""

    width: int = option(640, help="image width; the frame number needs 24", unit="px", low=24)
    height: int = option(480, help="image height", unit="px", low=1)
    fps: float = option(30.0, help="frames a second", unit="Hz", low=0.1)
    seed: int = option(0, help="shifts the pattern, and names the device")
    fault: str = option("none", help="what goes wrong", choices=("none", "frozen", "gone", "slow"))
    fault_after: int = option(30, help="frames before it goes wrong; 0 with gone: connect fails", low=0)


@dataclass(frozen=True, kw_only=True)
class FakeBusConfig:
    """Servos that are a dictionary."""

    silent: tuple[str, ...] = option((), help="motors that never answer")


@dataclass(frozen=True, kw_only=True)
class FakePolicyConfig(PolicyConfig):
    """A smooth motion as a function of the observation's time; `units` overrides what its actions claim to be."""

    joints: tuple[str, ...] = option(ARM, help="joints it moves; each is the key NAME.pos")
    names: tuple[str, ...] = option((), help="action keys, instead of those of the joints")
    cameras: tuple[str, ...] = option((), help="cameras it needs, 640x480")
    chunk_size: int = option(50, help="actions in a chunk", low=1)
    n_action_steps: int = option(25, help="actions executed before sync inference asks again", low=1)
    fps: float | None = option(
        None, help="rate it claims to be made for; its steps are 1/30 s otherwise", unit="Hz", low=0.1
    )
    amplitude: float = option(0.2, help="fraction of half of each range", low=0.0, high=1.0)
    period_s: float = option(4.0, help="seconds of one swing", unit="s", low=0.01)
    latency_s: float = option(0.0, help="how long one chunk takes", unit="s", low=0.0)
    scatter: float = option(0.0, help="how far a chunk may lie off the motion, in units; each another way", low=0.0)
    scatter_seed: int = option(0, help="seed of the scatter")
    guided: bool = option(False, help="continues a leftover, as a policy with prefix guidance does")
    fault: str = option("none", help="what goes wrong", choices=("none", "raise", "nan"))
    fault_after: int = option(0, help="chunks before it goes wrong", low=0)


@dataclass(frozen=True, kw_only=True)
class FakeInferenceConfig:
    """An engine that always wants the same pose."""

    joints: tuple[str, ...] = option(ARM, help="joints it moves when no policy names them")
    value: float = option(0.0, help="the value of every action")
    chunk_size: int = option(10, help="actions in a chunk", low=1)


@dataclass(frozen=True, kw_only=True)
class FakeStorageConfig(DatasetConfig):
    """Rows in memory, and with `root` also in ROOT/rows.jsonl; images become thumbnails."""

    rotate_rows: int = option(0, help="rows after which a continuous recording should be cut; 0 never", low=0)
    fault: str = option("none", help="what goes wrong", choices=("none", "full"))
    fault_after: int = option(30, help="rows before it goes wrong", low=0)


@dataclass(frozen=True, kw_only=True)
class FakeEnvConfig:
    """Reach a pose."""

    joints: tuple[str, ...] = option(ARM, help="joint names; each is the key NAME.pos")
    fps: float = option(30.0, help="steps a second", unit="Hz", low=0.1)
    max_steps: int = option(150, help="steps before an episode is cut", low=1)
    tolerance: float = option(5.0, help="how near every joint must be", low=0.0)


@dataclass(frozen=True, kw_only=True)
class FakeOperatorConfig:
    """A person who does what the list says."""

    events: tuple[tuple[float, str], ...] = option((), help="[[seconds since start, event], …]")
