"""A small rig to record: two joints, two cameras whose pictures say which frame they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.clock import Clock, RealClock
from lerobot_core.specs import Parts
from lerobot_core.types import Feature, Features, Observation, Step
from lerobot_storage_v3.config import LerobotStorageConfig
from lerobot_storage_v3.faults import NONE, Faults
from lerobot_storage_v3.reader import LerobotReader, open_reader
from lerobot_storage_v3.writer import LerobotStorage
from numpy.typing import NDArray

FPS = 10
JOINTS: Features = {name: Feature("float32", (), "deg", -90.0, 90.0, 60.0) for name in ("pan.pos", "grip.pos")}


@dataclass(frozen=True)
class Rig:
    """What is recorded; `step(i)` is row i."""

    cameras: tuple[str, ...] = ("front", "wrist")
    height: int = 48
    width: int = 64

    @property
    def observation(self) -> Features:
        shape = (self.height, self.width, 3)
        return JOINTS | {name: Feature("uint8", shape) for name in self.cameras}

    @property
    def action(self) -> Features:
        return dict(JOINTS)

    def picture(self, camera: str, index: int) -> NDArray[np.uint8]:
        """A grey that says which frame of which camera it is."""
        grey = 20 + (index * 7 + 50 * self.cameras.index(camera)) % 200
        return np.full((self.height, self.width, 3), grey, np.uint8)

    def shows(self, frame: NDArray[Any], camera: str, index: int) -> bool:
        return abs(float(frame.mean()) - float(self.picture(camera, index).mean())) < 3

    def step(self, index: int, **changes: Any) -> Step:
        t = 100.0 + index / FPS
        values: dict[str, Any] = {"pan.pos": index / 4, "grip.pos": -index / 2}
        values |= {name: self.picture(name, index) for name in self.cameras}
        captured = {name: t - 0.01 * (place + 1) for place, name in enumerate(self.cameras)}
        sent = {"pan.pos": index / 8, "grip.pos": index / 16}
        requested = {key: value + 1 for key, value in sent.items()}
        row: dict[str, Any] = {"requested": requested, "sent": sent, "source": "policy", "task": "pick"}
        return Step(index, t, Observation(values, t, captured), **(row | changes))


@dataclass
class Bench:
    """Opens storages below one folder, and finalizes them after the test."""

    folder: Path
    rig: Rig = field(default_factory=Rig)
    made: list[LerobotStorage] = field(default_factory=list)

    @property
    def root(self) -> Path:
        return self.folder / "set"

    def storage(self, faults: Faults = NONE, clock: Clock | None = None, **options: Any) -> LerobotStorage:
        config = LerobotStorageConfig(**({"root": self.root, "compact": False} | options))
        storage = LerobotStorage(config, Parts(clock=clock or RealClock()), faults)
        self.made.append(storage)
        return storage

    def open(self, resume: bool = False, faults: Faults = NONE, clock: Clock | None = None, **options: Any) -> Any:
        storage = self.storage(faults, clock, **options)
        storage.open(self.rig.observation, self.rig.action, FPS, "fake", "a task", resume)
        return storage

    def record(self, storage: LerobotStorage, rows: range, outcome: Any = "none", **changes: Any) -> None:
        """One saved episode of these rows."""
        for index in rows:
            storage.add_frame(self.rig.step(index, **changes))
        ticket = storage.save_episode(outcome)
        assert ticket.wait(60), ticket.error

    def reader(self) -> LerobotReader:
        return open_reader(self.root)

    def assert_holds(self, *episodes: range) -> None:
        """The dataset on disk has exactly these rows, and every camera exactly their frames."""
        reader = self.reader()
        assert [episode.length for episode in reader.episodes] == [len(rows) for rows in episodes]
        for number, rows in enumerate(episodes):
            assert np.allclose(reader.states(number)[1][:, 0], np.array(rows) / 4)
            for place, index in enumerate(rows):
                row = reader.frames(reader.episodes[number].start + place)
                for camera in self.rig.cameras:
                    assert self.rig.shows(row[f"observation.images.{camera}"], camera, index)
        reader.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for storage in bench.made:
        try:
            storage.finalize()
        except Exception:
            continue  # a test that broke the storage has seen the error already


@pytest.fixture
def rig() -> Callable[..., Rig]:
    return Rig
