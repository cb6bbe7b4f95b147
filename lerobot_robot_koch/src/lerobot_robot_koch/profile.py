"""What a Koch arm is made of, and how its motors are set.

The settings are LeRobot's, so that both drive an arm alike.
"""

from __future__ import annotations

from lerobot_core.arm.profile import ArmProfile, Setting
from lerobot_core.contracts.bus import Motor, Norm

from .config import KochFollowerConfig, KochLeaderConfig

BODY = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
GRIPPER = "gripper"
ELBOW = "elbow_flex"
FOLLOWER_MODELS = ("xl430-w250", "xl430-w250", *["xl330-m288"] * 4)
LEADER_MODELS = ("xl330-m077",) * 6

EXTENDED_POSITION, CURRENT_POSITION = 4, 5
"""Operating modes: without a limit to one turn; and that with no more current than allowed, for things held or pressed."""

BODY_RATE = {"range_m100_100": 120.0, "degrees": 180.0}
"""Per second. The slower XL430 does 366 deg/s unloaded; half of that a loaded one can follow. Ranges are 200 to 360
degrees wide, so that 120 pct100/s are 120 to 216 deg/s."""
GRIPPER_RATE = 200.0
"""pct/s: half a second from closed to open, about as fast as a person's hand on the leader."""


def follower(config: KochFollowerConfig) -> ArmProfile:
    """The arm that works."""
    norm = _norm(config.use_degrees)
    gains = (
        # The elbow carries the forearm over a long lever; with the factory's gains it sags and swings.
        Setting("Position_P_Gain", 1500, (ELBOW,)),
        Setting("Position_I_Gain", 0, (ELBOW,)),
        Setting("Position_D_Gain", 600, (ELBOW,)),
    )
    rates = dict.fromkeys(BODY, BODY_RATE[norm]) | {GRIPPER: GRIPPER_RATE}
    return _profile("koch_follower", norm, FOLLOWER_MODELS, gains, rates, ())


def leader(config: KochLeaderConfig) -> ArmProfile:
    """The arm in a person's hand; its elbow motor is mounted the other way round."""
    return _profile("koch_leader", _norm(config.use_degrees), LEADER_MODELS, (), {}, (ELBOW,))


def _norm(degrees: bool) -> Norm:
    return "degrees" if degrees else "range_m100_100"


def _profile(
    peer: str,
    norm: Norm,
    models: tuple[str, ...],
    settings: tuple[Setting, ...],
    rates: dict[str, float],
    inverted: tuple[str, ...],
) -> ArmProfile:
    motors = {name: Motor(id, model, norm) for id, (name, model) in enumerate(zip(BODY, models, strict=False), 1)}
    motors[GRIPPER] = Motor(6, models[-1], "range_0_100")
    upright = tuple(name for name in motors if name not in inverted)
    common = (
        # Answers without the factory's 0.5 ms of thinking.
        Setting("Return_Delay_Time", 0, eeprom=True),
        Setting("Drive_Mode", 0, upright, eeprom=True, counts=True),
        *(Setting("Drive_Mode", 1, (name,), eeprom=True, counts=True) for name in inverted),
        Setting("Operating_Mode", EXTENDED_POSITION, BODY, eeprom=True, counts=True),
        Setting("Operating_Mode", CURRENT_POSITION, (GRIPPER,), eeprom=True),
    )
    return ArmProfile(
        bus="dynamixel",
        motors=motors,
        peer_name=peer,
        settings=(*common, *settings),
        max_rate=rates,
        homing="add",
        homing_limit=None,
        # The motors turn their count round themselves.
        apply_drive_mode=False,
        inverted=inverted,
        full_turn=("shoulder_pan", "wrist_roll"),
        many_turns=True,
    )
