"""The serial port as the SDK's packet handler wants it, but it sleeps while it waits and keeps others out."""

from __future__ import annotations

import fcntl
import os
import select
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import serial

_BITS_A_BYTE = 10
"""Start bit, eight bits, stop bit."""


class LineGone(Exception):
    """The port has vanished: unplugged, or its adapter lost power."""


class Line:
    """One open port.

    The SDK's own port spins until an answer is there, measures time by the wall clock, and shares the device with
    whoever else opens it.

    Args:
        path: the device.
        baud: bits a second.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str, baud: int) -> None:
        self._serial = serial.Serial(path, baud, timeout=0, exclusive=True)
        # The lock that `exclusive` takes stops other runs of ours; this stops programs that ask for no lock.
        self._exclude(termios.TIOCEXCL)
        self._byte_s = _BITS_A_BYTE / baud
        self._buffer = bytearray()
        self._until = 0.0
        self.patience_s = 0.0
        self.is_using = False

    def close(self) -> None:
        """Idempotent."""
        if self._serial.is_open:
            self._exclude(termios.TIOCNXCL)
            self._serial.close()

    # --- what the SDK calls ---------------------------------------------------------------------------------------

    def clearPort(self) -> None:
        """Before each request: what is left of an earlier answer would be taken for this one's."""
        self._buffer.clear()
        with _watched():
            self._serial.reset_input_buffer()

    def writePort(self, packet: Sequence[int]) -> int:
        """Send; returns how many bytes went."""
        with _watched():
            return int(self._serial.write(bytes(packet)))

    def setPacketTimeout(self, length: int) -> None:
        """From now on answers of `length` bytes in all are awaited: their time on the wire and our patience."""
        self._until = time.perf_counter() + length * self._byte_s + self.patience_s

    def isPacketTimeout(self) -> bool:
        """Is the time over."""
        return time.perf_counter() > self._until

    def readPort(self, length: int) -> bytes:
        """Sleep until `length` bytes are there or the time is over; returns what there is of them."""
        while len(self._buffer) < length and self._fill():
            pass
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken

    def discard_until(self, t: float) -> None:
        """Sleep until `t` (`time.perf_counter`), throwing away what comes."""
        self._until = t
        while self._fill():
            self._buffer.clear()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _fill(self) -> bool:
        """Take what has arrived; False when the time was over first."""
        with _watched():
            left = max(self._until - time.perf_counter(), 0.0)
            if not select.select([self._serial.fileno()], [], [], left)[0]:
                return False
            data = os.read(self._serial.fileno(), 4096)
        if not data:
            raise LineGone("the port hung up")
        self._buffer += data
        return True

    def _exclude(self, request: int) -> None:
        try:
            fcntl.ioctl(self._serial.fileno(), request)
        except OSError:
            pass  # not every kind of port knows it


@contextmanager
def _watched() -> Iterator[None]:
    """A port that was pulled out fails in one of these ways."""
    try:
        yield
    except (OSError, termios.error) as error:
        raise LineGone(str(error)) from error
