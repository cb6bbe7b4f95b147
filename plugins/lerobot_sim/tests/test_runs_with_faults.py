"""Whole runs on the virtual rig, on the virtual clock: the scripted person at work, and one thing that breaks.

What the run does about each fault is in docs/contracts.md, Safety.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.virtual_clock import VirtualClock
from lerobot_sim.client import SimWorld

ARM_ONLY = ("--camera.front", "none", "--camera.wrist", "none")
ONE_CAMERA = ("--camera.wrist", "none", "--camera.front.width", "64", "--camera.front.height", "48")
BREAKS_AT_S = 0.5


class Result(NamedTuple):
    """The run's summary, its exception, and the goals that the servos received."""

    summary: dict[str, Any]
    error: BaseException | None
    log: list[dict[str, Any]]


class Watched(Session):
    """A session that breaks something after a while and keeps the world's log."""

    log: list[dict[str, Any]] = []
    breaks: Callable[[SimWorld], None] = staticmethod(lambda world: None)

    def open_worlds(self) -> None:
        super().open_worlds()
        (world,) = self._worlds.all()
        assert isinstance(world, SimWorld)
        self._stack.callback(lambda: setattr(self, "log", world.log()))
        self.clock.spawn("fault", lambda: self._break(world), 0)

    def _break(self, world: SimWorld) -> None:
        self.clock.sleep_until(BREAKS_AT_S)
        self.breaks(world)


def run(*options: str, duration: float = 1.3, breaks: Callable[[SimWorld], None] | None = None) -> Result:
    argv = ["--robot", "virtual_so100", "--teleop", "scripted", "--duration", str(duration), *options]
    registry = default_registry()
    resolved = resolve_run("teleoperate", argv, registry, {})
    session = Watched(Plan("teleoperate", resolved.config, resolved.origins, registry), VirtualClock())
    session.breaks = breaks or session.breaks
    return Result(session.run(), session.ending.error, session.log)


def fault(kind: str, **options: Any) -> Callable[[SimWorld], None]:
    return lambda world: world.fault(kind, **options)


def test_the_person_puts_cubes_into_the_bin_through_bus_and_filter() -> None:
    summary = run(*ARM_ONLY, duration=20.0).summary
    assert summary["outcome"] == "done"
    assert summary["success"]["attempts"] == summary["success"]["successes"] >= 2


def test_what_was_sent_is_what_the_servos_got() -> None:
    result = run(*ARM_ONLY)
    human = result.summary["rows"]["human"]
    assert human >= 38
    # Goals after the last row park the arm.
    assert len(result.log) > human
    assert all(len(entry["goals"]) == 6 for entry in result.log)


@pytest.mark.parametrize(
    "broken",
    [
        fault("lost", count=3),
        fault("corrupt", count=2),
        fault("late", count=1, seconds=0.01),
        fault("overload", motor="elbow_flex"),
    ],
    ids=["lost", "corrupt", "late", "overload"],
)
def test_a_passing_fault_of_the_line_does_not_end_the_run(broken: Callable[[SimWorld], None]) -> None:
    result = run(*ARM_ONLY, breaks=broken)
    assert (result.summary["outcome"], result.error) == ("done", None)


@pytest.mark.parametrize(
    "broken",
    [fault("gone", motor="wrist_flex"), fault("lost", count=10_000, motor="wrist_flex")],
    ids=["gone", "lost for good"],
)
def test_a_motor_that_stays_silent_ends_the_run_by_its_name(broken: Callable[[SimWorld], None]) -> None:
    result = run(*ARM_ONLY, breaks=broken)
    assert (result.summary["outcome"], result.summary["exit"]) == ("failed", "hold")
    assert "wrist_flex" in str(result.error)


def test_an_arm_that_lost_its_torque_in_a_brown_out_ends_the_run() -> None:
    result = run(*ARM_ONLY, breaks=fault("brownout", seconds=0.2))
    assert result.summary["outcome"] == "failed"
    assert "power" in str(result.error)


def test_a_short_freeze_is_flagged_and_the_run_goes_on() -> None:
    result = run(*ONE_CAMERA, breaks=fault("frozen", camera="front", seconds=0.4))
    assert result.summary["outcome"] == "done"
    assert result.summary["cameras"]["front"]["stale"] > 5


@pytest.mark.parametrize(("kind", "says"), [("frozen", "no new frame"), ("missing", "is gone")])
def test_a_camera_that_stays_away_ends_the_run_in_the_parked_pose(kind: str, says: str) -> None:
    result = run(*ONE_CAMERA, duration=3.0, breaks=fault(kind, camera="front"))
    assert (result.summary["outcome"], result.summary["exit"]) == ("failed", "park")
    assert says in str(result.error)


def test_an_optional_camera_may_stay_away() -> None:
    result = run(*ONE_CAMERA, "--camera.front.optional", duration=2.5, breaks=fault("missing", camera="front"))
    assert result.summary["outcome"] == "done"
