"""Learning rates at the steps where a schedule turns; `tests/peer` compares every step with LeRobot's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lerobot_core.errors import ConfigError
from lerobot_train.config import SchedulerConfig
from lerobot_train.schedules import as_peer, factor

Train = Callable[..., list[dict[str, Any]]]
STEPS = 110


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"type": "constant_with_warmup", "num_warmup_steps": 10}, {0: 0.0, 5: 0.5, 10: 1.0, 109: 1.0}),
        ({"type": "constant_with_warmup"}, {0: 1.0, 109: 1.0}),
        (
            {"type": "cosine_annealing_with_warmup", "num_warmup_steps": 10},
            {0: 0.0, 5: 0.5, 10: 1.0, 60: 0.5, 110: 0.0},
        ),
        (
            {"type": "cosine_decay_with_warmup", "num_warmup_steps": 9, "num_decay_steps": 100, "decay_lr": 1e-5},
            {0: 0.1, 50: 0.55, 100: 0.1, 109: 0.1},
        ),
        # A run shorter than its schedule gets all of it, squeezed.
        (
            {"type": "cosine_decay_with_warmup", "num_warmup_steps": 20, "num_decay_steps": 220, "decay_lr": 0.0},
            {0: 1 / 11, 55: 0.5, 110: 0.0},
        ),
        ({"type": "diffuser", "name": "cosine", "num_warmup_steps": 10}, {5: 0.5, 60: 0.5, 110: 0.0}),
        ({"type": "diffuser", "name": "linear", "num_warmup_steps": 10}, {5: 0.5, 60: 0.5, 110: 0.0}),
        ({"type": "diffuser", "name": "constant"}, {0: 1.0, 109: 1.0}),
        (
            {"type": "vqbet", "num_warmup_steps": 10, "num_vqvae_training_steps": 5},
            {0: 1.0, 4: 1.0, 5: 0.0, 10: 0.5, 15: 1.0, 65: 0.5},
        ),
    ],
)
def test_where_it_turns(options: dict[str, Any], wanted: dict[int, float]) -> None:
    at = factor(SchedulerConfig(**options), STEPS, 1e-4)
    assert {step: at(step) for step in wanted} == pytest.approx(wanted, abs=1e-12)


def test_an_unknown_name_for_diffuser() -> None:
    with pytest.raises(ConfigError, match="cosine, linear, constant"):
        factor(SchedulerConfig(type="diffuser", name="sawtooth"), STEPS, 1e-4)


def test_no_schedule_is_none_for_the_peer_too() -> None:
    assert as_peer(SchedulerConfig(), 1e-4, STEPS) is None


def test_the_rate_of_a_run_and_of_the_one_that_goes_on(train: Train) -> None:
    lines = train("--steps", "3", "--scheduler", "constant_with_warmup", "--scheduler.num-warmup-steps", "10",
                  "--optimizer.lr", "1e-3")  # fmt: skip
    assert [line["lr"] for line in lines[:-1]] == pytest.approx([1e-4, 2e-4, 3e-4])
    assert [line["lr"] for line in train("--resume", "--steps", "5")[:-1]] == pytest.approx([4e-4, 5e-4])
