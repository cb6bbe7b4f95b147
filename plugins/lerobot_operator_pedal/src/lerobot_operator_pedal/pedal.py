"""The operator: key presses of one input device, read without waiting.

There is no thread: the kernel keeps presses with their times until the loop polls, and asking for them costs a system
call (2 us). So an event has the time of the press, however late the tick was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from evdev import InputDevice, InputEvent, ecodes
from lerobot_core.errors import DeviceError, UsageError, did_you_mean
from lerobot_core.operators.table import rebound
from lerobot_core.specs import Parts
from lerobot_core.types import Event

from .config import PedalConfig
from .devices import PERMISSION, find, inputs

KEYS = {"KEY_A": "pause", "KEY_B": "takeover", "KEY_C": "push"}
"""Key -> event unless rebound; LeRobot's defaults, which is how PCsensor's foot switches are sold."""
DOWN = 1
"""Value of a press; 0 is a release, 2 a repetition while it is held."""
RETRY_S = 1.0


class Device(Protocol):
    """What is used of evdev's InputDevice."""

    name: str

    def read(self) -> Iterable[InputEvent]:
        """What has come; BlockingIOError when nothing has, OSError when it was unplugged."""

    def capabilities(self) -> dict[int, list[int]]:
        """Codes by type."""

    def grab(self) -> None:
        """Take it alone."""

    def close(self) -> None:
        """Let it go."""


def open_input(path: str) -> Device:
    """The device at `path`, by evdev; OSError when it is none or may not be read."""
    device: Device = InputDevice(path)
    return device


class PedalOperator:
    """Events from the keys of a pedal, of a keypad, of anything that the kernel calls an input device.

    Args:
        open_device: for tests; opens a path.
    """

    def __init__(self, config: PedalConfig, parts: Parts, open_device: Callable[[str], Device] = open_input) -> None:
        self._config, self._clock, self._log, self._open = config, parts.clock, parts.log, open_device
        self._terminal = parts.terminal
        self._device: Device | None = None
        self._path = ""
        self._retry: float | None = None
        self._keys = dict(KEYS)
        self.rebind(config.keys or {})

    def rebind(self, keys: dict[str, str]) -> None:
        """{event: key}; `KEY_A` and `a` are the same key.

        Raises:
            UsageError: no such event or key, or one key for two events.
        """
        self._keys = rebound(self._keys, {event: key_named(key) for event, key in keys.items()})

    def bindings(self) -> dict[str, str]:
        """Key -> event, with the kernel's names."""
        return dict(self._keys)

    def start(self) -> None:
        """Open the device.

        Raises:
            DeviceError: there is no such device (with a list of those that are there), it may not be read, somebody else
                has taken it, or it has none of the keys.
        """
        self._path = self._find()
        self._device = self._opened(self._path)

    def _find(self) -> str:
        """A path is taken as it is: it need not be below /dev/input."""
        path = self._config.device
        return path if path.startswith("/") and Path(path).exists() else find(path, inputs()).path

    def _opened(self, path: str) -> Device:
        try:
            device = self._open(path)
        except PermissionError as error:
            raise DeviceError(f"{path} may not be read by this user", str(error), PERMISSION) from error
        except OSError as error:
            raise DeviceError(f"{path} cannot be opened as an input device", str(error), "lr find operator") from error
        try:
            self._check_keys(device)
            if self._config.grab:
                device.grab()
        except OSError as error:
            device.close()
            raise DeviceError(
                f"{path} is taken by another program", str(error), "end it, or --operator.pedal.no-grab"
            ) from error
        except DeviceError:
            device.close()
            raise
        return device

    def _check_keys(self, device: Device) -> None:
        there = {name for code in device.capabilities().get(ecodes.EV_KEY, []) for name in _names(code)}
        missing = [key for key in self._keys if key not in there]
        if len(missing) == len(self._keys):
            text = ", ".join(sorted(there)[:12]) or "no keys at all"
            raise DeviceError(
                f"{device.name} has none of the keys {', '.join(missing)}",
                f"it has {text}",
                "--operator.pedal.keys '{EVENT: KEY}'",
            )
        if missing:
            lost = ", ".join(f"{key} ({self._keys[key]})" for key in missing)
            self._log.warning("%s has no %s", device.name, lost)

    def first_action(self, t: float) -> None:
        """Keys have no schedule."""

    def poll(self) -> list[Event]:
        """Presses since the last call, with the time of each press."""
        if self._device is None:
            self._come_back()
            return []
        try:
            return [event for each in self._device.read() if (event := self._event(each)) is not None]
        except BlockingIOError:
            return []
        except OSError as error:
            self._gone(error)
            return []

    def _event(self, each: InputEvent) -> Event | None:
        if each.type != ecodes.EV_KEY or each.value != DOWN:
            return None
        meant = next((self._keys[name] for name in _names(each.code) if name in self._keys), None)
        age = max(time.time() - each.timestamp(), 0.0)
        return None if meant is None else Event(meant, self._clock.now() - age)

    # --- a plug that came loose -------------------------------------------------------------------------------------

    def _gone(self, error: OSError) -> None:
        self._say(f"the pedal is gone ({error.strerror}); plugged in again, it goes on")
        self.stop()
        self._retry = self._clock.now() + RETRY_S

    def _come_back(self) -> None:
        if self._retry is None or self._clock.now() < self._retry:
            return
        self._retry = self._clock.now() + RETRY_S
        try:
            path = self._find()
            device = self._opened(path)
        except DeviceError:
            return
        self._path, self._device, self._retry = path, device, None
        self._say("the pedal is back")

    def _say(self, text: str) -> None:
        if self._terminal is not None:
            self._terminal.say(text, bell=True)
        else:
            self._log.warning("%s", text)

    def stop(self) -> None:
        """Let the device go. Idempotent."""
        device, self._device, self._retry = self._device, None, None
        if device is not None:
            try:
                device.close()
            except OSError:
                pass  # it was unplugged


def key_named(name: str) -> str:
    """The kernel's name of a key: `KEY_A` for `a` and `KEY_A`.

    Raises:
        UsageError: there is no such key.
    """
    for each in (name, name.upper(), f"KEY_{name.upper()}", f"BTN_{name.upper()}"):
        if each in ecodes.ecodes and each.startswith(("KEY_", "BTN_")):
            return each
    known = [each for each in ecodes.ecodes if each.startswith(("KEY_", "BTN_"))]
    raise UsageError(
        f"no input device has a key {name!r}",
        "keys have the kernel's names, such as KEY_A",
        did_you_mean(name.upper(), known),
    )


def _names(code: int) -> tuple[str, ...]:
    found = ecodes.bytype[ecodes.EV_KEY].get(code, ())
    return (found,) if isinstance(found, str) else tuple(found)
