"""Pictures of another size than the network's: cropped, then scaled with antialiasing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lerobot_core.errors import ContractError
from torch import Tensor
from torch.nn import functional

from .basic import is_picture
from .step import Batch, Step


class Resize(Step):
    """Every picture of an observation as high and wide as the network wants it.

    Args:
        crop_params_dict: key of a picture -> what is cut out of it first, (top, left, height, width) in pixels.
        resize_size: (height, width); None leaves the size alone.

    Raises:
        ContractError: a size or a crop is none.
    """

    name = "image_crop_resize_processor"

    def __init__(
        self,
        crop_params_dict: Mapping[str, Sequence[int]] | None = None,
        resize_size: Sequence[int] | None = None,
    ) -> None:
        self.crops = {key: _numbers(f"crop of {key}", crop, 4) for key, crop in (crop_params_dict or {}).items()}
        self.size = _numbers("resize_size", resize_size, 2) if resize_size is not None else None
        if self.size is not None and min(self.size) < 1:
            raise ContractError(f"resize_size is {list(self.size)}", "(height, width), at least one pixel each")

    def __call__(self, batch: Batch) -> Batch:
        """Pictures (…, C, H, W) -> (…, C, h, w) float in 0..1; one that has the size already is left as it is."""
        return {
            key: self._sized(key, value) if is_picture(key) and isinstance(value, Tensor) and value.dim() > 2 else value
            for key, value in batch.items()
        }

    def _sized(self, key: str, image: Tensor) -> Tensor:
        if key in self.crops:
            top, left, height, width = self.crops[key]
            if top + height > image.shape[-2] or left + width > image.shape[-1]:
                raise ContractError(f"{key} is {tuple(image.shape[-2:])}, too small for its crop {self.crops[key]}")
            image = image[..., top : top + height, left : left + width]
        return image if self.size is None else resized(image, (self.size[0], self.size[1]))

    def config(self) -> dict[str, Any]:
        """`crop_params_dict`, `resize_size`."""
        crops = {key: list(crop) for key, crop in self.crops.items()} or None
        return {"crop_params_dict": crops, "resize_size": list(self.size) if self.size else None}


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures (…, C, H, W), float in 0..1 or uint8, as (…, C, h, w): bilinear with antialiasing, as the format means.

    Without antialiasing a picture shrunk five times would be a sample of every fifth pixel: what is thin flickers.
    """
    if tuple(image.shape[-2:]) == size:
        return image
    flat = image.reshape(-1, *image.shape[-3:])
    return functional.interpolate(flat, size, mode="bilinear", antialias=True).reshape(*image.shape[:-2], *size)


def _numbers(what: str, values: Sequence[int], count: int) -> tuple[int, ...]:
    if len(values) != count or any(not isinstance(value, int) or value < 0 for value in values):
        raise ContractError(f"{what} is {list(values)}", f"it must be {count} whole numbers of pixels")
    return tuple(values)
