"""What a person sees: a view that stays in place on a screen, lines where there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lerobot_train.report import Report

ROW = {"step": 50, "loss": 0.25, "grad_norm": 1.5, "lr": 1e-4, "epoch": 1.5, "samples": 400, "samples_per_s": 80.0,
       "step_ms": {"data": 1.0, "forward": 30.0, "backward": 60.0, "optimizer": 9.0}, "data_wait": 0.01}  # fmt: skip


class _Region:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.closed = False

    def update(self, lines: list[str]) -> None:
        self.lines = lines

    def close(self) -> None:
        self.closed = True


class _Terminal:
    size = (100, 30)

    def __init__(self, live: bool) -> None:
        self.live, self.said, self.region = live, list[str](), _Region()

    def view(self, name: str) -> _Region:
        return self.region

    def say(self, text: str) -> None:
        self.said.append(text)


def report(terminal: _Terminal, as_json: bool = False, speaks: bool = True) -> Any:
    return Report(terminal, 200, as_json, None, speaks)  # type: ignore[arg-type]


def test_a_screen_shows_progress_rates_and_what_is_left() -> None:
    terminal = _Terminal(live=True)
    with report(terminal) as told:
        told.live(1, 3.0)
        assert len(terminal.region.lines) == 1
        told.log(ROW, 125.0)
        told.live(51, 0.2)
        first, second, third = terminal.region.lines
    assert "51/200" in first
    assert "loss 0.2" in first
    assert "80.0 samples/s" in second
    assert "waiting for data 1%" in second
    assert "02:05 left" in second
    assert third == "ms a step: data 1, forward 30, backward 60, optimizer 9"
    assert terminal.region.closed
    assert not terminal.said


def test_without_a_screen_it_is_a_line() -> None:
    terminal = _Terminal(live=False)
    with report(terminal) as told:
        told.live(1, 3.0)
        told.log(ROW, 125.0)
    (line,) = terminal.said
    assert line.startswith("step 50/200  epoch 1.50  loss 0.25  grad_norm 1.5  lr 0.0001  80.0 samples/s")


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = _Terminal(live=False)
    with report(terminal, as_json=True) as told:
        told.log(ROW, 125.0)
        told.summary({"outcome": "done"})
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [ROW, {"outcome": "done"}]
    assert not terminal.said


def test_only_the_first_process_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = _Terminal(live=True)
    with report(terminal, as_json=True, speaks=False) as told:
        told.live(1, 3.0)
        told.log(ROW, 125.0)
        told.note("checkpoint")
        told.summary({"outcome": "done"})
    assert capsys.readouterr().out == ""
    assert not terminal.said
    assert not terminal.region.lines
