"""The network's forms, what is refused, backbones from a file, and that it learns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError
from lerobot_core.types import Feature, Features
from lerobot_policy_act.config import ACTConfig
from lerobot_policy_act.policy import ACTPolicy
from lerobot_policy_act.resnet import ResNet, width_of
from lerobot_torch.features import PolicyFeature
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

SMALL: dict[str, Any] = dict(
    chunk_size=5, dim_model=16, n_heads=2, dim_feedforward=24, latent_dim=4, n_encoder_layers=1, n_vae_encoder_layers=1
)
ARM: Features = {name: Feature() for name in ("a.pos", "b.pos", "c.pos")}
FEATURES = {
    "observation.state": PolicyFeature("STATE", (3,)),
    "observation.environment_state": PolicyFeature("ENV", (4,)),
    "observation.images.front": PolicyFeature("VISUAL", (3, 32, 64)),
    "observation.images.wrist": PolicyFeature("VISUAL", (3, 32, 32)),
}
ACTION = {"action": PolicyFeature("ACTION", (3,))}


def policy(*keys: str, **options: Any) -> ACTPolicy:
    torch.manual_seed(0)
    config = ACTConfig(**{**SMALL, **options})
    return ACTPolicy(config, {key: FEATURES[key] for key in keys or tuple(FEATURES)}, ACTION)


def a_batch(count: int = 2) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    batch = {key: torch.rand(count, *feature.shape, generator=generator) for key, feature in FEATURES.items()}
    padded = torch.zeros(count, 5, dtype=torch.bool)
    padded[0, 3:] = True
    return batch | {"action": torch.rand(count, 5, 3, generator=generator), "action_is_pad": padded}


@pytest.mark.parametrize(
    "keys",
    [
        ("observation.state", "observation.images.front"),
        ("observation.images.front", "observation.images.wrist"),
        ("observation.environment_state",),
        tuple(FEATURES),
    ],
)
@pytest.mark.parametrize("use_vae", [True, False])
def test_any_set_of_inputs_gives_a_chunk_and_a_loss(keys: tuple[str, ...], use_vae: bool) -> None:
    made = policy(*keys, use_vae=use_vae)
    loss, metrics = made(a_batch())
    loss.backward()  # type: ignore[no-untyped-call]
    assert set(metrics) == ({"l1_loss", "kld_loss"} if use_vae else {"l1_loss"})
    frozen = [name for name, each in made.named_parameters() if each.grad is None]
    assert not frozen, "every parameter learns"
    assert made.eval().chunk(a_batch()).shape == (2, 5, 3)


@pytest.mark.parametrize("options", [{"pre_norm": True}, {"feedforward_activation": "gelu"}, {"n_decoder_layers": 3}])
def test_other_forms_of_the_transformer(options: dict[str, Any]) -> None:
    made = policy(**options)
    assert made(a_batch())[0].isfinite()
    assert ("model.encoder.norm.weight" in made.state_dict()) == bool(options.get("pre_norm"))


def test_padded_actions_do_not_count() -> None:
    made = policy(use_vae=False).eval()
    batch = a_batch()
    other = {**batch, "action": batch["action"].masked_fill(batch["action_is_pad"][..., None], 99.0)}
    assert made(batch)[0] == made(other)[0]


def test_padded_actions_do_not_change_the_style() -> None:
    made = policy().eval()
    batch = a_batch()
    other = batch["action"].masked_fill(batch["action_is_pad"][..., None], 99.0)
    styles = [made.model.style(batch["observation.state"], each, batch["action_is_pad"])
              for each in (batch["action"], other)]  # fmt: skip
    torch.testing.assert_close(styles[0].mean, styles[1].mean)


def test_a_batch_is_as_good_as_one_by_one() -> None:
    made = policy().eval()
    batch = a_batch()
    singles = [made.chunk({key: value[index : index + 1] for key, value in batch.items()}) for index in range(2)]
    torch.testing.assert_close(made.chunk(batch), torch.cat(singles), rtol=1e-4, atol=1e-5)


def test_what_it_sees_must_all_be_there() -> None:
    batch = a_batch()
    del batch["observation.images.wrist"]
    with pytest.raises(ContractError, match=r"lacks observation\.images\.wrist"):
        policy().chunk(batch)


def test_a_blind_policy_is_refused() -> None:
    with pytest.raises(ContractError, match="needs a camera"):
        policy("observation.state")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_action_steps": 200}, "a chunk has 100 actions"),
        ({"n_action_steps": 10, "temporal_ensemble_coeff": 0.01}, "asks at every step"),
        ({"dim_model": 30}, "a multiple of 4"),
        ({"replace_final_stride_with_dilation": True}, "no dilated form"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ACTConfig(**options)


def test_how_many_actions_are_executed() -> None:
    assert ACTConfig().executed == 100
    assert ACTConfig(n_action_steps=7).executed == 7
    assert ACTConfig(temporal_ensemble_coeff=0.01).executed == 1


# --- backbones ------------------------------------------------------------------------------------------------------


def reference(network: ResNet, images: torch.Tensor) -> torch.Tensor:
    """The first stage as it is usually written: convolution, then batch normalisation."""

    def norm(x: torch.Tensor, each: Any) -> torch.Tensor:
        return functional.batch_norm(x, each.running_mean, each.running_var, each.weight, each.bias, eps=1e-5)

    x = functional.conv2d(images, network.conv1.weight, stride=2, padding=3)
    x = functional.max_pool2d(functional.relu(norm(x, network.bn1)), 3, 2, 1)
    for block in network.get_submodule("layer1").children():
        inner = functional.relu(norm(block.conv1(x), block.bn1))  # type: ignore[operator]
        x = functional.relu(norm(block.conv2(inner), block.bn2) + x)  # type: ignore[operator]
    return x


def test_folded_normalisation_is_normalisation() -> None:
    torch.manual_seed(0)
    network = ResNet("resnet18").eval()
    for name, buffer in network.named_buffers():
        buffer.copy_(torch.rand_like(buffer) + (0.5 if name.endswith(("var", "weight")) else -0.5))
    images = torch.rand(2, 3, 64, 96)
    found: list[torch.Tensor] = []
    network.get_submodule("layer1").register_forward_hook(lambda *args: found.append(args[2]))
    with torch.inference_mode():
        network(images)
        torch.testing.assert_close(found[0], reference(network, images), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "dilated", "tensors", "size"),
    [("resnet18", False, 100, (2, 3)), ("resnet34", False, 180, (2, 3)), ("resnet50", False, 265, (2, 3)),
     ("resnet50", True, 265, (4, 6)), ("resnet10_narrow", False, 60, (2, 3))],
)  # fmt: skip
def test_backbones_have_torchvisions_tensors(name: str, dilated: bool, tensors: int, size: tuple[int, int]) -> None:
    network = ResNet(name, dilated).eval()
    assert len(network.state_dict()) == tensors
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 64, 96)).shape == (1, width_of(name), *size)


def backbone_file(path: Path, **more: torch.Tensor) -> Path:
    """As torchvision's weights come: with a classifier and counters."""
    torch.manual_seed(3)
    tensors = ResNet("resnet18").state_dict()
    save_file({**tensors, "fc.weight": torch.zeros(2, 2), "bn1.num_batches_tracked": torch.tensor(5), **more}, path)
    return path


def create(path: Path) -> ACTPolicy:
    config = ACTConfig(**SMALL, device="cpu", pretrained_backbone_weights=str(path))
    seen = {"front": Feature("uint8", (32, 32, 3))} | ARM
    stats = {
        "observation.state": {"mean": [0.0] * 3, "std": [1.0] * 3},
        "action": {"mean": [0.0] * 3, "std": [1.0] * 3},
        "observation.images.front": {"mean": [[[0.5]]] * 3, "std": [[[0.2]]] * 3},
    }
    made = lerobot_torch.create("act", config, seen, ARM, stats, 30.0)
    assert isinstance(made, ACTPolicy)
    return made


def test_training_begins_from_a_backbone_in_a_file(tmp_path: Path) -> None:
    path = backbone_file(tmp_path / "resnet18.safetensors")
    made = create(path)
    torch.manual_seed(3)
    wanted = ResNet("resnet18").state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in made.model.backbone.state_dict().items())
    made.save(tmp_path / "p")
    written = json.loads((tmp_path / "p" / "config.json").read_text())
    assert written["pretrained_backbone_weights"] is None, "a path of this machine means nothing elsewhere"
    assert written["n_action_steps"] == 5


def test_another_networks_backbone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"unknown: layer9\.weight"):
        create(backbone_file(tmp_path / "b.safetensors", **{"layer9.weight": torch.zeros(1)}))
    with pytest.raises(ConfigError, match="no safetensors file"):
        create(tmp_path / "resnet18.pth")


# --- learning -------------------------------------------------------------------------------------------------------


def test_it_learns_and_is_saved_as_it_has_learned(tmp_path: Path) -> None:
    made = create(backbone_file(tmp_path / "b.safetensors"))
    groups = made.param_groups()
    assert [group.get("lr") for group in groups] == [None, 1e-5]
    assert sum(len(group["params"]) for group in groups) == len(list(made.parameters()))
    optimizer = torch.optim.AdamW(groups, lr=3e-3)
    batch = {"observation.images.front": torch.rand(4, 3, 32, 32), "observation.state": torch.rand(4, 3),
             "action": torch.rand(4, 5, 3), "action_is_pad": torch.zeros(4, 5, dtype=torch.bool)}  # fmt: skip
    batch = made.before(batch)
    errors = []
    for _ in range(15):
        loss, metrics = made(batch)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(made.parameters(), made.grad_clip_norm)
        optimizer.step()
        errors.append(metrics["l1_loss"])
    assert errors[-1] < 0.7 * errors[0]
    made.eval().save(tmp_path / "p")
    again = lerobot_torch.load(tmp_path / "p", "cpu")
    with torch.inference_mode():
        torch.testing.assert_close(again.chunk(batch), made.chunk(batch), rtol=0, atol=1e-6)


def test_a_chunk_follows_the_weights(checkpoint: Callable[..., Path]) -> None:
    """What is folded for inference is folded anew after training went on."""
    loaded = lerobot_torch.load(checkpoint(), "cpu")
    batch = {key: torch.rand(1, *feature.shape) for key, feature in loaded.inputs.items()}
    with torch.inference_mode():
        before = loaded.chunk(batch)
    with torch.no_grad():
        for each in loaded.parameters():
            each.mul_(1.01)
    with torch.inference_mode():
        after = loaded.chunk(batch)
    live = loaded.chunk(batch).detach()
    assert not torch.allclose(before, after, atol=1e-4)
    torch.testing.assert_close(after, live, rtol=1e-4, atol=1e-5)


def test_what_a_training_sample_holds(checkpoint: Callable[..., Path]) -> None:
    deltas = lerobot_torch.load(checkpoint(), "cpu").deltas(10.0)
    assert list(deltas) == ["action"]
    assert deltas["action"][:3] == [0.0, 0.1, 0.2]
    assert len(deltas["action"]) == 20


def test_relative_actions_come_back_absolute(tmp_path: Path) -> None:
    config = ACTConfig(**SMALL, device="cpu", use_relative_actions=True)
    numbers = {"mean": [0.0] * 3, "std": [1.0] * 3}
    stats = {
        "observation.state": numbers,
        "action": numbers,
        "observation.images.front": {"mean": [[[0.5]]] * 3, "std": [[[0.2]]] * 3},
    }
    seen = {"front": Feature("uint8", (32, 32, 3))} | ARM
    lerobot_torch.create("act", config, seen, ARM, stats, 30.0).save(tmp_path / "p")
    policy = lerobot_torch.load(tmp_path / "p", "cpu")
    assert policy.config.use_relative_actions
    assert "use_relative_actions" not in ACTConfig().saved(), "the peer refuses a field it does not know"
    with torch.no_grad():
        for parameter in policy.model.action_head.parameters():
            parameter.zero_()
    state = torch.tensor([10.0, -20.0, 30.0])
    actions = policy.act({"observation.state": state, "observation.images.front": torch.zeros(3, 32, 32), "task": ""})
    assert torch.equal(actions[0], state.expand(5, 3)), "a network that says nothing stays where the arm is"
