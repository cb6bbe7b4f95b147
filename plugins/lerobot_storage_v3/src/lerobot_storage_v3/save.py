"""Saving an episode: everything into its stage, onto the disk, and into place, `info.json` last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lerobot_core.features import ACTION, STATE, camera_of, width

from . import layout, rows
from .durability import DurableFile, write_file
from .faults import NONE, Faults
from .layout import Info
from .ledger import Ledger
from .rows import Column, Row
from .stage import Stage
from .stats import Stat, Stats, aggregate, column_stat, to_json
from .tasks import tasks_table


@dataclass(frozen=True)
class Take:
    """An episode that is complete but not yet in the dataset.

    Attributes:
        stage: where its videos are, each with as many frames as there are rows.
        rows: at least one.
        pictures: statistics by image key, in the order of the rows' capture times.
        images: a PNG a row, by image key, where pictures are not in a video.
        outcome: success, failure or none.
    """

    stage: Stage
    rows: Sequence[Row]
    pictures: Mapping[str, Stat]
    images: Mapping[str, Sequence[bytes]]
    outcome: str


def save(
    ledger: Ledger,
    take: Take,
    videos: Iterable[DurableFile],
    durable: Callable[[], None] = lambda: None,
    faults: Faults = NONE,
) -> None:
    """Make the take the dataset's next episode.

    Args:
        videos: the take's, not yet flushed.
        durable: called as soon as the episode survives kill -9 and power loss, and readers see it.

    Raises:
        OSError: the disk did not take it. Nothing of the dataset has changed, unless the manifest was written: then a
            repair finishes what is missing.
    """
    stage, tasks = take.stage, ledger.with_tasks([row.task for row in take.rows])
    info = ledger.after(len(take.rows), tasks)
    stage.reach("data")
    made = _columns(ledger, take, tasks)
    episode = _statistics(ledger, made, take)
    total = aggregate([ledger.stats, episode]) if ledger.stats else episode
    contents = {
        "data.parquet": _parquet(rows.table(made, info.features, take.images)),
        "episodes.parquet": _parquet(ledger.episode_table(len(take.rows), _texts(take), take.outcome, episode)),
        "stats.json": layout.json_bytes(to_json(total)),
        "info.json": layout.json_bytes(info.to_json()),
    }
    if len(tasks) > len(ledger.tasks):
        contents["tasks.parquet"] = _parquet(tasks_table(tasks))
    moves = _moves(ledger, contents)
    stage.reach("meta")
    files = [write_file(stage.path(name), content, faults) for name, content in contents.items()]
    stage.commit(moves, [], [*videos, *files])
    stage.move(moves)
    ledger.record(info, tasks, total)
    durable()
    stage.flush(moves)
    stage.remove()


def warm_up(ledger: Ledger) -> None:
    """Do once, in memory, what saving does: the first time costs 60 ms of imports inside pyarrow."""
    info = ledger.info
    cameras = [camera_of(key) or key for key in info.image_keys]
    made = rows.columns([_blank(info)] * 2, cameras, info.fps, 0, 0, [""])
    numbers = {key: made[key] for key in info.columns if ledger.has_stats(key) and key in made}
    stats = {key: column_stat(values) for key, values in numbers.items() if isinstance(values, np.ndarray)}
    _parquet(rows.table(made, info.features, {key: [b"", b""] for key in info.image_keys}))
    _parquet(ledger.episode_table(2, [""], "none", aggregate([stats, stats])))
    layout.json_bytes(to_json(stats))


def _blank(info: Info) -> Row:
    widths = {key: width(info.features[key]) if key in info.features else 0 for key in (STATE, ACTION)}
    state, action = [0.0] * widths[STATE], [0.0] * widths[ACTION]
    return Row(0.0, "", state, action, action, "policy", [0.0] * len(info.image_keys), [], -1)


def _texts(take: Take) -> list[str]:
    return [row.task for row in take.rows]


def _columns(ledger: Ledger, take: Take, tasks: Sequence[str]) -> dict[str, Column]:
    cameras = [camera_of(key) or key for key in take.pictures]
    info = ledger.info
    return rows.columns(take.rows, cameras, info.fps, info.total_episodes, info.total_frames, tasks)


def _statistics(ledger: Ledger, made: Mapping[str, Column], take: Take) -> Stats:
    numbers = {key: made[key] for key in ledger.info.columns if ledger.has_stats(key) and key in made}
    of_columns = {key: column_stat(values) for key, values in numbers.items() if isinstance(values, np.ndarray)}
    return {key: take.pictures.get(key) or of_columns[key] for key in ledger.info.features if ledger.has_stats(key)}


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="snappy", use_dictionary=True, row_group_size=max(1, table.num_rows))
    return bytes(sink.getvalue())


def _moves(ledger: Ledger, contents: Mapping[str, object]) -> list[tuple[str, str]]:
    """Readers go by meta/episodes, the peer also by info.json: what those name must be there before they are."""
    info, places = ledger.info, ledger.places
    targets = {
        **{video_name(key): info.video_file(key, *place) for key, place in places.videos.items()},
        "data.parquet": info.data_file(*places.data),
        "tasks.parquet": layout.TASKS,
        "episodes.parquet": layout.episodes_file(*places.episodes),
        "stats.json": layout.STATS,
        "info.json": layout.INFO,
    }
    videos = {video_name(key) for key in places.videos}
    return [(name, target) for name, target in targets.items() if name in contents or name in videos]


def video_name(key: str) -> str:
    """A camera's video in the stage."""
    return f"{key}.mp4"


def pictures_name(key: str) -> str:
    """A camera's pictures in the stage, where they go into the rows."""
    return f"{key}.png.journal"
