"""The fake robot, teleoperator, camera and bus: ideal by default, failing on request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.contracts.bus import Motor
from lerobot_core.errors import BusError, CameraError, ContractError, DeviceError
from lerobot_core.fakes import config as configs
from lerobot_core.fakes.bus import FakeBus
from lerobot_core.fakes.camera import FakeCamera
from lerobot_core.fakes.pattern import Pattern, number_of, thumbnail
from lerobot_core.fakes.robot import FakeRobot
from lerobot_core.fakes.teleoperator import FakeTeleoperator
from lerobot_core.virtual_clock import VirtualClock

POSE = {
    "shoulder_pan.pos": 10.0,
    "shoulder_lift.pos": -20.0,
    "elbow_flex.pos": 30.0,
    "wrist_flex.pos": 0.0,
    "wrist_roll.pos": 1.0,
    "gripper.pos": 50.0,
}


def _robot(clock: VirtualClock | None = None, **options: object) -> FakeRobot:
    return FakeRobot(configs.FakeRobotConfig(**options), clock or VirtualClock())  # type: ignore[arg-type]


def _engaged(clock: VirtualClock | None = None, **options: object) -> FakeRobot:
    robot = _robot(clock, **options)
    robot.connect()
    robot.engage()
    return robot


def test_robot_mirrors_what_it_was_sent() -> None:
    robot = _engaged()
    assert robot.send_action(POSE) == POSE
    assert dict(robot.get_observation()) == POSE
    assert [call.name for call in robot.calls] == ["connect", "engage", "send_action", "get_observation"]


def test_robot_clamps_to_its_range_and_says_so() -> None:
    robot = _engaged()
    sent = robot.send_action({**POSE, "gripper.pos": 101.0, "elbow_flex.pos": -300.0})
    assert (sent["gripper.pos"], sent["elbow_flex.pos"]) == (100.0, -100.0)


def test_robot_lags_by_its_time_constant() -> None:
    clock = VirtualClock()
    robot = _engaged(clock, lag_s=0.5)
    robot.send_action({**POSE, "elbow_flex.pos": 100.0})
    clock.sleep_until(0.5)
    assert robot.get_observation()["elbow_flex.pos"] == pytest.approx(100.0 * (1.0 - np.exp(-1.0)))


def test_robot_refuses_to_move_before_it_is_engaged() -> None:
    robot = _robot()
    with pytest.raises(DeviceError, match="send_action before engage"):
        robot.send_action(POSE)
    with pytest.raises(DeviceError, match="get_observation before connect"):
        robot.get_observation()
    with pytest.raises(DeviceError, match="engage before connect"):
        robot.engage()


def test_robot_refuses_other_keys_and_values_that_are_not_numbers() -> None:
    robot = _engaged()
    with pytest.raises(ContractError, match=r"missing: gripper\.pos; unknown: claw\.pos"):
        robot.send_action({("claw.pos" if key == "gripper.pos" else key): value for key, value in POSE.items()})
    with pytest.raises(DeviceError, match="not finite"):
        robot.send_action({**POSE, "gripper.pos": float("nan")})


def test_robot_noise_is_the_same_for_the_same_seed() -> None:
    first, second, other = (_engaged(noise=1.0, seed=seed) for seed in (1, 1, 2))
    assert first.get_observation() == second.get_observation() != other.get_observation()


def _failures(robot: FakeRobot, reads: int) -> list[int]:
    """The failure counts of those reads that failed; 0 for those that did not."""
    counts = []
    for _ in range(reads):
        try:
            robot.get_observation()
            counts.append(0)
        except BusError as error:
            counts.append(error.count)
    return counts


def test_robot_faults_come_when_they_are_due() -> None:
    assert _failures(_engaged(fault="dead_motor", fault_after=2), 5) == [0, 0, 1, 2, 3]
    assert _failures(_engaged(fault="lost_packets", fault_after=0), 10) == [0, 0, 0, 0, 1] * 2
    assert _failures(_engaged(fault="bus_gone", fault_after=3), 5) == [0, 0, 0, 1, 2]


def test_a_robot_whose_bus_is_gone_can_neither_be_told_to_move_nor_to_let_go() -> None:
    robot = _engaged(fault="bus_gone", fault_after=1)
    _failures(robot, 2)
    with pytest.raises(BusError):
        robot.send_action(POSE)
    with pytest.raises(BusError):
        robot.disengage()
    robot.disconnect()
    assert not robot.is_engaged
    assert not robot.is_connected


def test_an_absent_robot_does_not_connect() -> None:
    robot = _robot(fault="bus_gone", fault_after=0)
    with pytest.raises(BusError):
        robot.connect()
    assert not robot.is_connected


def test_a_robot_may_be_left_holding() -> None:
    robot = _engaged()
    robot.disconnect(keep_torque=True)
    assert robot.holding


def _teleoperator(clock: VirtualClock, **options: object) -> FakeTeleoperator:
    teleoperator = FakeTeleoperator(configs.FakeTeleoperatorConfig(**options), clock)  # type: ignore[arg-type]
    teleoperator.connect()
    return teleoperator


def test_teleoperator_starts_at_the_centre_and_stays_within_its_amplitude() -> None:
    clock = VirtualClock()
    teleoperator = _teleoperator(clock, amplitude=0.5)
    assert teleoperator.get_action()["gripper.pos"] == 50.0
    seen = []
    for tick in range(200):
        clock.sleep_until(tick / 50)
        seen.append(teleoperator.get_action()["elbow_flex.pos"])
    assert max(seen) == pytest.approx(50.0)
    assert min(seen) == pytest.approx(-50.0)


def test_an_actuated_teleoperator_follows_only_while_engaged() -> None:
    teleoperator = _teleoperator(VirtualClock(), actuated=True)
    teleoperator.feedback(POSE)
    assert teleoperator.get_action() != POSE
    teleoperator.engage()
    assert teleoperator.get_action() == POSE
    teleoperator.release()
    assert teleoperator.get_action() != POSE


@given(st.integers(0, 2**24 - 1), st.integers(24, 700), st.integers(1, 60))
def test_the_frame_number_survives_in_image_and_thumbnail(number: int, width: int, height: int) -> None:
    image = Pattern(width, height).frame(number)
    assert image.shape == (height, width, 3)
    assert number_of(image) == number_of(thumbnail(image)) == number


def _camera(clock: VirtualClock, **options: object) -> FakeCamera:
    return FakeCamera(configs.FakeCameraConfig(**{"width": 48, "height": 24, **options}), clock)  # type: ignore[arg-type]


def _numbers(camera: FakeCamera, clock: VirtualClock, times: list[float]) -> list[int]:
    numbers = []
    for t in times:
        clock.sleep_until(t)
        numbers.append(number_of(camera.read_latest(1.0).image))
    return numbers


def test_camera_frames_are_numbered_timed_and_read_only() -> None:
    clock = VirtualClock()
    camera = _camera(clock, fps=10.0)
    camera.connect()
    assert _numbers(camera, clock, [0.0, 0.1, 0.15, 0.35, 1.0]) == [0, 1, 1, 3, 10]
    frame = camera.read_latest(1.0)
    assert (frame.seq, frame.captured, frame.stale) == (10, pytest.approx(1.0), False)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0, 0] = 1
    camera.disconnect()
    camera.disconnect()
    with pytest.raises(CameraError):
        camera.read_latest(1.0)


def test_camera_faults() -> None:
    clock = VirtualClock()
    frozen, slow = (
        _camera(clock, fault="frozen", fault_after=2, fps=10.0),
        _camera(clock, fault="slow", fault_after=0, fps=10.0),
    )
    gone, absent = _camera(clock, fault="gone", fault_after=2, fps=10.0), _camera(clock, fault="gone", fault_after=0)
    for camera in (frozen, slow, gone):
        camera.connect()
    clock.sleep_until(1.0)
    late = frozen.read_latest(0.5)
    assert (late.seq, late.stale) == (2, True)
    assert slow.read_latest(1.0).seq == 2
    with pytest.raises(CameraError, match="gone"):
        gone.read_latest(1.0)
    with pytest.raises(CameraError, match="not there"):
        absent.connect()


def test_bus_positions_follow_goals_only_under_torque() -> None:
    bus = FakeBus(configs.FakeBusConfig())
    bus.open("nowhere", {"a": Motor(1, "sts3215", "degrees"), "b": Motor(2, "sts3215", "degrees")}, VirtualClock())
    bus.sync_write("Goal_Position", {"a": 100, "b": 200})
    assert bus.sync_read("Present_Position") == {"a": 2048, "b": 2048}
    bus.write("Torque_Enable", "a", 1)
    bus.sync_write("Goal_Position", {"a": 100, "b": 200})
    assert bus.sync_read("Present_Position") == {"a": 100, "b": 2048}
    assert bus.ping("a") == 1


def test_a_silent_motor_is_named_and_the_bus_stays_closed() -> None:
    bus = FakeBus(configs.FakeBusConfig(silent=("b",)))
    with pytest.raises(BusError, match="'b'") as caught:
        bus.open("nowhere", {"a": Motor(1, "x", "degrees"), "b": Motor(2, "x", "degrees")}, VirtualClock())
    assert caught.value.motor == "b"
    assert not bus.is_open
    with pytest.raises(BusError, match="not open"):
        bus.ping("a")
