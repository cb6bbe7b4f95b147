"""A run's figures on Weights & Biases: `--wandb.enable`, with the extra `lerobot-train[wandb]`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from lerobot_core.errors import ConfigError, PluginError

from .config import TrainConfig
from .settings import to_save


def with_run_id(config: TrainConfig) -> TrainConfig:
    """The same with a run's id, which every checkpoint keeps: a resumed run goes on in the same curve."""
    wandb = config.wandb
    if not wandb.enable or wandb.run_id is not None:
        return config
    return replace(config, wandb=replace(wandb, run_id=secrets.token_hex(4)))


class WandbRun:
    """The one that a training run writes to.

    Args:
        config: of the run, with an id.
        output: its folder; the client keeps its files in `wandb` there.

    Attributes:
        place: where to look at it.

    Raises:
        PluginError: the client is not installed.
        ConfigError: it refuses, for want of an account for example.
    """

    def __init__(self, config: TrainConfig, output: Path) -> None:
        try:
            import wandb
        except ImportError as error:
            raise PluginError("--wandb.enable: the client of Weights & Biases is not installed", str(error),
                              "pip install 'lerobot-train[wandb]'") from error  # fmt: skip
        asked = config.wandb
        assert config.policy is not None, "the verb needs one"
        output.mkdir(parents=True, exist_ok=True)
        try:
            self._run: Any = wandb.init(
                dir=str(output), project=asked.project, entity=asked.entity, notes=asked.notes, id=asked.run_id,
                name=config.job_name or config.policy.name, config=to_save(config), resume="allow", mode=asked.mode,
                # stdout is for a program, and the screen belongs to our own view
                settings=wandb.Settings(silent=True, console="off"),
            )  # fmt: skip
        except (wandb.Error, ValueError) as error:
            raise ConfigError("Weights & Biases refuses the run", str(error).split("\n")[0],
                              "wandb login, or --wandb.mode offline") from error  # fmt: skip
        # Without a network there is no page, but a folder for `wandb sync`.
        self.place = str(self._run.url or self._run.settings.sync_dir)

    def add(self, values: Mapping[str, float], step: int) -> None:
        """Numbers of one log line."""
        self._run.log(dict(values), step=step)

    def close(self, failed: bool) -> None:
        """The run is over; the client has sent or written everything when this process ends."""
        self._run.finish(exit_code=int(failed))
