"""Which distribution of ours offers a name that is not installed; for hints only, nothing depends on it."""

from __future__ import annotations

import re

from .metadata import normalise

# Names whose distribution does not follow from lerobot-<kind>-<name>.
_HOMES = {
    ("robot", "so100_follower"): "lerobot-robot-so100",
    ("robot", "bi_so_follower"): "lerobot-robot-so100",
    ("robot", "bi_so100_follower"): "lerobot-robot-so100",
    ("robot", "so_follower"): "lerobot-robot-so100",
    ("robot", "so101"): "lerobot-robot-so100",
    ("robot", "so101_follower"): "lerobot-robot-so100",
    ("robot", "koch_follower"): "lerobot-robot-koch",
    ("robot", "virtual_so100"): "lerobot-sim",
    ("teleoperator", "bi_so_leader"): "lerobot-robot-so100",
    ("teleoperator", "bi_so100_leader"): "lerobot-robot-so100",
    ("teleoperator", "so_leader"): "lerobot-robot-so100",
    ("teleoperator", "so100_leader"): "lerobot-robot-so100",
    ("teleoperator", "so101_leader"): "lerobot-robot-so100",
    ("teleoperator", "koch_leader"): "lerobot-robot-koch",
    ("teleoperator", "scripted"): "lerobot-sim",
    ("camera", "sim"): "lerobot-sim",
    ("storage", "lerobot"): "lerobot-storage-v3",
    ("scheme", "sim"): "lerobot-sim",
    ("scheme", "hub"): "lerobot-torch",
    ("command", "dataset"): "lerobot-storage-v3",
    ("command", "train"): "lerobot-train",
    ("command", "eval"): "lerobot-train",
    ("command", "serve"): "lerobot-server",
    ("command", "router"): "lerobot-server",
}


def home(kind: str, name: str) -> str | None:
    """Our distribution that offers `name`, None when it is not one of the irregular ones."""
    return _HOMES.get((kind, name))


def hint(kind: str, name: str) -> str:
    """What to type to get a name that nothing installed offers, "" when no distribution could be called that."""
    ours = home(kind, name)
    if ours:
        return f"pip install {ours}"
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        return ""  # it may come from a downloaded file; never print a stranger's text as a command
    return f"if there is a plugin for it: pip install lerobot-{kind}-{normalise(name)}"
