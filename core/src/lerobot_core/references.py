"""What a reference stands for besides an installed name: a policy's folder, `org/name`, a scheme such as `sim:1`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigError, PluginError
from .known import hint

if TYPE_CHECKING:
    from .registry import Registry

HUB = "hub"
_ORG_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_SCHEME = re.compile(r"([a-z][a-z0-9_]*)(:.*)?")
# Where a training run leaves its newest checkpoint, ours and the peer's.
_INSIDE = ("", "checkpoints/last/pretrained_model", "pretrained_model")


def scheme_of(ref: str) -> str:
    """The scheme that could answer for `ref`: `sim` for `sim` and `sim:1`, `hub` for `org/name`, "" for neither."""
    if _ORG_NAME.fullmatch(ref):
        return HUB
    found = _SCHEME.fullmatch(ref)
    return found[1] if found else ""


def resolve_policy(registry: Registry, ref: str) -> Mapping[str, Any]:
    """Options for the policy section: `{type, path}` of a checkpoint folder, or what the hub's plugin makes of it.

    Raises:
        ConfigError: the folder holds no readable checkpoint, or a path leads nowhere.
        PluginError: its type is not installed, or `ref` is nothing at all.
    """
    folder = Path(ref).expanduser()
    if folder.is_dir():
        return _from_folder(registry, folder)
    if scheme_of(ref) == HUB:
        return _from_hub(registry, ref)
    if folder.exists():
        raise ConfigError(f"{ref} is a file", "a policy's checkpoint is a folder", "name the folder")
    if ref.startswith(("/", ".", "~")):
        raise ConfigError(f"there is no folder {ref}", "", "check the path of the checkpoint")
    raise registry.unknown("policy", ref)


def _from_folder(registry: Registry, folder: Path) -> Mapping[str, Any]:
    places = [folder / inside for inside in _INSIDE]
    path = next((place for place in places if (place / "config.json").is_file()), None)
    if path is None:
        if (folder / "meta" / "info.json").is_file():
            raise ConfigError(f"{folder} is a dataset, not a policy", "", f"--dataset.root {folder}")
        looked = ", ".join(str(place / "config.json") for place in places)
        raise ConfigError(
            f"{folder} is no policy checkpoint", f"there is none of {looked}", "name a checkpoint's folder"
        )
    family = _family(path / "config.json")
    if not registry.offers("policy", family):
        unknown = registry.unknown("policy", family, typed=False)
        raise PluginError(
            f"{path} is a checkpoint of a policy that is not installed: {family!r}", unknown.why, unknown.fix
        )
    # One word would be taken for the name of a family by whoever reads it next.
    return {"type": family, "path": str(path) if len(path.parts) > 1 else f"./{path}"}


def _from_hub(registry: Registry, ref: str) -> Mapping[str, Any]:
    if not registry.load_scheme(ref):
        why = f"there is no folder {ref} here, and nothing installed fetches org/name"
        raise PluginError(f"no policy {ref!r}", why, hint("scheme", HUB))
    found = registry.ask_resolve(registry.find("scheme", HUB), "policy", ref)
    if not isinstance(found, Mapping):
        raise registry.unknown("policy", ref)
    return found


def _family(path: Path) -> str:
    try:
        family = json.loads(path.read_text(encoding="utf-8")).get("type")
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} cannot be read as a policy's configuration", str(error)) from error
    if not isinstance(family, str) or not family:
        raise ConfigError(f"{path} does not say what kind of policy it is", 'it has no "type"')
    return family
