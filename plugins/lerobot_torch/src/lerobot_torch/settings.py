"""A checkpoint's `config.json`: read into a family's configuration, and written as the peer does."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lerobot_core.config.decode import decode
from lerobot_core.config.origin import Origin
from lerobot_core.errors import ConfigError, ContractError

from .config import TorchPolicyConfig
from .features import PolicyFeatures, read_features, write_features
from .jsonfile import read_json

log = logging.getLogger("lerobot.policy")

FILE = "config.json"
C = TypeVar("C", bound=TorchPolicyConfig)

# What every checkpoint has between its type and the family's own fields, in this order.
_COMMON: dict[str, Any] = {
    "n_obs_steps": 1, "input_features": {}, "output_features": {}, "device": "cpu", "use_amp": False,
    "use_peft": False, "push_to_hub": False, "repo_id": None, "private": None, "tags": None, "license": None,
    "pretrained_path": None, "pretrained_revision": None,
}  # fmt: skip
_NEUTRAL: tuple[Any, ...] = (None, False, [], {}, "")


@dataclass(frozen=True)
class Settings:
    """What a `config.json` says.

    Attributes:
        config: the family's configuration.
        inputs, outputs: what the network takes and gives.
        common: the common part as the file has it; nothing of it is lost when the checkpoint is written again.
    """

    config: TorchPolicyConfig
    inputs: PolicyFeatures
    outputs: PolicyFeatures
    common: Mapping[str, Any]


def read_settings(folder: Path, kind: type[TorchPolicyConfig]) -> Settings:
    """`folder/config.json` as a `kind`.

    Raises:
        ConfigError: it cannot be read, or a value does not fit.
        ContractError: it is of a form that is not supported.
    """
    path = folder / FILE
    data = read_json(path)
    if not isinstance(data, dict) or "input_features" not in data or "output_features" not in data:
        raise ContractError(
            f"{path} does not say what the policy takes and gives",
            "checkpoints older than LeRobot 0.1 do not",
            "load and save it with LeRobot 0.4 first",
        )
    _refuse_unknown(path, data, kind)
    own = {name: data[name] for name in kind.own() if name in data}
    config = decode(kind, own | {"use_amp": bool(data.get("use_amp"))}, Origin("config", str(path)))
    inputs = read_features(data["input_features"], f"{path}, input_features")
    outputs = read_features(data["output_features"], f"{path}, output_features")
    return Settings(config, inputs, outputs, {key: data[key] for key in _COMMON if key in data})


def _refuse_unknown(path: Path, data: Mapping[str, Any], kind: type[TorchPolicyConfig]) -> None:
    """A field we do not know may change what the network computes, unless it is switched off."""
    unknown = {key: value for key, value in data.items() if key not in ("type", *_COMMON, *kind.own())}
    harmful = [f"{key}={value!r}" for key, value in unknown.items() if value not in _NEUTRAL]
    if harmful:
        raise ConfigError(
            f"{path} has fields this version does not know: {', '.join(harmful)}",
            "they may change what the network computes",
            f"pip install -U lerobot-policy-{data.get('type')}",
        )
    if unknown:
        log.info("%s: not known and switched off: %s", path, ", ".join(unknown))


def settle(given: C | None, saved: C) -> C:
    """The checkpoint's configuration with what a person changed.

    A value that equals the default says nothing, because nobody has to type it.

    Raises:
        ConfigError: `given` asks for another network than the one that was trained.
    """
    if given is None:
        return saved
    defaults = {field.name: _default(field) for field in dataclasses.fields(given)}
    own, typed = set(given.own()), {name: getattr(given, name) for name in defaults}
    typed = {name: value for name, value in typed.items() if value not in (defaults[name], getattr(saved, name))}
    fixed = [name for name in typed if name in own and name not in given.FREE]
    if fixed:
        raise ConfigError(
            "; ".join(f"{name} is {getattr(saved, name)!r} in this checkpoint, not {typed[name]!r}" for name in fixed),
            "it was trained so",
            f"leave {', '.join(fixed)} out, or train a policy with another value",
        )
    return saved.changed(**typed)


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default


def write_settings(folder: Path, family: str, settings: Settings, device: str) -> None:
    """`folder/config.json`, keys in the peer's order, four spaces."""
    known = {
        "input_features": write_features(settings.inputs),
        "output_features": write_features(settings.outputs),
        "device": device,
        "use_amp": bool(settings.config.use_amp),
    }
    own = settings.config.saved()
    common = {key: known.get(key, own.get(key, settings.common.get(key, value))) for key, value in _COMMON.items()}
    (folder / FILE).write_text(json.dumps({"type": family, **common, **own}, indent=4), encoding="utf-8")
