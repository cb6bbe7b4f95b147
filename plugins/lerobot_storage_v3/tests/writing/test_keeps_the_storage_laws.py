"""The conformance kit every storage is held to."""

from __future__ import annotations

from lerobot_core.conformance.storage import StorageConformance


class TestLerobotStorageConformance(StorageConformance):
    name = "lerobot"
