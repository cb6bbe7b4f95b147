"""Images on their way to the network: made small, kept, changed at random."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lerobot_core.errors import ConfigError
from lerobot_storage_v3.reader import open_reader
from lerobot_torch.processors.resize import Resize
from lerobot_train import frame_cache
from lerobot_train.augment import Augment, uniform
from lerobot_train.config import TransformsConfig
from lerobot_train.frame_cache import FrameCache, ram_folder
from lerobot_train.rows import Rows
from lerobot_train.samples import Samples, Wanted, collate, on_device

PUSHT = Path(__file__).parents[4] / "tests" / "golden" / "pusht"
KEY = "observation.image"
NONE = dict.fromkeys(("brightness", "contrast", "saturation", "hue", "sharpness", "affine", "noise"))


def samples(cache: FrameCache | None = None, **wanted: Any) -> Samples:
    reader = open_reader(PUSHT)
    rows = Rows([0, 40], [40, 25])
    return Samples(reader, rows, Wanted(("action",), (KEY,), **({"deltas": {"action": [0.0, 0.1]}} | wanted)), cache)


def test_a_small_image_is_what_the_checkpoint_makes_of_the_whole_one() -> None:
    whole, small = samples()[0, 3][KEY], samples(size=(48, 32))[0, 3][KEY]
    asked = Resize(resize_size=(48, 32))({KEY: torch.from_numpy(whole.copy()).permute(2, 0, 1).float() / 255})[KEY]
    assert small.shape == (48, 32, 3)
    assert np.abs(small / 255 - asked.permute(1, 2, 0).numpy()).max() <= 1 / 255


def test_images_over_time_stop_at_the_episode() -> None:
    found = samples(deltas={KEY: [-0.2, -0.1, 0.0], "action": [0.0]})[0, 41]
    assert found[KEY].shape == (3, 96, 96, 3)
    assert found[f"{KEY}_is_pad"].tolist() == [True, False, False]
    np.testing.assert_array_equal(found[KEY][0], found[KEY][1])


def test_a_kept_image_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = FrameCache(tmp_path, {KEY: (48, 48, 3)}, 158)
    first = samples(cache, size=(48, 48))
    kept = first[0, 5]
    monkeypatch.setattr(type(first.reader), "pictures", None)
    again = samples(copy.deepcopy(cache), size=(48, 48))[0, 5]  # as a worker process gets it
    np.testing.assert_array_equal(again[KEY], kept[KEY])


def test_an_image_that_was_half_written_is_not_believed(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path, {KEY: (4, 4, 3)}, 10)
    cache.put(KEY, 3, np.zeros((4, 4, 3), np.uint8))
    assert cache.get(KEY, 3) is not None
    assert cache.get(KEY, 4) is None
    np.memmap(tmp_path / f"{KEY}.images", np.uint8, "r+")[3 * 48] = 7
    assert cache.get(KEY, 3) is None


def test_no_room_for_kept_images() -> None:
    with pytest.raises(ConfigError, match=r"need 1000000000.0 GB(.|\n)*--dataset.resize"):
        ram_folder(10**18)


def test_what_a_killed_run_left_in_memory_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_cache, "_SHARED", tmp_path)
    used, left = (ram_folder(10) for _ in range(2))
    with frame_cache.owned(left):
        shutil.copytree(left, tmp_path / "lr-frames-killed")
    with frame_cache.owned(used):
        ram_folder(10)
        assert [each.name for each in tmp_path.iterdir()] == [used.name]
    assert not list(tmp_path.iterdir())


def test_disk_frames_serve_the_next_run(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = (
        "--steps",
        "2",
        "--dataset.cache",
        "disk",
        "--dataset.cache-dir",
        str(tmp_path / "kept"),
        "--shuffle",
        "none",
    )
    train(*options)
    shutil.rmtree(tmp_path / "run")
    from lerobot_storage_v3.reader import LerobotReader

    monkeypatch.setattr(LerobotReader, "pictures", None)
    assert train(*options)[-1]["outcome"] == "done"


def batch_of(count: int, size: tuple[int, int] = (16, 20)) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(0))


def changed(image: torch.Tensor, places: list[int], seed: int = 1, **options: Any) -> torch.Tensor:
    return Augment(TransformsConfig(**NONE | options), seed)({KEY: image}, torch.tensor(places))[KEY]


@pytest.mark.parametrize(
    "options",
    [
        {"brightness": (0.5, 1.5)}, {"contrast": (0.5, 1.5)}, {"saturation": (0.5, 1.5)}, {"hue": (-0.2, 0.2)},
        {"sharpness": (0.5, 1.5)}, {"affine": (10.0, 0.1)}, {"noise": (5.0, 25.0)},
    ],
)  # fmt: skip
def test_a_change_follows_from_seed_and_place(options: dict[str, Any]) -> None:
    image = batch_of(6)
    found = changed(image, [0, 1, 2, 3, 4, 5], **options)
    alone = changed(image[4:5], [4], **options)
    torch.testing.assert_close(found[4:5], alone)
    assert not torch.equal(found, image)
    assert not torch.allclose(found, changed(image, [0, 1, 2, 3, 4, 5], seed=2, **options))
    assert not torch.allclose(found, changed(image, [6, 7, 8, 9, 10, 11], **options))
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "sharpness"])
def test_factor_one_changes_nothing(name: str) -> None:
    torch.testing.assert_close(changed(batch_of(2), [0, 1], **{name: (1.0, 1.0)}), batch_of(2), atol=1e-5, rtol=0)


def test_factors_mean_what_they_say() -> None:
    image = batch_of(1) / 2
    torch.testing.assert_close(changed(image, [0], brightness=(1.5, 1.5)), image * 1.5, atol=1e-5, rtol=0)
    grey = (image * torch.tensor([0.2989, 0.587, 0.114])[None, :, None, None]).sum(1, keepdim=True)
    torch.testing.assert_close(changed(image, [0], saturation=(0.0, 0.0)), grey.expand(1, 3, -1, -1), atol=2e-3, rtol=0)
    flat = changed(image, [0], contrast=(0.0, 0.0))
    torch.testing.assert_close(flat, grey.mean().expand(1, 3, 16, 20), atol=2e-3, rtol=0)


def test_a_shift_is_of_the_said_size() -> None:
    image = torch.zeros(64, 3, 40, 40)
    image[:, :, 20, 20] = 1
    found = changed(image, list(range(64)), affine=(0.0, 0.1))
    rows, columns = (found.sum(1).amax(axis) for axis in (2, 1))
    reach = torch.stack([rows.argmax(1) - 20, columns.argmax(1) - 20]).abs()
    assert reach.max() in (3, 4)


def test_at_most_so_many_kinds() -> None:
    image = batch_of(200)
    once = Augment(
        TransformsConfig(max_num_transforms=1, **NONE | {"brightness": (0.5, 0.5), "affine": (20.0, 0.0)}), 0
    )
    found = once({KEY: image}, torch.arange(200))[KEY]
    darker = torch.isclose(found.mean((1, 2, 3)), image.mean((1, 2, 3)) / 2, rtol=1e-3)
    assert 60 < darker.sum() < 140


def test_numbers_are_uniform() -> None:
    found = uniform(5, np.arange(20_000), 4)
    assert found.shape == (20_000, 4)
    np.testing.assert_allclose(found.mean(0), 0.5, atol=0.01)
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.03
    assert abs(np.corrcoef(found[:, 0], found[:, 1])[0, 1]) < 0.03


def test_a_batch_is_channels_last_and_scaled_where_the_network_is() -> None:
    made = collate([samples()[0, 1], samples()[1, 2]])
    assert made[KEY].dtype == torch.uint8
    image = on_device(made, [KEY], torch.device("cpu"))[KEY]
    assert image.shape == (2, 3, 96, 96)
    assert image.is_contiguous(memory_format=torch.channels_last)
    assert image.max() <= 1
    assert made["action"].shape == (2, 2, 2)
