"""`run.json`: what was run, with which versions and values, and how it ended; written beside the dataset or in the state folder."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import __version__
from ..config.show import as_json
from .plan import Plan


def state_folder() -> Path:
    """Where runs without a dataset leave their record."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "lerobot" / "runs"


def write(plan: Plan, resolved: Any, summary: dict[str, Any], began: datetime, calibration: dict[str, str]) -> Path:
    """Write the record and return its path.

    A dataset keeps it under `meta/runs/ID/`, outside every file the peer parses.
    """
    dataset = summary.get("dataset")
    folder = Path(dataset["root"]) / "meta" / "runs" if dataset else state_folder()
    folder = folder / f"{began:%Y%m%dT%H%M%S%f}-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "schema": 1,
        "began": began.isoformat(timespec="milliseconds"),
        "ended": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "config": as_json(resolved),
        "calibration": calibration,
        "versions": _versions(plan),
        "summary": summary,
    }
    path = folder / "run.json"
    path.write_text(json.dumps(record, indent=2, default=str) + "\n")
    return path


def _versions(plan: Plan) -> dict[str, Any]:
    plugins = {f"{e.kind}:{e.name}": f"{e.distribution} {e.version}" for e in plan.registry.named()}
    return {
        "lerobot-core": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "plugins": plugins,
    }
