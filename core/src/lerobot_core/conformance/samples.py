"""Values made from features alone, and the judgement whether a value fits: any part can be tried without data."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from ..types import Action, Feature, Features, Observation, Step, Unit

UNITS = tuple(unit for arg in get_args(Unit) for unit in (get_args(arg) or (None,)))


def value(feature: Feature, dice: random.Random) -> Any:
    """A value inside the feature's range; arrays are read-only."""
    if not feature.shape:
        low, high = bounds(feature)
        return dice.uniform(0.75 * low + 0.25 * high, 0.25 * low + 0.75 * high)
    noise = np.random.default_rng(dice.randrange(2**32))
    if feature.dtype == "uint8":
        array = noise.integers(0, 256, feature.shape, dtype=np.uint8)
    else:
        array = noise.uniform(*bounds(feature), feature.shape).astype(feature.dtype)
    array.flags.writeable = False
    return array


def bounds(feature: Feature) -> tuple[float, float]:
    """Low and high; an unbounded side reaches 1 beyond 0 or the other side."""
    low = feature.low if feature.low is not None else min(-1.0, (feature.high or 0.0) - 1.0)
    return low, feature.high if feature.high is not None else max(1.0, low + 1.0)


def observation(features: Features, time: float = 0.0, seed: int = 0) -> Observation:
    """An observation of exactly these features."""
    dice = random.Random(seed)
    values = {key: value(feature, dice) for key, feature in features.items()}
    captured = {key: time for key, feature in features.items() if feature.is_image}
    return Observation(values, time, captured)


def action(features: Features, seed: int = 0) -> Action:
    """An action of exactly these features."""
    dice = random.Random(seed)
    return {key: value(feature, dice) for key, feature in features.items()}


def step(observed: Features, acted: Features, index: int, fps: float = 30.0, task: str = "a task") -> Step:
    """Row `index` of an invented episode; `sent` differs from `requested`."""
    requested = action(acted, seed=index)
    sent = {key: 0.5 * number for key, number in requested.items()}
    t = index / fps
    return Step(index, t, observation(observed, t, seed=index), requested, sent, "policy", task=task)


def misfits(values: Mapping[str, Any], features: Features) -> list[str]:
    """What about `values` does not fit `features`, a phrase each; [] when all is well."""
    found = [f"{key} is missing" for key in features if key not in values]
    found += [f"{key} is unknown" for key in values if key not in features]
    return found + [
        f"{key} {why}" for key, feature in features.items() if key in values and (why := _misfit(values[key], feature))
    ]


def _misfit(found: Any, feature: Feature) -> str:
    if not feature.shape:
        if not isinstance(found, float):
            return f"is a {type(found).__name__}, not a float"
        return "" if math.isfinite(found) else "is not finite"
    if not isinstance(found, np.ndarray):
        return f"is a {type(found).__name__}, not an array"
    if (str(found.dtype), found.shape) != (feature.dtype, feature.shape):
        return f"is {found.dtype} {found.shape}, not {feature.dtype} {feature.shape}"
    return ""


def unlawful(features: Features) -> list[str]:
    """What is wrong with features themselves, a phrase each."""
    return [f"{key!r} {why}" for key, feature in features.items() for why in _unlawful(key, feature)]


def _unlawful(key: str, feature: Feature) -> list[str]:
    low, high, rate = feature.low, feature.high, feature.max_rate
    rules = {
        "has no name": bool(key.strip()),
        f"has the unknown unit {feature.unit!r}": feature.unit in UNITS,
        "is an image that is not uint8 (H, W, 3)": not feature.is_image
        or (feature.dtype, feature.shape[2]) == ("uint8", 3),
        "has a range that is upside down": low is None or high is None or low < high,
        "has a max_rate that is not positive": rate is None or rate > 0.0,
    }
    return [why for why, kept in rules.items() if not kept]
