"""Ways to be heard, best first: a speech program, a tone through a player, the terminal's bell.

Programs are started and not waited for, without a shell; text is one argument after `--`, so nothing in it is an option.
"""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from lerobot_core.terminal import Terminal

SPEAKERS: dict[str, tuple[str, ...]] = {
    "spd-say": ("spd-say", "--wait", "--"),
    "espeak-ng": ("espeak-ng", "--"),
    "espeak": ("espeak", "--"),
    "say": ("say", "--"),
}
PLAYERS: tuple[tuple[str, ...], ...] = (("paplay",), ("pw-play",), ("aplay", "-q"), ("afplay",))
RATE = 16000
TONE_S = 0.12
LOUD = 0.4
PITCHES = {"begin": (523.0, 784.0), "end": (784.0, 523.0), "note": (659.0,), "trouble": (330.0, 330.0, 330.0)}
"""Hz, one tone after the other: up for a beginning, down for an end."""
_ENDS = ("saved", "discarded", "ended", "over", "stopped", "done", "home")
_BEGINS = ("recording", "segment", "ready", "on", "correcting")
_TROUBLES = ("gone", "fail", "lost", "could not", "full")


class Voice(Protocol):
    """Says one thing at a time."""

    @property
    def busy(self) -> bool:
        """It is still speaking."""

    def say(self, text: str) -> None:
        """Begin to say it; never waits. OSError when the program cannot be started."""

    def stop(self) -> None:
        """Be quiet. Idempotent."""


class Program:
    """A program that takes words, or the file of a tone, as its last argument."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def busy(self) -> bool:
        """The program runs."""
        return self._process is not None and self._process.poll() is None

    def say(self, text: str) -> None:
        """Start it; the one before has ended, or is ended."""
        self.stop()
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([*self._command, text], stdin=quiet, stdout=quiet, stderr=quiet)

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


class Tones:
    """Four short tunes, by what the words are about; for machines without a speech program."""

    def __init__(self, player: Sequence[str]) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._program = Program(player)

    def _tune(self, name: str) -> Path:
        """The tune's file, written once a run."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="lerobot-sound-")
        path = Path(self._folder.name, f"{name}.wav")
        if not path.exists():
            write_tune(path, PITCHES[name])
        return path

    @property
    def busy(self) -> bool:
        """A tune is playing."""
        return self._program.busy

    def say(self, text: str) -> None:
        """Play the tune."""
        self._program.say(str(self._tune(tune_of(text))))

    def stop(self) -> None:
        """End it and take the files away."""
        self._program.stop()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


class Bell:
    """The terminal's bell. Messages ring it already, so it is silent about those; only changes of hand are new."""

    busy = False

    def __init__(self, terminal: Terminal | None) -> None:
        self._terminal = terminal

    def say(self, text: str) -> None:
        """Ring, where there is a terminal."""
        if self._terminal is not None:
            self._terminal.say(text, bell=True)

    def stop(self) -> None:
        """A bell ends by itself."""


def voice(name: str, terminal: Terminal | None) -> Voice:
    """The voice called `name`; `auto` is the first there is."""
    spoken = [each for each in SPEAKERS if name in ("auto", each) and shutil.which(each)]
    if spoken:
        return Program(SPEAKERS[spoken[0]])
    player = _player() if name in ("auto", "tones") else None
    return Tones(player) if player is not None else Bell(terminal)


def missing(name: str) -> bool:
    """A voice that was asked for by name is not there."""
    if name == "tones":
        return _player() is None
    return name in SPEAKERS and shutil.which(name) is None


def tune_of(text: str) -> str:
    """Which tune fits: a key of `PITCHES`."""
    text = text.lower()
    for name, words in (("trouble", _TROUBLES), ("end", _ENDS), ("begin", _BEGINS)):
        if any(word in text for word in words):
            return name
    return "note"


def write_tune(path: Path, pitches: Sequence[float]) -> None:
    """Sine tones one after the other as 16 bit mono, each fading in and out so that it does not click."""
    count = int(RATE * TONE_S)
    samples = [
        LOUD * 32767 * math.sin(math.pi * n / count) * math.sin(2 * math.pi * pitch * n / RATE)
        for pitch in pitches
        for n in range(count)
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *map(int, samples)))


def _player() -> tuple[str, ...] | None:
    return next((player for player in PLAYERS if shutil.which(player[0])), None)
