"""A servo's memory: bytes under a control table, one part of which survives without power."""

from __future__ import annotations

from collections.abc import Callable

from .table import Register, Table

SPAN = 256
"""Bytes a read may reach; what no register covers reads as zero."""


class Memory:
    """Bytes addressed as on the wire, registers addressed by name.

    Args:
        table: which register lies where.
        defaults: register -> value, where it differs from the table's.
    """

    def __init__(self, table: Table, defaults: dict[str, int]) -> None:
        self.table = table
        self._bytes = bytearray(SPAN)
        self._flash = bytearray(SPAN)
        # What the bytes mean; every packet asks each servo for its id and baud rate.
        self._values: dict[str, int] = {}
        for row in table:
            self[row.name] = defaults.get(row.name, row.default)
        self._factory_ram = bytes(self._bytes)
        self._flash[:] = self._bytes

    def __getitem__(self, name: str) -> int:
        return self._values[name]

    def __setitem__(self, name: str, value: int) -> None:
        """Set it as the servo itself does: no protection, and not kept without power."""
        row = self.table[name]
        self._bytes[row.address : row.address + row.size] = row.encode(value)
        self._decode(row)

    def burn(self, name: str, value: int) -> None:
        """Set it so that it survives without power."""
        self[name] = value
        self._keep(self.table[name])

    def read(self, address: int, length: int) -> bytes:
        """`length` bytes from `address`, zero where there is no register."""
        return bytes(self._bytes[address : address + length]).ljust(length, b"\0")

    def write(self, address: int, data: bytes, allowed: Callable[[Register], bool]) -> list[str]:
        """Store what lies in writable registers that `allowed` lets through; returns their names.

        A register that `data` covers only in part keeps its other bytes.
        """
        changed = []
        for row in self.table.touching(address, len(data)):
            if row.writable and allowed(row):
                start, end = max(row.address, address), min(row.address + row.size, address + len(data))
                self._bytes[start:end] = data[start - address : end - address]
                self._decode(row)
                changed.append(row.name)
                if row.stored:
                    self._keep(row)
        return changed

    def power_cycle(self) -> None:
        """Forget everything but what is stored."""
        self._bytes[:] = self._factory_ram
        for row in self.table:
            if row.stored:
                end = row.address + row.size
                self._bytes[row.address : end] = self._flash[row.address : end]
            self._decode(row)

    def _decode(self, row: Register) -> None:
        self._values[row.name] = row.decode(self._bytes[row.address : row.address + row.size])

    def _keep(self, row: Register) -> None:
        end = row.address + row.size
        self._flash[row.address : end] = self._bytes[row.address : end]
