"""Every hook has a heading with its exact signature in docs/hooks.md, and a test of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def hooks(root: Path) -> dict[str, str]:
    """Signatures by name, as hookspecs.py has them."""
    tree = ast.parse((root / "core/src/lerobot_core/hookspecs.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    return {
        node.name: f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"
        for node in functions
        if node.returns
    }


def test_docs_have_every_hook_and_no_other(root: Path, hooks: dict[str, str]) -> None:
    headings = re.findall(r"^### `(.+)`$", (root / "docs/hooks.md").read_text(), re.MULTILINE)
    assert headings == list(hooks.values())


def test_every_hook_has_a_test_of_its_own(root: Path, hooks: dict[str, str]) -> None:
    tests = (ast.parse(path.read_text()) for path in root.glob("core/tests/**/test_*.py"))
    names = {node.name for tree in tests for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    untested = [name for name in hooks if f"test_hook_{name}" not in names]
    assert not untested


def test_every_hook_says_when_it_is_called_or_what_it_returns(root: Path) -> None:
    tree = ast.parse((root / "core/src/lerobot_core/hookspecs.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    silent = [node.name for node in functions if not ast.get_docstring(node)]
    assert not silent
