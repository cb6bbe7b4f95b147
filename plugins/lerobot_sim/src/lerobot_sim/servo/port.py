"""A serial port that is not there: one end of a pseudo-terminal, the other being what a driver opens."""

from __future__ import annotations

import os
import struct
import sys
import termios
import tty

_ANY_SPEED = sys.platform == "linux"
_TCGETS2, _SPEED_OFFSET = 0x802C542A, 40
"""Linux: the request that also tells speeds without a name (128000), and where the output speed lies in its answer."""
_NAMED: dict[int, int] = {
    getattr(termios, name): int(name[1:]) for name in dir(termios) if name[:1] == "B" and name[1:].isdigit()
}


class PseudoPort:
    """Bytes to and from whoever opens `path`."""

    def __init__(self) -> None:
        # The driver's end stays open here too: with it closed, the other end would fail between two drivers.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._open = True

    def fileno(self) -> int:
        """For `select`."""
        return self._ours

    @property
    def baud(self) -> int:
        """Bits a second, as the driver has set it."""
        if _ANY_SPEED:
            import fcntl

            answer = fcntl.ioctl(self._theirs, _TCGETS2, bytes(44))
            return int(struct.unpack_from("I", answer, _SPEED_OFFSET)[0])
        speed = int(termios.tcgetattr(self._theirs)[5])
        return _NAMED.get(speed, speed)

    def read(self) -> bytes:
        """What has arrived, empty when nothing has."""
        try:
            return os.read(self._ours, 65536)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """Send; what a driver that does not read leaves no room for is lost, as on a wire."""
        if not self._open:
            return
        try:
            os.write(self._ours, data)
        except OSError:
            return

    def close(self) -> None:
        """Hang up: the driver's reads fail from now on, and answers still under way are lost. Idempotent."""
        if self._open:
            self._open = False
            os.close(self._ours)
            os.close(self._theirs)
