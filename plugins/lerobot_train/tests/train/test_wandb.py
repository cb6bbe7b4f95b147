"""Weights & Biases: the real client without a network, and no client at all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.errors import ConfigError, PluginError

Train = Callable[..., list[dict[str, Any]]]


def test_without_its_client(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(PluginError, match=r"pip install 'lerobot-train\[wandb\]'"):
        train("--steps", "1", "--wandb.enable")


def saved(run: Path, file: str = "training_state/lr_train.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "checkpoints" / "last" / file).read_text())["wandb"]
    return found


def test_what_is_logged_is_written_and_a_resumed_run_goes_on_in_it(train: Train, tmp_path: Path) -> None:
    wandb = pytest.importorskip("wandb")
    run = tmp_path / "run"
    assert train("--steps", "2", "--wandb", "--wandb.mode", "offline")[-1]["outcome"] == "done"
    name = saved(run)["run_id"]
    assert saved(run, "pretrained_model/train_config.json")["run_id"] == name
    train("--resume", "--steps", "3")
    wandb.teardown()  # as at the end of a process: its service has written everything
    files = sorted((run / "wandb").glob(f"offline-run-*-{name}/run-{name}.wandb"))
    assert len(files) == 2
    for file in files:
        assert b"train/loss" in file.read_bytes()


def test_without_an_account(train: Train, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://localhost:9")
    with pytest.raises(ConfigError, match=r"(?s)wandb login, or --wandb.mode offline"):
        train("--steps", "1", "--wandb")
