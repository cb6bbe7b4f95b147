"""The system's OpenGL, which MuJoCo draws with: found, chosen, and missed in plain words."""

from __future__ import annotations

import ctypes
import os
import sys

from lerobot_core.types import Problem

CHOICE = "MUJOCO_GL"
_LIBRARIES = {"egl": ("libEGL.so.1",), "osmesa": ("libOSMesa.so.8", "libOSMesa.so.6")}
INSTALL = "apt install libegl1 libgl1 libgl1-mesa-dri (Debian, Ubuntu), or the driver of the graphics card"


def available() -> list[str]:
    """Ways to draw without a screen, the best first; the files that belong to each can be loaded."""
    return [name for name, files in _LIBRARIES.items() if any(map(_loads, files))]


def choose() -> None:
    """Without a word from the user, draw without a screen on Linux; elsewhere MuJoCo knows. Before it is imported."""
    found = available() if sys.platform == "linux" else []
    if found:
        os.environ.setdefault(CHOICE, found[0])


def problems() -> list[Problem]:
    """What is missing, for `lr doctor`."""
    if sys.platform != "linux":
        return []
    asked, found = os.environ.get(CHOICE), available()
    if asked in _LIBRARIES and asked not in found:
        return [Problem("warning", "env aloha", f"{CHOICE}={asked}, but {_names(asked)} cannot be loaded", INSTALL)]
    if found or asked:
        return []
    missing = ", ".join(map(_names, _LIBRARIES))
    return [Problem("warning", "env aloha", f"nothing to draw with: none of {missing} can be loaded", INSTALL)]


def _names(way: str) -> str:
    return " or ".join(_LIBRARIES[way])


def _loads(file: str) -> bool:
    try:
        ctypes.CDLL(file)
    except OSError:
        return False
    return True
