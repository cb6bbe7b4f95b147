"""The real environment: an ACT checkpoint with the names of its datasets, over slots."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.registry import Registry
from lerobot_core.types import Feature
from lerobot_train.evaluate.command import run

pytest.importorskip("gym_pusht", reason="lerobot-env-pusht is not installed")
torch.set_num_threads(1)

PLANE = {axis: Feature() for axis in ("x", "y")}
SEEN = {**PLANE, "image": Feature("uint8", (96, 96, 3))}
SMALL = {
    "dim_model": 32,
    "n_heads": 2,
    "dim_feedforward": 64,
    "n_encoder_layers": 1,
    "chunk_size": 10,
    "n_action_steps": 10,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    spec = Registry().spec("policy", "act")
    two = {"min": [0.0, 0.0], "max": [512.0, 512.0], "mean": [256.0, 256.0], "std": [100.0, 100.0], "count": [9]}
    three = {key: [[[value]]] * 3 for key, value in {"min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.2}.items()}
    stats: Any = {"observation.state": two, "action": two, "observation.images.image": three | {"count": [9]}}
    config = spec.config(device="cpu", use_vae=False, **SMALL)
    policy = lerobot_torch.create("act", config, SEEN, PLANE, stats, 10.0, "pusht", "0" * 16)
    folder = tmp_path_factory.mktemp("runs") / "act"
    policy.save(folder)
    return folder


def evaluated(capsys: Any, words: str) -> dict[str, Any]:
    assert run(shlex.split(words), Registry()) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])  # type: ignore[no-any-return]


def test_a_checkpoint_on_pusht(capsys: Any, checkpoint: Path, tmp_path: Path) -> None:
    words = (
        f"--policy {checkpoint} --env pusht --env.max-steps 12 --episodes 3 --seed 1000 --json --output-dir {tmp_path}"
    )
    one = evaluated(capsys, f"{words} --slots 1")
    two = evaluated(capsys, f"{words} --slots 2 --videos 0")
    assert (one["env"], one["episodes"], one["seeds"]) == ("pusht", 3, [1000, 1001, 1002])
    assert len(one["videos"]) == 3
    assert two["returns"]["mean"] == pytest.approx(one["returns"]["mean"], abs=1e-2)
