"""SO-100 arms on the virtual bus, as a run builds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lerobot_core.calibration import load_for
from lerobot_core.clock import RealClock
from lerobot_core.registry import Registry, default_registry
from lerobot_core.specs import Parts
from lerobot_sim.preset import CALIBRATION
from lerobot_sim.worlds import open_port

VIRTUAL = {"port": "sim", "id": "virtual", "calibration_dir": str(CALIBRATION)}


def make_bus(name: str, **options: Any) -> Any:
    spec = default_registry().spec("bus", name)
    return spec.build(spec.config(**options, budget_ms=1000.0), Parts(clock=RealClock()))


def build(kind: str, name: str, **options: Any) -> Any:
    """`options` default to the virtual arm's calibration."""
    registry: Registry = default_registry()
    spec = registry.spec(kind, name)
    given = {**VIRTUAL, **options}
    config = spec.config(**{**given, "calibration_dir": Path(given["calibration_dir"])})
    calibration = load_for(kind, "so_follower" if given["id"] == "virtual" else spec.peer_name, config)
    parts = Parts(clock=RealClock(), calibration=calibration, make_bus=make_bus, open_port=_open_port)
    return spec.build(config, parts)


def _open_port(ref: str, protocol: str, motors: Any) -> Any:
    return open_port(ref, protocol, motors) if ref.startswith("sim") else None


def follower(**options: Any) -> Any:
    return build("robot", "so100_follower", **options)
