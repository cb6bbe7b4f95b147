"""A teleoperator that swings every joint by the clock."""

from __future__ import annotations

from ..clock import Clock
from ..errors import DeviceError
from ..types import Action, Features
from .config import FakeTeleoperatorConfig
from .joints import Wave, joint_features


class FakeTeleoperator:
    """While an actuated one is engaged it is where `feedback` put it; otherwise it follows its wave.

    Attributes:
        followed: the last action it was shown.
    """

    def __init__(self, config: FakeTeleoperatorConfig, clock: Clock) -> None:
        self.followed: Action | None = None
        self._config, self._clock = config, clock
        self._features = joint_features(config.joints)
        self._wave = Wave(self._features, config.amplitude, config.period_s, config.seed)
        self._start = 0.0
        self._connected = self._engaged = False

    @property
    def action_features(self) -> Features:
        """The joints."""
        return dict(self._features)

    @property
    def is_connected(self) -> bool:
        """True between `connect` and `disconnect`."""
        return self._connected

    @property
    def actuated(self) -> bool:
        """As configured."""
        return self._config.actuated

    def connect(self) -> None:
        """The wave begins now."""
        self._start = self._clock.now()
        self._connected = True

    def get_action(self) -> Action:
        """The wave at this moment.

        Raises:
            DeviceError: not connected.
        """
        if not self._connected:
            raise DeviceError("get_action before connect", "the fake teleoperator keeps to the lifecycle")
        if self._engaged and self._config.actuated and self.followed:
            return dict(self.followed)
        return self._wave.at(self._clock.now() - self._start)

    def feedback(self, action: Action) -> None:
        """Remember it, and go there when engaged."""
        self.followed = dict(action)

    def engage(self) -> None:
        """From now on `feedback` moves it."""
        self._engaged = True

    def release(self) -> None:
        """From now on the person moves it."""
        self._engaged = False

    def disconnect(self) -> None:
        """Release and close."""
        self._engaged = self._connected = False
