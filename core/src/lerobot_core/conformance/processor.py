"""The processor's laws."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fakes.joints import joint_features
from ..types import Feature, Features
from .base import PluginConformance
from .samples import misfits, observation, unlawful


class ProcessorConformance(PluginConformance):
    """What comes out is what `features` said; what went in stays as it was."""

    kind = "processor"

    def features(self) -> Features:
        """What goes in; override with what the processor is for."""
        joints = joint_features()
        front: Features = {"front": Feature("uint8", (48, 64, 3))}
        return joints if self.make().side == "action" else {**joints, **front}

    def apply(self, processor: Any, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
        """What went in, and what came out."""
        values = dict(observation(self.features(), 0.0, seed))
        return values, processor(dict(values), dict(observation(self.features(), 0.0, seed)))

    def test_it_has_a_side(self) -> None:
        """It is called for observations, or for actions."""
        side = self.make().side
        assert side in ("observation", "action"), f"a processor's side must be observation or action, not {side!r}"

    def test_what_comes_out_is_what_it_said(self) -> None:
        """Names and shapes are known before anything moves."""
        processor = self.make()
        promised = processor.features(self.features())
        wrong = unlawful(promised)
        assert not wrong, f"a processor's features must be lawful: {'; '.join(wrong)}"
        processor.reset()
        _, out = self.apply(processor)
        wrong = misfits(out, promised)
        assert not wrong, f"a processor must give exactly the features it promised: {'; '.join(wrong)}"

    def test_it_leaves_the_features_alone(self) -> None:
        """They are the robot's."""
        features = self.features()
        before = dict(features)
        self.make().features(features)
        assert features == before, "a processor must not change the features it is given"

    def test_it_leaves_what_went_in_alone(self) -> None:
        """Images are shared and read-only; an observation is looked at twice."""
        processor = self.make()
        processor.features(self.features())
        values, seen = (dict(observation(self.features(), 0.0, 1)) for _ in range(2))
        before = {key: np.copy(value) for key, value in values.items()}
        processor(values, seen)
        same = values.keys() == before.keys() and all(np.array_equal(values[key], before[key]) for key in before)
        assert same, "a processor must not change what it is given"

    def test_reset_begins_again(self) -> None:
        """The same episode twice gives the same."""
        processor = self.make()
        processor.features(self.features())
        runs = []
        for _ in range(2):
            processor.reset()
            runs.append([self.apply(processor, seed)[1] for seed in range(3)])
        same = all(np.array_equal(a[key], b[key]) for a, b in zip(*runs, strict=True) for key in a)
        assert same, "a processor must forget the episode at reset()"
