"""Which robot key each column of a checkpoint is: looked up in a fixed order, never guessed."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from lerobot_core.calibration import home
from lerobot_core.errors import ConfigError, ContractError, UserError
from lerobot_core.features import ACTION, ENVIRONMENT, STATE, camera_of, is_nameless, vector_names
from lerobot_core.registry import default_registry
from lerobot_core.types import Feature, Features, Unit

from .config import TorchPolicyConfig
from .contract import FILE as CONTRACT
from .features import width
from .jsonfile import read_json
from .policy import TorchPolicy
from .processors.basic import Rename
from .processors.delta import DeltaNames, DeltaTargets
from .processors.relative import Relative
from .processors.resize import Resize

log = logging.getLogger("lerobot.policy")

TRAINING = "train_config.json"
_UNITS = [unit for arg in get_args(Unit) for unit in get_args(arg)]


@dataclass(frozen=True)
class Names:
    """A checkpoint's columns by robot key.

    Attributes:
        observation: numbers in the order of the columns.
        action: the same.
        fps: the rate it was trained at, None when nobody says.
        source: where this comes from, for the log.
        assumed: these are mere positions until a robot lends its order.
        stated: actions whose unit a file states; the others' are doubted until the robot's range agrees.
        units: what a person said about unknown units: `deg`, or `deg,gripper.pos=pct` where there are several.
    """

    observation: Features
    action: Features
    fps: float | None = None
    source: str = ""
    assumed: bool = False
    stated: frozenset[str] = frozenset()
    units: str = ""

    def settled(self) -> Names:
        """The same with the units that a person told, where nobody else did.

        Raises:
            ConfigError: one is no unit, or is told of a key that is not there.
        """
        general, special = _told_units(self.units)
        strangers = special.keys() - self.observation.keys() - self.action.keys()
        if strangers and not self.assumed:
            raise ConfigError(f"--policy.units names {_listed(strangers)}", f"the policy has {_listed(self.action)}")

        def known(features: Features) -> Features:
            return {
                key: dataclasses.replace(each, unit=special.get(key, general)) if each.unit is None else each
                for key, each in features.items()
            }

        return dataclasses.replace(self, observation=known(self.observation), action=known(self.action))

    def bound(self, observation: Features, action: Features) -> Names:
        """With a robot's order, where that was to be assumed; the lengths must agree.

        Raises:
            ContractError: the robot has more or fewer numbers.
        """
        if not self.assumed:
            return self
        sides = []
        for what, mine, robot in (("observes", self.observation, observation), ("does", self.action, action)):
            keys = vector_names(robot) if mine else ()
            if len(keys) != len(mine):
                raise ContractError(
                    f"the checkpoint {what} {len(mine)} numbers, the robot has {len(keys)}",
                    _listed(keys),
                    "--policy.names-from DATASET",
                )
            sides.append({key: Feature() for key in keys})
        return dataclasses.replace(self, observation=sides[0], action=sides[1], assumed=False).settled()


class _Absent(Exception):
    """Why one place has no names."""


def find_names(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    """The names of a policy's columns.

    Looked for in its contract, in its configuration, in the dataset it was trained on, in `--policy.names-from`; last,
    `--policy.assume-order` takes the robot's order.

    Raises:
        ContractError: nowhere, with the list of what was tried; or the number of names is not the number of columns.
    """
    places: tuple[tuple[str, Callable[[TorchPolicy[Any], TorchPolicyConfig], Names]], ...] = (
        (CONTRACT, _from_contract),
        ("config.json and processors", _from_configuration),
        (TRAINING, _from_training),
        ("--policy.names-from", _from_option),
        ("--policy.assume-order", _assumed),
    )
    reasons = []
    for place, look in places:
        try:
            found = look(policy, config)
        except _Absent as absent:
            reasons.append(f"{place}: {absent}")
            continue
        _check_widths(policy, found)
        if config.names_from and look is not _from_option:
            log.warning("--policy.names-from is not needed: names come from %s", found.source)
        log.info("names from %s: %s", found.source, ", ".join(found.action))
        stated = frozenset(key for key, feature in found.action.items() if feature.unit is not None)
        return dataclasses.replace(found, stated=stated, units=config.units or "").settled()
    raise ContractError(
        f"the checkpoint {policy.folder} does not name its {policy.action_width} actions",
        "\n  ".join(reasons),
        "--policy.names-from DATASET, or --policy.assume-order when the robot's order is the order it was trained in",
    )


def _from_contract(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    contract = policy.contract
    if contract is None:
        raise _Absent("none beside config.json")
    return Names(_numbers(contract.observation), contract.action, contract.fps, CONTRACT)


def _from_configuration(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    relative = policy.before.step(Relative)
    delta = policy.after.step(DeltaTargets) or policy.after.step(DeltaNames)
    listed = getattr(policy.config, "action_feature_names", None) or (relative and relative.action_names)
    names = delta.action_names if delta else listed
    if not names:
        raise _Absent("no action_feature_names, no action_names")
    columns = _observed(policy)
    if columns not in (0, len(names)):
        raise _Absent(f"they name {len(names)} actions, but not the {columns} numbers it observes")
    features: Features = {str(name): Feature() for name in names}
    return Names(features if columns else {}, features, None, "the checkpoint's configuration")


def _from_training(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    path = None if policy.folder is None else policy.folder / TRAINING
    if path is None or not path.is_file():
        raise _Absent("none beside config.json")
    told = read_json(path).get("dataset")
    root = _local_dataset(told if isinstance(told, Mapping) else {})
    return _from_dataset(str(root), f"the dataset it was trained on, {root}")


def _local_dataset(told: Mapping[str, Any]) -> Path:
    """The dataset's folder on this disk; nothing is fetched."""
    given, repo = told.get("root"), str(told.get("repo_id") or "")
    places = [Path(str(given)).expanduser()] if given else []
    if repo:
        base = home()
        cached = base / "hub" / f"datasets--{repo.replace('/', '--')}" / "snapshots"
        places += [base / repo, *sorted(cached.glob("*"), key=os.path.getmtime, reverse=True)]
    found = next((place for place in places if (place / "meta" / "info.json").is_file()), None)
    if found is None:
        raise _Absent(f"its dataset {given or repo or '(unnamed)'} is not on this disk")
    return found


def _from_option(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    if not config.names_from:
        raise _Absent("not given")
    try:
        return _from_dataset(config.names_from, f"--policy.names-from {config.names_from}")
    except _Absent as absent:
        raise ContractError(f"--policy.names-from {config.names_from} does not help", str(absent)) from None


def _from_dataset(where: str, source: str) -> Names:
    try:
        tools = default_registry().spec("storage", "lerobot").tools  # type: ignore[attr-defined]
        reader = tools().reader(where)
    except UserError as error:
        raise _Absent("; ".join(part for part in (error.what, error.fix) if part)) from error
    try:
        if is_nameless(reader.action):
            raise _Absent(f"{where} has no names either")
        return Names(_numbers(reader.observation), reader.action, reader.fps, source)
    finally:
        reader.close()


def _assumed(policy: TorchPolicy[Any], config: TorchPolicyConfig) -> Names:
    if not config.assume_order:
        raise _Absent("not given")
    observed, acted = _observed(policy), policy.action_width
    return Names(
        {f"{STATE}[{index}]": Feature() for index in range(observed)},
        {f"{ACTION}[{index}]": Feature() for index in range(acted)},
        None,
        "--policy.assume-order",
        assumed=True,
    )


def _numbers(features: Features) -> Features:
    return {key: features[key] for key in vector_names(features)}


def _observed(policy: TorchPolicy[Any]) -> int:
    """Numbers in an observation: state, then environment state."""
    return width(policy.inputs, STATE) + width(policy.inputs, ENVIRONMENT)


def _check_widths(policy: TorchPolicy[Any], names: Names) -> None:
    delta = policy.after.step(DeltaTargets) or policy.after.step(DeltaNames)
    acted = len(delta.action_names) if delta else policy.action_width
    for what, wanted, found in (
        ("observation", _observed(policy), names.observation),
        ("action", acted, names.action),
    ):
        if wanted != len(found):
            raise ContractError(
                f"the checkpoint has {wanted} numbers in its {what}, {names.source} names {len(found)}",
                _listed(found),
                "name the dataset it was trained on: --policy.names-from DATASET",
            )


def _told_units(text: str) -> tuple[Any, dict[str, Any]]:
    """The unit of every key but some, and those of some."""
    parts = [part.strip().rpartition("=") for part in text.split(",") if part.strip()]
    wrong = [unit for _, _, unit in parts if unit not in _UNITS]
    if wrong:
        raise ConfigError(
            f"--policy.units: {wrong[0]!r} is no unit",
            f"units: {_listed(filter(None, _UNITS))}",
            "--policy.units deg, or deg,gripper.pos=pct",
        )
    return next((unit for key, _, unit in parts if not key), None), {key: unit for key, _, unit in parts if key}


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def cameras(policy: TorchPolicy[Any]) -> dict[str, tuple[str, Feature]]:
    """Robot key of each camera -> its key before the checkpoint's own renaming, and its feature (H, W, C)."""
    rename = policy.before.step(Rename)
    sources = {new: old for old, new in rename.rename_map.items()} if rename else {}
    found: dict[str, tuple[str, Feature]] = {}
    for key in policy.pictures:
        source = sources.get(key, key)
        channels, height, row = policy.inputs[key].shape
        name = camera_of(source) or source
        found[name] = (source, _given(policy, name) or Feature("uint8", (height, row, channels)))
    return found


def _given(policy: TorchPolicy[Any], camera: str) -> Feature | None:
    """The picture as the robot gives it, where the checkpoint resizes: only its contract knows that size."""
    if policy.contract is None or policy.before.step(Resize) is None:
        return None
    return policy.contract.observation.get(camera)
