"""Observers beside the loop: messages arrive, a failing one is detached, the loop does not notice."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.run.observers import ObserverThread
from lerobot_core.types import Step
from lerobot_core.virtual_clock import VirtualClock
from rig import session


class Watcher:
    """Keeps what it is given; fails where it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.rows, self.messages, self.calls = fails, 0, [], []  # type: ignore[var-annotated]

    def _do(self, name: str) -> None:
        self.calls.append(name)
        if name == self.fails:
            raise RuntimeError("no")

    def start(self, info: dict[str, Any]) -> None:
        self._do("start")

    def step(self, step: Step) -> None:
        self.rows += 1
        self._do("step")

    def notice(self, text: str) -> None:
        self.messages.append(text)
        self._do("notice")

    def stop(self) -> None:
        self._do("stop")


def run(watchers: dict[str, Watcher]) -> Any:
    s = session(policy={}, flags={"duration": 1.0}, operator={"fake": {"events": ((0.5, "pause"),)}})
    build = s.build

    def build_and_watch() -> None:
        build()
        s.parts.observers.update(watchers)  # type: ignore[arg-type]
        setup = s.parts.strategy.setup

        def setup_and_say(view: Any) -> None:
            setup(view)
            view.notify("hello")
            view.notify("it begins")

        s.parts.strategy.setup = setup_and_say  # type: ignore[method-assign]

    s.build = build_and_watch  # type: ignore[method-assign]
    s.run()
    return s


def test_rows_and_every_message_arrive() -> None:
    watcher = Watcher()
    done = run({"one": watcher})
    assert done.ending.outcome == "done"
    assert watcher.rows >= 25
    assert watcher.messages == ["hello", "it begins"]
    assert watcher.calls[0] == "start"
    assert watcher.calls[-1] == "stop"


@pytest.mark.parametrize("fails", ["start", "step", "notice"])
def test_one_that_fails_is_detached_and_the_others_go_on(fails: str, caplog: pytest.LogCaptureFixture) -> None:
    bad, good = Watcher(fails), Watcher()
    done = run({"bad": bad, "good": good})
    assert done.ending.outcome == "done"
    assert good.rows >= 25
    assert good.messages == ["hello", "it begins"]
    assert bad.rows <= 1
    assert bad.calls.count(fails) == 1
    assert [r.message for r in caplog.records if "was detached" in r.message] == [
        "observer 'bad' was detached: RuntimeError: no"
    ]


def test_a_message_after_the_end_is_lost_quietly() -> None:
    thread = ObserverThread(VirtualClock(), {})
    thread.start({})
    thread.stop()
    thread.tell("too late")
