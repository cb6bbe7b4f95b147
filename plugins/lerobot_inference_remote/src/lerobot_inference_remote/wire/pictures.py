"""Camera images on the wire: JPEG, or the pixels themselves. RGB on both sides, always."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import msgspec

from .errors import WireError

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Image: TypeAlias = NDArray[np.uint8]

RAW = 0
"""`jpeg_quality` for the pixels themselves."""


class Picture(msgspec.Struct):
    """One image; `codec` is `jpeg` or `raw`, `shape` (H, W, 3) is needed by `raw`, and checked for both."""

    codec: Literal["jpeg", "raw"]
    shape: tuple[int, int, int]
    data: bytes


def pack(image: Image, quality: int) -> Picture:
    """uint8 (H, W, 3) RGB; `quality` 1..100, or `RAW`.

    Raises:
        WireError: it is something else.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype.str != "|u1":
        raise WireError("picture type", f"{image.dtype} {image.shape}")
    height, width, channels = image.shape
    data = image.tobytes() if quality == RAW else _jpeg(image, quality)
    return Picture("raw" if quality == RAW else "jpeg", (height, width, channels), data)


def _jpeg(image: Image, quality: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=quality)
    return out.getvalue()


def unpack(picture: Picture, shape: tuple[int, ...]) -> Image:
    """uint8 (H, W, 3) RGB of exactly the shape that was agreed; nothing larger is ever decoded.

    Raises:
        WireError: another size, or no picture.
    """
    import numpy as np

    if tuple(picture.shape) != tuple(shape):
        raise WireError("picture size", f"{picture.shape} for {shape}")
    if picture.codec == "jpeg":
        return _pixels(picture.data, (shape[1], shape[0]))
    if len(picture.data) != shape[0] * shape[1] * shape[2]:
        raise WireError("picture bytes", str(len(picture.data)))
    return np.frombuffer(picture.data, np.uint8).reshape(shape)


def _pixels(data: bytes, size: tuple[int, int]) -> Image:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            found = (image.size, image.mode)
            pixels = np.asarray(image) if found == (size, "RGB") else None
    except Exception as error:  # a decoder fed by strangers raises what it likes: OSError, SyntaxError, struct.error, …
        raise WireError("picture bytes", str(error)) from error
    if pixels is None:
        raise WireError("picture size", f"{found} for {size}")
    return pixels


def preload() -> None:
    """Import the codec now and not with the first picture, which would be 0.2 s late."""
    import numpy as np

    blank = np.zeros((8, 8, 3), np.uint8)
    unpack(pack(blank, 90), blank.shape)
