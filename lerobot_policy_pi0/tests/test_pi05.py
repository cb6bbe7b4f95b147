"""pi05: what lerobot 0.6.1 computed with the same weights, its prompt, its checkpoints, and that it learns and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import pytest
import torch
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.errors import ContractError
from lerobot_core.types import Guide, Observation
from lerobot_policy_pi0.config import PI05Config
from lerobot_policy_pi0.gemma import AdaptiveRMSNorm
from lerobot_policy_pi0.pi05 import PI05Policy
from lerobot_policy_pi0.policy import BOTH, EMBEDDING
from lerobot_policy_pi0.prompt import StatePrompt
from lerobot_torch.features import PolicyFeature
from lerobot_torch.guidance import prefix_of
from lerobot_torch.hollow import hollow
from lerobot_torch.names import find_names
from pi0_golden import (
    GOLDEN,
    JOINTS,
    a_batch,
    golden_batch,
    golden_io,
    golden_shapes,
    tiny,
    weights,
    write_checkpoint,
    write_tokenizer,
)
from torch import Tensor

WANTED, BATCH = golden_io("pi05"), golden_batch("pi05")
LONG: dict[str, Any] = {"tokenizer_max_length": 32}


def loaded(folder: Path) -> PI05Policy:
    policy = lerobot_torch.load(folder, "cpu")
    assert isinstance(policy, PI05Policy)
    return policy


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> PI05Policy:
    return loaded(write_checkpoint(tmp_path_factory.mktemp("golden") / "pi05", family="pi05"))


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path / "tok")


def same(found: Tensor, name: str) -> None:
    torch.testing.assert_close(found.detach(), WANTED[name], rtol=0, atol=1e-4)


# --- against the peer -----------------------------------------------------------------------------------------------


@torch.no_grad()
def test_every_part(policy: PI05Policy) -> None:
    seen = policy._seen(BATCH)
    same(policy.model.vision(seen.images[0]), "vision.tower")
    tokens, counts = policy.model.prefix(seen)
    same(tokens, "prefix.tokens")
    assert torch.equal(counts, WANTED["prefix.counts"])
    same(policy.model.suffix(seen.state, BATCH["noise"], BATCH["time"]), "suffix.tokens")
    losses = policy.losses(seen, policy._padded(BATCH["action"], 32), BATCH["noise"], BATCH["time"])
    torch.testing.assert_close(losses, WANTED["losses"][..., :6], rtol=0, atol=1e-4)
    same(policy.model.velocity(policy.model.context(seen), seen.state, BATCH["noise"], BATCH["time"]), "velocity")
    same(policy.sample(BATCH, noise=BATCH["noise"]), "chunk")
    alone = {key: value for key, value in BATCH.items() if "wrist" not in key}
    same(policy.sample(alone, noise=BATCH["noise"]), "chunk.one_camera")


@pytest.mark.parametrize("schedule", ["LINEAR", "EXP", "ONES", "ZEROS"])
@torch.no_grad()
def test_a_guided_chunk(policy: PI05Policy, schedule: str) -> None:
    guide = Guide(2, 5, schedule, 10.0, tuple("abcdef"), BATCH["leftover"][0].numpy())
    prefix = prefix_of(guide, BATCH["leftover"], policy.chunk_size)
    same(policy.sample(BATCH, prefix, BATCH["noise"]), f"chunk.guided.{schedule}")


def test_the_prompt() -> None:
    batch = {"observation.state": BATCH["prompt_state"], "task": [" put_the cube\nin the bin ", "fold"]}
    wanted = bytes(WANTED["prompts"].tolist()).decode().split("\0")
    assert StatePrompt()(batch)["task"] == wanted


def test_the_full_size_network_has_the_peers_names_shapes_and_precisions() -> None:
    inputs = {"observation.images.front": PolicyFeature("VISUAL", (3, 48, 64)), "observation.state": PolicyFeature("STATE", (6,))}  # fmt: skip
    with hollow():
        policy = PI05Policy(PI05Config(), inputs, {"action": PolicyFeature("ACTION", (6,))})
    found = {
        name: [str(each.dtype).removeprefix("torch."), list(each.shape)] for name, each in policy.state_dict().items()
    }
    assert len(found) == 813
    assert found == golden_shapes("full_size_tensors.json", "pi05")


def test_its_config_has_the_peers_fields_in_the_peers_order(policy: PI05Policy, tmp_path: Path) -> None:
    policy.save(tmp_path / "pi05")
    ours, theirs = (
        json.loads((folder / "config.json").read_text()) for folder in (tmp_path / "pi05", GOLDEN / "pi05_tiny")
    )
    assert list(ours) == list(theirs)


# --- ours -----------------------------------------------------------------------------------------------------------


class TestPi05(PolicyConformance):
    name = "pi05"

    @pytest.fixture(autouse=True)
    def _checkpoint(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "pi05"
        tiny(write_tokenizer(tmp_path / "tok"), "pi05", **LONG).save(self.folder)

    def options(self) -> dict[str, Any]:
        return {"path": str(self.folder), "device": "cpu"}


def test_the_state_is_read_in_the_prompt_alone(tokenizer: Path) -> None:
    policy = tiny(tokenizer, "pi05", **LONG)
    steps = [step.name for step in policy.before]
    assert steps.index("normalizer_processor") < steps.index(StatePrompt.name) < steps.index("tokenizer_processor")
    batch = policy.before({"observation.state": torch.zeros(1, 4), "task": ["put the cube"]})
    assert batch["task"] == ["Task: put the cube, State: 128 128 128 128;\nAction: "]


def test_a_state_makes_the_prompt_too_long(tokenizer: Path) -> None:
    policy = lerobot_torch.NumpyPolicy(tiny(tokenizer, "pi05", tokenizer_max_length=8).eval(), _names(tokenizer))
    seen = Observation({**dict.fromkeys(JOINTS, 1.0), "front": np.zeros((24, 32, 3), np.uint8)}, 0.0)
    with pytest.raises(ContractError, match="tokens long"):
        policy.predict_chunk(seen, "put the cube")


def _names(tokenizer: Path) -> Any:
    policy = tiny(tokenizer, "pi05", **LONG)
    return find_names(policy, policy.config)


def test_pi0_tensors_that_have_no_place_are_left_out(tmp_path: Path) -> None:
    tensors = weights(golden_shapes(family="pi05"))
    tensors.pop(EMBEDDING)
    odd = {"model.state_proj.bias": torch.zeros(24), f"{BOTH}gemma_expert.model.norm.weight": torch.zeros(24)}
    older = {name.replace("model.time_mlp_", "model.action_time_mlp_"): each for name, each in tensors.items()}
    one = loaded(write_checkpoint(tmp_path / "new", tensors, "pi05"))
    other = loaded(write_checkpoint(tmp_path / "old", older | odd, "pi05"))
    assert one.state_dict().keys() == other.state_dict().keys()
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())


def test_a_pi0_checkpoint_is_no_pi05(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "pi05", weights(golden_shapes()), "pi05")
    with pytest.raises(ContractError, match="not those of this network") as caught:
        loaded(folder)
    assert "dense" in caught.value.why


def test_bfloat16_leaves_what_norms_are_told_wide(tokenizer: Path) -> None:
    policy = tiny(tokenizer, "pi05", dtype="bfloat16", **LONG).train()
    loss, _ = policy(a_batch(policy))
    loss.backward()
    wide = [module.dense.weight for module in policy.modules() if isinstance(module, AdaptiveRMSNorm)]
    assert {each.dtype for each in wide} == {torch.float32}
    assert loss.isfinite()


def test_a_few_steps_lower_the_loss(tokenizer: Path) -> None:
    policy = tiny(tokenizer, "pi05", flow_draws=2, **LONG).train()
    batch = a_batch(policy)
    optimizer = torch.optim.AdamW(policy.param_groups(), 1e-2)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        torch.manual_seed(5)
        loss, _ = policy(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
