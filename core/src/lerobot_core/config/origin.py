"""Where a value came from, and the layers that values come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

SourceKind = Literal["default", "plugin", "rig", "config", "environment", "command line"]


class Origin(NamedTuple):
    """One value's source.

    Attributes:
        source: the layer, lowest first as in `SourceKind`.
        detail: the preset, the file, the variable or the option as typed; "" for defaults.
    """

    source: SourceKind
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.source} {self.detail}".rstrip()

    def where(self, path: str) -> str:
        """How a message points at the value at `path`: as the person wrote it."""
        if self.source == "command line" and self.detail:
            plain = self.detail.lstrip("-").replace("-", "_")
            return self.detail if plain == path.replace("-", "_") else f"{self.detail} ({path})"
        return f"{path} in {self}" if self.detail else path


DEFAULT = Origin("default")

Origins = dict[str, Origin]
"""Origins by dotted key path (`"camera.front.width"`, `"robot.type"`)."""


@dataclass(frozen=True)
class Typed:
    """A value as a shell gave it.

    Attributes:
        text: the characters; None for an option that stands alone (`--json`).
        spelled: the option or the variable as typed.
    """

    text: str | None
    spelled: str


@dataclass(frozen=True)
class Layer:
    """Options from one source, in the shape of a configuration file.

    Leaves of the command line's and the environment's layers are `Typed`. The key "" is the bare value of a section
    that also has options (`--robot so100 --robot.port X`).
    """

    origin: Origin
    data: Mapping[str, Any]


class Piece(NamedTuple):
    """What one layer says about one option or section."""

    origin: Origin
    value: Any

    @property
    def text(self) -> str | None:
        """The value as text, where it is text."""
        found = self.value.text if isinstance(self.value, Typed) else self.value
        return found if isinstance(found, str) else None

    @property
    def exact(self) -> Origin:
        """The origin, down to the option as typed where it is known."""
        return Origin(self.origin.source, self.value.spelled) if isinstance(self.value, Typed) else self.origin

    @property
    def loose(self) -> bool:
        """True when numbers arrive as text."""
        return self.origin.source in ("environment", "command line")
