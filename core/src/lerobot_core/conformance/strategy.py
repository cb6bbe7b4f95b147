"""The strategy's laws."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, get_args

import pytest

from .. import commands
from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.operator import EVENTS
from ..contracts.strategy import Need, Run
from ..fakes import config as fakes
from ..fakes.inference import FakeInference
from ..fakes.joints import joint_features
from ..fakes.reader import FakeReader
from ..fakes.storage import FakeStorage
from ..fakes.teleoperator import FakeTeleoperator
from ..specs import StrategySpec
from ..types import Event, Tick
from ..virtual_clock import VirtualClock
from .base import PluginConformance, not_exercised
from .samples import action, observation, step

FPS = 30.0
JOINTS = joint_features()


class StrategyConformance(PluginConformance):
    """Commands for every tick and every event, rows only where rows may go, a tail that is not lost."""

    kind = "strategy"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def new_clock(self) -> Clock:
        """Virtual: a strategy that waits shows."""
        return VirtualClock()

    def run(self) -> Run:
        """A run made of fakes: what the strategy requires, a recorded episode to read, and nothing else."""
        needs = self.make().requires
        queue = ActionQueue(1.0 / FPS)
        return Run(
            clock=self.clock,
            storage=self._storage() if "storage" in needs else None,
            queue=queue,
            inference=self._engine(queue) if "inference" in needs else None,
            teleoperator=self._teleoperator() if "teleoperator" in needs else None,
            robot_features=JOINTS,
            action_features=JOINTS,
            fps=FPS,
            task="a task",
            log=logging.getLogger("conformance"),
            stop=lambda reason: None,
            reader=self._reader(),
        )

    def ready(self, run: Run) -> Any:
        """A built strategy that was set up."""
        strategy = self.make()
        strategy.setup(run)
        return strategy

    def tick(self, index: int, *events: str) -> Tick:
        """Tick `index` at 30 Hz, with what the person did and where the person wants the robot."""
        t = index / FPS
        self.clock.sleep_until(t)
        happened = tuple(Event(name, t) for name in events)
        seen = observation(JOINTS, t)
        return Tick(index, t, seen, happened, action(JOINTS, index), action(JOINTS, index - 1), depth=5, engine="ready")

    def drive(self, strategy: Any, ticks: int, events: dict[int, str] | None = None) -> int:
        """Tick and record until it stops; returns the ticks driven."""
        for index in range(ticks):
            tick = self.tick(index, *filter(None, [(events or {}).get(index)]))
            command = strategy.command(tick)
            known = isinstance(command, get_args(commands.Command))
            assert known, f"a strategy must answer every tick with a command, not {type(command).__name__}"
            assert self.clock.now() == tick.t, "a strategy must never wait: time went by inside command()"
            if isinstance(command, commands.Stop):
                return index
            strategy.record(step(JOINTS, JOINTS, index, FPS))
        return ticks

    def _storage(self, root: Path | None = None) -> FakeStorage:
        storage = FakeStorage(fakes.FakeStorageConfig(root=root))
        storage.open(JOINTS, JOINTS, FPS, "fake", "a task", resume=False)
        return storage

    def _reader(self) -> FakeReader:
        root = self.folder / "recorded"
        if not root.exists():
            storage = self._storage(root)
            for index in range(10):
                storage.add_frame(step(JOINTS, JOINTS, index, FPS))
            storage.save_episode()
            storage.finalize()
        return FakeReader(root)

    def _engine(self, queue: ActionQueue) -> FakeInference:
        engine = FakeInference(fakes.FakeInferenceConfig())
        engine.start(None, queue, self.clock)
        return engine

    def _teleoperator(self) -> FakeTeleoperator:
        teleoperator = FakeTeleoperator(fakes.FakeTeleoperatorConfig(), self.clock)
        teleoperator.connect()
        return teleoperator

    def test_what_it_requires_is_known_before_it_is_built(self) -> None:
        """A plan is checked against the spec."""
        spec, requires = self.spec(), self.make().requires
        unknown = sorted(set(requires) - set(get_args(Need)))
        assert not unknown, f"a strategy must require known things: {', '.join(unknown)}"
        needs = spec.needs if isinstance(spec, StrategySpec) else frozenset()
        assert requires == needs, (
            f"a strategy's requires must be its spec's needs: {sorted(requires)} is not {sorted(needs)}"
        )

    def test_it_answers_every_tick_with_a_command(self) -> None:
        """Without anything happening."""
        self.drive(self.ready(self.run()), 60)

    def test_it_takes_every_event_at_any_time(self) -> None:
        """A key may be pressed in every state."""
        for first in EVENTS:
            strategy = self.ready(self.run())
            strategy.command(self.tick(0, first))
        events = {3 * index: name for index, name in enumerate(EVENTS) if name not in ("stop", "stop_now")}
        self.drive(self.ready(self.run()), 60, events)

    def test_goto_targets_are_whole_actions(self) -> None:
        """A pose without a joint is no pose."""
        strategy = self.ready(self.run())
        for index in range(30):
            command = strategy.command(self.tick(index))
            if isinstance(command, commands.Goto):
                assert command.target.keys() == JOINTS.keys(), f"a Goto must name every joint: {sorted(command.target)}"
                assert command.seconds >= 0.0, "a Goto must not take negative time"

    def test_the_tail_is_saved_on_the_way_out(self) -> None:
        """What was recorded and not discarded is an episode after teardown."""
        run = self.run()
        storage = run.storage
        if not isinstance(storage, FakeStorage):
            not_exercised("the strategy does not require a storage")
        strategy = self.ready(run)
        self.drive(strategy, 20)
        strategy.teardown(None)
        loose = len(storage.unsaved)
        assert loose == 0, f"a strategy must save or discard the tail in teardown: {loose} rows were left"

    def test_teardown_is_survived_in_every_state(self) -> None:
        """Also before the first tick, and with an error."""
        self.ready(self.run()).teardown(None)
        strategy = self.ready(self.run())
        self.drive(strategy, 5)
        strategy.teardown(RuntimeError("something broke"))
