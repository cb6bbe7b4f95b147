"""What an SO-100 or SO-101 is made of, and how its motors are set.

Follower and leader have the same six motors; the settings are LeRobot's, so that both drive an arm alike.
"""

from __future__ import annotations

from lerobot_core.arm.profile import ArmProfile, Setting
from lerobot_core.contracts.bus import Motor, Norm

from .config import SO100FollowerConfig, SO100LeaderConfig

BODY = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
GRIPPER = "gripper"

BODY_RATE = 180.0
"""deg/s, or pct100/s. Two thirds of what an unloaded STS3215 does (0.22 s for 60 degrees): a loaded one can follow."""
GRIPPER_RATE = 200.0
"""pct/s: half a second from closed to open, about as fast as a person's hand on the leader."""

_COMMON = (
    # Answers without the factory's 0.5 ms of thinking, goals without a speed profile of the servo's own.
    Setting("Return_Delay_Time", 0, eeprom=True),
    Setting("Maximum_Acceleration", 254, eeprom=True),
    Setting("Acceleration", 254),
    # Bit 4 of Phase would let positions run on through full turns.
    Setting("Phase", 0, eeprom=True, mask=0x10),
    Setting("Operating_Mode", 0, eeprom=True),
)
_GRIPPER = (
    # A gripper is closed on things: half of the torque, half of the current, and 25 % once it is blocked.
    Setting("Max_Torque_Limit", 500, (GRIPPER,), eeprom=True),
    Setting("Protection_Current", 250, (GRIPPER,), eeprom=True),
    Setting("Overload_Torque", 25, (GRIPPER,), eeprom=True),
)


def follower(config: SO100FollowerConfig) -> ArmProfile:
    """The arm that works."""
    gains = (
        Setting("P_Coefficient", config.position_p_coefficient, eeprom=True),
        Setting("I_Coefficient", config.position_i_coefficient, eeprom=True),
        Setting("D_Coefficient", config.position_d_coefficient, eeprom=True),
    )
    rates = dict.fromkeys(BODY, BODY_RATE) | {GRIPPER: GRIPPER_RATE}
    return _profile("so_follower", config.use_degrees, (*_COMMON, *gains, *_GRIPPER), rates)


def leader(config: SO100LeaderConfig) -> ArmProfile:
    """The arm in a person's hand."""
    return _profile("so_leader", config.use_degrees, _COMMON, {})


def _profile(peer: str, degrees: bool, settings: tuple[Setting, ...], rates: dict[str, float]) -> ArmProfile:
    body: Norm = "degrees" if degrees else "range_m100_100"
    motors = {name: Motor(id, "sts3215", body) for id, name in enumerate(BODY, 1)}
    motors[GRIPPER] = Motor(6, "sts3215", "range_0_100")
    return ArmProfile(
        bus="feetech",
        motors=motors,
        peer_name=peer,
        settings=settings,
        # The lock keeps what must survive from being overwritten while the arm works.
        torque_on=(("Torque_Enable", 1), ("Lock", 1)),
        max_rate=rates,
        full_turn=("wrist_roll",),
    )
