"""What the safety filter and the interpolator cost a tick, for six joints.

python core/benchmarks/safety_filter.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lerobot_core.interpolation import Interpolator
from lerobot_core.safety import SafetyFilter
from lerobot_core.types import Feature, Features

KEYS = tuple(f"joint_{i}.pos" for i in range(6))
FEATURES: Features = {key: Feature(unit="deg", low=-90.0, high=90.0, max_rate=180.0) for key in KEYS}


def cost(call: Callable[[], object]) -> float:
    """Median microseconds of one call, over nine rounds of a thousand."""
    rounds = []
    for _ in range(9):
        began = time.perf_counter()
        for _ in range(1000):
            call()
        rounds.append((time.perf_counter() - began) * 1e3)
    return sorted(rounds)[4]


def main() -> None:
    """Print them."""
    safety, line = SafetyFilter(FEATURES), Interpolator(3)
    quiet, wild = dict.fromkeys(KEYS, 0.0), dict.fromkeys(KEYS, 500.0)

    def tick(request: dict[str, float]) -> None:
        safety.note_source("policy", 0.0)
        action, _ = safety.apply(request, quiet, 0.01)
        safety.sent(action)

    print(f"{'a tick that passes, us':<32}{cost(lambda: tick(quiet)):>10.2f}")
    print(f"{'a tick clipped everywhere, us':<32}{cost(lambda: tick(wild)):>10.2f}")
    print(f"{'interpolation to 3, us':<32}{cost(lambda: line.between(quiet)):>10.2f}")


if __name__ == "__main__":
    main()
