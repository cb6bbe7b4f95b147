"""The peer's scaled-down pi0, a tokenizer of ten words, and small policies made from them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import torch
from lerobot_core.features import ACTION, STATE
from lerobot_core.types import Feature, Features
from lerobot_policy_pi0.config import PI0Config, PI05Config
from lerobot_policy_pi0.policy import PI0Policy
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors
from torch import Tensor

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "policies"
TINY: dict[str, Any] = {
    "paligemma_variant": "gemma_tiny",
    "action_expert_variant": "gemma_tiny_expert",
    "image_resolution": (56, 56),
    "chunk_size": 8,
    "n_action_steps": 8,
    "device": "cpu",
}
WORDS = ("<pad>", "<eos>", "<bos>", "<unk>", "\n", "put", "the", "cube", "in", "bin")
JOINTS: Features = {
    f"{name}.pos": Feature("float32", (), "deg", -100.0, 100.0, 180.0) for name in ("pan", "lift", "elbow")
}
JOINTS["gripper.pos"] = Feature("float32", (), "pct", 0.0, 100.0, 200.0)
SEEN: Features = {**JOINTS, "front": Feature("uint8", (24, 32, 3))}


def weights(shapes: Mapping[str, Any]) -> dict[str, Tensor]:
    """What the peer's tensors were."""
    return {name: _filled(name, shape) for name, (_, shape) in shapes.items()}


def _filled(name: str, shape: list[int]) -> Tensor:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    values = random.standard_normal(shape).astype(np.float32) * np.float32(0.05)
    if name.endswith("weight") and len(shape) == 1:
        values = np.abs(values) + 1
    return torch.from_numpy(np.asarray(values, np.float32))


def golden_shapes(file: str = "tensors.json", family: str = "pi0") -> dict[str, Any]:
    """Name -> [dtype, shape]."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{family}_tiny" / file).read_text())
    return found


def golden_io(family: str = "pi0") -> dict[str, Tensor]:
    """What went in and what came out."""
    return load_file(GOLDEN / f"{family}_tiny" / "io.safetensors")


def golden_batch(family: str = "pi0") -> dict[str, Tensor]:
    """What went in."""
    return {key.removeprefix("in."): value for key, value in golden_io(family).items() if key.startswith("in.")}


def write_checkpoint(
    folder: Path, tensors: Mapping[str, Tensor] | None = None, family: str = "pi0", **changes: Any
) -> Path:
    """The peer's configuration under our names for its small sizes, processors without statistics, and a tokenizer."""
    folder.mkdir(parents=True)
    config = json.loads((GOLDEN / f"{family}_tiny" / "config.json").read_text())
    config |= {"paligemma_variant": "gemma_tiny", "action_expert_variant": "gemma_tiny_expert", **changes}
    (folder / "config.json").write_text(json.dumps(config))
    identity = dict.fromkeys(("VISUAL", "STATE", "ACTION"), "IDENTITY")
    features = config["input_features"] | config["output_features"]
    normal = {"eps": 1e-8, "features": features, "norm_map": identity}
    before = [("rename_observations_processor", {"rename_map": {}}), ("to_batch_processor", {}), ("normalizer_processor", normal)]  # fmt: skip
    after = [("unnormalizer_processor", {**normal, "features": config["output_features"]})]
    for name, steps in (("policy_preprocessor", before), ("policy_postprocessor", after)):
        entries = [{"registry_name": step, "config": options} for step, options in steps]
        (folder / f"{name}.json").write_text(json.dumps({"name": name, "steps": entries}))
    save_file(
        dict(tensors if tensors is not None else weights(golden_shapes(family=family))),
        folder / "model.safetensors",
        {"format": "pt"},
    )
    return folder


def write_tokenizer(folder: Path) -> Path:
    """Ten words, as PaliGemma's: it begins with <bos>, and a line break is a token."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    splits = [pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Split(Regex("\n"), "isolated")]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(splits)
    tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def statistics() -> dict[str, Any]:
    """What a dataset of four joints would have."""
    numbers = {"min": [-90.0] * 4, "max": [90.0] * 4, "mean": [1.0, -2.0, 3.0, 40.0], "std": [30.0, 20.0, 10.0, 5.0]}
    numbers |= {"q01": [-80.0] * 4, "q99": [80.0] * 4}
    return {STATE: numbers, ACTION: numbers, "observation.images.front": {"mean": [0.5] * 3, "std": [0.2] * 3}}


def tiny(tokenizer: Path, family: str = "pi0", **options: Any) -> PI0Policy:
    """A new policy of four joints and a camera, with weights that are the same every time."""
    torch.manual_seed(0)
    config = (PI0Config if family == "pi0" else PI05Config)(**{**TINY, "tokenizer": str(tokenizer), **options})
    policy = lerobot_torch.create(family, config, SEEN, JOINTS, statistics(), 30.0, "bench", "0123456789abcdef")
    assert isinstance(policy, PI0Policy)
    return policy


def a_batch(policy: PI0Policy, count: int = 3) -> dict[str, Any]:
    """A training batch, through the processors."""
    torch.manual_seed(1)
    raw = {
        STATE: torch.randn(count, 4) * 10,
        "observation.images.front": torch.rand(count, 3, 24, 32),
        ACTION: torch.randn(count, policy.chunk_size, 4) * 10,
        "task": ["put the cube in the bin"] * count,
    }
    return policy.before(raw)
