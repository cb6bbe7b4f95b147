"""The acme strategy. The policy drives; after `success` the robot rests for a moment."""

from __future__ import annotations

from lerobot_core import commands
from lerobot_core.contracts.strategy import Need, Run
from lerobot_core.types import Step, Tick

from .config import AcmeStrategyConfig


class AcmeStrategy:
    """Called from the loop's thread; nothing in it may block."""

    requires: frozenset[Need] = frozenset({"inference"})

    def __init__(self, config: AcmeStrategyConfig) -> None:
        self._config = config
        self._rest_until = 0.0

    def setup(self, run: Run) -> None:
        """Once, before the first tick. `run` has the clock, the storage, the engine and `stop(reason)`."""
        self._rest_until = run.clock.now()

    def command(self, tick: Tick) -> commands.Command:
        """What to execute in this period: Policy, Teleop, Hold, Goto or Stop."""
        if any(event.name == "success" for event in tick.events):
            self._rest_until = tick.t + self._config.rest_s
        return commands.Hold() if tick.t < self._rest_until else commands.Policy()

    def record(self, step: Step) -> None:
        """The period is over; a strategy that requires a storage would add the row here."""

    def teardown(self, error: BaseException | None) -> None:
        """On every exit path; a strategy with a storage would save the tail here."""
