"""A session: segments of one strategy, begun and ended by a person or a program while robot and policy stay warm.

    waiting  --start-->  running  --stop, duration, or the strategy's own end-->  waiting
    any      --reset-->  resetting (to the park pose, scene put back)  -->  waiting, or running when start was asked for

It is a strategy like any other to the loop, so observations, safety filter and rows are the same; each segment gets a
strategy of its own, set up and torn down as in a run of its own. The events come from operators: lines typed in the
terminal, or `Controller`'s calls.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Literal, Protocol, runtime_checkable

from .. import commands
from ..contracts.operator import Operator
from ..contracts.robot import Robot
from ..contracts.strategy import Need, Run, Strategy
from ..types import Action, Event, Step, Tick
from .motion import travel_time

State = Literal["waiting", "running", "resetting"]
SHORTEST_RESET_S = 0.5
_OURS = ("start", "stop", "reset")


@runtime_checkable
class Told(Protocol):
    """An operator that wants to know how the session goes on."""

    def tell(self, name: str, text: str) -> None:
        """`ready`, `started`, `ended`, `resetting`, `reset` or `task` happened; on the loop's thread, may not block."""


class Interactive:
    """Segments of a strategy.

    Args:
        first: the strategy of the first segment.
        again: makes the one of each further segment.
        robot: says where it parks; without that, home is where it stood when the session began.
        operators: their scripts begin now, and those that are `Told` hear how it goes on.
        duration: longest segment, from its first row; 0 for no limit. Seconds.

    Attributes:
        state: see the module's table.
    """

    def __init__(
        self,
        first: Strategy,
        again: Callable[[], Strategy],
        robot: Robot,
        operators: Iterable[Operator],
        duration: float,
    ) -> None:
        self.requires: frozenset[Need] = first.requires
        self.state: State = "waiting"
        self._next: Strategy | None = first
        self._again, self._robot, self._operators, self._duration = again, robot, list(operators), duration
        self._strategy: Strategy | None = None
        self._run: Run
        self._home: Action = {}
        self._asked = ""
        self._began: float | None = None
        self._home_at = 0.0
        self._start_after = False
        self._segments = 0

    def setup(self, run: Run) -> None:
        """Everything is warm; nothing moves before the first `start`."""
        self._run = dataclasses.replace(run, stop=self._ask)
        if run.inference is not None:
            run.inference.pause()
        for operator in self._operators:
            operator.first_action(run.clock.now())
        self._tell("ready", "ready: /start begins, /task TEXT or /start TEXT says what; /stop, /reset, /quit")

    def _ask(self, reason: str) -> None:
        """The strategy's own `run.stop`, from any thread: it ends the segment."""
        self._asked = self._asked or reason

    def command(self, tick: Tick) -> commands.Command:
        """The strategy's command while it runs; the way home while resetting; else Hold."""
        if not self._home:
            seen = {key: float(tick.observation[key]) for key in self._run.action_features if key in tick.observation}
            self._home = dict(self._robot.park_pose or seen)
        for event in tick.events:
            self._handle(event, tick)
        if self.state == "resetting":
            return self._homeward(tick)
        return self._running(tick) if self.state == "running" else commands.Hold()

    # --- what the person does ---------------------------------------------------------------------------------------

    def _handle(self, event: Event, tick: Tick) -> None:
        if event.name == "start":
            self._start(event.payload)
        elif event.name == "stop":
            self._stop()
        elif event.name == "reset":
            self._reset(tick)
        elif event.name == "task":
            self._run.task = event.payload
            self._tell("task", f"task: {event.payload}")

    def _start(self, task: str) -> None:
        if task and self.state != "running":
            self._run.task = task
            self._run.set_task(task)
        if self.state == "resetting":
            self._start_after = True
        elif self.state == "waiting":
            self._begin()

    def _stop(self) -> None:
        self._start_after = False
        if self.state == "running":
            self._end("operator")
        elif self.state == "resetting":
            self.state = "waiting"
            self._tell("reset", "stopped on the way home")
        else:
            self._run.notify("nothing is running; /quit ends the session")

    def _reset(self, tick: Tick) -> None:
        self._end("reset")
        self.state, self._start_after = "resetting", False
        here = tick.sent or {key: float(tick.observation.get(key, value)) for key, value in self._home.items()}
        seconds = travel_time(here, self._home, self._run.action_features)
        self._seconds = max(seconds, SHORTEST_RESET_S)
        self._home_at = tick.t + self._seconds
        self._tell("resetting", f"going home, {self._seconds:.1f} s")

    # --- segments ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        strategy, self._next = self._next or self._again(), None
        self._segments += 1
        engine = self._run.inference
        if engine is not None:
            engine.reset()
            engine.resume()
        self._asked, self._began = "", None
        self._strategy, self.state = strategy, "running"
        strategy.setup(self._run)
        self._tell("started", f"segment {self._segments}: {self._run.task or 'no task'}")

    def _end(self, reason: str) -> None:
        """The segment is over: its tail is saved, the arm holds, nothing cools down."""
        strategy, self._strategy = self._strategy, None
        if strategy is None:
            return
        self.state = "waiting"
        if self._run.inference is not None:
            self._run.inference.pause()
        strategy.teardown(None)
        self._tell("ended", f"segment {self._segments} ended: {reason}")

    def _running(self, tick: Tick) -> commands.Command:
        assert self._strategy is not None
        over = self._began is not None and tick.t - self._began > self._duration - 0.5 / self._run.fps
        if self._asked or (self._duration and over):
            self._end(self._asked or "duration")
            return commands.Hold()
        rest = tuple(event for event in tick.events if event.name not in _OURS or self._began is not None)
        command = self._strategy.command(dataclasses.replace(tick, events=rest))
        if isinstance(command, commands.Stop):
            self._end(command.reason)
            return commands.Hold()
        return command

    def _homeward(self, tick: Tick) -> commands.Command:
        if tick.t < self._home_at:
            return commands.Goto(self._home, self._seconds)
        self.state = "waiting"
        if self._run.scene is not None:
            self._run.scene.reset()
        if self._run.inference is not None:
            self._run.inference.reset()
        self._tell("reset", "at home")
        if self._start_after:
            self._start_after = False
            self._begin()
        return commands.Hold()

    # --- the rest of a strategy -------------------------------------------------------------------------------------

    def record(self, step: Step) -> None:
        """The strategy's rows while it runs, from the segment's first action on; what was held before it is nobody's."""
        if self._strategy is None or (self._began is None and step.source == "hold"):
            return
        self._began = step.t if self._began is None else self._began
        self._strategy.record(step)

    def teardown(self, error: BaseException | None) -> None:
        """The segment in progress saves its tail."""
        strategy, self._strategy = self._strategy, None
        if strategy is not None:
            self.state = "waiting"
            strategy.teardown(error)
            self._tell("ended", f"segment {self._segments} ended: {error or 'the session is over'}")

    def _tell(self, name: str, text: str) -> None:
        self._run.notify(text)
        for operator in self._operators:
            if isinstance(operator, Told):
                operator.tell(name, text)
