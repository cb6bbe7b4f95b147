"""The values that travel between parts: features, observations, actions, chunks, ticks and rows.

All times are seconds of `clock.now()`, never wall clock. Nothing here is matched by position:
arrays carry their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Unit = Literal["deg", "rad", "m", "pct", "pct100", "raw", ""] | None
"""pct is 0..100, pct100 is -100..100, "" is dimensionless, None is unknown (matches any, with one warning)."""

Source = Literal["policy", "human", "hold", "goto"]
Outcome = Literal["success", "failure", "none"]


@dataclass(frozen=True, slots=True)
class Feature:
    """What one robot key holds.

    Attributes:
        dtype: numpy name, `"float32"` for joints, `"uint8"` for images.
        shape: `()` for a float, `(H, W, 3)` for an RGB image.
        unit: see `Unit`.
        low, high: the range the key can take, in `unit`; None where unbounded.
        max_rate: the fastest change allowed, in `unit` per second; None where unbounded.
    """

    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    unit: Unit = None
    low: float | None = None
    high: float | None = None
    max_rate: float | None = None

    @property
    def is_image(self) -> bool:
        """True for a (H, W, C) array."""
        return len(self.shape) == 3


Features = dict[str, Feature]
"""Features by robot key (`"shoulder_pan.pos"`, `"front"`), in the robot's own order."""

Action = dict[str, float]
"""Exactly the robot's action features, in the robot's units."""


class Observation(dict[str, Any]):
    """What the robot and its cameras saw at one instant.

    Keys are robot keys: `"shoulder_pan.pos"` -> float, `"front"` -> uint8 (H, W, 3) RGB, read-only.

    Attributes:
        time: when it was taken, `clock.now()` seconds.
        captured: camera name -> when its frame was captured.
        flags: `"stale:front"`, `"late"`, … what is not quite as it should be.
    """

    def __init__(
        self,
        values: Mapping[str, Any] = {},
        time: float = 0.0,
        captured: Mapping[str, float] | None = None,
        flags: set[str] | None = None,
    ) -> None:
        super().__init__(values)
        self.time = time
        self.captured: dict[str, float] = dict(captured or {})
        self.flags: set[str] = set(flags or ())

    def copy(self) -> Observation:
        """A shallow copy that keeps time, capture times and flags."""
        return Observation(self, self.time, self.captured, self.flags)


@dataclass(frozen=True, slots=True)
class ActionChunk:
    """A policy's answer: T future actions, absolute and in robot units.

    Attributes:
        names: the A action keys, in the order of the columns.
        actions: float32 (T, A).
        model: float32 (T, *) in the policy's own space, opaque to core; None when the policy keeps none.
        time: the time of the observation it came from.
        task: the instruction it was computed for.
        seq: counts the chunks of one engine from 0.
    """

    names: tuple[str, ...]
    actions: NDArray[np.float32]
    model: NDArray[np.float32] | None = None
    time: float = 0.0
    task: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Guide:
    """What a guided policy may assume about the chunk it must continue (arXiv 2506.07339).

    Attributes:
        delay: estimated actions that will be executed before the answer arrives.
        horizon: execution horizon of the guidance.
        schedule: prefix weights, LINEAR, EXP, ONES or ZEROS.
        max_weight: clamp of the guidance weight.
        names: the A action keys, in the order of the columns of `actions`.
        actions: leftover actions (k, A) float32 in robot units, k <= horizon, never padded.
        model: the same in the policy's own space (k, *), or None.
    """

    delay: int
    horizon: int
    schedule: str
    max_weight: float
    names: tuple[str, ...]
    actions: NDArray[np.float32]
    model: NDArray[np.float32] | None = None


class Mark(NamedTuple):
    """A point in the action queue's life: its epoch, and how many actions were executed so far."""

    epoch: int
    popped: int


@dataclass(frozen=True, slots=True)
class Timed:
    """One action out of the queue, with where it came from.

    Attributes:
        action: the action, by robot key.
        step: its index inside the chunk.
        seq: the chunk's sequence number.
        time: the observation's time.
        task: the chunk's task.
        origin: who computed it, `"remote:SESSION/EPISODE"`; "" here. Rows carry it among their flags.
    """

    action: Action
    step: int
    seq: int
    time: float
    task: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera image.

    Attributes:
        image: uint8 (H, W, 3) RGB, read-only, never written again by the camera.
        captured: when the sensor gave it, `clock.now()` seconds.
        seq: counts the camera's frames; the same number twice is the same frame.
        stale: older than the caller allowed.
    """

    image: NDArray[np.uint8]
    captured: float
    seq: int
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something the operator did: `pause`, `takeover`, `save`, `stop`, `task`, …; the table is in docs/contracts.md."""

    name: str
    t: float
    payload: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """What a strategy sees before it decides.

    Attributes:
        index: policy periods since the loop began.
        t: the tick's deadline.
        observation: after observation-side processors.
        events: the operator's, since the last tick.
        human: the teleoperator's action, None without one.
        sent: what the robot last got, None before the first.
        depth: actions waiting in the queue.
        engine: the inference engine's state.
    """

    index: int
    t: float
    observation: Observation
    events: tuple[Event, ...] = ()
    human: Action | None = None
    sent: Action | None = None
    depth: int = 0
    engine: str = "idle"


@dataclass(frozen=True, slots=True)
class Step:
    """One policy period that is over: the row a storage writes.

    Attributes:
        index: the policy period.
        t: its time.
        observation: what the decision was based on.
        requested: the action before the safety filter.
        sent: what the robot said it sent.
        source: who chose it.
        timed: the queue's record when the policy did.
        task: the task in force.
        filtered: what the safety filter changed, as `"range:shoulder_pan.pos"`.
        late: the period was skipped; the observation is the previous one's.
    """

    index: int
    t: float
    observation: Observation
    requested: Action
    sent: Action
    source: Source
    timed: Timed | None = None
    task: str = ""
    filtered: tuple[str, ...] = ()
    late: bool = False

    @property
    def intervention(self) -> bool:
        """True when a human chose the action."""
        return self.source == "human"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing a check found.

    Attributes:
        level: `"error"` stops the run, `"warning"` is printed.
        where: the option or part it is about (`"policy"`, `"camera.front.width"`).
        text: what is wrong.
        fix: what to type or change.
    """

    level: Literal["error", "warning"]
    where: str
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class MotorCalibration:
    """One motor's calibration, five integers, byte-compatible with the peer's files."""

    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int


Calibration = dict[str, MotorCalibration]
