"""Checks of the data files: what the rows say about themselves, and odd values."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from lerobot_core.errors import StorageError
from lerobot_core.features import ACTION, STATE, column_names, is_image
from numpy.typing import NDArray

from . import parquet
from .findings import Findings, Watch, ranges
from .lint_values import Spread, outliers
from .reader import LerobotReader
from .schema import CAPTURE_TIME, FLAGS

# float32 keeps a time of an hour to 0.2 ms.
_TIME_TOLERANCE = 3e-4
_LIMITS = "look at the teleoperator's range and the robot's limits"
_ADVICE = {
    "stale": ("a camera gave no new picture", "check the camera's rate and its cable, or record with a lower --fps"),
    "late": ("the loop was late", "record with a lower --fps, or fewer cameras"),
    "repeat": (
        "a picture was repeated for a slow encoder",
        "--dataset.slow-encoder block, or a faster --dataset.codec",
    ),
    "nan": ("an action was not a number", "look at the policy or the teleoperator"),
    "range": ("the safety filter held a joint inside its range", _LIMITS),
    "rate": ("the safety filter slowed a joint down", _LIMITS),
}


@dataclass
class Rows:
    """What the rows of all files add up to.

    Attributes:
        spread: range of every vector column, and how each episode differs.
        flagged: kind of flag -> rows that carry one.
    """

    spread: dict[str, Spread] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    """One data file's rows and the episodes it should hold."""

    name: str
    table: pa.Table
    episodes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    first: int

    @property
    def starts(self) -> NDArray[np.int64]:
        return np.cumsum(self.lengths) - self.lengths

    def column(self, key: str) -> NDArray[np.generic]:
        return parquet.column(self.table, key)

    def whose(self, rows: NDArray[np.bool_]) -> list[int]:
        """The episodes of the rows that are True."""
        return [int(episode) for episode in np.unique(np.repeat(self.episodes, self.lengths)[rows])]


def check_rows(reader: LerobotReader, found: Findings, watch: Watch) -> Rows:
    """Every data file, one at a time; returns what they add up to."""
    rows = Rows()
    files = list(reader.episodes.first_frames().items())
    for number, (name, first) in enumerate(files):
        watch("rows", number, len(files))
        try:
            file = _load(reader, name, first)
        except StorageError as error:
            found.failure(name, error)
            continue
        if _check_shape(reader, file, found):
            _check_bookkeeping(reader, file, found)
            _check_tasks(reader, file, found)
            _check_values(reader, file, found, rows)
            _check_capture(reader, file, found)
            _count_flags(file, rows)
    watch("rows", len(files), len(files))
    _summarise(reader, found, rows)
    return rows


def _load(reader: LerobotReader, name: str, first: int) -> _File:
    pictures = {key for key, entry in reader.info.columns.items() if is_image(entry)}
    table = parquet.read(reader.root / name, reader.root, lambda key: key not in pictures)
    episodes = reader.episodes.data_files[name]
    return _File(name, table, episodes, reader.episodes.lengths[episodes], first)


def _check_shape(reader: LerobotReader, file: _File, found: Findings) -> bool:
    absent = [
        key for key, entry in reader.info.columns.items() if not is_image(entry) and key not in file.table.column_names
    ]
    for key in absent:
        found.error(
            file.name,
            f"it has no column {key!r}, which info.json lists",
            f"lr dataset remove-feature {reader.root} {key}",
        )
    expected = int(file.lengths.sum())
    if file.table.num_rows != expected:
        whose = ranges(file.episodes.tolist())
        found.error(
            file.name, f"it has {file.table.num_rows} rows, its episodes ({whose}) have {expected}", found.repair
        )
        return False
    return not absent


def _check_bookkeeping(reader: LerobotReader, file: _File, found: Findings) -> None:
    count = file.table.num_rows
    within = np.arange(count) - np.repeat(file.starts, file.lengths)
    expected = {
        "index": np.arange(file.first, file.first + count),
        "episode_index": np.repeat(file.episodes, file.lengths),
        "frame_index": within,
    }
    for key, values in expected.items():
        wrong = file.column(key) != values
        if wrong.any():
            found.error(f"{file.name}, {key}", f"wrong in episodes {ranges(file.whose(wrong))}", found.repair)
    off = np.abs(file.column("timestamp").astype(np.float64) - within / reader.fps)
    drifting = off > _TIME_TOLERANCE
    if drifting.any():
        text = f"timestamps are up to {off.max():.3f} s off {reader.info.fps} rows a second in episodes {ranges(file.whose(drifting))}"
        found.error(f"{file.name}, timestamp", text, found.without(file.whose(drifting)))


def _check_tasks(reader: LerobotReader, file: _File, found: Findings) -> None:
    index = file.column("task_index").astype(np.int64)
    outside = (index < 0) | (index >= len(reader.tasks))
    if outside.any():
        found.error(f"{file.name}, task_index", f"no such task in episodes {ranges(file.whose(outside))}", found.repair)
        return
    for episode, start, length in zip(file.episodes.tolist(), file.starts.tolist(), file.lengths.tolist(), strict=True):
        used = {reader.tasks[number] for number in np.unique(index[start : start + length])}
        said = set(reader.episodes.tasks(episode))
        if said and used != said:
            text = f"its rows say {sorted(used)}, meta/episodes says {sorted(said)}"
            found.error(f"episode {episode}, tasks", text, found.repair)


def _check_values(reader: LerobotReader, file: _File, found: Findings, rows: Rows) -> None:
    for key, entry in reader.info.columns.items():
        if is_image(entry) or entry["dtype"] in ("string", "language", "bool"):
            continue
        values = file.column(key)
        if values.shape[1:] != (tuple(entry["shape"]) if list(entry["shape"]) != [1] else ()):
            found.error(
                f"{file.name}, {key}", f"shape {values.shape[1:]}, info.json says {tuple(entry['shape'])}", found.repair
            )
            continue
        broken = ~np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        if broken.any():
            whose = file.whose(broken)
            found.error(
                f"{file.name}, {key}",
                f"NaN or infinite in {broken.sum()} rows of episodes {ranges(whose)}",
                found.without(whose),
            )
        elif key in (ACTION, STATE):
            rows.spread.setdefault(key, Spread()).add(values.reshape(len(values), -1), file.episodes, file.starts)


def _check_capture(reader: LerobotReader, file: _File, found: Findings) -> None:
    for key in reader.info.columns:
        if not key.startswith(CAPTURE_TIME):
            continue
        steps = np.diff(file.column(key).astype(np.float64))
        inside = np.delete(steps, file.starts[1:] - 1)
        if len(inside) == 0:
            continue
        rate = 1 / max(float(np.mean(inside)), 1e-9)
        if abs(rate / reader.fps - 1) > 0.05:
            text = f"the camera gave {rate:.1f} pictures a second, rows are {reader.info.fps} a second"
            found.warning(f"{file.name}, {key}", text, "record with --fps at the rate the camera reaches")


def _count_flags(file: _File, rows: Rows) -> None:
    if FLAGS not in file.table.column_names:
        return
    for cell in file.table[FLAGS].to_pylist():
        # `stale:front` and `rate:elbow.pos`: the kind is what there is advice on.
        for kind in {flag.split(":")[0] for flag in (cell or "").split(",")} & _ADVICE.keys():
            rows.flagged[kind] = rows.flagged.get(kind, 0) + 1


def _summarise(reader: LerobotReader, found: Findings, rows: Rows) -> None:
    total = max(1, reader.episodes.frames)
    for kind, count in rows.flagged.items():
        if count > 0.02 * total:
            what, fix = _ADVICE[kind]
            found.warning("rows", f"{what} in {100 * count / total:.1f} % of the rows ({kind})", fix)
    for key, spread in rows.spread.items():
        _report_spread(reader, found, key, spread)
    _report_lengths(reader, found)


def _report_spread(reader: LerobotReader, found: Findings, key: str, spread: Spread) -> None:
    names = column_names(key, reader.info.features[key])
    flat = [names[number] for number in np.flatnonzero(spread.high == spread.low)]
    if flat and reader.episodes.frames > 1:
        found.warning(
            key,
            f"{', '.join(flat)} never changes",
            "a policy learns nothing from it; check the motor and the calibration",
        )
    for what, dimension, episodes in spread.odd():
        found.warning(
            f"{key}, {names[dimension]}",
            f"{what} in episodes {ranges(episodes)}",
            f"look: lr dataset show {reader.root} --episode {episodes[0]}",
        )


def _report_lengths(reader: LerobotReader, found: Findings) -> None:
    lengths = reader.episodes.lengths.astype(np.float64)
    odd = outliers(np.log(np.maximum(lengths, 1)), floor=0.1)
    if len(odd):
        median = np.median(lengths)
        found.warning(
            "episodes",
            f"unusual length (median {median:.0f} rows): episodes {ranges(odd.tolist())}",
            found.without(odd.tolist()),
        )
