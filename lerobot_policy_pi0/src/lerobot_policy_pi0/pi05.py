"""pi0.5 (arXiv 2504.16054): what differs from pi0."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import torch.nn.functional as F
from lerobot_torch.features import PolicyFeatures
from lerobot_torch.processors.basic import Rename, ToBatch, ToDevice
from lerobot_torch.processors.normalize import Normalize, Stats, tensors
from lerobot_torch.processors.pipeline import BEFORE, Pipeline
from lerobot_torch.processors.relative import Relative
from torch import Tensor, nn

from .config import PI0Config
from .gemma import AdaptiveRMSNorm
from .network import PI0
from .policy import BOTH, PI0Policy
from .prompt import Prompt, StatePrompt, prompt

log = logging.getLogger("lerobot.policy")

# The time's layers have pi0's names in some checkpoints.
_TIME = re.compile(r"^model\.action_time_mlp_(in|out)\.")
# Of pi0 checkpoints that became pi0.5: nothing here is computed with them.
_LEFT_OVER = re.compile(
    rf"^model\.state_proj\.|^{re.escape(BOTH)}gemma_expert\.model\.(layers\.\d+\.\w+_layernorm|norm)\.weight$"
)


class PI05(PI0):
    """The network, under the names that checkpoints have."""

    states = 0
    adaptive = True

    def _make(self, config: PI0Config, width: int) -> None:
        self.time_mlp_in, self.time_mlp_out = nn.Linear(width, width), nn.Linear(width, width)

    def suffix(self, state: Tensor, noisy: Tensor, time: Tensor) -> Tensor:
        """Tokens (B, T, W) of noisy actions (B, T, D); state and time come another way."""
        tokens: Tensor = self.action_in_proj(noisy)
        return tokens.to(self.dtype)

    def when(self, time: Tensor) -> Tensor:
        """(B, 1, W) of times (B,), (B, T, W) of times (B, T)."""
        told = self.clock(time if time.dim() == 2 else time[:, None]).to(self.time_mlp_in.weight.dtype)
        return F.silu(self.time_mlp_out(F.silu(self.time_mlp_in(told))))


class PI05Policy(PI0Policy):
    """pi0 with the state in its prompt and norms that know the time (arXiv 2504.16054)."""

    family = "pi05"
    steps = {StatePrompt.name: StatePrompt, Prompt.name: Prompt}
    network = PI05

    @classmethod
    def processors(cls, config: PI0Config, inputs: PolicyFeatures, outputs: PolicyFeatures, stats: Stats) -> Pipeline:
        """Names, batch, relative actions, normalisation, prompt of task and normalised state, device."""
        relative = Relative(config.use_relative_actions, config.relative_exclude_joints, config.action_feature_names)
        normalize = Normalize(inputs | outputs, config.normalization_mapping, tensors(stats))
        steps = (Rename(), ToBatch(), relative, normalize, StatePrompt(), prompt(config), ToDevice())
        return Pipeline(BEFORE, steps)

    def initialize(self) -> None:
        """As pi0's; norms begin without scale, shift or gate, so that every layer begins as nothing."""
        super().initialize()
        for module in self.model.modules():
            if isinstance(module, AdaptiveRMSNorm):
                nn.init.zeros_(module.dense.weight)

    def renamed(self, found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Tensors of checkpoints made by openpi or by earlier versions, under today's names."""
        names = {name: name if name.startswith("model.") else f"model.{name}" for name in found}
        plain = {_TIME.sub(r"model.time_mlp_\1.", names[name]): value for name, value in found.items()}
        dropped = [name for name in plain if _LEFT_OVER.match(name)]
        if dropped:
            log.warning(
                "%d tensors of the checkpoint are pi0's and have no place in pi05: %s …", len(dropped), dropped[0]
            )
        return self.tied({name: value for name, value in plain.items() if name not in dropped})
