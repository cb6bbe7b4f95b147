"""The fake storage's file: one JSON object a line; a header, rows, and a line that ends each episode."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ..errors import StorageError
from ..types import Feature, Features, Observation, Outcome, Step

NAME = "rows.jsonl"


class Header(NamedTuple):
    """The first line."""

    fps: float
    robot_type: str
    observation: Features
    action: Features


class RowFile:
    """Appends rows; what follows the last end-of-episode line does not count."""

    def __init__(self, root: Path, header: Header, resume: bool) -> None:
        self.path = root / NAME
        if root.exists() and any(root.iterdir()) and not resume:
            raise StorageError(f"{root} is not empty", "recording there would mix two datasets", "add --resume")
        root.mkdir(parents=True, exist_ok=True)
        fresh = not self.path.exists()
        self._file: BinaryIO = self.path.open("ab" if fresh else "r+b")
        self._lock()
        if fresh:
            self._line(_header_to_json(header))
            self._keep = self._file.tell()
        else:
            self._keep = self._continue(header)
        self.rewind()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.tell() if not self._file.closed else self.path.stat().st_size

    def add(self, step: Step) -> None:
        """One row."""
        self._line(_step_to_json(step))

    def end(self, outcome: Outcome) -> None:
        """The rows so far are an episode."""
        self._line({"outcome": outcome})
        self._file.flush()
        self._keep = self._file.tell()

    def rewind(self) -> None:
        """Forget the rows since the last `end`."""
        self._file.seek(self._keep)
        self._file.truncate()

    def close(self) -> None:
        """Forget an unfinished episode and close."""
        self.rewind()
        self._file.close()

    def _lock(self) -> None:
        import fcntl  # POSIX only

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise StorageError(
                f"{self.path.parent} is being written by somebody else", "", "end that run first"
            ) from None

    def _line(self, value: dict[str, Any]) -> None:
        self._file.write(json.dumps(value).encode() + b"\n")

    def _continue(self, header: Header) -> int:
        found, _ = load(self.path)
        if found != header:
            self._file.close()
            raise StorageError(f"{self.path.parent} was recorded with other features", f"{found} is not {header}")
        return complete_bytes(self.path)


def complete_bytes(path: Path) -> int:
    """How many bytes of the file are whole episodes (and the header)."""
    keep = position = 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            position += len(line)
            if line.endswith(b"\n") and (number == 0 or line.startswith(b'{"outcome"')):
                keep = position
    return keep


def load(path: Path) -> tuple[Header, list[tuple[list[Step], Outcome]]]:
    """The header and every whole episode as (rows, outcome).

    Raises:
        StorageError: there is no such file.
    """
    if not path.is_file():
        raise StorageError(f"no fake dataset at {path.parent}", f"{path} is not there")
    lines = path.read_bytes()[: complete_bytes(path)].splitlines()
    episodes: list[tuple[list[Step], Outcome]] = []
    steps: list[Step] = []
    for line in map(json.loads, lines[1:]):
        if "outcome" in line:
            episodes.append((steps, line["outcome"]))
            steps = []
        else:
            steps.append(_step_from_json(line))
    return _header_from_json(json.loads(lines[0])), episodes


def _header_to_json(header: Header) -> dict[str, Any]:
    features = {
        side: {key: dataclasses.asdict(feature) for key, feature in getattr(header, side).items()}
        for side in ("observation", "action")
    }
    return {"fps": header.fps, "robot_type": header.robot_type, **features}


def _header_from_json(line: dict[str, Any]) -> Header:
    sides = [
        {key: Feature(**{**feature, "shape": tuple(feature["shape"])}) for key, feature in line[side].items()}
        for side in ("observation", "action")
    ]
    return Header(line["fps"], line["robot_type"], *sides)


def _step_to_json(step: Step) -> dict[str, Any]:
    observation = {
        key: [list(value.shape), base64.b64encode(value.tobytes()).decode()]
        if isinstance(value, np.ndarray)
        else float(value)
        for key, value in step.observation.items()
    }
    return {
        "index": step.index,
        "t": step.t,
        "task": step.task,
        "observation": observation,
        "action": step.sent,
        "requested_action": step.requested,
        "source": step.source,
        "captured": step.observation.captured,
        "flags": sorted(step.observation.flags),
        "late": step.late,
    }


def _step_from_json(line: dict[str, Any]) -> Step:
    values = {key: value if isinstance(value, float) else _image(*value) for key, value in line["observation"].items()}
    observation = Observation(values, line["t"], line["captured"], set(line["flags"]))
    return Step(
        index=line["index"],
        t=line["t"],
        observation=observation,
        requested=line["requested_action"],
        sent=line["action"],
        source=line["source"],
        task=line["task"],
        late=line["late"],
    )


def _image(shape: list[int], data: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(shape)
