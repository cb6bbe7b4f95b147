"""Options from files and from the environment, as layers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from .choose import nearest
from .origin import Layer, Origin, Typed
from .scan import put

RIG_SECTIONS = ("robot", "teleop", "camera", "operator", "processor")
"""What a bench is; everything else belongs to a run."""

COMMAND_LINE_ONLY = ("rig", "config")
"""Flags that say where files are; a file cannot."""


def config_layer(path: Path) -> Layer:
    """A `--config` file.

    Raises:
        ConfigError: it is not there, not readable or not well formed, or names further files.
    """
    data = read(path)
    for key in COMMAND_LINE_ONLY:
        if key in data:
            raise ConfigError(f"{path}: {key} cannot be set in a file", "", f"give --{key} on the command line")
    return Layer(Origin("config", str(path)), data)


def rig_layer(path: Path, accepted: Collection[str]) -> Layer:
    """A rig file; sections that the verb does not take are left out.

    Raises:
        ConfigError: as `config_layer`; or it holds more than devices.
    """
    data = {key.replace("-", "_"): value for key, value in read(path).items()}
    for key in data:
        if key not in RIG_SECTIONS:
            guess = nearest(key, RIG_SECTIONS)
            fix = f"did you mean {guess}?" if guess else "put it into a file for --config"
            raise ConfigError(f"{path}: a rig file has no {key}", f"it may hold {', '.join(RIG_SECTIONS)}", fix)
    return Layer(Origin("rig", str(path)), {key: value for key, value in data.items() if key in accepted})


def environment_layer(environ: Mapping[str, str], accepted: Collection[str]) -> Layer:
    """`LEROBOT_ROBOT__PORT=X` is `--robot.port X`: two underscores for each dot, capitals for small letters.

    Only names with two underscores together are options; variables of sections that the verb does not take are left
    out, since they are meant for another verb.
    """
    data: dict[str, Any] = {}
    for name, text in environ.items():
        path = name.removeprefix("LEROBOT_").lower().split("__")
        if name.startswith("LEROBOT_") and len(path) > 1 and path[0] in accepted:
            put(data, tuple(path), Typed(text, name))
    return Layer(Origin("environment"), data)


def read(path: Path) -> dict[str, Any]:
    """A .toml, .yaml, .yml or .json file as a mapping.

    Raises:
        ConfigError: naming the file, and the line where it is not well formed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigError(f"{path}: unknown kind of file", "", f"use one of {', '.join(_READERS)}")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file", f"looked in {path.absolute().parent}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read", error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text", str(error)) from None
    data = reader(path, text)
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: holds no options", f"found {type(data).__name__}, expected sections")
    return {str(key): value for key, value in data.items()}


def _toml(path: Path, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:  # its text ends in "(at line 3, column 7)"
        raise ConfigError(f"{path}: not well-formed TOML", str(error)) from None


def _json(path: Path, text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: not well-formed JSON", f"line {error.lineno}: {error.msg}") from None


def _yaml(path: Path, text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise ConfigError(f"{path}: not well-formed YAML", f"line {line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not well-formed YAML", str(error)) from None


_READERS: dict[str, Callable[[Path, str], Any]] = {".toml": _toml, ".yaml": _yaml, ".yml": _yaml, ".json": _json}
