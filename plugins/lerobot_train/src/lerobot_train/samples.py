"""A dataset's rows as training samples: the numbers a policy wants over time, images decoded, made small and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lerobot_core.features import is_image
from lerobot_storage_v3.reader import LerobotReader, offsets
from lerobot_torch.processors.resize import resized
from numpy.typing import NDArray
from torch import Tensor

from .frame_cache import FrameCache
from .rows import Rows

PLACE = "place"
"""Key of a sample's place in the stream."""


@dataclass(frozen=True)
class Wanted:
    """What a sample holds.

    Attributes:
        numbers: features that are not images.
        images: features that are.
        deltas: feature -> seconds from the row, for what is wanted over time.
        size: (H, W) of images; None as recorded.
    """

    numbers: tuple[str, ...]
    images: tuple[str, ...]
    deltas: Mapping[str, Sequence[float]]
    size: tuple[int, int] | None = None


class Samples(torch.utils.data.Dataset[dict[str, Any]]):
    """Samples by (place in the stream, number of the row); a place seeds what is random about its sample.

    Images are uint8 (H, W, C), with a leading time where deltas name them; numbers have their own dtype.

    Args:
        reader: the dataset.
        rows: which of its rows are samples.
        wanted: what to read of them.
        cache: where decoded images are kept; None: nowhere.
    """

    def __init__(
        self,
        reader: LerobotReader,
        rows: Rows,
        wanted: Wanted,
        cache: FrameCache | None = None,
    ) -> None:
        self.reader, self.rows, self.wanted, self.cache = reader, rows, wanted, cache
        self._deltas = {key: value for key, value in wanted.deltas.items() if key in wanted.numbers}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, at: tuple[int, int]) -> dict[str, Any]:
        place, number = at
        index = self.rows.index(number)
        row = self.reader.frames(index, self._deltas, only=(*self.wanted.numbers, "episode_index", "frame_index"))
        found: dict[str, Any] = {key: _plain(value) for key, value in row.items()}
        for key in self.wanted.images:
            found |= self._images(key, index)
        return found | {PLACE: place, "index": index}

    def _images(self, key: str, index: int) -> dict[str, Any]:
        episode = self.reader.episodes.episode_of(index)
        start, stop = int(self.reader.episodes.starts[episode]), int(self.reader.episodes.stops[episode])
        seconds = self.wanted.deltas.get(key)
        if seconds is None:
            return {key: self._frames(key, episode, [index], start)[0]}
        wanted = index + offsets(seconds, int(self.reader.fps), 1e-4, key)
        shown = np.clip(wanted, start, stop - 1)
        images = np.stack(self._frames(key, episode, shown.tolist(), start))
        return {key: images, f"{key}_is_pad": (wanted < start) | (wanted >= stop)}

    def _frames(self, key: str, episode: int, indices: Sequence[int], start: int) -> list[NDArray[np.uint8]]:
        kept = {index: self.cache.get(key, index) for index in indices} if self.cache else dict.fromkeys(indices)
        missing = [index for index, image in kept.items() if image is None]
        if missing:
            pictures = self.reader.pictures(episode, key, [index - start for index in missing])
            for index, picture in zip(missing, pictures, strict=True):
                small = shrunk(picture, self.wanted.size)
                kept[index] = small
                if self.cache is not None:
                    self.cache.put(key, index, small)
        return [image for index in indices if (image := kept[index]) is not None]


def _plain(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, np.ndarray | np.generic) else value


def shrunk(image: NDArray[np.uint8], size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """uint8 (H, W, C) at (h, w), as the checkpoint's own step does it."""
    if size is None or image.shape[:2] == size:
        return image
    # A copy: torch will not share memory that is read-only.
    small = resized(torch.from_numpy(np.array(image)).permute(2, 0, 1), size)
    return np.ascontiguousarray(small.permute(1, 2, 0).numpy())


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch: images uint8 (B, …, H, W, C) still channels last, numbers stacked, text as a list."""
    return {key: _stacked([sample[key] for sample in samples]) for key in samples[0]}


def _stacked(values: list[Any]) -> Any:
    if isinstance(values[0], Tensor):
        return torch.stack(values)
    if isinstance(values[0], np.ndarray):
        return torch.from_numpy(np.stack(values))
    return torch.tensor(values) if isinstance(values[0], int | float) else values


def on_device(batch: Mapping[str, Any], images: Sequence[str], device: torch.device) -> dict[str, Any]:
    """Images as float (B, …, C, H, W) in 0..1, channels last in memory; scaled where the network is."""
    found: dict[str, Any] = {}
    for key, value in batch.items():
        if isinstance(value, Tensor):
            value = value.to(device, non_blocking=device.type == "cuda")
        found[key] = value.movedim(-1, -3).float().div_(255) if key in images else value
    return found


def image_features(reader: LerobotReader) -> list[str]:
    """Dataset keys of images."""
    return [key for key, entry in reader.info.features.items() if is_image(entry)]
