"""`plugins/template` is what `lr plugins new robot template` writes."""

from __future__ import annotations

from pathlib import Path

from lerobot_core.template_maker import render

FOLDER = Path(__file__).parents[2] / "plugins" / "template"


def test_the_example_is_what_the_maker_writes() -> None:
    stale = [path for path, text in render("robot", "template").items() if (FOLDER / path).read_text() != text]
    assert not stale, (
        f"after changing core's templates: lr plugins new robot template --dir elsewhere, and copy {stale}"
    )
