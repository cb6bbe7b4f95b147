"""The acme observer. It logs a line now and then; replace that by your viewer."""

from __future__ import annotations

import logging
from typing import Any

from lerobot_core.types import Step

from .config import AcmeObserverConfig


class AcmeObserver:
    """Runs on a thread of its own and sees the newest row only; it must not change it."""

    def __init__(self, config: AcmeObserverConfig, log: logging.Logger) -> None:
        self._config, self._log = config, log
        self._rows = 0

    def start(self, info: dict[str, Any]) -> None:
        """The run begins; `info` has robot, policy, fps and task."""
        self._rows = 0

    def step(self, step: Step) -> None:
        """The newest row."""
        self._rows += 1
        if self._rows % self._config.every == 0:
            self._log.info("row %d: %s", step.index, step.sent)

    def stop(self) -> None:
        """The run is over."""
