"""The gate: read from metadata, before anything is imported."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest
from lerobot_core import __version__, gate
from lerobot_core.errors import PluginError

GOOD = """
@hookimpl
def lerobot_robots():
    return robot("acme")
"""


def load(install, registry, *requires: str) -> None:
    install("lerobot-robot-acme", {"robot": {"acme": "acme.plugin"}}, GOOD, requires=requires)
    registry.spec("robot", "acme")


def test_a_plugin_for_core_99_is_refused_before_import(install, registry):
    with pytest.raises(PluginError) as caught:
        load(install, registry, "lerobot-core>=99")
    message = str(caught.value)
    assert "robot 'acme' (lerobot-robot-acme 0.1.0) was made for another core" in message
    assert f"it wants lerobot-core>=99, this is lerobot-core {__version__}" in message
    assert "pip install -U lerobot-robot-acme lerobot-core" in message
    assert "acme" not in sys.modules


@pytest.mark.parametrize(
    "requires",
    [(), ("numpy>=1",), ("lerobot-core-extras>=0.1",), ("lerobot-core>=0.1; extra == 'test'",), ("lerobot-core ???",)],
)
def test_without_a_core_requirement_it_says_which_line_to_add(install, registry, requires):
    with pytest.raises(PluginError, match=r'dependencies = \["lerobot-core>=0.1,<0.2"\]'):
        load(install, registry, *requires)
    assert "acme" not in sys.modules


@pytest.mark.parametrize(
    "requirement",
    [
        "lerobot-core",
        "lerobot-core>=0.1,<0.2",
        "Lerobot_Core (>=0.1)",
        "lerobot.core~=0.1.0",
        "lerobot-core[test]>=0.1 ; python_version > '3'",
        "lerobot-core @ file:///src/core",
    ],
)
def test_a_satisfied_requirement_in_any_spelling(install, registry, requirement):
    load(install, registry, "numpy", requirement)


def test_every_requirement_on_core_counts(install, registry):
    with pytest.raises(PluginError, match="wants lerobot-core<"):
        load(install, registry, "lerobot-core", "lerobot-core<0.1")


def test_a_pre_release_of_core_counts(install, registry, monkeypatch):
    monkeypatch.setattr(gate, "__version__", "0.2.0rc1")
    load(install, registry, "lerobot-core>=0.1")


def test_core_needs_no_requirement_on_itself(install, registry):
    install("lerobot-core", {"robot": {"acme": "acme.plugin"}}, GOOD, requires=())
    assert registry.spec("robot", "acme").name == "acme"


def test_the_code_and_its_metadata_say_one_version():
    assert importlib.metadata.version("lerobot-core") == __version__
