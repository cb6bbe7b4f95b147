"""Every installed `lerobot-*` distribution is this tree's: an index has strangers' distributions of such names."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import Distribution, distributions
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(os.environ.get("LEROBOT_BUILT") or Path(__file__).parents[2]).resolve()
"""This tree, or the folder with what was built of it (`nox -s wheels`)."""


def _origin(distribution: Distribution) -> Path | None:
    """The folder it was installed from (PEP 610); None when it came from an index."""
    record = distribution.read_text("direct_url.json")
    url = urlsplit(json.loads(record)["url"]) if record else None
    return Path(unquote(url.path)) if url and url.scheme == "file" else None


def test_every_distribution_of_ours_came_from_this_tree() -> None:
    ours = [each for each in distributions() if re.match(r"lerobot[-_]", each.name or "")]
    strangers = {each.name: str(_origin(each)) for each in ours if ROOT not in (_origin(each) or ROOT.parent).parents}
    assert ours, "nothing of ours is installed"
    assert not strangers, f"install them from this tree: {strangers}"
