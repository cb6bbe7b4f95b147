"""These tests need what builds the site (`nox -s docs`); elsewhere there is nothing of them to run."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

MACHINERY = Path(__file__).resolve().parents[2] / "docs" / "machinery"
collect_ignore_glob = [] if importlib.util.find_spec("mkdocs") else ["test_*.py"]
sys.path.insert(0, str(MACHINERY))
