"""The last thing between a request and the motors: keys, NaN, range, speed and the first-move ramp."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import ConfigError, ContractError, DeviceError, InferenceError, did_you_mean
from .names import name_diff
from .types import Action, Feature, Features, Source

RAMP_S = 1.0
"""Seconds from 10 % to 100 % of each max_rate."""
RAMP_FLOOR = 0.1
HOLD_S = 0.5
"""A longer hold is followed by a ramp."""
RESOLUTION = 1 / 500
"""A robot answers with its nearest device step; a 10-bit servo's is 1/1000 of its range."""
_LIMITS = ("low", "high", "max_rate")


class _Limit(NamedTuple):
    """Infinite where unbounded; `step` is how far what was sent may be from what was asked and count as the same."""

    low: float
    high: float
    max_rate: float
    step: float


class SafetyFilter:
    """Pure arithmetic on a few floats; never blocks, never reads the bus, knows no clock.

    For each action it sends the loop calls `note_source`, `apply`, then `sent`.

    Args:
        features: the robot's action features, with their calibrated ranges and max_rate.
        limits: `RobotConfig.limits`, {key: {low, high, max_rate}}; they only narrow.

    Raises:
        ConfigError: a limit for an unknown key or of an unknown name, or one that leaves no range.
    """

    def __init__(self, features: Features, limits: Mapping[str, Mapping[str, float]] | None = None) -> None:
        limits = limits or {}
        for key in limits.keys() - features.keys():
            raise ConfigError(f"limits: the robot has no {key!r}", "", did_you_mean(key, list(features)))
        self._limits = {key: _narrowed(key, feature, limits.get(key, {})) for key, feature in features.items()}
        self._last: Action = {}
        self._asked: Action = {}
        self._ramp = 0.0
        self._source: Source = "hold"
        self._hold_since: float | None = None
        self._counts: Counter[str] = Counter()

    def restart(self) -> None:
        """After engage: forget what was sent, start the ramp; the next `apply` measures from the present position."""
        self._last = {}
        self._ramp = 0.0
        self._source, self._hold_since = "hold", None

    def note_source(self, source: Source, t: float) -> None:
        """Who chooses the action of the tick at `t`; a change, or the end of a hold over 0.5 s, starts the ramp."""
        if source == "hold":
            self._hold_since = t if self._hold_since is None else self._hold_since
            return
        held = t - self._hold_since if self._hold_since is not None else 0.0
        # 1 us: a hold of exactly 0.5 s must not ramp or not by the last bit of a sum.
        if source != self._source or held > HOLD_S + 1e-6:
            self._ramp = 0.0
        self._source, self._hold_since = source, None

    def apply(self, requested: Action, present: Mapping[str, Any], dt: float) -> tuple[Action, tuple[str, ...]]:
        """The nearest action that is safe to send, and what had to be changed.

        In this order: NaN or infinity -> the last sent; range clip; at most max_rate * dt from the last sent (before
        the first: from `present`), the ramp's share of it while ramping. A key that `present` does not measure has no
        first reference: its first value is only range clipped. An arm that stands outside its range comes back at
        that rate.

        Args:
            requested: exactly the robot's action keys.
            present: the observation.
            dt: the nominal seconds until the next send, not the time since the last one: a late tick earns no leap.

        Returns:
            The action in the robot's key order, and `"nan:key"`, `"range:key"`, `"rate:key"`, `"ramp:key"` items.

        Raises:
            ContractError: a key is missing or unknown.
            InferenceError: the first value of a key is NaN and there is nothing to hold.
            DeviceError: the present position that is needed is not finite.
        """
        if requested.keys() != self._limits.keys():
            raise ContractError("an action does not have the robot's keys", name_diff(self._limits, requested))
        last = self._last or self._first(present)
        share = min(1.0, RAMP_FLOOR + (1.0 - RAMP_FLOOR) * self._ramp / RAMP_S)
        self._ramp += dt
        action: Action = {}
        found: list[str] = []
        for key, limit in self._limits.items():
            value, reference = requested[key], last.get(key)
            if not math.isfinite(value):
                found.append(f"nan:{key}")
                value = _held(key, reference)
            if not limit.low <= value <= limit.high:
                found.append(f"range:{key}")
                value = min(max(value, limit.low), limit.high)
            if reference is not None and abs(value - reference) > share * limit.max_rate * dt:
                found.append(f"rate:{key}" if abs(value - reference) > limit.max_rate * dt else f"ramp:{key}")
                value = reference + math.copysign(share * limit.max_rate * dt, value - reference)
            action[key] = value
        self._asked = action
        if found:
            self._counts.update(item.partition(":")[0] for item in found)
        return action, tuple(found)

    def sent(self, action: Action) -> None:
        """What `send_action` returned; the next rate limit starts there.

        An answer that differs by less than 1/500 of the range is the request rounded to a device step. Then the limit
        starts at the request: a joint limited to less than half a step a tick would otherwise never move.
        """
        # Not below infinity: a robot that answers NaN or infinity tells nothing about where it is.
        self._last = {
            key: action[key] if self._limits[key].step < abs(action[key] - asked) < math.inf else asked
            for key, asked in self._asked.items()
        }

    def stats(self) -> dict[str, int]:
        """Interventions so far by kind: range, rate, nan, ramp."""
        return {kind: self._counts[kind] for kind in ("range", "rate", "nan", "ramp")}

    def _first(self, present: Mapping[str, Any]) -> Action:
        values = {key: float(present[key]) for key in self._limits if key in present}
        for key, value in values.items():
            if not math.isfinite(value):
                raise DeviceError(
                    f"the present position of {key!r} is {value}", "it cannot be moved from an unknown place"
                )
        return values


def _held(key: str, reference: float | None) -> float:
    if reference is None:
        raise InferenceError(f"the first value for {key!r} is not a number", "nothing was sent that could be held")
    return reference


def _narrowed(key: str, feature: Feature, limit: Mapping[str, float]) -> _Limit:
    for name, value in limit.items():
        if name not in _LIMITS:
            raise ConfigError(
                f"limits.{key}: unknown {name!r}", f"known: {', '.join(_LIMITS)}", did_you_mean(name, _LIMITS)
            )
        if math.isnan(value):
            raise ConfigError(f"limits.{key}.{name} is not a number")
    low = max(_or(feature.low, -math.inf), limit.get("low", -math.inf))
    high = min(_or(feature.high, math.inf), limit.get("high", math.inf))
    max_rate = min(_or(feature.max_rate, math.inf), limit.get("max_rate", math.inf))
    if not (low <= high and max_rate > 0):
        raise ConfigError(
            f"limits.{key}: nothing is left between {low:g} and {high:g} at {max_rate:g} a second",
            f"the robot allows {feature.low} to {feature.high} at {feature.max_rate}",
            "limits can only narrow the robot's own",
        )
    span = high - low
    return _Limit(low, high, max_rate, span * RESOLUTION if math.isfinite(span) else 0.0)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
