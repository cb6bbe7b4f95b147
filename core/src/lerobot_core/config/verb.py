"""What a verb accepts: its configuration class, and which part of it is on offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .schema import Declared, declared


@dataclass(frozen=True)
class Verb:
    """One verb's options.

    Attributes:
        name: as typed.
        summary: one line for help.
        config: the dataclass to decode; its fields are sections and flags.
        accepts: the fields on offer; empty means all of them.
        defaults: the lowest layer, in the shape of a configuration file.
        fixed: plugin sections whose plugin the verb chooses; their options stay on offer.
        needs: sections without which the verb cannot begin.
        reads_rig: `--rig` names a file to read options from; else it is an option like any other.
    """

    name: str
    summary: str
    config: type[Any]
    accepts: frozenset[str] = frozenset()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    reads_rig: bool = True

    def table(self) -> dict[str, Declared]:
        """The fields on offer by name, in the order of their declaration."""
        return {name: each for name, each in declared(self.config).items() if not self.accepts or name in self.accepts}
