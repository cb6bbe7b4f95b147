"""A page for every verb: what `lr VERB --help` prints, and the same of each of its subcommands."""

from __future__ import annotations

import re
from collections.abc import Iterator

from asking import lr
from lerobot_core.cli import verbs
from lerobot_core.registry import default_registry

FOLDER = "verbs"
_WORDS = {"find": ("ports", "cameras", "joint-limits")}
"""What verbs take that are no Typer groups."""


def pages() -> dict[str, str]:
    """Page -> Markdown, core's verbs first, then those of other distributions by name."""
    return {f"{FOLDER}/{name}.md": page(name) for name in names()}


def names() -> list[str]:
    """Every verb that is installed."""
    return [row.name for row in verbs.installed(default_registry())]


def page(verb: str) -> str:
    """One verb's page."""
    texts = [f"# lr {verb}", "", f"What `lr {verb} --help` prints where every first-party plugin is installed."]
    texts += _block(lr(verb, "--help"))
    for words in subcommands(verb):
        texts += ["", f"## lr {' '.join(words)}", *_block(lr(*words, "--help"))]
    return "\n".join(texts) + "\n"


def subcommands(verb: str) -> Iterator[tuple[str, ...]]:
    """(verb, word) of each."""
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", lr(verb, "--help"), re.MULTILINE)
    found = re.findall(r"^  ([a-z][\w-]*)", listed.group(1), re.MULTILINE) if listed else _WORDS.get(verb, ())
    return ((verb, word) for word in found)


def _block(text: str) -> list[str]:
    return ["", "``` text", text.rstrip(), "```"]
