"""`lr dataset info` and `stats`, for people and for programs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.errors import StorageError, UsageError
from lerobot_storage_v3 import layout
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.reader import open_reader
from typer.testing import CliRunner

RUN = CliRunner().invoke


def test_info_is_the_file_and_the_size(golden: Path) -> None:
    answer = json.loads(RUN(app, ["info", str(golden), "--json"]).stdout.splitlines()[-1])
    size = answer.pop("size")
    assert answer == layout.read_json(golden / layout.INFO)
    assert size == sum(path.stat().st_size for path in golden.rglob("*") if path.is_file())


def test_info_for_people(golden: Path) -> None:
    text = RUN(app, ["info", str(golden)]).stdout
    assert "158 at 10 a second" in text
    assert "observation.image" in text


def test_stats(golden: Path) -> None:
    answer = json.loads(RUN(app, ["stats", str(golden), "--json", "--feature", "action"]).stdout.splitlines()[-1])
    assert answer == {"action": layout.read_json(golden / layout.STATS)["action"]}
    table = RUN(app, ["stats", str(golden)]).stdout
    assert "action x" in table
    assert "observation.image red" in table


def test_stats_of_nothing(golden: Path) -> None:
    result = RUN(app, ["stats", str(golden), "--feature", "torque"])
    assert isinstance(result.exception, UsageError)


def test_an_infinite_number_stays_valid_json(made: Any) -> None:
    stats = layout.read_json(made.root / layout.STATS)
    stats["action"]["max"][0] = float("inf")
    layout.write_json(made.root / layout.STATS, stats)
    text = RUN(app, ["stats", str(made.root), "--json"]).stdout
    assert json.loads(text, parse_constant=pytest.fail)["action"]["max"][0] is None


def test_repair_and_compact(make: Callable[..., Any]) -> None:
    made = make(file_per_episode=True)
    assert "nothing to repair" in RUN(app, ["repair", str(made.root)]).stdout
    answer = json.loads(RUN(app, ["compact", str(made.root), "--json"]).stdout.splitlines()[-1])
    assert answer["files_after"] < answer["files_before"]
    reader = open_reader(made.root)
    assert all(made.shows(reader.frames(index)["observation.images.front"], "front", index) for index in range(39))


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys, lerobot_storage_v3.cli; print([m for m in ('numpy', 'pyarrow', 'av', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "verb", ["info", "show", "verify", "stats", "repair", "compact", "delete", "convert", "reencode"]
)
def test_a_wrong_path_is_told_in_one_go(verb: str, tmp_path: Path) -> None:
    extra = ["--episodes", "0"] if verb == "delete" else []
    result = RUN(app, [verb, str(tmp_path / "nowhere"), *extra])
    if verb == "verify":
        assert result.exit_code == 1
        assert "does not exist" in result.stdout
    else:
        assert isinstance(result.exception, StorageError)
        assert not (tmp_path / "nowhere").exists()
