"""The editing verbs of `lr dataset`, each from the command line to the dataset it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.errors import UsageError
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.reader import open_reader
from typer.testing import CliRunner

FRONT = "observation.images.front"


def run(*words: object) -> Any:
    """The JSON a command prints."""
    result = CliRunner().invoke(app, [*map(str, words), "--json"])
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout.splitlines()[-1])


def test_delete(made: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("delete", made.root, "--episodes", "0,2", "--to", out) == {"root": str(out), "episodes": 1, "frames": 7}
    assert len(open_reader(made.root).episodes) == 3
    assert run("delete", made.root, "--episodes", "1")["frames"] == 32


def test_split(made: Any) -> None:
    parts = run("split", made.root, "--into", "train=0-1", "--into", "val=2")["parts"]
    assert parts["train"]["episodes"] == [0, 1]
    assert len(open_reader(parts["val"]["root"])) == 20
    assert parts["val"]["root"] == f"{made.root}_val"


def test_merge(make: Callable[..., Any], tmp_path: Path) -> None:
    one, two = make(), make()
    assert run("merge", tmp_path / "out", one.root, two.root)["frames"] == 78
    with pytest.raises(UsageError, match="nothing to merge"):
        run("merge", tmp_path / "again", one.root)


def test_features(made: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "force.npy", np.ones((39, 2)))
    run("add-feature", made.root, "force", "--values", tmp_path / "force.npy", "--names", "x,y")
    run("add-feature", made.root, "next.reward", "--constant", "0.5")
    row = open_reader(made.root).frames(3)
    assert row["next.reward"] == 0.5
    assert row["force"].tolist() == [1.0, 1.0]
    run("remove-feature", made.root, "force", FRONT)
    assert "force" not in open_reader(made.root).info.features


def test_values_must_come_from_somewhere(made: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which values"):
        run("add-feature", made.root, "force")
    (tmp_path / "force.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UsageError, match="cannot read values"):
        run("add-feature", made.root, "force", "--values", tmp_path / "force.npy")


def test_tasks(made: Any) -> None:
    run("modify-tasks", made.root, "--replace", "pick=pick the cube", "--task", "turn", "--episodes", "1")
    assert list(open_reader(made.root).tasks) == ["pick the cube", "turn"]
    run("modify-tasks", made.root, "--task", "stack")
    assert list(open_reader(made.root).tasks) == ["stack"]
    for words in ([], ["--replace", "pick"]):
        with pytest.raises(UsageError):
            run("modify-tasks", made.root, *words)


def test_codecs(make: Callable[..., Any]) -> None:
    made = make(as_images=True)
    run("images-to-video", made.root, "--codec", "h264", "--crf", "18")
    run("reencode", made.root, "--codec", "hevc", "--gop", "4")
    assert open_reader(made.root).info.features[FRONT]["info"]["video.codec"] == "hevc"


def test_statistics(made: Any) -> None:
    before = open_reader(made.root).stats["action"]["mean"]
    run("recompute-stats", made.root, "--images")
    np.testing.assert_allclose(open_reader(made.root).stats["action"]["mean"], before, atol=1e-4)


def test_for_people(made: Any) -> None:
    result = CliRunner().invoke(app, ["delete", str(made.root), "--episodes", "1"])
    assert f"{made.root}: 2 episodes, 32 frames" in result.stdout
