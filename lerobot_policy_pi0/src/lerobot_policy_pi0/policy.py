"""pi0 as a policy: its checkpoint's tensors, its chunk and its loss."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import torch
import torch.nn.functional as F
from lerobot_core.errors import ContractError
from lerobot_core.features import ACTION, STATE
from lerobot_torch.features import PolicyFeature, PolicyFeatures, visual, width
from lerobot_torch.guidance import Prefix
from lerobot_torch.policy import TorchPolicy
from lerobot_torch.processors.basic import Rename, ToBatch, ToDevice
from lerobot_torch.processors.normalize import Normalize, Stats, tensors
from lerobot_torch.processors.pipeline import BEFORE, Pipeline
from lerobot_torch.processors.relative import Relative
from lerobot_torch.processors.step import Batch
from lerobot_torch.processors.tokenizer import MASK, TOKENS
from torch import Tensor, nn

from .config import PI0Config
from .memory import enough_memory
from .network import PI0, Seen
from .pictures import fitted
from .prompt import NewLine, Prompt, prompt

EMPTY = "observation.images.empty_camera_"
BOTH = "model.paligemma_with_expert."
HEAD, EMBEDDING = f"{BOTH}paligemma.lm_head.weight", f"{BOTH}paligemma.model.language_model.embed_tokens.weight"
# Some checkpoints have the time's layers under the names that they have in pi05.
_TIME = re.compile(r"^model\.time_mlp_(in|out)\.")


class PI0Policy(TorchPolicy[PI0Config]):
    """A vision-language-action model with flow matching (arXiv 2410.24164)."""

    family = "pi0"
    steps = {NewLine.name: NewLine, Prompt.name: Prompt}
    grad_clip_norm = 1.0
    guidance = "guided"
    # The expert's attention and what is around the expert, which is the peer's choice too.
    adapted_layers = (
        r".*\.gemma_expert\..*\.self_attn\.(q|v)_proj"
        r"|model\.(state_proj|action_in_proj|action_out_proj|(action_)?time_mlp_(in|out))"
    )
    network: ClassVar[type[PI0]] = PI0

    def __init__(self, config: PI0Config, inputs: PolicyFeatures, outputs: PolicyFeatures) -> None:
        side = config.image_resolution
        empty = {f"{EMPTY}{index}": PolicyFeature("VISUAL", (3, *side)) for index in range(config.empty_cameras)}
        super().__init__(config, {**inputs, **{key: each for key, each in empty.items() if key not in inputs}}, outputs)
        self._refuse()
        self.model = self.network(config)
        self._freeze()

    def _refuse(self) -> None:
        config = self.config
        if not self.pictures:
            raise ContractError(f"{self.family} needs a camera", "it would be blind")
        for name, given, most in (
            ("state", width(self.inputs, STATE), config.max_state_dim),
            ("action", self.action_width, config.max_action_dim),
        ):
            if given > most:
                raise ContractError(
                    f"the {name} has {given} numbers, and {self.family} takes {most}", f"max_{name}_dim is {most}",
                    f"--policy.max-{name}-dim {given} trains one from scratch; a checkpoint's cannot be changed",
                )  # fmt: skip

    def _freeze(self) -> None:
        paligemma = self.model.paligemma_with_expert.paligemma
        if self.config.train_expert_only:
            paligemma.requires_grad_(False)
        elif self.config.freeze_vision_encoder:
            paligemma.model.vision_tower.requires_grad_(False)

    @property
    def pictures(self) -> list[str]:
        """Cameras; a network may have more, which stay dark."""
        return [key for key in visual(self.inputs) if not key.startswith(EMPTY)]

    @property
    def chunk_size(self) -> int:
        """Actions in a chunk."""
        return self.config.chunk_size

    @property
    def n_action_steps(self) -> int:
        """How many of them are executed."""
        return self.config.n_action_steps

    @classmethod
    def processors(cls, config: PI0Config, inputs: PolicyFeatures, outputs: PolicyFeatures, stats: Stats) -> Pipeline:
        """Names, batch, prompt, device, relative actions, normalisation."""
        relative = Relative(config.use_relative_actions, config.relative_exclude_joints, config.action_feature_names)
        normalize = Normalize(inputs | outputs, config.normalization_mapping, tensors(stats))
        return Pipeline(BEFORE, (Rename(), ToBatch(), NewLine(), prompt(config), ToDevice(), relative, normalize))

    def initialize(self) -> None:
        """Random weights of deviation 1 / sqrt(inputs), 0.02 at the full width; norms begin as they are."""
        for module in self.model.modules():
            if isinstance(module, nn.Linear | nn.Embedding | nn.Conv2d):
                nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if isinstance(module, nn.Linear | nn.Conv2d) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def renamed(self, found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Tensors of checkpoints made by openpi or by earlier versions, under today's names."""
        names = {name: name if name.startswith("model.") else f"model.{name}" for name in found}
        return self.tied({_TIME.sub(r"model.action_time_mlp_\1.", names[name]): value for name, value in found.items()})

    @staticmethod
    def tied(plain: dict[str, Tensor]) -> dict[str, Tensor]:
        """With the embedding and the head under both their names: checkpoints keep one of the two."""
        for one, other in ((HEAD, EMBEDDING), (EMBEDDING, HEAD)):
            if one in plain:
                plain.setdefault(other, plain[one])
        return plain

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """Squared error of the velocity at random times, mean over steps and actions.

        Args:
            batch: normalised; `action` (B, T, A), what it observes.
        """
        with enough_memory("training", training=True):
            actions = self._padded(batch[ACTION], self.config.max_action_dim).repeat(self.config.flow_draws, 1, 1)
            noise, time = torch.randn_like(actions), self._times(len(actions)).to(actions.device)
            loss = self.losses(self._seen(batch), actions, noise, time).mean()
        return loss, {"flow_loss": loss.item()}

    def losses(self, seen: Seen, actions: Tensor, noise: Tensor, time: Tensor) -> Tensor:
        """Squared errors (N, T, A) for padded actions and noise (N, T, D) at times (N,), N once or several times B."""
        share = time[:, None, None]
        velocity = self.model(seen, share * noise + (1.0 - share) * actions, time)
        return F.mse_loss(velocity, noise - actions, reduction="none")[..., : self.action_width]

    def chunk(self, batch: Batch) -> Tensor:
        """Actions (B, T, A), normalised."""
        return self.sample(batch)

    def guided_chunk(self, batch: Batch, prefix: Prefix) -> Tensor:
        """Actions (B, T, A), normalised, continuing a prefix."""
        return self.sample(batch, prefix)

    def sample(self, batch: Batch, prefix: Prefix | None = None, noise: Tensor | None = None) -> Tensor:
        """Actions (B, T, A) from noise (B, T, D), random unless it is given."""
        seen = self._seen(batch)
        if noise is None:
            noise = torch.randn(len(seen.state), self.chunk_size, self.config.max_action_dim, device=seen.state.device)
        with enough_memory("predicting"):
            actions: Tensor = self.model.sample(seen, noise, prefix)
        return actions[..., : self.action_width]

    def on(self, device: torch.device) -> None:
        """Move the network."""
        with enough_memory(f"moving it to {device}"):
            super().on(device)

    def _times(self, count: int) -> Tensor:
        config = self.config
        beta = torch.distributions.Beta(config.time_sampling_beta_alpha, config.time_sampling_beta_beta)
        return beta.sample((count,)) * config.time_sampling_scale + config.time_sampling_offset

    def _seen(self, batch: Batch) -> Seen:
        """A camera that gives no picture is left out: its tokens would be masked, and nothing would see them."""
        here = [key for key in self.pictures if key in batch]
        lacking = [key for key in (STATE, TOKENS, MASK) if key not in batch]
        if lacking or not here:
            raise ContractError(f"the batch lacks {', '.join(lacking or self.pictures)}", f"it has {', '.join(batch)}")
        state = self._padded(batch[STATE], self.config.max_state_dim).float()
        images = [fitted(batch[key], self.config.image_resolution[0]) for key in here]
        present = [torch.ones(len(each), dtype=torch.bool, device=each.device) for each in images]
        return Seen(images, present, self._known(batch[TOKENS]), batch[MASK].bool(), state)

    def _known(self, tokens: Tensor) -> Tensor:
        words = self.model.language.embed_tokens.num_embeddings
        if not torch.compiler.is_compiling() and tokens.device.type == "cpu" and int(tokens.max()) >= words:
            raise ContractError(
                f"the prompt has the token {int(tokens.max())}, and this network knows {words}",
                "its tokenizer belongs to another network",
                "--policy.tokenizer FOLDER with the tokenizer it was trained with",
            )
        return tokens

    @staticmethod
    def _padded(values: Tensor, most: int) -> Tensor:
        return F.pad(values, (0, most - values.shape[-1]))
