"""A linear layer from state, environment and mean colours to a chunk."""

from __future__ import annotations

from typing import Any

import lerobot_torch
import torch
from lerobot_core.features import ACTION, ENVIRONMENT, STATE
from lerobot_core.types import Feature, Features
from lerobot_torch.features import PolicyFeatures, visual, width
from lerobot_torch.policy import TorchPolicy
from lerobot_torch.processors.step import Batch
from tiny_plugin import TinyConfig
from torch import Tensor, nn

JOINTS: Features = {name: Feature("float32", (), "deg", -90.0, 90.0, 60.0) for name in ("pan.pos", "lift.pos")}
SEEN: Features = {**JOINTS, "front": Feature("uint8", (8, 12, 3))}


class TinyPolicy(TorchPolicy[TinyConfig]):
    """What a family has to say, and no more."""

    family = "tiny"

    def __init__(self, config: TinyConfig, inputs: PolicyFeatures, outputs: PolicyFeatures) -> None:
        super().__init__(config, inputs, outputs)
        seen = width(inputs, STATE) + width(inputs, ENVIRONMENT) + 3 * len(visual(inputs))
        self.layer = nn.Linear(seen, config.chunk_size * width(outputs, ACTION))
        if config.tied:
            self.again = nn.Linear(seen, config.chunk_size * width(outputs, ACTION), bias=False)
            self.again.weight = self.layer.weight

    @property
    def chunk_size(self) -> int:
        """Actions in a chunk."""
        return self.config.chunk_size

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Squared error."""
        loss = (self.chunk(batch) - batch[ACTION]).square().mean()
        return loss, {"loss": loss.item()}

    def chunk(self, batch: Batch) -> Tensor:
        """(B, T, A)."""
        seen = [batch[key] for key in (STATE, ENVIRONMENT) if key in self.inputs]
        seen += [batch[key].mean(dim=(-2, -1)) for key in visual(self.inputs)]
        return self.layer(torch.cat(seen, dim=-1)).unflatten(-1, (self.chunk_size, -1))  # type: ignore[no-any-return]


def statistics(*keys: str, low: float = -80.0, high: float = 80.0) -> dict[str, Any]:
    """What a dataset of two joints would have."""
    numbers = {
        "min": [low, low],
        "max": [high, high],
        "mean": [1.0, -2.0],
        "std": [30.0, 20.0],
        "q01": [low / 2, low / 2],
        "q99": [high / 2, high / 2],
        "q10": [low / 3, low / 3],
        "q90": [high / 3, high / 3],
        "count": [7.0],
    }
    return {key: numbers for key in keys or (STATE, ACTION)}


def tiny(**options: Any) -> TorchPolicy[Any]:
    """A new policy of two joints and a camera, with weights that are the same every time."""
    torch.manual_seed(0)
    config = TinyConfig(device="cpu", **options)
    policy = lerobot_torch.create("tiny", config, SEEN, JOINTS, statistics(), 30.0, "bench", "0123456789abcdef")
    return policy.eval()


def an_observation(**more: Any) -> Batch:
    """What a robot of two joints and a camera gives, as tensors."""
    image = torch.linspace(0, 1, 8 * 12 * 3).reshape(3, 8, 12)
    return {STATE: torch.tensor([10.0, -20.0]), "observation.images.front": image, "task": "", **more}
