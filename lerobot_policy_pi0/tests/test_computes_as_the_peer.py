"""Against what lerobot 0.6.1 computed with the same weights, part by part."""

from __future__ import annotations

import lerobot_torch
import pytest
import torch
from lerobot_core.types import Guide
from lerobot_policy_pi0.config import PI0Config
from lerobot_policy_pi0.network import Seen
from lerobot_policy_pi0.policy import PI0Policy
from lerobot_torch.features import PolicyFeature
from lerobot_torch.guidance import prefix_of
from lerobot_torch.hollow import hollow
from pi0_golden import golden_batch, golden_io, golden_shapes, write_checkpoint
from torch import Tensor

WANTED, BATCH = golden_io(), golden_batch()


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> PI0Policy:
    loaded = lerobot_torch.load(write_checkpoint(tmp_path_factory.mktemp("golden") / "pi0"), "cpu")
    assert isinstance(loaded, PI0Policy)
    return loaded


@pytest.fixture(scope="module")
def seen(policy: PI0Policy) -> Seen:
    return policy._seen(BATCH)


def same(found: Tensor, name: str) -> None:
    torch.testing.assert_close(found.detach(), WANTED[name], rtol=0, atol=1e-4)


@torch.no_grad()
def test_vision(policy: PI0Policy, seen: Seen) -> None:
    """A picture of another shape than the tower's is resized, centred and padded."""
    same(seen.images[0], "vision.image")
    same(policy.model.vision(seen.images[0]), "vision.tower")
    same(policy.model.look(seen.images[0]), "vision.tokens")


@torch.no_grad()
def test_prefix_and_suffix(policy: PI0Policy, seen: Seen) -> None:
    tokens, counts = policy.model.prefix(seen)
    same(tokens, "prefix.tokens")
    assert torch.equal(counts, WANTED["prefix.counts"])
    same(policy.model.suffix(seen.state, BATCH["noise"], BATCH["time"]), "suffix.tokens")


@torch.no_grad()
def test_losses(policy: PI0Policy, seen: Seen) -> None:
    actions = policy._padded(BATCH["action"], 32)
    losses = policy.losses(seen, actions, BATCH["noise"], BATCH["time"])
    torch.testing.assert_close(losses, WANTED["losses"][..., :6], rtol=0, atol=1e-4)


@torch.no_grad()
def test_one_denoising_step_and_a_chunk(policy: PI0Policy, seen: Seen) -> None:
    context = policy.model.context(seen)
    same(policy.model.velocity(context, seen.state, BATCH["noise"], BATCH["time"]), "velocity")
    same(policy.sample(BATCH, noise=BATCH["noise"]), "chunk")


@torch.no_grad()
def test_a_camera_that_is_missing_is_as_one_that_is_masked(policy: PI0Policy) -> None:
    """The peer computes its tokens and masks them; here they are left out."""
    alone = {key: value for key, value in BATCH.items() if "wrist" not in key}
    same(policy.sample(alone, noise=BATCH["noise"]), "chunk.one_camera")


@pytest.mark.parametrize("schedule", ["LINEAR", "EXP", "ONES", "ZEROS"])
@torch.no_grad()
def test_a_guided_chunk(policy: PI0Policy, schedule: str) -> None:
    guide = Guide(2, 5, schedule, 10.0, tuple("abcdef"), BATCH["leftover"][0].numpy())
    prefix = prefix_of(guide, BATCH["leftover"], policy.chunk_size)
    same(policy.sample(BATCH, prefix, BATCH["noise"]), f"chunk.guided.{schedule}")


def test_training_and_inference_agree(policy: PI0Policy, seen: Seen) -> None:
    """One pass over everything, and a cached prefix with the actions after it."""
    with torch.no_grad():
        whole = policy.model(seen, BATCH["noise"], BATCH["time"])
    same(whole, "velocity")


def test_the_full_size_network_has_the_peers_names_shapes_and_precisions() -> None:
    inputs = {"observation.images.front": PolicyFeature("VISUAL", (3, 48, 64)), "observation.state": PolicyFeature("STATE", (6,))}  # fmt: skip
    with hollow():
        policy = PI0Policy(PI0Config(), inputs, {"action": PolicyFeature("ACTION", (6,))})
    found = {
        name: [str(each.dtype).removeprefix("torch."), list(each.shape)] for name, each in policy.state_dict().items()
    }
    assert len(found) == 778
    assert found == golden_shapes("full_size_tensors.json")
