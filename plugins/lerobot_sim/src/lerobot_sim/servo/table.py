"""Control tables: which register lies at which address, how wide it is and how it holds a negative number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

TWOS = -1
"""`Register.sign` of a two's complement register."""


class Register(NamedTuple):
    """One row of a control table.

    Attributes:
        name: as in the vendor's table, words joined by underscores.
        address, size: in bytes, least significant byte first.
        default: the factory's value.
        sign: None unsigned, `TWOS`, else the index of the sign bit (sign and magnitude).
        writable: False for what only the servo changes.
        stored: kept without power.
    """

    name: str
    address: int
    size: int
    default: int = 0
    sign: int | None = None
    writable: bool = True
    stored: bool = False

    def encode(self, value: int) -> bytes:
        """The bytes of `value`, clipped to what fits."""
        if self.sign is None:
            raw = min(max(value, 0), (1 << 8 * self.size) - 1)
        elif self.sign == TWOS:
            half = 1 << (8 * self.size - 1)
            raw = min(max(value, -half), half - 1) % (2 * half)
        else:
            magnitude = min(abs(value), (1 << self.sign) - 1)
            raw = magnitude | (1 << self.sign if value < 0 else 0)
        return raw.to_bytes(self.size, "little")

    def decode(self, data: bytes | bytearray) -> int:
        """The value held by `data`."""
        raw = int.from_bytes(data, "little")
        if self.sign is None:
            return raw
        if self.sign == TWOS:
            half = 1 << (8 * self.size - 1)
            return raw - 2 * half if raw >= half else raw
        magnitude = raw & ((1 << self.sign) - 1)
        return -magnitude if raw >> self.sign & 1 else magnitude


@dataclass(frozen=True)
class Table:
    """The registers of one family of servos, by name."""

    registers: Mapping[str, Register]

    @classmethod
    def of(cls, *rows: Register) -> Table:
        """A table of these rows.

        Raises:
            ValueError: two rows overlap.
        """
        ordered = sorted(rows, key=lambda row: row.address)
        for low, high in itertools.pairwise(ordered):
            if low.address + low.size > high.address:
                raise ValueError(f"{low.name} and {high.name} overlap")
        return cls({row.name: row for row in ordered})

    @property
    def size(self) -> int:
        """Bytes from address 0 to the end of the last register."""
        return max(row.address + row.size for row in self.registers.values())

    def __getitem__(self, name: str) -> Register:
        return self.registers[name]

    def __iter__(self) -> Iterator[Register]:
        return iter(self.registers.values())

    def touching(self, address: int, length: int) -> list[Register]:
        """The registers that share a byte with `length` bytes from `address`."""
        return [row for row in self if row.address < address + length and address < row.address + row.size]
