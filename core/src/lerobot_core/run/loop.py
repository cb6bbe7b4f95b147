"""The control loop: one thread, absolute deadlines, the order of a tick as docs/contracts.md pins it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .. import commands
from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.inference import InferenceEngine
from ..contracts.operator import Operator
from ..contracts.processor import Processor
from ..contracts.robot import Robot
from ..contracts.strategy import Strategy
from ..contracts.teleoperator import Teleoperator
from ..errors import BusError, DeviceError, InferenceError
from ..interpolation import Interpolator
from ..safety import SafetyFilter
from ..types import Action, Event, Observation, Source, Step, Tick, Timed
from .cameras import Cameras
from .counts import Counts
from .motion import Glide
from .observers import ObserverThread
from .patience import Patience, first_look
from .signals import Signals, StopNow

log = logging.getLogger("lerobot.run")

ENGINE_HOLD_S = 0.5
"""After the policy failed the arm holds this long before it parks."""


@dataclass(frozen=True)
class Ending:
    """Why the loop is over."""

    outcome: Literal["done", "stopped", "failed"]
    reason: str
    error: BaseException | None = None


@dataclass
class Rig:
    """Everything a tick touches, built and connected."""

    clock: Clock
    robot: Robot
    strategy: Strategy
    cameras: Cameras
    safety: SafetyFilter | None
    queue: ActionQueue
    signals: Signals
    inference: InferenceEngine | None = None
    teleoperator: Teleoperator | None = None
    operators: Sequence[Operator] = ()
    observation_steps: Sequence[Processor] = ()
    action_steps: Sequence[Processor] = ()
    observers: ObserverThread | None = None
    stop_ends: bool = True
    """The event `stop` ends the run; else only `quit` does, and the strategy is handed `stop`."""


@dataclass
class Task:
    """The instruction in force, and how the loop is to end; changed by strategy and operator while it runs."""

    text: str = ""
    stop_reason: str = ""


class Loop:
    """Runs ticks until something ends them.

    Args:
        rig: the parts.
        fps: policy periods a second.
        multiplier: robot commands a policy period (`--interpolation`).
        duration: seconds from the first action sent, 0 for no limit.
        task: shared with the strategy's `Run`.
    """

    def __init__(self, rig: Rig, fps: float, multiplier: int, duration: float, task: Task) -> None:
        self.rig, self.task, self.counts = rig, task, Counts()
        self.period, self.duration, self.multiplier = 1.0 / fps, duration, multiplier
        self.first_sent: float | None = None
        self.observation: Observation | None = None
        self.sent: Action | None = None
        self.index = 0
        self.last_step: Step | None = None
        self._interpolator = Interpolator(multiplier)
        self._glide: Glide | None = None
        self._target: Action | None = None
        self._failing: tuple[float, BaseException] | None = None
        self._robot_patience, self._leader_patience = Patience(), Patience()
        self._human: Action | None = None

    def run(self) -> Ending:
        """Tick until the end; device and storage errors come out as a failed ending, torque still on."""
        clock = self.rig.clock
        self.rig.signals.poll()
        deadline = clock.now()
        while True:
            clock.sleep_until(deadline)
            try:
                deadline = self._skip_missed(deadline)
                ending = self._tick(deadline)
            except Exception as error:
                return Ending("failed", str(error).partition("\n")[0] or type(error).__name__, error)
            if ending is not None:
                return ending
            self.index += 1
            deadline += self.period

    # --- pacing -----------------------------------------------------------------------------------------------------

    def _skip_missed(self, deadline: float) -> float:
        """Count and record the periods that are already over; the deadline of the one to run now."""
        late = self.rig.clock.now() - deadline
        missed = int(late / self.period) if late > self.period else 0
        if missed:
            self.counts.overruns += 1
            for n in range(missed):
                self._record_missed(deadline + n * self.period)
                self.index += 1
            late -= missed * self.period
        self.counts.tick(late)
        return deadline + missed * self.period

    def _record_missed(self, t: float) -> None:
        if self.sent is None or self.observation is None:
            return
        obs = self.observation.copy()
        obs.flags.add("late")
        self._finish(Step(self.index, t, obs, self.sent, self.sent, "hold", None, self.task.text, (), late=True))

    # --- one period -------------------------------------------------------------------------------------------------

    def _tick(self, t: float) -> Ending | None:
        rig = self.rig
        events = self._poll()
        obs = self._observe()
        ending = self._check_ending(t, events)
        if ending is not None:
            return ending
        engine = rig.inference
        if engine is not None:
            mark = rig.queue.mark()
            engine.notify(obs, self.task.text, mark)
        human = self._ask_human(rig.teleoperator) if rig.teleoperator is not None else None
        state = engine.state if engine is not None else "idle"
        command = rig.strategy.command(Tick(self.index, t, obs, events, human, self.sent, rig.queue.depth(), state))
        if isinstance(command, commands.Stop):
            return Ending("done" if command.reason == "done" else "stopped", command.reason)
        if self._failing is not None:
            command = commands.Hold()
        requested, source, timed = self._decide(command, t, human)
        if requested is None:
            return None
        self._finish(self._execute(t, obs, requested, source, timed))
        return None

    def _poll(self) -> tuple[Event, ...]:
        events: list[Event] = []
        for operator in self.rig.operators:
            events += operator.poll()
        for event in events:
            if event.name == "stop_now":
                raise StopNow("operator")
            if event.name == "quit" or (event.name == "stop" and self.rig.stop_ends):
                self.task.stop_reason = self.task.stop_reason or "operator"
            if event.name == "task":
                self.set_task(event.payload)
        return tuple(events)

    def set_task(self, text: str) -> None:
        """A new instruction; what the engine computed for the old one is dropped."""
        if text != self.task.text:
            self.task.text = text
            if self.rig.inference is not None:
                self.rig.inference.reset()

    def _observe(self) -> Observation:
        rig = self.rig
        try:
            # Before the first one nothing moves, so there is time to ask again.
            obs = rig.robot.get_observation() if self.observation is not None else first_look(rig.robot, rig.clock)
        except BusError as error:
            return self._observe_nothing(error)
        self._robot_patience.heard()
        rig.cameras.read_into(obs)
        for step in rig.observation_steps:
            obs = Observation(step(obs, obs), obs.time, obs.captured, obs.flags)
        self.observation = obs
        return obs

    def _observe_nothing(self, error: BusError) -> Observation:
        """The previous observation, flagged, while the silence is short enough to be a few lost packets."""
        self.counts.lost[error.motor or "bus"] += 1
        if self.observation is None or not self._robot_patience.lasts(self.rig.clock.now()):
            raise error
        obs = self.observation.copy()
        obs.flags.add(f"lost:{error.motor or 'bus'}")
        return obs

    def _ask_human(self, teleoperator: Teleoperator) -> Action | None:
        """Where the person wants the robot; the last answer again while the leader is silent for a few packets.

        Raises:
            DeviceError: the leader is dead. No BusError: the robot's own bus is well, so the arm can still park.
        """
        try:
            self._human = teleoperator.get_action()
        except BusError as error:
            if not self._leader_patience.lasts(self.rig.clock.now()):
                raise DeviceError(f"teleoperator: {error.what}", error.why, error.fix) from error
        else:
            self._leader_patience.heard()
        return self._human

    def _check_ending(self, t: float, events: tuple[Event, ...]) -> Ending | None:
        rig = self.rig
        if rig.signals.received:
            return Ending("stopped", rig.signals.received)
        if self.task.stop_reason:
            return Ending("stopped", self.task.stop_reason)
        if self.duration and self.first_sent is not None and t - self.first_sent > self.duration - self.period / 2:
            return Ending("done", "duration")
        engine = rig.inference
        if engine is not None and engine.state == "dead" and self._failing is None:
            self._failing = (t, engine.error or InferenceError("the inference engine died"))
        if self._failing is not None and t - self._failing[0] >= ENGINE_HOLD_S:
            error = self._failing[1]
            return Ending("failed", str(error).partition("\n")[0], error)
        return None

    # --- what to send -----------------------------------------------------------------------------------------------

    def _decide(
        self, command: commands.Command, t: float, human: Action | None
    ) -> tuple[Action | None, Source, Timed | None]:
        """The requested action, None while nothing was ever sent and nothing is wanted."""
        glide, self._glide = self._glide, None
        if isinstance(command, commands.Policy):
            timed = self._next(t)
            if timed is not None:
                return _shaped(timed.action, command.through, t), "policy", timed
        elif isinstance(command, commands.Teleop) and human is not None:
            return _shaped(human, command.through, t), "human", None
        elif isinstance(command, commands.Goto):
            if glide is None or glide.target != command.target:
                glide = Glide(self._present(command.target), command.target, command.seconds, t)
            self._glide = glide
            return glide.at(t + self.period), "goto", None
        return self.sent, "hold", None

    def _next(self, t: float) -> Timed | None:
        engine = self.rig.inference
        if engine is None:
            return self.rig.queue.next(t)
        return engine.next_action(t)

    def _present(self, like: Action) -> Action:
        """Where a glide begins: the last sent action, else what was observed, else the target itself."""
        if self.sent is not None:
            return self.sent
        seen: dict[str, Any] = self.observation or {}
        return {key: float(seen.get(key, value)) for key, value in like.items()}

    def _execute(self, t: float, obs: Observation, requested: Action, source: Source, timed: Timed | None) -> Step:
        rig = self.rig
        target = requested
        for step in rig.action_steps:
            target = step(target, obs)
        filtered: tuple[str, ...] = ()
        sub = self.period / self.multiplier
        for i, action in enumerate(self._interpolator.between(target)):
            if i:
                rig.clock.sleep_until(t + i * sub)
            if rig.safety is not None:
                action, interventions = self._filter(rig.safety, action, obs, source, t + i * sub, sub)
                filtered += interventions
            self.sent = rig.robot.send_action(action)
            if rig.safety is not None:
                rig.safety.sent(self.sent)
        if self.first_sent is None:
            self._first_action(rig.clock.now())
        if filtered:
            self.counts.filtered(filtered)
        assert self.sent is not None
        return Step(
            self.index, t, obs, requested, self.sent, source, timed, timed.task if timed else self.task.text, filtered
        )

    def _filter(
        self, safety: SafetyFilter, action: Action, obs: Observation, source: Source, t: float, dt: float
    ) -> tuple[Action, tuple[str, ...]]:
        safety.note_source(source, t)
        return safety.apply(action, obs, dt)

    def _first_action(self, t: float) -> None:
        self.first_sent = t
        log.debug("first action")
        for operator in self.rig.operators:
            operator.first_action(t)

    def _finish(self, step: Step) -> None:
        self.counts.rows[step.source] += 1
        self.last_step = step
        self.rig.strategy.record(step)
        if self.rig.observers is not None:
            self.rig.observers.offer(step)


def _shaped(action: Action, through: commands.Shape | None, t: float) -> Action:
    return action if through is None else through(action, t)
