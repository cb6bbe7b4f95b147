"""Teleoperator: something a person moves to say where the robot should go."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..types import Action, Features


@runtime_checkable
class Teleoperator(Protocol):
    """Lifecycle as a robot's: connect (may read) -> engage -> release -> disconnect; loop thread only."""

    @property
    def action_features(self) -> Features:
        """What `get_action` returns; must equal the robot's action features by name and unit."""

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""

    @property
    def actuated(self) -> bool:
        """True when its own motors can follow the robot (`feedback` moves it)."""

    def connect(self) -> None:
        """Open the device, reading only."""

    def get_action(self) -> Action:
        """Where the person wants the robot now."""

    def feedback(self, action: Action) -> None:
        """Show the person what the robot got; an actuated, engaged leader moves there."""

    def engage(self) -> None:
        """Torque on, so that `feedback` can move it; nothing for a passive one."""

    def release(self) -> None:
        """Torque off, so that the person can move it; nothing for a passive one."""

    def disconnect(self) -> None:
        """Release and close. Idempotent."""
