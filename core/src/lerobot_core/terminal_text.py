"""Text as a terminal shows it: how many columns it takes, cut to a width, styled."""

from __future__ import annotations

import re
import unicodedata

_STYLE = re.compile(r"\x1b\[[0-9;]*m")
_UNSAFE = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x1a\x1c-\x1f\x7f]")
"""Anything that would move the cursor; a live block must know where it is."""
_CODES = {
    "bold": 1,
    "dim": 2,
    "reverse": 7,
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
}
RESET = "\x1b[0m"


def styled(text: str, *styles: str) -> str:
    """`text` between the escape codes of `styles` (`"bold"`, `"red"`, …)."""
    return f"\x1b[{';'.join(str(_CODES[style]) for style in styles)}m{text}{RESET}" if styles else text


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def columns(text: str) -> int:
    """How many columns `text` takes; style codes take none, wide characters two."""
    plain = _STYLE.sub("", text)
    return len(plain) if plain.isascii() else sum(map(_columns, plain))


def clip(text: str, width: int) -> str:
    """`text` cut to `width` columns, ending in `…` where something was cut; style codes survive and are closed."""
    text = _UNSAFE.sub("", text.expandtabs(4))
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for piece in re.split(f"({_STYLE.pattern})", text):
        if _STYLE.fullmatch(piece):
            kept.append(piece)
            continue
        for char in piece:
            used += _columns(char)
            if used > width - 1:
                return "".join(kept) + "…" + (RESET if _STYLE.search(text) else "")
            kept.append(char)
    return "".join(kept)


def bar(share: float, width: int, unicode: bool) -> str:
    """A bar of `width` columns, filled for `share` (0..1)."""
    filled = round(min(max(share, 0.0), 1.0) * width)
    done, left = ("━", "─") if unicode else ("#", ".")
    return done * filled + left * (width - filled)


def duration(seconds: float) -> str:
    """`9 s`, `02:05`, `1:02:05`."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"
