"""Processes that are killed, asked to stop, or several: the samples stay those of one uninterrupted run."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lerobot_train.cursor import Cursor, Stream
from lerobot_train.layout import Checkpoint, numbered

Start = Callable[..., "subprocess.Popen[str]"]
BATCH = 4
# Starting a process that needs torch takes seconds of computing, and on a busy machine minutes.
pytestmark = pytest.mark.timeout(1800)
TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0", "--rdzv-backend", "c10d",
            "--rdzv-endpoint", "localhost:0", "-m")  # fmt: skip


def lines_until(process: subprocess.Popen[str], step: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line).get("step") == step:
            return
    raise AssertionError(f"it ended before step {step}: {process.communicate()[1]}")


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, error = process.communicate()
    assert process.returncode == 0, error[-3000:]
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]


def logged(path: Path) -> dict[int, list[int]]:
    """Rows by step, the processes' one after the other; of steps that were taken twice the last time."""
    found: dict[tuple[int, int], list[int]] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        found[row["step"], row["rank"]] = row["rows"]
    steps: dict[int, list[int]] = {}
    for (step, _), rows in sorted(found.items()):
        steps.setdefault(step, []).extend(rows)
    return steps


def flat(steps: dict[int, list[int]]) -> list[int]:
    return [row for rows in steps.values() for row in rows]


def expected(run: Path, first: int, count: int) -> list[int]:
    cursor = Cursor.from_json(json.loads((Checkpoint.newest(run).state / "cursor.json").read_text()))
    return Stream(cursor).at(first, count).tolist()


def killed_and_resumed(start: Start, tmp_path: Path, at: int, following: int) -> None:
    log, run = tmp_path / "rows", tmp_path / "run"
    options = ("--save-every", "5", "--num-workers", "1", "--sample-log", str(log))
    process = start("--steps", "10000", "--policy.fault", "slow", "--policy.optimizer-lr", "0.002", *options)
    lines_until(process, at)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = int(numbered(run)[-1].name)
    assert at - 5 <= reached
    log.unlink()
    summary = finished(start("--resume", "--steps", str(reached + following), "--num-workers", "0", "--sample-log", str(log),
                             "--policy.fault", ""))  # fmt: skip
    assert summary["steps"] == reached + following
    steps = logged(log)
    assert list(steps) == list(range(reached + 1, reached + following + 1))
    assert flat(steps) == expected(run, reached * BATCH, following * BATCH)


def test_killed_and_resumed_it_sees_the_samples_that_follow(start: Start, tmp_path: Path) -> None:
    killed_and_resumed(start, tmp_path, at=12, following=10)


@pytest.mark.slow
@pytest.mark.parametrize("at", [7, 43, 101])
def test_fifty_batches_after_a_kill(start: Start, tmp_path: Path, at: int) -> None:
    """158 rows in batches of 4: the second and third case are in a later epoch."""
    killed_and_resumed(start, tmp_path, at, following=50)


def test_asked_to_stop_it_saves_and_says_so(train: Callable[..., list[dict[str, Any]]], tmp_path: Path) -> None:
    summary = train("--steps", "9", "--policy.fault", "stop", "--save-every", "0")[-1]
    assert (summary["outcome"], summary["steps"]) == ("stopped", 3)
    assert Checkpoint.newest(tmp_path / "run").folder == Path(summary["checkpoint"])


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_from_outside(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    process = start("--steps", "10000", "--policy.fault", "slow", "--num-workers", "1", "--save-every", "0")
    lines_until(process, 3)
    process.send_signal(number)
    summary = finished(process)
    assert summary["outcome"] == "stopped"
    assert Checkpoint.newest(tmp_path / "run").folder == Path(summary["checkpoint"])
    assert int(Path(summary["checkpoint"]).name) == summary["steps"] >= 3


def test_two_processes_share_each_step(start: Start, tmp_path: Path) -> None:
    """Half of each step each, then one process goes on where both were."""
    log, run = tmp_path / "rows", tmp_path / "run"
    options = ("--steps", "6", "--sample-log", str(log), "--dataset.cache", "ram", "--dataset.eval-split", "0.3",
               "--eval-every", "6")  # fmt: skip
    process = start(*options, launcher=TORCHRUN)
    assert finished(process)["steps"] == 6
    assert flat(logged(log)) == expected(run, 0, 6 * 2 * BATCH)
    assert json.loads((run / "checkpoints/last/training_state/training_step.json").read_text())["dp_world_size"] == 2
    log.unlink()
    finished(start("--resume", "--steps", "10", "--sample-log", str(log)))
    assert flat(logged(log)) == expected(run, 6 * 2 * BATCH, 4 * BATCH)


@pytest.mark.slow
def test_two_processes_after_one(start: Start, tmp_path: Path) -> None:
    log, run = tmp_path / "rows", tmp_path / "run"
    finished(start("--steps", "41"))  # in the second epoch
    finished(start("--resume", "--steps", "50", "--sample-log", str(log), launcher=TORCHRUN))
    assert flat(logged(log)) == expected(run, 41 * BATCH, 9 * 2 * BATCH)
