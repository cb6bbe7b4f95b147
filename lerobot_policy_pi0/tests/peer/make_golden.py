"""What lerobot 0.6.1 computes with a scaled-down pi0 or pi05, run by a Python that has lerobot and transformers: no code of ours.

    LEROBOT_PEER_PYTHON make_golden.py pi0|pi05 FOLDER    writes tensors.json, config.json and io.safetensors there
    LEROBOT_PEER_PYTHON make_golden.py pi0|pi05 --names   prints name -> [dtype, shape] of the full-size network

The peer's sizes are constants in its code; they are replaced before it builds the network.
"""

from __future__ import annotations

import importlib
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs import FeatureType, PolicyFeature
from lerobot.policies.rtc.configuration_rtc import RTCConfig
from safetensors.torch import save_file

FAMILY = sys.argv[1]
pi0 = importlib.import_module(f"lerobot.policies.{FAMILY}.modeling_{FAMILY}")
Policy, Config = getattr(pi0, f"{FAMILY.upper()}Policy"), getattr(pi0, f"{FAMILY.upper()}Config")
VOCABULARY, SIDE, CHUNK, STATE, ACTION = 1024, 56, 8, 6, 6
TEXT = dict(width=32, depth=2, mlp_dim=64, num_heads=8, num_kv_heads=1, head_dim=8)
EXPERT = dict(width=24, depth=2, mlp_dim=48, num_heads=8, num_kv_heads=1, head_dim=8)
VISION = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, projection_dim=32)


def scale_down() -> None:
    """Replace the constants."""
    sizes = {"gemma_2b": TEXT, "gemma_300m": EXPERT}
    pi0.get_gemma_config = lambda variant: pi0.GemmaConfig(**sizes[variant])
    whole, expert = pi0.PaliGemmaForConditionalGenerationWithPiGemma, pi0.PiGemmaForCausalLM

    def small_whole(config: Any) -> Any:
        for key, value in VISION.items():
            setattr(config.vision_config, key, value)
        config.text_config.vocab_size = config._vocab_size = VOCABULARY
        return whole(config=config)

    def small_expert(config: Any) -> Any:
        config.vocab_size = VOCABULARY
        return expert(config=config)

    pi0.PaliGemmaForConditionalGenerationWithPiGemma, pi0.PiGemmaForCausalLM = small_whole, small_expert


def configuration(side: int, chunk: int) -> Any:
    """Two cameras, one of which will be missing."""
    return Config(
        input_features={
            "observation.images.front": PolicyFeature(FeatureType.VISUAL, (3, 48, 64)),
            "observation.images.wrist": PolicyFeature(FeatureType.VISUAL, (3, side, side)),
            "observation.state": PolicyFeature(FeatureType.STATE, (STATE,)),
        },
        output_features={"action": PolicyFeature(FeatureType.ACTION, (ACTION,))},
        image_resolution=(side, side),
        chunk_size=chunk,
        n_action_steps=chunk,
        device="cpu",
        rtc_config=RTCConfig(enabled=False, execution_horizon=5),
    )


def filled(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor that follows from its name."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    values = random.standard_normal(shape).astype(np.float32) * np.float32(0.05)
    if name.endswith("weight") and len(shape) == 1:
        values = np.abs(values) + 1
    return torch.from_numpy(np.asarray(values, np.float32))


def golden(folder: Path) -> None:
    """One run of every part."""
    scale_down()
    policy = Policy(configuration(SIDE, CHUNK)).eval()
    state = policy.state_dict()
    policy.load_state_dict({name: filled(name, tuple(value.shape)) for name, value in state.items()})
    folder.mkdir(parents=True, exist_ok=True)
    shapes = {name: [str(value.dtype).removeprefix("torch."), list(value.shape)] for name, value in state.items()}
    (folder / "tensors.json").write_text(json.dumps(shapes, indent=0))
    policy.config._save_pretrained(folder)
    with torch.no_grad():
        save_file({key: value.contiguous() for key, value in computed(policy).items()}, folder / "io.safetensors")


def computed(policy: Any) -> dict[str, torch.Tensor]:
    """Inputs, and what each part made of them."""
    torch.manual_seed(7)
    model = policy.model
    tokens = torch.randint(0, VOCABULARY, (2, 12))
    mask = torch.arange(12)[None] < torch.tensor([[12], [7]])
    batch = {
        "observation.images.front": torch.rand(2, 3, 48, 64),
        "observation.images.wrist": torch.rand(2, 3, SIDE, SIDE),
        "observation.state": torch.randn(2, STATE),
        "observation.language.tokens": tokens,
        "observation.language.attention_mask": mask,
        "action": torch.randn(2, CHUNK, ACTION),
    }
    found = {f"in.{key}": value for key, value in batch.items()}
    images, present = policy._preprocess_images(batch)
    # pi05 reads its state in the prompt.
    state, actions = [policy.prepare_state(batch)] if FAMILY == "pi0" else [], policy.prepare_action(batch)
    noise, time = torch.randn(2, CHUNK, 32), torch.tensor([0.7, 0.2])
    found |= {"in.noise": noise, "in.time": time}
    both = model.paligemma_with_expert
    found["vision.tower"] = both.paligemma.model.vision_tower(images[0]).last_hidden_state
    found["vision.tokens"] = both.embed_image(images[0])
    found["vision.image"] = images[0]
    embedded, counts, _ = model.embed_prefix(images, present, tokens, mask)
    found |= {"prefix.tokens": embedded, "prefix.counts": counts}
    found["suffix.tokens"] = model.embed_suffix(*state, noise, time)[0]
    if FAMILY == "pi05":
        found |= prompts()
    losses = model.forward(images, present, tokens, mask, *state, actions, noise, time)
    found["losses"] = losses
    visible = pi0.prepare_attention_masks_4d(pi0.make_att_2d_masks(counts, torch.zeros_like(counts)))
    both.paligemma.model.language_model.config._attn_implementation = "eager"
    _, past = both.forward(visible, counts.cumsum(1) - 1, None, [embedded, None], True)
    found["velocity"] = model.denoise_step(
        *state, prefix_pad_masks=counts, past_key_values=past, x_t=noise, timestep=time
    )
    found["chunk"] = model.sample_actions(images, present, tokens, mask, *state, noise=noise)[..., :ACTION]
    alone = {key: value for key, value in batch.items() if "wrist" not in key}
    images_alone, present_alone = policy._preprocess_images(alone)
    found["chunk.one_camera"] = model.sample_actions(images_alone, present_alone, tokens, mask, *state, noise=noise)[
        ..., :ACTION
    ]
    policy.config.rtc_config.enabled = True
    policy.init_rtc_processor()
    leftover = torch.randn(2, 5, ACTION)
    found["in.leftover"] = leftover
    for schedule in ("LINEAR", "EXP", "ONES", "ZEROS"):
        policy.config.rtc_config.prefix_attention_schedule = type(policy.config.rtc_config.prefix_attention_schedule)(
            schedule
        )
        found[f"chunk.guided.{schedule}"] = model.sample_actions(
            images, present, tokens, mask, *state, noise=noise, inference_delay=2, prev_chunk_left_over=leftover,
            execution_horizon=5,
        )[..., :ACTION]  # fmt: skip
    return {key: value.float() if value.is_floating_point() else value for key, value in found.items()}


def prompts() -> dict[str, torch.Tensor]:
    """States, and the bytes of the prompt that each makes of a task; numbers on and beside the steps' edges."""
    from lerobot.lerobot_types import TransitionKey
    from lerobot.policies.pi05.processor_pi05 import Pi05PrepareStateTokenizerProcessorStep

    state = torch.tensor([[-1.5, -1.0, -0.999, 0.0, 0.99999, 1.0], [1.7, 0.0078125, 0.0078124, -0.0078125, 0.5, -0.3]])
    tasks = [" put_the cube\nin the bin ", "fold"]
    found = Pi05PrepareStateTokenizerProcessorStep()(
        {TransitionKey.OBSERVATION: {"observation.state": state}, TransitionKey.COMPLEMENTARY_DATA: {"task": tasks}}
    )
    written = "\0".join(found[TransitionKey.COMPLEMENTARY_DATA]["task"])
    return {"in.prompt_state": state, "prompts": torch.tensor(list(written.encode()), dtype=torch.uint8)}


def names() -> None:
    """Of the full-size network, on the device meta."""
    whole = configuration(224, 50)
    whole.device = "meta"
    with torch.device("meta"):
        policy = Policy(whole)
    state = policy.state_dict()
    print(
        json.dumps(
            {name: [str(value.dtype).removeprefix("torch."), list(value.shape)] for name, value in state.items()}
        )
    )


if __name__ == "__main__":
    names() if sys.argv[2] == "--names" else golden(Path(sys.argv[2]))
