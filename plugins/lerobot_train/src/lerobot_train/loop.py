"""The training loop."""

from __future__ import annotations

import contextlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from lerobot_core.errors import StorageError
from lerobot_torch import adapter
from torch import Tensor

from . import faults
from .augment import Augment
from .checkpoint import Saver
from .ema import Ema
from .engine import mean_over_processes
from .job import Job
from .optimizers import make_optimizer, settled, settled_scheduler
from .report import Report
from .samples import PLACE, on_device
from .schedules import make_scheduler
from .state import load_optimizer, load_random, load_scheduler
from .stop import Stop
from .timer import PARTS, StepTimer

Batch = dict[str, Any]


class Trainer:
    """One process's part of a run.

    Args:
        job: what is trained on what.
        accelerator: the engine.
        output: the run's folder.
        report: who is told.
        stop: whether somebody wants it to end.

    Attributes:
        step: optimizer steps done.
        cursor: the next sample.
        loss: of the last log line.
    """

    def __init__(self, job: Job, accelerator: Accelerator, output: Path, report: Report, stop: Stop) -> None:
        self.job, self._accelerator, self._report, self._stop = job, accelerator, report, stop
        config, policy = job.config, job.policy
        policy.on(accelerator.device)
        chosen = settled(config.optimizer, policy)
        self._clip = chosen.grad_clip_norm or 0.0
        optimizer = make_optimizer(chosen, policy)
        self._scheduler = make_scheduler(settled_scheduler(config.scheduler, policy), optimizer, config.steps)
        self.step, self.cursor = 0, job.cursor
        self._ema = Ema(config.ema, policy) if config.ema.enable else None
        if job.checkpoint is not None:
            self._restore(optimizer)
        self._saver = Saver(job, optimizer, self._scheduler, output, accelerator.num_processes, self._ema)
        self._model, self._optimizer = accelerator.prepare(policy, optimizer)
        self._new_adapter = policy.adapter is not None
        self._timer = StepTimer(accelerator.device)
        section = config.dataset
        assert section is not None, "the verb needs one"
        changes = section.image_transforms
        self._augment = Augment(changes, config.seed) if changes.enable else None
        self._window = defaultdict[str, list[float]](list)
        self.loss, self.rate = math.nan, {"samples_per_s": 0.0, "step_ms": dict.fromkeys(PARTS, 0.0)}
        self._rows = config.sample_log

    def _restore(self, optimizer: torch.optim.Optimizer) -> None:
        from .layout import STEP, read_json

        checkpoint = self.job.checkpoint
        assert checkpoint is not None, "asked for"
        self.step = int(read_json(checkpoint.state / STEP)["step"])
        load_optimizer(optimizer, checkpoint.state)
        if self._scheduler is not None:
            load_scheduler(self._scheduler, checkpoint.state)
        if self._ema is not None:
            self._ema.load(checkpoint.state)
        if self._accelerator.is_main_process:
            load_random(checkpoint.state)

    @property
    def checkpoint(self) -> str | None:
        """The newest checkpoint's folder."""
        return str(self._saver.folder) if self._saver.folder else None

    def run(self, batches: Iterator[Batch], judge: Callable[[], float] | None = None) -> str:
        """Train until all steps are done (`done`) or somebody wants an end (`stopped`); the last step is saved.

        Raises:
            UserError: the loss is no number, memory ran out, or the last checkpoint could not be written.
        """
        config = self.job.config
        self._model.train()
        self._timer.take()
        while self.step < config.steps and not self._stop.wanted(self._accelerator):
            loss = self._one(batches)
            self.step += 1
            self._report.live(self.step, loss)
            last = self.step == config.steps
            if config.eval_every and self.step % config.eval_every == 0 and judge is not None:
                self._judged(judge)
            if self.step % config.log_every == 0 or last:
                self._log()
            if config.save_every and self.step % config.save_every == 0 and not last:
                self._save_if_possible()
        if self._saver.saved != self.step and (self.step or self.job.checkpoint is None):
            self._save()
        return "done" if self.step >= config.steps else "stopped"

    def _judged(self, judge: Callable[[], float]) -> None:
        self._window["eval_loss"].append(judge())
        if self._ema is not None:
            with self._ema.applied():
                self._window["eval_loss_ema"].append(judge())

    # --- a step -----------------------------------------------------------------------------------------------------

    def _one(self, batches: Iterator[Batch]) -> float:
        total = 0.0
        self._timer.start()
        for _ in range(self.job.config.gradient_accumulation_steps):
            batch = next(batches)
            self._timer.lap("data")
            if self._rows is not None:
                self._note_rows(batch)
            with self._accelerator.accumulate(self._model), faults.memory(self.job.config):
                total += self._learn(batch)
            self.cursor = self.cursor.advanced(self.job.config.batch_size * self._accelerator.num_processes)
        return total / self.job.config.gradient_accumulation_steps

    def _learn(self, batch: Batch) -> float:
        loss, metrics = self._model(self._prepared(batch))
        value = float(loss.detach())
        self._timer.lap("forward")
        faults.refuse_nan(value, batch, self.step + 1)
        self._accelerator.backward(loss)
        self._timer.lap("backward")
        if self._accelerator.sync_gradients:
            self._update(batch)
        self._optimizer.zero_grad()
        self._timer.lap("optimizer")
        self._window["loss"].append(value)
        for name, each in metrics.items():
            if name != "loss":  # some call it so themselves
                self._window[name].append(float(each))
        return value

    def _prepared(self, batch: Batch) -> Batch:
        moved = on_device(batch, self.job.wanted.images, self._accelerator.device)
        if self._augment is not None:
            moved |= self._augment({key: moved[key] for key in self.job.wanted.images}, batch[PLACE])
        named = {self.job.renamed.get(key, key): value for key, value in moved.items()}
        return self.job.policy.before(named)

    def _update(self, batch: Batch) -> None:
        if self._new_adapter:
            adapter.refuse_unused(self.job.policy)
            self._new_adapter = False
        if self._clip:
            norm = self._accelerator.clip_grad_norm_(self.job.policy.parameters(), self._clip)
            if isinstance(norm, Tensor) and not self._accelerator.scaler:
                faults.refuse_nan(float(norm), batch, self.step + 1, "the gradients' norm")
                self._window["grad_norm"].append(float(norm))
        self._optimizer.step()
        if self._optimizer.step_was_skipped:
            return
        if self._scheduler is not None:
            self._scheduler.step()
        if self._ema is not None:
            self._ema.update()

    def _note_rows(self, batch: Batch) -> None:
        row = {"step": self.step + 1, "rank": self._accelerator.process_index, "rows": batch["index"].tolist()}
        assert self._rows is not None, "asked for"
        with self._rows.open("a") as file:  # one write a line: processes share the file
            file.write(json.dumps(row) + "\n")

    # --- what is told and kept --------------------------------------------------------------------------------------

    def _log(self) -> None:
        seconds, elapsed = self._timer.take()
        steps = max(len(self._window["loss"]) // self.job.config.gradient_accumulation_steps, 1)
        means = {name: sum(each) / len(each) for name, each in self._window.items()}
        self._window.clear()
        means = mean_over_processes(self._accelerator, means)
        self.loss = means["loss"]
        samples = steps * self.job.config.batch_size * self.job.config.gradient_accumulation_steps
        self.rate = {
            "samples_per_s": round(samples * self._accelerator.num_processes / elapsed, 3),
            "step_ms": {part: round(each / steps * 1000, 3) for part, each in seconds.items()},
        }
        row = {"step": self.step, **means, "lr": self._optimizer.param_groups[0]["lr"],
               "epoch": round(self.cursor.total / self.cursor.frames, 4), "samples": self.cursor.total,
               **self.rate, "data_wait": round(seconds["data"] / elapsed, 4)}  # fmt: skip
        self._report.log(row, (self.job.config.steps - self.step) * elapsed / steps)

    def _save(self) -> None:
        self._accelerator.wait_for_everyone()
        error: StorageError | None = None
        if self._accelerator.is_main_process:
            try:
                self._report.note(f"checkpoint {self._saver.save(self.step, self.cursor)}")
            except StorageError as caught:
                error = caught
        # The others hear of it, or they would wait for the one that fails.
        told = str(broadcast_object_list([str(error or "")])[0])
        if told:
            raise error or StorageError("the first process could not write the checkpoint", told)
        self._saver.saved = self.step
        self._timer.start()

    def _save_if_possible(self) -> None:
        """A full disk may be emptied before the next checkpoint; hours of training are worth more than this one."""
        try:
            self._save()
        except StorageError as error:
            self._report.note(f"warning: {error}\n  training goes on")

    def final(self) -> Mapping[str, Any]:
        """For the summary."""
        return {"steps": self.step, "loss": None if math.isnan(self.loss) else self.loss, "checkpoint": self.checkpoint,
                **self.rate}  # fmt: skip


@contextlib.contextmanager
def iterated(loader: Any) -> Iterator[Iterator[Batch]]:
    """Batches; worker processes end with the context, not whenever garbage is collected."""
    iterator = iter(loader)
    try:
        yield iterator
    finally:
        end = getattr(iterator, "_shutdown_workers", None)
        if end is not None:
            end()
