"""`lr find`: serial ports, and what plugins can see; each plugin asked by itself, two seconds each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.run import verb_of
from ..devices.ports import SerialPort, serial_ports
from ..errors import UsageError, did_you_mean
from ..kinds import KINDS
from ..registry import Registry, default_registry

if TYPE_CHECKING:
    from ..config.resolve import Resolved
    from ..config.run import RunConfig
    from ..metadata import Entry
    from ..probe import Answer

PLURAL = {"ports": "port", "cameras": "camera", "robots": "robot", "teleoperators": "teleoperator", "buses": "bus"}


def run(verb: str, argv: Sequence[str]) -> int:
    """List devices; with a kind, only its. `cameras --show` and `joint-limits` look at them as well."""
    from .options import read

    kind, rest = _kind(argv)
    registry = default_registry()
    resolved = read(verb_of(verb, argv), rest, registry)
    if resolved is None:
        return 0
    if kind == "joint-limits":
        from .joint_limits import run as joint_limits

        return joint_limits(resolved, registry)
    if resolved.config.show:
        return _show(resolved, registry)
    devices, failures = find(kind, registry)
    for line in failures:
        print_error(line)
    if resolved.config.json:
        print(json.dumps({"schema": 1, "verb": verb, "devices": devices, "failures": failures}))
    elif devices:
        widths = [max(len(row[key]) for row in devices) for key in ("kind", "id", "name")]
        for row in devices:
            cells = (row[key].ljust(width) for key, width in zip(("kind", "id", "name"), widths, strict=True))
            print("  ".join((*cells, row["detail"])).rstrip())
    else:
        print(f"no {kind or 'device'} found: plug it in and look again; lr doctor looks further")
    return 0


def find(kind: str | None, registry: Registry) -> tuple[list[dict[str, str]], list[str]]:
    """Devices as {kind, id, name, detail}, and what went wrong with plugins, one text each."""
    rows, failures = _find(kind, registry)
    return [row for _, row in rows], failures


def _find(kind: str | None, registry: Registry) -> tuple[list[tuple[Entry | None, dict[str, str]]], list[str]]:
    """As `find`, each row with who sees it: an entry of the row's kind, None where there is none."""
    from ..probe import ask_each

    rows: list[tuple[Entry | None, dict[str, str]]] = []
    rows += [(None, row) for row in (ports() if kind in (None, "port") else [])]
    failures: list[str] = []
    asked = [entry for entry in registry.entries() if _worth_asking(entry.kind, kind)]
    answer: Answer
    for answer in ask_each(asked, "find") if asked else ():
        failures += answer.failures
        for row in map(_row, answer.results):
            if kind in (None, row["kind"]):
                rows.append((next((each for each in answer.entries if each.kind == row["kind"]), None), row))
    return rows, failures


def _show(resolved: Resolved[RunConfig], registry: Registry) -> int:
    """A picture of every camera that was named, else of every one that is found; 1 when one gives none."""
    from ..terminal import current
    from .find_cameras import found_cameras, look, show, write_page

    config, terminal = resolved.config, current()
    rows, failures = ([], []) if config.camera else _find("camera", registry)
    cameras = config.camera or found_cameras(rows, registry)
    blocks = terminal.colour and not config.json
    seen, pictures = [], {}
    for name, identity, image, why in look(cameras, config, resolved.origins, registry):
        caption = name if identity in ("", name) else f"{name}: {identity}"
        seen.append({"name": name, "identity": identity, "error": why})
        if image is None:
            failures.append(f"{name}: {why}")
        elif blocks:
            show(terminal, caption, image)
        else:
            pictures[caption] = image
    for line in failures:
        print_error(line)
    page = str(write_page(pictures)) if pictures else None
    if config.json:
        print(json.dumps({"schema": 1, "verb": "find", "cameras": seen, "page": page, "failures": failures}))
    elif page or not cameras:
        print(page or "no camera found")
    return 1 if any(each["error"] for each in seen) else 0


def ports(dev: Path = Path("/dev")) -> list[dict[str, str]]:
    """Serial ports: the path to name in a rig file first, the one that changes with every plugging in as its name."""
    return [
        {"kind": "port", "id": port.identity, "name": port.path, "detail": ", ".join(filter(None, _details(port)))}
        for port in serial_ports(dev)
    ]


def _details(port: SerialPort) -> Iterator[str]:
    yield port.name
    if not os.access(port.path, os.R_OK | os.W_OK):
        yield "no permission (lr doctor says what to do)"


def _worth_asking(offered: str, wanted: str | None) -> bool:
    """A plugin of any device kind may see ports; of others only those that were asked for."""
    devices = ("robot", "teleoperator", "camera", "bus")
    return offered in devices if wanted in (None, "port") else offered == wanted


def _row(found: object) -> dict[str, str]:
    given = found if isinstance(found, dict) else {}
    return {key: str(given.get(key, "")) for key in ("kind", "id", "name", "detail")}


def _kind(argv: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    if not argv or argv[0].startswith("-"):
        return None, argv
    word = PLURAL.get(argv[0], argv[0])
    if word not in ("port", "joint-limits") and word not in KINDS:
        known = [*PLURAL, "joint-limits", *KINDS]
        raise UsageError(f"lr find cannot look for {argv[0]!r}", "", did_you_mean(argv[0], known) or "lr find cameras")
    return word, argv[1:]


def print_error(line: str) -> None:
    """One plugin's trouble, on stderr."""
    from ..terminal import current

    current().say(f"warning: {line}")
