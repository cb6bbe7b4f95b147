"""The features of a dataset and the Arrow columns that hold them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from lerobot_core.errors import StorageError
from lerobot_core.features import ACTION, Entry, camera_names, from_entries, to_entries, vector_entry, vector_names
from lerobot_core.types import Feature, Features

from .layout import Info


def _scalar(dtype: str) -> Entry:
    return {"dtype": dtype, "shape": [1], "names": None}


BOOKKEEPING: dict[str, Entry] = {
    "timestamp": _scalar("float32"),
    "frame_index": _scalar("int64"),
    "episode_index": _scalar("int64"),
    "index": _scalar("int64"),
    "task_index": _scalar("int64"),
}
"""The five columns every dataset has, always last, in this order."""

REQUESTED = "requested_action"
INTERVENTION = "intervention"
SOURCE = "source"
CAPTURE_TIME = "capture_time."
FLAGS = "flags"
SEQ = "seq"

_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def extra_entries(observation: Features, action: Features) -> dict[str, Entry]:
    """Where each row comes from: asked-for action, who acted, when each camera saw it, flags, chunk number."""
    times = {CAPTURE_TIME + camera: _scalar("float64") for camera in camera_names(observation)}
    return {
        REQUESTED: vector_entry(vector_names(action)),
        INTERVENTION: _scalar("bool"),
        SOURCE: _scalar("string"),
        **times,
        FLAGS: _scalar("string"),
        SEQ: _scalar("int64"),
    }


def features_for(observation: Features, action: Features, video: bool = True, extras: bool = True) -> dict[str, Entry]:
    """`info.json`'s `features` for a robot, in the order of the file."""
    added = extra_entries(observation, action) if extras else {}
    return {**to_entries(observation, action, video), **added, **BOOKKEEPING}


def differences(ours: Mapping[str, Entry], theirs: Mapping[str, Entry]) -> list[str]:
    """What keeps rows of `ours` out of a dataset of `theirs`, one line each; how a video is encoded does not."""
    lines = [f"{key}: not in the dataset" for key in ours if key not in theirs]
    lines += [f"{key}: in the dataset, not here" for key in theirs if key not in ours]
    for key in ours:
        for field in ("dtype", "shape", "names"):
            here, there = ours[key].get(field), theirs.get(key, ours[key]).get(field)
            if here != there:
                lines.append(f"{key}: {field} is {here} here, {there} in the dataset")
    return lines


def sidecar_features(observation: Features, action: Features) -> dict[str, Any]:
    """Units, ranges and rates by robot key, for the sidecar's `observation` and `action`."""
    sides = {"observation": observation, ACTION: action}
    return {side: {key: _limits(feature) for key, feature in known.items()} for side, known in sides.items()}


def _limits(feature: Feature) -> dict[str, Any]:
    return {name: getattr(feature, name) for name in ("unit", "low", "high", "max_rate")}


def robot_features(info: Info, sidecar: Mapping[str, Any]) -> tuple[Features, Features]:
    """Observation and action Features by robot key, with the sidecar's units where it has them."""
    known = {
        side: {key: _feature(value) for key, value in sidecar.get(side, {}).items()} for side in ("observation", ACTION)
    }
    return from_entries(info.features, known)


def _feature(limits: Mapping[str, Any]) -> Feature:
    names = {field.name for field in dataclasses.fields(Feature)} & {"unit", "low", "high", "max_rate"}
    return Feature(**{name: limits[name] for name in names if name in limits})


def arrow_type(key: str, entry: Entry) -> pa.DataType:
    """The column type of a feature that is not a video.

    Raises:
        StorageError: a dtype the format does not have.
    """
    if entry["dtype"] == "image":
        return _IMAGE
    try:
        kind = (
            pa.string()
            if entry["dtype"] == "string"
            else pa.type_for_alias(_ALIASES.get(entry["dtype"], entry["dtype"]))
        )
    except ValueError as error:
        raise StorageError(
            f"feature {key!r} has dtype {entry['dtype']!r}", "it is no column type", "correct meta/info.json"
        ) from error
    shape = [int(length) for length in entry["shape"]]
    if shape == [1]:
        return kind
    if len(shape) == 1:
        return pa.list_(kind, shape[0])
    for _ in shape:
        kind = pa.list_(kind)
    return kind


_ALIASES = {"float32": "float", "float64": "double", "float16": "halffloat"}


def arrow_schema(features: Mapping[str, Entry], given: Mapping[str, pa.DataType] = {}) -> pa.Schema:
    """The schema of a data file, with the `huggingface` key by which unhinted readers find pictures.

    Args:
        given: types of columns that only their writer knows (language).
    """
    columns = {key: entry for key, entry in features.items() if entry["dtype"] != "video"}
    fields = [_field(key, entry, given) for key, entry in columns.items()]
    described = {field.name: _described(columns[field.name], field.type) for field in fields}
    fingerprint = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    found = {"info": {"features": described}, "fingerprint": fingerprint}
    return pa.schema(fields, metadata={"huggingface": json.dumps(found)})


def _field(key: str, entry: Entry, given: Mapping[str, pa.DataType]) -> pa.Field:
    if key in given:
        return pa.field(key, given[key])
    shape = entry["shape"]
    if len(shape) < 2 or entry["dtype"] == "image":
        return pa.field(key, arrow_type(key, entry))
    # Matrices are an extension type of the `datasets` package; its name and parameters are all a reader needs.
    named = {
        "ARROW:extension:name": f"datasets.features.features.Array{len(shape)}DExtensionType",
        "ARROW:extension:metadata": json.dumps([list(shape), entry["dtype"]]),
    }
    return pa.field(key, arrow_type(key, entry), metadata=named)


def _described(entry: Entry, kind: pa.DataType) -> Any:
    if entry["dtype"] == "image":
        return {"_type": "Image"}
    if entry["dtype"] == "language":
        return _nested(kind)
    value = {"dtype": entry["dtype"], "_type": "Value"}
    shape = [int(length) for length in entry["shape"]]
    if shape == [1]:
        return value
    if len(shape) == 1:
        return {"feature": value, "length": shape[0], "_type": "List"}
    return {"shape": shape, "dtype": entry["dtype"], "_type": f"Array{len(shape)}D"}


def _nested(kind: pa.DataType) -> Any:
    if pa.types.is_struct(kind):
        return {field.name: _nested(field.type) for field in kind}
    if pa.types.is_list(kind):
        return {"feature": _nested(kind.value_type), "_type": "List"}
    return {"dtype": {"float": "float32", "double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}
