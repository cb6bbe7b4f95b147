"""The whole story as commands, in the order in which a person meets them; each step uses what the steps before it made.

Small pictures, a tiny network and few steps: that everything fits together is what is shown, not that it has learned.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL, TASK, lr, start, summary, verify

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROBOT = ["--robot", "virtual_so100", "--task", TASK, *SMALL]
TINY = [
    *("--policy.dim-model", "32", "--policy.n-heads", "2", "--policy.dim-feedforward", "64"),
    *("--policy.n-encoder-layers", "1", "--policy.use-vae", "false", "--policy.device", "cpu"),
    *("--policy.chunk-size", "30", "--policy.n-action-steps", "30"),
]
GOLDEN = Path(__file__).parents[1] / "golden" / "pusht"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the story happens."""
    return tmp_path_factory.mktemp("story")


def rollout(folder: Path, name: str, *more: str, policy: str = "act") -> dict[str, Any]:
    """One rollout of what was trained, recorded where the strategy records."""
    chosen = ["--policy", str(folder / policy), "--inference", "chunked"]
    result = summary("rollout", *ROBOT, *chosen, "--dataset.root", str(folder / name), *more)
    assert result["outcome"] in ("done", "stopped"), result
    return result


def test_1_calibrate(folder: Path) -> None:
    done = lr(
        "calibrate", "--robot", "so100", "--robot.port", "sim", "--robot.id", "story", "--yes",
        "--robot.calibration-dir", str(folder / "calibration"),
    )  # fmt: skip
    assert done[0] == 0, done[2]
    motors = json.loads((folder / "calibration" / "story.json").read_text())
    assert len(motors) == 6


def test_2_record(folder: Path) -> None:
    episodes = ["--dataset.num-episodes", "2", "--dataset.episode-time-s", "20", "--dataset.reset-time-s", "0"]
    result = summary("record", *ROBOT, "--teleop", "scripted", "--dataset.root", str(folder / "demos"), *episodes)
    assert (result["outcome"], result["dataset"]["episodes"]) == ("done", 2)
    verify(folder / "demos")


def test_3_train(folder: Path) -> None:
    train = [
        "train",
        "--policy",
        "act",
        *TINY,
        "--dataset.root",
        str(folder / "demos"),
        "--output-dir",
        str(folder / "act"),
    ]
    result = summary(*train, "--steps", "3", "--batch-size", "4", "--num-workers", "0", timeout=240)
    assert (result["outcome"], result["steps"]) == ("done", 3)
    again = summary("train", "--resume", "--output-dir", str(folder / "act"), "--steps", "4", timeout=240)
    assert again["steps"] == 4


def test_4_evaluate(folder: Path) -> None:
    result = summary(
        "eval", *ROBOT, "--policy", str(folder / "act"), "--episodes", "2", "--strategy.episode-time-s", "2",
        "--output-dir", str(folder / "eval"),
    )  # fmt: skip
    assert result["episodes"] == 2
    assert len(result["seeds"]) == 2


def test_5_base_strategy(folder: Path) -> None:
    result = summary("rollout", *ROBOT, "--policy", str(folder / "act"), "--duration", "2")
    assert result["rows"]["policy"] > 20


def test_5_sentry(folder: Path) -> None:
    rollout(folder, "sentry", "--strategy", "sentry", "--duration", "4")
    verify(folder / "sentry")


def test_5_episodic(folder: Path) -> None:
    times = ["--dataset.num-episodes", "2", "--dataset.episode-time-s", "2", "--dataset.reset-time-s", "1"]
    assert rollout(folder, "episodic", "--strategy", "episodic", *times)["dataset"]["episodes"] == 2
    verify(folder / "episodic")


def test_5_highlight(folder: Path) -> None:
    script = ["--operator", "scripted", "--operator.scripted.script", "2 save; 4 save; 5 stop"]
    assert rollout(folder, "highlight", "--strategy", "highlight", *script)["dataset"]["episodes"] == 1
    verify(folder / "highlight")


def test_6_corrections(folder: Path) -> None:
    script = ["--operator", "scripted", "--operator.scripted.script", "2 takeover; 6 takeover; 8 stop"]
    result = rollout(folder, "corrections", "--strategy", "dagger", "--teleop", "scripted", *script)
    assert result["dataset"]["episodes"] == 1
    assert result["rows"]["human"] > 60
    verify(folder / "corrections")


def test_7_train_on_the_corrections(folder: Path) -> None:
    where = ["--dataset.root", str(folder / "corrections"), "--output-dir", str(folder / "better")]
    train = ["train", "--policy", str(folder / "act"), "--policy.device", "cpu", *where]
    assert summary(*train, "--steps", "2", "--batch-size", "4", "--num-workers", "0", timeout=240)["steps"] == 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_listens(server: subprocess.Popen[str], address: str) -> None:
    host, port = address.removeprefix("tcp/").split(":")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert server.poll() is None, server.communicate()[1]
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.2)
    raise AssertionError("the server does not listen")


def test_8_a_policy_elsewhere(folder: Path) -> None:
    address = f"tcp/127.0.0.1:{free_port()}"
    server = start("serve", "--policy", str(folder / "better"), "--listen", address, "--health-port", "0")
    try:
        wait_until_it_listens(server, address)
        remote = ["--inference", "remote", "--inference.connect", address, "--strategy", "sentry", "--duration", "4"]
        result = summary("rollout", *ROBOT, *remote, "--dataset.root", str(folder / "remote"))
        assert result["outcome"] == "done"
        assert result["rows"]["policy"] > 60
    finally:
        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=60)
    assert server.returncode == 0, err
    verify(folder / "remote")


def test_9_lerobot_reads_it(folder: Path) -> None:
    python = os.environ.get("LEROBOT_PEER_PYTHON")
    if python is None:
        pytest.skip("LEROBOT_PEER_PYTHON names no Python with lerobot 0.6.1")
    read = (
        "import sys; from lerobot.datasets.lerobot_dataset import LeRobotDataset as D\n"
        "for root in sys.argv[1:]:\n    d = D('story/x', root=root); print(len(d), d[0]['action'].shape[0])"
    )
    roots = [str(folder / name) for name in ("demos", "sentry", "episodic", "highlight", "corrections", "remote")]
    done = subprocess.run([python, "-c", read, *roots], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["6"] * len(roots)


def test_on_real_input(folder: Path) -> None:
    """LeRobot's own sample of pusht, trained on and evaluated in gym-pusht."""
    pytest.importorskip("lerobot_env_pusht")
    train = ["train", "--policy", "act", *TINY, "--dataset.root", str(GOLDEN), "--output-dir", str(folder / "pusht")]
    summary(*train, "--steps", "3", "--batch-size", "4", "--num-workers", "0", timeout=240)
    evaluate = ["eval", "--policy", str(folder / "pusht"), "--env", "pusht", "--episodes", "2", "--videos", "1"]
    result = summary(*evaluate, "--output-dir", str(folder / "pusht-eval"), timeout=240)
    assert (result["episodes"], len(result["videos"])) == (2, 1)
    assert Path(result["videos"][0]).stat().st_size > 1000
