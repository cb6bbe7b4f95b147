"""The loss on held-out episodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

from .frame_cache import FrameCache
from .job import Job
from .samples import Samples, collate, on_device

_AHEAD = 2


class Judge:
    """Called now and then; every process computes its share.

    Args:
        job: its held-out rows are used.
        accelerator: the engine.
        cache: of decoded images.
    """

    def __init__(self, job: Job, accelerator: Accelerator, cache: FrameCache | None) -> None:
        assert job.held is not None, "asked for"
        self._job, self._accelerator = job, accelerator
        self._samples = Samples(job.reader, job.held, job.wanted, cache)
        limit = job.config.max_eval_samples or len(job.held)
        chosen = np.unique(np.linspace(0, len(job.held) - 1, min(limit, len(job.held))).round().astype(np.int64))
        self._numbers = chosen[accelerator.process_index :: accelerator.num_processes].tolist()

    def __call__(self) -> float:
        """Mean loss over the samples, the same on every process; random numbers of the training are left alone."""
        policy, total, count = self._job.policy, 0.0, 0
        policy.eval()
        devices = [self._accelerator.device] if self._accelerator.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices):
            torch.manual_seed(self._job.config.seed)
            for batch in self._batches():
                loss, _ = policy(self._prepared(batch))
                size = len(batch["index"])
                total, count = total + float(loss) * size, count + size
        policy.train()
        sums = torch.tensor([total, float(count)], device=self._accelerator.device)
        found: Any = self._accelerator.reduce(sums, "sum")
        return float(found[0] / found[1].clamp(min=1))

    def _prepared(self, batch: dict[str, Any]) -> dict[str, Any]:
        moved = on_device(batch, self._job.wanted.images, self._accelerator.device)
        named = {self._job.renamed.get(key, key): value for key, value in moved.items()}
        batch = self._job.policy.before(named)
        return batch

    def _batches(self) -> Iterator[dict[str, Any]]:
        size = self._job.config.batch_size
        parts = [self._numbers[first : first + size] for first in range(0, len(self._numbers), size)]
        waiting: deque[Future[dict[str, Any]]] = deque()
        with ThreadPoolExecutor(_AHEAD) as pool:
            for part in parts:
                waiting.append(pool.submit(self._read, part))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _read(self, numbers: list[int]) -> dict[str, Any]:
        return collate([self._samples[0, number] for number in numbers])
