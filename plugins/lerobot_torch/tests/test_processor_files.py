"""Processors in a checkpoint: written and read again, and refused when they are not as they should be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError, PluginError
from lerobot_torch.processors.pipeline import AFTER, BEFORE, read_pipeline
from lerobot_torch.processors.relative import Absolute, Relative
from lerobot_torch.processors.tokenizer import Tokenize
from tiny_policy import an_observation, tiny

ACTION = "action"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny().save(tmp_path / "p")
    return tmp_path / "p"


def edit(folder: Path, change: Any, name: str = BEFORE) -> None:
    path = folder / f"{name}.json"
    data = json.loads(path.read_text())
    change(data["steps"])
    path.write_text(json.dumps(data))


def test_they_are_the_same_after_reading_and_writing(folder: Path, tmp_path: Path) -> None:
    for name in (BEFORE, AFTER):
        pipeline = read_pipeline(folder, name, {})
        assert pipeline is not None
        pipeline.write(tmp_path)
        for path in folder.glob(f"{name}*"):
            assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_the_way_back_is_the_way_in_reversed() -> None:
    policy = tiny()
    assert [step.name for step in policy.before] == [
        "rename_observations_processor", "to_batch_processor", "device_processor", "normalizer_processor",
    ]  # fmt: skip
    assert [step.name for step in policy.after] == ["unnormalizer_processor", "device_processor"]
    batch = an_observation(action=torch.tensor([5.0, -7.0]))
    back = policy.after({ACTION: policy.before(batch)[ACTION]})[ACTION]
    torch.testing.assert_close(back[0], batch[ACTION])


def test_statistics_given_win_over_those_in_the_file(folder: Path) -> None:
    stats = {key: {"mean": [0.0, 0.0], "std": [1.0, 1.0], "min": [-1, -1], "max": [1, 1]}
             for key in (ACTION, "observation.state")}  # fmt: skip
    pipeline = read_pipeline(folder, AFTER, {}, stats)
    assert pipeline is not None
    assert pipeline({ACTION: torch.tensor([[2.0, 3.0]])})[ACTION].tolist() == [[2.0, 3.0]]


def test_an_unknown_step_is_refused_with_those_that_are_known(folder: Path) -> None:
    edit(folder, lambda steps: steps[0].update(registry_name="rename_observation_processor"))
    with pytest.raises(PluginError) as caught:
        read_pipeline(folder, BEFORE, {})
    assert "rename_observations_processor" in caught.value.fix


def test_a_step_named_by_its_class_is_not_imported(folder: Path) -> None:
    edit(folder, lambda steps: steps.insert(0, {"class": "os.path.Evil", "config": {}}))
    with pytest.raises(PluginError, match="code imported by its path"):
        read_pipeline(folder, BEFORE, {})


@pytest.mark.parametrize(
    "outside", [{"state_file": "../../secret.safetensors"}, {"state_file": "/etc/passwd"}, {"artifacts": {"x": ".."}}]
)
def test_files_outside_the_checkpoint_are_refused(folder: Path, outside: dict[str, Any]) -> None:
    edit(folder, lambda steps: steps[3].update(outside))
    with pytest.raises(ConfigError, match="lies beside its JSON"):
        read_pipeline(folder, BEFORE, {})


def test_an_option_of_a_later_version_is_refused(folder: Path) -> None:
    edit(folder, lambda steps: steps[2]["config"].update(stream="fast"))
    with pytest.raises(ContractError, match="options this version does not know"):
        read_pipeline(folder, BEFORE, {})


@pytest.mark.parametrize("damage", [b"", b"\x10\x00\x00\x00\x00\x00\x00\x00{not json"])
def test_a_damaged_state_file_is_named(folder: Path, damage: bytes) -> None:
    path = next(folder.glob(f"{BEFORE}_step_3*"))
    path.write_bytes(damage)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_pipeline(folder, BEFORE, {})


def test_sides_that_normalise_differently_are_refused(folder: Path) -> None:
    edit(folder, lambda steps: steps[0]["config"]["norm_map"].update(ACTION="MIN_MAX"), AFTER)
    before, after = read_pipeline(folder, BEFORE, {}), read_pipeline(folder, AFTER, {})
    assert before is not None
    assert after is not None
    with pytest.raises(ContractError, match="in one way and undoes it in another"):
        after.paired(before)


def test_relative_actions_find_their_other_half(folder: Path) -> None:
    relative = {"registry_name": Relative.name, "config": Relative(True, ["grip"], ["pan", "grip"]).config()}
    edit(folder, lambda steps: steps.insert(3, relative))
    edit(folder, lambda steps: steps.insert(1, {"registry_name": Absolute.name, "config": {"enabled": True}}), AFTER)
    before, after = read_pipeline(folder, BEFORE, {}), read_pipeline(folder, AFTER, {})
    assert before is not None
    assert after is not None
    batch = before(an_observation(action=torch.tensor([5.0, -7.0])))
    torch.testing.assert_close(after.paired(before)({ACTION: batch[ACTION]})[ACTION][0], torch.tensor([5.0, -7.0]))


def test_a_tokenizer_travels_with_its_checkpoint(folder: Path, tmp_path: Path) -> None:
    own = folder / "tokenizer"
    own.mkdir()
    (own / "tokenizer.json").write_text("{}")
    entry = {
        "registry_name": Tokenize.name,
        "config": Tokenize(8).config(),
        "artifacts": {"tokenizer_name": "tokenizer"},
    }
    edit(folder, lambda steps: steps.append(entry))
    pipeline = read_pipeline(folder, BEFORE, {})
    assert pipeline is not None
    pipeline.write(tmp_path)
    assert (tmp_path / "tokenizer" / "tokenizer.json").read_text() == "{}"
    assert (tmp_path / f"{BEFORE}.json").read_text() == json.dumps(
        json.loads((folder / f"{BEFORE}.json").read_text()), indent=2
    )
