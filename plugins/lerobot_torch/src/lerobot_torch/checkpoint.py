"""Policies from checkpoints, and new ones from features and statistics."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lerobot_core.errors import ConfigError, PluginError
from lerobot_core.features import ACTION, ENVIRONMENT, STATE, camera_names, camera_of, image_key, vector_names
from lerobot_core.registry import default_registry
from lerobot_core.specs import PolicySpec
from lerobot_core.types import Features

from . import adapter
from .config import TorchPolicyConfig
from .contract import Contract, read_contract
from .device import choose_device
from .features import PolicyFeature, PolicyFeatures
from .hollow import hollow
from .legacy import split_statistics
from .policy import TorchPolicy
from .processors.normalize import Normalize, Stats
from .processors.pipeline import AFTER, BEFORE, Pipeline, read_pipeline
from .processors.resize import Resize
from .settings import read_settings, settle
from .weights import FILE as WEIGHTS
from .weights import fill, read_weights

log = logging.getLogger("lerobot.policy")


def load(
    path: str | Path,
    device: str | None = None,
    config: TorchPolicyConfig | None = None,
    stats: Stats | None = None,
    keep_adapter: bool = False,
) -> TorchPolicy[Any]:
    """A policy from a checkpoint; of an adapter, its base with the adapter merged into it.

    Args:
        path: a folder (also of a whole training run), `org/name`, or a policy's name that stands for a folder.
        device: where it runs; default the fastest there is.
        config: what a person asked for; the checkpoint says the rest.
        stats: statistics to use instead of the checkpoint's, to train it further on another dataset.
        keep_adapter: leave an adapter beside its base, to be trained further.

    Raises:
        UserError: there is no checkpoint, its plugin is not installed, or it is not whole.
    """
    family, folder = _found(str(path))
    cls = policy_class(family)
    settings = read_settings(folder, _spec(family).config)
    settled = settle(config, settings.config)
    place = choose_device(device or settled.device)
    with hollow():
        policy = cls(settled, settings.inputs, settings.outputs)
    adapted = bool(settings.common.get("use_peft"))
    weights = (_base(family, folder) if adapted else folder) / WEIGHTS
    found = read_weights(weights, place)
    tensors, old_stats = split_statistics(found, settings.inputs | settings.outputs)
    fill(policy, policy.renamed(tensors), str(weights))
    if adapted:
        (adapter.attach if keep_adapter else adapter.attach_merged)(policy, folder)
    policy.before, policy.after = _pipelines(policy, folder, old_stats, stats)
    policy.common, policy.folder, policy.contract = settings.common, folder, read_contract(folder)
    policy.on(place)
    return policy.eval()


def create(
    family: str,
    config: TorchPolicyConfig,
    observation: Features,
    action: Features,
    stats: Stats,
    fps: float,
    robot_type: str = "",
    dataset_fingerprint: str = "",
    resize: tuple[int, int] | None = None,
) -> TorchPolicy[Any]:
    """A new policy with random weights, for training.

    Args:
        family: the policy's name.
        config: its configuration.
        observation, action: what it will see and do, by robot key; images (H, W, 3).
        stats: the dataset's statistics, by its keys.
        fps: rows a second of the dataset.
        robot_type, dataset_fingerprint: written into its contract.
        resize: (height, width) at which the network sees every picture; default: as the robot gives them.

    Raises:
        UserError: the policy is not installed, or features or statistics do not suit it.
    """
    inputs, outputs = _features(observation, action, stats)
    if resize is not None:
        inputs = _at_size(inputs, resize)
    cls = policy_class(family)
    policy = cls(config, inputs, outputs)
    policy.initialize()
    policy.before = cls.processors(config, inputs, outputs, stats)
    if resize is not None:
        policy.before.put_before(Normalize, Resize(resize_size=resize))
    policy.after = policy.before.mirrored(AFTER)
    policy.contract = Contract(observation, action, fps, robot_type, dataset_fingerprint)
    policy.on(choose_device(config.device))
    return policy.train()


def policy_class(family: str) -> type[TorchPolicy[Any]]:
    """The class of a policy family.

    Raises:
        PluginError: it is not installed, or needs no torch.
    """
    spec = _spec(family)
    if not spec.torch:
        raise PluginError(f"policy {family!r} is no network", "its plugin names no torch class")
    module, _, name = spec.torch.partition(":")
    cls: type[TorchPolicy[Any]] = getattr(importlib.import_module(module), name)
    return cls


def _spec(family: str) -> PolicySpec:
    spec = default_registry().spec("policy", family)
    assert isinstance(spec, PolicySpec), "the registry keeps kinds apart"
    return spec


def _found(path: str) -> tuple[str, Path]:
    found = default_registry().resolve("policy", path)
    if not isinstance(found, Mapping) or "path" not in found:
        raise ConfigError(f"policy {path!r} has no weights", "it is a family, not a checkpoint", "--policy FOLDER")
    return str(found["type"]), Path(str(found["path"]))


def _base(family: str, folder: Path) -> Path:
    """The folder with the weights that an adapter belongs to."""
    named = adapter.base_of(folder)
    theirs, base = _found(named)
    if theirs != family:
        raise ConfigError(f"{folder} is an adapter of {family}, and its base {named} is {theirs}")
    if (base / adapter.SETTINGS).is_file() and not (base / WEIGHTS).is_file():
        raise ConfigError(f"the base of {folder} is an adapter itself", named, "load it and save it, which merges it")
    return base


def _pipelines(
    policy: TorchPolicy[Any], folder: Path, old_stats: Stats, stats: Stats | None
) -> tuple[Pipeline, Pipeline]:
    before = read_pipeline(folder, BEFORE, policy.steps, stats)
    after = read_pipeline(folder, AFTER, policy.steps, stats)
    if before is not None and after is not None:
        if old_stats:
            log.info("%s has statistics among its tensors too; its processors' are used", folder)
        return before, after.paired(before)
    if before is not None or after is not None:
        raise ConfigError(f"{folder} has processors on one side of the network only", f"{BEFORE}.json or {AFTER}.json",
                          "copy the checkpoint again")  # fmt: skip
    before = policy.processors(policy.config, policy.inputs, policy.outputs, stats or old_stats)
    log.info("%s is older than processors; its statistics were taken from its tensors", folder)
    return before, before.mirrored(AFTER)


def _features(observation: Features, action: Features, stats: Stats) -> tuple[PolicyFeatures, PolicyFeatures]:
    """Features by checkpoint key, images under the key that the dataset has for them."""
    seen = {camera_of(key): key for key in stats if key not in (STATE, ENVIRONMENT)}
    inputs: PolicyFeatures = {}
    numbers = vector_names(observation)
    if numbers:
        inputs[STATE] = PolicyFeature("STATE", (len(numbers),))
    for camera in camera_names(observation):
        height, row, channels = observation[camera].shape
        inputs[seen.get(camera, image_key(camera))] = PolicyFeature("VISUAL", (channels, height, row))
    return inputs, {ACTION: PolicyFeature("ACTION", (len(vector_names(action)),))}


def _at_size(inputs: PolicyFeatures, size: tuple[int, int]) -> PolicyFeatures:
    """The same with every picture (C, h, w)."""
    return {
        key: PolicyFeature("VISUAL", (feature.shape[0], *size)) if feature.kind == "VISUAL" else feature
        for key, feature in inputs.items()
    }
