"""The world in its own process: what can be asked of it, how it keeps time, and that it never outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scservo_sdk as scs
from lerobot_core.clock import RealClock
from lerobot_core.contracts.bus import Motor
from lerobot_core.contracts.world import World
from lerobot_core.errors import CameraError, DeviceError
from lerobot_core.virtual_clock import VirtualClock
from lerobot_sim import plugin
from lerobot_sim.camera.camera import SimCamera
from lerobot_sim.client import SimWorld
from lerobot_sim.config import SimCameraConfig
from lerobot_sim.physics.arm import JOINTS
from lerobot_sim.servo.hands import SWEEP_S
from servo_bench import PatientPort

NAMES = [joint.name for joint in JOINTS]
SO100 = {name: Motor(i + 1, "sts3215", "degrees") for i, name in enumerate(NAMES)}
LEADER = {"one": Motor(1, "sts3215", "degrees")}
IDS = range(1, 7)


class Driver:
    """The vendor's SDK on a port of the world, with just what these tests need."""

    def __init__(self, path: str) -> None:
        self.port, self.packets = PatientPort(path), scs.PacketHandler(0)
        assert self.port.setBaudRate(1_000_000)

    def write(self, motor: int, address: int, size: int, value: int) -> None:
        data = list(value.to_bytes(size, "little"))
        assert self.packets.writeTxRx(self.port, motor, address, size, data) == (scs.COMM_SUCCESS, 0)

    def positions(self) -> list[int]:
        group = scs.GroupSyncRead(self.port, self.packets, 56, 2)
        for motor in IDS:
            group.addParam(motor)
        assert group.txRxPacket() == scs.COMM_SUCCESS
        return [group.getData(motor, 56, 2) for motor in IDS]

    def goals(self, values: list[int]) -> None:
        group = scs.GroupSyncWrite(self.port, self.packets, 42, 2)
        for motor, value in zip(IDS, values, strict=True):
            group.addParam(motor, list(value.to_bytes(2, "little")))
        assert group.txPacket() == scs.COMM_SUCCESS

    def close(self) -> None:
        self.port.closePort()


@pytest.fixture(scope="module")
def shared() -> Iterator[SimWorld]:
    made = SimWorld("sim", RealClock(), seed=2, auto_reset=False)
    yield made
    made.close()


@pytest.fixture
def world(shared: SimWorld) -> Iterator[SimWorld]:
    """One for all tests that leave it as they found it."""
    yield shared
    shared.fault("clear")
    shared.reset(2)


@pytest.fixture
def fresh() -> Iterator[SimWorld]:
    """One to be broken."""
    made = SimWorld("sim", RealClock(), auto_reset=False)
    yield made
    made.close()


@pytest.fixture
def driver(world: SimWorld) -> Iterator[Driver]:
    """A driver at the scene's arm, which is limp and folded."""
    path, number = world.open_port("feetech", SO100)
    world.hands("rest")
    made = Driver(path)
    yield made
    for motor in IDS:
        made.packets.write1ByteTxRx(made.port, motor, 40, 0)
    made.close()
    world.close_port(number)


def eventually(holds: Any, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return bool(holds())


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_keeps_the_contract_and_answers(world: SimWorld) -> None:
    assert isinstance(world, World)
    truth = world.truth()
    assert (truth["seed"], truth["success"], world.success(), world.attempts) == (2, False, False, [])
    world.reset(11)
    assert world.truth()["seed"] == 11
    world.reset()
    assert world.truth()["seed"] == 12
    assert world.stats()["cpu_s"] > 0


def test_what_it_cannot_do_is_said(world: SimWorld, driver: Driver) -> None:
    with pytest.raises(DeviceError, match="faults are lost, late"):
        world.fault("earthquake")
    with pytest.raises(DeviceError, match="motors are shoulder_pan"):
        world.fault("gone", motor="tail")
    with pytest.raises(DeviceError, match="middle, ranges and rest"):
        world.hands("juggle")
    with pytest.raises(DeviceError, match="'scs0009', which is not emulated"):
        world.open_port("feetech", {"one": Motor(1, "scs0009", "degrees")})
    with pytest.raises(DeviceError, match="there is feetech, dynamixel"):
        world.open_port("canopen", LEADER)
    assert world.truth()["seed"] == 2


def test_the_arm_moves_in_real_time_and_the_log_holds_its_goals(world: SimWorld, driver: Driver) -> None:
    before = driver.positions()
    for motor in IDS:
        driver.write(motor, 40, 1, 1)
    goals = [2047 + 200, *before[1:]]
    sent = time.perf_counter()
    driver.goals(goals)
    assert eventually(lambda: abs(driver.positions()[0] - goals[0]) < 15)
    entry = world.log()[-1]
    assert entry["goals"] == dict(zip(NAMES, goals, strict=True))
    assert entry["t"] == pytest.approx(sent, abs=0.1)
    assert world.truth()["joints"]["shoulder_pan"] == pytest.approx(200 * 360 / 4096, abs=1.5)


def test_an_arm_is_as_it_was_left_when_it_is_plugged_in_again(fresh: SimWorld) -> None:
    world = fresh
    path, number = world.open_port("feetech", SO100)
    driver = Driver(path)
    driver.write(3, 55, 1, 0)
    driver.write(3, 31, 2, 55)
    driver.close()
    world.close_port(number)
    again = Driver(world.open_port("feetech", SO100)[0])
    assert again.packets.read2ByteTxRx(again.port, 3, 31)[0] == 55
    # While it is plugged in, the next arm is another, calibrated and folded as the first one was.
    other = Driver(world.open_port("feetech", SO100)[0])
    assert other.packets.read2ByteTxRx(other.port, 3, 31)[0] == JOINTS[2].homing
    assert other.positions() == pytest.approx([2047 + joint.rest * 4096 / 360 for joint in JOINTS], abs=1)
    again.close()
    other.close()


def test_hands_hold_the_middle_and_sweep_every_range(world: SimWorld, driver: Driver) -> None:
    assert world.hands("middle") == 0.0
    assert driver.positions() == [2047] * 6
    assert world.hands("ranges") == SWEEP_S
    until = time.perf_counter() + SWEEP_S + 0.1
    seen = []
    while time.perf_counter() < until:
        seen.append(driver.positions())
    lows, highs = np.min(seen, axis=0).tolist(), np.max(seen, axis=0).tolist()
    assert lows == [2047 - joint.reach for joint in JOINTS]
    assert highs == [2047 + joint.reach for joint in JOINTS]


def test_faults_come_and_go(world: SimWorld, driver: Driver) -> None:
    ping = driver.packets.ping
    world.fault("gone", motor="elbow_flex")
    assert ping(driver.port, 3)[1] == scs.COMM_RX_TIMEOUT
    world.fault("clear")
    assert ping(driver.port, 3)[:2] == (777, scs.COMM_SUCCESS)
    world.fault("lost", count=1)
    assert ping(driver.port, 1)[1] == scs.COMM_RX_TIMEOUT
    world.fault("corrupt", motor="gripper")
    assert ping(driver.port, 6)[1] == scs.COMM_RX_CORRUPT
    world.fault("overload", motor="gripper")
    assert ping(driver.port, 6)[2] == 32
    world.fault("model", motor="wrist_flex", number=2825)
    assert ping(driver.port, 4)[0] == 2825
    world.fault("id", motor="wrist_roll", number=1)
    assert ping(driver.port, 5)[1] == scs.COMM_RX_TIMEOUT
    world.fault("only", motor="shoulder_pan")
    assert [ping(driver.port, motor)[1] == scs.COMM_SUCCESS for motor in (1, 2)] == [True, False]
    world.fault("clear")
    world.fault("model", motor="wrist_flex", number=777)
    world.fault("id", motor="wrist_roll", number=5)


def test_a_brown_out_silences_the_arm_and_takes_its_torque(world: SimWorld, driver: Driver) -> None:
    driver.write(2, 40, 1, 1)
    world.fault("brownout", seconds=0.15)
    assert driver.packets.ping(driver.port, 2)[1] == scs.COMM_RX_TIMEOUT
    assert eventually(lambda: driver.packets.ping(driver.port, 2)[1] == scs.COMM_SUCCESS)
    assert driver.packets.read1ByteTxRx(driver.port, 2, 40)[0] == 0


def test_cameras_give_frames_freeze_and_go(world: SimWorld) -> None:
    clock = RealClock()
    front = SimCamera(SimCameraConfig(view="front", fps=60.0), clock, world)
    wrist = SimCamera(SimCameraConfig(view="wrist", width=320, height=240), clock, world)
    front.connect()
    wrist.connect()
    assert (front.identity(), wrist.feature.shape) == ("sim/front", (240, 320, 3))
    first = front.read_latest(1.0)
    assert not first.stale
    assert clock.now() - first.captured < 0.5
    assert eventually(lambda: front.read_latest(1.0).seq > first.seq + 2)
    world.fault("frozen", camera="front")
    clock.sleep_until(clock.now() + 0.05)
    frozen, moving = front.read_latest(1.0).seq, wrist.read_latest(1.0).seq
    assert eventually(lambda: wrist.read_latest(1.0).seq > moving + 2)
    assert front.read_latest(1.0).seq == frozen
    assert front.read_latest(0.02).stale
    world.fault("missing", camera="wrist")
    with pytest.raises(CameraError, match="sim/wrist is gone"):
        wrist.read_latest(1.0)
    world.fault("clear")
    assert eventually(lambda: front.read_latest(1.0).seq > frozen)
    assert wrist.read_latest(60.0).image.shape == (240, 320, 3)
    front.disconnect()
    wrist.disconnect()


def test_a_camera_without_a_world_says_how_to_get_one() -> None:
    camera = SimCamera(SimCameraConfig(), RealClock(), None)
    with pytest.raises(CameraError, match="index_or_path sim"):
        camera.connect()


def _virtual_run() -> tuple[list[Any], list[int], Any, np.ndarray, float]:
    clock = VirtualClock(start=100.0)
    world = SimWorld("sim", clock, seed=4)
    camera = SimCamera(SimCameraConfig(width=160, height=120), clock, world)
    camera.connect()
    driver = Driver(world.open_port("feetech", SO100)[0])
    for motor in IDS:
        driver.write(motor, 40, 1, 1)
    heard = []
    for tick in range(15):
        clock.sleep_until(101.0 + tick / 30)
        heard.append(driver.positions())
        driver.goals([2047 + 8 * tick, 1500, 2600, 2047, 2047, 2047])
    frame = camera.read_latest(1.0)
    driver.close()
    log, truth = world.log(), world.truth()
    camera.disconnect()
    world.close()
    return log, heard[-1], truth, frame.image, frame.captured


def test_on_a_virtual_clock_two_runs_are_the_same() -> None:
    first, second = _virtual_run(), _virtual_run()
    assert first[:3] == second[:3]
    assert np.array_equal(first[3], second[3])
    assert first[4] == second[4]
    assert [entry["t"] for entry in first[0][-2:]] == pytest.approx([101 + 13 / 30, 101 + 14 / 30], abs=0.005)
    assert 101.4 < first[4] < 101.5


def test_a_port_without_a_world_brings_its_own() -> None:
    assert plugin.open_port("/dev/ttyACM0", "feetech", SO100) is None
    opened = plugin.open_port("sim:lonely", "feetech", SO100)
    assert opened is not None
    path, close = opened
    alone = Driver(path)
    assert alone.packets.ping(alone.port, 1)[0] == 777
    alone.close()
    close()
    close()


def test_worlds_are_found_by_their_reference() -> None:
    assert plugin.open_world("real:1", RealClock(), {}) is None
    world = plugin.open_world("sim:7", RealClock(), {"seed": 3, "auto_reset": False})
    assert isinstance(world, SimWorld)
    opened = plugin.open_port("sim:7", "feetech", SO100)
    assert opened is not None
    driver = Driver(opened[0])
    driver.write(1, 40, 1, 1)
    driver.goals([2047] * 6)
    assert driver.positions()
    assert len(world.log()) == 1
    driver.close()
    opened[1]()
    world.close()
    world.close()
    with pytest.raises(DeviceError, match="'sim:7' has ended"):
        world.truth()


def test_the_processes_end_with_the_world() -> None:
    world = SimWorld("sim", RealClock())
    camera = SimCamera(SimCameraConfig(width=64, height=48), RealClock(), world)
    camera.connect()
    pids = [world.pid, *_children(world.pid)]
    assert len(pids) == 2
    world.close()
    camera.disconnect()
    assert eventually(lambda: not any(alive(pid) for pid in pids))


def test_a_world_that_died_is_told_by_name_and_everything_can_still_be_closed(fresh: SimWorld) -> None:
    world = fresh
    camera = SimCamera(SimCameraConfig(width=64, height=48), RealClock(), world)
    camera.connect()
    _, number = world.open_port("feetech", SO100)
    os.kill(world.pid, signal.SIGKILL)
    with pytest.raises(DeviceError, match="'sim' has ended"):
        world.truth()
    camera.disconnect()
    world.close_port(number)
    world.close()


_VICTIM = """
import sys
from lerobot_core.clock import RealClock
from lerobot_sim.camera.camera import SimCamera
from lerobot_sim.client import SimWorld
from lerobot_sim.config import SimCameraConfig
world = SimWorld("sim", RealClock())
SimCamera(SimCameraConfig(width=64, height=48), RealClock(), world).connect()
print(world.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_is_left_of_a_run_that_was_killed() -> None:
    command = [sys.executable, "-c", _VICTIM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as victim:
        assert victim.stdout is not None
        pid = int(victim.stdout.readline())
        pids = [pid, *_children(pid)]
        assert all(alive(one) for one in pids)
        os.kill(victim.pid, signal.SIGKILL)
    assert len(pids) == 2
    assert eventually(lambda: not any(alive(one) for one in pids))


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(one) for one in file.read().split()]
