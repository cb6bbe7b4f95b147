"""The observer's laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..contracts.observer import Noticing
from ..fakes.joints import joint_features
from ..types import Feature, Features
from .base import PluginConformance, accepted, not_exercised
from .samples import step

JOINTS = joint_features()
SEEN: Features = {**JOINTS, "front": Feature("uint8", (48, 64, 3))}
INFO = {"robot": "fake", "policy": "fake", "fps": 30.0, "task": "a task", "strategy": "base", "inference": "sync"}


class ObserverConformance(PluginConformance):
    """It looks and does not touch."""

    kind = "observer"

    def close(self, subject: Any) -> None:
        """`stop`."""
        subject.stop()

    def started(self) -> Any:
        """A built observer of a run; stopped after the test."""
        observer = self.make()
        observer.start(dict(INFO))
        return observer

    def test_it_watches_rows(self) -> None:
        """Joints and images, with gaps between them."""
        observer = self.started()
        for index in (0, 1, 5, 6, 40):
            observer.step(step(SEEN, JOINTS, index))

    def test_it_leaves_rows_alone(self) -> None:
        """The storage writes the same object."""
        observer, row = self.started(), step(SEEN, JOINTS, 0)
        before = {key: np.copy(value) for key, value in row.observation.items()}
        sent, requested = dict(row.sent), dict(row.requested)
        observer.step(row)
        assert (row.sent, row.requested) == (sent, requested), "an observer must not change a row's actions"
        now = row.observation
        same = now.keys() == before.keys() and all(np.array_equal(now[key], before[key]) for key in before)
        assert same, "an observer must not change a row's observation"

    def test_it_takes_messages_if_any(self) -> None:
        """What the person is told, at any time between start and stop."""
        observer = self.started()
        if not isinstance(observer, Noticing):
            not_exercised("the observer takes no messages")
        for text in ("episode 1 of 3: recording", "", "--help", "\a'; ünïcode"):
            observer.notice(text)

    def test_stop_is_idempotent(self) -> None:
        """Exit paths overlap."""
        accepted(self.make().stop, "an observer must allow stop() before start()")
        observer = self.started()
        observer.stop()
        accepted(observer.stop, "an observer must allow stop() twice")

    def test_it_watches_a_second_run(self) -> None:
        """`start` after `stop`."""
        observer = self.started()
        observer.step(step(SEEN, JOINTS, 0))
        observer.stop()
        observer.start(dict(INFO))
        observer.step(step(SEEN, JOINTS, 1))
