"""The version gate: a plugin made for another core is refused from its metadata, before it is imported."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import __version__
from .errors import PluginError
from .metadata import CORE

if TYPE_CHECKING:
    from .metadata import Entry

_NAMES_CORE = re.compile(r"lerobot[-_.]+core(?![\w.-])", re.IGNORECASE)


def check_version(entry: Entry) -> None:
    """PluginError unless the entry's distribution requires lerobot-core in a version that this one satisfies."""
    if entry.distribution == CORE:
        return
    wanted = core_specifiers(entry)
    if not wanted:
        major, minor = __version__.split(".")[:2]
        line = f'dependencies = ["{CORE}>={major}.{minor},<{major}.{int(minor) + 1}"]'
        raise PluginError(
            f"{entry.kind} {entry.name!r} ({entry.label}) does not say which core it was made for",
            f"its metadata has no requirement on {CORE}, so it was not imported",
            f"add to its pyproject.toml: {line}",
        )
    refused = [specifier for specifier in wanted if not _satisfied(specifier)]
    if refused:
        raise PluginError(
            f"{entry.kind} {entry.name!r} ({entry.label}) was made for another core",
            f"it wants {CORE}{refused[0]}, this is {CORE} {__version__}, so it was not imported",
            f"pip install -U {entry.distribution} {CORE}",
        )


def core_specifiers(entry: Entry) -> list[str]:
    """What the distribution asks of lerobot-core (`[">=0.1,<0.2"]`), requirements of extras left out."""
    from packaging.requirements import InvalidRequirement, Requirement

    found: list[str] = []
    for line in filter(_NAMES_CORE.match, entry.requires):
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.append(str(requirement.specifier))
    return found


def _satisfied(specifier: str) -> bool:
    """A pre-release of core counts: `0.2.0rc1` satisfies `>=0.1`."""
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(__version__, prereleases=True)
