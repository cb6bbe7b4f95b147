"""ACT as a policy: its checkpoint's tensors, its chunk and its loss."""

from __future__ import annotations

from typing import Any

from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION, ENVIRONMENT, STATE
from lerobot_torch.features import PolicyFeatures, visual, width
from lerobot_torch.policy import TorchPolicy
from lerobot_torch.processors.normalize import Normalize, Stats
from lerobot_torch.processors.pipeline import Pipeline
from lerobot_torch.processors.relative import Relative
from lerobot_torch.processors.step import Batch
from torch import Tensor

from .backbone_file import read_backbone
from .config import ACTConfig
from .network import ACT, Seen, Widths


class ACTPolicy(TorchPolicy[ACTConfig]):
    """Action chunking with transformers (arXiv 2304.13705)."""

    family = "act"
    grad_clip_norm = 10.0

    def __init__(self, config: ACTConfig, inputs: PolicyFeatures, outputs: PolicyFeatures) -> None:
        super().__init__(config, inputs, outputs)
        self._cameras = visual(inputs)
        widths = Widths(width(inputs, STATE), width(inputs, ENVIRONMENT), bool(self._cameras), width(outputs, ACTION))
        if not widths.cameras and not widths.environment:
            raise ContractError("act needs a camera, or the environment's state", "it would be blind")
        self.model = ACT(config, widths)

    @property
    def chunk_size(self) -> int:
        """Actions in a chunk."""
        return self.config.chunk_size

    @property
    def n_action_steps(self) -> int:
        """How many of them are executed."""
        return self.config.executed

    @property
    def ensemble(self) -> float | None:
        """Its coefficient; the queue averages."""
        return self.config.temporal_ensemble_coeff

    @classmethod
    def processors(cls, config: ACTConfig, inputs: PolicyFeatures, outputs: PolicyFeatures, stats: Stats) -> Pipeline:
        """The base's, with actions made relative before they are normalised where that is asked for."""
        steps = super().processors(config, inputs, outputs, stats)
        if config.use_relative_actions:
            steps.put_before(Normalize, Relative(enabled=True))
        return steps

    def initialize(self) -> None:
        """Begin from a backbone that was trained before, when the configuration names one."""
        if self.config.pretrained_backbone_weights and self._cameras:
            read_backbone(self.model.backbone, self.config.pretrained_backbone_weights)

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Mean absolute error of the actions inside the episode, plus the style's divergence.

        Args:
            batch: normalised; `action` (B, T, A), `action_is_pad` (B, T) bool, what it observes.
        """
        actions, padded = batch[ACTION], batch[f"{ACTION}_is_pad"].bool()
        seen = self._seen(batch)
        style = self.model.style(seen.state, actions, padded) if self.config.use_vae and self.training else None
        predicted = self.model(seen, style.sample() if style else None)
        inside = (~padded)[..., None].expand_as(actions)
        error = (predicted - actions).abs().masked_fill(~inside, 0.0).sum() / inside.sum().clamp(min=1)
        if style is None:
            return error, {"l1_loss": error.item()}
        divergence = style.divergence()
        loss = error + self.config.kl_weight * divergence
        return loss, {"l1_loss": error.item(), "kld_loss": divergence.item()}

    def chunk(self, batch: Batch) -> Tensor:
        """Actions (B, T, A), normalised."""
        predicted: Tensor = self.model(self._seen(batch))
        return predicted

    def param_groups(self) -> list[dict[str, Any]]:
        """Everything but the backbone, then the backbone, which has a rate of its own."""
        backbone: list[Tensor] = []
        rest: list[Tensor] = []
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                (backbone if name.startswith("model.backbone.") else rest).append(parameter)
        return [{"params": rest}, {"params": backbone, "lr": self.config.optimizer_lr_backbone}]

    def _seen(self, batch: Batch) -> Seen:
        wanted = [key for key in self.inputs if key not in batch]
        if wanted:
            raise ContractError(f"the batch lacks {', '.join(wanted)}", f"it has {', '.join(batch)}")
        state, environment = (batch[key] if key in self.inputs else None for key in (STATE, ENVIRONMENT))
        return Seen(state, environment, [batch[key] for key in self._cameras])
