"""`lr serve` and `lr router` as typed, with what people get wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.cli.main import main
from lerobot_server.fakes import StubPolicy, free_port, serving


def lr(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main([*words])
    found = capsys.readouterr()
    return code, found.out + found.err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["serve"], 2, "no policy was named"),
        (["serve", "--policy", "nothing_like_it"], 1, "no policy"),
        (["serve", "--policy", "fake", "--listen", "7447"], 2, "is no endpoint"),
        (["serve", "--policy", "fake", "--listen", "none"], 2, "nobody can reach"),
        (["serve", "--policy", "fake", "--listen", "tcp/0.0.0.0:7447", "--health-port", "0"], 2, "without TLS"),
        (["serve", "--policy", "fake", "--max-robots", "0"], 2, "max"),
        (["serve", "--policy", "fake", "--no-such-option", "1"], 2, "no-such-option"),
        (["serve", "--policy", "fake", "--tls", "/nowhere", "--health-port", "0"], 2, "holds no certificates"),
        (["serve", "--policy", "fake", "--batch", "4", "--health-port", "0"], 2, "one request at a time"),
        (["serve", "--policy", "fake", "--policy.chunk-size", "1", "--health-port", "0"], 1, "no chunks"),
        (["serve", "status", "--health-port", "1"], 1, "no server answers"),
        (["router", "--listen", "none"], 2, "has to listen"),
        (["router", "--listen", "tcp/0.0.0.0:0"], 2, "without TLS"),
    ],
)
def test_what_people_get_wrong(capsys: pytest.CaptureFixture[str], words: list[str], code: int, says: str) -> None:
    found, text = lr(capsys, *words)
    assert (found, says in text) == (code, True), text
    assert "Traceback" not in text


def test_help_names_the_policys_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = lr(capsys, "serve", "--policy", "fake", "--help")
    assert code == 0
    for word in ("--policy.latency-s", "--listen", "--init-tls", "--max-robots", "lr serve status"):
        assert word in text
    assert "--listen" in lr(capsys, "router", "--help")[1]


def test_a_manifest_says_what_options_say(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text("model: arm\nmax_robots: 3\npolicy:\n  type: fake\n  chunk_size: 30\n")
    for words in (["--manifest", str(path)], [f"--manifest={path}"], ["--config", str(path)]):
        code, text = lr(capsys, "serve", *words, "--max-robots", "5", "--show-config")
        assert code == 0
        rows = {line.split()[0]: line.split()[1] for line in text.splitlines() if line.strip()}
        assert (rows["model"], rows["max_robots"], rows["policy.chunk_size"]) == ("arm", "5", "30")


def test_a_manifest_with_a_typo_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "serve.yaml"
    path.write_text("max_robot: 3\npolicy: fake\n")
    code, text = lr(capsys, "serve", "--manifest", str(path))
    assert code == 2
    assert "--max-robots" in text


def test_init_tls_makes_what_serve_and_robots_need(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, text = lr(capsys, "serve", "--init-tls", str(tmp_path), "--robots", "left, right", "--hosts", "gpu.lab")
    assert code == 0
    assert "gpu.lab" in text
    assert {path.name for path in tmp_path.rglob("*.pem")} == {"ca.pem", "server.pem", "left.pem", "right.pem"}


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with serving(StubPolicy(), port):
        words = ["serve", "--policy", "fake", "--listen", f"tcp/127.0.0.1:{port}", "--health-port", "0"]
        code, text = lr(capsys, *words)
    assert code == 1
    assert str(port) in text


def test_status_as_text_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    port, health = free_port(), free_port()
    from lerobot_server.fake_robot import Robot

    policy = StubPolicy()
    with (
        serving(policy, port, health_port=health),
        Robot(policy.needs, policy.gives, connect=f"tcp/127.0.0.1:{port}") as left,
    ):
        left.first()
        code, text = lr(capsys, "serve", "status", "--health-port", str(health))
        assert code == 0
        assert "1 of 16 robots" in text
        assert "left" in text
        code, text = lr(capsys, "serve", "status", "--health-port", str(health), "--json")
        found: dict[str, Any] = json.loads(text.splitlines()[-1])
        assert found["robots"][0]["robot"] == "left"
        assert {"p50", "p95", "p99"} == found["latency_ms"]["infer"].keys()


def test_the_verbs_are_listed_without_importing_zenoh() -> None:
    script = (
        "import sys; from lerobot_core.cli.main import main; main(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('zenoh', 'numpy', 'cryptography', 'prometheus_client')))"
    )
    import sys

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "serve" in done.stdout
    assert "router" in done.stdout
