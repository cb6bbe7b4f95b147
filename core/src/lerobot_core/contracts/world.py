"""World: a simulated scene shared by a robot, its cameras and its expert; offered by a scheme such as `sim`."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class World(Protocol):
    """One for each distinct `sim[:ID]` in a plan; opened after check, before build; closed last."""

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Finished attempts: seed, success, seconds."""

    def reset(self, seed: int | None = None) -> None:
        """Start an attempt."""

    def success(self) -> bool:
        """Has the current attempt succeeded?"""

    def truth(self) -> dict[str, Any]:
        """Privileged state; for the scripted expert only, an architecture test forbids it to policies."""

    def fault(self, kind: str, **options: Any) -> None:
        """Break something on demand."""

    def hands(self, what: str) -> float:
        """A person's hands move the limp arm: `"middle"` of its ranges, through its `"ranges"`, or `"rest"` on the table.

        Returns at once, with the seconds it takes.
        """

    def log(self) -> list[dict[str, Any]]:
        """Goal positions as the emulated servos received them, with times."""

    def stats(self) -> dict[str, Any]:
        """`cpu_s` of the world's process, and what else the summary shows."""

    def close(self) -> None:
        """End its process. Idempotent."""
