"""What the virtual rig offers: a preset, a camera, a person, worlds, and ports that lead into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lerobot_core.hookspecs import hookimpl
from lerobot_core.specs import CameraSpec, Overlay, Parts, TeleoperatorSpec

from .config import ScriptedConfig, SimCameraConfig
from .preset import NAME, virtual_so100

if TYPE_CHECKING:
    from lerobot_core.clock import Clock
    from lerobot_core.contracts.bus import Motor
    from lerobot_core.contracts.world import World


@hookimpl
def lerobot_cameras() -> CameraSpec:
    """`sim`."""

    def build(config: SimCameraConfig, parts: Parts) -> Any:
        from .camera.camera import SimCamera

        return SimCamera(config, parts.clock, parts.world)

    return CameraSpec(
        name="sim", summary="a camera in a virtual world, drawn in software", config=SimCameraConfig, build=build
    )


@hookimpl
def lerobot_teleoperators() -> TeleoperatorSpec:
    """`scripted`."""

    def build(config: ScriptedConfig, parts: Parts) -> Any:
        from .expert.teleoperator import ScriptedTeleoperator

        return ScriptedTeleoperator(config, parts.world)

    return TeleoperatorSpec(
        name="scripted",
        summary="a scripted person who puts the cube in the bin of a virtual world",
        config=ScriptedConfig,
        build=build,
    )


@hookimpl
def resolve(kind: str, ref: str) -> Overlay | None:
    """`virtual_so100` is a preset."""
    return virtual_so100() if (kind, ref) == ("robot", NAME) else None


@hookimpl
def open_world(id: str, clock: Clock, options: Mapping[str, Any]) -> World | None:
    """A world for `sim` and `sim:ID`; options `seed` and `auto_reset`."""
    if id.partition(":")[0] != "sim":
        return None
    from .worlds import open_world as opened

    return opened(id, clock, **options)


@hookimpl
def open_port(ref: str, protocol: str, motors: Mapping[str, Motor]) -> tuple[str, Callable[[], None]] | None:
    """A pseudo-terminal at whose end these motors hang."""
    if ref.partition(":")[0] != "sim":
        return None
    from .worlds import open_port as opened

    return opened(ref, protocol, motors)
