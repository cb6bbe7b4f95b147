"""Somebody wants the run to end: it finishes its step, saves and says so; a second signal ends it at once."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, Self

from accelerate import Accelerator


class Stop:
    """Ctrl-C and SIGTERM, while it is entered."""

    def __init__(self) -> None:
        self._asked = False
        self._old: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._old[number] = signal.signal(number, self._heard)
            except ValueError:
                break  # not the main thread: whoever started it ends it
        return self

    def __exit__(self, *exc: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def ask(self) -> None:
        """As a signal does."""
        self._asked = True

    def wanted(self, accelerator: Accelerator) -> bool:
        """Any process's wish is everybody's: all of them leave the loop at the same step."""
        if accelerator.num_processes == 1:
            return self._asked
        import torch

        asked: Any = accelerator.reduce(torch.tensor([float(self._asked)], device=accelerator.device), "sum")
        return bool(asked.item() > 0)
