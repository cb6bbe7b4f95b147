"""An exponential moving average of the weights: often a better policy than the last step's, for one copy in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from lerobot_core.errors import ConfigError, ContractError
from lerobot_torch import TorchPolicy
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.optim.swa_utils import get_ema_multi_avg_fn

from .config import EmaConfig

FILE = "ema_state.safetensors"
_UPDATES, _AVERAGE = "updates", "average/"


def decay_at(config: EmaConfig, update: int) -> float:
    """How much of the average stays at update number `update` (from 1); 0: it begins anew with the weights.

    Without a constant `decay` it rises as 1 - (1 + n / inv_gamma)^-power, so that the random weights of the first steps are
    soon forgotten.
    """
    n = update - config.update_after_step - 1
    if n <= 0:
        return 0.0
    if config.decay is not None:
        return config.decay
    return float(min(max(1.0 - (1.0 + n / config.inv_gamma) ** -config.power, config.min_decay), config.max_decay))


class Ema:
    """The average of what is trained of a policy, in float32; what is frozen and buffers are the policy's own.

    Args:
        config: how fast it follows.
        policy: on its device.
    """

    def __init__(self, config: EmaConfig, policy: TorchPolicy[Any]) -> None:
        self._config, self._updates = config, 0
        self._trained = {name: each for name, each in policy.named_parameters() if each.requires_grad}
        self._average = {name: each.detach().to(torch.float32, copy=True) for name, each in self._trained.items()}

    def update(self) -> None:
        """After an optimizer step."""
        self._updates += 1
        now = [each.detach().float() for each in self._trained.values()]
        average: Any = list(self._average.values())
        get_ema_multi_avg_fn(decay_at(self._config, self._updates))(average, now, self._updates)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The policy has the average's weights meanwhile."""
        own = {name: each.data for name, each in self._trained.items()}
        try:
            for name, each in self._trained.items():
                each.data = self._average[name].to(each.dtype)
            yield
        finally:
            for name, each in self._trained.items():
                each.data = own[name]

    def save(self, folder: Path) -> None:
        """As it is, whatever precision the policy has.

        Raises:
            OSError, SafetensorError: it cannot be written.
        """
        tensors = {f"{_AVERAGE}{name}": each.cpu().contiguous() for name, each in self._average.items()}
        save_file(tensors | {_UPDATES: torch.tensor(self._updates)}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Go on from there.

        Raises:
            ConfigError: there is none.
            ContractError: it belongs to another network.
        """
        try:
            found = load_file(folder / FILE)
        except (OSError, SafetensorError) as error:
            raise ConfigError(
                f"{folder / FILE} cannot be read", str(error), "resume from another checkpoint"
            ) from error
        self._updates = int(found.pop(_UPDATES))
        found = {name.removeprefix(_AVERAGE): each for name, each in found.items()}
        shapes = {name: each.shape for name, each in self._average.items()}
        if {name: each.shape for name, each in found.items()} != shapes:
            odd = sorted({*shapes.items()} ^ {(name, each.shape) for name, each in found.items()})
            raise ContractError(f"{folder / FILE} belongs to another network",
                                f"other names or shapes: {', '.join(sorted({name for name, _ in odd}))}")  # fmt: skip
        for name, each in found.items():
            self._average[name].copy_(each)
