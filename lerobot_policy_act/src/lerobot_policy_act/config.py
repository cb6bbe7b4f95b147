"""Options of `--policy act`; names, order and defaults are those of a checkpoint's `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lerobot_core.config.fields import option
from lerobot_core.errors import ConfigError
from lerobot_torch.config import TorchPolicyConfig

BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet10_narrow")


@dataclass(frozen=True, kw_only=True)
class ACTConfig(TorchPolicyConfig):
    """Action chunking with transformers."""

    # What another value of changes neither the tensors nor what they mean.
    FREE: ClassVar[frozenset[str]] = TorchPolicyConfig.FREE | {
        "n_action_steps", "temporal_ensemble_coeff", "pretrained_backbone_weights",
        "dropout", "kl_weight", "optimizer_lr", "optimizer_weight_decay", "optimizer_lr_backbone",
    }  # fmt: skip

    chunk_size: int = option(100, help="actions predicted at once", low=1)
    n_action_steps: int | None = option(
        None, help="how many of them are executed before the next observation; default: all", low=1
    )
    normalization_mapping: dict[str, str] = option(
        factory=lambda: dict.fromkeys(("VISUAL", "STATE", "ACTION"), "MEAN_STD"), help="{feature type: normalisation}"
    )
    vision_backbone: str = option(
        "resnet18", help="convolutional network; resnet10_narrow is ours alone", choices=BACKBONES
    )
    pretrained_backbone_weights: str | None = option(
        None, help="safetensors file to begin training from; default: random", aliases=("backbone_weights",)
    )
    replace_final_stride_with_dilation: bool = option(False, help="resnet50: features of twice the resolution")
    pre_norm: bool = option(False, help="normalise before each block instead of after it")
    dim_model: int = option(512, help="width of the transformers", low=4)
    n_heads: int = option(8, help="attention heads", low=1)
    dim_feedforward: int = option(3200, help="width of their feed-forward layers", low=1)
    feedforward_activation: str = option("relu", help="between those", choices=("relu", "gelu"))
    n_encoder_layers: int = option(4, help="layers of the observation encoder", low=1)
    n_decoder_layers: int = option(1, help="layers of the action decoder", low=1)
    use_vae: bool = option(True, help="train with a style variable")
    latent_dim: int = option(32, help="its width", low=1)
    n_vae_encoder_layers: int = option(4, help="layers of its encoder", low=1)
    temporal_ensemble_coeff: float | None = option(
        None, help="average overlapping chunks, weights exp(-COEFF * age); 0.01 in the paper"
    )
    dropout: float = option(0.1, help="dropout while training", low=0.0, high=1.0)
    kl_weight: float = option(10.0, help="weight of the style variable's divergence in the loss", low=0.0)
    optimizer_lr: float = option(1e-5, help="learning rate", low=0.0)
    optimizer_weight_decay: float = option(1e-4, help="weight decay", low=0.0)
    optimizer_lr_backbone: float = option(1e-5, help="learning rate of the backbone", low=0.0)
    use_relative_actions: bool = option(
        False, help="actions are differences from where the arm is; such a checkpoint is ours alone"
    )

    def __post_init__(self) -> None:
        if self.n_action_steps is not None and self.n_action_steps > self.chunk_size:
            raise ConfigError(
                f"n_action_steps is {self.n_action_steps}, but a chunk has {self.chunk_size} actions",
                fix=f"at most {self.chunk_size}",
            )
        if self.temporal_ensemble_coeff is not None and self.n_action_steps not in (None, 1):
            raise ConfigError(
                f"n_action_steps is {self.n_action_steps}, but an ensemble asks at every step",
                fix="leave n_action_steps or temporal_ensemble_coeff out",
            )
        if self.dim_model % self.n_heads or self.dim_model % 4:
            raise ConfigError(f"dim_model is {self.dim_model}", fix=f"a multiple of 4 and of n_heads, {self.n_heads}")
        if self.replace_final_stride_with_dilation and self.vision_backbone != "resnet50":
            raise ConfigError(
                f"{self.vision_backbone} has no dilated form", fix="vision_backbone resnet50, or no dilation"
            )

    @property
    def executed(self) -> int:
        """Actions executed of a chunk: 1 for an ensemble, all of them unless said otherwise."""
        if self.temporal_ensemble_coeff is not None:
            return 1
        return self.n_action_steps or self.chunk_size

    def changed(self, **changes: Any) -> Self:
        """A copy with other values; executing more than one action ends the ensemble, which asks at every step."""
        if (changes.get("n_action_steps") or 1) > 1:
            changes.setdefault("temporal_ensemble_coeff", None)
        return super().changed(**changes)

    def saved(self) -> Mapping[str, Any]:
        """With the number of executed actions, and without a file of this machine."""
        weights = self.pretrained_backbone_weights
        named = weights if weights and "_Weights." in weights else None
        fields = {**super().saved(), "n_action_steps": self.executed, "pretrained_backbone_weights": named}
        if not self.use_relative_actions:  # the peer refuses a field it does not know
            del fields["use_relative_actions"]
        return fields
