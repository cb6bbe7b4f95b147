"""From the bytes of a terminal to named keys, and from keys to an edited line. Pure: nothing here waits or draws."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

ALONE_S = 0.05
"""An escape byte with nothing behind it for this long was the key itself: sequences arrive in one piece."""
CUT_S = 0.5
"""A sequence cut in two by a slow link gets this long to be completed, then it is dropped."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the character itself, or `space tab enter esc backspace delete up down left right home end`,
    `ctrl-a`, `ctrl-\\`, … ; `hangup` when the terminal went away."""

    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line typed after `/`."""

    text: str


_NAMED = {
    " ": "space",
    "\t": "tab",
    "\r": "enter",
    "\n": "enter",
    "\x1b": "esc",
    "\x7f": "backspace",
    "\b": "backspace",
}
_FINAL = {"A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end"}
_TILDE = {"1": "home", "3": "delete", "4": "end", "5": "pageup", "6": "pagedown", "7": "home", "8": "end"}
KEY_NAMES = tuple(dict.fromkeys((*_NAMED.values(), *_FINAL.values(), *_TILDE.values())))
"""Keys that are no character of their own."""
_SEQUENCE = re.compile(r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|O([A-Za-z]))")
_PARTIAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


def _name(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    return char if char >= " " else f"ctrl-{chr(ord(char) + 64).lower()}"


class KeyDecoder:
    """Bytes in, key names out, in any split; an escape that may begin a sequence is kept back."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    @property
    def patience(self) -> float | None:
        """Seconds to wait for more before `flush`; None when nothing is kept back."""
        if not self._text:
            return None
        return ALONE_S if self._text == "\x1b" else CUT_S

    def feed(self, data: bytes) -> list[str]:
        """The keys that are certain; sequences that mean none (focus, mouse, function keys) give nothing."""
        self._text += self._utf8.decode(data)
        keys: list[str] = []
        while self._text:
            found = _SEQUENCE.match(self._text)
            if found is None and _PARTIAL.match(self._text):
                break
            # Escape before an ordinary character is two keys, not Alt: escape stops the arm and may never be lost.
            name = _sequence_name(found) if found else _name(self._text[0])
            self._text = self._text[found.end() if found else 1 :]
            keys += [name] if name else []
        return keys

    def flush(self) -> list[str]:
        """Nothing more came: a lone escape is the key, a cut sequence is nothing."""
        kept, self._text = self._text, ""
        return ["esc"] if kept == "\x1b" else []


def _sequence_name(found: re.Match[str]) -> str:
    parameters, final, single = found.groups()
    if final == "~":
        return _TILDE.get(parameters.partition(";")[0], "")
    return _FINAL.get(final or single, "")


Editing = Literal["more", "sent", "cancelled"]


class LineEditor:
    """One line being typed.

    Attributes:
        text: what is typed so far.
        cursor: where the next character goes.
    """

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0

    def press(self, key: str) -> Editing:
        """Apply one key; enter sends, esc or backspace on an empty line cancels."""
        if key == "enter":
            return "sent"
        if key in ("esc", "ctrl-c", "ctrl-d") or (key == "backspace" and not self.text):
            return "cancelled"
        if key in _MOVES:
            self.cursor = _MOVES[key](self)
        elif key in _CUTS:
            start, end = _CUTS[key](self)
            self.text, self.cursor = self.text[:start] + self.text[end:], start
        elif key == "space" or len(key) == 1:
            self._insert(" " if key == "space" else key)
        return "more"

    def _insert(self, char: str) -> None:
        self.text = self.text[: self.cursor] + char + self.text[self.cursor :]
        self.cursor += 1

    def word_start(self) -> int:
        """Where the word before the cursor begins."""
        return self.text[: self.cursor].rstrip().rfind(" ") + 1


_MOVES: dict[str, Callable[[LineEditor], int]] = {
    "left": lambda line: max(line.cursor - 1, 0),
    "right": lambda line: min(line.cursor + 1, len(line.text)),
    "home": lambda line: 0,
    "ctrl-a": lambda line: 0,
    "end": lambda line: len(line.text),
    "ctrl-e": lambda line: len(line.text),
}
_CUTS: dict[str, Callable[[LineEditor], tuple[int, int]]] = {
    "backspace": lambda line: (max(line.cursor - 1, 0), line.cursor),
    "delete": lambda line: (line.cursor, line.cursor + 1),
    "ctrl-u": lambda line: (0, line.cursor),
    "ctrl-k": lambda line: (line.cursor, len(line.text)),
    "ctrl-w": lambda line: (line.word_start(), line.cursor),
}
