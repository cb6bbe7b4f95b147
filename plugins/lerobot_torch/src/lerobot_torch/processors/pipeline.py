"""Steps in a row, and the JSON and state files that keep them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lerobot_core.errors import ConfigError, ContractError, PluginError, did_you_mean
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..jsonfile import read_json
from .basic import Rename, ToBatch, ToDevice
from .delta import DeltaNames, DeltaTargets
from .normalize import Normalization, Normalize, Stats, Unnormalize, flatten, tensors
from .relative import Absolute, Relative
from .resize import Resize
from .step import Batch, Step
from .tokenizer import Tokenize

BEFORE, AFTER = "policy_preprocessor", "policy_postprocessor"

STEPS: dict[str, type[Step]] = {
    step.name: step
    for step in (
        Rename, ToBatch, ToDevice, Normalize, Unnormalize, Relative, Absolute, DeltaNames, DeltaTargets, Tokenize,
        Resize,
    )
}  # fmt: skip
"""Steps that any checkpoint may have; a family adds its own."""


class Pipeline:
    """Steps in a row; iterable."""

    def __init__(self, name: str, steps: Iterable[Step]) -> None:
        self.name, self.steps = name, list(steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __call__(self, batch: Batch) -> Batch:
        """The batch after every step."""
        for step in self.steps:
            batch = step(batch)
        return batch

    def mirrored(self, name: str) -> Pipeline:
        """What takes actions back: the inverses, last step first."""
        inverses = (step.inverse() for step in reversed(self.steps))
        return Pipeline(name, (step for step in inverses if step is not None))

    def moved(self, device: str) -> Pipeline:
        """The same for a network on `device`."""
        return Pipeline(self.name, (step.moved(device) for step in self.steps))

    def paired(self, before: Pipeline) -> Pipeline:
        """Itself, each step having found the one it undoes.

        Raises:
            ContractError: the two sides do not fit together.
        """
        for step in self.steps:
            step.pair(before.steps)
        return self

    def step(self, kind: type[Any]) -> Any:
        """The first step of that class, None without one."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

    def put_before(self, kind: type[Step], step: Step) -> None:
        """Insert `step` before the first one of a class, at the end when there is none."""
        places = (place for place, each in enumerate(self.steps) if isinstance(each, kind))
        self.steps.insert(next(places, len(self.steps)), step)

    def write(self, folder: Path) -> None:
        """`NAME.json` and a state file for each step that has state, byte for byte as the peer writes them."""
        entries = [self._entry(index, step, folder) for index, step in enumerate(self.steps)]
        text = json.dumps({"name": self.name, "steps": entries}, indent=2)
        (folder / f"{_plain(self.name)}.json").write_text(text, encoding="utf-8")

    def _entry(self, index: int, step: Step, folder: Path) -> dict[str, Any]:
        entry: dict[str, Any] = {"registry_name": step.name, "config": step.config()}
        state = {key: value.detach().cpu().contiguous() for key, value in step.state().items()}
        if state:
            entry["state_file"] = f"{_plain(self.name)}_step_{index}_{step.name}.safetensors"
            save_file(state, folder / entry["state_file"])
        artifacts = step.artifacts()
        for source in artifacts.values():
            shutil.copytree(source, folder / source.name, dirs_exist_ok=True)
        return entry | {"artifacts": {key: source.name for key, source in artifacts.items()}} if artifacts else entry


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name.lower())


def read_pipeline(
    folder: Path, name: str, steps: Mapping[str, type[Step]], stats: Stats | None = None
) -> Pipeline | None:
    """From a checkpoint; None when it has no such file.

    Args:
        folder: the checkpoint.
        name: `BEFORE` or `AFTER`.
        steps: the family's own steps.
        stats: used instead of those in the checkpoint.

    Raises:
        ConfigError: a file cannot be read.
        PluginError: a step is unknown.
        ContractError: a step is not as it should be.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        return None
    data = read_json(path)
    entries = data.get("steps") if isinstance(data, Mapping) else None
    if not isinstance(entries, list):
        raise ConfigError(f"{path} is no list of steps", 'it must be {"name", "steps"}')
    known = STEPS | dict(steps)
    return Pipeline(str(data.get("name", name)), [_step(path, entry, known, stats) for entry in entries])


def _step(path: Path, entry: Any, known: Mapping[str, type[Step]], stats: Stats | None) -> Step:
    name = str(entry.get("registry_name")) if isinstance(entry, Mapping) else ""
    if name not in known:
        raise _unknown(path, entry, name, known)
    kind = known[name]
    state = _state(path, entry.get("state_file"))
    if stats is not None and issubclass(kind, Normalization):
        state = flatten(tensors(stats))
    artifacts = {key: _beside(path, inside) for key, inside in (entry.get("artifacts") or {}).items()}
    try:
        return kind.read(entry.get("config") or {}, state, artifacts)
    except TypeError as error:
        raise ContractError(
            f"{path}: step {name} has options this version does not know", str(error), "pip install -U lerobot-torch"
        ) from error


def _unknown(path: Path, entry: Any, name: str, known: Mapping[str, type[Step]]) -> PluginError:
    if isinstance(entry, Mapping) and "class" in entry:
        return PluginError(
            f"{path} names the class {entry['class']!r}",
            "a checkpoint may not have code imported by its path",
            "register the step in a policy plugin and name it in the checkpoint",
        )
    hint = did_you_mean(name, list(known))
    return PluginError(f"{path} has the unknown step {name!r}", f"known: {', '.join(sorted(known))}", hint)


def _state(path: Path, file: str | None) -> dict[str, Tensor]:
    if file is None:
        return {}
    place = _beside(path, file)
    try:
        return load_file(place)
    except (OSError, SafetensorError) as error:
        raise ConfigError(f"{place} cannot be read", str(error), "copy the checkpoint again") from error


def _beside(path: Path, name: str) -> Path:
    if Path(name).name != name or name == "..":
        raise ConfigError(f"{path} names {name!r}", "what belongs to a checkpoint lies beside its JSON")
    return path.with_name(name)
