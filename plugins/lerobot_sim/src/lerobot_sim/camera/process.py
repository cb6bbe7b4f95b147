"""The drawing process: pictures of states that the world sends, so that a picture never delays a servo's answer."""

from __future__ import annotations

import os
import sys
from typing import Any

import mujoco

from ..physics.mjcf import model_xml
from ..wire import Channel, Gone, inherited
from .look import Look
from .painter import Painter
from .shared import FrameRing
from .solids import Solids

VIEWS = ("front", "wrist")
"""The model's cameras."""


class Studio:
    """Every camera of one world.

    Args:
        channel: messages from the world; `{"camera": …}` adds one, `{"qpos": …}` asks for pictures.
            It answers when it is ready, and after each request for pictures.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._model = mujoco.MjModel.from_xml_string(model_xml())
        self._data = mujoco.MjData(self._model)
        self._solids = Solids(self._model)
        self._cameras: dict[int, tuple[str, Painter, FrameRing]] = {}
        self._seed, self._look = 0, Look.of(0, VIEWS)

    def run(self) -> None:
        """Until the world ends."""
        self._channel.send({"cpu_s": _cpu_s()})
        while True:
            message = self._channel.receive()
            if "qpos" in message:
                self._draw(message)
                self._channel.send({"cpu_s": _cpu_s()})
            else:
                self._add(message)

    def _add(self, message: dict[str, Any]) -> None:
        fd = self._channel.file()
        ring = FrameRing(fd, message["height"], message["width"])
        os.close(fd)
        painter = Painter(self._model, message["width"], message["height"])
        self._cameras[message["camera"]] = (message["view"], painter, ring)

    def _draw(self, message: dict[str, Any]) -> None:
        self._data.qpos[:] = message["qpos"]
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        self._solids.update(self._data)
        if message["seed"] != self._seed:
            self._seed, self._look = message["seed"], Look.of(message["seed"], VIEWS)
        for number in message["cameras"]:
            view, painter, ring = self._cameras[number]
            ring.write(painter.paint(self._solids, self._data, view, self._look), message["t"])


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


def main() -> None:
    """Entry of `python -m lerobot_sim.camera.process FD`."""
    # A late picture is a stale frame; a late servo is a lost packet.
    os.nice(5)
    try:
        Studio(inherited(int(sys.argv[1]))).run()
    except Gone:
        return


if __name__ == "__main__":
    main()
