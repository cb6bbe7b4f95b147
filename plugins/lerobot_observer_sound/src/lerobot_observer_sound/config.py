"""Options of `--observer sound`."""

from __future__ import annotations

from dataclasses import dataclass

from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class SoundConfig:
    """How it is said."""

    voice: str = option(
        "auto",
        help="a speech program that is installed, or sounds, or the terminal's bell; auto: the first of these there is",
        choices=("auto", "spd-say", "espeak-ng", "espeak", "say", "tones", "bell"),
        primary=True,
    )
    sources: bool = option(True, help="also say who has the arm when that changes")
