"""Log records: on the screen as lines for a person, in a file in full."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from lerobot_core import logs
from lerobot_core.errors import UsageError


def speak() -> None:
    logging.getLogger("lerobot.run").debug("details")
    logging.getLogger("lerobot.run").info("ready in %d s", 3)
    logging.getLogger("lerobot_robot_so100.robot").info("a plugin")
    logging.getLogger("lerobot.run").warning("careful")
    logging.getLogger("urllib3").info("chatter")
    logging.getLogger("urllib3").warning("trouble")


def test_the_screen_shows_ours_and_what_is_serious(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup()
    speak()
    shown = capsys.readouterr()
    assert shown.err.splitlines() == ["ready in 3 s", "a plugin", "warning: careful", "warning: trouble"]
    assert shown.out == ""


def test_the_file_has_everything_of_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(log_file=tmp_path / "deep" / "run.log")
    speak()
    lines = (tmp_path / "deep" / "run.log").read_text().splitlines()
    assert [line.partition(" MainThread ")[2] for line in lines] == [
        "lerobot.run: details",
        "lerobot.run: ready in 3 s",
        "lerobot_robot_so100.robot: a plugin",
        "lerobot.run: careful",
        "urllib3: trouble",
    ]
    assert "details" not in capsys.readouterr().err
    assert logs.log_file() == tmp_path / "deep" / "run.log"


def test_setting_up_again_starts_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(log_file=tmp_path / "a")
    logs.setup()
    logging.getLogger("lerobot").info("once")
    assert capsys.readouterr().err == "once\n"
    assert logs.log_file() is None


def test_nobody_makes_records_that_nobody_shows() -> None:
    logs.setup()
    assert not logging.getLogger("lerobot.run").isEnabledFor(logging.DEBUG)


def test_debugging_shows_details(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(logs.DEBUG, "1")
    logs.setup()
    logging.getLogger("lerobot.run").debug("details")
    assert capsys.readouterr().err == "debug lerobot.run: details\n"


def test_a_file_that_cannot_be_written_is_the_persons_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        logs.setup(log_file=tmp_path / "file" / "run.log")
