"""Specs: what a plugin says about itself without importing anything heavy."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .clock import Clock
    from .contracts.bus import Bus, Motor
    from .contracts.storage import StorageTools
    from .contracts.strategy import Need
    from .contracts.world import World
    from .terminal import Terminal
    from .types import Calibration


def no_bus(name: str, **options: Any) -> Bus:
    """The default `Parts.make_bus`: outside a run there is no registry to ask."""
    raise RuntimeError(f"nobody said where a bus {name!r} comes from")


def real_port(ref: str, protocol: str, motors: Mapping[str, Motor]) -> None:
    """The default `Parts.open_port`: every port is a real one."""


@dataclass(frozen=True)
class Parts:
    """What core hands to `build` besides the config.

    Attributes:
        clock: the run's clock; the only way to wait.
        calibration: the device's, loaded by core; None when there is no file.
        rig: the rig file's path, None without one.
        world: the simulated scene; reaches robots, cameras, teleoperators and buses only.
        log: a logger named after the part.
        terminal: the owner of stdin and screen, None where there is none.
        make_bus: (name of a bus plugin, **its options) -> a bus that is not open yet; for arms.
        open_port: (ref, protocol, motors) -> (path, close) when the port is a reference such as `sim`, else None.
    """

    clock: Clock
    calibration: Calibration | None = None
    rig: str | None = None
    world: World | None = None
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("lerobot"))
    terminal: Terminal | None = None
    make_bus: Callable[..., Bus] = no_bus
    open_port: Callable[[str, str, Mapping[str, Motor]], tuple[str, Callable[[], None]] | None] = real_port


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One named thing a plugin offers.

    Attributes:
        name: what is typed on the command line, equal to the entry point's name.
        summary: one line for listings.
        config: a frozen dataclass; its fields become options.
        build: `build(config, parts)` -> the object; heavy imports happen inside it.
        aliases: other entry-point names with the same value.
        requires: system things worth saying in a listing ("a serial port").
        peer_name: the name LeRobot uses for the device family (`so_follower`), for calibration folders and `robot_type`.
    """

    kind: ClassVar[str] = ""

    name: str
    summary: str
    config: type[Any]
    build: Callable[..., Any]
    aliases: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    peer_name: str = ""


@dataclass(frozen=True, kw_only=True)
class RobotSpec(Spec):
    """A robot."""

    kind: ClassVar[str] = "robot"


@dataclass(frozen=True, kw_only=True)
class TeleoperatorSpec(Spec):
    """A teleoperator."""

    kind: ClassVar[str] = "teleoperator"


@dataclass(frozen=True, kw_only=True)
class CameraSpec(Spec):
    """A camera."""

    kind: ClassVar[str] = "camera"


@dataclass(frozen=True, kw_only=True)
class BusSpec(Spec):
    """A servo bus."""

    kind: ClassVar[str] = "bus"


@dataclass(frozen=True, kw_only=True)
class PolicySpec(Spec):
    """A policy family; `torch` is `"pkg.module:Class"` of its TorchPolicy, None for one without torch."""

    kind: ClassVar[str] = "policy"
    torch: str | None = None


@dataclass(frozen=True, kw_only=True)
class InferenceSpec(Spec):
    """An inference engine; `needs_policy` is False for one that runs the policy elsewhere."""

    kind: ClassVar[str] = "inference"
    needs_policy: bool = True


@dataclass(frozen=True, kw_only=True)
class StrategySpec(Spec):
    """A rollout strategy.

    Attributes:
        needs: known before it is built, so that a plan can be checked.
        resets_scene: it resets a simulated scene itself, so the world does not begin attempts of its own.
        events: what it acts on beside what the run itself does (stop, stop_now, quit, task); the keys of these are
            shown, and none of them may lose its key to another. Empty: not said, so all events count.
    """

    kind: ClassVar[str] = "strategy"
    needs: frozenset[Need] = frozenset()
    events: tuple[str, ...] = ()
    resets_scene: bool = False


@dataclass(frozen=True, kw_only=True)
class StorageSpec(Spec):
    """A storage; `tools()` imports and returns its reader and repair."""

    kind: ClassVar[str] = "storage"
    tools: Callable[[], StorageTools] | None = None


@dataclass(frozen=True, kw_only=True)
class EnvSpec(Spec):
    """A simulated environment."""

    kind: ClassVar[str] = "env"


@dataclass(frozen=True, kw_only=True)
class ProcessorSpec(Spec):
    """A robot-side processor."""

    kind: ClassVar[str] = "processor"


@dataclass(frozen=True, kw_only=True)
class RewardSpec(Spec):
    """A reward function."""

    kind: ClassVar[str] = "reward"


@dataclass(frozen=True, kw_only=True)
class OperatorSpec(Spec):
    """An operator."""

    kind: ClassVar[str] = "operator"


@dataclass(frozen=True, kw_only=True)
class ObserverSpec(Spec):
    """An observer."""

    kind: ClassVar[str] = "observer"


@dataclass(frozen=True)
class Overlay:
    """A preset: what a name stands for, as configuration sections.

    Attributes:
        name: the preset's name.
        sections: section -> options, in the shape of a configuration file
            (`{"robot": {"type": "so100_follower", …}, "camera": {"front": {"type": "sim"}}}`).
    """

    name: str
    sections: Mapping[str, Mapping[str, Any]]
