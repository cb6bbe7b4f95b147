"""The main job on real components: the scripted person records, a policy replays, sentry records that, others read it.

Real processes, the real clock, servo bytes over a pseudo-terminal, video through the encoder. What needs an exact answer
runs in this process on the virtual clock.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lerobot_sim")
pytest.importorskip("lerobot_storage_v3")
pytest.importorskip("lerobot_policy_replay")
pytest.importorskip("lerobot_strategy_sentry")

from lerobot_core.arm.units import Scale
from lerobot_core.calibration import load_for
from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

TASK = "put the cube in the bin"
SMALL = ["--camera.front.width", "160", "--camera.front.height", "120", "--camera.wrist", "none"]


def lr(*argv: str, timeout: float = 120) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "lerobot_core", *argv],
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, done.stdout, done.stderr


def start(*argv: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lerobot_core", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def in_process(verb: str, *argv: str) -> Session:
    registry = default_registry()
    resolved = resolve_run(verb, argv, registry, {})
    return Session(Plan(verb, resolved.config, resolved.origins, registry), VirtualClock())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One episode of the scripted person."""
    root = tmp_path_factory.mktemp("demo") / "demo"
    dataset = ["--dataset.root", str(root), "--dataset.num-episodes", "1", "--dataset.episode-time-s", "20"]
    session = in_process("record", "--robot", "virtual_so100", "--teleop", "scripted", "--task", TASK, *dataset, *SMALL)
    summary = session.run()
    assert summary["outcome"] == "done", session.ending
    assert summary["success"]["successes"] == 1
    return root


def sentry(demo: Path, root: Path, *more: str) -> list[str]:
    policy = [
        "--policy",
        "replay",
        "--policy.dataset",
        str(demo),
        "--policy.latency-s",
        "0.15",
        "--inference",
        "chunked",
    ]
    where = ["--dataset.root", str(root), "--task", TASK, "--json"]
    return ["rollout", "--strategy", "sentry", "--robot", "virtual_so100", *policy, *where, *SMALL, *more]


def verify(root: Path) -> dict[str, Any]:
    code, out, err = lr("dataset", "verify", str(root), "--json")
    report = json.loads(out.strip().splitlines()[-1])
    assert (code, report["ok"]) == (0, True), err
    return dict(report)


def rows(root: Path) -> int:
    return int(json.loads((root / "meta/info.json").read_text())["total_frames"])


def test_sentry_records_what_the_policy_did(demo: Path, tmp_path: Path) -> None:
    code, out, err = lr(*sentry(demo, tmp_path / "out", "--duration", "4"))
    assert code == 0, err
    summary = json.loads(out.strip().splitlines()[-1])
    assert summary["outcome"] == "done"
    assert sum(summary["rows"].values()) == summary["dataset"]["frames"] == rows(tmp_path / "out")
    assert summary["rows"]["policy"] > 100
    verify(tmp_path / "out")
    code, out, err = lr("replay", "--robot", "virtual_so100", "--dataset", str(tmp_path / "out"), "--json", *SMALL)
    assert (code, json.loads(out.strip().splitlines()[-1])["outcome"]) == (0, "done"), err


def wait_for_rows(root: Path, process: subprocess.Popen[str]) -> None:
    """Until the recorder has written something of the episode in progress."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        if any(path.stat().st_size > 20_000 for path in root.rglob("*.mp4")):
            return
        time.sleep(0.05)
    raise AssertionError("nothing was recorded")


def test_kill_and_resume_loses_no_finished_episode(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    assert lr(*sentry(demo, root, "--duration", "2"))[0] == 0
    saved = rows(root)
    process = start(*sentry(demo, root, "--resume"))
    wait_for_rows(root, process)
    process.kill()
    process.communicate()
    code, _, err = lr(*sentry(demo, root, "--resume", "--duration", "1"))
    assert code == 0, err
    assert rows(root) >= saved + 30
    verify(root)


def test_a_signal_keeps_the_tail(demo: Path, tmp_path: Path) -> None:
    process = start(*sentry(demo, tmp_path / "out"))
    wait_for_rows(tmp_path / "out", process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    summary = json.loads(out.strip().splitlines()[-1])
    assert (process.returncode, summary["outcome"], summary["exit"]) == (0, "stopped", "park"), err
    assert rows(tmp_path / "out") == summary["dataset"]["frames"] > 0
    verify(tmp_path / "out")


def test_a_row_is_what_the_servos_got_motor_by_motor(demo: Path, tmp_path: Path) -> None:
    root = tmp_path / "out"
    session = in_process(*sentry(demo, root, "--duration", "3"))
    log: list[dict[str, Any]] = []
    worlds = session.open_worlds

    def open_and_listen() -> None:
        worlds()
        (world,) = session._worlds.all()
        session._stack.callback(lambda: log.extend(world.log()))

    session.open_worlds = open_and_listen  # type: ignore[method-assign]
    assert session.run()["outcome"] == "done", session.ending
    robot = session.plan.robot
    calibration = load_for("robot", robot.spec.peer_name, robot.config)
    assert calibration is not None
    norms = session.parts.robot.servos.profile.motors  # type: ignore[attr-defined]
    scales = {f"{name}.pos": Scale(motor.norm, calibration[name]) for name, motor in norms.items()}
    tools = default_registry().spec("storage", "lerobot").tools()  # type: ignore[attr-defined]
    names, actions = tools.reader(root).actions(0)
    sent = [
        {name: scales[name].to_raw(float(value)) for name, value in zip(names, row, strict=True)} for row in actions
    ]
    received = [
        {f"{motor}.pos": raw for motor, raw in entry["goals"].items()} for entry in log if len(entry["goals"]) == 6
    ]
    begin = next(i for i in range(len(received)) if received[i : i + len(sent)] == sent)
    assert begin >= 0
    assert len(sent) == 90


# --- faults during the main job: the outcome of the contract, and whole data ------------------------------------------


def faulty(argv: list[str], breaks: Any = None, storage_faults: Any = None) -> Session:
    """The main job in this process, on the virtual clock; after two seconds something breaks."""
    session = in_process(*argv)
    worlds, opening = session.open_worlds, session.open_storage

    def open_worlds() -> None:
        worlds()
        (world,) = session._worlds.all()
        if breaks is not None:
            session.clock.spawn("fault", lambda: (session.clock.sleep_until(2.0), breaks(world)), 0)

    def open_storage() -> None:
        if storage_faults is not None:
            session.parts.storage._faults = storage_faults  # type: ignore[union-attr]
        opening()

    session.open_worlds = open_worlds  # type: ignore[method-assign]
    session.open_storage = open_storage  # type: ignore[method-assign]
    session.run()
    return session


@pytest.mark.parametrize(
    ("kind", "options", "outcome", "exit_"),
    [
        ("lost", {"count": 5}, "done", "park"),
        ("gone", {"motor": "elbow_flex"}, "failed", "hold"),
        ("frozen", {"camera": "front"}, "failed", "park"),
    ],
)
def test_a_fault_of_the_rig(
    demo: Path, tmp_path: Path, kind: str, options: dict[str, Any], outcome: str, exit_: str
) -> None:
    root = tmp_path / "out"
    session = faulty(sentry(demo, root, "--duration", "5"), lambda world: world.fault(kind, **options))
    assert (session.ending.outcome, session.exit) == (outcome, exit_), session.ending
    assert session.loop is not None
    assert rows(root) == sum(session.loop.counts.rows.values()) > 50
    verify(root)


@pytest.mark.parametrize("fault", ["raise", "nan"])
def test_a_policy_that_fails(tmp_path: Path, fault: str) -> None:
    root = tmp_path / "out"
    policy = ["--policy", "fake", "--policy.latency-s", "0.15", "--policy.fault", fault, "--policy.fault-after", "2"]
    where = ["--dataset.root", str(root), "--task", TASK, "--duration", "20", *SMALL]
    argv = ["rollout", "--strategy", "sentry", "--robot", "virtual_so100", *policy, "--inference", "chunked", *where]
    session = faulty(argv)
    assert (session.ending.outcome, session.exit) == ("failed", "park"), session.ending
    assert session.loop is not None
    assert session.loop.counts.rows["hold"] >= 15
    assert rows(root) == sum(session.loop.counts.rows.values()) > 30
    verify(root)


def test_a_full_disk_keeps_the_episodes_that_were_saved(demo: Path, tmp_path: Path) -> None:
    from lerobot_storage_v3.faults import Fail

    root = tmp_path / "out"
    cut = ["--strategy.target-video-file-size-mb", "1", "--duration", "60"]
    session = faulty(sentry(demo, root, *cut), storage_faults=Fail("save.manifest", 1))
    assert (session.ending.outcome, session.exit) == ("failed", "park"), session.ending
    assert "full" in session.ending.reason
    code, _, err = lr("dataset", "repair", str(root))
    assert code == 0, err
    assert rows(root) > 0
    verify(root)
