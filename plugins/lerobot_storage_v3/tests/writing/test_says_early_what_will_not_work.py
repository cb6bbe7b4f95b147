"""The plan check: a folder in use or an encoder that does not open are found before an arm is connected."""

from __future__ import annotations

from types import SimpleNamespace

from lerobot_core.types import Feature
from lerobot_storage_v3 import plugin
from lerobot_storage_v3.config import LerobotStorageConfig


def checked(config, resume=False, records=True, observation=None):
    dataset = SimpleNamespace(name="lerobot", config=config)
    run = SimpleNamespace(dataset=dataset, resume=resume)
    return plugin.check(SimpleNamespace(config=run, records=records, observation=observation or {}, fps=0.0))


def test_nothing_is_wrong_with_a_new_folder(tmp_path):
    assert checked(LerobotStorageConfig(root=tmp_path / "set")) == []
    assert not (tmp_path / "set").exists()


def test_a_used_folder_and_a_codec_are_both_named(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    found = checked(LerobotStorageConfig(root=tmp_path, codec="h256"))
    assert [problem.where for problem in found] == ["dataset.root", "dataset.codec"]
    assert "--resume" in found[0].fix
    assert [problem.where for problem in checked(LerobotStorageConfig(root=tmp_path, codec="h256"), resume=True)] == [
        "dataset.codec"
    ]


def test_sizes_count_once_they_are_known(tmp_path):
    odd = {"front": Feature("uint8", (47, 64, 3))}
    assert "even" in checked(LerobotStorageConfig(root=tmp_path / "set"), observation=odd)[0].text


def test_reading_a_dataset_is_no_recording(tmp_path):
    (tmp_path / "meta").mkdir()
    assert checked(LerobotStorageConfig(root=tmp_path), records=False) == []


def test_this_machine_can_encode():
    assert plugin.doctor() == []
