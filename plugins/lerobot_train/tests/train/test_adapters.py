"""`--peft`: an adapter is trained, saved, gone on with, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.errors import ConfigError
from safetensors.torch import load_file

Train = Callable[..., list[dict[str, Any]]]
LAST = Path("checkpoints", "last", "pretrained_model")


@pytest.fixture
def base(train: Train, tmp_path: Path) -> Path:
    """A checkpoint to adapt."""
    train("--steps", "2", "--output-dir", str(tmp_path / "first"))
    return tmp_path / "first" / LAST


def test_only_the_adapter_is_trained_and_saved(train: Train, base: Path, tmp_path: Path) -> None:
    options = ("--policy", str(base), "--peft", "--peft.r", "4", "--peft.target-modules", "layers.0")
    train(*options, "--steps", "4", "--save-every", "0")
    run = tmp_path / "run"
    assert sorted(each.name for each in (run / LAST).glob("*.safetensors") if "processor" not in each.name) == [
        "adapter_model.safetensors"
    ]
    kept = json.loads((run / LAST / "train_config.json").read_text())["peft"]
    assert (kept["method_type"], kept["r"], kept["target_modules"]) == ("LORA", 4, ["layers.0"])
    first = load_file(run / LAST / "adapter_model.safetensors")

    train("--resume", "--steps", "8")
    second = load_file(run / LAST / "adapter_model.safetensors")
    assert first.keys() == second.keys()
    assert all(not torch.equal(first[name], second[name]) for name in first)
    own, merged = (lerobot_torch.load(each, "cpu").state_dict() for each in (base, run))
    assert [name for name in own if not torch.equal(own[name], merged[name])] == ["layers.0.weight"]


def test_going_on_is_as_not_having_stopped(train: Train, base: Path, tmp_path: Path) -> None:
    options = ("--policy", str(base), "--peft", "--peft.target-modules", "all-linear")
    train(*options, "--steps", "6", "--output-dir", str(tmp_path / "whole"))
    train(*options, "--steps", "3")
    train("--resume", "--steps", "6")
    one, other = (load_file(tmp_path / name / LAST / "adapter_model.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_an_adapter_is_trained_further(train: Train, base: Path, tmp_path: Path) -> None:
    options = ("--peft", "--peft.target-modules", "layers.0")
    train("--policy", str(base), *options, "--steps", "2")
    train("--policy", str(tmp_path / "run" / LAST), *options, "--steps", "2", "--output-dir", str(tmp_path / "more"))
    said = json.loads((tmp_path / "more" / LAST / "adapter_config.json").read_text())
    assert said["base_model_name_or_path"] == str(base.resolve())


def test_not_beside_random_weights(train: Train) -> None:
    with pytest.raises(ConfigError, match="--peft needs a checkpoint"):
        train("--peft", "--steps", "2")
