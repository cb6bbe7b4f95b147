"""Two layers from state and mean colours to a chunk."""

from __future__ import annotations

import signal
import time
from typing import Any

import torch
from lerobot_core.features import ACTION, STATE
from lerobot_torch.features import PolicyFeatures, visual, width
from lerobot_torch.policy import TorchPolicy
from lerobot_torch.processors.step import Batch
from torch import Tensor, nn
from toy_plugin import ToyConfig


class ToyPolicy(TorchPolicy[ToyConfig]):
    """What a family has to say, and faults."""

    family = "toy"

    def __init__(self, config: ToyConfig, inputs: PolicyFeatures, outputs: PolicyFeatures) -> None:
        super().__init__(config, inputs, outputs)
        seen = width(inputs, STATE) + 3 * len(visual(inputs))
        out = config.chunk_size * width(outputs, ACTION)
        self.layers = nn.Sequential(
            nn.Linear(seen, config.width), nn.ReLU(), nn.Dropout(0.2), nn.Linear(config.width, out)
        )
        self._calls = 0

    @property
    def chunk_size(self) -> int:
        """Actions in a chunk."""
        return self.config.chunk_size

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Mean error of what is inside the episode."""
        self._calls += self.training
        inside = (~batch[f"{ACTION}_is_pad"])[..., None]
        loss = ((self.chunk(batch) - batch[ACTION]) * inside).abs().mean()
        return self._with_fault(loss), {"l1_loss": loss.item()}

    def _with_fault(self, loss: Tensor) -> Tensor:
        if self.config.fault == "slow":
            time.sleep(0.05)
        if self._calls < 3 or self.config.fault in ("", "slow"):
            return loss
        if self.config.fault == "stop":
            signal.raise_signal(signal.SIGINT)
            return loss
        return loss * torch.nan if self.config.fault == "nan" else loss + torch.empty(1 << 60).mean()

    def chunk(self, batch: Batch) -> Tensor:
        """(B, T, A)."""
        seen: list[Any] = [batch[STATE]] if STATE in self.inputs else []
        seen += [batch[key].mean(dim=(-2, -1)) for key in visual(self.inputs)]
        return self.layers(torch.cat(seen, dim=-1)).unflatten(-1, (self.chunk_size, -1))  # type: ignore[no-any-return]
