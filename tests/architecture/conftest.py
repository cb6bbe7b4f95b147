"""The list of distributions that nox uses too."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # for `source`


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def tree() -> ModuleType:
    """`.ci/distributions.py`."""
    spec = importlib.util.spec_from_file_location("distributions", ROOT / ".ci" / "distributions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["distributions"] = module  # dataclasses and typing look a class's module up there
    spec.loader.exec_module(module)
    return module
