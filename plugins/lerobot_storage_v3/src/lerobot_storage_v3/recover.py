"""An episode that was being recorded when its writer died: brought back as far as it was captured."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from . import remux
from .durability import DurableFile
from .faults import NONE, Faults
from .journal import JOURNAL, read_journal
from .ledger import Ledger
from .pictures import decode
from .rows import Image
from .save import Take, pictures_name, save, video_name
from .sinks import read_pictures
from .stage import Stage
from .stats import PictureStats


def recover(ledger: Ledger, stage: Stage, faults: Faults = NONE) -> int:
    """Make what `stage` holds the dataset's next episode; returns its rows, 0 when nothing was left.

    Rows and frames come back up to the shortest of them, so frames == rows here too.
    """
    cameras, rows, outcome = read_journal(stage.path(JOURNAL))
    in_rows = [key for key in cameras if key not in ledger.info.video_keys]
    images = {key: list(read_pictures(stage.path(pictures_name(key)))) for key in in_rows}
    pictures = {}
    for key in cameras:
        frames = map(_decoded, images[key]) if key in images else remux.decoded(stage.path(video_name(key)))
        pictures[key] = _statistics(itertools.islice(frames, len(rows)))
    length = min([len(rows), *(len(found) for found in pictures.values())])
    if not length:
        stage.remove()
        return 0
    for found in pictures.values():
        found.keep(length)
    stats = {key: found.finish() for key, found in pictures.items()}
    videos = [_cut(stage.path(video_name(key)), ledger.info.fps, length) for key in cameras if key not in images]
    cut = {key: found[:length] for key, found in images.items()}
    save(ledger, Take(stage, rows[:length], stats, cut, outcome), videos, faults=faults)
    return length


def _decoded(data: bytes) -> Image:
    return np.asarray(decode(data, "an unfinished episode"), np.uint8)


def _statistics(images: Iterable[Image]) -> PictureStats:
    """Of the frames that can be decoded; their number is what counts."""
    found = PictureStats()
    for image in images:
        found.add(image)
    return found


def _cut(video: Path, fps: int, length: int) -> DurableFile:
    """Replace a video by its first `length` frames, properly ended."""
    whole = video.with_suffix(".whole.mp4")
    remux.copy([video], whole, fps, length)
    os.replace(whole, video)
    return DurableFile(video, existing=True)
