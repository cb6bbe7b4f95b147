"""Asking every plugin: whatever one does, the others answer and nothing takes long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lerobot_core.cli.find import find, ports
from lerobot_core.cli.main import main
from lerobot_core.probe import ask_each
from lerobot_core.registry import Registry

GOOD = """
from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import CameraSpec
print("chatter on stdout")
@hookimpl
def lerobot_cameras():
    return [CameraSpec(name=NAME, summary="", config=CONFIG, build=print)]
@hookimpl
def find():
    return [{"kind": "camera", "id": "7", "name": NAME, "detail": "640x480"}, {"kind": "port", "id": "/dev/x"}]
@hookimpl
def doctor():
    from lerobot_core.types import Problem
    return [Problem("warning", "driver", "old", "update it")]
"""
HEADER = "from lerobot_core.config.bases import CameraConfig as CONFIG\nNAME = {name!r}\n"
BAD = {
    "raises": "raise ImportError('no such library')",
    "sleeps": "import time; time.sleep(30)",
    "exits": "import sys; sys.exit(3)",
    "dies": "import os; os._exit(3)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "wrong": "x = 1",
    "hooks": "from lerobot_core.hookspecs import hookimpl\n@hookimpl\ndef find():\n    raise KeyError('usb')\n",
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`plugin` writes into it; children see it, and so does a registry made now."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("LEROBOT_PLUGINS", "acme-a,acme-b,acme-bad")
    return tmp_path


def plugin(site: Path, name: str, code: str, core: str = ">=0.1,<0.2") -> None:
    info = site / f"acme_{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: acme-{name}\nVersion: 1.0\nSummary: x\nRequires-Dist: lerobot-core{core}\n")
    (info / "entry_points.txt").write_text(f"[lerobot.camera]\n{name} = acme_{name}_plugin\n")
    (site / f"acme_{name}_plugin.py").write_text(HEADER.format(name=name) + code)


def cameras(site: Path) -> Registry:
    return Registry(paths=[str(site)])


@pytest.mark.parametrize("code", BAD.values(), ids=list(BAD))
def test_one_bad_plugin_costs_one_line_and_spoils_nothing(site: Path, code: str) -> None:
    plugin(site, "a", GOOD)
    plugin(site, "bad", code)
    plugin(site, "b", GOOD)
    entries = sorted(cameras(site).entries("camera"), key=lambda entry: ["a", "bad", "b"].index(entry.name))
    first, bad, last = ask_each(entries, "find", limit=1.0)
    assert [row["name"] for answer in (first, last) for row in answer.results if row["kind"] == "camera"] == ["a", "b"]
    assert first.failures == last.failures == ()
    assert bad.results == ()
    assert bad.failures
    assert "acme-bad" in bad.failures[0]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("sleeps", "took longer than 2 s"),
        ("dies", "(exit code 3)"),
        ("killed", "(signal 9)"),
        ("exits", "SystemExit: 3"),
    ],
)
def test_a_bad_plugin_says_how_it_failed(site: Path, code: str, why: str) -> None:
    plugin(site, "bad", BAD[code])
    (answer,) = ask_each(cameras(site).entries("camera"), "find", limit=2.0)
    assert why in answer.failures[0]
    assert "camera 'bad' (acme-bad 1.0)" in answer.failures[0]


def test_a_plugin_for_another_core_is_refused_before_it_is_imported(site: Path) -> None:
    plugin(site, "bad", BAD["dies"], core=">=99")
    (answer,) = ask_each(cameras(site).entries("camera"), "find")
    assert "was made for another core" in answer.failures[0]


def test_a_preset_is_no_spec_and_loads_all_the_same() -> None:
    entries = [entry for entry in Registry(environ={}).entries() if entry.distribution == "lerobot-core"]
    assert [answer.failures for answer in ask_each(entries, "doctor") if answer.failures] == []


# --- find -----------------------------------------------------------------------------------------------------------


def test_find_lists_what_plugins_see_by_kind(site: Path) -> None:
    plugin(site, "a", GOOD)
    devices, failures = find("camera", cameras(site))
    assert devices == [{"kind": "camera", "id": "7", "name": "a", "detail": "640x480"}]
    assert failures == []
    assert {"kind": "port", "id": "/dev/x", "name": "", "detail": ""} in find(None, cameras(site))[0]
    assert find("robot", cameras(site)) == ([], [])


def test_serial_ports_are_named_by_what_does_not_change(tmp_path: Path) -> None:
    by_id = tmp_path / "serial" / "by-id"
    by_id.mkdir(parents=True)
    for name in ("ttyACM0", "ttyUSB1", "tty7"):
        (tmp_path / name).touch()
    (by_id / "usb-arm").symlink_to(tmp_path / "ttyACM0")
    found = [(row["id"], row["name"]) for row in ports(tmp_path)]
    assert found == [
        (str(by_id / "usb-arm"), str(tmp_path / "ttyACM0")),
        (str(tmp_path / "ttyUSB1"), str(tmp_path / "ttyUSB1")),
    ]


def lr(*argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lerobot_core", *argv]
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def test_find_as_a_command(site: Path) -> None:
    plugin(site, "a", GOOD)
    plugin(site, "bad", BAD["raises"])
    done = lr("find", "cameras")
    assert (done.returncode, done.stdout) == (0, "camera  7  a  640x480\n")
    assert done.stderr.startswith("warning: camera 'bad' (acme-bad 1.0)")
    found = json.loads(lr("find", "cameras", "--json").stdout.splitlines()[-1])
    assert [row["id"] for row in found["devices"]] == ["7"]
    assert len(found["failures"]) == 1


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (("find", "camras"), "error: lr find cannot look for 'camras'\n  did you mean 'cameras'?\n"),
        (("calibrate",), "error: lr calibrate wants a device\n  lr calibrate --robot NAME, or --teleop NAME\n"),
        (
            ("setup-motors", "--robot", "fake"),
            "error: robot 'fake' has no motors that could get ids\n  leave lr setup-motors out\n",
        ),
    ],
)
def test_bad_input_of_device_verbs(argv: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", told)


def test_calibrating_needs_a_person_or_a_simulated_arm(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--robot", "fake"]) == 1
    assert capsys.readouterr().err.startswith("error: a person is needed: move every joint to the middle")
    assert main(["calibrate", "--robot", "fake", "--yes"]) == 2
    assert capsys.readouterr().err.startswith("error: --yes moves only simulated joints")


def test_a_person_calibrates_on_a_terminal(tmp_path: Path) -> None:
    from pseudo_terminal import PseudoTerminal

    script = f"""
    import sys
    from lerobot_core.__main__ import main
    sys.exit(main(["calibrate", "--robot", "fake", "--robot.calibration-dir", {str(tmp_path)!r}, "--json"]))
    """
    with PseudoTerminal(script) as pty:
        pty.expect("then press enter")
        pty.send(b"\r")
        while "outcome" not in pty.output and "then press enter" in pty.expect("\n"):
            pty.send(b"\r")
        pty.expect('"outcome": "done", "robot": "fake"}')
        assert pty.report() == "ended 0"
        assert pty.cooked
    assert os.listdir(tmp_path) is not None
