"""Serial ports on a made-up /dev and /sys, and what is said when one cannot be opened."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from lerobot_core.devices import ports
from lerobot_core.devices.ports import SerialPort, explain, holder, latency_warning, port_of, serial_ports


@pytest.fixture
def system(tmp_path: Path) -> tuple[Path, Path]:
    """An FTDI adapter with its slow default, a CDC one without a timer, and a terminal that is neither."""
    dev, sys = tmp_path / "dev", tmp_path / "sys"
    usb = sys / "devices/usb1/1-1"
    for name, port in (("ttyUSB0", usb / "1-1:1.0/ttyUSB0"), ("ttyACM0", usb / "1-1:1.1")):
        port.mkdir(parents=True)
        (sys / "class/tty" / name).mkdir(parents=True)
        (sys / "class/tty" / name / "device").symlink_to(port)
        (dev / "serial/by-id").mkdir(parents=True, exist_ok=True)
        (dev / name).touch()
    for name, text in (("idVendor", "0403"), ("manufacturer", "FTDI"), ("product", "Adapter"), ("serial", "A50")):
        (usb / name).write_text(text + "\n")
    (usb / "1-1:1.0/ttyUSB0/latency_timer").write_text("16\n")
    (dev / "serial/by-id/usb-FTDI_Adapter_A50").symlink_to("../../ttyUSB0")
    (dev / "tty1").touch()
    return dev, sys


def test_ports_have_a_lasting_name_and_say_how_slow_they_are(system: tuple[Path, Path]) -> None:
    dev, sys = system
    acm, usb = serial_ports(dev, sys)
    by_id = str(dev / "serial/by-id/usb-FTDI_Adapter_A50")
    assert usb == SerialPort(str(dev / "ttyUSB0"), by_id, "FTDI Adapter", "A50", 16)
    assert usb.identity == by_id
    assert (acm.identity, acm.latency_ms) == (str(dev / "ttyACM0"), None)
    assert port_of(by_id, dev, sys) == usb
    assert port_of("/dev/pts/3", dev, sys) is None


def test_an_adapter_that_keeps_answers_back_is_named_with_the_command(system: tuple[Path, Path]) -> None:
    acm, usb = serial_ports(*system)
    assert "echo 1 | sudo tee /sys/bus/usb-serial/devices/ttyUSB0/latency_timer" in latency_warning(usb)
    assert latency_warning(acm) == latency_warning(None) == ""


@pytest.mark.parametrize(
    ("code", "what", "fix"),
    [
        (errno.ENOENT, "there is no port", "lr find ports"),
        (errno.EBUSY, "is in use", "close that one first"),
        (errno.EAGAIN, "is in use", "close that one first"),
        (errno.EIO, "cannot be opened", "lr find ports"),
    ],
)
def test_why_a_port_cannot_be_opened(code: int, what: str, fix: str) -> None:
    error = explain("/dev/ttyNone", OSError(code, "why"))
    assert what in error.what
    assert fix in error.fix


@pytest.mark.parametrize(
    ("group", "fix"),
    [(("dialout", 0o660), "sudo usermod -aG dialout $USER"), (("root", 0o600), "/etc/udev/rules.d/")],
)
def test_no_permission_says_the_group_or_the_udev_rule(
    group: tuple[str, int], fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_group", lambda path: group)
    error = explain("/dev/ttyUSB0", PermissionError(errno.EACCES, "denied"))
    assert error.what == "no permission to open /dev/ttyUSB0"
    assert fix in error.fix


def test_the_holder_of_a_device_is_found(tmp_path: Path) -> None:
    device = tmp_path / "ttyUSB0"
    device.touch()
    folder = tmp_path / "proc/4242"
    (folder / "fd").mkdir(parents=True)
    (folder / "fd/3").symlink_to(device)
    (folder / "comm").write_text("screen\n")
    assert holder(str(device), tmp_path / "proc") == "screen (process 4242)"
    with device.open() as file:
        assert holder(str(device)).startswith("this command itself"), os.readlink(f"/proc/self/fd/{file.fileno()}")
    assert holder(str(tmp_path / "other"), tmp_path / "proc") == ""


def test_what_is_no_port_says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = OSError(errno.EISDIR, "why")
    assert explain(str(tmp_path), refused).why == "it is a folder"
    assert explain(str(tmp_path / "file"), refused).why == "it is a file"
    assert explain("/dev/null", OSError(errno.ENOTTY, "why")).why == "it is a device of another sort"
