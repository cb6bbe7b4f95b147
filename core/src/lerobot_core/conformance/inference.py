"""The inference engine's laws."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from ..action_queue import ActionQueue
from ..clock import Clock
from ..errors import InferenceError
from ..fakes.config import FakePolicyConfig
from ..fakes.policy import FakePolicy
from ..specs import InferenceSpec
from ..types import ActionChunk, Guide, Observation, Timed
from .base import PluginConformance, accepted, not_exercised
from .samples import observation

FPS = 50.0
PATIENCE_S = 10.0


class WatchedPolicy(FakePolicy):
    """Knows from where it is called.

    Attributes:
        notifying: the thread that is inside `notify` now, None otherwise.
        threads: who called `predict_chunk`.
        intruders: who called it from inside `notify`.
    """

    def __init__(self, config: FakePolicyConfig, clock: Clock) -> None:
        super().__init__(config, clock)
        self.notifying: threading.Thread | None = None
        self.threads: set[threading.Thread] = set()
        self.intruders: set[threading.Thread] = set()

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """Note the thread, then plan."""
        me = threading.current_thread()
        self.threads.add(me)
        if me is self.notifying:
            self.intruders.add(me)
        return super().predict_chunk(obs, task, guide)


class InferenceEngineConformance(PluginConformance):
    """Ready after start, never blocks in notify, actions by name, and every failure is told.

    An engine that runs the policy elsewhere overrides `started` to bring its server.
    """

    kind = "inference"

    def policy(self, **options: Any) -> WatchedPolicy:
        """The policy it drives."""
        return WatchedPolicy(
            FakePolicyConfig(**{"chunk_size": 20, "n_action_steps": 10, "fps": FPS, **options}), self.clock
        )

    def queue(self) -> ActionQueue:
        """An empty queue at 50 Hz."""
        return ActionQueue(1.0 / FPS)

    def close(self, subject: Any) -> None:
        """`stop`."""
        subject.stop()

    def started(self, queue: ActionQueue, policy: WatchedPolicy) -> Any:
        """A built engine on which `start` was called; stopped after the test."""
        engine = self.make()
        engine.start(policy if self._needs_policy else None, queue, self.clock)
        return engine

    def sees(self, policy: WatchedPolicy) -> Observation:
        """An observation of now."""
        return observation(policy.needs, self.clock.now())

    def first_action(self, engine: Any, queue: ActionQueue, policy: WatchedPolicy) -> Timed | None:
        """Notify and ask at 50 Hz until there is an action; None when there is none in 10 s, or the engine is dead."""
        until = self.clock.now() + PATIENCE_S
        while self.clock.now() < until and engine.state != "dead":
            self.notify(engine, queue, policy)
            timed: Timed | None = engine.next_action(self.clock.now())
            if timed is not None:
                return timed
            self.clock.sleep_until(self.clock.now() + 1.0 / FPS)
        return None

    def notify(self, engine: Any, queue: ActionQueue, policy: WatchedPolicy) -> None:
        """One `notify`, watched."""
        policy.notifying = threading.current_thread()
        try:
            engine.notify(self.sees(policy), "a task", queue.mark())
        finally:
            policy.notifying = None

    @property
    def _needs_policy(self) -> bool:
        spec = self.spec()
        return not isinstance(spec, InferenceSpec) or spec.needs_policy

    def test_it_is_ready_after_start_and_knows_its_names(self) -> None:
        """The second check compares them with the robot's."""
        queue, policy = self.queue(), self.policy()
        engine = self.started(queue, policy)
        assert engine.state == "ready", f"an engine must be ready after start(), not {engine.state}"
        assert engine.error is None, f"an engine that is ready must have no error: {engine.error}"
        assert engine.gives, "an engine must know its action names after start()"
        if self._needs_policy:
            assert set(engine.gives) == set(policy.gives), "an engine must give what its policy gives"

    def test_it_turns_observations_into_named_actions(self) -> None:
        """Exactly the names it gives."""
        queue, policy = self.queue(), self.policy()
        engine = self.started(queue, policy)
        timed = self.first_action(engine, queue, policy)
        assert timed is not None, (
            f"an engine must give an action for an observation: state {engine.state}, {engine.error}"
        )
        assert set(timed.action) == set(engine.gives), (
            f"an action must hold exactly the names given: {sorted(timed.action)}"
        )

    def test_notify_never_runs_the_policy(self) -> None:
        """The loop calls it once a period; a policy takes longer than that."""
        queue, policy = self.queue(), self.policy(latency_s=0.05)
        engine = self.started(queue, policy)
        for _ in range(5):
            self.notify(engine, queue, policy)
        assert not policy.intruders, "notify must never block: it ran the policy in the caller's thread"

    def test_the_policy_is_called_from_one_thread(self) -> None:
        """That is the policy's contract."""
        queue, policy = self.queue(), self.policy()
        if not self._needs_policy:
            not_exercised("the engine runs the policy elsewhere")
        engine = self.started(queue, policy)
        for _ in range(30):
            self.first_action(engine, queue, policy)
        assert len(policy.threads) == 1, (
            f"a policy must be called from one thread only: {len(policy.threads)} called it"
        )

    def test_nothing_comes_while_it_is_paused(self) -> None:
        """Pause clears the queue; resume asks again."""
        queue, policy = self.queue(), self.policy()
        engine = self.started(queue, policy)
        self.first_action(engine, queue, policy)
        engine.pause()
        self.notify(engine, queue, policy)
        assert engine.next_action(self.clock.now()) is None, "an engine must give no action while it is paused"
        assert queue.depth() == 0, "an engine must clear the queue when it is paused"
        engine.resume()
        assert self.first_action(engine, queue, policy) is not None, "an engine must give actions again after resume()"

    def test_reset_forgets_the_episode(self) -> None:
        """Nothing planned before is executed after."""
        queue, policy = self.queue(), self.policy()
        engine = self.started(queue, policy)
        self.first_action(engine, queue, policy)
        engine.reset()
        assert queue.depth() == 0, "an engine must clear the queue when it is reset"
        assert self.first_action(engine, queue, policy) is not None, "an engine must go on after reset()"

    def test_a_policy_that_raises_is_told(self) -> None:
        """By the state and the error, or by raising InferenceError."""
        queue, policy = self.queue(), self.policy(fault="raise")
        if not self._needs_policy:
            not_exercised("the engine runs the policy elsewhere")
        engine = self.started(queue, policy)
        try:
            timed = self.first_action(engine, queue, policy)
        except InferenceError:
            return
        except RuntimeError as error:
            pytest.fail(f"an engine must turn what its policy raises into its own error: {error!r} went through")
        assert timed is None, "an engine must give no action out of a policy that raised"
        assert engine.state in ("degraded", "dead"), f"an engine whose policy raised must say so: it is {engine.state}"
        assert engine.error is not None, "an engine whose policy raised must keep the error"

    def test_its_statistics_are_complete(self) -> None:
        """They are the summary's `engine` block."""
        engine = self.started(self.queue(), self.policy())
        missing = {"calls", "errors", "latency_ms", "delay_steps", "dropped_chunks"} - engine.stats().keys()
        assert not missing, f"an engine's stats must hold {', '.join(sorted(missing))}"

    def test_stop_is_idempotent(self) -> None:
        """Exit paths overlap."""
        engine = self.started(self.queue(), self.policy())
        engine.stop()
        accepted(engine.stop, "an engine must allow stop() twice")
        accepted(self.make().stop, "an engine must allow stop() before start()")
