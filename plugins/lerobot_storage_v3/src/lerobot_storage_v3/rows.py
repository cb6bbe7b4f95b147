"""Rows: what is kept of a step, and the columns an episode's rows become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from lerobot_core.errors import StorageError
from lerobot_core.features import ACTION, STATE, Entry, camera_names, vector_names
from lerobot_core.types import Features, Step
from numpy.typing import NDArray

from .schema import CAPTURE_TIME, FLAGS, INTERVENTION, REQUESTED, SEQ, SOURCE, arrow_schema

Image = NDArray[np.uint8]
Column = NDArray[Any] | list[str]


class Row(msgspec.Struct, array_like=True):
    """One step without its pictures, as the journal keeps it.

    Attributes:
        t: the period's time, `captured` the cameras' in their order, seconds of the run's clock.
        seq: the action chunk's number, -1 when no policy chose.
    """

    t: float
    task: str
    state: list[float]
    action: list[float]
    requested: list[float]
    source: str
    captured: list[float]
    flags: list[str]
    seq: int


class RowBuilder:
    """Turns steps into rows and copies of their pictures, refusing what the dataset has no place for.

    Args:
        task: the instruction of a step that has none.
    """

    def __init__(self, observation: Features, action: Features, task: str) -> None:
        self.cameras = {name: observation[name].shape for name in camera_names(observation)}
        self._states, self._actions = vector_names(observation), vector_names(action)
        self._observed, self._acted = {*self._states, *self.cameras}, set(self._actions)
        self._task = task

    def row(self, step: Step) -> Row:
        """The step's row.

        Raises:
            StorageError: a key is missing or unknown, or a value is not a number.
        """
        if step.observation.keys() != self._observed or step.sent.keys() != self._acted:
            raise _mismatch(step, self._observed, self._acted)
        timed, observation = step.timed, step.observation
        try:
            return Row(
                step.t,
                (timed.task if timed else "") or step.task or self._task,
                [float(observation[name]) for name in self._states],
                [float(step.sent[name]) for name in self._actions],
                [float(step.requested.get(name, step.sent[name])) for name in self._actions],
                step.source,
                [observation.captured.get(name, step.t) for name in self.cameras],
                sorted({*observation.flags, *step.filtered, *_marks(step)}),
                timed.seq if timed else -1,
            )
        except (TypeError, ValueError) as error:
            raise StorageError(f"row {step.index}: a value is not a number", str(error), "give floats") from error

    def copies(self, step: Step) -> list[Image]:
        """Copies of the step's pictures, in camera order.

        Raises:
            StorageError: a picture of another shape or type than at `open`.
        """
        images = [step.observation[name] for name in self.cameras]
        for image, (name, shape) in zip(images, self.cameras.items(), strict=True):
            if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape != shape:
                got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
                raise StorageError(
                    f"{name!r} is {got}", f"the dataset was opened with uint8 {shape}", "a camera may not change size"
                )
        # C order whatever the source's: the encoder reads the copy in place.
        return [np.array(image, order="C") for image in images]


def _marks(step: Step) -> list[str]:
    """What a period is flagged with besides its observation: skipped, or decided on another machine."""
    origin = step.timed.origin if step.timed else ""
    return [mark for mark in ("late" if step.late else "", origin) if mark]


def _mismatch(step: Step, observed: set[str], acted: set[str]) -> StorageError:
    sides = (("observation", set(step.observation), observed), ("action", set(step.sent), acted))
    parts = [f"{side} has {sorted(got - want)} too many, {sorted(want - got)} missing" for side, got, want in sides]
    return StorageError(f"row {step.index} does not fit the dataset", "; ".join(parts), "the names are fixed at open")


def columns(
    rows: Sequence[Row], cameras: Sequence[str], fps: int, episode: int, start: int, tasks: Sequence[str]
) -> dict[str, Column]:
    """Every column that could be stored, by feature key: (T, n) float32 vectors, (T,) scalars, lists of text.

    `timestamp` is float64 here, as the peer's statistics take it; the stored column is float32. `tasks` are the
    dataset's, `start` is the episode's first global index.
    """
    count = len(rows)
    captured = np.array([row.captured for row in rows], np.float64).reshape(count, len(cameras)) - rows[0].t
    made: dict[str, Column] = {
        ACTION: np.array([row.action for row in rows], np.float32),
        STATE: np.array([row.state for row in rows], np.float32),
        REQUESTED: np.array([row.requested for row in rows], np.float32),
        INTERVENTION: np.array([row.source == "human" for row in rows]),
        SOURCE: [row.source for row in rows],
        FLAGS: [",".join(row.flags) for row in rows],
        SEQ: np.array([row.seq for row in rows], np.int64),
    }
    made |= {CAPTURE_TIME + name: captured[:, place] for place, name in enumerate(cameras)}
    places = {task: index for index, task in enumerate(tasks)}
    frame = np.arange(count, dtype=np.int64)
    return made | {
        "timestamp": frame / fps,
        "frame_index": frame,
        "episode_index": np.full(count, episode, np.int64),
        "index": frame + start,
        "task_index": np.array([places[row.task] for row in rows], np.int64),
    }


def table(
    made: Mapping[str, Column], features: Mapping[str, Entry], images: Mapping[str, Sequence[bytes]] = {}
) -> pa.Table:
    """The data file of one episode; `images` are the encoded pictures of features that are no videos."""
    schema = arrow_schema(features)
    cells = {
        key: [{"bytes": data, "path": f"frame-{index:06d}.png"} for index, data in enumerate(pictures)]
        for key, pictures in images.items()
    }
    arrays = [
        pa.array(cells[field.name], field.type) if field.name in cells else _arrow(made[field.name], field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _arrow(values: Column, kind: pa.DataType) -> pa.Array:
    if not pa.types.is_fixed_size_list(kind):
        return pa.array(values if isinstance(values, list) else values.reshape(-1), kind)
    flat = pa.array(np.asarray(values).reshape(-1), kind.value_type)
    return pa.FixedSizeListArray.from_arrays(flat, type=kind)
