"""`contract.json` beside a checkpoint's `config.json`: names, units and rate, which the peer's files do not hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lerobot_core.config.decode import decode
from lerobot_core.config.origin import Origin
from lerobot_core.errors import ContractError
from lerobot_core.types import Feature, Features

from .jsonfile import read_json

FILE = "contract.json"
SCHEMA = 1
_KEPT = ("dtype", "shape", "unit", "low", "high", "max_rate")


@dataclass(frozen=True)
class Contract:
    """What a policy was trained on.

    Attributes:
        observation, action: features by robot key, in the order of the columns.
        fps: rows a second.
        robot_type: as datasets call it.
        dataset_fingerprint: of the dataset.
    """

    observation: Features
    action: Features
    fps: float | None = None
    robot_type: str = ""
    dataset_fingerprint: str = ""


@dataclass(frozen=True, kw_only=True)
class _File:
    schema: int = SCHEMA
    observation: dict[str, dict[str, Any]] = field(default_factory=dict)
    action: dict[str, dict[str, Any]] = field(default_factory=dict)
    fps: float | None = None
    robot_type: str = ""
    dataset_fingerprint: str = ""


def read_contract(folder: Path) -> Contract | None:
    """None when the checkpoint has none.

    Raises:
        ConfigError: it cannot be read.
        ContractError: it was written by a later version.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    found = decode(_File, read_json(path), Origin("config", str(path)))
    if found.schema != SCHEMA:
        raise ContractError(
            f"{path} has schema {found.schema}", f"this version knows {SCHEMA}", "pip install -U lerobot-torch"
        )
    observation, action = _features(found.observation), _features(found.action)
    return Contract(observation, action, found.fps, found.robot_type, found.dataset_fingerprint)


def _features(side: Mapping[str, Mapping[str, Any]]) -> Features:
    return {
        key: Feature(
            **{name: entry[name] for name in _KEPT if name in entry} | {"shape": tuple(entry.get("shape", ()))}
        )
        for key, entry in side.items()
    }


def write_contract(folder: Path, contract: Contract) -> None:
    """`folder/contract.json`."""
    sides = {
        name: {key: {kept: getattr(feature, kept) for kept in _KEPT} for key, feature in side.items()}
        for name, side in (("observation", contract.observation), ("action", contract.action))
    }
    more = {name: getattr(contract, name) for name in ("fps", "robot_type", "dataset_fingerprint")}
    (folder / FILE).write_text(json.dumps({"schema": SCHEMA} | sides | more, indent=2) + "\n", encoding="utf-8")
