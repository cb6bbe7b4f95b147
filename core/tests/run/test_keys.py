"""One table of keys: what is shown, what is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lerobot_core.contracts.operator import EVENTS
from lerobot_core.errors import UsageError
from lerobot_core.operators.config import TerminalOperatorConfig
from lerobot_core.operators.table import rebound
from lerobot_core.operators.terminal import KEYS, TerminalOperator
from lerobot_core.run.session import Session
from lerobot_core.run.view import LiveView
from lerobot_core.specs import Parts
from lerobot_core.terminal_keys import Key, Line
from lerobot_core.types import Event
from lerobot_core.virtual_clock import VirtualClock
from rig import chosen, session


def operator(keys: dict[str, str] | None = None) -> TerminalOperator:
    return TerminalOperator(TerminalOperatorConfig(keys=keys), Parts(clock=VirtualClock()))


def run(keys: dict[str, str]) -> Session:
    """A run of `base` with the terminal's keys and these changes."""
    s = session(operator={"terminal": {"type": "terminal"}}, policy={}, flags={"duration": 0.2})
    strategy = chosen(s.plan.registry, "strategy", "base", keys=keys)
    s.plan.config = dataclasses.replace(s.plan.config, strategy=strategy)
    s.run()
    return s


@given(st.dictionaries(st.sampled_from(EVENTS), st.sampled_from([*"abcdefsp", "space", "tab"]), max_size=5))
def test_a_key_means_one_event_and_events_can_swap(changes: dict[str, str]) -> None:
    if len(set(changes.values())) < len(changes):
        with pytest.raises(UsageError, match="is given to both"):
            rebound(KEYS, changes)
        return
    after = rebound(KEYS, changes)
    assert {event: key for key, event in after.items() if event in changes} == changes
    kept = {key: event for key, event in KEYS.items() if event not in changes and key not in changes.values()}
    assert kept.items() <= after.items()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"svae": "k"}, ["svae", "save"]),
        ({"save": "spcae"}, ["spcae", "space"]),
        ({"save": "k", "push": "k"}, ["'k'", "save", "push"]),
    ],
)
def test_keys_that_cannot_be_are_refused(keys: dict[str, str], words: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        operator(keys)
    assert all(word in str(refused.value) for word in words)


def test_keys_of_a_pedal_are_none_of_the_terminals() -> None:
    assert operator({"save": "KEY_A"}).bindings() == KEYS


def test_the_peers_names_mean_the_same() -> None:
    bound = operator({"pause_resume": "k", "correction": "l", "upload": "m"}).bindings()
    assert (bound["k"], bound["l"], bound["m"]) == ("pause", "takeover", "push")


def test_a_key_taken_from_an_event_that_the_strategy_acts_on_is_refused() -> None:
    s = run({"takeover": "space"})
    assert s.ending.outcome == "failed"
    text = str(s.ending.error)
    assert "'space' means both pause and takeover" in text
    assert "{pause: KEY}" in text
    assert not s.parts.robot.is_connected
    assert s.loop is None


def test_a_key_taken_from_an_event_that_nobody_acts_on_is_fine() -> None:
    assert run({"pause": "s"}).ending.outcome == "done"


def test_stop_never_loses_its_key() -> None:
    assert "both stop and pause" in str(run({"pause": "esc"}).ending.error)


def test_the_screen_shows_the_keys_of_this_strategy() -> None:
    s = run({"pause": "k"})
    shown = LiveView(None, s)._keys()  # type: ignore[arg-type]
    assert shown == "keys: k pause, esc stop, ctrl-\\ stop_now"


def test_keys_and_lines_become_events() -> None:
    subject = operator()
    for heard in (Key("s"), Key("x"), Line("reset"), Line("start fold"), Line("fold the towel"), Key("hangup")):
        subject._hear(heard)
    assert subject.poll() == [
        Event("save", 0.0),
        Event("reset", 0.0),
        Event("start", 0.0, "fold"),
        Event("task", 0.0, "fold the towel"),
        Event("quit", 0.0),
    ]
