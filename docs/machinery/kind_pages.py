"""What a kind's page says that the code says already: contract, hook, spec, the kit's laws, plugins of this tree."""

from __future__ import annotations

import ast
import importlib
import inspect
import posixpath
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import lerobot_core
from asking import NoAnswer, log, lr
from lerobot_core import specs
from lerobot_core.kinds import KINDS, Kind
from lerobot_core.registry import default_registry
from links import ROOT

PACKAGE = Path(lerobot_core.__file__).parent
FOLDER = "kinds"


@cache
def fill(name: str) -> str:
    """The Markdown that stands where a page says `<!-- kind: NAME -->`."""
    kind = KINDS[name]
    parts = [_how_named(kind)]
    if kind.hook:
        parts += [_hook(kind), _spec(kind), _contract(kind), _kit(kind)]
    parts.append(_plugins(kind))
    return "\n\n".join(parts)


def _how_named(kind: Kind) -> str:
    option = f"`--{kind.section}.NAME TYPE`" if kind.plural else f"`--{kind.section} TYPE`"
    rows = [("entry-point group", f"`{kind.group}`")]
    rows += [("option", option), ("section of a configuration file", f"`{kind.section}`")] if kind.hook else []
    return _table(("", ""), rows)


def _hook(kind: Kind) -> str:
    source = _find(PACKAGE / "hookspecs.py", kind.hook)
    lines = [line for line in source.splitlines() if "NotImplementedError" not in line]
    return f"## Hook\n\n``` python\n{chr(10).join(lines)}\n```\n\nThe others: [hooks](../hooks.md)."


def _spec(kind: Kind) -> str:
    spec = next(each for each in vars(specs).values() if getattr(each, "kind", None) == kind.name)
    path = PACKAGE / "specs.py"
    return f"## Spec\n\n``` python\n{_find(path, spec.__name__)}\n\n\n{_find(path, 'Spec')}\n```"


def _contract(kind: Kind) -> str:
    path = PACKAGE / "contracts" / f"{kind.name}.py"
    return f"## Contract\n\n``` python\n{_without_imports(path.read_text(encoding='utf-8'))}\n```"


def _kit(kind: Kind) -> str:
    module, _, name = kind.conformance.partition(":")
    kit = getattr(importlib.import_module(module), name)
    laws = [(_words(test), inspect.getdoc(getattr(kit, test)) or "") for test in dir(kit) if test.startswith("test_")]
    rows = [(law, " ".join(reason.split())) for law, reason in laws]
    told = f"`lr plugins check {kind.name} NAME` runs these; in a test, subclass `{module}.{name}`."
    return f"## What the kit checks\n\n{told}\n\n{_table(('law', 'because'), rows)}"


def _plugins(kind: Kind) -> str:
    entries = [each for each in default_registry().entries(kind.name) if each.distribution != "lerobot-robot-template"]
    rows = [(f"`{each.name}`", _distribution(each.distribution)) for each in entries]
    shown = [_details(kind, each.name) for each in entries] if kind.hook else []
    return "\n\n".join(["## Plugins of this tree", _table(("name", "distribution"), rows), *shown])


def _details(kind: Kind, name: str) -> str:
    try:
        text = lr("plugins", "show", kind.name, name)
    except NoAnswer as answer:
        log.warning("%s", answer)
        return ""
    lines = [line for line in text.splitlines() if not line.startswith("  origin")]  # a path of this machine
    body = "\n".join(f"    {line}" for line in ["``` text", *lines, "```"])
    return f'??? note "lr plugins show {kind.name} {name}"\n\n{body}'


def _distribution(name: str) -> str:
    folders = {
        each.name.replace("_", "-"): each for pattern in ("plugins/*", "lerobot_*") for each in ROOT.glob(pattern)
    }
    folder = ROOT / "core" if name == "lerobot-core" else folders.get(name)
    if folder is None:
        return name
    path = posixpath.relpath((folder / "README.md").relative_to(ROOT).as_posix(), "docs/kinds")
    return f"[{name}]({path})"


def _find(path: Path, name: str) -> str:
    """The source of one function or class of a module."""
    text = path.read_text(encoding="utf-8")
    node = next(node for node in ast.parse(text).body if getattr(node, "name", None) == name)
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])  # type: ignore[attr-defined]
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


def _without_imports(text: str) -> str:
    """From the first thing that is neither the module's docstring nor an import."""
    body = ast.parse(text).body
    first = next(node for node in body[1:] if not isinstance(node, ast.Import | ast.ImportFrom | ast.If))
    starts = [first.lineno, *(each.lineno for each in getattr(first, "decorator_list", []))]
    return "\n".join(text.splitlines()[min(starts) - 1 :])


def _words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), line(("---",) * len(head)), *map(line, rows)])


def missing_pages(docs: Path) -> Iterator[str]:
    """Kinds without a page of their own."""
    return (name for name in KINDS if not (docs / FOLDER / f"{name}.md").is_file())
