"""What the data topics carry, as MessagePack maps. A new field is optional; one that is not known is ignored."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from . import pictures, tensors
from .errors import WireError
from .pictures import Picture
from .tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lerobot_core.types import ActionChunk, Features, Guide

LONGEST_AGE_S = 3600.0
LONGEST_TASK = 4096


class GuideBody(msgspec.Struct, omit_defaults=True):
    """`lerobot_core.types.Guide`; `actions` (k, A) float32."""

    delay: int
    horizon: int
    schedule: str
    max_weight: float
    names: list[str]
    actions: Tensor
    model: Tensor | None = None


class ObservationBody(msgspec.Struct, omit_defaults=True):
    """Robot to server.

    Attributes:
        state: float64, one number for each name agreed when the session was opened, in that order.
        pictures: by camera.
        task: the instruction.
        age: seconds from the observation to its sending. A duration: two machines' clocks are never compared.
        guide: the leftover that the answer is to continue.
    """

    state: Tensor
    pictures: dict[str, Picture] = {}
    task: str = ""
    age: float = 0.0
    guide: GuideBody | None = None


class ChunkBody(msgspec.Struct, omit_defaults=True):
    """Server to robot.

    Attributes:
        names, actions, model: the chunk; actions (T, A) float32 in robot units.
        decode_ms, queue_ms, infer_ms: how long the server took, by its own clock.
        superseded: observations of this robot that newer ones replaced before they were looked at.
        load: share of the server's capacity in use.
    """

    names: list[str]
    actions: Tensor
    model: Tensor | None = None
    decode_ms: float = 0.0
    queue_ms: float = 0.0
    infer_ms: float = 0.0
    superseded: int = 0
    load: float = 0.0


class RefusalBody(msgspec.Struct, omit_defaults=True):
    """Server to robot, instead of a chunk; `retry` False means that asking again changes nothing."""

    code: str
    text: str = ""
    fix: str = ""
    retry: bool = False


_encoder = msgspec.msgpack.Encoder()
B = TypeVar("B", bound=msgspec.Struct)
_decoders: dict[type[Any], msgspec.msgpack.Decoder[Any]] = {}


def encode(body: msgspec.Struct) -> bytes:
    """MessagePack."""
    return _encoder.encode(body)


def decode(data: bytes, kind: type[B], limit: int) -> B:
    """A body of that kind.

    Raises:
        WireError: larger than `limit` bytes, no MessagePack, or another shape.
    """
    if len(data) > limit:
        raise WireError("too large", f"{len(data)} of {limit} bytes")
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.msgpack.Decoder(kind)
    try:
        body: B = decoder.decode(data)
    except (ValueError, RecursionError) as error:  # what msgspec raises is a ValueError
        raise WireError("body", str(error)) from error
    return body


# --- between these and the types of core ------------------------------------------------------------------------------


def values(body: ObservationBody, states: Sequence[str], cameras: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The observation's values by name, images decoded.

    Raises:
        WireError: other cameras or another number of states than agreed, or a number that is not finite.
    """
    state = tensors.unpack(body.state, 1).tolist()
    if len(state) != len(states) or not all(map(math.isfinite, state)):
        raise WireError("state", f"{len(state)} numbers for {len(states)}")
    if body.pictures.keys() != cameras.keys():
        raise WireError("cameras", ", ".join(sorted(body.pictures))[:200])
    if not 0.0 <= body.age <= LONGEST_AGE_S or len(body.task) > LONGEST_TASK:
        raise WireError("age or task")
    seen: dict[str, Any] = dict(zip(states, state, strict=True))
    return seen | {name: pictures.unpack(body.pictures[name], shape) for name, shape in cameras.items()}


def guide_body(guide: Guide | None) -> GuideBody | None:
    """To the wire."""
    if guide is None:
        return None
    model = None if guide.model is None else tensors.pack(guide.model)
    return GuideBody(
        guide.delay,
        guide.horizon,
        guide.schedule,
        guide.max_weight,
        list(guide.names),
        tensors.pack(guide.actions),
        model,
    )


def guide_of(body: GuideBody | None, gives: Features) -> Guide | None:
    """From the wire.

    Raises:
        WireError: its columns are not the policy's actions, or numbers are out of range.
    """
    if body is None:
        return None
    from lerobot_core.guidance import SCHEDULES
    from lerobot_core.types import Guide

    actions = tensors.unpack(body.actions, 2)
    model = None if body.model is None else tensors.unpack(body.model)
    rows = len(actions)
    fits = set(body.names) == set(gives) and actions.shape[1] == len(body.names) == len(gives)
    sane = 0 <= body.delay <= rows <= body.horizon and math.isfinite(body.max_weight) and body.schedule in SCHEDULES
    if not (fits and sane) or (model is not None and len(model) != rows):
        raise WireError("guide", f"{actions.shape}, delay {body.delay}, horizon {body.horizon}")
    return Guide(body.delay, body.horizon, body.schedule, body.max_weight, tuple(body.names), actions, model)


def chunk_of(body: ChunkBody) -> ActionChunk:
    """From the wire; time, task and seq are the asker's to fill in.

    Raises:
        WireError: shapes and names disagree.
    """
    from lerobot_core.types import ActionChunk

    actions = tensors.unpack(body.actions, 2)
    model = None if body.model is None else tensors.unpack(body.model)
    if actions.shape[1] != len(body.names) or (model is not None and len(model) != len(actions)):
        raise WireError("chunk", f"{len(body.names)} names for {actions.shape}")
    return ActionChunk(tuple(body.names), actions, model)


def chunk_body(chunk: ActionChunk, **counted: Any) -> ChunkBody:
    """To the wire, with the server's figures.

    Raises:
        WireError: an array of another type than float32.
    """
    model = None if chunk.model is None else tensors.pack(chunk.model)
    return ChunkBody(list(chunk.names), tensors.pack(chunk.actions), model, **counted)
