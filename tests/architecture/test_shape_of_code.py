"""Short functions, short files, full types and words on what is public: measured on what is shipped."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator

from source import Source, packages

Function = ast.FunctionDef | ast.AsyncFunctionDef
LONGEST_FUNCTION, MEDIAN, NINTH_DECILE = 80, 9, 30
LONGEST_FILE, LONGEST_MODEL = 400, 600


def _functions(source: Source) -> Iterator[Function]:
    yield from (node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _lines(function: Function) -> int:
    """Lines without the docstring."""
    words = ast.get_docstring(function, clean=False)
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - (len(words.splitlines()) if words else 0)


def test_functions_are_short() -> None:
    lengths = {f"{s.path}:{f.lineno} {f.name}": _lines(f) for s in packages() for f in _functions(s)}
    assert not {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION}
    assert statistics.median(lengths.values()) <= MEDIAN
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= NINTH_DECILE


def test_files_are_short() -> None:
    def limit(path: str) -> int:
        name = path.rpartition("/")[2]
        return LONGEST_MODEL if "model" in name or "network" in name else LONGEST_FILE

    lengths = {source.path: source.text.count("\n") for source in packages()}
    assert not {path: length for path, length in lengths.items() if length > limit(path)}


def test_functions_say_what_they_return() -> None:
    untyped = [f"{s.path}:{f.lineno} {f.name}" for s in packages() for f in _functions(s) if f.returns is None]
    assert not untyped


def test_annotations_are_not_evaluated() -> None:
    eager = [
        s.path
        for s in packages()
        if s.text.strip() and "from __future__ import annotations" not in s.text and _has_code(s)
    ]
    assert not eager


def test_public_names_have_a_docstring() -> None:
    silent = [
        f"{s.path}:{node.lineno} {node.name}"
        for s in packages()
        for node in _public(s.tree)
        if not ast.get_docstring(node)
    ]
    assert not silent


def _has_code(source: Source) -> bool:
    return any(not isinstance(node, ast.Expr | ast.Assign) for node in source.tree.body)


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Function | ast.ClassDef]:
    """Classes, functions and methods without an underscore, of public classes."""
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_") and not _repeated(child):
            yield child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _repeated(node: Function | ast.ClassDef) -> bool:
    """Overloads and setters are described at their first definition."""
    return any(ast.unparse(each).endswith((".setter", "overload")) for each in node.decorator_list)
