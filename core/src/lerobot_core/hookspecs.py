"""Every hook, as a table of contents: what a plugin can offer, and when it is asked.

A plugin implements the ones it needs with `@hookimpl` in its `plugin.py`. Catalogue hooks are called on the
one module that a name belongs to; run hooks are called on every module that the run has named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .clock import Clock
    from .contracts.bus import Motor
    from .contracts.world import World
    from .run.plan import Plan
    from .specs import (
        BusSpec,
        CameraSpec,
        EnvSpec,
        InferenceSpec,
        ObserverSpec,
        OperatorSpec,
        Overlay,
        Parts,
        PolicySpec,
        ProcessorSpec,
        RewardSpec,
        RobotSpec,
        Spec,
        StorageSpec,
        StrategySpec,
        TeleoperatorSpec,
    )
    from .types import Problem, Step

PROJECT = "lerobot"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

# --- catalogue: one a kind; called when one of the module's names is named ------------------------------------------


@hookspec
def lerobot_robots() -> RobotSpec | list[RobotSpec]:
    """The robots this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_teleoperators() -> TeleoperatorSpec | list[TeleoperatorSpec]:
    """The teleoperators this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_cameras() -> CameraSpec | list[CameraSpec]:
    """The cameras this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_buses() -> BusSpec | list[BusSpec]:
    """The servo buses this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_policies() -> PolicySpec | list[PolicySpec]:
    """The policy families this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_inference_engines() -> InferenceSpec | list[InferenceSpec]:
    """The inference engines this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_strategies() -> StrategySpec | list[StrategySpec]:
    """The rollout strategies this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_storages() -> StorageSpec | list[StorageSpec]:
    """The storages this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_envs() -> EnvSpec | list[EnvSpec]:
    """The simulated environments this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_processors() -> ProcessorSpec | list[ProcessorSpec]:
    """The robot-side processors this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_rewards() -> RewardSpec | list[RewardSpec]:
    """The rewards this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_operators() -> OperatorSpec | list[OperatorSpec]:
    """The operators this module offers."""
    raise NotImplementedError


@hookspec
def lerobot_observers() -> ObserverSpec | list[ObserverSpec]:
    """The observers this module offers."""
    raise NotImplementedError


# --- names ----------------------------------------------------------------------------------------------------------


@hookspec(firstresult=True)
def resolve(kind: str, ref: str) -> Spec | Overlay | Mapping[str, Any] | None:
    """Called while names are resolved, on the module that owns `ref` or its scheme. A Spec or an Overlay (a preset)
    answers; a mapping gives options for the kind's section (`{"type": "act", "path": "…"}`); None means not mine."""


# --- before a run ---------------------------------------------------------------------------------------------------


@hookspec
def check(plan: Plan) -> list[Problem]:
    """Called twice: before anything is connected, and after the engine is ready but before anything moves. Returns
    every problem found, each with its fix; an error stops the run."""
    raise NotImplementedError


@hookspec(firstresult=True)
def open_world(id: str, clock: Clock, options: Mapping[str, Any]) -> World | None:
    """Called once for each distinct `scheme[:id]` of the plan, after the first check and before build. Returns the
    world; core closes it last."""


@hookspec(firstresult=True)
def open_port(ref: str, protocol: str, motors: Mapping[str, Motor]) -> tuple[str, Callable[[], None]] | None:
    """Called before a bus is opened on a port that is a reference (`sim`, `sim:1`). `protocol` is the bus's name.
    Returns a path that the bus can open and a function that takes the port away again; None means not mine."""


@hookspec(firstresult=True)
def build(kind: str, spec: Spec, config: Any, parts: Parts) -> Any:
    """Called for each part of a run; core's own implementation calls `spec.build(config, parts)`. Wrap it
    (`@hookimpl(wrapper=True)`) to adapt what it returns. The loop and the safety filter are not built here."""
    raise NotImplementedError


# --- during a run ---------------------------------------------------------------------------------------------------


@hookspec
def run_start(plan: Plan) -> None:
    """Called when everything is built, connected and checked, just before `engage`."""


@hookspec
def run_end(plan: Plan, summary: Mapping[str, Any]) -> None:
    """Called when the run is over, on every exit path, with the summary as printed."""


@hookspec
def episode_start(index: int) -> None:
    """Called on the loop's thread when the first row of an episode is about to be written; must not block."""


@hookspec
def episode_end(index: int, outcome: str, saved: bool) -> None:
    """Called on the loop's thread when an episode was saved or discarded; must not block."""


@hookspec
def step(step: Step) -> None:
    """Called with the newest row on the observers' thread; rows are skipped when it is slow, and one that raises is
    detached and reported."""


# --- looking around -------------------------------------------------------------------------------------------------


@hookspec
def doctor() -> list[Problem]:
    """Called by `lr doctor`: what is wrong on this machine for this plugin (permissions, drivers, versions)."""
    raise NotImplementedError


@hookspec
def find() -> list[dict[str, str]]:
    """Called by `lr find`: devices this plugin can see, each {kind, id, name, detail}."""
    raise NotImplementedError
