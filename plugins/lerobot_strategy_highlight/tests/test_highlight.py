"""Highlight on fakes and the virtual clock: every key, every transition, every way out."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.strategy import StrategyConformance
from lerobot_core.errors import StorageError
from lerobot_core.registry import Registry
from lerobot_core.run.controller import Controller
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from lerobot_strategy_highlight.config import HighlightConfig

RING_S = 1.0


class TestHighlight(StrategyConformance):
    name = "highlight"


def session(
    script: str, duration: float = 4.0, fault: str = "none", dataset: dict[str, Any] | None = None, **strategy: Any
) -> Session:
    registry = Registry()

    def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**options), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        camera={"front": chosen("camera", "fake", "front")},
        policy=chosen("policy", "fake", latency_s=0.1, fault=fault, fault_after=3),
        inference=chosen("inference", "chunked"),
        strategy=chosen("strategy", "highlight", **{"ring_buffer_seconds": RING_S, **strategy}),
        dataset=chosen("storage", "fake", **(dataset or {})),
        operator={"scripted": chosen("operator", "scripted", script=script)},
        duration=duration,
    )
    return Session(Plan("rollout", config, {}, registry), VirtualClock())


def run(script: str, **more: Any) -> Session:
    done = session(script, **more)
    done.run()
    return done


def episodes(session: Session) -> list[list[int]]:
    """The periods in each saved episode."""
    return [[step.index for step in episode.steps] for episode in session.parts.storage.episodes]  # type: ignore[union-attr]


def keys(session: Session, *at: float) -> list[int]:
    """The first period at or after each time since the first action."""
    assert session.loop is not None
    assert session.loop.first_sent is not None
    first = round(session.loop.first_sent * 30)
    return [first + round(t * 30) for t in at]


def test_a_key_keeps_the_seconds_before_it_and_what_follows() -> None:
    done = run("2.0 save; 3.0 save")
    begin, end = keys(done, 2.0, 3.0)
    (rows,) = episodes(done)
    assert rows == list(range(rows[0], rows[-1] + 1)), "no gap, no duplicate"
    # The scripted event is polled at the tick that follows its time.
    assert rows[-1] in (end - 1, end)
    assert begin - rows[0] in (30, 31)


def test_the_row_of_the_keys_own_period_is_live() -> None:
    """So live begins in the period of the key: at 30 Hz never later than 33 ms."""
    done = session("2.0 save; 3.0 save")
    committed: list[float] = []
    opening = done.open_storage

    def opened() -> None:
        opening()
        storage = done.parts.storage
        commit = storage.commit_buffer  # type: ignore[union-attr]
        storage.commit_buffer = lambda: (committed.append(done.clock.now()), commit())  # type: ignore

    done.open_storage = opened  # type: ignore[method-assign]
    done.run()
    assert done.loop is not None
    assert committed[0] - (done.loop.first_sent + 2.0) <= 1 / 30 + 1e-6  # type: ignore[operator]


def test_two_highlights_share_no_row() -> None:
    done = run("1.5 save; 2.0 save; 2.2 save; 3.0 save")
    first, second = episodes(done)
    assert second[0] == first[-1] + 1, "the ring begins again with the period that ended the last one"
    assert second == list(range(second[0], second[-1] + 1))


def test_nothing_is_kept_that_nobody_asked_for() -> None:
    done = run("")
    assert episodes(done) == []
    assert done.ending.outcome == "done"
    assert done.loop is not None
    assert done.loop.counts.rows["policy"] == 120


@pytest.mark.parametrize("way_out", ["duration", "operator", "policy"])
def test_a_live_episode_is_saved_on_every_way_out(way_out: str) -> None:
    script = "0.2 save; 3.0 stop" if way_out == "operator" else "0.2 save"
    done = run(script, duration=10.0, fault="raise" if way_out == "policy" else "none")
    assert done.ending.outcome == {"duration": "done", "operator": "stopped", "policy": "failed"}[way_out]
    (rows,) = episodes(done)
    assert len(rows) > 15
    assert rows == list(range(rows[0], rows[-1] + 1))


def test_discard_forgets_the_live_episode_and_the_ring_goes_on() -> None:
    done = run("1.0 save; 2.0 discard; 2.5 save; 3.0 save")
    (rows,) = episodes(done)
    (discarded,) = keys(done, 2.0)
    assert rows[0] in (discarded, discarded + 1), "what was discarded does not come back through the ring"


def test_discard_without_a_recording_changes_nothing() -> None:
    done = run("1.5 discard; 2.0 save; 3.0 save")
    (rows,) = episodes(done)
    assert len(rows) >= 59


def test_a_save_while_nothing_was_recorded_is_told_and_survived() -> None:
    registry = Registry()
    spec = registry.spec("operator", "fake")
    early = spec.config(events=((0.0, "save"), (0.0, "save")))
    done = session("", duration=1.0)
    done.plan.config.operator["early"] = Chosen("operator", "fake", spec, early, "early")
    said: list[str] = []
    done._notify = said.append  # type: ignore[method-assign]
    done.run()
    assert done.ending.outcome == "done"
    assert episodes(done) == []
    assert "nothing was recorded yet, so nothing was saved" in said


def test_both_presses_in_one_period_save_what_the_ring_holds() -> None:
    done = run("2.0 save; 2.001 save")
    (rows,) = episodes(done)
    assert len(rows) in (30, 31)


def test_labels_belong_to_the_highlight() -> None:
    done = run("1.0 save; 1.5 success; 2.0 save; 2.2 save; 2.4 save; 2.6 failure; 3.0 save; 3.2 save")
    assert [e.outcome for e in done.parts.storage.episodes] == ["success", "none", "failure"]  # type: ignore[union-attr]


def test_a_label_for_what_the_ring_has_forgotten_is_dropped() -> None:
    done = run("0.2 failure; 2.0 save; 3.0 save")
    assert [e.outcome for e in done.parts.storage.episodes] == ["none"]  # type: ignore[union-attr]


def test_paused_rows_are_holds_and_time_stays_true() -> None:
    done = run("1.0 save; 1.5 pause; 2.5 pause; 3.5 save")
    assert done.loop is not None
    assert done.loop.counts.rows["hold"] == pytest.approx(30, abs=6)
    (rows,) = episodes(done)
    assert rows == list(range(rows[0], rows[-1] + 1))


def test_an_episode_that_fills_its_file_goes_on_in_the_next_one() -> None:
    done = run("1.0 save; 3.5 save", dataset={"rotate_rows": 40})
    parts = episodes(done)
    assert len(parts) == 3
    rows = [index for part in parts for index in part]
    assert rows == list(range(rows[0], rows[-1] + 1))


def test_bytes_cap_the_ring() -> None:
    spec = Registry().spec("strategy", "highlight")
    done = session("2.0 save; 2.1 save")
    asked: list[tuple[float, int]] = []
    opening = done.open_storage

    def opened() -> None:
        opening()
        storage = done.parts.storage
        storage.buffer = lambda seconds, most: asked.append((seconds, most))  # type: ignore[union-attr, method-assign]

    done.open_storage = opened  # type: ignore[method-assign]
    done.run()
    assert asked[0] == (RING_S, spec.config().ring_buffer_max_memory_mb * 1024**2)


def test_push_publishes_once_and_recording_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[int] = []
    monkeypatch.setattr(
        "lerobot_core.fakes.storage.FakeStorage.push",
        lambda self, dry_run=False: pushed.append(len(self.episodes)) or "there",
    )
    run("1.0 save; 2.0 save")
    assert not pushed
    run("1.0 save; 2.0 save; 2.5 push")
    assert pushed == [1]


def test_a_push_that_fails_is_a_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def push(self: Any, dry_run: bool = False) -> str:
        raise StorageError("nowhere to push to")

    monkeypatch.setattr("lerobot_core.fakes.storage.FakeStorage.push", push)
    done = run("1.0 save; 2.0 save; 2.5 push")
    assert done.ending.outcome == "done"
    assert "nowhere to push to" in caplog.text


def test_a_full_disk_ends_the_run_and_keeps_what_was_saved() -> None:
    done = run("0.5 save; 1.0 save; 1.5 save", dataset={"fault": "full", "fault_after": 60})
    assert (done.ending.outcome, done.exit) == ("failed", "park")
    assert len(episodes(done)) >= 1


def test_a_segment_of_a_session_never_begins_with_rows_of_the_one_before() -> None:
    done = session("", duration=0.0)
    controller = Controller(done.plan, clock := VirtualClock())
    with controller:
        for key in ("", "save"):
            controller.start()
            clock.sleep_until(clock.now() + 1.0)
            began = clock.now()
            controller.press(key or "pause")
            clock.sleep_until(began + 0.5)
            controller.stop()
            clock.sleep_until(clock.now() + 2.0)
        (episode,) = controller.session.parts.storage.episodes  # type: ignore[union-attr]
    rows = [step.index for step in episode.steps]
    assert rows == list(range(rows[0], rows[-1] + 1))
    assert 30 <= len(rows) <= 50


def test_the_peers_options_are_keys() -> None:
    config = HighlightConfig(save_key="r", push_key="h", keys={"discard": "x"})
    assert config.bindings() == {"save": "r", "push": "h", "discard": "x"}


def test_what_it_needs_is_said_before_anything_is_opened() -> None:
    registry = Registry()
    spec = registry.spec("strategy", "highlight")
    robot = registry.spec("robot", "fake")
    plan = Plan(
        "rollout",
        RunConfig(
            robot=Chosen("robot", "fake", robot, robot.config(), ""),
            strategy=Chosen("strategy", "highlight", spec, spec.config(), ""),
        ),
        {},
        registry,
    )
    done = Session(plan, VirtualClock())
    done.run()
    text = str(done.ending.error)
    assert "--operator" in text
    assert "--dataset.root" in text
