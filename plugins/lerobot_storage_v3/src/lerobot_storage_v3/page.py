"""An episode as one HTML file that needs nothing else: its videos, its joints over time, its task and labels."""

from __future__ import annotations

import base64
import html
import json
import math
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import av
import numpy as np
from lerobot_core.features import ACTION, STATE, camera_of, image_shape
from numpy.typing import NDArray

from . import depth
from .codecs import choose
from .columns import Column
from .edits.sources import Take, V3Source
from .edits.videos import cut_packets, write_video
from .reader import LerobotReader
from .schema import FLAGS, INTERVENTION

# What every browser of the last years plays.
_PLAYABLE = ("h264", "av1")
_HIDDEN = ("timestamp", "frame_index", "episode_index", "index", "task_index", "seq")


def episode_page(root: Path, episode: int) -> str:
    """The page of one episode.

    Raises:
        StorageError: the dataset is damaged.
        IndexError: no such episode.
    """
    source = V3Source(root)
    try:
        reader = source.reader
        found = reader.episodes[episode]
        data = {
            "fps": reader.info.fps,
            "length": found.length,
            "tasks": _tasks(reader, episode),
            "hand": _hand(reader, episode),
            "flags": _flags(reader, episode),
            "cameras": list(_cameras(source, episode)),
            "series": list(_series(reader, episode)),
        }
        title = f"{root.resolve().name}, episode {episode}"
        label = f'<span class="badge {found.outcome}">{found.outcome}</span>' if found.outcome != "none" else ""
        facts = [reader.robot_type or "unknown robot", f"{found.length} rows", f"{reader.info.fps} a second"]
        return _filled(
            title=html.escape(title),
            heading=html.escape(title) + label,
            facts=html.escape("  ·  ".join([*facts, f"{found.length / reader.fps:.1f} s"])),
            data=_embedded(data),
        )
    finally:
        source.reader.close()


def _filled(**parts: str) -> str:
    text = resources.files(__package__).joinpath("page.html").read_text("utf-8")
    before, _, after = text.partition("{{data}}")
    for name in ("title", "heading", "facts"):
        before = before.replace("{{" + name + "}}", parts[name])
    return before + parts["data"] + after


def _embedded(data: dict[str, Any]) -> str:
    # A task may hold "</script>": in JSON a slash may be written as an escape.
    return json.dumps(data, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def _tasks(reader: LerobotReader, episode: int) -> list[list[Any]]:
    """[[first row, text], …]: the instruction may change within an episode."""
    index = np.asarray(reader.column("task_index", episode))
    changes = np.flatnonzero(np.diff(index, prepend=-1))
    return [[int(row), reader.tasks[int(index[row])]] for row in changes]


def _hand(reader: LerobotReader, episode: int) -> list[list[int]]:
    """[[from, to], …]: the rows in which a person acted."""
    if INTERVENTION not in reader.info.features:
        return []
    acted = np.asarray(reader.column(INTERVENTION, episode), np.bool_)
    edges = np.flatnonzero(np.diff(acted.astype(np.int8), prepend=0, append=0)).tolist()
    return [[first, min(stop, len(acted) - 1)] for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def _flags(reader: LerobotReader, episode: int) -> list[tuple[str, int]]:
    if FLAGS not in reader.info.features:
        return []
    cells: Column = reader.column(FLAGS, episode)
    counted = Counter(flag for cell in cells.tolist() for flag in (cell or "").split(",") if flag)
    return counted.most_common()


def _series(reader: LerobotReader, episode: int) -> Iterator[dict[str, Any]]:
    """One chart a joint, state and action in the same; then every other number."""
    (states, state), (actions, action) = reader.states(episode), reader.actions(episode)
    for name in dict.fromkeys([*states, *actions]):
        feature = reader.observation.get(name) or reader.action.get(name)
        lines = {
            kind: _numbers(values[:, names.index(name)])
            for kind, names, values in (("state", states, state), ("action", actions, action))
            if name in names
        }
        yield {"name": name, "unit": (feature.unit if feature else None) or "", **lines}
    for key, entry in reader.info.columns.items():
        plain = key not in (*_HIDDEN, STATE, ACTION, INTERVENTION) and not key.startswith("capture_time.")
        if plain and list(entry["shape"]) == [1] and entry["dtype"] not in ("string", "language", "image"):
            yield {"name": key, "unit": "", "state": _numbers(np.asarray(reader.column(key, episode), np.float64))}


def _numbers(values: NDArray[Any]) -> list[float | None]:
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values.tolist()]


def _cameras(source: V3Source, episode: int) -> Iterator[dict[str, str]]:
    for key in source.info.image_keys:
        if not depth.is_depth(source.info.features[key]):
            data = base64.b64encode(_video(source, episode, key)).decode()
            yield {"name": camera_of(key) or key, "src": f"data:video/mp4;base64,{data}"}


def _video(source: V3Source, episode: int, key: str) -> bytes:
    """The episode's part of a camera as an mp4 of its own: packets copied where a browser plays them, else H.264."""
    take, entry = Take(source, episode), source.info.features[key]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        if not (entry["dtype"] == "video" and _copied(take, key, path)):
            height, width, _ = image_shape(entry)
            codec = choose("libx264", ((height, width),), source.info.fps, 23, 15)
            write_video(path, source.pictures(episode, key), codec, (height, width), source.info.fps)
        return path.read_bytes()


def _copied(take: Take, key: str, path: Path) -> bool:
    with av.open(str(take.source.root / take.source.span(take.episode, key).file)) as container:
        template = container.streams.video[0]
        packets = cut_packets(take, key, take.source.info.fps)
        if template.codec_context.codec.canonical_name not in _PLAYABLE or packets is None:
            return False
        first = min(packet.pts or 0 for packet in packets)
        with av.open(str(path), "w", options={"movflags": "faststart"}) as made:
            stream = made.add_stream_from_template(template, opaque=True)
            for packet in packets:
                packet.pts, packet.dts = (packet.pts or 0) - first, (packet.dts or 0) - first
                packet.stream = stream
                made.mux(packet)
    return True
