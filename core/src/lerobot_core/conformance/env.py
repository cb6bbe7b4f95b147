"""The env's laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..contracts.env import EnvStep
from ..types import Action
from .base import PluginConformance, accepted, not_exercised, refused
from .samples import action, misfits, unlawful

LONG = 1000
"""Episodes longer than this are not played to their end."""


class EnvConformance(PluginConformance):
    """Named observations and actions, episodes that end, and the same episode for the same seed."""

    kind = "env"

    def close(self, subject: Any) -> None:
        """`close`."""
        subject.close()

    def play(self, env: Any, seed: int, steps: int = 20) -> list[Any]:
        """What was seen and earned in the first steps of an episode of invented actions."""
        history: list[Any] = [dict(env.reset(seed))]
        for index in range(steps):
            done = env.step(self.acts(env, index))
            history += [dict(done.observation), done.reward]
            if done.terminated or done.truncated:
                break
        return history

    def acts(self, env: Any, index: int) -> Action:
        """Action number `index`."""
        return action(env.action_features, seed=index)

    def test_its_features_are_lawful(self) -> None:
        """A policy is checked against them."""
        env = self.make()
        wrong = unlawful(env.observation_features) + unlawful(env.action_features)
        assert env.action_features, "an env must have action features"
        assert not wrong, f"an env's features must be lawful: {'; '.join(wrong)}"
        assert env.fps > 0.0, "an env must know its rate"
        assert env.max_steps > 0, "an env must know the length of its episodes"
        assert isinstance(env.task, str), "an env's task must be a string"

    def test_observations_hold_exactly_the_declared_keys(self) -> None:
        """After reset and after every step."""
        env = self.make()
        wrong = misfits(env.reset(0), env.observation_features)
        assert not wrong, f"reset must return exactly the declared features: {'; '.join(wrong)}"
        done = env.step(self.acts(env, 0))
        assert isinstance(done, EnvStep), f"step must return an EnvStep, not {type(done).__name__}"
        wrong = misfits(done.observation, env.observation_features)
        assert not wrong, f"step must return exactly the declared features: {'; '.join(wrong)}"
        assert math.isfinite(done.reward), "a reward must be finite"

    def test_the_same_seed_is_the_same_episode(self) -> None:
        """Also in another instance, and after another episode."""
        first, second = self.make(), self.make()
        wanted = self.play(first, seed=7)
        self.play(second, seed=8)
        assert _same(self.play(second, seed=7), wanted), "the same seed must give the same episode"

    def test_seeds_differ(self) -> None:
        """An evaluation over seeds is over different starts."""
        env = self.make()
        starts = [dict(env.reset(seed)) for seed in range(4)]
        assert not all(_same([start], starts[:1]) for start in starts), "different seeds must give different episodes"

    def test_episodes_end(self) -> None:
        """By the task, or by the time limit."""
        env = self.make()
        if env.max_steps > LONG:
            not_exercised(f"an episode has {env.max_steps} steps")
        env.reset(0)
        for index in range(env.max_steps):
            done = env.step(self.acts(env, index))
            if done.terminated or done.truncated:
                return
        raise AssertionError(f"an episode must end after max_steps = {env.max_steps}")

    def test_images_are_not_written_again(self) -> None:
        """Videos and rows keep them."""
        env = self.make()
        images = [key for key, feature in env.observation_features.items() if feature.is_image]
        if not images:
            not_exercised("the env has no camera")
        first = env.reset(0)
        kept = {key: first[key].copy() for key in images}
        env.step(self.acts(env, 0))
        changed = [key for key in images if not np.array_equal(first[key], kept[key])]
        assert not changed, f"an image must not be written again: {', '.join(changed)}"

    def test_a_missing_key_is_an_error(self) -> None:
        """Half an action is not an action."""
        env = self.make()
        env.reset(0)
        short = dict(list(self.acts(env, 0).items())[1:])
        refused(lambda: env.step(short), "an env must refuse an action that lacks a key")

    def test_close_is_idempotent(self) -> None:
        """Exit paths overlap."""
        env = self.make()
        env.close()
        accepted(env.close, "an env must allow close() twice")


def _same(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(_equal(a, b) for a, b in zip(first, second, strict=True))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)
    return bool(a == b)
