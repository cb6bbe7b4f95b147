"""The policy's laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contracts.policy import RobotAware
from ..types import ActionChunk, Features, Guide, Observation
from .base import PluginConformance, accepted, not_exercised, refused
from .samples import observation, unlawful


class PolicyConformance(PluginConformance):
    """Names in, named chunks out, in robot units; numpy at the edge."""

    kind = "policy"

    def close(self, subject: Any) -> None:
        """`close`."""
        subject.close()

    def make(self, **more: Any) -> Any:
        """Build it, and let it meet a robot when it asks to."""
        policy = super().make(**more)
        if isinstance(policy, RobotAware):
            policy.bind(*self.robot(policy))
        return policy

    def robot(self, policy: Any) -> tuple[Features, Features]:
        """What the robot observes and takes; override when the policy cannot say it itself."""
        return dict(policy.needs), dict(policy.gives)

    def sees(self, policy: Any, time: float = 1.5, seed: int = 0) -> Observation:
        """An observation of what it needs."""
        return observation(policy.needs, time, seed)

    def test_it_declares_what_it_needs_and_gives(self) -> None:
        """A plan is checked by name, unit and rate before anything moves."""
        policy = self.make()
        assert policy.gives, "a policy must give action features"
        wrong = unlawful(policy.needs) + unlawful(policy.gives)
        assert not wrong, f"a policy's features must be lawful: {'; '.join(wrong)}"
        assert 1 <= policy.n_action_steps <= policy.chunk_size, "a policy must have 1 <= n_action_steps <= chunk_size"
        assert policy.fps is None or policy.fps > 0.0, "a policy's fps must be positive, or None"
        assert policy.guidance in ("none", "guided", "trained"), (
            f"a policy's guidance must be one of three: {policy.guidance!r}"
        )
        assert isinstance(policy.stateless, bool), "a policy must say whether it is stateless"

    def test_a_chunk_is_named_shaped_and_finite(self) -> None:
        """float32 (chunk_size, A), a column a name."""
        policy = self.make()
        policy.warmup()
        chunk = policy.predict_chunk(self.sees(policy), "a task")
        assert isinstance(chunk, ActionChunk), f"predict_chunk must return an ActionChunk, not {type(chunk).__name__}"
        assert isinstance(chunk.names, tuple), "a chunk's names must be a tuple"
        assert set(chunk.names) == set(policy.gives), f"a chunk must be named as the policy says: {chunk.names}"
        assert chunk.actions.dtype == np.float32, f"a chunk must be float32, not {chunk.actions.dtype}"
        shape = (policy.chunk_size, len(policy.gives))
        assert chunk.actions.shape == shape, f"a chunk must be (chunk_size, A) = {shape}, not {chunk.actions.shape}"
        assert np.isfinite(chunk.actions).all(), "a chunk must be finite"
        assert chunk.model is None or chunk.model.dtype == np.float32, "a chunk's model space must be float32, or None"

    def test_a_chunk_says_what_it_answers(self) -> None:
        """The observation's time, and the task."""
        policy = self.make()
        chunk = policy.predict_chunk(self.sees(policy, time=12.25), "another task")
        assert chunk.time == 12.25, f"a chunk's time must be its observation's: {chunk.time}"
        assert chunk.task == "another task", f"a chunk must carry its task: {chunk.task!r}"

    def test_each_chunk_has_a_buffer_of_its_own(self) -> None:
        """The queue keeps chunks while the next is computed."""
        policy = self.make()
        first = policy.predict_chunk(self.sees(policy), "a task")
        kept = first.actions.copy()
        second = policy.predict_chunk(self.sees(policy, time=2.0, seed=1), "a task")
        assert not np.shares_memory(first.actions, second.actions), "every chunk must have a buffer of its own"
        assert np.array_equal(first.actions, kept), "a chunk must not change after it was returned"

    def test_it_leaves_the_observation_alone(self) -> None:
        """Rows store the same object."""
        policy = self.make()
        seen = self.sees(policy)
        before = {key: np.copy(value) for key, value in seen.items()}
        policy.predict_chunk(seen, "a task")
        same = seen.keys() == before.keys() and all(np.array_equal(seen[key], before[key]) for key in before)
        assert same, "a policy must not change its observation"

    def test_what_it_does_not_need_does_not_disturb_it(self) -> None:
        """A robot may see more than a policy."""
        policy = self.make()
        seen = self.sees(policy)
        seen["something.else"] = 1.0
        policy.predict_chunk(seen, "a task")

    def test_a_missing_key_is_an_error(self) -> None:
        """Nothing is invented."""
        policy = self.make()
        if not policy.needs:
            not_exercised("the policy needs no observation")
        seen = self.sees(policy)
        seen.pop(next(iter(policy.needs)))
        refused(
            lambda: policy.predict_chunk(seen, "a task"), "a policy must refuse an observation that lacks what it needs"
        )

    def test_it_continues_a_leftover_when_it_says_it_can(self) -> None:
        """Fewer leftover actions than the horizon are lawful."""
        policy = self.make()
        if policy.guidance == "none":
            not_exercised("the policy does not take guidance")
        chunk = policy.predict_chunk(self.sees(policy), "a task")
        short = max(1, policy.chunk_size // 4)
        model: Any = None if chunk.model is None else chunk.model[-short:]
        horizon = max(2, policy.chunk_size // 2)
        guide = Guide(1, horizon, "EXP", 10.0, names=chunk.names, actions=chunk.actions[-short:], model=model)
        guided = policy.predict_chunk(self.sees(policy, time=2.0), "a task", guide)
        assert guided.actions.shape == chunk.actions.shape, "a guided chunk must be as long as any other"
        assert np.isfinite(guided.actions).all(), "a guided chunk must be finite"

    def test_it_goes_on_after_reset(self) -> None:
        """A new episode."""
        policy = self.make()
        policy.predict_chunk(self.sees(policy), "a task")
        policy.reset()
        policy.predict_chunk(self.sees(policy), "a task")

    def test_close_is_idempotent(self) -> None:
        """Exit paths overlap."""
        policy = self.make()
        policy.close()
        accepted(policy.close, "a policy must allow close() twice")
