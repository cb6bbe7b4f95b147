"""`lr dataset show`: lines for the terminal, and a page that holds everything it needs."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lerobot_core.errors import UsageError
from lerobot_storage_v3.cli import app
from lerobot_storage_v3.page import episode_page
from lerobot_storage_v3.reader import open_reader
from lerobot_storage_v3.show import dataset_lines, episode_lines, spark
from typer.testing import CliRunner


def content(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    return data


def frames(camera: dict[str, str]) -> list[Any]:
    kind, data = camera["src"].split(",", 1)
    assert kind == "data:video/mp4;base64"
    with av.open(io.BytesIO(base64.b64decode(data)), "r") as video:
        return [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]


@pytest.mark.parametrize(
    "how", [{}, {"codec": {"g": "250", "bf": "0", "crf": "12"}}, {"as_images": True}, {"file_per_episode": True}]
)
def test_the_page_shows_the_episode(make: Callable[..., Any], how: dict[str, Any]) -> None:
    made = make(**how)
    data = content(episode_page(made.root, 1))
    assert (data["fps"], data["length"], data["tasks"][0]) == (10, 7, [0, "place"])
    assert [camera["name"] for camera in data["cameras"]] == ["front", "wrist"]
    for camera in data["cameras"]:
        shown = frames(camera)
        assert len(shown) == 7
        assert all(
            abs(frame[:, :24].mean() - made.level(camera["name"], 12 + row)) < 6 for row, frame in enumerate(shown)
        )
    first = data["series"][0]
    assert first["name"] == "pan.pos"
    np.testing.assert_allclose(first["action"], made.actions[12:19, 0], rtol=1e-4)


def test_the_page_needs_nothing_else(made: Any) -> None:
    page = episode_page(made.root, 0)
    assert not re.search(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", page)
    assert "default-src 'none'" in page


def test_a_task_cannot_break_out_of_the_page(make: Callable[..., Any]) -> None:
    nasty = "</script><script>alert(1)</script>"
    made = make(tasks=(nasty,))
    page = episode_page(made.root, 0)
    assert nasty not in page
    assert content(page)["tasks"] == [[0, nasty]]


def test_labels_hands_and_flags(make: Callable[..., Any]) -> None:
    hand = ({"dtype": "bool", "shape": [1], "names": None}, lambda index: 3 <= index < 6 or index == 11)
    flags = ({"dtype": "string", "shape": [1], "names": None}, lambda index: "late,stale:front" if index == 2 else "")
    reward = ({"dtype": "float32", "shape": [1], "names": None}, lambda index: float("nan") if index == 1 else index)
    made = make(
        extra={"intervention": hand, "flags": flags, "next.reward": reward}, outcomes=("success", "none", "none")
    )
    page = episode_page(made.root, 0)
    assert '<span class="badge success">success</span>' in page
    data = content(page)
    assert data["hand"] == [[3, 6], [11, 11]]
    assert dict(data["flags"]) == {"late": 1, "stale:front": 1}
    assert data["series"][-1]["name"] == "next.reward"
    assert data["series"][-1]["state"][:3] == [0.0, None, 2.0]


def test_a_dataset_in_lines(golden: Path) -> None:
    text = "\n".join(dataset_lines(open_reader(golden), 80))
    assert "4 episodes, 158 rows at 10 a second" in text
    assert "2.5 to 6.0 s" in text
    assert "turn the T" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_an_episode_in_lines(golden: Path) -> None:
    lines = list(episode_lines(open_reader(golden), 1, 80, unicode=False))
    assert lines[0] == "episode 1: 25 rows, 2.5 s"
    assert any(line.startswith("x ") for line in lines)
    assert "".join(lines).isascii()


def test_sparks() -> None:
    assert spark(np.arange(8.0), 8) == "▁▂▃▄▅▆▇█"
    assert spark(np.array([1.0, np.nan, 1.0]), 5) == "▁▁"
    assert spark(np.array([np.nan]), 5) == ""


def test_the_command(golden: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert "158 rows" in run(app, ["show", str(golden)]).stdout
    assert "episode 3: 33 rows" in run(app, ["show", str(golden), "--episode", "3"]).stdout
    out = tmp_path / "page.html"
    assert str(out) in run(app, ["show", str(golden), "--episode", "3", "--html", str(out)]).stdout
    assert content(out.read_text("utf-8"))["length"] == 33
    assert isinstance(run(app, ["show", str(golden), "--episode", "4"]).exception, UsageError)
