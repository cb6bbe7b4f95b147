"""The devices' part of `lr doctor`: connect, read for a while, never engage."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .clock import Clock, RealClock
from .errors import CameraError, DeviceError, UserError
from .run.build import Builder
from .run.plan import Plan
from .run.worlds import Worlds
from .types import Problem

if TYPE_CHECKING:
    from .config.resolve import Resolved
    from .config.run import RunConfig
    from .contracts.camera import Camera
    from .doctor import Report
    from .registry import Registry
    from .terminal import Terminal

log = logging.getLogger("lerobot.doctor")
UNREAD: dict[str, Any] = {"reads": 0, "failed": 0, "read_ms": None, "health": []}
READS = 50
READ_HZ = 100.0
WATCH_S = 1.5
POLL_S = 0.005
SLOW = 0.9
"""A camera below this share of the rate it was asked for is worth a warning."""
HOT_C = 55.0


def look(report: Report, resolved: Resolved[RunConfig], registry: Registry, terminal: Terminal) -> None:
    """Build and connect what was named, measure, and close it again; what cannot be had is a problem, not an error."""
    world = dataclasses.replace(resolved.config.world, auto_reset=False)
    config = dataclasses.replace(resolved.config, world=world)
    plan, clock = Plan("doctor", config, resolved.origins, registry), RealClock()
    worlds = Worlds(plan, clock)
    builder = Builder(plan, clock, worlds, terminal)
    with contextlib.closing(worlds), _telling(report, "world"):
        worlds.open()
        for section, chosen in (("robot", config.robot), ("teleop", config.teleop)):
            if chosen is not None:
                with _telling(report, section):
                    report.devices[section] = {"name": chosen.name, **UNREAD}
                    _device(report, section, builder.part(section, chosen), clock)
        for name, chosen in config.camera.items():
            with _telling(report, f"camera.{name}"):
                _camera(report, name, builder.part(f"camera.{name}", chosen), clock)


@contextlib.contextmanager
def _telling(report: Report, where: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        text = error.what + (f" ({error.why})" if error.why else "")
        report.problems.append(Problem("error", where, text, error.fix))
    except Exception as error:
        log.debug("unexpected", exc_info=error)
        report.problems.append(
            Problem("error", where, f"{type(error).__name__}: {error}", "LEROBOT_DEBUG=1 shows where")
        )


def _device(report: Report, section: str, device: Any, clock: Clock) -> None:
    seen = report.devices[section]
    try:
        device.connect()
        seen |= reading(device.get_observation if section == "robot" else device.get_action, clock)
        health = getattr(device, "health", None)
        seen["health"] = [dict(motor) for motor in health()] if health is not None else []
    finally:
        device.disconnect()
    if seen["failed"]:
        text = f"{seen['failed']} of {seen['reads']} reads failed"
        report.problems.append(Problem("error", section, text, "check power and every cable between the motors"))
    report.problems += [problem for motor in seen["health"] for problem in unwell(section, motor)]


def reading(read: Callable[[], Any], clock: Clock) -> dict[str, Any]:
    """Read `READS` times at `READ_HZ`: {reads, failed, read_ms{p50, max}}."""
    taken, failed = [], 0
    begin = clock.now()
    for number in range(READS):
        clock.sleep_until(begin + number / READ_HZ)
        before = clock.now()
        try:
            read()
        except DeviceError:
            failed += 1
        taken.append((clock.now() - before) * 1e3)
    return {"reads": READS, "failed": failed, "read_ms": {"p50": statistics.median(taken), "max": max(taken)}}


def unwell(section: str, motor: Mapping[str, Any]) -> list[Problem]:
    """What one motor's `{motor, id, voltage, temperature, errors, lost (of 100 reads), …}` gives cause for."""
    where, found = f"{section} {motor.get('motor', '?')}", []
    if errors := motor.get("errors"):
        found.append(
            Problem("error", where, ", ".join(errors), "switch the arm off and on; check what holds the joint")
        )
    if float(motor.get("temperature") or 0.0) > HOT_C:
        found.append(Problem("warning", where, f"{motor['temperature']:g} C is hot", "let it cool; lighten its load"))
    if lost := motor.get("lost"):
        found.append(Problem("warning", where, f"{lost} of 100 reads lost", "check the cable before this motor"))
    return found


def _camera(report: Report, name: str, camera: Camera, clock: Clock) -> None:
    report.cameras[name] = {"identity": "", "asked": camera.fps, "fps": None, "frames": 0}
    try:
        camera.connect()
        report.cameras[name] |= {"identity": camera.identity(), **watching(camera, clock)}
    finally:
        camera.disconnect()
    fps = report.cameras[name]["fps"]
    if fps is None:
        report.problems.append(
            Problem("error", f"camera.{name}", f"fewer than two frames in {WATCH_S:g} s", "check its cable")
        )
    elif fps < SLOW * camera.fps:
        fix = f"more light, another USB port, or --camera.{name}.fps {fps:.0f}"
        report.problems.append(Problem("warning", f"camera.{name}", f"{fps:.1f} frames/s of {camera.fps:g} asked", fix))


def watching(camera: Camera, clock: Clock) -> dict[str, Any]:
    """Frames and measured rate over `WATCH_S`, by capture times: {frames, fps | None}."""
    captured: dict[int, float] = {}
    end = clock.now() + WATCH_S
    while clock.now() < end:
        try:
            frame = camera.read_latest(WATCH_S)
        except CameraError:
            pass  # none has arrived yet; none at all is what the caller reports
        else:
            captured[frame.seq] = frame.captured
        clock.sleep_until(clock.now() + POLL_S)
    times = sorted(captured.values())
    span = times[-1] - times[0] if times else 0.0
    # Frames that nobody looked at count as well: sequence numbers say how many there were.
    steps = max(captured) - min(captured) if captured else 0
    return {"frames": len(captured), "fps": steps / span if span > 0 else None}
