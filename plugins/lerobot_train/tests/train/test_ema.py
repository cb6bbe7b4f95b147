"""The moving average of the weights: its rate, its checkpoint, and going on with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError
from lerobot_train.config import EmaConfig
from lerobot_train.ema import Ema, decay_at
from safetensors.torch import load_file
from torch import nn

Train = Callable[..., list[dict[str, Any]]]


def weights(run: Path, step: int, folder: str) -> dict[str, torch.Tensor]:
    return load_file(run / "checkpoints" / f"{step:06d}" / folder / "model.safetensors")


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("options", "update", "decay"),
    [
        ({}, 1, 0.0),
        ({}, 2, 1 - 2**-0.75),
        ({}, 10**7, 0.9999),
        ({"update_after_step": 5}, 6, 0.0),
        ({"update_after_step": 5}, 7, 1 - 2**-0.75),
        ({"min_decay": 0.9}, 2, 0.9),
        ({"inv_gamma": 10.0, "power": 1.0}, 11, 0.5),
        ({"decay": 0.99}, 1, 0.0),
        ({"decay": 0.99}, 2, 0.99),
    ],
)
def test_how_much_stays(options: dict[str, Any], update: int, decay: float) -> None:
    assert decay_at(EmaConfig(**options), update) == pytest.approx(decay)


def test_it_is_the_average_of_what_was_trained(train: Train, tmp_path: Path) -> None:
    train("--steps", "4", "--save-every", "1", "--ema", "--ema.decay", "0.75")
    own = [weights(tmp_path / "run", step, "pretrained_model") for step in range(1, 5)]
    for name, average in own[0].items():
        for each in own[1:]:
            average = 0.75 * average + 0.25 * each[name]
        found = weights(tmp_path / "run", 4, "pretrained_model_ema")[name]
        torch.testing.assert_close(found, average, rtol=1e-5, atol=1e-7)


def test_its_checkpoint_is_one_like_any_other(train: Train, tmp_path: Path) -> None:
    train("--steps", "3", "--ema")
    folder = tmp_path / "run" / "checkpoints" / "last"
    files = {each.name for each in (folder / "pretrained_model").iterdir()}
    assert {each.name for each in (folder / "pretrained_model_ema").iterdir()} == files
    policy = lerobot_torch.load(folder / "pretrained_model_ema", "cpu")
    assert equal(dict(policy.state_dict()), weights(tmp_path / "run", 3, "pretrained_model_ema"))
    lines = train(
        "--steps", "1", "--policy", str(folder / "pretrained_model_ema"), "--output-dir", str(tmp_path / "further")
    )
    assert lines[-1]["outcome"] == "done"


def test_it_changes_nothing_of_the_training(train: Train, tmp_path: Path) -> None:
    judged = ("--dataset.eval-split", "0.5", "--eval-every", "2")
    without = train("--steps", "4", *judged)
    lines = train("--steps", "4", *judged, "--ema", "--output-dir", str(tmp_path / "averaged"))
    assert [line["loss"] for line in lines] == [line["loss"] for line in without]
    assert [line["step"] for line in lines if "eval_loss_ema" in line] == [2, 4]
    assert [line.get("eval_loss") for line in lines] == [line.get("eval_loss") for line in without]
    assert equal(*(weights(tmp_path / name, 4, "pretrained_model") for name in ("run", "averaged")))


def test_resumed_it_is_the_same_to_the_last_bit(train: Train, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train("--steps", "6", "--save-every", "3", "--ema")
    whole = weights(run, 6, "pretrained_model_ema")
    for name in ("000006", "last"):
        path = run / "checkpoints" / name
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    train("--resume", "--steps", "6")
    assert equal(weights(run, 6, "pretrained_model_ema"), whole)


def test_resumed_with_other_settings_or_without_its_file(train: Train, tmp_path: Path) -> None:
    train("--steps", "1", "--ema")
    with pytest.raises(ConfigError, match=r"ema.decay: None so far, 0.5 now"):
        train("--resume", "--steps", "2", "--ema.decay", "0.5")
    (tmp_path / "run/checkpoints/last/training_state/ema_state.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"ema_state.safetensors cannot be read"):
        train("--resume", "--steps", "2")


def test_half_precision_is_averaged_in_single(tmp_path: Path) -> None:
    """A thousandth of a step is lost in bfloat16, and must not be in its average."""
    layer = nn.Linear(2, 1, bias=False).to(torch.bfloat16)
    nn.init.ones_(layer.weight)
    ema = Ema(EmaConfig(decay=0.999), layer)  # type: ignore[arg-type]
    ema.update()
    nn.init.constant_(layer.weight, 2.0)
    ema.update()
    ema.save(tmp_path)
    assert load_file(tmp_path / "ema_state.safetensors")["average/weight"].tolist() == [pytest.approx([1.001, 1.001])]
    with ema.applied():
        assert layer.weight.dtype == torch.bfloat16
        assert layer.weight.tolist() == [[1.0, 1.0]]
    assert layer.weight.tolist() == [[2.0, 2.0]]


def test_what_is_frozen_is_not_averaged(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    network[0].requires_grad_(False)
    Ema(EmaConfig(), network).save(tmp_path)  # type: ignore[arg-type]
    assert {*load_file(tmp_path / "ema_state.safetensors")} == {"updates", "average/1.weight", "average/1.bias"}


def test_the_average_of_another_network(tmp_path: Path) -> None:
    Ema(EmaConfig(), nn.Linear(2, 1)).save(tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match=r"other names or shapes: weight$"):
        Ema(EmaConfig(), nn.Linear(3, 1)).load(tmp_path)  # type: ignore[arg-type]
