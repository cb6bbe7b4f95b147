"""Real bytes, real video: on the virtual clock every time, on the real one with `-m slow`."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dagger_virtual_rig import FAKE, VARIANTS, argv, columns, in_process, lr, replay, verify
from lerobot_core.clock import RealClock
from lerobot_core.run.session import Session
from lerobot_core.types import Action, Step, Tick


def episodes(root: Path) -> list[dict[str, list[Any]]]:
    return columns(root, "intervention", "source", "requested_action", "action", "frame_index")


def outcomes(root: Path) -> list[str]:
    import pyarrow.parquet as pq

    tables = [pq.read_table(path, columns=["outcome"]) for path in sorted(root.glob("meta/episodes/**/*.parquet"))]
    return [row["outcome"] for table in tables for row in table.to_pylist()]


@pytest.mark.parametrize("variant", [pytest.param("corrections", marks=pytest.mark.slow), "attempts"])
def test_rows_say_who_acted(tmp_path: Path, variant: str) -> None:
    root = tmp_path / "out"
    session = in_process("rollout", *argv(root, variant))
    summary = session.run()
    assert summary["outcome"] == "stopped", session.ending
    found = episodes(root)
    assert sum(map(sum, (each["intervention"] for each in found))) == summary["rows"]["human"] == 31
    assert all(
        (source == "human") == human
        for each in found
        for source, human in zip(each["source"], each["intervention"], strict=True)
    )
    lengths = [len(each["source"]) for each in found]
    assert lengths == ([30, 1] if variant == "corrections" else [summary["dataset"]["frames"]])
    assert outcomes(root) == (["success", "none"] if variant == "corrections" else ["success"])
    verify(root)


@pytest.mark.slow
def test_it_is_continued_with_the_same_features_only(tmp_path: Path) -> None:
    root = tmp_path / "out"
    assert in_process("rollout", *argv(root, "corrections")).run()["dataset"]["episodes"] == 2
    before = (root / "meta/info.json").read_text()
    other = in_process("rollout", *argv(root, "corrections", FAKE, "--resume", "--camera.front.width", "80"))
    assert other.run()["outcome"] == "failed"
    assert "front" in str(other.ending.error)
    assert other.loop is None
    assert (root / "meta/info.json").read_text() == before
    again = in_process("rollout", *argv(root, "corrections", FAKE, "--resume", "--strategy.num-episodes", "1"))
    assert again.run()["outcome"] == "done", again.ending
    assert [len(each["source"]) for each in episodes(root)] == [30, 1, 30]
    verify(root)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_on_the_real_clock(demo: Path, tmp_path: Path, variant: str) -> None:
    root = tmp_path / "out"
    summary = lr("rollout", *argv(root, variant, replay(demo)))
    assert (summary["outcome"], summary["exit"]) == ("stopped", "park")
    found = episodes(root)
    assert sum(map(sum, (each["intervention"] for each in found))) == summary["rows"]["human"] > 0
    assert sum(len(each["source"]) for each in found) == summary["dataset"]["frames"]
    verify(root)


def watched(session: Session) -> tuple[list[float], list[float], list[Step]]:
    """When `takeover` was pressed, when each action had been sent, and every step; filled while it runs."""
    keys: list[float] = []
    sends: list[float] = []
    steps: list[Step] = []
    loop = session.run_loop

    def run_loop() -> None:
        strategy, robot = session.parts.strategy, session.parts.robot
        command, record, send = strategy.command, strategy.record, robot.send_action

        def commanding(tick: Tick) -> Any:
            keys.extend(event.t for event in tick.events if event.name == "takeover")
            return command(tick)

        def sending(action: Action) -> Action:
            sent = send(action)
            sends.append(session.clock.now())
            return sent

        def recording(step: Step) -> None:
            steps.append(step)
            record(step)

        strategy.command, strategy.record, robot.send_action = commanding, recording, sending  # type: ignore[method-assign]
        loop()

    session.run_loop = run_loop  # type: ignore[method-assign]
    return keys, sends, steps


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_from_the_key_to_the_first_human_action(demo: Path, tmp_path: Path, variant: str) -> None:
    """On the real clock: the servos have the first human action 100 ms after the key, no joint is asked to hurry."""
    session = in_process("rollout", *argv(tmp_path / "out", variant, replay(demo)), clock=RealClock())
    keys, sends, steps = watched(session)
    assert session.run()["outcome"] == "stopped", session.ending
    first = next(step for step in steps if step.source == "human")
    sent = next(t for t in sends if t >= first.t)
    print(json.dumps({"variant": variant, "key_to_sent_ms": round(1000 * (sent - keys[0]), 1)}))
    assert sent - keys[0] < 0.1
    rates = {key: feature.max_rate or 0.0 for key, feature in session.plan.action.items()}
    fps = session.plan.fps
    handover = [(a, b) for a, b in pairwise(steps) if 0.0 <= b.t - keys[0] < 1.0]
    assert all(
        abs(b.requested[key] - a.requested[key]) <= rate / fps + 1e-6
        for a, b in handover
        for key, rate in rates.items()
    )
