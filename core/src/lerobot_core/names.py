"""Names are matched as sets; what does not match is shown as a difference."""

from __future__ import annotations

from collections.abc import Iterable


def name_diff(expected: Iterable[str], given: Iterable[str]) -> str:
    """`"missing: a, b; unknown: c"`, the empty string when both are the same set."""
    want, have = set(expected), set(given)
    missing, unknown = sorted(want - have), sorted(have - want)
    parts = [f"{word}: {', '.join(names)}" for word, names in (("missing", missing), ("unknown", unknown)) if names]
    return "; ".join(parts)
