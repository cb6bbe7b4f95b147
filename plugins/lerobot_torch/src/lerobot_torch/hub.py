"""Checkpoints of the Hugging Face Hub, kept in its cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lerobot_core.errors import ConfigError, InferenceError

CHECKPOINT = ("*.json", "*.safetensors", "tokenizer/*", "action_tokenizer/*")
# What else a training run publishes: older checkpoints, optimizer state, videos.
_LEFT_OUT = ("checkpoints/*", "training_state/*", "eval/*", "wandb/*")


def fetch(repo_id: str, patterns: Sequence[str] = CHECKPOINT) -> Path:
    """The folder of `org/name` in the cache; only what is missing or has changed is fetched.

    Without a network, what is in the cache is used.

    Raises:
        ConfigError: there is no such repository, or the token may not see it.
        InferenceError: it is not in the cache and cannot be fetched.
    """
    from huggingface_hub import snapshot_download

    with _explained(repo_id):
        return Path(str(snapshot_download(repo_id, allow_patterns=list(patterns), ignore_patterns=list(_LEFT_OUT))))


@contextmanager
def _explained(repo_id: str) -> Iterator[None]:
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    try:
        yield
    except (RepositoryNotFoundError, HFValidationError) as error:
        why = "the Hub has none by that name, or it is private and the token may not see it"
        raise ConfigError(f"no checkpoint {repo_id}", why, "check the name, or: hf auth login") from error
    except HfHubHTTPError as error:
        why = f"the Hub answered {error.response.status_code}"
        raise InferenceError(f"{repo_id} cannot be fetched", why, "hf auth login, or try again later") from error
    except (OSError, RuntimeError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise InferenceError(
            f"{repo_id} cannot be fetched, and is not in the cache", first, "try again with a network"
        ) from error
