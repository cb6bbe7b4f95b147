"""The row journal: rows of an unfinished episode, one record a row, readable up to where a crash cut it off."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from .durability import DurableFile
from .faults import NONE, Faults
from .rows import Row

JOURNAL = "rows.journal"
_HEADER = struct.Struct("<II")  # length and CRC-32 of what follows
_ENCODER = msgspec.msgpack.Encoder()
_CAMERAS, _ROW_OR_OUTCOME = msgspec.msgpack.Decoder(list[str]), msgspec.msgpack.Decoder(Row | str)
_MOST = 1 << 20  # no record is longer; a larger length is damage


class Journal:
    """Appends rows; each is with the operating system when `add` returns, so kill -9 loses none.

    Args:
        cameras: image keys in the order of each row's capture times; the first record.
    """

    def __init__(self, path: Path, cameras: Sequence[str], faults: Faults = NONE) -> None:
        self._file = DurableFile(path, faults)
        self._write(_ENCODER.encode(list(cameras)))

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._file.size

    def add(self, row: Row) -> None:
        """One record, in one write."""
        self._write(_ENCODER.encode(row))

    def end(self, outcome: str) -> None:
        """The last record: the episode is complete, and how it went."""
        self._write(_ENCODER.encode(outcome))

    def _write(self, payload: bytes) -> None:
        self._file.write(_HEADER.pack(len(payload), zlib.crc32(payload)) + payload)

    def close(self) -> None:
        """Idempotent."""
        self._file.close()


def read_journal(path: Path) -> tuple[list[str], list[Row], str]:
    """Image keys, rows and outcome (`none` for an episode that had not ended).

    The whole records from the beginning; what follows a torn one is not looked at. A missing file has none.
    """
    payloads = _payloads(path.read_bytes() if path.exists() else b"")
    try:
        cameras = _CAMERAS.decode(next(payloads))
        records = [_ROW_OR_OUTCOME.decode(payload) for payload in payloads]
    except (StopIteration, msgspec.DecodeError):
        return [], [], "none"
    ends = [record for record in records if isinstance(record, str)]
    return cameras, [record for record in records if isinstance(record, Row)], ends[-1] if ends else "none"


def _payloads(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER.size <= len(data):
        length, checksum = _HEADER.unpack_from(data, at)
        payload = data[at + _HEADER.size : at + _HEADER.size + length]
        if length > _MOST or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield payload
        at += _HEADER.size + length
