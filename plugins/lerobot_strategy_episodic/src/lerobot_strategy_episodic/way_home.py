"""The arm's way back to where the first episode began."""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.run.motion import travel_time
from lerobot_core.types import Action, Features, Tick

ARRIVE_S = 1.0
"""What the way takes beyond its straight line: the safety filter ramps up from 10 % after each change of source."""


class WayHome:
    """Goes home slowly; the home is where the arm stands when it is first looked at.

    Args:
        features: the robot's action features.
    """

    def __init__(self, features: Features) -> None:
        self._features = features
        self._home: Action | None = None
        self._goto: commands.Goto | None = None
        self._arrives = 0.0

    def remember(self, tick: Tick) -> None:
        """The first tick counts."""
        if self._home is None:
            self._home = {key: float(tick.observation[key]) for key in self._features if key in tick.observation}

    def leave(self, tick: Tick) -> float:
        """Begin now; the seconds until it is there, 0 when there is nothing to travel."""
        self._goto, self._arrives = None, tick.t
        if tick.sent is None or self._home is None:
            return 0.0
        target = {key: self._home.get(key, _at_rest(key, value)) for key, value in tick.sent.items()}
        seconds = travel_time(tick.sent, target, self._features)
        self._goto = commands.Goto(target, seconds)
        self._arrives = tick.t + seconds + ARRIVE_S
        return seconds + ARRIVE_S

    def there(self, t: float) -> bool:
        """The arm has arrived."""
        return t >= self._arrives

    def command(self) -> commands.Command:
        """Go, and stay there."""
        return self._goto or commands.Hold()


def _at_rest(key: str, sent: float) -> float:
    """For a key that nothing measures: a velocity stops, a position stays."""
    return 0.0 if key.endswith(".vel") else sent
