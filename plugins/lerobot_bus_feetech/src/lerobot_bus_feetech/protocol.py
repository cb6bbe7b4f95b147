"""Requests and answers of protocol 0, one exchange at a time, with the SDK making and reading the packets.

An answer does not say which register it is about. One that comes too late would be taken for the answer to the next
request, so after an exchange that failed no other register is asked for until nothing can be under way any more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lerobot_core.devices.ports import explain
from scservo_sdk import (
    COMM_RX_TIMEOUT,
    COMM_SUCCESS,
    INST_PING,
    INST_READ,
    INST_SYNC_READ,
    INST_WRITE,
    PacketHandler,
)

from .line import Line, LineGone

BROADCAST = 0xFE
MOST_ID = 0xFC
_ID, _LENGTH, _ERROR, _DATA = 2, 3, 4, 5
"""Places in a packet: FF FF id length error data checksum."""
_EMPTY = 6
"""Bytes of an answer without data."""
LATE_S = 0.05
"""How late an answer may come: adapters keep bytes back for 16 ms, a busy machine for longer."""

_Key = tuple[int, int, int]
"""What an exchange was about: instruction, address, size."""


class Answer(NamedTuple):
    """What a motor said: its error byte, and the registers asked for."""

    error: int
    data: bytes


class Protocol:
    """Exchanges on one line.

    Attributes:
        garbled: in the last exchange something came that was no valid answer.

    Args:
        line: open.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.garbled = False
        self._handler: Any = PacketHandler(0)
        self._owed: _Key | None = None
        self._doubtful = False
        self._settled_at = 0.0

    @classmethod
    def open(cls, port: str, baud: int) -> Protocol:
        """The protocol on a port that is opened for ourselves alone.

        Raises:
            BusError: saying why it cannot be, and what to type.
        """
        try:
            return cls(Line(port, baud))
        except OSError as error:
            raise explain(port, error) from error

    def read(self, id: int, address: int, size: int, patience_s: float) -> Answer | None:
        """Registers of one motor, None when no valid answer came."""
        key = (INST_READ, address, size)
        self._settle(key)
        self._send(id, INST_READ, (address, size), size, patience_s)
        return self._answers(key, (id,), size).get(id)

    def write(self, id: int, address: int, data: bytes, patience_s: float) -> Answer | None:
        """Write registers of one motor; None when it was not confirmed, which does not mean that it was not done."""
        key = (INST_WRITE, address, len(data))
        self._settle(key)
        self._send(id, INST_WRITE, (address, *data), 0, patience_s)
        return self._answers(key, (id,), 0).get(id)

    def sync_read(self, ids: Sequence[int], address: int, size: int, patience_s: float) -> dict[int, Answer]:
        """The same registers of several motors, which answer in the order of `ids`; silent ones are left out."""
        key = (INST_SYNC_READ, address, size)
        self._settle(key)
        self.line.patience_s = patience_s
        self._sent(self._handler.syncReadTx(self.line, address, size, list(ids), len(ids)))
        self.line.setPacketTimeout(len(ids) * (_EMPTY + size + 1))
        return self._answers(key, ids, size)

    def sync_write(self, address: int, values: Mapping[int, bytes]) -> None:
        """The same registers of several motors in one packet that nobody answers."""
        parameters: list[int] = []
        for id, data in values.items():
            parameters += (id, *data)
        size = len(next(iter(values.values())))
        self._sent(self._handler.syncWriteTxOnly(self.line, address, size, parameters, len(parameters)))

    def call(self, patience_s: float) -> list[int]:
        """The ids of everybody who answers a ping to all, within the time that all ids would take."""
        self._settle((INST_PING, 0, 0))
        self._send(BROADCAST, INST_PING, (), _EMPTY * MOST_ID, patience_s)
        return list(self._receive(range(MOST_ID + 1), 0))

    def _send(self, id: int, instruction: int, parameters: Sequence[int], answer: int, patience_s: float) -> None:
        packet = [0xFF, 0xFF, id, len(parameters) + 2, instruction, *parameters, 0]
        self.line.patience_s = patience_s
        self._sent(self._handler.txPacket(self.line, packet))
        self.line.setPacketTimeout(len(packet) + _EMPTY + answer)

    def _sent(self, result: int) -> None:
        self.line.is_using = False
        if result != COMM_SUCCESS:
            raise LineGone(self._handler.getTxRxResult(result))

    def _settle(self, key: _Key) -> None:
        """Wait for what is still under way from an exchange about something else."""
        if self._owed not in (None, key):
            self.line.drain(self._settled_at)
            self._owed, self._doubtful = None, False

    def _answers(self, key: _Key, ids: Sequence[int], size: int) -> dict[int, Answer]:
        found = self._receive(ids, size)
        failed = len(found) < len(ids)
        if failed or self._doubtful:
            # What answers a second request may be the first one's answer, with its own still to come.
            self._owed, self._settled_at = key, time.perf_counter() + LATE_S
        self._doubtful = failed
        return found

    def _receive(self, ids: Sequence[int], size: int) -> dict[int, Answer]:
        """Valid answers by id until the last of `ids` has spoken or the time is over.

        Answers come in order: when the last one is there, whoever has not spoken was lost, and waiting is over.
        """
        found: dict[int, Answer] = {}
        self.garbled = False
        while ids[-1] not in found:
            packet, result = self._handler.rxPacket(self.line)
            if result == COMM_RX_TIMEOUT:
                break
            if result != COMM_SUCCESS:
                self.garbled = True
                if self.line.isPacketTimeout():
                    break
            elif packet[_ID] in ids and packet[_LENGTH] == size + 2:
                found[packet[_ID]] = Answer(packet[_ERROR], bytes(packet[_DATA : _DATA + size]))
        return found
