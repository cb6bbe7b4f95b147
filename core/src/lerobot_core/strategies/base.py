"""`base` runs the policy, `teleoperate` follows the person; neither records."""

from __future__ import annotations

from .. import commands
from ..contracts.strategy import Need, Run
from ..types import Step, Tick


class BaseStrategy:
    """The policy drives; `pause` holds, `pause` again goes on."""

    requires: frozenset[Need] = frozenset({"inference"})

    def __init__(self) -> None:
        self._run: Run | None = None
        self._paused = False

    def setup(self, run: Run) -> None:
        """Keep the run, to pause its engine."""
        self._run = run

    def command(self, tick: Tick) -> commands.Command:
        """Policy, or Hold while paused."""
        for event in tick.events:
            if event.name == "pause":
                self._toggle()
        return commands.Hold() if self._paused else commands.Policy()

    def _toggle(self) -> None:
        self._paused = not self._paused
        engine = self._run.inference if self._run else None
        if engine is not None:
            (engine.pause if self._paused else engine.resume)()

    def record(self, step: Step) -> None:
        """Nothing."""

    def teardown(self, error: BaseException | None) -> None:
        """Nothing."""


class TeleoperateStrategy:
    """The teleoperator drives."""

    requires: frozenset[Need] = frozenset({"teleoperator"})

    def setup(self, run: Run) -> None:
        """Nothing."""

    def command(self, tick: Tick) -> commands.Command:
        """Teleop."""
        return commands.Teleop()

    def record(self, step: Step) -> None:
        """Nothing."""

    def teardown(self, error: BaseException | None) -> None:
        """Nothing."""
