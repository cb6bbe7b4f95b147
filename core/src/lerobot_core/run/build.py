"""Building the parts of a plan: calibration loaded first, then the wrappable `build` hook, once a part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..calibration import fingerprint, load_for
from ..clock import Clock
from ..config.bases import Chosen
from ..contracts.bus import Bus, Motor
from ..contracts.camera import Camera
from ..contracts.inference import Elsewhere, InferenceEngine
from ..contracts.observer import Observer
from ..contracts.operator import Operator
from ..contracts.policy import Policy
from ..contracts.processor import Processor
from ..contracts.robot import Robot
from ..contracts.storage import Storage
from ..contracts.strategy import Strategy
from ..contracts.teleoperator import Teleoperator
from ..specs import Parts
from ..types import Features
from .plan import Plan
from .rename import RenamedPolicy
from .worlds import Worlds

if TYPE_CHECKING:
    from ..terminal import Terminal

_WORLD_KINDS = frozenset({"robot", "camera", "teleoperator", "bus"})


@dataclass
class Built:
    """Everything a plan names, built and not yet connected."""

    robot: Robot
    strategy: Strategy
    cameras: dict[str, Camera]
    teleoperator: Teleoperator | None = None
    policy: Policy | None = None
    inference: InferenceEngine | None = None
    storage: Storage | None = None
    operators: dict[str, Operator] = field(default_factory=dict)
    observers: dict[str, Observer] = field(default_factory=dict)
    processors: dict[str, Processor] = field(default_factory=dict)
    calibrations: dict[str, str] = field(default_factory=dict)

    def observed(self) -> Features:
        """What policy and storage see: the robot, the cameras, and what processors make of them."""
        features = dict(self.robot.observation_features)
        features |= {name: camera.feature for name, camera in self.cameras.items()}
        for processor in self.processors.values():
            if processor.side == "observation":
                features = processor.features(features)
        return features


class Builder:
    """Builds parts for one run.

    Args:
        plan: what to build.
        clock, worlds, terminal: what every part may use.
    """

    def __init__(self, plan: Plan, clock: Clock, worlds: Worlds, terminal: Terminal | None) -> None:
        self._plan, self._clock, self._worlds, self._terminal = plan, clock, worlds, terminal
        self.calibrations: dict[str, str] = {}

    def part(self, section: str, chosen: Chosen) -> Any:
        """One part, through the `build` hook."""
        spec = chosen.spec
        calibration = load_for(chosen.kind, spec.peer_name, chosen.config)
        if calibration is not None:
            self.calibrations[section] = fingerprint(calibration)
        parts = Parts(
            clock=self._clock,
            calibration=calibration,
            rig=str(self._plan.config.rig) if self._plan.config.rig else None,
            world=self._worlds.of(section) if chosen.kind in _WORLD_KINDS else None,
            log=logging.getLogger(f"lerobot.{section}"),
            terminal=self._terminal,
            make_bus=self._make_bus,
            open_port=self._open_port,
        )
        return self._plan.registry.hook.build(kind=chosen.kind, spec=spec, config=chosen.config, parts=parts)

    def _make_bus(self, name: str, **options: Any) -> Bus:
        spec = self._plan.registry.spec("bus", name)
        bus: Bus = self.part("bus", Chosen("bus", name, spec, spec.config(**options)))
        return bus

    def _open_port(self, ref: str, protocol: str, motors: Mapping[str, Motor]) -> tuple[str, Callable[[], None]] | None:
        registry = self._plan.registry
        if not registry.load_scheme(ref):
            return None
        found: tuple[str, Callable[[], None]] | None = registry.hook.open_port(
            ref=ref, protocol=protocol, motors=motors
        )
        return found

    def optional(self, section: str, chosen: Chosen | None) -> Any:
        """One part, or None when the plan names none."""
        return None if chosen is None else self.part(section, chosen)

    def several(self, section: str, chosen: dict[str, Chosen]) -> dict[str, Any]:
        """Every instance of a plural section."""
        return {name: self.part(f"{section}.{name}", value) for name, value in chosen.items()}

    def all(self) -> Built:
        """Every part of the plan."""
        config, plan = self._plan.config, self._plan
        inference = self.optional("inference", config.inference) if plan.uses_policy else None
        here = plan.uses_policy and not isinstance(inference, Elsewhere)
        policy = self.optional("policy", config.policy) if here else None
        if policy is not None and config.rename_map:
            policy = RenamedPolicy(policy, config.rename_map)
        return Built(
            robot=self.part("robot", plan.robot),
            cameras=self.several("camera", config.camera),
            teleoperator=self.optional("teleop", config.teleop),
            policy=policy,
            inference=inference,
            strategy=self.part("strategy", plan.strategy),
            storage=self.optional("dataset", config.dataset) if plan.records else None,
            operators=self.several("operator", config.operator),
            observers=self.several("observer", config.observer),
            processors=self.several("processor", config.processor),
            calibrations=self.calibrations,
        )
