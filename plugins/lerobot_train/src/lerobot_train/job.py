"""Everything of a run that is there before its first step: the dataset, the policy, what is wanted of the one by the
other, and where in the data to begin."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
from lerobot_core.errors import ConfigError, ContractError
from lerobot_core.features import ACTION, STATE, image_shape, is_image, vector_names
from lerobot_storage_v3.reader import LerobotReader, open_reader
from lerobot_torch import TorchPolicy, adapter
from lerobot_torch.contract import Contract, read_contract
from lerobot_torch.features import visual
from lerobot_torch.processors.basic import Rename
from lerobot_torch.processors.pipeline import Pipeline
from lerobot_torch.processors.resize import Resize

from .config import DatasetSection, TrainConfig
from .cursor import Cursor
from .layout import CURSOR, Checkpoint, read_json
from .relative import relative_statistics
from .rows import Rows, choose_episodes, rows_of, split
from .samples import Wanted

log = logging.getLogger("lerobot.train")

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


@dataclass(frozen=True)
class Job:
    """What a run works on.

    Attributes:
        config: what was asked for.
        reader: the dataset.
        policy: the network.
        rows, held: samples to learn from, and those held out (None: none are).
        wanted: what a sample holds.
        cursor: the first sample.
        checkpoint: what the run goes on from; None: it begins.
        renamed: dataset key -> checkpoint key.
    """

    config: TrainConfig
    reader: LerobotReader
    policy: TorchPolicy[Any]
    rows: Rows
    held: Rows | None
    wanted: Wanted
    cursor: Cursor
    checkpoint: Checkpoint | None
    renamed: Mapping[str, str]


def make_job(config: TrainConfig, checkpoint: Checkpoint | None) -> Job:
    """Open the dataset and make or load the policy.

    Raises:
        UserError: one of them cannot be had, or they do not fit together.
    """
    section = config.dataset
    assert section is not None, "the verb needs one"
    reader = open_reader(section.root or str(section.repo_id), section.revision)
    learnt, judged = split(
        reader, choose_episodes(reader, section.episodes, section.exclude_episodes), section.eval_split
    )
    policy = _policy(config, section, reader, checkpoint)
    renamed = dict(config.rename_map)
    wanted = _wanted(policy, reader, renamed)
    drop = int(getattr(policy.config, "drop_n_last_frames", 0) or 0)
    rows = rows_of(reader, learnt, drop, section.drop_sources)
    _mind_short_episodes(policy, reader, learnt, len(rows))
    held = rows_of(reader, judged, drop) if judged else None
    cursor = _cursor(config, rows, reader.fingerprint, checkpoint)
    return Job(config, reader, policy, rows, held, wanted, cursor, checkpoint, renamed)


def _policy(
    config: TrainConfig, section: DatasetSection, reader: LerobotReader, checkpoint: Checkpoint | None
) -> TorchPolicy[Any]:
    chosen = config.policy
    assert chosen is not None, "the verb needs one"
    adapts = config.peft.enable
    if checkpoint is not None:
        return lerobot_torch.load(
            checkpoint.model, chosen.config.device, replace(chosen.config, path=None), keep_adapter=adapts
        ).train()
    stats = statistics(reader, section.use_imagenet_stats)
    if not chosen.config.path:
        if adapts:
            raise ConfigError("--peft needs a checkpoint", "an adapter changes what is there, and a new network's weights are "
                              "random", "--policy CHECKPOINT, or no --peft")  # fmt: skip
        if getattr(chosen.config, "use_relative_actions", False):
            stats[ACTION] = relative_statistics(reader, chosen.config)
        return lerobot_torch.create(chosen.name, chosen.config, reader.observation, reader.action, stats, reader.fps,
                                    reader.robot_type, reader.fingerprint, section.size)  # fmt: skip
    load = partial(lerobot_torch.load, chosen.config.path, chosen.config.device, chosen.config, keep_adapter=adapts)
    policy = load(stats=_renamed(stats, config))
    if getattr(policy.config, "use_relative_actions", False):  # only the checkpoint knows that its actions are relative
        stats[ACTION] = relative_statistics(reader, policy.config)
        policy = load(stats=_renamed(stats, config))
    _refuse_other_size(policy, section)
    if config.rename_map:
        steps = (Rename(config.rename_map) if isinstance(step, Rename) else step for step in policy.before)
        policy.before = Pipeline(policy.before.name, steps)
    policy.contract = Contract(reader.observation, reader.action, reader.fps, reader.robot_type, reader.fingerprint)
    if adapts and policy.adapter is None:
        peft = config.peft
        base = _base(chosen.config.path, policy)
        adapter.begin(policy, base, peft.r, peft.lora_alpha, peft.layers, peft.full_training_modules or ())
    return policy.train()


def _base(path: str, policy: TorchPolicy[Any]) -> str:
    """How an adapter names its base: a folder wherever one then stands, else `org/name`."""
    return str(policy.folder.resolve()) if policy.folder is not None and Path(path).expanduser().exists() else path


def _renamed(stats: Mapping[str, Any], config: TrainConfig) -> dict[str, Any]:
    return {config.rename_map.get(key, key): value for key, value in stats.items()}


def _refuse_other_size(policy: TorchPolicy[Any], section: DatasetSection) -> None:
    step = policy.before.step(Resize)
    has = tuple(step.size) if step is not None and step.size else None
    if section.size is not None and section.size != has:
        raise ConfigError(f"--dataset.resize {section.resize}: the checkpoint takes images of another size",
                          f"it has {policy.inputs[visual(policy.inputs)[0]].shape}" if visual(policy.inputs) else "",
                          "leave it out: the checkpoint's own is used")  # fmt: skip


def statistics(reader: LerobotReader, imagenet: bool) -> dict[str, dict[str, Any]]:
    """The dataset's; of colour images mean and deviation are ImageNet's, when asked for, as the peer trains."""
    found: dict[str, dict[str, Any]] = {key: dict(each) for key, each in reader.stats.items()}
    for key, entry in reader.info.features.items():
        if imagenet and is_image(entry) and 3 in (entry["shape"][0], entry["shape"][-1]):
            found[key] = found.get(key, {}) | {
                name: np.array(values, np.float64).reshape(3, 1, 1) for name, values in IMAGENET.items()
            }
    return found


def _wanted(policy: TorchPolicy[Any], reader: LerobotReader, renamed: Mapping[str, str]) -> Wanted:
    back = {new: old for old, new in renamed.items()}
    names = {key: back.get(key, key) for key in (*policy.inputs, *policy.outputs)}
    size = _size(policy)
    problems = [line for key, name in names.items() if (line := _misfit(policy, reader, key, name))]
    if problems:
        raise ContractError("the policy and the dataset do not have the same features", "\n  ".join(problems),
                            "--rename-map '{dataset key: policy key}' where only names differ")  # fmt: skip
    seen = set(visual(policy.inputs))
    deltas = {names[key]: value for key, value in policy.deltas(reader.fps).items() if key in names}
    return Wanted(tuple(names[key] for key in names if key not in seen), tuple(names[key] for key in seen_in_order(policy, names)),
                  deltas, size)  # fmt: skip


def seen_in_order(policy: TorchPolicy[Any], names: Mapping[str, str]) -> list[str]:
    """The policy's images, in its order."""
    return [key for key in names if key in visual(policy.inputs)]


def _size(policy: TorchPolicy[Any]) -> tuple[int, int] | None:
    step = policy.before.step(Resize)
    return (step.size[0], step.size[1]) if step is not None and step.size and not step.crops else None


def _misfit(policy: TorchPolicy[Any], reader: LerobotReader, key: str, name: str) -> str:
    """Why the dataset's `name` cannot be the policy's `key`; "" when it can."""
    entry = reader.info.features.get(name)
    if entry is None:
        return f"{key}: the dataset has no {name}; it has {', '.join(_features(reader))}"
    shape = (policy.inputs | policy.outputs)[key].shape
    if is_image(entry):
        if policy.before.step(Resize) is not None:
            return ""  # it takes any
        height, width, channels = image_shape(entry)
        has = (channels, height, width)
        return "" if shape == has else f"{key}: {shape} in the policy, {has} in the dataset"
    if tuple(entry["shape"]) != shape:
        return f"{key}: {shape} in the policy, {tuple(entry['shape'])} in the dataset"
    return _names_differ(policy, reader, key)


def _names_differ(policy: TorchPolicy[Any], reader: LerobotReader, key: str) -> str:
    # `policy.contract` is this dataset's by now; the checkpoint's own is read again where there is one.
    old = read_contract(policy.folder) if policy.folder is not None else None
    if old is None or key not in (STATE, ACTION):
        return ""
    sides = (old.observation, reader.observation) if key == STATE else (old.action, reader.action)
    theirs, ours = (vector_names(side) for side in sides)
    if theirs == ours:
        return ""
    changed = [f"{a} in the policy, {b} in the dataset" for a, b in zip(theirs, ours, strict=False) if a != b]
    return f"{key}: {'; '.join(changed)}"


def _features(reader: LerobotReader) -> list[str]:
    return [key for key in reader.info.features if key.startswith(("observation", "action"))]


def _mind_short_episodes(policy: TorchPolicy[Any], reader: LerobotReader, episodes: list[int], rows: int) -> None:
    longest = max(int(reader.episodes.lengths[each]) for each in episodes)
    if rows < policy.chunk_size:
        raise ContractError(f"the dataset has {rows} rows, a chunk {policy.chunk_size}", "there is nothing to learn it from",
                            f"--policy.chunk-size {longest} or less, or record more")  # fmt: skip
    if longest < policy.chunk_size:
        log.warning("no episode is as long as a chunk: the longest has %d rows, a chunk %d; actions after the %dth are "
                    "never learnt (--policy.chunk-size %d)", longest, policy.chunk_size, longest, longest)  # fmt: skip


def _cursor(config: TrainConfig, rows: Rows, dataset: str, checkpoint: Checkpoint | None) -> Cursor:
    fingerprint = rows.fingerprint(dataset)
    fresh = Cursor(seed=config.seed, shuffle=config.shuffle, frames=len(rows), fingerprint=fingerprint)
    if checkpoint is None:
        return fresh
    saved = Cursor.from_json(read_json(checkpoint.state / CURSOR))
    if saved.fingerprint != fingerprint:
        raise ContractError("the dataset is not the one the run began with",
                            f"{saved.frames} samples ({saved.fingerprint}) then, {len(rows)} ({fingerprint}) now",
                            "train the checkpoint further in another folder: --policy FOLDER")  # fmt: skip
    return saved
