"""Python sources of the tree, parsed once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Source(NamedTuple):
    """One file.

    Attributes:
        path: relative to the root.
        text: its contents.
        tree: parsed.
    """

    path: str
    text: str
    tree: ast.Module


class Import(NamedTuple):
    """One imported module, its line, and whether it is imported when the file is."""

    module: str
    line: int
    top: bool


@cache
def sources(*patterns: str) -> tuple[Source, ...]:
    """Every file that a pattern under the root finds; caches and environments are left out."""
    found = sorted({path for pattern in patterns for path in ROOT.glob(pattern)})
    return tuple(map(_parse, filter(_ours, found)))


def _ours(path: Path) -> bool:
    return not any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts)


@cache
def _parse(path: Path) -> Source:
    text = path.read_text(encoding="utf-8")
    return Source(str(path.relative_to(ROOT)), text, ast.parse(text))


def packages() -> tuple[Source, ...]:
    """What is shipped."""
    return sources("core/src/**/*.py", "plugins/*/src/**/*.py", "lerobot_*/src/**/*.py")


def everything() -> tuple[Source, ...]:
    """What is shipped, and tests, benchmarks and tools."""
    return sources("*.py", ".ci/*.py", "core/**/*.py", "plugins/**/*.py", "lerobot_*/**/*.py", "tests/**/*.py")


def imports(source: Source) -> Iterator[Import]:
    """Absolute imports, wherever they are; those under `if TYPE_CHECKING` cost nothing and are left out."""
    yield from _imports(source.tree.body, top=True)


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes, `.c` of anything else's attribute; 20 times faster than `ast.unparse`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _imports(nodes: list[ast.stmt], top: bool) -> Iterator[Import]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.module and not node.level:
                yield Import(node.module, node.lineno, top)
        elif not _for_types_only(node):
            inside = top and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ("body", "orelse", "finalbody", "handlers"):
                yield from _imports([each for each in getattr(node, child, []) if isinstance(each, ast.AST)], inside)
        elif isinstance(node, ast.If):
            yield from _imports(node.orelse, top)


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and dotted(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
