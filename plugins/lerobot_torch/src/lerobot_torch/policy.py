"""TorchPolicy: a network with its configuration, its processors and its place in a checkpoint."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import torch
from lerobot_core.features import ACTION
from lerobot_core.types import Guide
from torch import Tensor, nn

from . import adapter
from .config import TorchPolicyConfig
from .contract import Contract, write_contract
from .device import autocast
from .features import PolicyFeatures, visual, width
from .guidance import Prefix, prefix_of
from .processors.basic import Rename, ToBatch, ToDevice
from .processors.normalize import Normalize, Stats, tensors
from .processors.pipeline import AFTER, BEFORE, Pipeline
from .processors.step import Batch, Step
from .settings import Settings, write_settings
from .weights import FILE as WEIGHTS
from .weights import write_weights

C = TypeVar("C", bound=TorchPolicyConfig)


class TorchPolicy(nn.Module, ABC, Generic[C]):
    """A policy family's base.

    A subclass builds its network in `__init__` under the names its checkpoints have, without buffers that a checkpoint
    does not hold. Batches that reach `forward` and `chunk` have been through `before`.

    Args:
        config: the family's configuration.
        inputs, outputs: what it takes and gives, by checkpoint key.

    Attributes:
        family: the policy's name, as in `config.json`.
        steps: processor steps that only this family has.
        grad_clip_norm: what gradients are clipped to while training.
        guidance: see the policy contract; other than "none" means that it has `guided_chunk`.
        adapted_layers: those that adapters are put beside, a regular expression of their names; "": nobody chose.
        adapter: peft's configuration of the adapter beside its layers; None: it has none, or it is merged.
        before, after: processors on either side of the network.
        contract: names, units and rate; None for a checkpoint that has none.
        folder: where it was loaded from.
        common: the common part of its `config.json`.
    """

    family: ClassVar[str] = ""
    steps: ClassVar[Mapping[str, type[Step]]] = {}
    grad_clip_norm: ClassVar[float] = 10.0
    guidance: ClassVar[Literal["none", "guided", "trained"]] = "none"
    stateless: ClassVar[bool] = True
    adapted_layers: ClassVar[str] = ""

    def __init__(self, config: C, inputs: PolicyFeatures, outputs: PolicyFeatures) -> None:
        super().__init__()
        self.config, self.inputs, self.outputs = config, inputs, outputs
        self.before, self.after = Pipeline(BEFORE, ()), Pipeline(AFTER, ())
        self.contract: Contract | None = None
        self.folder: Path | None = None
        self.common: Mapping[str, Any] = {}
        self.adapter: Any = None
        # Only where it is asked for: an attribute that leads back here keeps the weights until garbage is collected.
        self._compiled: Callable[[Batch], Tensor] | None = torch.compile(self.chunk) if config.compile else None
        self._compiled_guided: Callable[[Batch, Prefix], Tensor] | None = None
        if config.compile and self.guidance != "none":
            self._compiled_guided = torch.compile(self.guided_chunk)

    # --- what a family says -----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def chunk_size(self) -> int:
        """Actions in a chunk (T)."""

    @property
    def n_action_steps(self) -> int:
        """How many of them are executed before the next observation."""
        return self.chunk_size

    @property
    def ensemble(self) -> float | None:
        """Temporal-ensembling coefficient; the queue does the averaging."""
        return None

    @property
    def pictures(self) -> list[str]:
        """The images a robot has to give, by checkpoint key."""
        return visual(self.inputs)

    def renamed(self, found: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A checkpoint's tensors under the names that the network has; for families with older checkpoints."""
        return found

    def initialize(self) -> None:
        """A new policy is about to be trained: the place to read parts that were trained before."""

    @abstractmethod
    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        """The loss of a training batch, and what to log of it."""

    @abstractmethod
    def chunk(self, batch: Batch) -> Tensor:
        """The chunk (B, T, A) a batch of observations calls for, normalised."""

    def guided_chunk(self, batch: Batch, prefix: Prefix) -> Tensor:
        """As `chunk`, continuing what is being executed; for families whose `guidance` is not "none"."""
        raise NotImplementedError(f"{type(self).__name__} says it takes guidance, and has no guided_chunk")

    def param_groups(self) -> list[dict[str, Any]]:
        """Parameter groups for the optimizer."""
        return [{"params": [parameter for parameter in self.parameters() if parameter.requires_grad]}]

    def deltas(self, fps: float) -> dict[str, list[float]]:
        """What a training sample holds besides one row: feature -> seconds from it."""
        return {ACTION: [step / fps for step in range(self.chunk_size)]}

    @classmethod
    def processors(cls, config: C, inputs: PolicyFeatures, outputs: PolicyFeatures, stats: Stats) -> Pipeline:
        """The steps before the network of a new policy; those after it are their mirror image.

        Raises:
            ContractError: a statistic is missing.
        """
        modes = getattr(config, "normalization_mapping", {})
        normalize = Normalize(inputs | outputs, modes, tensors(stats))
        return Pipeline(BEFORE, (Rename(), ToBatch(), ToDevice(), normalize))

    # --- what the base does -----------------------------------------------------------------------------------------

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.parameters()).device

    @property
    def action_width(self) -> int:
        """Numbers in one action of the network (A)."""
        return width(self.outputs, ACTION)

    def act(self, batch: Batch, guide: Guide | None = None) -> Tensor:
        """Observations as a robot or a dataset has them -> actions (B, T, A) in its units, on the CPU.

        A guide's actions (columns in the policy's order) go through `before` together with the observation: normalised
        as actions are, and relative to this observation where the policy's actions are relative.
        """
        with torch.inference_mode(), autocast(self.device, bool(self.config.use_amp)):
            if guide is None or self.guidance == "none":
                chunk = (self._compiled or self.chunk)(self.before(batch))
            else:
                seen = self.before({**batch, ACTION: torch.from_numpy(guide.actions)[None]})
                prefix = prefix_of(guide, seen.pop(ACTION), self.chunk_size)
                chunk = (self._compiled_guided or self.guided_chunk)(seen, prefix)
            actions: Tensor = self.after({ACTION: chunk.float()})[ACTION]
        return actions

    def on(self, device: torch.device) -> None:
        """Move the network; convolutions keep channels last in memory, which is faster everywhere."""
        self.to(device=device)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.before = self.before.moved(str(device))

    def save(self, path: str | Path) -> None:
        """Write a checkpoint folder; what was there before stays until the new one is complete.

        Raises:
            OSError: it cannot be written.
        """
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            self._write(partial)
            _replace(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _write(self, folder: Path) -> None:
        common = {**self.common, "use_peft": self.adapter is not None}
        settings = Settings(self.config, self.inputs, self.outputs, common)
        write_settings(folder, self.family, settings, self.device.type)
        if self.adapter is not None:
            adapter.write(self, folder)
        else:
            write_weights(self, folder / WEIGHTS)
        self.before.write(folder)
        self.after.write(folder)
        if self.contract is not None:
            write_contract(folder, self.contract)


def _replace(partial: Path, target: Path) -> None:
    """Complete and on the disk before it takes the name; there is a moment without either, never with half of one."""
    for file in partial.rglob("*"):
        if file.is_file():
            _flush(file)
    _flush(partial)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    partial.rename(target)
    _flush(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
