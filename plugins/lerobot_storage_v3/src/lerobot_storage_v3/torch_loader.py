"""A torch `Dataset` over a reader; the one module here that imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from lerobot_core.features import is_image

from . import depth
from .reader import LerobotReader

Deltas = Mapping[str, Sequence[float]]
Transforms = Callable[[torch.Tensor], torch.Tensor]


class TorchDataset(torch.utils.data.Dataset[dict[str, Any]]):
    """Rows as tensors, keyed, shaped and scaled as a peer's training loop expects them.

    Images are (C, H, W) float32 in [0, 1], or uint8 with `uint8`; depth is float32 (1, H, W) millimetres; numbers have
    their own dtype, scalars no dimension; `task` and text stay strings. With deltas a value gains a first dimension
    (a video asked for at a single time does not) and `<key>_is_pad` says which rows lie outside the episode.

    Args:
        reader: the dataset; closed by whoever opened it.
        deltas: feature -> seconds from the row.
        transforms: applied to every colour image, after scaling.
        episodes: only these.
        uint8: leave images as bytes: a quarter of the traffic between worker processes; scale them on the GPU.

    Raises:
        ContractError: a delta names no feature or is no whole number of rows; at the first item.
    """

    def __init__(
        self,
        reader: LerobotReader,
        deltas: Deltas | None = None,
        transforms: Transforms | None = None,
        episodes: Sequence[int] | None = None,
        uint8: bool = False,
    ) -> None:
        self.reader, self.transforms, self.uint8 = reader, transforms, uint8
        self.deltas = dict(deltas or {})
        chosen = range(len(reader.episodes)) if episodes is None else episodes
        self._lengths = np.cumsum([0, *(int(reader.episodes.lengths[number]) for number in chosen)])
        self._starts = np.array([int(reader.episodes.starts[number]) for number in chosen], np.int64)
        self._colour = [key for key in reader.info.image_keys if not depth.is_depth(reader.info.features[key])]

    def __len__(self) -> int:
        return int(self._lengths[-1])

    def __getitem__(self, position: int) -> dict[str, Any]:
        row = range(len(self))[position]
        episode = int(np.searchsorted(self._lengths, row, side="right")) - 1
        return self.item(int(self._starts[episode]) + row - int(self._lengths[episode]))

    def item(self, index: int) -> dict[str, Any]:
        """The row with global frame index `index`."""
        row = self.reader.frames(index, self.deltas)
        return {key: self._tensor(key, value) for key, value in row.items()}

    def _tensor(self, key: str, value: Any) -> Any:
        if not isinstance(value, np.ndarray | np.generic):
            return value
        entry = self.reader.info.features.get(key)
        if entry is None or not is_image(entry):
            return torch.as_tensor(value)
        assert isinstance(value, np.ndarray)
        if entry["dtype"] == "video" and value.ndim == 4 and len(value) == 1:
            value = value[0]
        return self._image(key, value)

    def _image(self, key: str, value: np.ndarray[Any, Any]) -> torch.Tensor:
        # A view: the copy into (C, H, W) happens once, where a batch is stacked.
        image = torch.from_numpy(value).movedim(-1, -3)
        if key not in self._colour:
            return image.float()
        if not self.uint8:
            image = image.to(torch.float32).div_(255)
        return self.transforms(image) if self.transforms is not None else image
