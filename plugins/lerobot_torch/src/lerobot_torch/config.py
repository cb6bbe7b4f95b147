"""Options of every policy that runs on torch; families subclass this."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lerobot_core.config.bases import PolicyConfig
from lerobot_core.config.fields import option


@dataclass(frozen=True, kw_only=True)
class TorchPolicyConfig(PolicyConfig):
    """How to run a network.

    A family declares its own fields below these, with the names and in the order of its checkpoints' `config.json`.

    Attributes:
        FREE: fields of the family that may differ from a checkpoint's: they change no tensor and no tensor's meaning.
    """

    FREE: ClassVar[frozenset[str]] = frozenset()

    device: str | None = option(None, help="cpu, cuda, cuda:1 or mps; default: the fastest there is")
    use_amp: bool | None = option(None, help="compute in half precision where it is safe; default: as in training")
    compile: bool = option(False, help="compile the network while warming up: minutes now, faster calls later")

    @classmethod
    def own(cls) -> tuple[str, ...]:
        """The family's fields, in the order of `config.json`."""
        general = {field.name for field in dataclasses.fields(TorchPolicyConfig)}
        return tuple(field.name for field in dataclasses.fields(cls) if field.name not in general)

    def changed(self, **changes: Any) -> Self:
        """A copy with other values; a family drops what they make meaningless."""
        return dataclasses.replace(self, **changes)

    def saved(self) -> Mapping[str, Any]:
        """The family's part of `config.json`."""
        return {name: getattr(self, name) for name in self.own()}
