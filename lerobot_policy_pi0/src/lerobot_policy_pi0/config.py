"""Options of `--policy pi0`; names, order and defaults are those of a checkpoint's `config.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from lerobot_core.config.fields import option
from lerobot_core.errors import ConfigError
from lerobot_torch.config import TorchPolicyConfig

from .sizes import EXPERTS, GEMMAS, VLMS


@dataclass(frozen=True, kw_only=True)
class PI0Config(TorchPolicyConfig):
    """A vision-language-action model with flow matching (arXiv 2410.24164)."""

    # What another value of changes neither the tensors nor what they mean.
    FREE: ClassVar[frozenset[str]] = TorchPolicyConfig.FREE | {
        "dtype", "n_action_steps", "num_inference_steps", "rtc_config", "gradient_checkpointing", "compile_model",
        "compile_mode", "freeze_vision_encoder", "train_expert_only", "optimizer_lr", "optimizer_betas",
        "optimizer_eps", "optimizer_weight_decay", "optimizer_grad_clip_norm", "scheduler_warmup_steps",
        "scheduler_decay_steps", "scheduler_decay_lr", "tokenizer", "flow_draws",
    }  # fmt: skip

    paligemma_variant: str = option(
        "gemma_2b", help="the vision-language model; gemma_tiny and gemma_small are ours, for tests and small machines",
        choices=tuple(VLMS),
    )  # fmt: skip
    action_expert_variant: str = option(
        "gemma_300m", help="the action expert; gemma_tiny_expert goes with gemma_tiny, and so on", choices=EXPERTS
    )
    dtype: str = option("float32", help="of the large layers", choices=("float32", "bfloat16"))
    chunk_size: int = option(50, help="actions predicted at once", low=1)
    n_action_steps: int = option(50, help="how many of them are executed before the next observation", low=1)
    max_state_dim: int = option(32, help="width of a state, padded with zeros", low=1)
    max_action_dim: int = option(32, help="width of an action, padded with zeros", low=1)
    num_inference_steps: int = option(10, help="denoising steps; fewer are faster and less exact", low=1)
    time_sampling_beta_alpha: float = option(
        1.5, help="times while training: alpha of their Beta distribution", low=0.01
    )
    time_sampling_beta_beta: float = option(1.0, help="its beta", low=0.01)
    time_sampling_scale: float = option(0.999, help="its scale", low=0.0, high=1.0)
    time_sampling_offset: float = option(0.001, help="its offset", low=0.0, high=1.0)
    min_period: float = option(0.004, help="shortest period of the time embedding", low=1e-6)
    max_period: float = option(4.0, help="longest period of the time embedding", low=1e-6)
    use_relative_actions: bool = option(False, help="actions are differences from where the arm is")
    relative_exclude_joints: list[str] = option(factory=lambda: ["gripper"], help="joints whose actions stay absolute")
    action_feature_names: list[str] | None = option(None, help="names of an action's columns")
    rtc_config: dict[str, Any] | None = option(None, help="as LeRobot stores it; here --inference rtc says it")
    image_resolution: tuple[int, int] = option((224, 224), help="of the vision tower; pictures are resized and padded")
    empty_cameras: int = option(0, help="cameras the network has and the robot has not", low=0)
    normalization_mapping: dict[str, str] = option(
        factory=lambda: {"VISUAL": "IDENTITY", "STATE": "MEAN_STD", "ACTION": "MEAN_STD"},
        help="{feature type: normalisation}",
    )
    gradient_checkpointing: bool = option(False, help="train with less memory and a third more time")
    compile_model: bool = option(False, help="as LeRobot stores it; here --policy.compile says it")
    compile_mode: str = option("max-autotune", help="as LeRobot stores it")
    freeze_vision_encoder: bool = option(False, help="do not train the vision tower")
    train_expert_only: bool = option(False, help="train the action expert and nothing else")
    optimizer_lr: float = option(2.5e-5, help="learning rate", low=0.0)
    optimizer_betas: tuple[float, float] = option((0.9, 0.95), help="of AdamW")
    optimizer_eps: float = option(1e-8, help="of AdamW", low=0.0)
    optimizer_weight_decay: float = option(0.01, help="weight decay", low=0.0)
    optimizer_grad_clip_norm: float = option(1.0, help="what gradients are clipped to", low=0.0)
    scheduler_warmup_steps: int = option(1000, help="steps over which the rate rises", low=0)
    scheduler_decay_steps: int = option(30_000, help="steps over which it falls", low=1)
    scheduler_decay_lr: float = option(2.5e-6, help="where the fall ends", low=0.0)
    tokenizer_max_length: int = option(48, help="the longest prompt, in tokens", low=2)
    tokenizer: str | None = option(
        None, help="folder with tokenizer.json, or org/name; default: the checkpoint's own, else PaliGemma's"
    )
    flow_draws: int = option(
        1, help="noises and times each observation is trained with at once: cheaper than as many observations", low=1
    )

    def __post_init__(self) -> None:
        if self.flow_draws > 1 and self.gradient_checkpointing:
            raise ConfigError(
                "flow_draws keeps what is computed of the cameras, which gradient_checkpointing would throw away",
                fix="one of the two",
            )
        if self.n_action_steps > self.chunk_size:
            raise ConfigError(
                f"n_action_steps is {self.n_action_steps}, but a chunk has {self.chunk_size} actions",
                fix=f"at most {self.chunk_size}",
            )
        self._refuse_resolution()
        vlm, expert = VLMS[self.paligemma_variant].text, GEMMAS[self.action_expert_variant]
        if (vlm.depth, vlm.heads, vlm.kv_heads, vlm.head_dim) != (
            expert.depth, expert.heads, expert.kv_heads, expert.head_dim,
        ):  # fmt: skip
            raise ConfigError(
                f"{self.action_expert_variant} cannot share attention with {self.paligemma_variant}",
                "they differ in layers or heads",
                "gemma_2b with gemma_300m, gemma_tiny with gemma_tiny_expert, gemma_small with gemma_small_expert",
            )

    def _refuse_resolution(self) -> None:
        height, row = self.image_resolution
        patch = VLMS[self.paligemma_variant].vision.patch
        if height != row or height % patch or not height:
            raise ConfigError(
                f"image_resolution is {height} x {row}", "the vision tower takes squares of whole patches",
                f"a multiple of {patch}, such as {16 * patch} {16 * patch}",
            )  # fmt: skip

    def saved(self) -> Mapping[str, Any]:
        """Without what LeRobot's do not have: a folder of this machine, and how it was trained."""
        return {name: value for name, value in super().saved().items() if name not in ("tokenizer", "flow_draws")}


@dataclass(frozen=True, kw_only=True)
class PI05Config(PI0Config):
    """pi0.5 (arXiv 2504.16054): the state is text in the prompt, and the norms of the expert are told the time."""

    normalization_mapping: dict[str, str] = option(
        factory=lambda: {"VISUAL": "IDENTITY", "STATE": "QUANTILES", "ACTION": "QUANTILES"},
        help="{feature type: normalisation}",
    )
    tokenizer_max_length: int = option(200, help="the longest prompt, state included, in tokens", low=2)

    @classmethod
    def own(cls) -> tuple[str, ...]:
        """In the order of its `config.json`, which is not pi0's."""
        names = [name for name in super().own() if name != "tokenizer_max_length"]
        names.insert(names.index("normalization_mapping"), "tokenizer_max_length")
        return tuple(names)
