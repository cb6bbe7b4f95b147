"""Sentry: what it records, when it cuts, what it never loses."""

from __future__ import annotations

from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.strategy import StrategyConformance
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.strategies.rotation import episode_seconds
from lerobot_core.types import Feature
from lerobot_core.virtual_clock import VirtualClock


class TestSentry(StrategyConformance):
    name = "sentry"


def run(
    script: str = "", fault: str = "none", duration: float = 4.0, dataset: dict[str, Any] | None = None, **strategy: Any
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
        strategy=chosen("strategy", "sentry", **strategy),
        dataset=chosen("storage", "fake", **(dataset or {})),
        operator={"scripted": chosen("operator", "scripted", script=script)} if script else {},
        duration=duration,
    )
    session = Session(Plan("rollout", config, {}, registry), VirtualClock())
    session.run()
    return session


def lengths(session: Session) -> list[int]:
    return [len(episode.steps) for episode in session.parts.storage.episodes]  # type: ignore[union-attr]


def test_everything_is_recorded_and_the_tail_is_saved() -> None:
    session = run()
    assert lengths(session) == [120]
    assert session.loop is not None
    assert session.loop.counts.rows["policy"] == 120


def test_episodes_are_cut_where_the_storage_says_so_without_losing_a_row() -> None:
    session = run(dataset={"rotate_rows": 50})
    assert lengths(session) == [50, 50, 20]
    rows = [step.index for episode in session.parts.storage.episodes for step in episode.steps]  # type: ignore[union-attr]
    assert rows == list(range(rows[0], rows[0] + 120))


def test_the_policy_goes_on_across_episodes() -> None:
    session = run(dataset={"rotate_rows": 20})
    assert session.parts.inference is not None
    assert session.parts.inference.stats()["dropped_chunks"] == 0
    assert session.loop is not None
    assert session.loop.counts.rows["hold"] == 0


def test_a_failing_policy_still_saves_the_tail() -> None:
    session = run(fault="raise", duration=60.0)
    assert session.ending.outcome == "failed"
    assert sum(lengths(session)) > 15


def test_labels_belong_to_the_episode_they_were_given_in() -> None:
    session = run("0.5 success; 2.0 failure", dataset={"rotate_rows": 30})
    assert [e.outcome for e in session.parts.storage.episodes] == ["success", "none", "failure", "none"]  # type: ignore[union-attr]


def test_paused_rows_are_holds() -> None:
    session = run("1.0 pause; 2.0 pause")
    assert session.loop is not None
    assert session.loop.counts.rows["hold"] == pytest.approx(30, abs=6)
    assert sum(lengths(session)) == 120


def test_nothing_is_published_unless_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[bool] = []
    monkeypatch.setattr(
        "lerobot_core.fakes.storage.FakeStorage.push", lambda self, dry_run=False: pushed.append(dry_run) or "there"
    )
    run(dataset={"rotate_rows": 20})
    assert not pushed
    run(dataset={"rotate_rows": 20}, upload_every_n_episodes=2)
    assert len(pushed) == 3


def test_channels_do_not_count() -> None:
    vga = {"front": Feature("uint8", (480, 640, 3)), "a.pos": Feature()}
    assert episode_seconds(vga, 30, 200, "av1") == pytest.approx(1820.4, abs=0.1)
    assert episode_seconds({"a.pos": Feature()}, 30, 200, "h264") == 300
    assert episode_seconds(vga, 30, 200, "libx264") < episode_seconds(vga, 30, 200, "av1")
