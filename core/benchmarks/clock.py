"""How late a 100 Hz loop on the real clock wakes, and what one hand-over of the virtual clock costs.

python core/benchmarks/clock.py [--seconds S]
"""

from __future__ import annotations

import argparse
import time

from lerobot_core.clock import RealClock
from lerobot_core.inference.latency import percentile
from lerobot_core.virtual_clock import VirtualClock

PERIOD = 0.01


def lateness(seconds: float) -> list[float]:
    """Milliseconds between each absolute deadline and waking."""
    clock, late = RealClock(), []
    start = clock.now()
    for index in range(1, int(seconds / PERIOD) + 1):
        deadline = start + index * PERIOD
        clock.sleep_until(deadline)
        late.append((clock.now() - deadline) * 1e3)
    return late


def hand_over(count: int) -> float:
    """Microseconds for the baton to go from one real thread to another."""
    clock = VirtualClock()

    def other() -> None:
        for index in range(count):
            clock.sleep_until(index + 0.5)

    clock.spawn("other", other, rank=2)
    began = time.perf_counter()
    for index in range(1, count + 1):
        clock.sleep_until(float(index))
    return (time.perf_counter() - began) / (2 * count) * 1e6


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    late = lateness(parser.parse_args().seconds)
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        print(f"{f'100 Hz lateness {name}, ms':<32}{percentile(late, share):>10.3f}")
    print(f"{'virtual hand-over, us':<32}{hand_over(20_000):>10.2f}")


if __name__ == "__main__":
    main()
