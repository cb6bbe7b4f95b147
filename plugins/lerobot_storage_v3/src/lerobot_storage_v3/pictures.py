"""Pictures kept in the rows themselves (dtype `image`): encoded bytes, or a path beside the dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
from lerobot_core.errors import StorageError
from numpy.typing import NDArray

_CODECS = {b"\x89PNG": "png", b"\xff\xd8\xff": "mjpeg", b"II*\x00": "tiff", b"MM\x00*": "tiff", b"RIFF": "webp"}
# 16-bit and float greys are depth maps; everything else is shown as colour.
_GREYS = {"gray16le": "gray16le", "gray16be": "gray16le", "grayf32le": "grayf32le", "grayf32be": "grayf32le"}


def decode(data: bytes, where: str) -> NDArray[np.generic]:
    """Encoded bytes -> uint8 (H, W, 3), or uint16/float32 (H, W, 1) of a depth map.

    Raises:
        StorageError: an unknown or damaged encoding; `where` names the row.
    """
    codec = next((name for magic, name in _CODECS.items() if data.startswith(magic)), None)
    if codec is None:
        raise StorageError(f"{where}: the picture is of no known kind", f"it begins with {data[:4]!r}")
    try:
        context = av.CodecContext.create(codec, "r")
        assert isinstance(context, av.VideoCodecContext)
        frame = (context.decode(av.Packet(data)) or context.decode(None))[0]
    except (av.FFmpegError, IndexError) as error:
        raise StorageError(f"{where}: the picture is damaged", str(error)) from error
    grey = _GREYS.get(frame.format.name)
    array: NDArray[np.generic] = frame.to_ndarray(format=grey or "rgb24")
    return np.atleast_3d(array) if grey else array


def load(cell: Mapping[str, Any], root: Path, where: str) -> NDArray[np.generic]:
    """One cell `{"bytes", "path"}` of an image column as an array; see `decode`.

    Raises:
        StorageError: it has neither bytes nor a file inside the dataset.
    """
    data = cell.get("bytes")
    if data is None:
        path = (root / str(cell.get("path"))).resolve()
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            raise StorageError(
                f"{where}: the picture is missing", f"no bytes, and {cell.get('path')!r} is no file of the dataset"
            )
        data = path.read_bytes()
    return decode(data, where)
