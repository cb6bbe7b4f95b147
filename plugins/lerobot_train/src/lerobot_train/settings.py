"""From the command line to a configuration; a resumed run begins with what it was told the first time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lerobot_core.config.resolve import Resolved, resolve
from lerobot_core.config.scan import last, scan
from lerobot_core.config.show import as_data
from lerobot_core.errors import ConfigError, UsageError
from lerobot_core.registry import Registry

from .config import VERB, TrainConfig
from .layout import SETTINGS, Checkpoint, read_json

# What may differ when a run goes on: nothing here changes what was learnt so far or what comes next in the data.
FREE = {
    "resume", "output_dir", "steps", "batch_size", "gradient_accumulation_steps", "save_every", "keep", "log_every",
    "eval_every", "max_eval_samples", "num_workers", "prefetch_factor", "tensorboard", "json", "log_file", "config",
    "show_config", "job_name", "sample_log", "mixed_precision", "dataset.cache", "dataset.cache_dir", "dataset.root",
    "dataset.repo_id", "policy.device", "policy.compile", "policy.path", "policy.use_amp",
    "wandb.enable", "wandb.project", "wandb.entity", "wandb.notes", "wandb.run_id", "wandb.mode",
}  # fmt: skip


def read(argv: Sequence[str], registry: Registry, environ: Mapping[str, str]) -> Resolved[TrainConfig]:
    """The configuration that `argv` asks for.

    Raises:
        UsageError: the command line is wrong.
        ConfigError: a value is, there is nothing to resume, or what is asked for is not what the run began with.
    """
    given = scan(argv)
    word = last(given, "resume")
    if word is None or (word.text or "true").lower() in ("false", "no", "off", "0"):
        resolved = resolve(VERB, argv, registry, environ)
        if resolved.config.resume:
            raise UsageError("resume is asked for in a file or a variable", "it is an option", "lr train --resume")
        return resolved
    folder = last(given, "output_dir")
    if folder is None or not folder.text:
        raise UsageError("resume what?", "", "lr train --resume --output-dir FOLDER --steps N")
    saved = _saved(Checkpoint.newest(Path(folder.text).expanduser()))
    resolved = resolve(dataclasses.replace(VERB, defaults=saved), argv, registry, environ)
    refuse_changes(saved, resolved.config)
    return resolved


def _saved(checkpoint: Checkpoint) -> dict[str, Any]:
    found: dict[str, Any] = read_json(checkpoint.state / SETTINGS)
    return found


def to_save(config: TrainConfig) -> dict[str, Any]:
    """Plain data, from which `read` gets the same configuration anywhere on this machine."""
    data = {
        key: value
        for key, value in as_data(config).items()
        if key not in ("json", "show_config", "config", "sample_log", "log_file")
    }
    root = data["dataset"].get("root")
    if root:
        data["dataset"] = data["dataset"] | {"root": str(Path(root).expanduser().resolve())}
    return data


def refuse_changes(saved: Mapping[str, Any], config: TrainConfig) -> None:
    """Refuse to go on with other settings than the run began with.

    Raises:
        ConfigError: listing each of them with both values.
    """
    free = FREE | {f"policy.{name}" for name in _free_of_policy(config)}
    before, now = dict(_flat(saved)), dict(_flat(to_save(config)))
    changed = [key for key in now if key not in free and key in before and before[key] != now[key]]
    if changed:
        lines = [f"{key}: {before[key]!r} so far, {now[key]!r} now" for key in changed]
        raise ConfigError("the run cannot go on with other settings than it began with", "\n  ".join(lines),
                          "leave them out, or train the checkpoint further in another folder: --policy FOLDER")  # fmt: skip


def _free_of_policy(config: TrainConfig) -> set[str]:
    assert config.policy is not None, "the verb needs one"
    # What an optimizer was made with is in its state, and would not change.
    return {name for name in getattr(config.policy.config, "FREE", ()) if not name.startswith("optimizer_")}


def _flat(data: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        here = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            yield from _flat(value, here)
        else:
            yield here, value
