"""Two arms as one device: every key has `left_` or `right_` before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from lerobot_core.arm.follower import FollowerArm
from lerobot_core.arm.leader import LeaderArm
from lerobot_core.contracts.robot import CalibrationUI
from lerobot_core.errors import ContractError, UserError
from lerobot_core.names import name_diff
from lerobot_core.types import Action, Features, Observation

SIDES = ("left", "right")
Arm = FollowerArm | LeaderArm
V = TypeVar("V")


class _Pair:
    """What leaders and followers share.

    Args:
        arms: by side, left first.
    """

    def __init__(self, arms: Mapping[str, Any]) -> None:
        self.arms: dict[str, Any] = {side: arms[side] for side in SIDES}

    @property
    def action_features(self) -> Features:
        """`left_<motor>.pos`, then `right_<motor>.pos`."""
        return joined({side: arm.action_features for side, arm in self.arms.items()})

    @property
    def is_connected(self) -> bool:
        """Both are."""
        return all(arm.is_connected for arm in self.arms.values())

    def connect(self) -> None:
        """Both, or neither."""
        self._both(lambda arm: arm.connect(), lambda arm: arm.disconnect())

    def calibrate(self, ui: CalibrationUI) -> None:
        """One arm after the other."""
        self._in_turn(lambda arm: arm.calibrate(ui), ui)

    def setup_motors(self, ui: CalibrationUI) -> None:
        """One arm after the other."""
        self._in_turn(lambda arm: arm.setup_motors(ui), ui)

    def health(self) -> list[dict[str, Any]]:
        """A row a motor of both arms, for `lr doctor`; connected."""
        return [
            {**row, "motor": f"{side}_{row['motor']}"} for side, arm in self.arms.items() for row in self._of(side, arm)
        ]

    def _of(self, side: str, arm: Any) -> list[dict[str, Any]]:
        with _told(side):
            return list(arm.health())

    def _in_turn(self, act: Callable[[Any], None], ui: CalibrationUI) -> None:
        for side, arm in self.arms.items():
            ui.say(f"the {side} arm")
            with _told(side):
                act(arm)

    def _both(self, act: Callable[[Any], None], undo: Callable[[Any], None]) -> None:
        with ExitStack() as undoing:
            for side, arm in self.arms.items():
                with _told(side):
                    act(arm)
                undoing.callback(undo, arm)
            undoing.pop_all()

    def _each(self, act: Callable[[Any], None]) -> None:
        """Both are asked, also when the first one fails."""
        with ExitStack() as acting:
            for side, arm in reversed(self.arms.items()):
                acting.callback(_telling, side, act, arm)

    def _split(self, action: Action) -> dict[str, Action]:
        if action.keys() != self.action_features.keys():
            raise ContractError(
                "an action does not have the arms' keys", name_diff(self.action_features.keys(), action.keys())
            )
        return {side: {key: action[f"{side}_{key}"] for key in arm.action_features} for side, arm in self.arms.items()}


class FollowerPair(_Pair):
    """The Robot contract over two followers.

    Args:
        arms: by side.
        park_pose: of both, by prefixed key.
    """

    def __init__(self, arms: Mapping[str, FollowerArm], park_pose: Action | None) -> None:
        super().__init__(arms)
        self._park_pose = park_pose

    @property
    def observation_features(self) -> Features:
        """As the actions'."""
        return self.action_features

    @property
    def is_engaged(self) -> bool:
        """One is: the other may move as little as it could before."""
        return any(arm.is_engaged for arm in self.arms.values())

    @property
    def park_pose(self) -> Action | None:
        """As configured."""
        return dict(self._park_pose) if self._park_pose else None

    def engage(self) -> None:
        """Both, or neither."""
        self._both(lambda arm: arm.engage(), lambda arm: arm.disengage())

    def get_observation(self) -> Observation:
        """Left, then right; taken for one moment, that of the left one."""
        found = {}
        for side, arm in self.arms.items():
            with _told(side):
                found[side] = arm.get_observation()
        flags = {f"{word}:{side}_{name}" for side in SIDES for word, _, name in map(_parted, found[side].flags)}
        return Observation(joined(found), found[SIDES[0]].time, flags=flags)

    def send_action(self, action: Action) -> Action:
        """Nothing is sent to one arm when the other's part is not there; returns what was sent."""
        sent = {}
        for side, part in self._split(action).items():
            with _told(side):
                sent[side] = self.arms[side].send_action(part)
        return joined(sent)

    def disengage(self) -> None:
        """Torque off on every motor of both."""
        self._each(lambda arm: arm.disengage())

    def let_go(self) -> None:
        """Torque off on both, whoever switched it on; connected."""
        self._each(lambda arm: arm.let_go())

    def disconnect(self, keep_torque: bool = False) -> None:
        """Both."""
        self._each(lambda arm: arm.disconnect(keep_torque))


class LeaderPair(_Pair):
    """The Teleoperator contract over two leaders."""

    actuated = True

    def get_action(self) -> Action:
        """Left, then right."""
        found = {}
        for side, arm in self.arms.items():
            with _told(side):
                found[side] = arm.get_action()
        return joined(found)

    def feedback(self, action: Action) -> None:
        """While engaged, follow the robot."""
        for side, part in self._split(action).items():
            with _told(side):
                self.arms[side].feedback(part)

    def engage(self) -> None:
        """Both, or neither."""
        self._both(lambda arm: arm.engage(), lambda arm: arm.release())

    def release(self) -> None:
        """Torque off on both."""
        self._each(lambda arm: arm.release())

    def disconnect(self) -> None:
        """Release and close both."""
        self._each(lambda arm: arm.disconnect())


def joined(parts: Mapping[str, Mapping[str, V]]) -> dict[str, V]:
    """Both sides' values under prefixed keys."""
    return {f"{side}_{key}": value for side in SIDES for key, value in parts[side].items()}


def _parted(flag: str) -> tuple[str, str, str]:
    return flag.partition(":")


@contextmanager
def _told(side: str) -> Iterator[None]:
    """Errors say which arm."""
    try:
        yield
    except UserError as error:
        error.what = f"{side} arm: {error.what}"
        raise


def _telling(side: str, act: Callable[[Any], None], arm: Any) -> None:
    with _told(side):
        act(arm)
