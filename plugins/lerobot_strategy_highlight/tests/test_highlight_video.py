"""Highlights through the real encoder: what is decoded is what the cameras showed, each period once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lerobot_storage_v3")

from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.fakes.pattern import number_of
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock

SIZE = {"width": 240, "height": 64}
CAMERAS = ("front", "wrist")


def highlight(root: Path, script: str, duration: float, **strategy: Any) -> tuple[Session, list[dict[str, int]]]:
    """A run on two cameras, and the frame numbers of each row as it was handed to the storage."""
    registry = default_registry()

    def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**options), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        camera={name: chosen("camera", "fake", name, **SIZE, seed=i) for i, name in enumerate(CAMERAS)},
        policy=chosen("policy", "fake"),
        inference=chosen("inference", "chunked"),
        strategy=chosen("strategy", "highlight", **strategy),
        dataset=chosen("storage", "lerobot", root=root),
        operator={"scripted": chosen("operator", "scripted", script=script)},
        duration=duration,
    )
    session = Session(Plan("rollout", config, {}, registry), VirtualClock())
    seen: list[dict[str, int]] = []
    opening = session.open_storage

    def open_and_watch() -> None:
        opening()
        add = session.parts.storage.add_frame  # type: ignore[union-attr]

        def watch(step: Any) -> None:
            seen.append({name: number_of(step.observation[name]) for name in CAMERAS})
            add(step)

        session.parts.storage.add_frame = watch  # type: ignore[union-attr, method-assign]

    session.open_storage = open_and_watch  # type: ignore[method-assign]
    session.run()
    assert session.ending.outcome == "done", session.ending
    return session, seen


def decoded(root: Path) -> list[list[dict[str, int]]]:
    """The frame numbers in the video of each episode, row by row."""
    reader = default_registry().spec("storage", "lerobot").tools().reader(root)  # type: ignore[attr-defined]
    found = []
    for index, episode in enumerate(reader.episodes):
        rows = range(episode.length)
        pictures = {name: reader.pictures(index, f"observation.images.{name}", rows) for name in CAMERAS}
        found.append([{name: number_of(pictures[name][row]) for name in CAMERAS} for row in rows])
    reader.close()
    return found


def test_no_gap_and_no_duplicate_in_the_decoded_frames(tmp_path: Path) -> None:
    script = "3.0 save; 4.0 save; 4.5 save; 5.0 save"
    _, seen = highlight(tmp_path / "out", script, 6.0, ring_buffer_seconds=1.0)
    first, second = decoded(tmp_path / "out")
    begin = seen.index(first[0])
    assert first == seen[begin : begin + len(first)], "every row has its own picture, in order"
    assert second == seen[begin + len(first) :][: len(second)], "the next one begins with the very next period"
    # One second before the key, one after it; a video begins with a key frame, one frame in two is.
    assert len(first) in (60, 61, 62)
    assert all(frame in seen for frame in first)


def test_the_ring_never_holds_more_than_its_cap(tmp_path: Path) -> None:
    """Ten seconds are asked for; a cap of 1 MB keeps fewer, and whole ones."""
    weights: list[int] = []
    from lerobot_storage_v3.recording import Recording

    trim = Recording._trim

    def weigh(self: Recording, window: Any) -> None:
        trim(self, window)
        weights.append(sum(track.weight for track in self.tracks.values()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recording, "_trim", weigh)
        patch.setattr("lerobot_strategy_highlight.highlight._MB", 40_000)
        _, seen = highlight(
            tmp_path / "out",
            "5.0 save; 5.5 save",
            6.0,
            ring_buffer_seconds=10.0,
            ring_buffer_max_memory_mb=1,
        )
    assert 20_000 < max(weights) <= 40_000
    (kept,) = decoded(tmp_path / "out")
    begin = seen.index(kept[0])
    assert kept == seen[begin : begin + len(kept)]
    assert begin > 10
