"""Reading a JSON file of a checkpoint, with an error that names it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lerobot_core.errors import ConfigError


def read_json(path: Path) -> Any:
    """What the file holds.

    Raises:
        ConfigError: it is missing or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}", "a checkpoint has one", "name a checkpoint's folder") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read", str(error), "copy the checkpoint again") from error
