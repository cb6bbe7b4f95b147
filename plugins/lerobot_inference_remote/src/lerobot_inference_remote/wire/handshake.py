"""What is said before anything moves: what the model is, who wants it, and whether they fit."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from .errors import WireError
from .header import SCHEMA, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lerobot_core.types import Features

LIMIT = 1 << 18
"""Bytes of a handshake message: names and shapes of a robot are a few kilobytes."""


class FeatureBody(msgspec.Struct, omit_defaults=True):
    """`lerobot_core.types.Feature`."""

    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    unit: str | None = None
    low: float | None = None
    high: float | None = None
    max_rate: float | None = None


class Status(msgspec.Struct, omit_defaults=True):
    """What a replica says of itself to anybody who may ask.

    Attributes:
        schemas: the oldest and the newest that it speaks.
        policy, hash: the policy's type, and the fingerprint of its checkpoint.
        needs, gives: the policy's features, by policy key.
        shared: robots share the policy chunk by chunk; else one robot has it to itself.
        task: the only instruction it takes, None for any.
        robots, capacity: sessions open, and how many it takes.
        challenge: what `proof` is made of, where a token is asked for.
        heard: robots that were heard on their data topic, as chunks of keys.
    """

    model: str
    replica: str
    policy: str
    hash: str
    needs: dict[str, FeatureBody]
    gives: dict[str, FeatureBody]
    chunk_size: int
    n_action_steps: int
    fps: float | None = None
    guidance: str = "none"
    shared: bool = True
    task: str | None = None
    robots: int = 0
    capacity: int = 1
    draining: bool = False
    challenge: bytes | None = None
    heard: list[str] = []
    schemas: tuple[int, int] = SCHEMAS
    version: str = ""


class OpenRequest(msgspec.Struct, omit_defaults=True):
    """A robot asks for a session; its features under the policy's keys, cameras and processors included.

    Attributes:
        nonce: this client process; a second one with the same robot is another.
        guided: it will send what is left of the last chunk.
        hash: the checkpoint it expects, "" for any.
        proof: see `proof`.
    """

    robot: str
    nonce: str
    observation: dict[str, FeatureBody]
    action: dict[str, FeatureBody]
    robot_type: str = ""
    fps: float | None = None
    task: str = ""
    guided: bool = False
    hash: str = ""
    proof: bytes = b""
    schemas: tuple[int, int] = SCHEMAS
    version: str = ""


class OpenReply(msgspec.Struct, omit_defaults=True):
    """Yes, with what was agreed; or no, with every reason.

    Attributes:
        session: carried by every message from now on.
        states, cameras: what to send, in this order, and the shapes.
        needs, gives: the policy's features where it took their names from this robot; empty where `Status` has them.
        code, reasons, fix: why not.
        retry: another replica, or the same one later, may say yes.
    """

    accepted: bool
    session: int = 0
    schema: int = SCHEMA
    states: list[str] = []
    cameras: dict[str, tuple[int, int, int]] = {}
    needs: dict[str, FeatureBody] = {}
    gives: dict[str, FeatureBody] = {}
    warnings: list[str] = []
    code: str = ""
    reasons: list[str] = []
    fix: str = ""
    retry: bool = False
    robots: int = 0
    capacity: int = 0


def to_wire(features: Features) -> dict[str, FeatureBody]:
    """Features as they travel, in their order."""
    return {
        key: FeatureBody(each.dtype, tuple(each.shape), each.unit, each.low, each.high, each.max_rate)
        for key, each in features.items()
    }


def features_of(bodies: Mapping[str, FeatureBody]) -> Features:
    """Features as they came.

    Raises:
        WireError: a unit or a shape that there is not.
    """
    return {key: _feature(key, body) for key, body in bodies.items()}


def _feature(key: str, body: FeatureBody) -> Any:
    from lerobot_core.types import Feature

    if body.unit not in (None, "", "deg", "rad", "m", "pct", "pct100", "raw"):
        raise WireError("unit", f"{key}: {body.unit[:32]}")
    if len(body.shape) not in (0, 1, 3) or any(not 0 < length <= 1 << 14 for length in body.shape):
        raise WireError("shape", f"{key}: {body.shape[:4]}")
    return Feature(body.dtype, body.shape, body.unit, body.low, body.high, body.max_rate)  # type: ignore[arg-type]


def common_schema(ours: tuple[int, int], theirs: tuple[int, int]) -> int | None:
    """The newest schema that both speak, None without one."""
    low, high = max(ours[0], theirs[0]), min(ours[1], theirs[1])
    return high if low <= high else None


def proof(token: str, challenge: bytes, robot: str, nonce: str) -> bytes:
    """That one knows the token, without sending it (HMAC-SHA256)."""
    message = b"\0".join((challenge, robot.encode(), nonce.encode()))
    return hmac.new(token.encode(), message, hashlib.sha256).digest()
