"""The order of samples is a pure function of the seed, the epoch and the place."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_train.cursor import Batches, Cursor, Stream
from lerobot_train.order import Feistel, make_order, mix, mix_all

EVERYTHING = ("randperm", "feistel", "none")


def order(kind: str, n: int, seed: int, epoch: int) -> list[int]:
    return make_order(kind, n, seed, epoch)(np.arange(n)).tolist()


@pytest.mark.parametrize(
    ("kind", "epoch", "expected"),
    [
        ("randperm", 0, [6, 3, 1, 5, 8, 7, 0, 2, 9, 4]),
        ("randperm", 1, [4, 8, 5, 0, 7, 6, 2, 3, 9, 1]),
        ("feistel", 0, [3, 8, 1, 7, 9, 4, 6, 0, 2, 5]),
        ("feistel", 1, [0, 9, 6, 5, 4, 1, 2, 8, 7, 3]),
        ("none", 1, list(range(10))),
    ],
)
def test_golden_orders(kind: str, epoch: int, expected: list[int]) -> None:
    assert order(kind, 10, 0, epoch) == expected


def test_mix() -> None:
    assert (mix(0), mix(1)) == (0xE220A8397B1DCDAF, 0x910A2DEC89025CC1)
    assert mix_all(np.arange(50, dtype=np.uint64)).tolist() == [mix(each) for each in range(50)]


@given(st.integers(1, 3000), st.integers(0, 2**32), st.integers(0, 50))
def test_feistel_is_a_permutation(n: int, seed: int, epoch: int) -> None:
    assert sorted(order("feistel", n, seed, epoch)) == list(range(n))


def test_the_end_of_a_very_long_epoch_costs_nothing() -> None:
    n = 10**12
    last = Feistel(n, 7, 3)(np.arange(n - 3, n))
    assert len(set(last.tolist())) == 3
    assert (last >= 0).all()
    assert (last < n).all()


def test_a_resumed_epoch_of_a_billion_frames_holds_nothing_per_frame() -> None:
    """How long its first sample takes is in `benchmarks/shuffle.py`."""
    at = Cursor(seed=1, shuffle="feistel", frames=10**9, fingerprint="", epoch=3, consumed=10**9 // 2)
    next(iter(Batches(at, 8)))  # what is imported and made once is not the order's
    tracemalloc.start()
    batch = next(iter(Batches(at, 8)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len({sample for _, sample in batch}) == 8
    assert peak < 50_000


def cursor(kind: str, frames: int = 10) -> Cursor:
    return Cursor(seed=0, shuffle=kind, frames=frames, fingerprint="x")


@pytest.mark.parametrize("kind", EVERYTHING)
def test_every_epoch_of_the_stream_has_every_sample_once(kind: str) -> None:
    seen = Stream(cursor(kind)).at(0, 30)
    assert all(sorted(seen[epoch * 10 : epoch * 10 + 10].tolist()) == list(range(10)) for epoch in range(3))


@given(
    st.sampled_from(EVERYTHING),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(1, 7), st.integers(1, 4), st.integers(0, 9))),
)
def test_changes_of_batch_and_world_size_move_nothing(
    kind: str, frames: int, parts: list[tuple[int, int, int]]
) -> None:
    """However a run is cut, what its processes see together is the stream."""
    at, seen = cursor(kind, frames), list[int]()
    for size, world, steps in parts:
        ranks = [iter(Batches(at, size, rank, world)) for rank in range(world)]
        for _ in range(steps):
            seen += [sample for rank in ranks for _, sample in next(rank)]
        at = Cursor.from_json(at.advanced(size * world * steps).to_json())
    assert at.total == len(seen)
    assert seen == Stream(cursor(kind, frames)).at(0, len(seen)).tolist()
