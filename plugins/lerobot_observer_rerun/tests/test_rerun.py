"""What is written is read back by Rerun's own tool; viewers that are not there cost nothing but a line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rerun")

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.observer import INFO, JOINTS, SEEN, ObserverConformance
from lerobot_core.conformance.samples import step
from lerobot_core.errors import UserError
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.specs import Parts
from lerobot_core.virtual_clock import VirtualClock
from lerobot_observer_rerun.config import RerunConfig, endpoint
from lerobot_observer_rerun.observer import RerunObserver


class TestRerun(ObserverConformance):
    name = "rerun"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def options(self) -> dict[str, Any]:
        return {"save": str(self.folder / "run.rrd")}


def tool(*argv: str, home: Path) -> str:
    """Rerun's command line; its first-run notice goes to a home of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rerun_cli", "rrd", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def paths(rrd: Path, home: Path) -> dict[str, int]:
    """Entity path -> rows in the file."""
    found: dict[str, int] = {}
    for count, path in re.findall(r"with (\d+) rows \([^)]*\) - (\S+) -", tool("print", str(rrd), home=home)):
        found[path] = found.get(path, 0) + int(count)
    return found


def run(**options: Any) -> Session:
    registry = Registry()

    def chosen(kind: str, name: str, instance: str = "", **more: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**more), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        camera={"front": chosen("camera", "fake", "front", width=64, height=48)},
        policy=chosen("policy", "fake"),
        inference=chosen("inference", "sync"),
        strategy=chosen("strategy", "base"),
        observer={"rerun": chosen("observer", "rerun", "rerun", **options)},
        duration=1.0,
    )
    session = Session(Plan("rollout", config, {}, registry), VirtualClock())
    session.run()
    return session


@pytest.mark.parametrize("quality", [75, 0])
def test_a_run_is_in_the_file(tmp_path: Path, quality: int) -> None:
    done = run(save=tmp_path / "run.rrd", jpeg_quality=quality)
    assert done.ending.outcome == "done"
    tool("verify", str(tmp_path / "run.rrd"), home=tmp_path)
    found = paths(tmp_path / "run.rrd", tmp_path)
    for series in ("state", "sent", "requested"):
        assert found[f"/{series}"] >= 25
    text = tool("print", "-vvv", str(tmp_path / "run.rrd"), home=tmp_path)
    assert all(key in text for key in done.plan.action), "every line has its joint's name"
    assert found["/camera/front"] >= 25
    assert found["/messages"] >= 2


def test_messages_and_changes_are_text(tmp_path: Path) -> None:
    observer = RerunObserver(RerunConfig(save=tmp_path / "run.rrd"), Parts(clock=VirtualClock()))
    observer.start(dict(INFO))
    observer.notice("episode 1 saved")
    for index in range(2):
        row = step(SEEN, JOINTS, index)
        row.observation.flags.add("stale:front")
        observer.step(row)
    observer.stop()
    text = tool("print", "-vvv", str(tmp_path / "run.rrd"), home=tmp_path)
    for words in ("episode 1 saved", "task 'a task'", "stale:front", "robot fake"):
        assert words in text


def test_after_stop_rows_are_ignored(tmp_path: Path) -> None:
    observer = RerunObserver(RerunConfig(save=tmp_path / "run.rrd"), Parts(clock=VirtualClock()))
    observer.step(step(SEEN, JOINTS, 0))
    observer.notice("too early")
    observer.stop()
    assert not (tmp_path / "run.rrd").exists()


def test_a_viewer_that_is_not_there_is_one_line_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    observer = RerunObserver(RerunConfig(address=f"127.0.0.1:{port}"), Parts(clock=VirtualClock()))
    with pytest.raises(UserError, match=f"no Rerun viewer at 127.0.0.1:{port}"):
        observer.start(dict(INFO))
    done = run(address=f"127.0.0.1:{port}")
    assert done.ending.outcome == "done"
    assert "observer 'rerun' was detached" in caplog.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"save": Path("a.rrd"), "address": "x"}, "exclude each other"),
        ({"save": Path("no/where/a.rrd")}, "there is no folder"),
        ({}, "no screen"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_moves(
    options: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = run(**options)
    assert words in str(done.ending.error)
    assert done.loop is None


@pytest.mark.parametrize(
    ("address", "where", "url"),
    [
        ("lab", ("lab", 9876), "rerun+http://lab:9876/proxy"),
        ("lab:1234", ("lab", 1234), "rerun+http://lab:1234/proxy"),
        ("[::1]:1234", ("::1", 1234), "rerun+http://[::1]:1234/proxy"),
        ("::1", ("::1", 9876), "rerun+http://[::1]:9876/proxy"),
        ("rerun+https://lab:443/proxy", ("lab", 443), "rerun+https://lab:443/proxy"),
    ],
)
def test_an_address_may_be_short(address: str, where: tuple[str, int], url: str) -> None:
    assert endpoint(address) == where
    assert RerunConfig(address=address).url == url
    assert endpoint("lab", 99) == ("lab", 99)
