"""The operator's laws."""

from __future__ import annotations

import time
from typing import Any

from ..clock import Clock
from ..contracts.operator import EVENTS
from ..types import Event
from ..virtual_clock import VirtualClock
from .base import PluginConformance, accepted


class OperatorConformance(PluginConformance):
    """Events with known names, handed over without waiting."""

    kind = "operator"

    def new_clock(self) -> Clock:
        """Virtual: an operator that waits shows."""
        return VirtualClock()

    def close(self, subject: Any) -> None:
        """`stop`."""
        subject.stop()

    def started(self) -> Any:
        """A built operator that listens; stopped after the test."""
        operator = self.make()
        operator.start()
        return operator

    def test_its_keys_mean_known_events(self) -> None:
        """They are checked for clashes before the run."""
        unknown = sorted(set(self.make().bindings().values()) - set(EVENTS))
        assert not unknown, f"an operator's keys must mean known events: {', '.join(unknown)}"

    def test_poll_never_waits(self) -> None:
        """The loop polls at every tick."""
        operator = self.started()
        before, began = self.clock.now(), time.perf_counter()
        for _ in range(200):
            operator.poll()
        assert self.clock.now() == before, "poll must never wait: time went by"
        # 200 polls take milliseconds; one that waits for a key would take minutes.
        assert time.perf_counter() - began < 10.0, "poll must never wait"

    def test_its_events_are_known_and_in_order(self) -> None:
        """For a minute after the first action."""
        operator = self.started()
        operator.first_action(self.clock.now())
        events: list[Event] = []
        for second in range(60):
            self.clock.sleep_until(float(second))
            events += operator.poll()
        unknown = sorted({event.name for event in events} - set(EVENTS))
        assert not unknown, f"an operator must give known events: {', '.join(unknown)}"
        times = [event.t for event in events]
        assert times == sorted(times), "events must come oldest first"

    def test_an_event_is_handed_over_once(self) -> None:
        """Polling again gives nothing old."""
        operator = self.started()
        operator.first_action(self.clock.now())
        self.clock.sleep_until(60.0)
        operator.poll()
        assert operator.poll() == [], "an event must be handed over once"

    def test_rebinding_shows(self) -> None:
        """A strategy's own keys arrive here; an operator without keys ignores them."""
        operator = self.make()
        before = operator.bindings()
        operator.rebind({"save": "k"})
        after = operator.bindings()
        # Devices have their own names for a key: `k` in a terminal is the kernel's KEY_K.
        bound = [key for key, event in after.items() if event == "save" and key.lower().endswith("k")]
        assert not before or bound, f"a rebound key must show in bindings(): {after}"

    def test_stop_is_idempotent(self) -> None:
        """Exit paths overlap."""
        accepted(self.make().stop, "an operator must allow stop() before start()")
        operator = self.started()
        operator.stop()
        accepted(operator.stop, "an operator must allow stop() twice")
