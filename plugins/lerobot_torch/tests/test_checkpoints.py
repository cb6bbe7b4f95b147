"""Checkpoints: a round trip, everything that can be wrong with one, and those of older versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError, PluginError
from lerobot_torch.policy import TorchPolicy
from lerobot_torch.processors.resize import resized
from lerobot_torch.weights import read_weights, write_weights
from safetensors.torch import load_file, save_file
from tiny_plugin import TinyConfig
from tiny_policy import JOINTS, SEEN, an_observation, statistics, tiny

Edit = Callable[[Callable[[dict[str, Any]], object]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny().save(tmp_path / "p")
    return tmp_path / "p"


@pytest.fixture
def config_json(folder: Path) -> Edit:
    """`config_json(lambda data: data.update(…))` edits the checkpoint's `config.json`."""

    def edit(change: Callable[[dict[str, Any]], object]) -> None:
        data = json.loads((folder / "config.json").read_text())
        change(data)
        (folder / "config.json").write_text(json.dumps(data))

    return edit


def test_what_is_loaded_acts_like_what_was_saved(folder: Path) -> None:
    policy, again = tiny(), lerobot_torch.load(folder, "cpu")
    assert torch.equal(again.act(an_observation()), policy.act(an_observation()))
    assert again.contract == policy.contract
    assert again.contract is not None
    assert again.contract.observation["front"].shape == (8, 12, 3)
    assert not again.training


def test_the_layout_is_the_peers(folder: Path) -> None:
    data = json.loads((folder / "config.json").read_text())
    assert list(data) == [
        "type", "n_obs_steps", "input_features", "output_features", "device", "use_amp", "use_peft", "push_to_hub",
        "repo_id", "private", "tags", "license", "pretrained_path", "pretrained_revision",
        "chunk_size", "normalization_mapping", "action_feature_names", "tied", "optimizer_lr",
    ]  # fmt: skip
    assert data["input_features"]["observation.images.front"] == {"type": "VISUAL", "shape": [3, 8, 12]}
    assert sorted(path.name for path in folder.iterdir()) == [
        "config.json", "contract.json", "model.safetensors", "policy_postprocessor.json",
        "policy_postprocessor_step_0_unnormalizer_processor.safetensors", "policy_preprocessor.json",
        "policy_preprocessor_step_3_normalizer_processor.safetensors",
    ]  # fmt: skip


def test_a_training_run_and_its_newest_checkpoint_are_found(tmp_path: Path) -> None:
    tiny().save(tmp_path / "run" / "checkpoints" / "000020" / "pretrained_model")
    (tmp_path / "run" / "checkpoints" / "last").symlink_to("000020")
    assert lerobot_torch.load(tmp_path / "run", "cpu").chunk_size == 4


def test_images_keep_the_key_that_the_dataset_has_for_them() -> None:
    observation = {"image": SEEN["front"]} | JOINTS
    stats = statistics("observation.state", "action", "observation.image")
    policy = lerobot_torch.create("tiny", TinyConfig(device="cpu"), observation, JOINTS, stats, 10.0)
    assert list(policy.inputs) == ["observation.state", "observation.image"]


def test_tensors_that_do_not_fit_are_all_listed(folder: Path) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({"layer.weight": tensors["layer.weight"][:, :2].clone(), "head.bias": tensors["layer.bias"]}, path)
    with pytest.raises(ContractError) as caught:
        lerobot_torch.load(folder, "cpu")
    assert "missing: layer.bias" in caught.value.why
    assert "unknown: head.bias" in caught.value.why
    assert "layer.weight is (8, 2), not (8, 5)" in caught.value.why


def test_another_precision_on_disk_becomes_the_networks(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({name: value.bfloat16() for name, value in load_file(path).items()}, path)
    assert next(lerobot_torch.load(folder, "cpu").parameters()).dtype == torch.float32


@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_a_damaged_file_of_tensors_is_named(folder: Path, damage: str) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.raises(ConfigError, match=r"model\.safetensors"):
        lerobot_torch.load(folder, "cpu")


def test_a_folder_without_config_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no policy checkpoint"):
        lerobot_torch.load(tmp_path)


def test_a_policy_that_is_not_installed_says_what_to_install(config_json: Edit, folder: Path) -> None:
    config_json(lambda data: data.update(type="vqbet"))
    with pytest.raises(PluginError, match="lerobot-policy-vqbet"):
        lerobot_torch.load(folder)


def test_a_family_is_no_checkpoint() -> None:
    with pytest.raises(ConfigError, match="has no weights"):
        lerobot_torch.load("tiny")


def test_fields_that_may_change_the_network_are_refused(config_json: Edit, folder: Path) -> None:
    config_json(lambda data: data.update(n_memory_tokens=4, use_memory=False, memory=None))
    with pytest.raises(ConfigError) as caught:
        lerobot_torch.load(folder)
    assert "n_memory_tokens=4" in caught.value.what
    assert "use_memory" not in caught.value.what
    config_json(lambda data: data.update(n_memory_tokens=0))
    lerobot_torch.load(folder, "cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chunk_size": "many"}, "chunk_size"),
        ({"chunk_size": 0}, "chunk_size"),
        ({"use_peft": True}, "adapter"),
        ({"input_features": {"observation.state": {"type": "TASTE", "shape": [2]}}}, "TASTE"),
        ({"input_features": {"observation.state": [2]}}, "observation.state"),
    ],
)
def test_values_that_do_not_fit_are_named(config_json: Edit, folder: Path, change: dict[str, Any], words: str) -> None:
    config_json(lambda data: data.update(change))
    with pytest.raises((ConfigError, ContractError), match=words):
        lerobot_torch.load(folder)


def test_a_config_from_before_features_were_named_is_refused(config_json: Edit, folder: Path) -> None:
    config_json(lambda data: data.pop("input_features"))
    with pytest.raises(ContractError, match="what the policy takes and gives"):
        lerobot_torch.load(folder)


def test_what_a_person_changes_must_not_change_the_network(folder: Path) -> None:
    free = lerobot_torch.load(folder, "cpu", TinyConfig(optimizer_lr=0.5, use_amp=True))
    assert (free.config.optimizer_lr, free.config.use_amp) == (0.5, True)
    with pytest.raises(ConfigError, match="chunk_size is 4 in this checkpoint, not 9"):
        lerobot_torch.load(folder, "cpu", TinyConfig(chunk_size=9))


def test_what_the_peer_wrote_beside_its_fields_is_kept(config_json: Edit, folder: Path, tmp_path: Path) -> None:
    config_json(lambda data: data.update(repo_id="lab/cube", tags=["so100"], license="mit"))
    lerobot_torch.load(folder, "cpu").save(tmp_path / "again")
    again = json.loads((tmp_path / "again" / "config.json").read_text())
    assert (again["repo_id"], again["tags"], again["license"]) == ("lab/cube", ["so100"], "mit")


def test_training_goes_on_with_the_statistics_of_another_dataset(folder: Path) -> None:
    stats = statistics(low=-1.0, high=1.0)
    policy = lerobot_torch.load(folder, "cpu", stats=stats)
    found = policy.before(an_observation(**{"observation.state": torch.tensor([1.0, -1.0])}))
    assert found["observation.state"].tolist() == [[1.0, -1.0]]


def test_missing_statistics_are_refused_before_training() -> None:
    with pytest.raises(ContractError, match=r"action\.mean, action\.std"):
        lerobot_torch.create("tiny", TinyConfig(), SEEN, JOINTS, statistics("observation.state"), 30.0)


def test_processors_on_one_side_only_are_refused(folder: Path) -> None:
    (folder / "policy_postprocessor.json").unlink()
    with pytest.raises(ConfigError, match="on one side"):
        lerobot_torch.load(folder)


# --- older checkpoints ----------------------------------------------------------------------------------------------


def older(folder: Path, stats: dict[str, Any]) -> None:
    """As versions before 0.4 left it: statistics among the tensors, no processor files."""
    for path in folder.glob("policy_*"):
        path.unlink()
    tensors = load_file(folder / "model.safetensors")
    for side, key in (("normalize_inputs", "observation.state"), ("normalize_targets", "action"),
                      ("unnormalize_outputs", "action")):  # fmt: skip
        for name, value in stats[key].items():
            tensors[f"{side}.buffer_{key.replace('.', '_')}.{name}"] = torch.tensor(value, dtype=torch.float32)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def test_an_older_checkpoint_is_taken_over(folder: Path, tmp_path: Path) -> None:
    wanted = tiny().act(an_observation())
    older(folder, statistics())
    taken_over = lerobot_torch.load(folder, "cpu")
    assert torch.equal(taken_over.act(an_observation()), wanted)
    taken_over.save(tmp_path / "new")
    assert torch.equal(lerobot_torch.load(tmp_path / "new", "cpu").act(an_observation()), wanted)
    assert set(read_weights(tmp_path / "new" / "model.safetensors")) == {"layer.weight", "layer.bias"}


def test_an_older_checkpoint_that_was_never_trained_is_refused(folder: Path) -> None:
    older(folder, statistics() | {"action": {"mean": [np.inf] * 2, "std": [np.inf] * 2}})
    with pytest.raises(ContractError, match="not finite"):
        lerobot_torch.load(folder)


def test_statistics_of_no_feature_are_unknown_tensors(folder: Path) -> None:
    stats = statistics()
    older(folder, stats)
    tensors = load_file(folder / "model.safetensors")
    tensors["normalize_inputs.buffer_observation_effort.mean"] = torch.zeros(2)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ContractError, match="unknown: normalize_inputs"):
        lerobot_torch.load(folder)


def test_a_network_saved_while_compiled_is_read(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({f"layer._orig_mod.{name[6:]}": value for name, value in load_file(path).items()}, path)
    assert torch.equal(lerobot_torch.load(folder, "cpu").act(an_observation()), tiny().act(an_observation()))


# --- writing --------------------------------------------------------------------------------------------------------


def test_tied_tensors_are_written_once_and_read_twice(tmp_path: Path) -> None:
    tiny(tied=True).save(tmp_path / "p")
    assert set(load_file(tmp_path / "p" / "model.safetensors")) == {"again.weight", "layer.bias"}
    again = lerobot_torch.load(tmp_path / "p", "cpu")
    assert torch.equal(again.act(an_observation()), tiny(tied=True).act(an_observation()))


def test_channels_last_does_not_reach_the_file(tmp_path: Path) -> None:
    layer = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    write_weights(layer, tmp_path / "m.safetensors")
    assert torch.equal(read_weights(tmp_path / "m.safetensors")["weight"], layer.weight)


def test_saving_over_a_checkpoint_replaces_it(folder: Path) -> None:
    (folder / "leftover.txt").write_text("old")
    policy = tiny(chunk_size=7)
    policy.save(folder)
    assert lerobot_torch.load(folder, "cpu").chunk_size == 7
    assert sorted(path.name for path in folder.parent.iterdir()) == ["p"]
    assert not (folder / "leftover.txt").exists()


def test_a_save_that_fails_leaves_the_last_good_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lerobot_torch.policy.write_weights", full)
    with pytest.raises(OSError, match="No space"):
        tiny(chunk_size=7).save(folder)
    assert lerobot_torch.load(folder, "cpu").chunk_size == 4
    assert sorted(path.name for path in folder.parent.iterdir()) == ["p"]


def test_a_contract_of_a_later_version_is_refused(folder: Path) -> None:
    path = folder / "contract.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 2}))
    with pytest.raises(ContractError, match="has schema 2"):
        lerobot_torch.load(folder)


def test_a_device_that_is_not_there_is_named(folder: Path) -> None:
    for wrong in ("cuda:99", "cpu:1", "abacus"):
        with pytest.raises(ConfigError, match=f"no device '{wrong}'"):
            lerobot_torch.load(folder, wrong)


def test_half_precision_is_nearly_the_same(folder: Path) -> None:
    policy: TorchPolicy[Any] = lerobot_torch.load(folder, "cpu", TinyConfig(use_amp=True))
    found = policy.act(an_observation())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, tiny().act(an_observation()), rtol=0.05, atol=1.0)
    assert not torch.equal(found, tiny().act(an_observation()))


def test_a_network_of_small_pictures_takes_the_robots(tmp_path: Path) -> None:
    made = lerobot_torch.create("tiny", TinyConfig(device="cpu"), SEEN, JOINTS, statistics(), 30.0, resize=(4, 6))
    made.save(tmp_path / "small")
    data = json.loads((tmp_path / "small/config.json").read_text())
    assert data["input_features"]["observation.images.front"]["shape"] == [3, 4, 6]
    steps = json.loads((tmp_path / "small/policy_preprocessor.json").read_text())["steps"]
    assert [step["registry_name"] for step in steps][-2:] == ["image_crop_resize_processor", "normalizer_processor"]
    policy = lerobot_torch.load(tmp_path / "small", "cpu")
    asked = lerobot_torch.NumpyPolicy(policy, lerobot_torch.find_names(policy, policy.config))
    assert asked.needs["front"].shape == SEEN["front"].shape, "what the robot gives"
    big = an_observation()
    small = big | {"observation.images.front": resized(big["observation.images.front"], (4, 6))}
    assert torch.allclose(policy.act(big), policy.act(small))
