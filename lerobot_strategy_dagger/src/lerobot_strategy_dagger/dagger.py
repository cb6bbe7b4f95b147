"""The strategy: the policy drives until a person takes over; every row says who acted.

Ross, Gordon and Bagnell, "A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning" (2011):
what a person does in the states that the policy gets itself into is worth more than more of the same demonstrations.
"""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.contracts.strategy import Need, Run
from lerobot_core.errors import UsageError
from lerobot_core.strategies.episodes import LABELS, SceneWatch
from lerobot_core.strategies.handover import Handover, Leader, place
from lerobot_core.strategies.publishing import Publisher
from lerobot_core.strategies.rotation import episode_seconds
from lerobot_core.types import Event, Step, Tick

from .config import DaggerConfig
from .hands import Hands
from .recorder import Recorder
from .states import Driver, State


class DaggerStrategy:
    """Human-gated imitation: who drives is a `Driver`, what the leader means is `Hands`, what is kept is a `Recorder`.

    Args:
        config: what is recorded, and how the arm changes hands.
    """

    requires: frozenset[Need] = frozenset({"inference", "operator", "storage", "teleoperator"})

    def __init__(self, config: DaggerConfig) -> None:
        self._config = config
        self._driver = Driver()
        self._whole = config.record_autonomous

    def setup(self, run: Run) -> None:
        """Work out how many episodes are wanted and when a long one is cut.

        Raises:
            UsageError: there is no dataset, policy or teleoperator.
        """
        if run.storage is None or run.inference is None or run.teleoperator is None:
            raise UsageError(
                "dagger needs a policy, a teleoperator and a dataset", fix="--teleop … --dataset.root FOLDER"
            )
        config, period = self._config, 1.0 / run.fps
        self._run, self._engine, self._storage = run, run.inference, run.storage
        self._scene = SceneWatch(run.scene)
        self._to_policy = Handover(run.action_features, period)
        self._hands = Hands(run.action_features, period, config.smooth_handover, config.clutch)
        mirror = config.smooth_handover and not config.clutch
        self._leader = Leader(run.teleoperator, run.action_features, period, mirror)
        self._publisher = Publisher(run, config.upload_every_n_episodes)
        count = config.num_episodes or run.episodes.count
        self._recorder = Recorder(run, run.storage, count, self._publisher, "attempt" if self._whole else "correction")
        codec = str(run.storage.stats().get("codec") or "h264")
        seconds = episode_seconds(run.robot_features, run.fps, config.target_video_file_size_mb, codec)
        self._limit = max(1, int(seconds * run.fps))
        run.notify(f"{self._recorder.number}: the policy drives")

    # --- what this period does --------------------------------------------------------------------------------------

    def command(self, tick: Tick) -> commands.Command:
        """Events first, so that the person's first action is sent in the very tick that hears the key."""
        for event in tick.events:
            self._handle(event, tick)
        if self._scene.settled(tick.t) and self._driver.state is State.AUTONOMOUS:
            self._recorder.judge("success")
            self._end_attempt(tick)
        return commands.Stop("done") if self._recorder.done else self._drive(tick)

    def _drive(self, tick: Tick) -> commands.Command:
        if self._driver.state is State.CORRECTING:
            return commands.Teleop(self._hands.shape)
        self._leader.follow(tick)
        return commands.Policy(self._to_policy) if self._driver.state is State.AUTONOMOUS else commands.Hold()

    # --- what a key does --------------------------------------------------------------------------------------------

    def _handle(self, event: Event, tick: Tick) -> None:
        recorder, correcting = self._recorder, self._driver.state is State.CORRECTING
        if event.name in LABELS:
            recorder.label(LABELS[event.name])
        elif event.name == "clutch" and correcting:
            self._hands.clutch(place(tick, self._run.action_features))
        elif event.name == "save":
            recorder.save()
        elif event.name == "push":
            self._publisher.push()
        elif event.name == "next":
            self._end_attempt(tick)
        elif event.name in ("discard", "rerecord"):
            self._discard(event.name, tick)
        else:
            self._enter(self._driver.after(event.name), tick)

    def _discard(self, key: str, tick: Tick) -> None:
        """An attempt begins again after a reset; a correction at once (`rerecord`), or not at all (`discard`)."""
        self._recorder.discard()
        if self._whole:
            self._reset_scene(tick)
        elif key == "discard":
            self._enter(self._driver.after(key), tick)

    # --- changing hands ---------------------------------------------------------------------------------------------

    def _enter(self, state: State | None, tick: Tick) -> None:
        """Let `state` begin in this tick; None changes nothing."""
        if state is None:
            return
        left = self._driver.enter(state)
        if left is State.CORRECTING and not self._whole and self._recorder.rows:
            self._recorder.save()
        arm = place(tick, self._run.action_features)
        if state is State.CORRECTING:
            self._engine.pause()
            self._leader.let_go()
            self._hands.take(arm)
            self._run.notify(f"{self._recorder.number}: you drive")
        elif state is State.PAUSED:
            self._engine.pause()
            self._run.notify("paused")
        else:
            self._let_policy(arm)

    def _let_policy(self, arm: dict[str, float]) -> None:
        """What the policy remembers is of before the pause, so it begins afresh, from where the arm is now."""
        self._engine.reset()
        self._engine.resume()
        if self._config.smooth_handover:
            self._to_policy.begin(arm)
        self._run.notify("the policy drives")

    # --- attempts ---------------------------------------------------------------------------------------------------

    def _end_attempt(self, tick: Tick) -> None:
        """Save it; the next one begins with a simulated scene at once, with a real one when a person says so."""
        if self._recorder.rows:
            self._recorder.save()
        self._reset_scene(tick)

    def _reset_scene(self, tick: Tick) -> None:
        self._scene.reset()
        simulated = self._run.scene is not None
        self._enter(State.AUTONOMOUS if simulated else State.PAUSED, tick)
        if not simulated:
            self._run.notify("reset the scene, then go on")

    # --- rows -------------------------------------------------------------------------------------------------------

    def record(self, step: Step) -> None:
        """Every row of a correction; with `record_autonomous` every row of an attempt. A correction is never cut."""
        correcting = self._driver.state is State.CORRECTING
        if correcting or self._whole:
            self._recorder.add(step)
        full = self._recorder.rows >= self._limit or (self._recorder.rows > 0 and self._storage.rotate_due())
        if full and not correcting:
            self._recorder.cut()

    def teardown(self, error: BaseException | None) -> None:
        """The leader goes limp, the episode in progress is saved, a push under way is waited for."""
        try:
            self._leader.let_go()
        finally:
            if self._recorder.rows:
                self._recorder.save()
            self._publisher.finish()
