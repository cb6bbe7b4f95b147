"""One test for each catalogue hook: what it returns is what its name stands for."""

from __future__ import annotations

from lerobot_core.registry import Registry
from lerobot_core.specs import Spec


def _offered(registry: Registry, kind: str) -> bool:
    spec = registry.spec(kind, "every")
    return isinstance(spec, Spec) and (spec.kind, spec.name) == (kind, "every")


def test_hook_lerobot_robots(registry: Registry) -> None:
    assert _offered(registry, "robot")


def test_hook_lerobot_teleoperators(registry: Registry) -> None:
    assert _offered(registry, "teleoperator")


def test_hook_lerobot_cameras(registry: Registry) -> None:
    assert _offered(registry, "camera")


def test_hook_lerobot_buses(registry: Registry) -> None:
    assert _offered(registry, "bus")


def test_hook_lerobot_policies(registry: Registry) -> None:
    assert _offered(registry, "policy")


def test_hook_lerobot_inference_engines(registry: Registry) -> None:
    assert _offered(registry, "inference")


def test_hook_lerobot_strategies(registry: Registry) -> None:
    assert _offered(registry, "strategy")


def test_hook_lerobot_storages(registry: Registry) -> None:
    assert _offered(registry, "storage")


def test_hook_lerobot_envs(registry: Registry) -> None:
    assert _offered(registry, "env")


def test_hook_lerobot_processors(registry: Registry) -> None:
    assert _offered(registry, "processor")


def test_hook_lerobot_rewards(registry: Registry) -> None:
    assert _offered(registry, "reward")


def test_hook_lerobot_operators(registry: Registry) -> None:
    assert _offered(registry, "operator")


def test_hook_lerobot_observers(registry: Registry) -> None:
    assert _offered(registry, "observer")
