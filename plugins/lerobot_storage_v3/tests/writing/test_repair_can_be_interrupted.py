"""A repair that is itself cut short: the next one ends where an undisturbed one would."""

from __future__ import annotations

import errno

import pytest
from lerobot_core.errors import StorageError
from lerobot_storage_v3.durability import WriterLock
from lerobot_storage_v3.faults import Fail
from lerobot_storage_v3.repair import repair, repair_locked


@pytest.fixture
def crashed(bench):
    """Two saved episodes, and six rows of a third in their journal."""
    storage = bench.open(faults=Fail("save.sync", 2))
    bench.record(storage, range(3))
    bench.record(storage, range(3, 5))
    for index in range(5, 11):
        storage.add_frame(bench.rig.step(index))
    storage.save_episode("failure")
    with pytest.raises(StorageError):
        storage.finalize()
    return bench


@pytest.mark.parametrize(
    ("point", "after"),
    [("save.data", 0), ("save.meta", 0), ("bytes", 20_000), ("save.manifest", 0), ("save.move", 0)]
    + [("save.move", 2), ("save.move", 4), ("save.flush", 0), ("save.clean", 0)],
)
def test_it_is_finished_by_the_next(crashed, point, after):
    lock = WriterLock(crashed.root)
    with pytest.raises(OSError, match="Input/output"):
        repair_locked(crashed.root, Fail(point, after, errno.EIO))
    lock.release()
    repair(crashed.root)
    crashed.assert_holds(range(3), range(3, 5), range(5, 11))
    assert [episode.outcome for episode in crashed.reader().episodes] == ["none", "none", "failure"]
    assert repair(crashed.root) == []
    assert not (crashed.root / ".lr").exists()
