"""The prompt: a task on a line of its own, for pi05 with the state behind it, in PaliGemma's tokens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from lerobot_core.errors import ContractError, UserError
from lerobot_core.features import STATE
from lerobot_torch.processors.step import Batch, Step
from lerobot_torch.processors.tokenizer import FILE, Tokenize
from torch import Tensor

from .config import PI0Config

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PALIGEMMA = "google/paligemma-3b-pt-224"


class NewLine(Step):
    """A task ends with one line break, as in training."""

    name = "pi0_new_line_processor"

    def __call__(self, batch: Batch) -> Batch:
        """`task`, text or a list of texts."""
        task = batch.get("task")
        if isinstance(task, str):
            return {**batch, "task": _ended(task)}
        return batch if task is None else {**batch, "task": [_ended(each) for each in task]}


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"


class StatePrompt(Step):
    """The task with the state behind it, each number as one of 256 equal steps of -1..1."""

    name = "pi05_prepare_state_tokenizer_processor_step"
    steps = 256

    def __call__(self, batch: Batch) -> Batch:
        """`task`, text or a list of texts, for states (B, S) that are normalised already."""
        task = batch.get("task")
        if task is None:
            return batch
        if STATE not in batch:
            raise ContractError(
                "pi05 reads the state in its prompt, and there is none", f"the batch has {', '.join(batch)}"
            )
        tasks = [task] if isinstance(task, str) else list(task)
        rows = self.digits(batch[STATE]).tolist()
        return {**batch, "task": [_with_state(*each) for each in zip(tasks, rows, strict=True)]}

    @classmethod
    def digits(cls, state: Tensor) -> Tensor:
        """Numbers -> 0 to 255, below -1 it is -1."""
        edges = torch.linspace(-1.0, 1.0, cls.steps + 1, dtype=torch.float64, device=state.device)[:-1]
        return torch.bucketize(state.double().contiguous(), edges, right=True) - 1


def _with_state(task: str, digits: Sequence[int]) -> str:
    plain = task.strip().replace("_", " ").replace("\n", " ")
    return f"Task: {plain}, State: {' '.join(map(str, digits))};\nAction: "


class Prompt(Tokenize):
    """As the base's, but a prompt that is too long is refused: cut, it would lose its end, the line break first."""

    def _load(self) -> Tokenizer:
        try:
            loaded = super()._load()
        except UserError as error:
            raise ContractError(
                f"this policy reads its task, and its tokenizer {self.folder or self.tokenizer_name!r} cannot be had",
                f"{error.what}; {error.why}" if error.why else error.what,
                f"put {FILE} into the folder `tokenizer` of the checkpoint, or: --policy.tokenizer FOLDER",
            ) from error
        loaded.no_truncation()
        return loaded


def prompt(config: PI0Config) -> Prompt:
    """The step of a new policy."""
    local = Path(config.tokenizer).expanduser() if config.tokenizer else None
    folder = local if local is not None and (local / FILE).is_file() else None
    name = None if folder else config.tokenizer or PALIGEMMA
    return Prompt(max_length=config.tokenizer_max_length, tokenizer_name=name, folder=folder)
