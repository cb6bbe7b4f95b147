"""`lr train` from the first step to a checkpoint, and on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_train.layout import numbered
from safetensors.torch import load_file

Train = Callable[..., list[dict[str, Any]]]


def losses(lines: list[dict[str, Any]]) -> list[float]:
    return [line["loss"] for line in lines if "verb" not in line]


def test_a_run_tells_what_it_did(train: Train, tmp_path: Path) -> None:
    *steps, summary = train("--steps", "5", "--save-every", "2")
    assert [line["step"] for line in steps] == [1, 2, 3, 4, 5]
    assert {"loss", "l1_loss", "grad_norm", "lr", "epoch", "samples", "samples_per_s", "step_ms"} <= steps[0].keys()
    assert set(summary["step_ms"]) == {"data", "forward", "backward", "optimizer"}
    assert (summary["schema"], summary["verb"], summary["outcome"], summary["steps"]) == (1, "train", "done", 5)
    assert [folder.name for folder in numbered(tmp_path / "run")] == ["000002", "000004", "000005"]
    assert summary["checkpoint"] == str(tmp_path / "run" / "checkpoints" / "000005")


def test_it_learns(train: Train) -> None:
    found = losses(train("--steps", "60", "--optimizer.lr", "1e-2", "--batch-size", "16"))
    assert sum(found[-10:]) < 0.8 * sum(found[:10])


def test_the_checkpoint_is_what_other_verbs_take(train: Train, tmp_path: Path) -> None:
    train("--steps", "2", "--dataset.resize", "48x32")
    policy = lerobot_torch.load(tmp_path / "run", "cpu")
    assert policy.inputs["observation.image"].shape == (3, 48, 32)
    assert policy.contract is not None
    assert policy.contract.observation["image"].shape == (96, 96, 3)
    assert policy.act({"observation.state": torch.zeros(2), "observation.image": torch.zeros(3, 96, 96)}).shape == (
        1,
        4,
        2,
    )


@pytest.mark.parametrize("shuffle", ["randperm", "feistel"])
def test_resumed_it_is_the_run_that_was_not_interrupted(train: Train, tmp_path: Path, shuffle: str) -> None:
    """Across an epoch (158 rows), with dropout and augmentations: losses and weights equal to the last bit."""
    options = ("--shuffle", shuffle, "--batch-size", "16", "--dataset.image-transforms.enable")
    whole = losses(train("--steps", "30", *options, "--save-every", "15"))
    weights = load_file(tmp_path / "run/checkpoints/000030/pretrained_model/model.safetensors")
    for name in ("000030", "last"):
        path = tmp_path / "run/checkpoints" / name
        path.unlink() if path.is_symlink() else path.rename(tmp_path / name)
    resumed = losses(train("--resume", "--steps", "30"))
    assert resumed == whole[15:]
    again = load_file(tmp_path / "run/checkpoints/last/pretrained_model/model.safetensors")
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def rows(path: Path) -> list[int]:
    return [row for line in path.read_text().splitlines() for row in json.loads(line)["rows"]]


def test_another_batch_size_goes_on_at_the_same_sample(train: Train, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    train("--steps", "20", "--sample-log", str(one), "--batch-size", "12", "--output-dir", str(tmp_path / "a"))
    train("--steps", "10", "--sample-log", str(other), "--batch-size", "12")
    train("--resume", "--steps", "15", "--sample-log", str(other), "--batch-size", "8")
    train("--resume", "--steps", "31", "--sample-log", str(other), "--batch-size", "5", "--num-workers", "1")
    assert rows(other) == rows(one)


def test_held_out_episodes_are_judged_and_never_learnt(train: Train, tmp_path: Path) -> None:
    log = tmp_path / "rows"
    lines = train("--steps", "40", "--dataset.eval-split", "0.5", "--eval-every", "20", "--sample-log", str(log))
    judged = [line["step"] for line in lines if "eval_loss" in line]
    assert judged == [20, 40]
    # Of episodes 0, 1 and 3 of one task the last two are kept, of the other task its only one; the first has 40 rows.
    assert sorted(set(rows(log))) == list(range(40))


def test_accumulated_batches_are_one_step(train: Train) -> None:
    lines = train("--steps", "3", "--batch-size", "2", "--gradient-accumulation-steps", "3")
    assert [line["samples"] for line in lines if "samples" in line] == [6, 12, 18]


def test_half_precision(train: Train) -> None:
    assert train("--steps", "2", "--mixed-precision", "bf16")[-1]["outcome"] == "done"


def test_old_checkpoints_go_when_asked(train: Train, tmp_path: Path) -> None:
    train("--steps", "5", "--save-every", "1", "--keep", "2")
    assert [folder.name for folder in numbered(tmp_path / "run")] == ["000004", "000005"]


def test_trained_further_on_another_choice_of_rows(train: Train, tmp_path: Path) -> None:
    train("--steps", "3")
    lines = train("--steps", "2", "--policy", str(tmp_path / "run"), "--output-dir", str(tmp_path / "further"))
    assert lines[-1]["steps"] == 2
    first, second = (lerobot_torch.load(tmp_path / name, "cpu") for name in ("run", "further"))
    assert {name: each.shape for name, each in first.state_dict().items()} == {
        name: each.shape for name, each in second.state_dict().items()
    }


def test_tensorboard(train: Train, tmp_path: Path) -> None:
    train("--steps", "2", "--tensorboard")
    (events,) = (tmp_path / "run" / "tensorboard").iterdir()
    assert b"train/loss" in events.read_bytes()
