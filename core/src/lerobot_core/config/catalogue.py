"""What configuration asks of the registry: which names exist, and what a name stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..specs import Overlay, Spec


class Listed(Protocol):
    """One installed name, known from metadata alone."""

    @property
    def name(self) -> str:
        """As typed."""

    @property
    def distribution(self) -> str:
        """Who offers it."""


class Catalogue(Protocol):
    """The part of the registry that decoding, resolving and help need; tests pass a table."""

    def entries(self, kind: str | None = None) -> Sequence[Listed]:
        """Installed names of a kind, imported by nobody."""

    def spec(self, kind: str, name: str) -> Spec:
        """Import the one plugin that offers `name`.

        Raises:
            PluginError: missing, broken, ambiguous or made for another core.
        """

    def resolve(self, kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any]:
        """What `ref` stands for: a plugin, a preset, or options of the section with their `type`."""
