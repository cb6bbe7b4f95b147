"""`lr find cameras --show`: one picture of each camera, so that one sees which is which."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.bases import Chosen
from ..config.decode import decode
from ..config.origin import DEFAULT, Origins
from ..config.schema import spellings
from ..errors import UserError
from ..pictures import blocks, page
from .workbench import Workbench, workbench

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..config.run import RunConfig
    from ..metadata import Entry
    from ..registry import Registry
    from ..terminal import Terminal

WIDTH = 72
"""Columns of a picture: enough to tell a wrist from a table, and two fit under each other on a screen."""
_ADDRESS = "index_or_path"


def found_cameras(rows: Iterable[tuple[Entry | None, dict[str, str]]], registry: Registry) -> dict[str, Chosen]:
    """Cameras that plugins see, with their default options, by what to call them in a rig file."""
    found = {}
    for entry, row in rows:
        if entry is None or entry.kind != "camera":
            continue
        spec = registry.spec("camera", f"{entry.distribution}:{entry.name}")
        if _ADDRESS in spellings(spec.config):
            config = decode(spec.config, {_ADDRESS: row["id"]}, DEFAULT)
            found[row["id"]] = Chosen("camera", spec.name, spec, config, row["id"])
    return found


def look(cameras: dict[str, Chosen], config: RunConfig, origins: Origins, registry: Registry) -> Iterator[Any]:
    """(name, identity, picture, "") of one camera after the other; of one that gives none, (name, "", None, why)."""
    config = dataclasses.replace(config, camera=cameras)
    with workbench("find", config, origins, registry) as bench:
        for name, chosen in cameras.items():
            try:
                yield (name, *_picture(name, chosen, bench), "")
            except UserError as error:
                yield name, "", None, str(error)


def _picture(name: str, chosen: Chosen, bench: Workbench) -> tuple[str, NDArray[Any]]:
    camera = bench.builder.part(f"camera.{name}", chosen)
    try:
        camera.connect()
        return camera.identity(), camera.read_latest(float("inf")).image
    finally:
        camera.disconnect()


def show(terminal: Terminal, caption: str, image: NDArray[Any]) -> None:
    """A picture under its caption, where there is colour."""
    true_colour = os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    lines = blocks(image, min(WIDTH, terminal.size[0] - 1), true_colour)
    terminal.say("\n".join([terminal.style(caption, "bold"), *lines, ""]))


def write_page(pictures: dict[str, NDArray[Any]]) -> Path:
    """A page in a new folder of its own."""
    path = Path(tempfile.mkdtemp(prefix="lr-cameras-")) / "cameras.html"
    path.write_text(page("Cameras", pictures), encoding="utf-8")
    return path
