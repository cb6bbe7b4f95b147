"""`lr train`: from the command line to the exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lerobot_core.errors import ConfigError, UserError
from lerobot_core.registry import Registry, default_registry

from .config import TrainConfig
from .layout import CHECKPOINTS, Checkpoint, make_folder
from .settings import read

if TYPE_CHECKING:
    from accelerate import Accelerator

    from .job import Job
    from .loop import Trainer
    from .report import Report


def run(argv: Sequence[str], registry: Registry | None = None) -> int:
    """Train as `argv` says; the exit code.

    Raises:
        UserError: something is wrong; nothing that was saved before is lost.
    """
    from lerobot_core import logs
    from lerobot_core.config import show

    resolved = read(argv, registry or default_registry(), os.environ)
    config: TrainConfig = resolved.config
    for note in resolved.notes:
        print(note, file=sys.stderr)
    if config.show_config:
        print(json.dumps(show.as_json(resolved)) if config.json else show.render(resolved))
        return 0
    logs.setup(log_file=config.log_file)
    output = Path(str(config.output_dir)).expanduser()
    checkpoint = Checkpoint.newest(output) if config.resume else None
    if checkpoint is None:
        _refuse_used(output)
        make_folder(output)
    from .engine import leave_at_once

    train(config, output, checkpoint)
    leave_at_once(0)
    return 0


def _refuse_used(output: Path) -> None:
    """Raises ConfigError when somebody's checkpoints are there."""
    if (output / CHECKPOINTS).exists() and any((output / CHECKPOINTS).iterdir()):
        raise ConfigError(f"{output} has checkpoints already", "they would be mixed with this run's",
                          "--resume to go on, or another --output-dir")  # fmt: skip
    if (output / "meta" / "info.json").is_file():
        raise ConfigError(f"{output} is a dataset", "checkpoints do not belong into one", "another --output-dir")


def train(config: TrainConfig, output: Path, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Train; the summary, as `--json` has it on its last line.

    Raises:
        UserError: something is wrong.
    """
    from lerobot_core.terminal import current

    from .engine import engine
    from .report import Report
    from .stop import Stop
    from .wandb_run import WandbRun, with_run_id

    config = with_run_id(config)
    with engine(config) as accelerator, current() as terminal, Stop() as stop:
        main = accelerator.is_main_process
        events = output / "tensorboard" if config.tensorboard else None
        with Report(terminal, config.steps, config.json, events, main) as report:
            trainer = None
            try:
                trainer = _prepared(config, output, checkpoint, accelerator, report, stop)
                if main and config.wandb.enable:
                    report.also(WandbRun(config, output))
                outcome, reason = _trained(trainer, output, accelerator), ""
            except UserError as error:
                report.summary(_summary("failed", error.what, trainer))
                error.reported = True
                raise
            summary = _summary(outcome, reason, trainer)
            report.summary(summary)
            if main and not config.json:
                report.note(f"{outcome}: {trainer.step} steps, {summary['checkpoint']}")
    return summary


def _summary(outcome: str, reason: str, trainer: Trainer | None) -> dict[str, Any]:
    final = dict(trainer.final()) if trainer is not None else {"steps": 0, "loss": None, "checkpoint": None}
    return {"schema": 1, "verb": "train", "outcome": outcome, "reason": reason, **final}


def _prepared(
    config: TrainConfig,
    output: Path,
    checkpoint: Checkpoint | None,
    accelerator: Accelerator,
    report: Report,
    stop: Any,
) -> Trainer:
    from .job import make_job
    from .loader import seed_everything
    from .loop import Trainer

    seed_everything(config.seed, 0)  # every process makes the same network
    job: Job = make_job(config, checkpoint)
    place = checkpoint.folder.name if checkpoint is not None else "0"
    seed_everything(config.seed + int(place), accelerator.process_index)
    return Trainer(job, accelerator, output, report, stop)


def _trained(trainer: Trainer, output: Path, accelerator: Accelerator) -> str:
    from .judge import Judge
    from .loader import frame_cache, make_loader
    from .loop import iterated
    from .samples import Samples

    job = trainer.job
    with closing(job.reader), frame_cache(job, output, accelerator) as cache:
        samples = Samples(job.reader, job.rows, job.wanted, cache)
        judge = Judge(job, accelerator, cache) if job.held is not None else None
        loader = make_loader(job, samples, trainer.cursor, accelerator.process_index, accelerator.num_processes,
                             accelerator.device.type == "cuda")  # fmt: skip
        with iterated(loader) as batches:
            return trainer.run(batches, judge)
