"""The live view at narrow and wide terminals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.run.view import LiveView, wrap
from rig import session


@given(st.lists(st.text(min_size=1, max_size=90), max_size=20), st.integers(10, 220))
def test_no_line_is_wider_than_the_terminal(cells: list[str], width: int) -> None:
    assert all(len(line) < width for line in wrap(cells, width))


@pytest.mark.parametrize("width", [80, 200])
def test_it_says_what_matters(width: int) -> None:
    s = session(
        policy={"latency_s": 0.1},
        inference={"type": "chunked"},
        camera={"front": {}},
        flags={"duration": 1.0, "task": "sort"},
    )
    s.run()
    view = LiveView(None, s)  # type: ignore[arg-type]
    view._title = "rollout base fake"
    text = "\n".join(wrap(view.cells(s.loop.last_step), width))
    for word in ("policy", "'sort'", "30 Hz", "queue", "engine", "front", "filter rate:"):
        assert word in text
