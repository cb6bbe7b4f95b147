"""What must be somewhere in the pages, and is looked for by name."""

from __future__ import annotations

import re

from lerobot_core.config.peer import ROWS
from lerobot_core.contracts.operator import EVENTS
from lerobot_core.kinds import KINDS
from lerobot_core.registry import default_registry
from links import ROOT

DOCS = ROOT / "docs"


def test_every_spelling_of_lerobots_is_told() -> None:
    page = (DOCS / "coming-from-lerobot.md").read_text()
    untold = [row.peer for row in ROWS if row.peer not in page and f"….{row.peer.rpartition('.')[2]}" not in page]
    known = {"inference.rtc.enabled"}  # has no effect, and says so
    assert not set(untold) - known


def test_every_kind_has_a_page_and_is_in_the_table() -> None:
    table = (DOCS / "kinds/index.md").read_text()
    assert re.findall(r"^\| \[(\w+)\]\(\1\.md\)", table, re.MULTILINE) == list(KINDS)


def test_every_strategy_for_rollouts_has_a_page() -> None:
    names = {entry.name for entry in default_registry().entries("strategy")} - {"record", "replay", "teleoperate"}
    assert not {name for name in names if not (DOCS / f"guide/{name}.md").is_file()}


def test_every_engine_is_told() -> None:
    page = (DOCS / "guide/inference.md").read_text()
    names = {entry.name for entry in default_registry().entries("inference")} - {"fake"}
    assert not {name for name in names if f"| `{name}`" not in page}


def test_keys_are_those_of_the_table() -> None:
    page = (DOCS / "guide/strategies.md").read_text()
    typed = {"start", "reset", "task", "quit"}
    assert not {event for event in EVENTS if f"`{event}`" not in page} - typed
