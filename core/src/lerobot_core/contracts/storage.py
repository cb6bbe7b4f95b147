"""Storage: where episodes go, and how they are read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ..types import Features, Outcome, Problem, Step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Ticket(Protocol):
    """The promise of one saved episode."""

    @property
    def done(self) -> bool:
        """True once the episode survives kill -9 and power loss."""

    @property
    def error(self) -> Exception | None:
        """Why it could not be made durable."""

    def wait(self, timeout: float | None = None) -> bool:
        """Block until done or failed, at most `timeout` seconds; for exit paths, never for the loop."""


@runtime_checkable
class Storage(Protocol):
    """Written by the loop's thread only; none of the calls made inside the loop blocks on disk or encoder."""

    def open(
        self, observation: Features, action: Features, fps: float, robot_type: str, task: str, resume: bool
    ) -> None:
        """Create the dataset, or with `resume` repair and continue it.

        Raises:
            StorageError: it exists, is locked (naming the holder), has other features, or cannot be written.
        """

    def add_frame(self, step: Step) -> None:
        """Append one row to the episode being recorded; arrays may be reused by the caller at once."""

    def save_episode(self, outcome: Outcome = "none") -> Ticket:
        """Close the episode and start the next one at once."""

    def discard_episode(self) -> None:
        """Forget the episode being recorded, and what is buffered; buffering goes on."""

    def buffer(self, seconds: float, max_bytes: int) -> None:
        """Keep only the last `seconds` of what is added, encoded, until `commit_buffer`."""

    def commit_buffer(self) -> None:
        """What is buffered becomes the beginning of the episode; recording goes on in the same stream."""

    def rotate_due(self) -> bool:
        """True when the episode has reached the target file size and a continuous recorder should save it."""

    def finalize(self) -> None:
        """Wait for every ticket, compact, release the lock. Idempotent."""

    def push(self, dry_run: bool = False) -> str:
        """Publish; returns where. Never implied by recording."""

    def stats(self) -> dict[str, Any]:
        """The summary's `dataset` block: root, repo_id, codec, episodes, frames, discarded, bytes, save_ms{p50,max}."""


class EpisodeInfo(Protocol):
    """What is known of one episode."""

    @property
    def length(self) -> int:
        """Rows."""

    @property
    def tasks(self) -> Sequence[str]:
        """Instructions used in it."""

    @property
    def outcome(self) -> Outcome:
        """The operator's label."""


@runtime_checkable
class Reader(Protocol):
    """Random access to a dataset."""

    @property
    def root(self) -> Path:
        """The folder."""

    @property
    def fps(self) -> float:
        """Rows a second."""

    @property
    def robot_type(self) -> str:
        """`peer_name` of the robot it was recorded on."""

    @property
    def tasks(self) -> Sequence[str]:
        """By task index."""

    @property
    def fingerprint(self) -> str:
        """Changes when features or contents do."""

    @property
    def observation(self) -> Features:
        """By robot key."""

    @property
    def action(self) -> Features:
        """By robot key."""

    @property
    def episodes(self) -> Sequence[EpisodeInfo]:
        """By episode index."""

    def actions(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, A)."""

    def states(self, episode: int) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and float32 (T, S)."""

    def frames(self, index: int, deltas: Mapping[str, Sequence[float]] | None = None) -> dict[str, Any]:
        """One row by global index and dataset key (`observation.state`, `observation.images.front`, `action`, `task`).

        With `deltas` (dataset key -> seconds) the value is stacked along time, and `<key>_is_pad` says what repeats.
        """

    def close(self) -> None:
        """Close cached files. Idempotent."""


class StorageTools(Protocol):
    """What a storage offers besides writing; found on `StorageSpec`."""

    def reader(self, root: str | Path, revision: str | None = None) -> Reader:
        """Open for reading, by folder or repository id."""

    def repair(self, root: str | Path) -> list[Problem]:
        """Bring a crashed dataset back; returns what was done, empty when nothing was needed."""
