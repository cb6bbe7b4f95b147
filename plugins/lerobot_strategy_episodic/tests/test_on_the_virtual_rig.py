"""Real bytes, real video: on the virtual clock every time, on the real one with `-m slow`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from episodic_virtual_rig import VARIANTS, argv, in_process, lr, verify


def info(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "meta/info.json").read_text()))


def test_two_episodes_and_the_way_home(tmp_path: Path) -> None:
    root = tmp_path / "out"
    session = in_process(*argv(root, "alone"))
    summary = session.run()
    assert (summary["outcome"], summary["exit"]) == ("done", "park"), session.ending
    assert (summary["dataset"]["episodes"], summary["dataset"]["discarded"]) == (2, 1)
    assert summary["dataset"]["frames"] == info(root)["total_frames"] == 60
    assert summary["rows"]["goto"] > 0
    verify(root)


@pytest.mark.slow
def test_it_is_continued_with_the_same_features_only(tmp_path: Path) -> None:
    root = tmp_path / "out"
    assert in_process(*argv(root, "person")).run()["outcome"] == "done"
    other = in_process(*argv(root, "person", "--resume", "--camera.front.width", "80"))
    assert other.run()["outcome"] == "failed"
    assert "front" in str(other.ending.error)
    assert in_process(*argv(root, "person", "--resume")).run()["outcome"] == "done"
    assert info(root)["total_episodes"] == 4
    verify(root)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_on_the_real_clock(tmp_path: Path, variant: str) -> None:
    root = tmp_path / "out"
    summary = lr("rollout", *argv(root, variant))
    assert (summary["outcome"], summary["exit"], summary["dataset"]["episodes"]) == ("done", "park", 2)
    assert summary["rows"]["human" if variant == "person" else "goto"] > 0
    assert info(root)["total_frames"] == summary["dataset"]["frames"]
    verify(root)
