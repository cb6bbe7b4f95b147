"""Which OpenCV is installed: four distributions offer the same module."""

from __future__ import annotations

from importlib import metadata
from typing import Any

from lerobot_core.errors import PluginError
from lerobot_core.types import Problem

NAMES = ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless")
_FATAL = 1
"""OpenCV's log level for what it cannot survive."""
INSTALL = 'pip install "lerobot-camera-opencv[headless]"'


def installed() -> list[str]:
    """`"opencv-python-headless 4.11"`, one for each that is there."""
    found = []
    for name in NAMES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def problems() -> list[Problem]:
    """None or too many."""
    found = installed()
    if not found:
        return [Problem("error", "camera opencv", "OpenCV is not installed", INSTALL)]
    if len(found) > 1:
        text = f"{' and '.join(found)} overwrite each other's files"
        return [Problem("warning", "camera opencv", text, f"pip uninstall {found[0].split()[0]}, then {INSTALL}")]
    return []


def load() -> Any:
    """The module.

    Raises:
        PluginError: there is none, or it does not load here.
    """
    try:
        import cv2
    except ImportError as error:
        there = ", ".join(installed())
        why = f"{there} does not load: {error}" if there else "it is installed apart, because there are two of it"
        raise PluginError("camera 'opencv' needs OpenCV", why, INSTALL) from error
    # What goes wrong is told by us, in one line. OpenCV 5 has moved the switch.
    silence = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    silence(_FATAL)
    return cv2
