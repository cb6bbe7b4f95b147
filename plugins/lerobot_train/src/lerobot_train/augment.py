"""Random changes of images, for a whole batch at once and wherever the network is.

What happens to an image is a pure function of the seed, its sample's place in the stream and its camera: the same after
a resume, with other workers, on another number of processes. Brightness, saturation and hue are one linear map of
colours, to which contrast adds an offset; rotation and shift are one resampling.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .config import TransformsConfig
from .order import mix, mix_all

Draws = NDArray[np.float64]
KINDS = ("brightness", "contrast", "saturation", "hue", "sharpness", "affine", "noise")

_GREY = (0.2989, 0.587, 0.114)
"""ITU-R BT.601: the eye's share of each colour."""
_TO_YIQ = torch.tensor([[*_GREY], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_BLUR = torch.tensor([[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]) / 13
_PER_KIND = 4


class Augment:
    """Changes of images.

    Args:
        config: which, and how far.
        seed: of the run.
    """

    def __init__(self, config: TransformsConfig, seed: int) -> None:
        self._config, self._seed = config, seed
        self._kinds = [kind for kind in KINDS if getattr(config, kind) is not None]

    def __call__(self, images: Mapping[str, Tensor], places: Tensor) -> dict[str, Tensor]:
        """Images (B, …, C, H, W) in 0..1, changed; those of one sample over time alike."""
        return {
            key: self._changed(image, uniform(mix(self._seed) ^ mix(camera), places.cpu().numpy(), self._count))
            for camera, (key, image) in enumerate(images.items())
        }

    @property
    def _count(self) -> int:
        return len(KINDS) * (_PER_KIND + 1)

    def _changed(self, image: Tensor, draws: Draws) -> Tensor:
        chosen = self._chosen(draws[:, : len(self._kinds)])
        values = draws[:, len(KINDS) :].reshape(len(draws), len(KINDS), _PER_KIND)
        over_time = image.numel() // (len(draws) * int(np.prod(image.shape[-3:])))
        flat = image.reshape(-1, *image.shape[-3:])
        spread = {kind: (np.repeat(chosen[kind], over_time), np.repeat(values[:, KINDS.index(kind)], over_time, axis=0))
                  for kind in self._kinds}  # fmt: skip
        return self._apply(flat, spread).clamp(0, 1).reshape(image.shape)

    def _chosen(self, draws: Draws) -> dict[str, NDArray[np.bool_]]:
        """Which kinds each sample gets: so many of them, all equally likely."""
        ranks = np.argsort(np.argsort(draws, axis=1), axis=1)
        return {kind: ranks[:, index] < self._config.max_num_transforms for index, kind in enumerate(self._kinds)}

    def _apply(self, image: Tensor, spread: Mapping[str, tuple[NDArray[np.bool_], Draws]]) -> Tensor:
        factors = {kind: self._factor(kind, *each) for kind, each in spread.items()}
        if image.shape[1] == 3 and {"brightness", "contrast", "saturation", "hue"} & factors.keys():
            image = _coloured(image, factors)
        if "sharpness" in factors and spread["sharpness"][0].any():
            image = _sharpened(image, factors["sharpness"])
        if "affine" in spread and spread["affine"][0].any():
            image = self._moved(image, *spread["affine"])
        if "noise" in spread and spread["noise"][0].any():
            image = _noisy(image, factors["noise"] / 255, spread["noise"][1])
        return image

    def _factor(self, kind: str, chosen: NDArray[np.bool_], draws: Draws) -> NDArray[np.float64]:
        low, high = getattr(self._config, kind)
        neutral = 0.0 if kind in ("hue", "noise") else 1.0
        return np.where(chosen, low + (high - low) * draws[:, 0], neutral)

    def _moved(self, image: Tensor, chosen: NDArray[np.bool_], draws: Draws) -> Tensor:
        degrees, shift = self._config.affine or (0.0, 0.0)
        signed = 2 * draws[:, :3] - 1
        which = torch.from_numpy(np.flatnonzero(chosen)).to(image.device)
        theta = _theta(np.deg2rad(degrees * signed[chosen, 0]), 2 * shift * signed[chosen, 1:], image.shape[-2:])
        part = image[which]
        grid = functional.affine_grid(theta.to(image.device, image.dtype), list(part.shape), align_corners=False)
        image = image.clone()
        image[which] = functional.grid_sample(part, grid, padding_mode="border", align_corners=False)
        return image


def uniform(key: int, places: NDArray[np.int64], count: int) -> Draws:
    """(len(places), count) numbers in 0..1 that follow from the key and the places."""
    rows = mix_all(places.astype(np.uint64) ^ np.uint64(key))
    columns = mix_all(np.arange(count, dtype=np.uint64))
    bits: NDArray[np.uint64] = mix_all(rows[:, None] ^ columns[None, :])
    return (bits >> np.uint64(11)).astype(np.float64) / 2**53


def _coloured(image: Tensor, factors: Mapping[str, NDArray[np.float64]]) -> Tensor:
    """(B, 3, H, W) through each image's own linear map of colours and offset."""
    count, like = len(image), image
    ones = np.ones(count)
    hue = 2 * np.pi * factors.get("hue", np.zeros(count))
    turn = np.zeros((count, 3, 3))
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = np.cos(hue)
    turn[:, 2, 1], turn[:, 1, 2] = np.sin(hue), -np.sin(hue)
    turn[:, 1:, 1:] *= factors.get("saturation", ones)[:, None, None]
    scale = factors.get("brightness", ones) * factors.get("contrast", ones)
    yiq = _TO_YIQ.double()
    matrix = torch.linalg.inv(yiq) @ torch.from_numpy(turn * scale[:, None, None]) @ yiq
    grey = (image.mean((-2, -1)) * torch.tensor(_GREY, device=like.device)).sum(1)
    bright, contrast = factors.get("brightness", ones), factors.get("contrast", ones)
    offset = grey * torch.from_numpy(bright * (1 - contrast)).to(like.device, like.dtype)
    mapped = torch.einsum("bij,bjhw->bihw", matrix.to(like.device, like.dtype), image)
    return mapped + offset[:, None, None, None]


def _sharpened(image: Tensor, factor: NDArray[np.float64]) -> Tensor:
    """Away from, or towards, a blurred copy."""
    channels = image.shape[1]
    kernel = _BLUR.to(image.device, image.dtype).expand(channels, 1, 3, 3)
    blurred = functional.conv2d(functional.pad(image, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels)
    weight = torch.from_numpy(factor).to(image.device, image.dtype)[:, None, None, None]
    return torch.lerp(blurred, image, weight)


def _theta(angle: NDArray[np.float64], shift: NDArray[np.float64], size: torch.Size) -> Tensor:
    """(n, 2, 3) for `affine_grid`, angles true on images that are not square."""
    height, width = size
    cos, sin = np.cos(angle), np.sin(angle)
    rows = [[cos, -sin * height / width, shift[:, 0]], [sin * width / height, cos, shift[:, 1]]]
    return torch.from_numpy(np.stack([np.stack(row, -1) for row in rows], -2))


def _noisy(image: Tensor, deviation: NDArray[np.float64], draws: Draws) -> Tensor:
    noise = torch.empty_like(image)
    for index in np.flatnonzero(deviation):
        generator = torch.Generator(image.device).manual_seed(int(draws[index, 1] * 2**53))
        noise[index].normal_(generator=generator)
    return (
        image + noise.nan_to_num_(0.0) * torch.from_numpy(deviation).to(image.device, image.dtype)[:, None, None, None]
    )
