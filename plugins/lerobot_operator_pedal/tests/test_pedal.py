"""The pedal: real evdev on a pipe that carries the kernel's event structs; on a real kernel device where there is one."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("evdev")

import evdev
from evdev import ecodes
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.operator import OperatorConformance
from lerobot_core.errors import DeviceError, UsageError
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.specs import Parts
from lerobot_core.virtual_clock import VirtualClock
from lerobot_operator_pedal import devices
from lerobot_operator_pedal.config import PedalConfig
from lerobot_operator_pedal.pedal import DOWN, PedalOperator

EVENT = struct.Struct("llHHi")


class PipeDevice(evdev.InputDevice):  # type: ignore[misc]
    """evdev's own reader on the reading end of a pipe; a test writes what the kernel would."""

    def __init__(self, path: str, keys: tuple[str, ...] = ("KEY_A", "KEY_B", "KEY_C")) -> None:
        self.path, self.name = path, "PCsensor FootSwitch"
        self.fd, self.writer = os.pipe()
        os.set_blocking(self.fd, False)
        self.grabbed, self.keys, self.unplugged = False, keys, False

    def capabilities(self, *args: Any, **more: Any) -> dict[int, list[int]]:
        return {ecodes.EV_KEY: [ecodes.ecodes[key] for key in self.keys]}

    def grab(self) -> None:
        self.grabbed = True

    def read(self) -> Iterator[Any]:
        if self.unplugged:
            raise OSError(errno.ENODEV, "No such device")
        return super().read()  # type: ignore[no-any-return]

    def close(self) -> None:
        for end in (self.fd, self.writer):
            if end >= 0:
                os.close(end)
        self.fd = self.writer = -1

    def press(self, key: str, value: int = DOWN, ago: float = 0.0, kind: int = ecodes.EV_KEY) -> None:
        when = time.time() - ago
        sec, usec = int(when), int(when % 1 * 1_000_000)
        os.write(self.writer, EVENT.pack(sec, usec, kind, ecodes.ecodes[key], value))
        os.write(self.writer, EVENT.pack(sec, usec, ecodes.EV_SYN, ecodes.SYN_REPORT, 0))


Rig = tuple[PedalOperator, list[PipeDevice], VirtualClock]


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """An operator on a device that exists; the list holds every device it opened."""
    operators: list[PedalOperator] = []

    def plugged(keys: dict[str, str] | None = None) -> Rig:
        path = tmp_path / "event7"
        path.touch()
        opened: list[PipeDevice] = []
        clock = VirtualClock(start=100.0)

        def open_device(name: str) -> PipeDevice:
            opened.append(PipeDevice(name))
            return opened[-1]

        operator = PedalOperator(PedalConfig(device=str(path), keys=keys), Parts(clock=clock), open_device)
        operators.append(operator)
        return operator, opened, clock

    yield plugged
    for operator in operators:
        operator.stop()


class TestPedal(OperatorConformance):
    name = "pedal"

    @pytest.fixture(autouse=True)
    def _device(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = tmp_path / "event0"
        self.path.touch()
        monkeypatch.setattr(PedalOperator.__init__, "__defaults__", (PipeDevice,))

    def options(self) -> dict[str, Any]:
        return {"device": str(self.path)}


def test_presses_are_events_and_nothing_else_is(plug: Callable[..., Rig]) -> None:
    pedal, opened, _ = plug()
    pedal.start()
    device = opened[0]
    assert device.grabbed
    for value in (DOWN, 2, 2, 0):
        device.press("KEY_A", value)
    device.press("KEY_Z")
    device.press("REL_X", kind=ecodes.EV_REL)
    device.press("KEY_C")
    assert [event.name for event in pedal.poll()] == ["pause", "push"]
    assert pedal.poll() == []


def test_an_event_has_the_time_of_the_press(plug: Callable[..., Rig]) -> None:
    pedal, opened, clock = plug()
    pedal.start()
    opened[0].press("KEY_A", ago=0.03)
    (event,) = pedal.poll()
    assert 0.03 <= clock.now() - event.t < 1.0


def test_keys_are_configured_by_any_of_their_names(plug: Callable[..., Rig]) -> None:
    pedal, opened, _ = plug(keys={"save": "b", "pause_resume": "KEY_C"})
    assert pedal.bindings() == {"KEY_B": "save", "KEY_C": "pause"}
    pedal.start()
    opened[0].press("KEY_B")
    assert [event.name for event in pedal.poll()] == ["save"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"save": "KEY_FOO"}, ["KEY_FOO"]),
        ({"save": "KEY_ESX"}, ["KEY_ESC"]),
        ({"svae": "KEY_A"}, ["svae", "save"]),
        ({"save": "KEY_A", "push": "a"}, ["KEY_A", "save", "push"]),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: dict[str, str], words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        PedalOperator(PedalConfig(keys=keys), Parts(clock=VirtualClock()))
    assert all(word in str(refused.value) for word in words)


def test_a_device_without_the_keys_says_which_it_has(plug: Callable[..., Rig]) -> None:
    pedal, opened, _ = plug_with(plug, ("KEY_1", "KEY_2"))
    with pytest.raises(DeviceError, match="KEY_A") as refused:
        pedal.start()
    assert "KEY_1, KEY_2" in str(refused.value)
    assert opened[0].fd == -1, "it was closed again"


def test_a_missing_key_is_a_warning(plug: Callable[..., Rig], caplog: pytest.LogCaptureFixture) -> None:
    pedal, _, _ = plug_with(plug, ("KEY_A", "KEY_B"))
    pedal.start()
    assert "no KEY_C (push)" in caplog.text


def plug_with(plug: Callable[..., Rig], there: tuple[str, ...]) -> Rig:
    """A device with these keys only."""
    pedal, opened, clock = plug()
    opener = pedal._open

    def open_device(path: str) -> Any:
        device: Any = opener(path)
        device.keys = there
        return device

    pedal._open = open_device
    return pedal, opened, clock


def test_unplugged_it_is_told_and_comes_back(plug: Callable[..., Rig], caplog: pytest.LogCaptureFixture) -> None:
    pedal, opened, clock = plug()
    pedal.start()
    opened[0].unplugged = True
    assert pedal.poll() == []
    assert "the pedal is gone" in caplog.text
    assert pedal.poll() == []
    assert len(opened) == 1, "not tried again at every tick"
    clock.sleep_until(clock.now() + 1.5)
    pedal.poll()
    assert "the pedal is back" in caplog.text
    opened[1].press("KEY_A")
    assert [event.name for event in pedal.poll()] == ["pause"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), ["may not be read", "usermod"]),
        (OSError(errno.ENOTTY, "Inappropriate ioctl for device"), ["cannot be opened as an input device"]),
    ],
)
def test_what_cannot_be_opened_says_why(plug: Callable[..., Rig], error: OSError, words: list[str]) -> None:
    pedal, _, _ = plug()

    def refuse(path: str) -> Any:
        raise error

    pedal._open = refuse
    with pytest.raises(DeviceError) as refused:
        pedal.start()
    assert all(word in str(refused.value) for word in words)


def test_a_file_that_is_no_device_is_refused_by_the_real_evdev(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.touch()
    pedal = PedalOperator(PedalConfig(device=str(path)), Parts(clock=VirtualClock()))
    with pytest.raises(DeviceError, match="cannot be opened as an input device"):
        pedal.start()


# --- which devices are there ------------------------------------------------------------------------------------------


@pytest.fixture
def kernel(tmp_path: Path) -> tuple[Path, Path]:
    """/dev/input and /sys/class/input with a keyboard, two foot switches and a lid switch."""
    folder, sysfs = tmp_path / "dev", tmp_path / "sys"
    (folder / "by-id").mkdir(parents=True)
    called = {
        "event0": "AT keyboard",
        "event1": "PCsensor FootSwitch",
        "event2": "PCsensor FootSwitch",
        "event10": "Lid",
    }
    for node, name in called.items():
        (folder / node).touch()
        about = sysfs / node / "device"
        (about / "capabilities").mkdir(parents=True)
        (about / "name").write_text(name + "\n")
        (about / "capabilities" / "key").write_text("0\n" if name == "Lid" else "10000 0 7ff\n")
    (folder / "by-id" / "usb-left-event-kbd").symlink_to("../event1")
    return folder, sysfs


def test_devices_are_listed_with_names_that_stay(kernel: tuple[Path, Path]) -> None:
    found = devices.inputs(*kernel)
    assert [each.path.rpartition("/")[2] for each in found] == ["event0", "event1", "event2", "event10"]
    assert [each.best.rpartition("/")[2] for each in found[1:3]] == ["usb-left-event-kbd", "event2"]
    assert [each.has_keys for each in found] == [True, True, True, False]


@pytest.mark.parametrize("wanted", ["event0", "keyboard", "/dev/input/event0"])
def test_a_device_is_found_by_path_and_by_name(kernel: tuple[Path, Path], wanted: str) -> None:
    assert devices.find(wanted, devices.inputs(*kernel)).name == "AT keyboard"


@pytest.mark.parametrize(("wanted", "words"), [("footswitch", "2 input devices"), ("/dev/input/by-id/x", "no input")])
def test_a_wrong_device_lists_those_that_are_there(kernel: tuple[Path, Path], wanted: str, words: str) -> None:
    with pytest.raises(DeviceError, match=words) as refused:
        devices.find(wanted, devices.inputs(*kernel))
    assert "usb-left-event-kbd (PCsensor FootSwitch)" in str(refused.value)
    assert "Lid" not in str(refused.value)
    problem = devices.problem_with(wanted, *kernel)
    assert problem is not None
    assert words in problem[0]


def test_the_plan_is_refused_before_anything_is_opened() -> None:
    registry = Registry()

    def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**options), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        policy=chosen("policy", "fake"),
        inference=chosen("inference", "sync"),
        strategy=chosen("strategy", "base"),
        operator={"foot": chosen("operator", "pedal", "foot", device="nowhere")},
    )
    session = Session(Plan("rollout", config, {}, registry), VirtualClock())
    session.run()
    assert "operator.foot.device: there is no input device 'nowhere'" in str(session.ending.error)


# --- on a real kernel device ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.access("/dev/uinput", os.W_OK), reason="/dev/uinput cannot be written here")
def test_a_device_of_the_kernel() -> None:
    made = evdev.UInput({ecodes.EV_KEY: [ecodes.KEY_A, ecodes.KEY_B]}, name="lerobot-test-pedal")
    try:
        pedal = PedalOperator(PedalConfig(device=made.device.path), Parts(clock=VirtualClock(start=9.0)))
        pedal.start()
        made.write(ecodes.EV_KEY, ecodes.KEY_A, DOWN)
        made.syn()
        events: list[str] = []
        while not events:
            events += [event.name for event in pedal.poll()]
        assert events == ["pause"]
        pedal.stop()
    finally:
        made.close()
