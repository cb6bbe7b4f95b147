"""Robot keys on one side, the keys of datasets and checkpoints on the other.

A robot says `shoulder_pan.pos` and `front`; a LeRobotDataset and a checkpoint say `observation.state`, `action` and
`observation.images.front`. The scalars of one side are the named columns of a vector on the other, in the robot's order.
An *entry* is one value of `info.json`'s `features`: `{"dtype", "shape", "names", …}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from .errors import ContractError
from .types import Feature, Features

OBSERVATION = "observation."
STATE = "observation.state"
ENVIRONMENT = "observation.environment_state"
IMAGES = "observation.images."
ACTION = "action"

Entry = dict[str, Any]
FeatureType = Literal["VISUAL", "STATE", "ENV", "ACTION"]

_POSITIONAL = re.compile(r"(?:action|observation\.state)\[\d+\]")


def vector_names(features: Features) -> tuple[str, ...]:
    """The scalar keys in the robot's order: the columns of its vector.

    Raises:
        ContractError: a key is neither a scalar nor a (H, W, C) image.
    """
    odd = [key for key, feature in features.items() if feature.shape and not feature.is_image]
    if odd:
        shape = features[odd[0]].shape
        raise ContractError(
            f"{odd[0]!r} has shape {shape}",
            "a dataset holds scalars (shape ()) and images (shape (H, W, C))",
            f"let the robot give {odd[0]!r} as one key per number",
        )
    return tuple(key for key, feature in features.items() if not feature.shape)


def camera_names(features: Features) -> tuple[str, ...]:
    """The image keys in the robot's order."""
    return tuple(key for key, feature in features.items() if feature.is_image)


def image_key(camera: str) -> str:
    """`"front"` -> `"observation.images.front"`."""
    return IMAGES + camera


def camera_of(key: str) -> str | None:
    """`"observation.images.front"` and the older `"observation.front"` -> `"front"`; None for any other key."""
    for prefix in (IMAGES, OBSERVATION):
        if key.startswith(prefix) and len(key) > len(prefix):
            return key.removeprefix(prefix)
    return None


def is_image(entry: Mapping[str, Any]) -> bool:
    """True for an entry stored as pictures, in a video or one by one."""
    return entry.get("dtype") in ("image", "video")


def image_keys(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Camera name -> the key it has in this dataset or checkpoint, in its order."""
    found = {camera_of(key): key for key, entry in entries.items() if is_image(entry)}
    return {camera: key for camera, key in found.items() if camera is not None}


def to_entries(observation: Features, action: Features, video: bool = True) -> dict[str, Entry]:
    """The entries a robot's rows need: `action`, `observation.state`, then its cameras.

    Raises:
        ContractError: a key that is neither a scalar nor an image, or whose name holds a `/`.
    """
    slashed = [key for key in (*observation, *action) if "/" in key]
    if slashed:
        raise ContractError(
            f"the key {slashed[0]!r} holds a '/'",
            "the dataset format uses it to separate columns",
            "rename it, for example with a '.'",
        )
    vectors = {ACTION: vector_names(action), STATE: vector_names(observation)}
    entries = {key: vector_entry(names) for key, names in vectors.items() if names}
    cameras = camera_names(observation)
    return entries | {image_key(name): image_entry(observation[name].shape, video) for name in cameras}


def vector_entry(names: Sequence[str]) -> Entry:
    """A float32 vector with named columns."""
    return {"dtype": "float32", "shape": [len(names)], "names": list(names)}


def image_entry(shape: Sequence[int], video: bool = True) -> Entry:
    """A camera of shape (H, W, C)."""
    return {"dtype": "video" if video else "image", "shape": list(shape), "names": ["height", "width", "channels"]}


def entry_names(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The column names of a vector entry, nested ones flattened; None when they are absent, repeated or too few.

    Datasets in the wild say `["x", "y"]`, `{"motors": ["x", "y"]}`, `{"x": 0, "y": 1}` or null.
    """
    names = tuple(_flat(entry.get("names")))
    return names if len(names) == width(entry) and len(set(names)) == len(names) else None


def _flat(names: object) -> list[str]:
    if isinstance(names, str):
        return [names]
    if isinstance(names, Mapping):
        if all(isinstance(value, int | float) for value in names.values()):
            return sorted(map(str, names), key=lambda name: float(names[name]))
        return [flat for value in names.values() for flat in _flat(value)]
    if isinstance(names, Sequence):
        return [flat for value in names for flat in _flat(value)]
    return []


def width(entry: Mapping[str, Any]) -> int:
    """How many numbers one row of a vector entry holds."""
    size = 1
    for length in entry["shape"]:
        size *= int(length)
    return size


def column_names(key: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """`entry_names`, or positions (`"action[0]"`, …) for a vector without names; see `is_nameless`."""
    return entry_names(entry) or tuple(f"{key}[{position}]" for position in range(width(entry)))


def is_nameless(features: Mapping[str, Any]) -> bool:
    """True when keys are mere positions: nothing may be driven from them without naming an order."""
    return any(_POSITIONAL.fullmatch(key) for key in features)


def from_entries(
    entries: Mapping[str, Entry], known: Mapping[str, Mapping[str, Feature]] = {}
) -> tuple[Features, Features]:
    """Observation and action Features by robot key.

    Args:
        entries: `info.json`'s `features`, or the same shape built from a checkpoint.
        known: `{"observation": {key: Feature}, "action": …}`: units, ranges and rates, where a sidecar has them.
    """
    observation = _scalars(STATE, entries, known.get("observation", {}))
    for camera, key in image_keys(entries).items():
        observation[camera] = Feature("uint8", image_shape(entries[key]))
    return observation, _scalars(ACTION, entries, known.get("action", {}))


def _scalars(key: str, entries: Mapping[str, Entry], known: Mapping[str, Feature]) -> Features:
    entry = entries.get(key)
    names = column_names(key, entry) if entry else ()
    return {name: known.get(name, Feature()) for name in names}


def _channels_last(entry: Mapping[str, Any]) -> bool:
    names = entry.get("names")
    if isinstance(names, Sequence) and len(names) == 3:
        return names[2] in ("channel", "channels")
    return int(entry["shape"][0]) not in (1, 3)


def image_shape(entry: Mapping[str, Any]) -> tuple[int, int, int]:
    """(H, W, C) of an image entry, whichever way round it is written."""
    first, second, third = (int(length) for length in entry["shape"])
    return (first, second, third) if _channels_last(entry) else (second, third, first)


def feature_type(key: str, entry: Mapping[str, Any]) -> FeatureType | None:
    """What a policy takes the entry for; None for bookkeeping, labels and extras."""
    if is_image(entry):
        return "VISUAL"
    if key == ENVIRONMENT:
        return "ENV"
    if key.startswith("observation"):
        return "STATE"
    return "ACTION" if key.startswith(ACTION) else None


def policy_features(entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    """`{key: {"type", "shape"}}` as a checkpoint's `config.json` spells them, images (C, H, W)."""
    found: dict[str, dict[str, Any]] = {}
    for key, entry in entries.items():
        kind = feature_type(key, entry)
        if kind is None:
            continue
        height, row, channels = image_shape(entry) if kind == "VISUAL" else (0, 0, 0)
        shape = [channels, height, row] if kind == "VISUAL" else [int(length) for length in entry["shape"]]
        found[key] = {"type": kind, "shape": shape}
    return found
