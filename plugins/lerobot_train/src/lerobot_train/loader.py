"""Batches of this process, decoded ahead by worker processes."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from lerobot_core.features import image_shape
from torch.utils.data import DataLoader

from .config import DatasetSection
from .cursor import Batches, Cursor
from .frame_cache import FrameCache, needed, owned, ram_folder
from .job import Job
from .samples import Samples, collate


def make_loader(job: Job, samples: Samples, cursor: Cursor, rank: int, world: int, pin: bool) -> DataLoader[Any]:
    """Batches from `cursor` on, without end, one after the other whatever workers do."""
    workers = default_workers(job.config.num_workers, world)
    ahead: dict[str, Any] = {"prefetch_factor": job.config.prefetch_factor} if workers else {}
    return DataLoader(
        samples,
        batch_sampler=Batches(cursor, job.config.batch_size, rank, world),
        collate_fn=collate,
        num_workers=workers,
        # Never forked: torch and the decoders have threads. No fork server: its workers outlive a trainer that is killed.
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_begin_worker if workers else None,
        pin_memory=pin,
        # Of its own: a number drawn from the global one here would shift every later one of a resumed run.
        generator=torch.Generator(),
        **ahead,
    )


def default_workers(wanted: int | None, world: int) -> int:
    """As asked, else one for every two cores of this process's share, four at most."""
    if wanted is not None:
        return wanted
    return max(1, min(4, (os.cpu_count() or 2) // 2 // world))


def _begin_worker(worker: int) -> None:
    # Ctrl-C goes to every process; the trainer ends its workers when it has saved.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # Torch's own watchdog takes five seconds to notice that the trainer was killed.
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    trainer = multiprocessing.parent_process()
    if trainer is not None and not trainer.is_alive():
        os._exit(1)  # it was killed while this process was being started


_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG in linux/prctl.h."""


@contextmanager
def frame_cache(job: Job, output: Path, accelerator: Accelerator) -> Iterator[FrameCache | None]:
    """Where decoded images are kept, as `--dataset.cache` says."""
    section = job.config.dataset
    assert section is not None, "the verb needs one"
    if section.cache == "none" or not job.wanted.images:
        yield None
        return
    shapes = {key: _shape(job, key) for key in job.wanted.images}
    if section.cache == "disk":
        yield FrameCache(_disk_folder(job, section, output), shapes, len(job.reader))
        return
    # Processes of one machine share it; on other machines the folder has the same name.
    folder = Path(str(broadcast_object_list([str(ram_folder(needed(shapes, len(job.reader))))])[0]))
    with owned(folder) if accelerator.is_local_main_process else nullcontext():
        accelerator.wait_for_everyone()
        yield FrameCache(folder, shapes, len(job.reader))


def _shape(job: Job, key: str) -> tuple[int, int, int]:
    height, width, channels = image_shape(job.reader.info.features[key])
    return (*(job.wanted.size or (height, width)), channels)


def _disk_folder(job: Job, section: DatasetSection, output: Path) -> Path:
    """Named by what is in it, so that another run on the same dataset at the same size finds it."""
    size = "x".join(map(str, job.wanted.size)) if job.wanted.size else "whole"
    return (section.cache_dir or output / "frames") / f"{job.reader.fingerprint}-{size}"


def seed_everything(seed: int, rank: int) -> None:
    """Each process draws numbers of its own."""
    import random

    import numpy as np

    random.seed(seed + rank)
    np.random.seed((seed + rank) % 2**32)
    torch.manual_seed(seed + rank)
