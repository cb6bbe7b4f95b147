"""The task as tokens, for policies that read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lerobot_core.errors import ConfigError, ContractError, PluginError
from torch import Tensor

from ..jsonfile import read_json
from .step import Batch, State, Step

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENS = "observation.language.tokens"
MASK = "observation.language.attention_mask"
FILE, CONFIG = "tokenizer.json", "tokenizer_config.json"


class Tokenize(Step):
    """Task -> token ids (B, L) int64 and mask (B, L) bool, loaded when the first task comes.

    Args:
        max_length: the longest task, in tokens.
        task_key: where the text is.
        padding_side: `right` or `left`.
        padding: `max_length`, or `longest` of the batch.
        truncation: cut a longer task; else it is refused.
        tokenizer_name: a folder, or `org/name`.
        folder: the checkpoint's own tokenizer folder; it wins.
    """

    name = "tokenizer_processor"

    def __init__(
        self,
        max_length: int = 512,
        task_key: str = "task",
        padding_side: str = "right",
        padding: str = "max_length",
        truncation: bool = True,
        tokenizer_name: str | None = None,
        folder: Path | None = None,
    ) -> None:
        self.max_length, self.task_key, self.padding_side = max_length, task_key, padding_side
        self.padding, self.truncation, self.tokenizer_name = padding, truncation, tokenizer_name
        self.folder = folder
        self._tokenizer: Tokenizer | None = None

    @classmethod
    def read(cls, config: Mapping[str, Any], state: State, artifacts: Mapping[str, Path]) -> Step:
        """From a checkpoint; a tokenizer of its own wins."""
        return cls(**config, folder=artifacts.get("tokenizer_name"))

    def __call__(self, batch: Batch) -> Batch:
        """Adds tokens and mask, on the device of the batch."""
        tasks = batch.get(self.task_key)
        if tasks is None:
            raise ContractError("this policy reads its task, and there is none", fix="--task TEXT")
        encoded = self._encode([tasks] if isinstance(tasks, str) else list(tasks))
        device = next((value.device for value in batch.values() if isinstance(value, Tensor)), None)
        ids = torch.tensor([each.ids for each in encoded], dtype=torch.int64, device=device)
        mask = torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool, device=device)
        return {**batch, TOKENS: ids, MASK: mask}

    def _encode(self, tasks: list[str]) -> list[Any]:
        if self._tokenizer is None:
            self._tokenizer = self._load()
        encoded = self._tokenizer.encode_batch(tasks)
        longest = max(sum(each.attention_mask) for each in encoded)
        if longest > self.max_length:
            raise ContractError(f"the task is {longest} tokens long", f"this policy reads {self.max_length}")
        return encoded

    def _load(self) -> Tokenizer:
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise PluginError(
                "this policy reads its task, and nothing installed splits text into tokens",
                str(error),
                "pip install 'lerobot-torch[language]'",
            ) from error
        folder = self._folder()
        try:
            loaded = Tokenizer.from_file(str(folder / FILE))
        except Exception as error:  # the library raises nothing more particular
            raise ConfigError(f"{folder / FILE} cannot be read", str(error), "copy the tokenizer again") from error
        token = _padding_token(folder / CONFIG)
        loaded.enable_padding(
            direction=self.padding_side,
            pad_id=loaded.token_to_id(token) or 0,
            pad_token=token,
            length=self.max_length if self.padding == "max_length" else None,
        )
        if self.truncation:
            loaded.enable_truncation(self.max_length)
        else:
            loaded.no_truncation()
        return loaded

    def _folder(self) -> Path:
        if self.folder is not None:
            return self.folder
        if not self.tokenizer_name:
            raise ConfigError(
                "the checkpoint does not say which tokenizer it was trained with",
                "it has neither a tokenizer folder nor a tokenizer_name",
            )
        local = Path(self.tokenizer_name).expanduser()
        if (local / FILE).is_file():
            return local
        from ..hub import fetch

        return fetch(self.tokenizer_name, (FILE, CONFIG))

    def config(self) -> dict[str, Any]:
        """As the peer writes it, `tokenizer_name` where there is one."""
        config = {
            "max_length": self.max_length,
            "task_key": self.task_key,
            "padding_side": self.padding_side,
            "padding": self.padding,
            "truncation": self.truncation,
        }
        return config | {"tokenizer_name": self.tokenizer_name} if self.tokenizer_name else config

    def artifacts(self) -> dict[str, Path]:
        """The tokenizer's folder, where the checkpoint had one."""
        return {} if self.folder is None else {"tokenizer_name": self.folder}


def _padding_token(path: Path) -> str:
    """As the tokenizer's own configuration says; padding is masked out, so any token will do where it says nothing."""
    named = read_json(path).get("pad_token") if path.is_file() else None
    text = named.get("content") if isinstance(named, dict) else named
    return text if isinstance(text, str) else "<pad>"
