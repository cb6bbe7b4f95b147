"""What is drawn, seen through a small terminal."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.terminal import Terminal
from lerobot_core.terminal_screen import Screen
from lerobot_core.terminal_text import bar, clip, columns, duration, styled
from pseudo_terminal import Glass

LINES = st.lists(st.text("abc é世\t", max_size=30), max_size=4)


class Narrow(Screen):
    """A screen of 20 x 6 without a terminal."""

    size = (20, 6)


@given(st.lists(st.tuples(LINES, LINES), max_size=8))
def test_the_block_is_at_the_bottom_and_everything_said_above_it(frames: list[tuple[list[str], list[str]]]) -> None:
    frames = [([clip(line, 19) for line in above], block) for above, block in frames]
    stream = io.StringIO()
    screen, glass = Narrow(stream), Glass(20)
    for above, block in frames:
        screen.draw(above, block)
    glass.feed(stream.getvalue())
    said = [line for above, _ in frames for line in above]
    block = [clip(line, 19) for line in frames[-1][1]] if frames else []
    assert glass.shown == [*said, *block]


def test_a_block_taller_than_the_screen_is_cut() -> None:
    stream = io.StringIO()
    Narrow(stream).draw([], [str(n) for n in range(10)])
    assert stream.getvalue() == "0\n1\n2\n3\n4\n"


def test_a_narrowed_terminal_has_folded_the_block() -> None:
    stream = io.StringIO()
    screen = Narrow(stream)
    screen.draw([], ["x" * 19, "y"])
    screen.size = (10, 6)
    screen.draw([], ["z"])
    assert "\x1b[3A" in stream.getvalue(), "19 columns take two rows of ten"


def test_a_screen_that_is_gone_is_silent() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    screen = Screen(Gone())
    screen.write("a")
    screen.draw(["b"], ["c"])


def test_a_screen_that_is_full_loses_a_line_not_the_view() -> None:
    class Full(io.StringIO):
        full = True

        def write(self, text: str) -> int:
            if self.full:
                raise BlockingIOError
            return super().write(text)

    stream = Full()
    screen = Screen(stream)
    screen.write("lost\n")
    stream.full = False
    screen.write("shown\n")
    assert stream.getvalue() == "shown\n"


def test_what_the_screen_cannot_show_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "ascii", write_through=True)
    Screen(stream).write("ready ━\n")
    assert raw.getvalue() == b"ready ?\n"


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_clipped_line_fits(text: str, width: int) -> None:
    assert columns(clip(text, width)) <= width


def test_clipping_keeps_style_and_closes_it() -> None:
    assert clip(styled("abcdef", "red"), 4) == "\x1b[31mabc…\x1b[0m"
    assert clip(styled("abcd", "red"), 4) == "\x1b[31mabcd\x1b[0m"
    assert clip("a\x1b[2Jb", 9) == "a[2Jb"
    assert columns("世界") == 4


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (61, "01:01"), (3725, "1:02:05")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_bars_are_filled_by_share() -> None:
    assert bar(0.5, 4, unicode=True) == "━━──"
    assert bar(2.0, 4, unicode=False) == "####"


# --- piped ----------------------------------------------------------------------------------------------------------


def piped() -> tuple[Terminal, io.StringIO]:
    stream = io.StringIO()
    return Terminal(stdin=-1, screen=stream, environ={}), stream


def test_piped_there_is_no_person_no_colour_and_no_keys() -> None:
    terminal, _ = piped()
    assert [terminal.live, terminal.person, terminal.keys, terminal.colour] == [False] * 4
    assert terminal.style("x", "red") == "x"
    assert terminal.size == (80, 24)


def test_piped_lines_are_plain_and_at_once() -> None:
    terminal, stream = piped()
    terminal.say("one")
    terminal.say("two", bell=True)
    assert stream.getvalue() == "one\ntwo\n"


def test_piped_a_region_is_silent_unless_it_asks_for_lines() -> None:
    terminal, stream = piped()
    with terminal.view("status") as region:
        region.update(["a"])
    assert stream.getvalue() == ""
    region = terminal.view("status", plain_every=0.0)
    region.update(["b"])
    region.update(["c", "d"])
    region.close(keep=True)
    assert stream.getvalue() == "b\nc\nd\nc\nd\n"


def test_piped_progress_ends_in_one_line() -> None:
    terminal, stream = piped()
    with terminal.progress(3, "copying", "files") as progress:
        for _ in range(3):
            progress.advance()
        progress.close()
    assert stream.getvalue() == "copying: 3/3 files in 0 s\n"


def test_piped_progress_prints_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    terminal, stream = piped()
    with terminal.progress(100, "copying") as progress:
        for done in range(1, 31):
            now[0] += 0.4
            progress.update(done)
    first, second, last = stream.getvalue().splitlines()
    assert first == "copying: 13%, 13/100  35 s left"
    assert second.startswith("copying: 26%")
    assert last == "copying: 30/100 in 12 s"


def test_progress_of_unknown_length_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    terminal, stream = piped()
    progress = terminal.progress(None, "reading", "rows")
    now[0] = 6.0
    progress.update(7)
    assert stream.getvalue() == "reading  7 rows  6 s\n"
