"""Requests and answers of protocol 2.0, one exchange at a time, with the SDK making and reading the packets."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dynamixel_sdk import COMM_RX_TIMEOUT, COMM_SUCCESS, INST_PING, INST_READ, INST_WRITE
from dynamixel_sdk.protocol2_packet_handler import Protocol2PacketHandler
from lerobot_core.devices.ports import explain

from .line import Line, LineGone
from .table import refusal

BROADCAST = 0xFE
MOST_ID = 0xFC
_ID, _LENGTH, _INSTRUCTION, _ERROR, _DATA = 4, 5, 7, 8, 9
"""Places in an answer: FF FF FD 00 id length(2) 55 error data CRC(2)."""
_HEADER, _STUFFED = b"\xff\xff\xfd", b"\xff\xff\xfd\xfd"
_EMPTY = 11
"""Bytes of an answer without data."""
_PING_DATA = 3
"""Bytes of data in the answer to a ping: model and firmware."""
_EVERYBODY_S = 0.003 * MOST_ID
"""Time for all ids to answer a ping to everybody, as the SDK reckons it."""
LATE_S = 0.2
"""An answer that was given up may still come this much later: a USB hub that stalled, a machine that was busy."""


class Answer(NamedTuple):
    """What a motor said: its error byte, and the registers asked for (none with an error)."""

    error: int
    data: bytes


_Question = tuple[object, ...]
"""Instruction and register, and for a read what was last written."""


class _Owed(NamedTuple):
    """An answer that did not come in time: to what, and until when it may still come."""

    question: _Question
    until: float


class _Handler(Protocol2PacketHandler):  # type: ignore[misc]  # the SDK carries no types
    """Stuffing as the protocol has it. The SDK sends the packet it should have stuffed, and unstuffs an answer in place,
    reading bytes that it has overwritten already (FF FF FD FF FD FD loses its end)."""

    def addStuffing(self, packet: list[int]) -> list[int]:
        """In place, because whoever calls looks at what it handed in."""
        packet[_INSTRUCTION:-2] = bytes(packet[_INSTRUCTION:-2]).replace(_HEADER, _STUFFED)
        packet[_LENGTH:_INSTRUCTION] = _word(len(packet) - _INSTRUCTION)
        return packet

    def removeStuffing(self, packet: list[int]) -> list[int]:
        """Also cuts off what was read beyond the packet's end, after noise that looked like a longer one."""
        del packet[_INSTRUCTION + int.from_bytes(bytes(packet[_LENGTH:_INSTRUCTION]), "little") :]
        packet[_INSTRUCTION:-2] = bytes(packet[_INSTRUCTION:-2]).replace(_STUFFED, _HEADER)
        packet[_LENGTH:_INSTRUCTION] = _word(len(packet) - _INSTRUCTION)
        return packet


class Protocol:
    """Exchanges on one line.

    An answer does not say which register it is about. One that comes after it was given up would be taken for the answer
    to the next question of the same length; so another question to that motor waits until nothing can be on its way.

    Attributes:
        garbled: in the last exchange something came that was no valid answer.

    Args:
        line: open.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.garbled = False
        self._handler: Any = _Handler()
        self._owed: dict[tuple[int, int], _Owed] = {}
        self._written: _Question = ()

    @classmethod
    def open(cls, port: str, baud: int) -> Protocol:
        """On a port of our own.

        Raises:
            BusError: it cannot be opened; saying why not, and what to type.
        """
        try:
            return cls(Line(port, baud))
        except OSError as error:
            raise explain(port, error) from error

    def read(self, id: int, address: int, size: int, patience_s: float) -> Answer | None:
        """Registers of one motor, None when no valid answer came."""
        question = (INST_READ, address, self._written)
        self._let_late_ones_pass((id,), size, question)
        self._send(id, INST_READ, (*_word(address), *_word(size)), _EMPTY + size, patience_s)
        return self._receive((id,), size, question).get(id)

    def write(self, id: int, address: int, data: bytes, patience_s: float) -> Answer | None:
        """Write registers of one motor; None when it was not answered, which does not mean that it was not done."""
        # What was read before a write may be otherwise after it; said twice, it is the same write.
        self._written = question = (INST_WRITE, id, address, data)
        self._let_late_ones_pass((id,), 0, question)
        self._send(id, INST_WRITE, (*_word(address), *data), _EMPTY, patience_s)
        return self._receive((id,), 0, question).get(id)

    def sync_read(self, ids: Sequence[int], address: int, size: int, patience_s: float) -> dict[int, Answer]:
        """The same registers of several motors, which answer in the order of `ids`; silent ones are left out."""
        question = (INST_READ, address, self._written)
        self._let_late_ones_pass(ids, size, question)
        self.line.patience_s = patience_s
        self._sent(self._handler.syncReadTx(self.line, address, size, list(ids), len(ids), False))
        self.line.setPacketTimeout(len(ids) * (_EMPTY + size + 1))
        return self._receive(ids, size, question)

    def sync_write(self, address: int, values: Mapping[int, bytes]) -> None:
        """The same registers of several motors in one packet that nobody answers."""
        parameters: list[int] = []
        for id, data in values.items():
            parameters += (id, *data)
        size = len(next(iter(values.values())))
        self._sent(self._handler.syncWriteTxOnly(self.line, address, size, parameters, len(parameters)))

    def call(self) -> list[int]:
        """The ids of everybody who answers a ping to all, within the time that all ids would take (0.8 s and more)."""
        self._send(BROADCAST, INST_PING, (), (_EMPTY + _PING_DATA) * MOST_ID, _EVERYBODY_S)
        return list(self._receive(range(MOST_ID + 1), _PING_DATA, None))

    def _send(self, id: int, instruction: int, parameters: Sequence[int], answer: int, patience_s: float) -> None:
        packet = [0, 0, 0, 0, id, *_word(len(parameters) + 3), instruction, *parameters, 0, 0]
        self.line.patience_s = patience_s
        self._sent(self._handler.txPacket(self.line, packet))
        self.line.setPacketTimeout(len(packet) + answer)

    def _sent(self, result: int) -> None:
        self.line.is_using = False
        if result != COMM_SUCCESS:
            raise LineGone(self._handler.getTxRxResult(result))

    def _receive(self, ids: Sequence[int], size: int, question: _Question | None) -> dict[int, Answer]:
        """Valid answers by id until the last of `ids` has spoken or the time is over.

        Answers come in order: when the last one is there, whoever has not spoken was lost, and waiting is over.
        """
        found: dict[int, Answer] = {}
        self.garbled = False
        while ids[-1] not in found:
            packet, result = self._handler.rxPacket(self.line, False)
            if result == COMM_RX_TIMEOUT:
                break
            if result != COMM_SUCCESS:
                self.garbled = True
                if self.line.isPacketTimeout():
                    break
            elif (answer := _answer(packet, size)) is not None and packet[_ID] in ids:
                found[packet[_ID]] = answer
        if question is not None and ids[-1] not in found:
            owed = _Owed(question, time.perf_counter() + LATE_S)
            self._owed.update({(id, size): owed for id in ids if id not in found})
        return found

    def _let_late_ones_pass(self, ids: Sequence[int], size: int, question: _Question) -> None:
        """The same question may be answered by a late answer: at worst it is a period old."""
        owed = [one for id in ids if (one := self._owed.get((id, size))) is not None and one.question != question]
        until = max((one.until for one in owed), default=0.0)
        if until > time.perf_counter():
            self.line.discard_until(until)


def _answer(packet: Sequence[int], size: int) -> Answer | None:
    """Taken apart; None for an answer to something else."""
    answer = Answer(packet[_ERROR], bytes(packet[_DATA:-2]))
    return answer if len(answer.data) == size or refusal(answer.error) else None


def _word(value: int) -> tuple[int, int]:
    return value & 0xFF, value >> 8
