"""The observer: one recording a run, rows as time series and pictures, messages as text."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from lerobot_core.errors import UsageError, UserError
from lerobot_core.specs import Parts
from lerobot_core.types import Observation, Step

from .config import RerunConfig, endpoint

APPLICATION = "lerobot"
REACH_S = 2.0
CLOSE_S = 2.0
"""How long the way out waits for a viewer that stopped listening: the arm is parked after that."""
SAVE_S = 30.0
"""The same for a file, whose disk may be slow and which nobody wants cut off."""
_RANK = 4


class RerunObserver:
    """Shows a run.

    Args:
        parts: for the run's clock and the log.
    """

    def __init__(self, config: RerunConfig, parts: Parts) -> None:
        self._config, self._clock, self._log = config, parts.clock, parts.log
        self._stream: rr.RecordingStream | None = None
        self._laid_out = False
        self._began: float | None = None
        self._source = self._task = ""

    def start(self, info: dict[str, Any]) -> None:
        """Open the file, reach the viewer, or start one.

        Raises:
            UserError: the viewer cannot be reached or started, or the file not written.
        """
        if wrong := self._config.wrong():
            raise UsageError(wrong[0], fix=wrong[1])
        self.stop()
        if self._config.address is not None:
            _reach(*endpoint(self._config.address, self._config.port))
        self._warm_up()
        stream = rr.RecordingStream(APPLICATION)
        try:
            self._sink(stream)
        except (OSError, RuntimeError) as error:
            raise UserError("Rerun cannot be started", str(error), "--observer.rerun.save FILE") from error
        self._stream = stream
        words = ", ".join(f"{name} {value}" for name, value in info.items() if value)
        stream.log("messages", rr.TextLog(words, level=rr.TextLogLevel.INFO), static=True)

    def _sink(self, stream: rr.RecordingStream) -> None:
        if self._config.save is not None:
            stream.save(self._config.save)
            self._log.info("writing %s; to look at it: rerun %s", self._config.save, self._config.save)
        elif self._config.url is not None:
            stream.connect_grpc(self._config.url)
        else:
            stream.spawn(memory_limit=self._config.memory_limit, hide_welcome_screen=True)

    def _warm_up(self) -> None:
        """Rerun loads what it needs when it is first used, half a second during which the loop would stand still."""
        picture = np.zeros((8, 8, 3), np.uint8)
        row = Step(0, 0.0, Observation({"a": 0.0, "b": picture}), {"a": 0.0}, {"a": 0.0}, "policy", filtered=("x",))
        self._stream = rr.RecordingStream(f"{APPLICATION}-nothing")
        self._stream.save(os.devnull)
        self.step(row)
        self._stream.disconnect()
        self._stream, self._laid_out, self._began, self._source = None, False, None, ""

    # --- rows -------------------------------------------------------------------------------------------------------

    def step(self, step: Step) -> None:
        """The newest row."""
        stream = self._stream
        if stream is None:
            return
        self._lay_out(stream, step)
        self._began = step.t if self._began is None else self._began
        stream.set_time("row", sequence=step.index)
        stream.set_time("time", duration=step.t - self._began)
        for key, value in step.observation.items():
            if isinstance(value, np.ndarray):
                stream.log(["camera", key], self._picture(value))
        # One call a series, not one a joint: each costs 0.1 ms of the interpreter that the loop shares.
        for name, values in _series(step).items():
            stream.log(name, rr.Scalars([*values.values()]))
        self._changes(stream, step)

    def _picture(self, image: np.ndarray[Any, Any]) -> Any:
        if image.ndim != 3 or image.dtype != np.uint8:
            return rr.DepthImage(image)
        picture = rr.Image(image)
        return picture.compress(self._config.jpeg_quality) if self._config.jpeg_quality else picture

    def _changes(self, stream: rr.RecordingStream, step: Step) -> None:
        """What is news: who has the arm, another task, what the filter changed, flags."""
        words: list[str] = []
        if step.source != self._source:
            words.append(step.source)
        if step.task != self._task:
            words.append(f"task {step.task!r}")
        self._source, self._task = step.source, step.task
        if words:
            stream.log("messages", rr.TextLog(", ".join(words), level=rr.TextLogLevel.INFO))
        odd = (*step.filtered, *sorted(step.observation.flags))
        if odd:
            stream.log("messages", rr.TextLog(", ".join(odd), level=rr.TextLogLevel.WARN))

    def _lay_out(self, stream: rr.RecordingStream, step: Step) -> None:
        """Once, when the names are known: pictures in a row, the three series below, messages at the bottom."""
        if self._laid_out:
            return
        self._laid_out = True
        for name, values in _series(step).items():
            stream.log(name, rr.SeriesLines(names=[*values]), static=True)
        cameras = [key for key, value in step.observation.items() if isinstance(value, np.ndarray)]
        pictures = [rrb.Spatial2DView(name=key, origin=rr.new_entity_path(["camera", key])) for key in cameras]
        series = [rrb.TimeSeriesView(name=name, origin=f"/{name}") for name in _series(step)]
        messages = rrb.TextLogView(name="messages", origin="/messages")
        rows: list[rrb.Container | rrb.View] = [
            *([rrb.Horizontal(*pictures)] if pictures else []),
            rrb.Horizontal(*series),
            messages,
        ]
        stream.send_blueprint(rrb.Blueprint(rrb.Vertical(*rows), collapse_panels=True))

    def notice(self, text: str) -> None:
        """What the person is told."""
        if self._stream is not None:
            self._stream.log("messages", rr.TextLog(text, level=rr.TextLogLevel.INFO))

    # --- the end ----------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Hand over what is left; a viewer that is gone is not waited for longer than `CLOSE_S`. Idempotent."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        closed = threading.Event()

        def close() -> None:
            try:
                stream.flush(timeout_sec=SAVE_S)
            except RuntimeError:
                pass  # Rerun has said why; nobody is left to hand it to
            stream.disconnect()
            closed.set()

        patience = CLOSE_S if self._config.save is None else SAVE_S
        self._clock.spawn("rerun-close", close, _RANK)
        if not self._clock.wait(closed, self._clock.now() + patience):
            self._log.warning("the viewer did not take the last rows in time")


def _series(step: Step) -> dict[str, dict[str, float]]:
    """What is drawn over time: name -> robot key -> value."""
    state = {key: float(value) for key, value in step.observation.items() if not isinstance(value, np.ndarray)}
    return {"state": state, "sent": step.sent, "requested": step.requested}


def _reach(host: str, port: int) -> None:
    """UserError unless somebody listens there: Rerun itself would try for ever, and hold up the end of the run."""
    try:
        socket.create_connection((host, port), REACH_S).close()
    except OSError as error:
        raise UserError(
            f"no Rerun viewer at {host}:{port}", str(error), f"start one there: rerun --port {port}"
        ) from error
