"""A small torch policy, installed for the length of a test run as pip would install it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lerobot_core.registry import default_registry

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

_METADATA = """Metadata-Version: 2.1
Name: lerobot-policy-tiny
Version: 0.1.0
Summary: a policy for tests
Requires-Dist: lerobot-core>=0.1,<0.2
"""


@pytest.fixture(autouse=True, scope="session")
def tiny_is_installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`tiny` under policy; its modules are `tiny_plugin` and `tiny_policy` beside this file."""
    site = tmp_path_factory.mktemp("site")
    metadata = site / "lerobot_policy_tiny-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(_METADATA)
    (metadata / "entry_points.txt").write_text("[lerobot.policy]\ntiny = tiny_plugin\n")
    sys.path.insert(0, str(site))
    default_registry.cache_clear()
    yield
    sys.path.remove(str(site))
    default_registry.cache_clear()
