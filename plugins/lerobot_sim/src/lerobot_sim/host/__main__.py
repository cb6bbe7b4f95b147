"""`python -m lerobot_sim.host FD`: one world, until the run that started it hangs up or dies."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from ..wire import Channel, Gone, inherited
from .reactor import Reactor
from .world import HostWorld

PERIOD_S = 0.005
"""How often the world moves when nobody asks; a packet or a question brings it up to the moment by itself."""


class Host:
    """Answers the run, and on the real clock keeps the world moving.

    Args:
        channel: to the run; its first message says how to begin.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel, self._reactor = channel, Reactor()
        begin = channel.receive()
        self._real = not begin["stepped"]
        now = time.perf_counter() if self._real else begin["now"]
        self._world = HostWorld(begin["seed"], begin["auto_reset"], now, self._reactor.at if self._real else None)
        self._answers: dict[str, Callable[..., Any]] = {
            **self._world.answers,
            "step": self._step,
            "port": self._open_port,
            "close_port": self._close_port,
            "camera": self._open_camera,
        }
        self._ports: dict[int, int] = {}
        channel.send({"ok": None})
        self._reactor.watch(channel.fileno(), self._hear)

    def run(self) -> None:
        """Until the run hangs up."""
        if self._real:
            self._beat()
        try:
            self._reactor.run()
        finally:
            self._world.close()

    def _beat(self) -> None:
        now = time.perf_counter()
        self._world.advance(now)
        self._world.cameras.tick(now)
        self._reactor.at(min(now + PERIOD_S, max(self._world.cameras.next_due(), now)), self._beat)

    def _catch_up(self) -> None:
        if self._real:
            self._world.advance(time.perf_counter())

    def _hear(self) -> None:
        try:
            for message in self._channel.pending():
                self._finish_packets()
                self._catch_up()
                self._channel.send(self._answer(**message))
        except Gone:
            self._reactor.stop()

    def _finish_packets(self) -> None:
        """Carry out what the driver sent before it asked: two runs on a virtual clock must not differ by a race."""
        # Polling a pseudo-terminal delivers what its other end has written; waiting for it to be readable would not.
        for fd in select.select(list(self._ports), [], [], 0)[0]:
            self._serve(self._ports[fd])

    def _answer(self, op: str, **arguments: Any) -> dict[str, Any]:
        try:
            return {"ok": self._answers[op](**arguments)}
        except (ValueError, TypeError, KeyError) as error:
            return {"error": str(error)}

    def _open_port(self, **wanted: Any) -> dict[str, Any]:
        opened = self._world.open_port(**wanted)
        fd = opened.pop("fd")
        self._ports[fd] = opened["rig"]
        self._reactor.watch(fd, partial(self._serve, opened["rig"]))
        return opened

    def _close_port(self, rig: int) -> None:
        port = self._world.rig(rig).port
        if port is not None:
            self._reactor.forget(port.fileno())
            self._ports.pop(port.fileno(), None)
        self._world.rig(rig).close()

    def _open_camera(self, **wanted: Any) -> int:
        cameras = self._world.cameras
        number = cameras.add(**wanted, fd=self._channel.file(), now=self._world.now)
        drawing = cameras.fileno()
        if drawing is not None:
            self._reactor.watch(drawing, partial(self._drawn, drawing))
        return number

    def _drawn(self, fd: int) -> None:
        if not self._world.cameras.drawn():
            self._reactor.forget(fd)

    def _serve(self, index: int) -> None:
        line = self._world.rig(index).line
        if line is not None:
            self._catch_up()
            line.receive(self._world.now)

    def _step(self, t: float) -> float:
        """Move to `t`, stopping for every picture that is due on the way; returns when the next one is."""
        cameras = self._world.cameras
        while (due := cameras.next_due()) <= t:
            self._world.advance(due)
            cameras.tick(due)
        self._world.advance(t)
        return cameras.next_due()


def main() -> None:
    """Entry point."""
    try:
        Host(inherited(int(sys.argv[1]))).run()
    except Gone:
        return


if __name__ == "__main__":
    main()
