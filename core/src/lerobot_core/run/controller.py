"""The interactive session for programs: five calls, and events.

    from lerobot_core.run.controller import Controller

    with Controller.rollout("--robot", "so100", "--robot.port", "/dev/ttyACM0", "--policy", "runs/act") as robot:
        robot.start("put the cube in the bin")
        while (event := robot.next_event(60.0)) and event.name != "ended":
            print(event.text)
        robot.reset()

The calls return at once and are carried out at the loop's next tick, in order; what came of them is told by events.
They travel the way typed lines do: the controller is an operator of the run, and nothing else.
"""

from __future__ import annotations

import dataclasses
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from ..clock import FOREVER, Clock, RealClock
from ..config.bases import Chosen
from ..errors import UserError
from ..operators.table import event_named
from ..registry import Registry, default_registry
from ..specs import OperatorSpec, Parts
from ..types import Event
from .plan import Plan
from .session import Session

Name = Literal["ready", "started", "ended", "resetting", "reset", "task", "closed"]
_LOOP_RANK = 1


@dataclass(frozen=True)
class SessionEvent:
    """Something that happened in a session.

    Attributes:
        name: `ready` once; `started` and `ended` of a segment; `resetting` and `reset`; `task`; `closed` at the end.
        t: when, seconds of the session's clock.
        text: the same for a person.
    """

    name: str
    t: float
    text: str = ""


@dataclass(frozen=True)
class _NoOptions:
    """The controller is made by a program, not by options."""


class Controller:
    """One interactive session, owned by a program.

    Args:
        plan: what would be run; `interactive` is switched on here.
        clock: real, or virtual in tests (then the program's thread takes part in it).

    Attributes:
        session: the run behind it, for its summary and counts.
    """

    def __init__(self, plan: Plan, clock: Clock | None = None) -> None:
        self._clock = clock or RealClock()
        self.session = Session(_steered(plan, self), self._clock)
        self._calls: deque[Event] = deque()
        self._events: deque[SessionEvent] = deque()
        self._news, self._ready, self._over = threading.Event(), threading.Event(), threading.Event()
        self._summary: dict[str, Any] = {}
        self._opened = False

    @classmethod
    def rollout(cls, *argv: str, registry: Registry | None = None) -> Controller:
        """A session of `lr rollout ARGV…`: the same options, the same errors.

        Raises:
            UserError: an option is wrong; nothing was opened.
        """
        from ..config.resolve import resolve_run

        registry = registry or default_registry()
        resolved = resolve_run("rollout", argv, registry, os.environ)
        return cls(Plan("rollout", resolved.config, resolved.origins, registry))

    # --- the five calls ---------------------------------------------------------------------------------------------

    def start(self, task: str = "") -> None:
        """Begin a segment, with a new instruction if there is one; while resetting, as soon as that is over."""
        self._call("start", task)

    def stop(self) -> None:
        """End the segment: its tail is saved, the arm holds, robot and policy stay warm."""
        self._call("stop")

    def reset(self) -> None:
        """End the segment, go home slowly, put a simulated scene back."""
        self._call("reset")

    def set_task(self, text: str) -> None:
        """A new instruction, at once; what was computed for the old one is dropped."""
        self._call("task", text)

    def close(self) -> dict[str, Any]:
        """End the session: the arm parks, everything is saved and closed. Idempotent.

        Returns:
            The summary that `lr rollout --json` prints; how it ended is in its `outcome` and `reason`.
        """
        if self._opened:
            self._call("quit")
            self._clock.wait(self._over, FOREVER)
        return self._summary

    # --- keys and events -----------------------------------------------------------------------------------------------------

    def press(self, event: str) -> None:
        """What a key would do: any event of the table, for the strategy (`save`, `takeover`, `success`, …).

        Raises:
            UsageError: there is no such event.
        """
        self._call(event_named(event))

    def next_event(self, patience_s: float = FOREVER) -> SessionEvent | None:
        """The oldest event not asked for yet, waiting for one; None when none came in time or none can come."""
        until = self._clock.now() + patience_s
        while True:
            self._news.clear()
            if self._events:
                return self._events.popleft()
            if self._over.is_set() or not self._clock.wait(self._news, until):
                return None

    @property
    def over(self) -> bool:
        """Everything is closed."""
        return self._over.is_set()

    # --- its life ---------------------------------------------------------------------------------------------------

    def open(self) -> Controller:
        """Connect, warm the policy up, engage; returns when `start` may be called.

        Raises:
            UserError: it could not be opened, and everything is closed again.
        """
        self._opened = True
        self._clock.spawn("session", self._live, _LOOP_RANK)
        self._clock.wait(self._ready, FOREVER)
        error = self.session.ending.error
        if self._over.is_set() and error is not None:
            raise error if isinstance(error, UserError) else UserError(self.session.ending.reason) from error
        return self

    def _live(self) -> None:
        try:
            self._summary = self.session.run()
        finally:
            ending = self.session.ending
            self._over.set()
            self.tell("closed", f"{ending.outcome}: {ending.reason}")
            self._ready.set()

    def __enter__(self) -> Controller:
        return self.open()

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _call(self, name: str, text: str = "") -> None:
        self._calls.append(Event(name, self._clock.now(), text))

    # --- what the run asks of its operator --------------------------------------------------------------------------

    def tell(self, name: str, text: str) -> None:
        """Something happened; on the loop's thread."""
        self._events.append(SessionEvent(name, self._clock.now(), text))
        self._news.set()
        if name == "ready":
            self._ready.set()

    def poll(self) -> list[Event]:
        """The calls since the last tick."""
        return [self._calls.popleft() for _ in range(len(self._calls))]


class _Calls:
    """The operator's side of a controller."""

    def __init__(self, controller: Controller) -> None:
        self.poll, self.tell = controller.poll, controller.tell

    def start(self) -> None:
        """Calls may come at any time."""

    def first_action(self, t: float) -> None:
        """A program has no schedule."""

    def bindings(self) -> dict[str, str]:
        """No keys."""
        return {}

    def rebind(self, keys: dict[str, str]) -> None:
        """No keys to change."""

    def stop(self) -> None:
        """Nothing to close."""


def _steered(plan: Plan, controller: Controller) -> Plan:
    """The plan as an interactive one, with the controller among its operators."""

    def build(config: _NoOptions, parts: Parts) -> _Calls:
        return _Calls(controller)

    spec = OperatorSpec(name="controller", summary="a program's calls", config=_NoOptions, build=build)
    steering = Chosen("operator", "controller", spec, _NoOptions(), "controller")
    operators = {**plan.config.operator, "controller": steering}
    return dataclasses.replace(plan, config=dataclasses.replace(plan.config, operator=operators, interactive=True))
