"""Bytes to keys, keys to a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.terminal_keys import ALONE_S, CUT_S, KeyDecoder, LineEditor

KEYS = {
    b" ": "space",
    b"\t": "tab",
    b"\r": "enter",
    b"\n": "enter",
    b"\x7f": "backspace",
    b"\x1c": "ctrl-\\",
    b"\x01": "ctrl-a",
    b"s": "s",
    b"S": "S",
    b"/": "/",
    "é".encode(): "é",
    b"\x1b[A": "up",
    b"\x1b[B": "down",
    b"\x1b[C": "right",
    b"\x1b[D": "left",
    b"\x1bOC": "right",
    b"\x1b[1;5D": "left",
    b"\x1b[3~": "delete",
    b"\x1b[H": "home",
    b"\x1b[5~": "pageup",
}


@pytest.mark.parametrize(("data", "name"), KEYS.items(), ids=str)
def test_a_key_has_one_name(data: bytes, name: str) -> None:
    assert KeyDecoder().feed(data) == [name]


@given(st.lists(st.sampled_from(list(KEYS)), max_size=12), st.data())
def test_keys_are_the_same_in_any_split(keys: list[bytes], data: st.DataObject) -> None:
    stream, decoder, heard = b"".join(keys), KeyDecoder(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        heard += decoder.feed(stream[:size])
        stream = stream[size:]
    assert heard == [KEYS[key] for key in keys]
    assert decoder.patience is None


def test_escape_alone_waits_a_moment_and_is_the_key() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.patience == ALONE_S
    assert decoder.flush() == ["esc"]
    assert decoder.patience is None


def test_escape_is_never_lost_among_other_keys() -> None:
    assert KeyDecoder().feed(b"\x1bs") == ["esc", "s"]
    assert KeyDecoder().feed(b"\x1b\x1b[C") == ["esc", "right"]
    assert KeyDecoder().feed(b"\x1b\x1b ") == ["esc", "esc", "space"]


def test_a_cut_sequence_is_waited_for_and_then_means_nothing() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b[1;") == []
    assert decoder.patience == CUT_S
    assert decoder.flush() == []
    assert decoder.feed(b"s") == ["s"]


def test_sequences_of_other_things_give_no_key() -> None:
    assert KeyDecoder().feed(b"\x1b[I\x1b[200~\x1b[15~\x1b[<0;10;10M") == []


@given(st.binary(max_size=60))
def test_any_bytes_are_survived(data: bytes) -> None:
    decoder = KeyDecoder()
    for name in [*decoder.feed(data), *decoder.flush()]:
        assert name


def typed(keys: list[str]) -> tuple[LineEditor, str]:
    editor, step = LineEditor(), "more"
    for key in keys:
        step = editor.press(key)
    return editor, step


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("pick space it", "pick it"),
        ("picc backspace k", "pick"),
        ("ick home p", "pick"),
        ("ick ctrl-a p end s", "picks"),
        ("pck left left i", "pick"),
        ("pick space the space cube ctrl-w b o x", "pick the box"),
        ("pick space ctrl-w", ""),
        ("pick ctrl-u put", "put"),
        ("pick left left ctrl-k", "pi"),
        ("pixck left left left delete", "pick"),
        ("pick left right right right s", "picks"),
        ("pick up down tab f", "pickf"),
    ],
)
def test_a_line_is_edited(keys: str, text: str) -> None:
    names = {"space", "backspace", "home", "end", "left", "right", "delete", "up", "down", "tab"}
    pressed = [k for word in keys.split() for k in ([word] if word in names or word.startswith("ctrl-") else word)]
    editor, step = typed(pressed)
    assert (editor.text, step) == (text, "more")


def test_enter_sends_and_escape_cancels() -> None:
    assert typed([*"go", "enter"])[1] == "sent"
    assert typed([*"go", "esc"])[1] == "cancelled"
    assert typed(["a", "backspace", "backspace"])[1] == "cancelled"


@given(
    st.lists(
        st.sampled_from([*"ab ", "space", "left", "right", "home", "end", "backspace", "delete", "ctrl-w", "ctrl-k"])
    )
)
def test_the_cursor_stays_in_the_line(keys: list[str]) -> None:
    editor = LineEditor()
    for key in keys:
        if editor.press(key) != "more":
            break
        assert 0 <= editor.cursor <= len(editor.text)
