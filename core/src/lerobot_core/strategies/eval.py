"""`eval`: the policy tries again and again, each attempt judged by the simulated scene or by the person at the arm."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .. import commands
from ..contracts.strategy import Need, Run
from ..run.motion import travel_time
from ..types import Action, Event, Step, Tick
from .config import EvalStrategyConfig
from .episodes import EpisodeMachine

ARRIVE_S = 1.0
"""What the way home takes beyond its straight line: the safety filter ramps up from 10 % after each change of source."""
SETTLE_S = 0.5
"""Between a simulated reset and the policy's first look: every camera has drawn the new scene by then."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt; seconds from its first tick."""

    success: bool
    seconds: float


class EvalStrategy:
    """Attempts begin at the pose of the first one, with an engine that has forgotten the last.

    An attempt succeeds when the scene says so, or the operator (`success`); it fails after its time, or when the operator
    says so (`failure`, `next`). There is no second try of the same attempt. `run.notes["attempts"]` lists them.
    With a dataset the rows of every attempt are kept, those between attempts are not.

    Args:
        config: how many, and how long.
    """

    requires: frozenset[Need] = frozenset({"inference"})

    def __init__(self, config: EvalStrategyConfig) -> None:
        self._config = config
        self._machine = EpisodeMachine(config.episodes, config.episode_time_s, config.reset_time_s)
        self._attempts: list[dict[str, object]] = []
        self._home: Action = {}
        self._began = self._arrives = self._travels = 0.0
        self._rows, self._scene_is_new = 0, True

    def setup(self, run: Run) -> None:
        """Nothing has begun; the first attempt's scene is the one the world opened with."""
        self._run = run
        run.notes["attempts"] = self._attempts
        run.notify(f"attempt 1 of {self._config.episodes}")

    def command(self, tick: Tick) -> commands.Command:
        """The policy during an attempt, the way home after it."""
        if tick.index == 0 or not self._home:
            self._remember_home(tick)
        before = self._machine.phase
        names = [event.name for event in tick.events]
        succeeded = before == "recording" and ("success" in names or self._scene_says())
        if self._machine.advance(tick.t, self._events(tick.t, names), succeeded) is not None:
            self._end(tick, succeeded)
        elif before == "resetting" and self._machine.phase == "recording":
            self._begin(tick.t)
        return self._answer(tick.t)

    def record(self, step: Step) -> None:
        """A row while an attempt goes on."""
        if self._run.storage is not None and self._machine.phase == "recording":
            self._run.storage.add_frame(step)
            self._rows += 1

    def teardown(self, error: BaseException | None) -> None:
        """An attempt that was cut off is no attempt, but its rows are kept."""
        if self._rows and self._run.storage is not None:
            self._rows = 0
            self._run.storage.save_episode("none")

    # --- one tick ---------------------------------------------------------------------------------------------------

    def _remember_home(self, tick: Tick) -> None:
        self._began = tick.t
        present = tick.observation
        if self._run.action_features.keys() <= present.keys():
            self._home = {key: float(present[key]) for key in self._run.action_features}

    def _scene_says(self) -> bool:
        return self._run.scene is not None and bool(self._run.scene.success())

    def _events(self, t: float, names: list[str]) -> tuple[Event, ...]:
        """What ends an attempt or a reset; nothing ends a reset before the arm is home."""
        if self._machine.phase == "resetting":
            over = self._run.scene is None and t >= self._arrives and not {"next", "start"}.isdisjoint(names)
        else:
            over = not {"failure", "next"}.isdisjoint(names)
        return (Event("next", t),) if over else ()

    def _answer(self, t: float) -> commands.Command:
        if self._machine.phase == "recording":
            return commands.Policy()
        if self._machine.phase == "done":
            return commands.Stop("done")
        if t < self._arrives:
            return commands.Goto(self._home, self._travels)
        if not self._scene_is_new and self._run.scene is not None:
            self._scene_is_new = True
            self._run.scene.reset()
        return commands.Hold()

    # --- attempts ---------------------------------------------------------------------------------------------------

    def _begin(self, t: float) -> None:
        self._began = t
        engine = self._run.inference
        if engine is not None:
            engine.reset()
            engine.resume()

    def _end(self, tick: Tick, succeeded: bool) -> None:
        self._attempts.append(asdict(Attempt(succeeded, round(tick.t - self._began, 3))))
        self._machine.take_outcome()
        if self._run.storage is not None and self._rows:
            self._run.storage.save_episode("success" if succeeded else "failure")
        self._run.episode += 1
        self._rows, self._scene_is_new = 0, False
        if self._run.inference is not None:
            self._run.inference.pause()
        self._go_home(tick)
        self._say(succeeded)

    def _go_home(self, tick: Tick) -> None:
        start = tick.sent or {}
        self._travels = travel_time(start, self._home, self._run.action_features) if start and self._home else 0.0
        self._arrives = tick.t + (self._travels + ARRIVE_S if self._travels else 0.0)
        way = self._arrives - tick.t
        self._machine.reset_s = way + SETTLE_S if self._run.scene is not None else max(way, self._config.reset_time_s)

    def _say(self, succeeded: bool) -> None:
        tried, won = len(self._attempts), sum(bool(each["success"]) for each in self._attempts)
        word = "success" if succeeded else "failure"
        text = f"attempt {tried} of {self._config.episodes}: {word} ({won} of {tried})"
        person = self._run.scene is None and self._machine.phase != "done"
        self._run.notify(text + ("; reset the scene" if person else ""))
