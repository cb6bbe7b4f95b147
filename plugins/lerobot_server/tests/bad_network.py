"""A network namespace behind two TUN devices, and a process between them that delays, loses and reorders packets.

    python bad_network.py NAME DELAY_MS JITTER_MS LOSS REORDER

Here is 10.231.8.1, the namespace NAME is 10.231.8.2. Needs root and /dev/net/tun; netem would need a kernel module.
It ends, and takes the namespace with it, when stdin closes.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

HERE, THERE = "10.231.8.1", "10.231.8.2"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def tun(name: str) -> int:
    """A device whose packets this process reads and writes."""
    handle = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(handle, _TUNSETIFF, struct.pack("16sH", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return handle


def ip(*words: str) -> None:
    """The `ip` command."""
    subprocess.run(["ip", *words], check=True)


def forward(pair: tuple[int, int], delay: float, jitter: float, loss: float, reorder: float) -> None:
    """Until stdin closes."""
    dice, waiting, count = random.Random(1), list[tuple[float, int, int, bytes]](), 0
    other = {pair[0]: pair[1], pair[1]: pair[0]}
    newest = dict.fromkeys(pair, 0.0)
    while True:
        patience = max(waiting[0][0] - time.monotonic(), 0.0) if waiting else None
        ready, _, _ = select.select([*pair, sys.stdin], [], [], patience)
        if sys.stdin in ready:
            return
        for handle in ready:
            packet = os.read(handle, 65536)
            if dice.random() >= loss:
                due = time.monotonic() + delay + dice.uniform(-jitter, jitter)
                if dice.random() >= reorder:  # jitter alone keeps the order, as queues in routers do
                    due = newest[handle] = max(due, newest[handle])
                count += 1
                heapq.heappush(waiting, (due, count, other[handle], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, handle, packet = heapq.heappop(waiting)
            os.write(handle, packet)


def main() -> None:
    """Set up, forward, take down."""
    name, delay, jitter, loss, reorder = sys.argv[1], *map(float, sys.argv[2:])
    inside = f"netns exec {name} ip".split()
    ip("netns", "add", name)
    try:
        pair = tun("lrhere"), tun("lrthere")
        ip("link", "set", "lrthere", "netns", name)
        ip("addr", "add", f"{HERE}/24", "dev", "lrhere")
        ip("link", "set", "lrhere", "up")
        ip(*inside, "addr", "add", f"{THERE}/24", "dev", "lrthere")
        ip(*inside, "link", "set", "lrthere", "up")
        ip(*inside, "link", "set", "lo", "up")
        print("forwarding", flush=True)
        forward(pair, delay / 1e3, jitter / 1e3, loss, reorder)
    finally:
        ip("netns", "del", name)


if __name__ == "__main__":
    main()
