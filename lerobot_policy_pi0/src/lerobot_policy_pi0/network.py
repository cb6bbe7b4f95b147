"""pi0 (arXiv 2410.24164): a vision-language model and an action expert under one attention, trained by flow matching."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from lerobot_torch.guidance import Prefix, guided
from torch import Tensor, nn

from .config import PI0Config
from .gemma import Cache, Decoder, remember, together
from .sizes import GEMMAS, VLMS, Vlm
from .vision import VisionTower

WIDE = ("vision_tower", "multi_modal_projector", "input_layernorm", "post_attention_layernorm", "model.norm")
"""Parts of the language model and the expert that stay in float32 when the rest is bfloat16."""


class Seen(NamedTuple):
    """One observation, ready for the network.

    Attributes:
        images: (B, 3, R, R) in -1..1, one a camera.
        present: (B,) bool, one a camera: false where there is no picture.
        tokens: (B, L) int64.
        written: (B, L) bool, false where a prompt is padded.
        state: (B, S), padded to the network's width.
    """

    images: Sequence[Tensor]
    present: Sequence[Tensor]
    tokens: Tensor
    written: Tensor
    state: Tensor


class Context(NamedTuple):
    """What actions look at: tokens in front of them, (B, P) bool which of them count, and their keys and values."""

    counts: Tensor
    cache: Cache

    def repeated(self, times: int) -> Context:
        """The whole batch so many times over."""
        keys, values = ([each.repeat(times, 1, 1, 1) for each in part] for part in self.cache)
        return Context(self.counts.repeat(times, 1), Cache(keys, values))


class _Projector(nn.Module):
    def __init__(self, vlm: Vlm) -> None:
        super().__init__()
        self.linear = nn.Linear(vlm.vision.width, vlm.text.width)


class _PaliGemmaModel(nn.Module):
    def __init__(self, vlm: Vlm, resolution: int) -> None:
        super().__init__()
        self.vision_tower = VisionTower(vlm.vision, resolution)
        self.multi_modal_projector = _Projector(vlm)
        self.language_model = Decoder(vlm.text, vlm.vocabulary)


class _PaliGemma(nn.Module):
    def __init__(self, vlm: Vlm, resolution: int) -> None:
        super().__init__()
        self.model = _PaliGemmaModel(vlm, resolution)
        # Checkpoints have both; a few were trained with them apart, and only the embedding is ever computed with.
        self.lm_head = nn.Linear(vlm.text.width, vlm.vocabulary, bias=False)
        self.lm_head.weight = self.model.language_model.embed_tokens.weight


class _Expert(nn.Module):
    def __init__(self, variant: str, vocabulary: int, adaptive: bool) -> None:
        super().__init__()
        size = GEMMAS[variant]
        self.model = Decoder(size, adaptive=adaptive)
        # Checkpoints have one; nothing is ever computed with it.
        self.lm_head = nn.Linear(size.width, vocabulary, bias=False)
        self.lm_head.weight.requires_grad_(False)


class _Both(nn.Module):
    def __init__(self, config: PI0Config, adaptive: bool) -> None:
        super().__init__()
        vlm = VLMS[config.paligemma_variant]
        self.paligemma = _PaliGemma(vlm, config.image_resolution[0])
        self.gemma_expert = _Expert(config.action_expert_variant, vlm.vocabulary, adaptive)


class PI0(nn.Module):
    """The network, under the names that checkpoints have.

    Args:
        config: its configuration.

    Attributes:
        states: tokens of the state between the prompt and the actions.
        adaptive: do the expert's norms hear what time it is.
    """

    states: ClassVar[int] = 1
    adaptive: ClassVar[bool] = False

    def __init__(self, config: PI0Config) -> None:
        super().__init__()
        self.config = config
        self.paligemma_with_expert = _Both(config, self.adaptive)
        width = GEMMAS[config.action_expert_variant].width
        self.action_in_proj = nn.Linear(config.max_action_dim, width)
        self.action_out_proj = nn.Linear(width, config.max_action_dim)
        self._make(config, width)
        self._narrow()
        self.vision.recompute = config.gradient_checkpointing

    def _make(self, config: PI0Config, width: int) -> None:
        """What state and time go through."""
        self.state_proj = nn.Linear(config.max_state_dim, width)
        self.action_time_mlp_in = nn.Linear(2 * width, width)
        self.action_time_mlp_out = nn.Linear(width, width)

    @property
    def vision(self) -> VisionTower:
        """The vision tower."""
        return self.paligemma_with_expert.paligemma.model.vision_tower

    @property
    def language(self) -> Decoder:
        """The language model."""
        return self.paligemma_with_expert.paligemma.model.language_model

    @property
    def expert(self) -> Decoder:
        """The action expert."""
        return self.paligemma_with_expert.gemma_expert.model

    @property
    def dtype(self) -> torch.dtype:
        """Of the transformers' large layers."""
        return self.expert.layers[0].self_attn.q_proj.weight.dtype  # type: ignore[union-attr,return-value]

    def _narrow(self) -> None:
        """bfloat16 where the configuration says so, norms and vision excepted."""
        if self.config.dtype != "bfloat16":
            return
        both = self.paligemma_with_expert
        for name, parameter in both.named_parameters():
            if not any(part in name for part in WIDE):
                parameter.data = parameter.data.to(torch.bfloat16)

    # --- tokens -----------------------------------------------------------------------------------------------------

    def look(self, images: Tensor) -> Tensor:
        """Images (B, 3, R, R) in -1..1 -> tokens (B, N, W) of the language model."""
        projector = self.paligemma_with_expert.paligemma.model.multi_modal_projector
        tokens: Tensor = projector.linear(self.vision(images.to(projector.linear.weight.dtype)))
        return tokens

    def prefix(self, seen: Seen) -> tuple[Tensor, Tensor]:
        """Tokens (B, P, W) of cameras and prompt, and which of them count (B, P) bool."""
        pictures = [self.look(images) for images in seen.images]
        words = self.language.embed_tokens(seen.tokens)
        words = words * torch.tensor(math.sqrt(words.shape[-1]), dtype=words.dtype, device=words.device)
        counts = [here[:, None].expand(-1, each.shape[1]) for here, each in zip(seen.present, pictures, strict=True)]
        tokens = torch.cat([*(each.to(self.dtype) for each in pictures), words.to(self.dtype)], dim=1)
        return tokens, torch.cat([*counts, seen.written], dim=1)

    def suffix(self, state: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Tokens (B, 1 + T, W) of the state (B, S), then of noisy actions (B, T, D) at times (B,)."""
        actions = self.action_in_proj(noisy)
        when = self.clock(time).to(actions.dtype)[:, None].expand_as(actions)
        actions = self.action_time_mlp_out(F.silu(self.action_time_mlp_in(torch.cat([actions, when], dim=-1))))
        return torch.cat([self.state_proj(state)[:, None], actions], dim=1).to(self.dtype)

    def clock(self, time: Tensor) -> Tensor:
        """Times (…) -> (…, W) of the expert."""
        return time_embedding(time, self.expert.size.width, self.config.min_period, self.config.max_period)

    def when(self, time: Tensor) -> Tensor | None:
        """What the expert's norms are told of times (B,) or (B, T)."""
        return None

    # --- passes -----------------------------------------------------------------------------------------------------

    def forward(self, seen: Seen, noisy: Tensor, time: Tensor) -> Tensor:
        """Velocity (N, T, D) of noisy actions (N, T, D) at times (N,): for training.

        N is B, and everything is one pass; or it is several times B, and each observation is computed once.
        """
        draws = len(noisy) // len(seen.state)
        if draws > 1:
            return self.velocity(self.context(seen).repeated(draws), seen.state.repeat(draws, 1), noisy, time)
        tokens, counts = self.prefix(seen)
        after = self.suffix(seen.state, noisy, time)
        counts = torch.cat([counts, counts.new_ones(after.shape[:2])], dim=1)
        visible = causal_blocks(counts, tokens.shape[1], self.states)
        positions = counts.cumsum(1) - 1
        recompute = self.config.gradient_checkpointing and self.training
        experts, hidden = [self.language, self.expert], [tokens, after]
        found = together(experts, hidden, positions, visible, recompute=recompute, when=self.when(time))
        return self._velocity(found[1])

    def context(self, seen: Seen) -> Context:
        """Cameras and prompt, computed once for all denoising steps."""
        tokens, counts = self.prefix(seen)
        visible = counts[:, None, :] & counts[:, :, None]
        return Context(counts, remember(self.language, tokens, counts.cumsum(1) - 1, visible))

    def velocity(self, context: Context, state: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Of one denoising step: (B, T, D)."""
        after = self.suffix(state, noisy, time)
        ones = context.counts.new_ones(after.shape[:2])
        visible = causal_blocks(torch.cat([context.counts, ones], dim=1), context.counts.shape[1], self.states)
        positions = context.counts.sum(1, keepdim=True) + ones.cumsum(1) - 1
        visible, when = visible[:, context.counts.shape[1] :], self.when(time)
        found = together([self.expert], [after], positions, visible, context.cache, when=when)
        return self._velocity(found[0])

    def sample(self, seen: Seen, noise: Tensor, prefix: Prefix | None = None) -> Tensor:
        """Actions (B, T, D) from noise (B, T, D), continuing a prefix where there is one."""
        context, steps = self.context(seen), self.config.num_inference_steps
        x = noise
        for step in range(steps):
            time = 1.0 - step / steps
            velocity = self.velocity(context, seen.state, x, x.new_full(x.shape[:1], time))
            if prefix is not None:
                velocity = guided(velocity, x, time, prefix)
            x = x - velocity / steps
        return x

    def _velocity(self, suffix: Tensor) -> Tensor:
        out: Tensor = self.action_out_proj(suffix[:, self.states :].float())
        return out


def time_embedding(time: Tensor, width: int, shortest: float, longest: float) -> Tensor:
    """Times (…) -> (…, width): sines, then cosines, of periods from `shortest` to `longest` in equal ratios."""
    wide = torch.float32 if time.device.type == "mps" else torch.float64
    ratios = torch.linspace(0.0, 1.0, width // 2, dtype=wide, device=time.device)
    angles = 2.0 * math.pi * time.to(wide)[..., None] / (shortest * (longest / shortest) ** ratios)
    return torch.cat([angles.sin(), angles.cos()], dim=-1).to(time.dtype)


def causal_blocks(counts: Tensor, prefix: int, states: int) -> Tensor:
    """Who sees whom (B, N, N), of which tokens count (B, N): blocks, each seeing itself and those before it.

    The first `prefix` tokens are cameras and prompt, the next `states` are the state, the rest are actions.
    """
    block = torch.zeros(counts.shape[1], dtype=torch.int64, device=counts.device)
    block[prefix:] = 1
    block[prefix + states :] = 2
    return (block[None, :] <= block[:, None]) & counts[:, None, :] & counts[:, :, None]
