"""On the virtual SO-100: the same figures on the virtual clock, and a run as a person starts it on the real one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Step
from lerobot_core.virtual_clock import VirtualClock

BLIND = ["--robot", "virtual_so100", "--camera.front", "none", "--camera.wrist", "none"]
SMALL = ["--robot", "virtual_so100", "--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]  # fmt: skip
SCATTERED = ["--policy", "fake", "--policy.guided", "--policy.scatter", "8", "--policy.latency-s", "0.15", "--policy.chunk-size", "40", "--policy.n-action-steps", "40"]  # fmt: skip
RTC = ["--inference", "rtc", "--inference.execution-horizon", "16"]
TASK = "put the cube in the bin"


def run(verb: str, *argv: str) -> tuple[dict[str, Any], list[Step], Session]:
    """Summary, rows and session of a run on the virtual clock."""
    registry = default_registry()
    resolved = resolve_run(verb, argv, registry, {})
    session = Session(Plan(verb, resolved.config, resolved.origins, registry), VirtualClock())
    rows: list[Step] = []
    steps = session.steps()

    def watch() -> None:
        record = session.parts.strategy.record

        def both(step: Step) -> None:
            rows.append(step)
            record(step)

        session.parts.strategy.record = both  # type: ignore[method-assign]

    session.steps = lambda: (*steps[:-1], watch, steps[-1])  # type: ignore[method-assign]
    return session.run(), rows, session


def held_back(rows: list[Step], after: float = 2.0) -> int:
    """Rows in which the filter held a joint back, the way from the rest pose to the motion left out."""
    return sum(
        any(item.startswith(("rate:", "ramp:")) for item in row.filtered) for row in rows if row.t > rows[0].t + after
    )


def test_a_smooth_policy_has_smooth_seams_on_the_virtual_arm() -> None:
    summary, rows, session = run("rollout", *BLIND, *SCATTERED, *RTC, "--duration", "7")
    assert summary["outcome"] == "done", session.ending
    assert session._queue.stats()["seams"] >= 5
    assert held_back(rows) == 0
    # The policy is as good as its chunks are continued: the same one, each chunk taking over as it comes, is held back.
    _, rows, _ = run("rollout", *BLIND, *SCATTERED, *RTC, "--inference.mode", "replace", "--duration", "5")
    assert held_back(rows) > 0


def lr(*argv: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv, "--json"],
        capture_output=True,
        text=True,
        timeout=110,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, json.loads(done.stdout.strip().splitlines()[-1]), done.stderr


@pytest.mark.slow
def test_a_recorded_episode_is_replayed_through_rtc_on_the_real_clock(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    dataset = ["--dataset.root", out, "--dataset.num-episodes", "1", "--dataset.episode-time-s", "20"]
    recorded, _, session = run("record", *SMALL, "--teleop", "scripted", "--task", TASK, *dataset)
    assert recorded["outcome"] == "done", session.ending
    policy = ["--policy", "replay", "--policy.dataset", out, "--policy.latency-s", "0.15"]
    code, summary, err = lr("rollout", *SMALL, *policy, "--inference", "rtc", "--task", TASK, "--duration", "10")
    assert code == 0, err
    assert (summary["inference"], summary["outcome"], summary["exit"]) == ("rtc", "done", "park")
    assert summary["engine"]["errors"] == 0
    assert summary["rows"]["policy"] > 250
    assert "takes no guidance" in err


@pytest.mark.slow
def test_a_guided_policy_on_the_real_clock() -> None:
    code, summary, err = lr("rollout", *BLIND, *SCATTERED, *RTC, "--interpolation", "2", "--duration", "8")
    assert code == 0, err
    assert summary["outcome"] == "done"
    assert summary["engine"]["calls"] > 5
    assert summary["warmup_s"] > 0.4, "guided calls are rehearsed before anything moves"
