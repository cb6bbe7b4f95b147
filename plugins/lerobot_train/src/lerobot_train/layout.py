"""The folders of a training run, as the peer lays them out.

OUTPUT_DIR/checkpoints/000200/pretrained_model   what `--policy` takes
                             /pretrained_model_ema   the moving average of its weights, with `--ema`
                             /training_state     what `--resume` takes
                      /last -> 000200
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from lerobot_core.errors import ConfigError

CHECKPOINTS, LAST = "checkpoints", "last"
MODEL, AVERAGE, STATE = "pretrained_model", "pretrained_model_ema", "training_state"
SETTINGS, CURSOR, STEP = "lr_train.json", "cursor.json", "training_step.json"


def make_folder(output: Path) -> None:
    """Make OUTPUT_DIR and find out that it can be written to, before an hour is spent on what goes there.

    Raises:
        ConfigError: it cannot.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(f"--output-dir {output} cannot be written", why, "another --output-dir") from error


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint's folder."""

    folder: Path

    @property
    def model(self) -> Path:
        """The policy."""
        return self.folder / MODEL

    @property
    def average(self) -> Path:
        """The policy with averaged weights; not in every run."""
        return self.folder / AVERAGE

    @property
    def state(self) -> Path:
        """Optimizer, schedule, random numbers, place in the data."""
        return self.folder / STATE

    @classmethod
    def newest(cls, output: Path) -> Self:
        """The last complete one of a run.

        Raises:
            ConfigError: there is none.
        """
        link = output / CHECKPOINTS / LAST
        whole = [each for each in numbered(output) if (each / STATE / CURSOR).is_file()]
        folder = link.resolve() if (link / STATE / CURSOR).is_file() else next(reversed(whole), None)
        if folder is None:
            raise ConfigError(f"there is nothing to resume in {output}", f"no checkpoint of ours in {output / CHECKPOINTS}",
                              "leave --resume out, or name another --output-dir")  # fmt: skip
        return cls(folder)


def numbered(output: Path) -> list[Path]:
    """Checkpoint folders of a run, oldest first."""
    found = [each for each in (output / CHECKPOINTS).glob("*") if each.name.isdigit() and not each.is_symlink()]
    return sorted(found, key=lambda each: int(each.name))


def step_name(step: int, steps: int) -> str:
    """A checkpoint's folder: six digits, more for runs that need them."""
    return f"{step:0{max(6, len(str(steps)))}d}"


@contextmanager
def written(output: Path, step: int, steps: int) -> Iterator[Checkpoint]:
    """A folder to write a checkpoint into; it takes its name, and `last` points to it, once it is complete.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    name = step_name(step, steps)
    target = output / CHECKPOINTS / name
    partial = target.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        (partial / STATE).mkdir(parents=True)
        yield Checkpoint(partial)
        for path in [*partial.rglob("*"), partial]:
            flush(path)
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    _point(target.parent / LAST, name)


def _point(link: Path, name: str) -> None:
    fresh = link.with_name(f".{LAST}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(name)
    os.replace(fresh, link)
    flush(link.parent)


def flush(path: Path) -> None:
    """Onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def drop_old(output: Path, keep: int | None) -> None:
    """Delete all but the newest `keep` checkpoints; None keeps all."""
    for folder in numbered(output)[:-keep] if keep else []:
        shutil.rmtree(folder, ignore_errors=True)


def read_json(path: Path) -> Any:
    """Raises ConfigError when it cannot be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read", str(error), "resume from another checkpoint") from error


def write_json(path: Path, data: Any) -> None:
    """Four spaces, as the peer."""
    path.write_text(json.dumps(data, indent=4) + "\n", "utf-8")
