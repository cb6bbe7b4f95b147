"""What a person and a program see of a run: a live view or plain lines, JSON lines, TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lerobot_core.terminal import Terminal
from lerobot_core.terminal_text import bar, duration

if TYPE_CHECKING:
    from .wandb_run import WandbRun

_PARTED = "  | "
"""Between the rates and where the time goes: two lines where there is a screen, one where there is none."""


class Report:
    """One run's; every process has one, only the first one's speaks.

    Args:
        terminal: who owns the screen.
        steps: of the whole run.
        as_json: print JSON lines on stdout.
        events: folder of TensorBoard's event files; None: write none.
        speaks: is this the first process.
    """

    def __init__(self, terminal: Terminal, steps: int, as_json: bool, events: Path | None, speaks: bool = True) -> None:
        self._terminal, self._steps, self._json, self._speaks = terminal, steps, as_json, speaks
        self._writer = _writer(events) if events is not None and speaks else None
        self._region = terminal.view("training") if speaks and terminal.live else None
        self._shown: dict[str, Any] = {}
        self._wandb: WandbRun | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._region is not None:
            self._region.close()
        if self._writer is not None:
            self._writer.close()
        if self._wandb is not None:
            self._wandb.close(failed=exc[0] is not None)

    def also(self, wandb: WandbRun) -> None:
        """Write log lines there as well, from now on."""
        self._wandb = wandb
        self.note(f"wandb: {wandb.place}")

    def live(self, step: int, loss: float) -> None:
        """After every step; cheap."""
        if self._region is not None:
            self._region.update(self._lines(step, loss))

    def log(self, row: Mapping[str, Any], left_s: float) -> None:
        """A log line: `step`, `loss`, `lr`, `samples_per_s`, `step_ms` {part: ms}, … ."""
        if not self._speaks:
            return
        self._shown = {**row, "left_s": left_s}
        if self._json:
            print(json.dumps(row), flush=True)
        if self._region is None and not self._json:
            self._terminal.say(_plain(row, self._steps, left_s))
        self._record(row)

    def note(self, text: str) -> None:
        """A line among the others."""
        if self._speaks:
            self._terminal.say(text)

    def summary(self, row: Mapping[str, Any]) -> None:
        """The last line."""
        if self._json and self._speaks:
            print(json.dumps(row), flush=True)

    def _record(self, row: Mapping[str, Any]) -> None:
        flat = {key: value for key, value in row.items() if isinstance(value, int | float) and key != "step"}
        flat |= {f"step_ms/{key}": value for key, value in row.get("step_ms", {}).items()}
        named = {key if "/" in key else f"train/{key}": value for key, value in flat.items()}
        if self._wandb is not None:
            self._wandb.add(named, row["step"])
        if self._writer is None:
            return
        for key, value in named.items():
            self._writer.add_scalar(key, value, row["step"])
        self._writer.flush()

    def _lines(self, step: int, loss: float) -> list[str]:
        share, row = step / self._steps, self._shown
        width = max(min(self._terminal.size[0] - 40, 40), 5)
        first = f"training {bar(share, width, True)} {share:4.0%}  {step}/{self._steps}  loss {loss:.4g}"
        return [first, *_rates(row).split(_PARTED)] if row else [first]


def _rates(row: Mapping[str, Any]) -> str:
    parts = ", ".join(f"{name} {value:.0f}" for name, value in row["step_ms"].items())
    return (f"{row['samples_per_s']:.1f} samples/s  waiting for data {row['data_wait']:.0%}  "
            f"{duration(row['left_s'])} left{_PARTED}ms a step: {parts}")  # fmt: skip


def _plain(row: Mapping[str, Any], steps: int, left_s: float) -> str:
    names = [name for name in row if name.startswith(("loss", "eval_loss", "grad_norm"))]
    values = "  ".join(f"{name} {row[name]:.4g}" for name in names)
    return f"step {row['step']}/{steps}  epoch {row['epoch']:.2f}  {values}  lr {row['lr']:.3g}  {_rates({**row, 'left_s': left_s})}"


def _writer(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder))
