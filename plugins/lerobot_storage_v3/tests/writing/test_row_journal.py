"""The journal gives back every row that was written before a crash, wherever it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_storage_v3.journal import Journal, read_journal
from lerobot_storage_v3.rows import Row

finite = st.floats(allow_nan=False)
rows = st.builds(
    Row,
    t=finite,
    task=st.text(max_size=20),
    state=st.lists(finite, max_size=4),
    action=st.lists(finite, max_size=4),
    requested=st.lists(finite, max_size=4),
    source=st.sampled_from(["policy", "human", "hold", "goto"]),
    captured=st.lists(finite, max_size=3),
    flags=st.lists(st.text(max_size=8), max_size=3),
    seq=st.integers(-1, 2**40),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("journal") / "rows.journal"


def write(path, cameras, written):
    journal = Journal(path, cameras)
    sizes = [path.stat().st_size]
    for row in written:
        journal.add(row)
        sizes.append(path.stat().st_size)
    journal.close()
    return sizes


@settings(max_examples=60, deadline=None)
@given(written=st.lists(rows, max_size=8), cameras=st.lists(st.text(max_size=8), max_size=3), data=st.data())
def test_a_cut_costs_only_the_row_it_is_in(path, written, cameras, data):
    sizes = write(path, cameras, written)
    cut = data.draw(st.integers(sizes[0], sizes[-1]))
    with path.open("r+b") as file:
        file.truncate(cut)
    whole = sum(size <= cut for size in sizes[1:])
    assert read_journal(path) == (cameras, written[:whole], "none")


@settings(max_examples=60, deadline=None)
@given(written=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_a_changed_byte_ends_it_there(path, written, data):
    sizes = write(path, ["front"], written)
    at = data.draw(st.integers(sizes[0], sizes[-1] - 1))
    content = bytearray(path.read_bytes())
    content[at] ^= 0x40
    path.write_bytes(content)
    whole = sum(size <= at for size in sizes[1:])
    assert read_journal(path) == (["front"], written[:whole], "none")


@given(junk=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_junk_has_no_rows_and_raises_nothing(path, junk):
    path.write_bytes(junk)
    assert isinstance(read_journal(path), tuple)


def test_no_file_no_rows(tmp_path):
    assert read_journal(tmp_path / "rows.journal") == ([], [], "none")


@given(written=st.lists(rows, max_size=3), outcome=st.sampled_from(["success", "failure"]))
@settings(max_examples=20, deadline=None)
def test_an_episode_that_was_complete_keeps_its_label(path, written, outcome):
    journal = Journal(path, [])
    for row in written:
        journal.add(row)
    journal.end(outcome)
    journal.close()
    assert read_journal(path) == ([], written, outcome)
