"""Messages between the run, the world and the drawing process: msgpack behind a length, over a socket pair."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

import msgspec

LIMIT = 64 << 20
"""Bytes a message may have; the longest there is, a full log of goals, has a tenth of it."""
_LENGTH = struct.Struct("<I")
_MOST_FDS = 4


class Gone(Exception):
    """The other process has ended, or speaks something else."""


class Channel:
    """One end of a socket pair. Files can be handed over along with a message.

    Args:
        sock: a connected Unix stream socket.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._files: list[int] = []

    def fileno(self) -> int:
        """For `select`."""
        return self._sock.fileno()

    def send(self, message: Any, files: Sequence[int] = ()) -> None:
        """Send one message.

        Raises:
            Gone: nobody is there to read it.
        """
        body = msgspec.msgpack.encode(message)
        data = _LENGTH.pack(len(body)) + body
        try:
            if files:
                sent = socket.send_fds(self._sock, [data], list(files))
                data = data[sent:]
            self._sock.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from error

    def receive(self) -> Any:
        """Wait for the next message.

        Raises:
            Gone: the other end is closed, or a message is longer than `LIMIT`.
        """
        while (message := self._next()) is None:
            self._fill()
        return message

    def file(self) -> int:
        """The oldest file that came with a message; the caller closes it.

        Raises:
            Gone: none did.
        """
        if not self._files:
            raise Gone("a file was announced but did not come")
        return self._files.pop(0)

    def pending(self) -> list[Any]:
        """After `select` said so: read once, and give every message that is complete.

        Raises:
            Gone: as `receive`.
        """
        self._fill()
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def close(self) -> None:
        """Hang up. Idempotent."""
        self._sock.close()
        while self._files:
            os.close(self._files.pop())

    def _fill(self) -> None:
        try:
            data, files, _, _ = socket.recv_fds(self._sock, 1 << 16, _MOST_FDS)
        except OSError as error:
            raise Gone(str(error)) from error
        if not data:
            raise Gone("the other process has ended")
        self._buffer += data
        self._files += files

    def _next(self) -> Any:
        if len(self._buffer) < _LENGTH.size:
            return None
        length = _LENGTH.unpack_from(self._buffer)[0]
        if length > LIMIT:
            raise Gone(f"a message of {length} bytes")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        message = msgspec.msgpack.decode(bytes(self._buffer[_LENGTH.size : end]))
        del self._buffer[:end]
        return message


def pair() -> tuple[Channel, socket.socket]:
    """Our end, and the socket whose number is handed to a child process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return Channel(ours), theirs


def inherited(number: int) -> Channel:
    """The end that this process was started with."""
    return Channel(socket.socket(fileno=number))
