"""Training: what learns, what does not, and that saving memory changes no number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from lerobot_policy_pi0.policy import BOTH, PI0Policy
from lerobot_torch import adapter
from pi0_golden import a_batch, tiny, write_tokenizer


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path / "tok")


def gradients(policy: PI0Policy, batch: dict[str, Any]) -> dict[str, torch.Tensor]:
    policy.train()
    torch.manual_seed(5)
    loss, metrics = policy(batch)
    assert metrics == {"flow_loss": pytest.approx(loss.item())}
    loss.backward()
    return {name: each.grad for name, each in policy.named_parameters() if each.grad is not None}


def test_everything_learns_but_a_head_that_nothing_is_computed_with(tokenizer: Path) -> None:
    policy = tiny(tokenizer)
    learned = gradients(policy, a_batch(policy))
    others = {name for name, _ in policy.named_parameters()} - learned.keys()
    # The language model's last layer is looked at by actions through its keys and values only.
    last = f"{BOTH}paligemma.model.language_model."
    assert {name for name in others if not name.startswith(last)} == {f"{BOTH}gemma_expert.lm_head.weight"}
    assert all(name.startswith((f"{last}layers.1.", f"{last}norm")) for name in others if name.startswith(last))


def test_only_the_expert_learns_on_request(tokenizer: Path) -> None:
    policy = tiny(tokenizer, train_expert_only=True)
    learned = gradients(policy, a_batch(policy))
    assert not [name for name in learned if "paligemma." in name]
    assert f"{BOTH}gemma_expert.model.layers.0.mlp.up_proj.weight" in learned
    given = {id(each) for group in policy.param_groups() for each in group["params"]}
    assert given == {id(each) for each in policy.parameters() if each.requires_grad}


def test_the_vision_tower_is_frozen_on_request(tokenizer: Path) -> None:
    policy = tiny(tokenizer, freeze_vision_encoder=True)
    learned = gradients(policy, a_batch(policy))
    assert not [name for name in learned if "vision_tower" in name]
    assert [name for name in learned if "multi_modal_projector" in name]


def test_recomputing_changes_no_gradient(tokenizer: Path) -> None:
    kept, again = tiny(tokenizer), tiny(tokenizer, gradient_checkpointing=True)
    one, two = gradients(kept, a_batch(kept)), gradients(again, a_batch(again))
    assert one.keys() == two.keys()
    for name, gradient in one.items():
        torch.testing.assert_close(two[name], gradient, atol=1e-6, rtol=1e-4)


def test_bfloat16_learns(tokenizer: Path) -> None:
    policy = tiny(tokenizer, dtype="bfloat16")
    learned = gradients(policy, a_batch(policy))
    assert all(gradient.isfinite().all() for gradient in learned.values())
    assert learned[f"{BOTH}gemma_expert.model.layers.0.mlp.up_proj.weight"].dtype == torch.bfloat16


def test_a_few_steps_lower_the_loss(tokenizer: Path) -> None:
    policy = tiny(tokenizer).train()
    batch = a_batch(policy)
    optimizer = torch.optim.AdamW(policy.param_groups(), 3e-3)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        torch.manual_seed(5)
        loss, _ = policy(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_times_are_drawn_as_they_were_in_the_paper(tokenizer: Path) -> None:
    torch.manual_seed(0)
    times = tiny(tokenizer)._times(20_000)
    assert times.min() >= 0.001
    assert times.max() <= 1.0
    assert times.mean().item() == pytest.approx(0.6 * 0.999 + 0.001, abs=0.01)


def test_several_draws_are_as_many_observations(tokenizer: Path) -> None:
    """And each observation is computed once."""
    policy = tiny(tokenizer).eval()
    batch = a_batch(policy)
    seen, actions = policy._seen(batch), policy._padded(batch["action"], 32).repeat(3, 1, 1)
    noise, times = torch.randn_like(actions), torch.rand(9)
    with torch.no_grad():
        whole = policy.losses(seen, actions, noise, times)
        parts = [
            policy.losses(seen, *each) for each in zip(*(x.split(3) for x in (actions, noise, times)), strict=True)
        ]
    torch.testing.assert_close(whole, torch.cat(parts), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("family", "others"),
    [("pi0", {"state_proj", "action_time_mlp_in", "action_time_mlp_out"}), ("pi05", {"time_mlp_in", "time_mlp_out"})],
)
def test_an_adapter_learns_everywhere_it_is_put(tokenizer: Path, family: str, others: set[str]) -> None:
    policy = tiny(tokenizer, family, tokenizer_max_length=64)
    adapter.begin(policy, "lerobot/pi0_base", rank=4)
    learned = gradients(policy, a_batch(policy))
    adapter.refuse_unused(policy)
    beside = {name.split(".lora_")[0].removeprefix("model.") for name in learned}
    attention = {name for name in beside if name.endswith(("self_attn.q_proj", "self_attn.v_proj"))}
    assert len(attention) == 4
    assert all("gemma_expert" in name for name in attention)
    assert beside - attention == others | {"action_in_proj", "action_out_proj"}
