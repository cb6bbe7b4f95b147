"""Options of `--operator pedal`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class PedalConfig:
    """Which device, and what its keys mean."""

    device: str = option(
        "/dev/input/by-id/usb-PCsensor_FootSwitch-event-kbd",
        help="path, name below /dev/input/by-id, or part of the device's name (lr find operator)",
        primary=True,
        aliases=("device_path",),
    )
    keys: dict[str, str] | None = option(
        None,
        help="{event: key} with the kernel's names, e.g. {save: KEY_A}; default {pause: KEY_A, takeover: KEY_B, push: KEY_C}",
    )
    grab: bool = option(True, help="take the device alone, so that what it types goes nowhere else")
