"""A dataset whose first episode never came: created, then killed."""

from __future__ import annotations

from lerobot_storage_v3.repair import repair


def test_it_opens_repairs_and_goes_on(bench):
    storage = bench.open()
    reader = bench.reader()
    assert (len(reader.episodes), len(reader), reader.tasks) == (0, 0, [])
    storage._opened.lock.release()  # as its death would
    assert repair(bench.root) == []
    storage = bench.open(resume=True)
    bench.record(storage, range(3))
    bench.assert_holds(range(3))
