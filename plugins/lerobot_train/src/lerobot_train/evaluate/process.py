"""An env in a process of its own: drawing and physics of several episodes take several cores."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from lerobot_core.clock import RealClock
from lerobot_core.contracts.env import Env, EnvStep
from lerobot_core.errors import DeviceError, UserError
from lerobot_core.registry import default_registry
from lerobot_core.specs import Parts
from lerobot_core.types import Action, Observation

from .messages import (
    Act,
    Answer,
    Begin,
    Done,
    Failed,
    Offer,
    Seen,
    answer,
    encode,
    pack,
    pack_step,
    question,
    unpack,
    unpack_step,
)

PATIENCE_S = 5.0
"""How long a process may take to end before it is ended."""


def make_env(name: str, config: Any) -> Env:
    """The env of that name, through the `build` hook.

    Raises:
        UserError: it cannot be had.
    """
    registry = default_registry()
    spec = registry.spec("env", name)
    env: Env = registry.hook.build(kind="env", spec=spec, config=config, parts=Parts(clock=RealClock()))
    return env


def serve(pipe: Connection, name: str, config: Any) -> None:
    """The process: answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches everybody; whoever asks decides
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        env = _told(pipe, lambda: make_env(name, config), _offer)
        try:
            while env is not None:
                asked = question(pipe.recv_bytes())
                if isinstance(asked, Begin):
                    _told(pipe, lambda seed=asked.seed: env.reset(seed), pack)  # type: ignore[misc]
                else:
                    _told(pipe, lambda action=asked.action: env.step(action), pack_step)  # type: ignore[misc]
        finally:
            if env is not None:
                env.close()


def _told(pipe: Connection, act: Callable[[], Any], pack: Callable[[Any], Answer]) -> Any:
    """Do it and say what came of it; None when it raised."""
    try:
        result = act()
    except UserError as error:
        pipe.send_bytes(encode(Failed(error.what, error.why, error.fix)))
    except Exception as error:
        pipe.send_bytes(encode(Failed(f"the env raised {type(error).__name__}", str(error), "")))
    else:
        pipe.send_bytes(encode(pack(result)))
        return result
    return None


def _offer(env: Env) -> Offer:
    return Offer(env.observation_features, env.action_features, env.fps, env.max_steps, env.task)


class ProcessStage:
    """A `Stage` whose env lives elsewhere; the process starts at once, `meet` waits for it.

    Args:
        name: the env's.
        config: its options.
    """

    def __init__(self, name: str, config: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, name, config), name=f"env {name}", daemon=True)
        self._process.start()
        theirs.close()

    def meet(self) -> None:
        """Wait until the env is there.

        Raises:
            DeviceError: it cannot be had.
        """
        offer = self._hear()
        assert isinstance(offer, Offer)
        self.observation_features, self.action_features = offer.observation, offer.action
        self.fps, self.max_steps, self.task = offer.fps, offer.max_steps, offer.task

    def begin(self, seed: int) -> None:
        """Start an episode."""
        self._say(Begin(seed))

    def seen(self) -> Observation:
        """What it begins with.

        Raises:
            DeviceError: the env raised, or its process has ended.
        """
        seen = self._hear()
        assert isinstance(seen, Seen)
        return unpack(seen)

    def act(self, action: Action) -> None:
        """Start a step."""
        self._say(Act(action))

    def done(self) -> EnvStep:
        """What it led to.

        Raises:
            DeviceError: the env raised, or its process has ended.
        """
        done = self._hear()
        assert isinstance(done, Done)
        return unpack_step(done)

    def close(self) -> None:
        """End the process. Idempotent."""
        self._pipe.close()
        if self._process.is_alive():
            self._process.join(PATIENCE_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _say(self, message: Begin | Act) -> None:
        try:
            self._pipe.send_bytes(encode(message))
        except OSError as error:
            raise self._gone() from error

    def _hear(self) -> Answer:
        try:
            heard: Answer = answer(self._pipe.recv_bytes())
        except (EOFError, OSError) as error:
            raise self._gone() from error
        if isinstance(heard, Failed):
            raise DeviceError(heard.what, heard.why, heard.fix)
        return heard

    def _gone(self) -> DeviceError:
        self._process.join(PATIENCE_S)
        code = self._process.exitcode
        return DeviceError("the env's process has ended", f"exit code {code}", "--slots 1 plays it in this process")
