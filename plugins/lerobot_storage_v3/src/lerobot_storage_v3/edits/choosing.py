"""Which episodes a person means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lerobot_core.errors import UsageError


def parse_episodes(text: str, total: int) -> list[int]:
    """`"3,7-9"` -> `[3, 7, 8, 9]`, as the lint prints it.

    Raises:
        UsageError: no such episode, or not numbers.
    """
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        try:
            chosen = range(int(first), int(last if dash else first) + 1)
        except ValueError as error:
            raise UsageError(
                f"{part.strip()!r} is no episode", "give numbers and ranges", "for example 3,7-9"
            ) from error
        if not chosen or chosen[0] < 0 or chosen[-1] >= total:
            raise UsageError(f"there is no episode {part.strip()!r}", f"the dataset has 0 to {total - 1}")
        found.update(chosen)
    return sorted(found)


def parse_parts(words: Sequence[str], total: int) -> dict[str, list[int]]:
    """`["train=0.8", "val=0.2"]` or `["train=0-7", "val=8,9"]` -> episodes by name; fractions run from the first on.

    Raises:
        UsageError: a part twice, fractions above 1 in all, or an episode in two parts.
    """
    parts = dict(_named(word) for word in words)
    if len(parts) < len(words):
        raise UsageError("a part has the name of another", "", "for example --into train=0.8 --into val=0.2")
    fractions = {name: _fraction(text) for name, text in parts.items()}
    if all(value is not None for value in fractions.values()):
        return _by_fraction({name: value or 0.0 for name, value in fractions.items()}, total)
    found = {name: parse_episodes(text, total) for name, text in parts.items()}
    everything = [episode for episodes in found.values() for episode in episodes]
    if len(everything) > len(set(everything)):
        raise UsageError("an episode is in two parts", "", "give every episode to one part at most")
    return found


def _named(word: str) -> tuple[str, str]:
    name, equals, text = word.partition("=")
    if not equals or not name or not text or "/" in name:
        raise UsageError(
            f"{word!r} is no part", "it is NAME=FRACTION or NAME=EPISODES", "for example train=0.8 or val=8,9"
        )
    return name, text


def _fraction(text: str) -> float | None:
    # "1" is an episode; all of them is 1.0.
    try:
        return float(text) if "." in text else None
    except ValueError:
        return None


def _by_fraction(fractions: Mapping[str, float], total: int) -> dict[str, list[int]]:
    asked = sum(fractions.values())
    if asked > 1 + 1e-9 or min(fractions.values()) <= 0:
        raise UsageError(f"the fractions add up to {asked:.3g}", "each is above 0, together at most 1")
    found, start = {}, 0
    for number, (name, share) in enumerate(fractions.items()):
        last = number == len(fractions) - 1 and asked > 1 - 1e-9
        stop = total if last else start + round(share * total)
        found[name], start = list(range(start, stop)), stop
    empty = [name for name, episodes in found.items() if not episodes]
    if empty:
        raise UsageError(f"part {empty[0]!r} gets no episode", f"there are {total}", "give it a larger share")
    return found
