"""The leader: limp but for its gripper, whose motor is a spring that a hand closes against."""

from __future__ import annotations

from lerobot_core.arm.leader import LeaderArm
from lerobot_core.arm.profile import ArmProfile
from lerobot_core.specs import Parts
from lerobot_core.types import Action

from .config import KochLeaderConfig
from .profile import GRIPPER


class KochLeader(LeaderArm):
    """A passive leader. Its motors are too weak to carry the arm, so it does not follow the robot.

    Args:
        profile: of the leader.
        config: its options.
        parts: from the run.
    """

    def __init__(self, profile: ArmProfile, config: KochLeaderConfig, parts: Parts) -> None:
        super().__init__(profile, config, parts, actuated=False)
        self._open_pos = config.gripper_open_pos

    def engage(self) -> None:
        """Configure, then switch the gripper's spring on; the other joints stay limp."""
        if not self._connected or self._engaged:
            return
        self._configure()
        self._engaged = True
        try:
            self._switch_spring_on()
        except BaseException:
            self.release()
            raise

    def feedback(self, action: Action) -> None:
        """It cannot follow."""

    def _switch_spring_on(self) -> None:
        """Torque first: a goal from before would be forgotten when it goes on."""
        pose = {**self.servos.positions(), f"{GRIPPER}.pos": self._open_pos}
        self.servos.torque_on([GRIPPER])
        self.servos.go_to({GRIPPER: self.servos.to_raw(pose)[GRIPPER]})
