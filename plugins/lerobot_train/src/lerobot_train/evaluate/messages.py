"""What an env's process and the evaluation say to each other: msgpack, no pickle."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from lerobot_core.contracts.env import EnvStep
from lerobot_core.types import Action, Features, Observation


class Begin(msgspec.Struct, tag=True):
    """Start an episode."""

    seed: int


class Act(msgspec.Struct, tag=True):
    """Make a step."""

    action: Action


class Offer(msgspec.Struct, tag=True):
    """The env is there, and this is what it is like."""

    observation: Features
    action: Features
    fps: float
    max_steps: int
    task: str


class Picture(msgspec.Struct):
    """A uint8 image."""

    shape: tuple[int, int, int]
    data: bytes


class Seen(msgspec.Struct, tag=True):
    """An observation."""

    time: float
    numbers: dict[str, float]
    pictures: dict[str, Picture]
    captured: dict[str, float]


class Done(msgspec.Struct, tag=True):
    """A step's result."""

    seen: Seen
    reward: float
    terminated: bool
    truncated: bool
    success: bool


class Failed(msgspec.Struct, tag=True):
    """It raised."""

    what: str
    why: str
    fix: str


Question = Begin | Act
Answer = Offer | Seen | Done | Failed

encode = msgspec.msgpack.Encoder().encode
question = msgspec.msgpack.Decoder(Question).decode
answer = msgspec.msgpack.Decoder(Answer).decode


def pack(obs: Observation) -> Seen:
    """An observation on its way."""
    pictures = {key: value for key, value in obs.items() if isinstance(value, np.ndarray)}
    numbers = {key: float(value) for key, value in obs.items() if key not in pictures}
    packed = {key: Picture(image.shape, image.tobytes()) for key, image in pictures.items()}
    return Seen(obs.time, numbers, packed, obs.captured)


def unpack(seen: Seen) -> Observation:
    """The observation again; its pictures are read-only."""
    values: dict[str, Any] = dict(seen.numbers)
    for key, picture in seen.pictures.items():
        values[key] = np.frombuffer(picture.data, np.uint8).reshape(picture.shape)
    return Observation(values, seen.time, seen.captured)


def pack_step(step: EnvStep) -> Done:
    """A step's result on its way."""
    return Done(pack(step.observation), step.reward, step.terminated, step.truncated, step.success)


def unpack_step(done: Done) -> EnvStep:
    """The result again."""
    return EnvStep(unpack(done.seen), done.reward, done.terminated, done.truncated, done.success)
