"""Against what lerobot 0.6.1 computed from the same files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import pytest
import torch
from act_golden import GOLDEN, NAMES, golden_inputs, golden_io
from lerobot_core.action_queue import ActionQueue
from lerobot_core.types import ActionChunk

JOINTS = tuple(f"joint{index}.pos" for index in range(6))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def policy(name: str, checkpoint: Callable[..., Path]) -> lerobot_torch.TorchPolicy[Any]:
    return lerobot_torch.load(checkpoint(name), "cpu")


def test_the_chunk_is_the_peers(name: str, policy: lerobot_torch.TorchPolicy[Any]) -> None:
    wanted = golden_io(name)
    with torch.inference_mode():
        normalized = policy.chunk(policy.before(golden_inputs(name, 0)))
    torch.testing.assert_close(normalized, wanted["out.chunk_normalized"], rtol=0, atol=1e-5)
    torch.testing.assert_close(policy.act(golden_inputs(name, 0)), wanted["out.chunk"], rtol=0, atol=1e-5)


def test_what_is_executed_over_three_ticks_is_the_peers(name: str, policy: lerobot_torch.TorchPolicy[Any]) -> None:
    """One chunk, or an average of three, through the queue as the sync engine uses it."""
    queue = ActionQueue(1 / 30, names=JOINTS)
    executed = []
    for tick in range(3):
        if policy.ensemble is not None or queue.depth() == 0:
            actions = policy.act(golden_inputs(name, tick))[0].numpy()
            mode = "replace" if policy.ensemble is None else "ensemble"
            n = policy.n_action_steps if policy.ensemble is None else None
            chunk = ActionChunk(JOINTS, actions, None, tick / 30)
            queue.push(chunk, queue.mark(), mode, n, policy.ensemble or 0.0)  # type: ignore[arg-type]
        timed = queue.next(tick / 30)
        assert timed is not None
        executed.append(list(timed.action.values()))
    wanted = golden_io(name)["out.select_action"][:, 0].numpy()
    np.testing.assert_allclose(np.array(executed), wanted, rtol=0, atol=1e-5)


def test_the_training_loss_is_the_peers(name: str, policy: lerobot_torch.TorchPolicy[Any]) -> None:
    stored = golden_io(name)
    batch = {key.removeprefix("train."): value for key, value in stored.items() if key.startswith("train.")}
    policy.train()
    for module in policy.modules():
        for rate in ("rate", "dropout"):
            if hasattr(module, rate):
                setattr(module, rate, 0.0)
    torch.manual_seed(0)
    loss, metrics = policy(batch)
    expected = json.loads((GOLDEN / name / "expected.json").read_text())
    assert loss.item() == pytest.approx(expected["train_loss_with_manual_seed_0"], abs=1e-4)
    assert metrics == pytest.approx(expected["parts"], abs=1e-5)


def test_tensors_have_the_peers_names_and_shapes(name: str, policy: lerobot_torch.TorchPolicy[Any]) -> None:
    shapes = {key: shape for key, (_, shape) in json.loads((GOLDEN / name / "tensors.json").read_text()).items()}
    assert {key: list(value.shape) for key, value in policy.state_dict().items()} == shapes


def test_a_checkpoint_written_again_is_the_same_byte_for_byte(
    policy: lerobot_torch.TorchPolicy[Any], tmp_path: Path
) -> None:
    policy.save(tmp_path / "again")
    assert policy.folder is not None
    files = sorted(path.name for path in policy.folder.iterdir())
    assert files == sorted(path.name for path in (tmp_path / "again").iterdir())
    for file in files:
        assert (policy.folder / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file
