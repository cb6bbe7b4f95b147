"""What can be said of a recording before anything is connected."""

from __future__ import annotations

from typing import Any

from lerobot_core.errors import StorageError
from lerobot_core.types import Features, Problem

from .codecs import choose
from .config import LerobotStorageConfig
from .opening import camera_sizes, refuse_used, root_of

# Before the cameras have said how large their pictures are, an encoder is tried at this size.
_USUAL = ((480, 640),)


def problems(config: LerobotStorageConfig, resume: bool, observation: Features, fps: float) -> list[Problem]:
    """Whether the folder may be written and the encoder opens; each problem with its fix."""
    sizes = camera_sizes(observation) or _USUAL
    checks: dict[str, Any] = {
        "dataset.root": lambda: refuse_used(root_of(config), resume),
        "dataset.codec": lambda: choose(config.codec, sizes, max(1, round(fps) or 30), config.crf, config.gop),
    }
    found = []
    for where, check in checks.items():
        try:
            check()
        except StorageError as error:
            found.append(Problem("error", where, ": ".join(filter(None, (error.what, error.why))), error.fix))
    return found
