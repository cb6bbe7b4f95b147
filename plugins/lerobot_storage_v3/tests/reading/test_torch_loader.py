"""Rows as tensors; skipped where torch is not installed."""

from __future__ import annotations

import copy
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lerobot_core.errors import ContractError
from lerobot_storage_v3.reader import open_reader

torch = pytest.importorskip("torch")

FRONT = "observation.images.front"


def load(root: Path, **options: Any) -> Any:
    from lerobot_storage_v3.torch_loader import TorchDataset

    return TorchDataset(open_reader(root), **options)


def test_shapes_and_types(made: Any) -> None:
    item = load(made.root)[25]
    assert item[FRONT].shape == (3, 48, 64)
    assert item[FRONT].dtype == torch.float32
    assert item["action"].shape == (3,)
    assert item["timestamp"].shape == ()
    assert item["index"].dtype == torch.int64
    assert item["task"] == "pick"
    assert made.shows(item[FRONT].permute(1, 2, 0).numpy() * 255, "front", 25)


def test_bytes_on_request(made: Any) -> None:
    item = load(made.root, uint8=True)[25]
    assert item[FRONT].dtype == torch.uint8
    assert made.shows(item[FRONT].permute(1, 2, 0).numpy(), "front", 25)


def test_deltas(made: Any) -> None:
    item = load(made.root, deltas={"action": [0.0, 0.1], FRONT: [-0.1, 0.0], "observation.state": [0.0]})[18]
    assert item["action"].shape == (2, 3)
    assert item["action_is_pad"].tolist() == [False, True]
    assert item[FRONT].shape == (2, 3, 48, 64)
    assert item["observation.state"].shape == (1, 3)


def test_a_video_at_one_time_has_no_time_axis(make: Callable[..., Any]) -> None:
    assert load(make().root, deltas={FRONT: [0.0]})[0][FRONT].shape == (3, 48, 64)
    assert load(make(as_images=True).root, deltas={FRONT: [0.0]})[0][FRONT].shape == (1, 3, 48, 64)


def test_some_episodes_only(made: Any) -> None:
    dataset = load(made.root, episodes=[2, 0])
    assert len(dataset) == 32
    assert [int(dataset[position]["index"]) for position in (0, 19, 20, -1)] == [19, 38, 0, 11]
    with pytest.raises(IndexError):
        dataset[32]


def test_transforms_see_colour_images(made: Any) -> None:
    seen: list[Any] = []

    def grey(image: Any) -> Any:
        seen.append(image.shape)
        return image.mean(-3, keepdim=True)

    item = load(made.root, transforms=grey)[0]
    assert seen == [(3, 48, 64)] * 2
    assert item[FRONT].shape == (1, 48, 64)


def test_a_wrong_delta(made: Any) -> None:
    with pytest.raises(ContractError, match="no whole number of rows"):
        load(made.root, deltas={"action": [0.05]})[0]


def test_a_copy_opens_its_own_files(made: Any) -> None:
    # What a spawned worker does, without the seconds a second torch takes to import.
    dataset = load(made.root)
    before = dataset[7]
    again = copy.deepcopy(dataset)
    dataset.reader.close()
    assert again.reader is not dataset.reader
    assert torch.equal(again[7][FRONT], before[FRONT])


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_worker_processes(made: Any, method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    dataset = load(made.root, uint8=True)
    dataset[0]
    loader = torch.utils.data.DataLoader(dataset, batch_size=13, num_workers=2, multiprocessing_context=method)
    batches = list(loader)
    index = torch.cat([batch["index"] for batch in batches]).tolist()
    frames = torch.cat([batch[FRONT] for batch in batches])
    assert index == list(range(39))
    assert all(made.shows(frames[at].permute(1, 2, 0).numpy(), "front", at) for at in index)


def test_what_the_peer_reads(golden: Path) -> None:
    expected = json.loads((golden / "expected_peer_read.json").read_text())["frames"]
    deltas = {"action": [row / 10 for row in range(8)], "observation.image": [-0.1, 0.0]}
    dataset = load(golden, deltas=deltas)
    for index, peer in expected.items():
        item = dataset[int(index)]
        np.testing.assert_array_equal(item["observation.image"][0, :, 48, 48], np.float32(peer["image_px_0_48_48"]))
        np.testing.assert_array_equal(item["action"], np.float32(peer["action"]))
        assert item["action_is_pad"].tolist() == peer["action_is_pad"]
        assert item["timestamp"].item() == peer["timestamp"]
