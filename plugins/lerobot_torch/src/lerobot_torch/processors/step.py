"""One step of a checkpoint's processors.

A batch is a flat dictionary: `observation.*`, `action`, `<key>_is_pad`, `task` and whatever else a dataset's row has.
A step returns another one and leaves its input as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor

Batch = dict[str, Any]
State = Mapping[str, Tensor]


class Step:
    """Base of every step; subclasses take their configuration as keyword arguments.

    Attributes:
        name: as in the checkpoint's JSON.
    """

    name: ClassVar[str] = ""

    def __call__(self, batch: Batch) -> Batch:
        """The batch after this step."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """What the JSON keeps, keys in the peer's order."""
        return {}

    def state(self) -> dict[str, Tensor]:
        """What its state file keeps; empty: it has none."""
        return {}

    def artifacts(self) -> dict[str, Path]:
        """Folders that belong to it, by the option they stand for; a checkpoint takes a copy of each."""
        return {}

    def inverse(self) -> Step | None:
        """The step that takes an action back through this one; None where nothing is to be undone."""
        return None

    def moved(self, device: str) -> Step:
        """The same step for a network on `device`."""
        return self

    def pair(self, before: list[Step]) -> None:
        """Find, among the steps on the other side of the network, the one this step undoes."""

    @classmethod
    def read(cls, config: Mapping[str, Any], state: State, artifacts: Mapping[str, Path]) -> Step:
        """From a checkpoint: its configuration, its state and its folders."""
        return cls(**config)
