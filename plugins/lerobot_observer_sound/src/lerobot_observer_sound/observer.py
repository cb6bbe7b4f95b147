"""The observer: what the person is told, and who has the arm, said aloud and never in the loop's way."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from lerobot_core.types import Step

from .config import SoundConfig
from .voices import Bell, Voice

WAITING = 3
"""Older messages are dropped: what is said late is wrong by then."""
LONGEST = 200
HOLD_S = 0.5
"""A shorter hold is a pause between two chunks and nobody's news."""
_WORDS = {"policy": "policy", "human": "you have the arm", "hold": "holding", "goto": "moving by itself"}


class SoundObserver:
    """Says messages one after the other.

    Args:
        voice: says one thing at a time.
    """

    def __init__(self, config: SoundConfig, voice: Voice, log: logging.Logger) -> None:
        self._config, self._voice, self._log = config, voice, log
        self._waiting: deque[str] = deque(maxlen=WAITING)
        self._source, self._candidate, self._since = "", "", 0.0

    def start(self, info: dict[str, Any]) -> None:
        """Nothing was said yet."""
        self._waiting.clear()
        self._source = self._candidate = ""

    def notice(self, text: str) -> None:
        """One message; the terminal has rung for it already."""
        if text.strip() and not isinstance(self._voice, Bell):
            self._waiting.append(text.strip()[:LONGEST])
            self._next()

    def step(self, step: Step) -> None:
        """Who has the arm; and what is waiting to be said."""
        if self._config.sources:
            self._watch(step)
        self._next()

    def _watch(self, step: Step) -> None:
        if step.source != self._candidate:
            self._candidate, self._since = step.source, step.t
        settled = step.source != "hold" or step.t - self._since >= HOLD_S
        if settled and step.source != self._source:
            first, self._source = not self._source, step.source
            if not first:
                self._waiting.append(_WORDS[step.source])

    def _next(self) -> None:
        if self._waiting and not self._voice.busy:
            self._voice.say(self._waiting.popleft())

    def stop(self) -> None:
        """Be quiet. Idempotent."""
        self._waiting.clear()
        self._voice.stop()
