"""The strategy: the policy drives an episode, then the scene is reset, by hand, by leader or by itself, then the next."""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.contracts.strategy import Need, Run
from lerobot_core.errors import UsageError
from lerobot_core.strategies.episodes import EpisodeMachine, SceneWatch
from lerobot_core.strategies.handover import Handover, Leader, place
from lerobot_core.strategies.publishing import Publisher
from lerobot_core.types import Event, Step, Tick

from .config import EpisodicConfig
from .way_home import WayHome


class EpisodicStrategy:
    """`record`, with a policy instead of a person; the same machine counts the episodes.

    An episode begins with the policy's first action, with a policy that has forgotten the last one. During a reset the
    teleoperator drives if there is one; else the arm goes back to where it was at the beginning.

    Args:
        config: what happens between two episodes.
    """

    requires: frozenset[Need] = frozenset({"inference", "storage"})

    def __init__(self, config: EpisodicConfig) -> None:
        self._config = config
        self._machine = EpisodeMachine(1, 0.0, 0.0)
        self._rows = 0
        self._paused = self._eager = False

    def setup(self, run: Run) -> None:
        """Read how many episodes of what length are wanted.

        Raises:
            UsageError: there is no dataset or no policy.
        """
        if run.storage is None or run.inference is None:
            raise UsageError("episodic needs a policy and a dataset", fix="--policy … --dataset.root FOLDER")
        self._run, self._storage, self._engine = run, run.storage, run.inference
        self._wanted, period = run.episodes, 1.0 / run.fps
        self._machine = EpisodeMachine(self._wanted.count, self._wanted.episode_s, self._wanted.reset_s)
        self._scene, self._home = SceneWatch(run.scene), WayHome(run.action_features)
        self._to_person = Handover(run.action_features, period)
        mirror = self._config.smooth_leader_to_follower_handover
        self._leader = Leader(run.teleoperator, run.action_features, period, mirror)
        self._publisher = Publisher(run)
        run.notify(f"episode 1 of {self._wanted.count}: recording")

    # --- what this period does --------------------------------------------------------------------------------------

    def command(self, tick: Tick) -> commands.Command:
        """The policy, or the reset; stop after the last episode."""
        self._home.remember(tick)
        before = self._machine.phase
        events = tuple(event for event in tick.events if not self._handle(event))
        if before == "resetting":
            events = self._not_before_it_is_home(events, tick.t)
        ending = self._machine.advance(tick.t, events, self._scene.settled(tick.t), recorded=self._rows > 0)
        if ending is not None:
            self._end(ending == "save", tick)
        elif before == "resetting" and self._machine.phase == "recording":
            self._begin()
        return self._answer(tick)

    def _answer(self, tick: Tick) -> commands.Command:
        if self._machine.phase == "done":
            return commands.Stop("done")
        if self._machine.phase == "resetting":
            return self._reset()
        self._leader.follow(tick)
        return commands.Hold() if self._paused else commands.Policy()

    def _reset(self) -> commands.Command:
        if self._run.teleoperator is None:
            return self._home.command()
        return commands.Teleop(self._to_person if self._config.smooth_handover else None)

    # --- what a key does --------------------------------------------------------------------------------------------

    def _handle(self, event: Event) -> bool:
        """True when the machine need not hear of it."""
        if event.name == "push":
            self._publisher.push()
        elif event.name == "pause" and self._machine.phase == "recording":
            self._paused = not self._paused
            (self._engine.pause if self._paused else self._engine.resume)()
        elif event.name in ("next", "rerecord", "discard") and self._machine.phase == "recording" and not self._rows:
            self._run.notify("nothing was recorded yet, so there is nothing to save or discard")
        else:
            return False
        return True

    def _not_before_it_is_home(self, events: tuple[Event, ...], t: float) -> tuple[Event, ...]:
        """A key that ends the reset takes effect when the arm is home."""
        self._eager |= any(event.name in ("next", "start") for event in events)
        return (Event("next", t),) if self._eager and self._home.there(t) else ()

    # --- episodes ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._engine.reset()
        self._engine.resume()
        self._run.notify(f"episode {self._machine.saved + 1} of {self._wanted.count}: recording")

    def _end(self, save: bool, tick: Tick) -> None:
        if save:
            self._save()
        else:
            self._machine.take_outcome()
            self._storage.discard_episode()
            self._run.notify("episode discarded; reset the scene")
        self._rows = 0
        self._paused = self._eager = False
        if self._machine.phase != "done":
            self._begin_reset(tick)

    def _begin_reset(self, tick: Tick) -> None:
        self._engine.pause()
        self._scene.reset()
        way = 0.0
        if self._run.teleoperator is not None:
            self._leader.let_go()
            self._to_person.begin(place(tick, self._run.action_features))
        elif self._config.reset_to_initial_position:
            way = self._home.leave(tick)
        self._machine.reset_s = max(way, self._wanted.reset_s)

    def _save(self) -> None:
        ticket = self._storage.save_episode(self._machine.take_outcome())
        self._publisher.saved(ticket)
        self._run.episode += 1
        self._run.notify(self._machine.saved_line())

    # --- rows -------------------------------------------------------------------------------------------------------

    def record(self, step: Step) -> None:
        """A row from the policy's first action on; nothing while resetting."""
        if self._machine.phase == "recording" and (self._rows or step.source == "policy"):
            self._storage.add_frame(step)
            self._rows += 1

    def teardown(self, error: BaseException | None) -> None:
        """The leader goes limp, the episode in progress is saved, a push under way is waited for."""
        try:
            self._leader.let_go()
        finally:
            if self._rows:
                self._rows = 0
                self._save()
            self._publisher.finish()
