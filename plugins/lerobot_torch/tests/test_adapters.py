"""Adapters: what they add, their files, and what is wrong with some."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError
from lerobot_torch import TorchPolicy, adapter
from safetensors.torch import load_file, save_file
from tiny_policy import an_observation, tiny


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A whole checkpoint."""
    folder = tmp_path / "base"
    tiny().save(folder)
    return folder


def adapted(base: Path, **options: Any) -> TorchPolicy[Any]:
    """The base with an adapter whose matrices are not zero."""
    policy = lerobot_torch.load(base, "cpu")
    adapter.begin(policy, str(base), 4, layers=["layer"], **options)
    torch.manual_seed(1)
    for parameter in policy.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)
    return policy


@pytest.fixture
def folder(base: Path, tmp_path: Path) -> Path:
    """An adapter's."""
    adapted(base).save(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_a_new_one_changes_nothing(base: Path) -> None:
    policy = lerobot_torch.load(base, "cpu")
    before = policy.act(an_observation())
    adapter.begin(policy, str(base), 4, layers=["layer"])
    torch.testing.assert_close(policy.act(an_observation()), before, rtol=0, atol=0)
    trained = [name for name, each in policy.named_parameters() if each.requires_grad]
    assert trained == ["layer.lora_A.default.weight", "layer.lora_B.default.weight"]


def test_it_comes_back_merged_or_beside(base: Path, folder: Path) -> None:
    wanted = adapted(base).act(an_observation())
    assert not torch.allclose(wanted, tiny().act(an_observation()))
    merged, beside = lerobot_torch.load(folder, "cpu"), lerobot_torch.load(folder, "cpu", keep_adapter=True)
    assert list(merged.state_dict()) == list(tiny().state_dict())
    assert merged.adapter is None
    assert all(each.requires_grad for each in merged.parameters())
    assert beside.adapter is not None
    for policy in (merged, beside):
        torch.testing.assert_close(policy.act(an_observation()), wanted, rtol=1e-5, atol=1e-4)


def test_its_files_are_those_of_peft(folder: Path, base: Path) -> None:
    assert not (folder / "model.safetensors").exists()
    assert json.loads((folder / "config.json").read_text())["use_peft"] is True
    said = json.loads((folder / "adapter_config.json").read_text())
    assert (said["peft_type"], said["r"], said["base_model_name_or_path"]) == ("LORA", 4, str(base))
    assert set(load_file(folder / "adapter_model.safetensors")) == {
        "base_model.model.layer.lora_A.weight",
        "base_model.model.layer.lora_B.weight",
    }


def test_peft_itself_loads_them(folder: Path, base: Path) -> None:
    from peft import PeftModel

    whole: Any = lerobot_torch.load(base, "cpu")
    found = PeftModel.from_pretrained(whole, str(folder)).merge_and_unload()
    torch.testing.assert_close(found.act(an_observation()), lerobot_torch.load(folder, "cpu").act(an_observation()))


def test_merged_it_is_saved_whole(folder: Path, tmp_path: Path) -> None:
    lerobot_torch.load(folder, "cpu").save(tmp_path / "whole")
    assert json.loads((tmp_path / "whole" / "config.json").read_text())["use_peft"] is False
    again = lerobot_torch.load(tmp_path / "whole", "cpu").act(an_observation())
    torch.testing.assert_close(again, lerobot_torch.load(folder, "cpu").act(an_observation()))


def test_bad_ones(base: Path, folder: Path) -> None:
    policy = lerobot_torch.load(base, "cpu")
    with pytest.raises(ConfigError, match="no choice of its own"):
        adapter.begin(policy, str(base), 4)
    with pytest.raises(ConfigError, match=r"no layer of tiny is called(.|\n)*layer"):
        adapter.begin(policy, str(base), 4, layers=["absent"])
    weights = load_file(folder / adapter.WEIGHTS)
    save_file({**weights, "base_model.model.more": torch.zeros(1)}, folder / adapter.WEIGHTS)
    with pytest.raises(ContractError, match="unknown: more"):
        lerobot_torch.load(folder, "cpu")
    said = json.loads((folder / adapter.SETTINGS).read_text())
    for other in ({"peft_type": "LOHA"}, {"init_lora_weights": "pissa"}):
        (folder / adapter.SETTINGS).write_text(json.dumps(said | other))
        with pytest.raises(ContractError, match="not supported"):
            lerobot_torch.load(folder, "cpu")
    (folder / adapter.SETTINGS).write_text(json.dumps(said | {"base_model_name_or_path": None}))
    with pytest.raises(ContractError, match="does not name the checkpoint"):
        lerobot_torch.load(folder, "cpu")
    (folder / adapter.SETTINGS).write_text(json.dumps(said | {"base_model_name_or_path": str(folder)}))
    with pytest.raises(ConfigError, match="an adapter itself"):
        lerobot_torch.load(folder, "cpu")


def test_one_beside_a_layer_that_is_not_called(base: Path) -> None:
    policy = adapted(base)
    with pytest.raises(ConfigError, match="beside layer learns nothing"):
        adapter.refuse_unused(policy)
