"""Serial ports as the system lists them, and what is wrong when one cannot be opened; no serial library needed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import BusError

_PATTERNS = ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyTHS*", "cu.usb*")
"""USB adapters, on-board ports of a Raspberry Pi and a Jetson, USB adapters of macOS."""
GOOD_LATENCY_MS = 2
"""An adapter that keeps answers back for longer than this cannot keep a 100 Hz loop."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """One port.

    Attributes:
        path: what to open.
        by_id: the path that stays the same whatever else is plugged in, "" where the system gives none.
        name: what the adapter calls itself.
        serial: its serial number, "" where it has none.
        latency_ms: how long the adapter keeps answers back, None where it cannot be asked.
    """

    path: str
    by_id: str = ""
    name: str = ""
    serial: str = ""
    latency_ms: int | None = None

    @property
    def identity(self) -> str:
        """The best name for a rig file."""
        return self.by_id or self.path


def serial_ports(dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> list[SerialPort]:
    """Every port a servo bus may hang on, by path."""
    names = sorted({path.name for pattern in _PATTERNS for path in dev.glob(pattern)})
    links = {link.resolve().name: str(link) for link in _files(dev / "serial/by-id")}
    return [_port(dev, sys / "class/tty" / name, links.get(name, "")) for name in names]


def port_of(path: str, dev: Path = Path("/dev"), sys: Path = Path("/sys")) -> SerialPort | None:
    """The listed port that `path` (also a by-id link) leads to, None for any other file."""
    name = Path(path).resolve().name
    return next((port for port in serial_ports(dev, sys) if Path(port.path).name == name), None)


def latency_warning(port: SerialPort | None) -> str:
    """What to do about an adapter that keeps answers back, "" when it does not."""
    if port is None or port.latency_ms is None or port.latency_ms <= GOOD_LATENCY_MS:
        return ""
    name = Path(port.path).name
    return (
        f"{port.path} keeps every answer back for up to {port.latency_ms} ms; "
        f"better: echo 1 | sudo tee /sys/bus/usb-serial/devices/{name}/latency_timer"
    )


def explain(path: str, error: OSError) -> BusError:
    """Why a serial port could not be opened, and what to type."""
    code = error.errno
    if code in (errno.EACCES, errno.EPERM):
        return BusError(f"no permission to open {path}", _owner(path), _permission_fix(path))
    if code in (errno.EBUSY, errno.EAGAIN):
        found = holder(path)
        return BusError(f"{path} is in use", f"by {found}" if found else "by another program", "close that one first")
    if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
        found = ", ".join(port.identity for port in serial_ports()) or "none"
        return BusError(f"there is no port {path}", f"serial ports here: {found}", "lr find ports lists them")
    if os.path.isdir(path) or os.path.isfile(path):
        what = "a folder" if os.path.isdir(path) else "a file"
        return BusError(f"{path} is not a serial port", f"it is {what}", "lr find ports lists them")
    if getattr(error, "args", (0,))[0] == errno.ENOTTY or "ioctl" in str(error):
        return BusError(f"{path} is not a serial port", "it is a device of another sort", "lr find ports lists them")
    return BusError(f"{path} cannot be opened", str(error), "lr find ports lists the ports that are there")


def _port(dev: Path, entry: Path, by_id: str) -> SerialPort:
    usb = _usb(entry / "device")
    words = [_read(usb / name) for name in ("manufacturer", "product")] if usb else []
    latency = _read(entry / "device/latency_timer")
    return SerialPort(
        str(dev / entry.name),
        by_id,
        " ".join(word for word in words if word),
        _read(usb / "serial") if usb else "",
        int(latency) if latency.isdigit() else None,
    )


def _usb(device: Path) -> Path | None:
    """The USB device above a port, found by what only such a folder holds."""
    place = device.resolve()
    return next((folder for folder in (place, *place.parents) if (folder / "idVendor").is_file()), None)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(folder.iterdir())


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _group(path: str) -> tuple[str, int] | None:
    """Whose group a device file is, and its mode."""
    try:
        import grp

        status = os.stat(path)
        return grp.getgrgid(status.st_gid).gr_name, status.st_mode & 0o777
    except (OSError, ImportError, KeyError):
        return None


def _owner(path: str) -> str:
    found = _group(path)
    return f"it belongs to group {found[0]} (mode {found[1]:o})" if found else ""


def _permission_fix(path: str) -> str:
    """The group, where it may read and write; else only a udev rule helps."""
    group, mode = _group(path) or ("dialout", 0o660)
    if group != "root" and mode & 0o060 == 0o060:
        return f"sudo usermod -aG {group} $USER, then log out and in again"
    rule = f'KERNEL=="{Path(path).resolve().name}", GROUP="dialout", MODE="0660"'
    return f"echo '{rule}' | sudo tee /etc/udev/rules.d/99-lerobot.rules, then plug it in again"


def holder(path: str, proc: Path = Path("/proc")) -> str:
    """The process that has a device open, as far as this user may see; "" for none."""
    wanted = os.path.realpath(path)
    for link in proc.glob("[0-9]*/fd/*"):
        try:
            held = os.readlink(link) == wanted
        except OSError:
            continue
        if held and int(link.parts[-3]) == os.getpid():
            return "this command itself: two of its devices were given this port"
        if held:
            return f"{_read(link.parents[1] / 'comm')} (process {link.parts[-3]})"
    return ""
