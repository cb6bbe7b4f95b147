"""Pictures without an imaging library: as coloured blocks in a terminal, as PNG, as one page of HTML."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UPPER_HALF = "▀"
_RESET = "\x1b[0m"


def blocks(image: NDArray[np.uint8], width: int, true_colour: bool) -> Iterator[str]:
    """Lines of at most `width` columns; a character is two pixels, one above the other.

    Args:
        image: (H, W, 3) RGB.
        width: columns.
        true_colour: the terminal shows 24-bit colours; else its palette of 256 is used.
    """
    step = max(1, -(-image.shape[1] // width))
    rows, columns = image.shape[0] // step // 2 * 2, image.shape[1] // step
    cut = image[: rows * step, : columns * step].reshape(rows, step, columns, step, 3)
    small = cut.mean(axis=(1, 3)).round().astype(int)
    code = _true if true_colour else _palette
    for upper, lower in zip(small[::2], small[1::2], strict=True):
        pairs = zip(upper, lower, strict=True)
        yield "".join(f"\x1b[38;{code(a)};48;{code(b)}m{_UPPER_HALF}" for a, b in pairs) + _RESET


def _true(pixel: Any) -> str:
    return "2;{};{};{}".format(*pixel)


def _palette(pixel: Any) -> str:
    """The nearest of the 6 x 6 x 6 colours that begin at 16."""
    red, green, blue = (round(int(channel) / 51) for channel in pixel)
    return f"5;{16 + 36 * red + 6 * green + blue}"


def png(image: NDArray[np.uint8]) -> bytes:
    """A PNG file of an (H, W, 3) RGB picture."""
    height, width = image.shape[:2]
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = image.reshape(height, width * 3)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def page(title: str, pictures: Mapping[str, NDArray[np.uint8]]) -> str:
    """HTML that needs nothing beside it: each picture under its caption."""
    figures = (
        f'<figure><img alt="" src="data:image/png;base64,{base64.b64encode(png(image)).decode()}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, image in pictures.items()
    )
    style = "body{font:16px sans-serif;margin:2em}figure{display:inline-block;margin:0 2em 2em 0}img{max-width:100%}"
    head = f'<!doctype html><meta charset="utf-8"><title>{html.escape(title)}</title><style>{style}</style>'
    return "\n".join([head, f"<h1>{html.escape(title)}</h1>", *figures, ""])
