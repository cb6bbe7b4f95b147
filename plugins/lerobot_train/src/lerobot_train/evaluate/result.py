"""What an evaluation says: the JSON of docs/contracts.md, the same as lines for a person, and a file with everything."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

log = logging.getLogger("lerobot.eval")

SCHEMA = 1
Z95 = 1.959963984540054
"""The normal distribution's 97.5 % quantile."""


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95 % confidence interval of a success rate: E. B. Wilson, JASA 22 (1927) 209; (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    p, z2 = successes / trials, Z95 * Z95
    centre = (p + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 / (1 + z2 / trials) * math.sqrt(p * (1 - p) / trials + z2 / (4 * trials * trials))
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == trials else centre + half


@dataclass(frozen=True, slots=True)
class Episode:
    """One attempt.

    Attributes:
        seed: what it began with; None where nothing has one (a real scene).
        success: as the env, the scene or the operator said.
        total: the sum of rewards; None where there are none.
        steps, seconds: its length, whichever is known.
    """

    seed: int | None
    success: bool
    total: float | None = None
    steps: int | None = None
    seconds: float | None = None


@dataclass
class Result:
    """An evaluation as far as it has come.

    Attributes:
        policy: as it was typed.
        where: `env` or `robot`.
        name: the env's or the robot's.
        details: what else belongs into the file (a run's summary).
    """

    policy: str
    where: str
    name: str
    episodes: list[Episode] = field(default_factory=list)
    videos: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def successes(self) -> int:
        """How many succeeded."""
        return sum(episode.success for episode in self.episodes)

    def as_json(self) -> dict[str, Any]:
        """Keys as docs/contracts.md has them; `rate` and `returns` are null where there is nothing to average."""
        count, won = len(self.episodes), self.successes
        return {
            "schema": SCHEMA,
            "verb": "eval",
            "policy": self.policy,
            self.where: self.name,
            "episodes": count,
            "successes": won,
            "rate": round(won / count, 6) if count else None,
            "ci95": [round(end, 6) for end in wilson(won, count)],
            "returns": _returns([each.total for each in self.episodes if each.total is not None]),
            "seeds": [each.seed for each in self.episodes if each.seed is not None],
            "videos": self.videos,
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        found = self.as_json()
        if not self.episodes:
            return ["no episode was finished"]
        low, high = found["ci95"]
        text = [
            f"{found['successes']} of {found['episodes']} succeeded: {found['rate']:.1%}"
            f" (95 % interval {low:.1%} to {high:.1%})"
        ]
        if found["returns"]["mean"] is not None:
            text.append(f"  return {found['returns']['mean']:.3f} +- {found['returns']['std']:.3f}")
        if found["seeds"]:
            text.append(f"  seeds {found['seeds'][0]} to {found['seeds'][-1]}")
        if self.videos:
            text.append(f"  {len(self.videos)} videos in {Path(self.videos[0]).parent}")
        return text

    def write(self, folder: Path) -> Path:
        """Write FOLDER/eval.json: the JSON, every episode, and the details.

        Raises:
            OSError: it cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        each = [
            {"seed": e.seed, "success": e.success, "return": e.total, "steps": e.steps, "seconds": e.seconds}
            for e in self.episodes
        ]
        path = folder / "eval.json"
        path.write_text(json.dumps(self.as_json() | {"attempts": each} | self.details, indent=2, default=str) + "\n")
        return path

    def report(self, as_json: bool) -> None:
        """One object on the last line of stdout, or lines for a person."""
        print(json.dumps(self.as_json()) if as_json else "\n".join(self.lines()), flush=True)


def keep(result: Result, folder: Path) -> None:
    """Write eval.json where there is something to write; that it cannot be written is a warning."""
    if not result.episodes:
        return
    try:
        log.info("%s", result.write(folder))
    except OSError as error:
        log.warning("eval.json could not be written: %s", error)


def output_folder(asked: Path | None, name: str) -> Path:
    """Where an evaluation leaves its files."""
    return asked or Path("outputs", "eval", f"{datetime.now():%Y%m%d-%H%M%S}-{name}")


def policy_name(policy: Any) -> str | None:
    """The checkpoint's folder where there is one, else the policy's name; None when it runs elsewhere."""
    if policy is None:
        return None
    return str(getattr(policy.config, "path", None) or policy.name)


def _returns(totals: Sequence[float]) -> Mapping[str, float | None]:
    if not totals:
        return {"mean": None, "std": None}
    mean = sum(totals) / len(totals)
    spread = math.sqrt(sum((total - mean) ** 2 for total in totals) / len(totals))
    return {"mean": round(mean, 6), "std": round(spread, 6)}
