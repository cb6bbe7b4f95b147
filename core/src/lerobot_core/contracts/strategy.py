"""Strategy: decides what each period executes and what is recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from ..action_queue import ActionQueue
from ..clock import Clock
from ..commands import Command
from ..types import Features, Step, Tick
from .inference import InferenceEngine
from .storage import Reader, Storage
from .teleoperator import Teleoperator

Need = Literal["storage", "teleoperator", "operator", "inference"]


class Scene(Protocol):
    """The part of a simulated world a strategy may touch; a real scene has neither."""

    def reset(self) -> None:
        """Put the scene back for the next attempt; never blocks longer than a period."""

    def success(self) -> bool | None:
        """Has the attempt succeeded; None where nothing can tell."""


@dataclass(frozen=True, slots=True)
class Episodes:
    """How many episodes of what length the person asked for; seconds."""

    count: int = 50
    episode_s: float = 60.0
    reset_s: float = 60.0


@dataclass
class Run:
    """What a strategy gets at `setup`; `task` and `episode` may change while the run goes on.

    Attributes:
        stop: ask for an orderly end, from any thread.
        set_task: a new instruction; resets the engine unless the policy says otherwise.
        robot_features, action_features: what it observes (cameras included) and what it takes.
        reader: the dataset named for reading (`replay`), None otherwise.
        episodes: how many and how long, from the dataset section.
        scene: the simulated scene, None on real hardware.
        notify: one line for the person at the arm, with the terminal's bell.
        episode: index of the episode being recorded or replayed.
        notes: what the strategy wants to say when the run is over; whoever started the run finds it in `Session.notes`.
    """

    clock: Clock
    storage: Storage | None
    queue: ActionQueue
    inference: InferenceEngine | None
    teleoperator: Teleoperator | None
    robot_features: Features
    action_features: Features
    fps: float
    task: str
    log: logging.Logger
    stop: Callable[[str], None]
    set_task: Callable[[str], None] = lambda task: None
    scene: Scene | None = None
    reader: Reader | None = None
    episodes: Episodes = field(default_factory=Episodes)
    notify: Callable[[str], None] = lambda text: None
    episode: int = 0
    notes: dict[str, object] = field(default_factory=dict)


@runtime_checkable
class Strategy(Protocol):
    """Called from the loop's thread only; nothing in it may block."""

    requires: frozenset[Need]

    def setup(self, run: Run) -> None:
        """Once, engine ready and robot engaged, before the first tick."""

    def command(self, tick: Tick) -> Command:
        """What to execute in this period."""

    def record(self, step: Step) -> None:
        """The period is over; write it or not (`run.storage.add_frame`, `save_episode`, `discard_episode`)."""

    def teardown(self, error: BaseException | None) -> None:
        """Once on every exit path, arm parked or held, storage still open: save the tail."""
