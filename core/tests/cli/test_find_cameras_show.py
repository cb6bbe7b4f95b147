"""`lr find cameras --show`: a page where there is no terminal, blocks where there is colour, a line for what gives none."""

from __future__ import annotations

import base64
import json
import re
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lerobot_core.cli import find as verb
from lerobot_core.cli.find_cameras import found_cameras
from lerobot_core.cli.main import main
from lerobot_core.pictures import blocks, page, png
from lerobot_core.registry import Registry, default_registry
from lerobot_core.terminal import Terminal

IMAGES = arrays.arrays(np.uint8, st.tuples(st.integers(2, 40), st.integers(2, 40), st.just(3)))


@pytest.fixture(autouse=True)
def _pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def unpacked(data: bytes) -> np.ndarray[Any, Any]:
    """The pixels of a PNG as `png` writes it, every checksum looked at."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        body = data[place + 8 : place + 8 + size]
        assert struct.unpack(">I", data[place + 8 + size : place + 12 + size])[0] == zlib.crc32(name + body)
        chunks[name], place = body, place + 12 + size
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, 3)


@given(IMAGES)
def test_a_png_holds_the_picture(image: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(unpacked(png(image)), image)


@given(IMAGES, st.integers(1, 30), st.booleans())
def test_blocks_fit_and_leave_no_colour_behind(image: np.ndarray[Any, Any], width: int, true_colour: bool) -> None:
    for line in blocks(image, width, true_colour):
        assert 1 <= line.count("▀") <= width
        assert line.endswith("\x1b[0m")


def test_a_block_has_the_colour_of_its_pixels_above_and_below() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :, 0], image[2:, :, 2] = 255, 255
    assert list(blocks(image, 2, True)) == ["\x1b[38;2;255;0;0;48;2;0;0;255m▀" * 2 + "\x1b[0m"]
    assert list(blocks(image, 2, False)) == ["\x1b[38;5;196;48;5;21m▀" * 2 + "\x1b[0m"]


def test_names_on_the_page_are_text() -> None:
    assert "&lt;b&gt;" in page("Cameras", {"<b>": np.zeros((2, 2, 3), np.uint8)})


def test_piped_each_named_camera_is_on_one_page(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--camera.front", "fake", "--camera.wrist", "fake", "--camera.wrist.seed", "3"]
    assert main(["find", "cameras", "--show", "--json", *words]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [row["name"] for row in told["cameras"]] == ["front", "wrist"]
    text = Path(told["page"]).read_text()
    images = [unpacked(base64.b64decode(each)) for each in re.findall('base64,([^"]+)', text)]
    assert len(images) == 2
    assert not np.array_equal(images[0], images[1])
    assert "wrist: fake-3" in text


def test_a_camera_without_a_picture_costs_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--camera.a", "fake", "--camera.a.fault", "gone", "--camera.a.fault-after", "0", "--camera.b", "fake"]
    assert main(["find", "cameras", "--show", *words]) == 1
    told = capsys.readouterr()
    assert "warning: a: camera fake-0 is not there" in told.err
    assert Path(told.out.strip()).name == "cameras.html"


def test_in_a_terminal_with_colour_they_are_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "colour", property(lambda terminal: True))
    assert main(["find", "cameras", "--show", "--camera.front", "fake"]) == 0
    told = capsys.readouterr()
    assert "▀" in told.err
    assert told.out == ""


def test_cameras_that_plugins_see_are_built_by_their_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_cameras([(None, {"id": "7"})], default_registry()) == {}
    monkeypatch.setattr(verb, "_find", lambda kind, registry: ([], []))
    assert main(["find", "cameras", "--show"]) == 0


def test_a_plugin_without_addresses_is_left_out() -> None:
    registry = Registry(environ={})
    fake = registry.find("camera", "fake")
    assert found_cameras([(fake, {"kind": "camera", "id": "0"})], registry) == {}
