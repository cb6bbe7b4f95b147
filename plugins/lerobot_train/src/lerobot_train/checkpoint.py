"""Writing a checkpoint: the policy, what `--resume` needs, and the peer's `train_config.json`."""

from __future__ import annotations

import logging
from pathlib import Path

from lerobot_core.errors import StorageError
from lerobot_torch.settings import FILE as CONFIG
from safetensors import SafetensorError
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from .cursor import Cursor
from .ema import Ema
from .job import Job
from .layout import CHECKPOINTS, CURSOR, SETTINGS, STEP, drop_old, read_json, step_name, write_json, written
from .settings import to_save
from .state import save_optimizer, save_random, save_scheduler
from .train_config import FILE as TRAIN_CONFIG
from .train_config import train_config

log = logging.getLogger("lerobot.train")


class Saver:
    """Writes the checkpoints of a run.

    Args:
        job: what is trained.
        optimizer, scheduler: torch's own.
        output: the run's folder.
        world: processes.
        ema: the average of its weights, where one is kept.
    """

    def __init__(
        self,
        job: Job,
        optimizer: Optimizer,
        scheduler: LambdaLR | None,
        output: Path,
        world: int,
        ema: Ema | None = None,
    ) -> None:
        self._job, self._optimizer, self._scheduler = job, optimizer, scheduler
        self._output, self._world, self._ema = output, world, ema
        self.saved: int | None = None
        self.folder: Path | None = None if job.checkpoint is None else job.checkpoint.folder

    def save(self, step: int, cursor: Cursor) -> Path:
        """The checkpoint's folder.

        Raises:
            StorageError: it cannot be written; those before are as they were.
        """
        config = self._job.config
        try:
            with written(self._output, step, config.steps) as checkpoint:
                self._policy(checkpoint.model)
                if self._ema is not None:
                    with self._ema.applied():
                        self._policy(checkpoint.average)
                    self._ema.save(checkpoint.state)
                write_json(checkpoint.state / CURSOR, cursor.to_json())
                write_json(checkpoint.state / SETTINGS, to_save(config))
                write_json(checkpoint.state / STEP, self._step(step))
                save_random(checkpoint.state)
                save_optimizer(self._optimizer, checkpoint.state)
                if self._scheduler is not None:
                    save_scheduler(self._scheduler, checkpoint.state)
            drop_old(self._output, config.keep)
        except (OSError, SafetensorError) as error:
            kept = f"the last good one is {self.folder}" if self.folder else "there is none before it"
            raise StorageError(f"the checkpoint of step {step} could not be written to {self._output}",
                               f"{getattr(error, 'strerror', None) or error}; {kept}", "make room, then lr train --resume") from error  # fmt: skip
        self.saved, self.folder = step, self._output / CHECKPOINTS / step_name(step, config.steps)
        return self.folder

    def _policy(self, folder: Path) -> None:
        self._job.policy.save(folder)
        write_json(folder / TRAIN_CONFIG, train_config(self._job, self._output, read_json(folder / CONFIG)))

    def _step(self, step: int) -> dict[str, object]:
        config, one = self._job.config, {"dp_replicate": 1, "dp_shard": 1, "ring_degree": 1, "ulysses_degree": 1}
        return {"step": step, "dp_world_size": self._world, "batch_size": config.batch_size,
                "grad_accum_steps": config.gradient_accumulation_steps, "num_processes": self._world,
                "parallelism": one | {"dp_replicate": self._world}}  # fmt: skip
