"""The engine: core's queue, worker and guidance, with a policy that is somewhere else."""

from __future__ import annotations

import dataclasses
import logging
import math
from enum import StrEnum
from typing import Any

from lerobot_core.action_queue import ActionQueue
from lerobot_core.clock import Clock
from lerobot_core.contracts.inference import EngineState, Meeting, Met
from lerobot_core.contracts.policy import Policy
from lerobot_core.errors import ConfigError
from lerobot_core.features import is_nameless
from lerobot_core.inference.request import Request
from lerobot_core.run.rename import RenamedPolicy
from lerobot_core.types import ActionChunk, Features, Timed
from lerobot_inference_rtc.config import RtcConfig
from lerobot_inference_rtc.engine import RtcEngine

from .config import RemoteConfig
from .link import Link, ZenohLink
from .policy import RemotePolicy
from .transport import Security, check_files, endpoints, require_safe
from .trouble import Trouble

log = logging.getLogger("lerobot.inference.remote")

REMEMBERED = 256


class LinkState(StrEnum):
    """Where the connection stands; `CONTRACT` maps it to what every engine says of itself."""

    CONNECTING = "connecting"
    STREAMING = "streaming"
    DEGRADED = "degraded"
    STALLED = "stalled"
    RECONNECTING = "reconnecting"
    DEAD = "dead"


CONTRACT: dict[LinkState, EngineState] = {
    LinkState.CONNECTING: "warming",
    LinkState.STREAMING: "ready",
    LinkState.DEGRADED: "degraded",
    LinkState.STALLED: "stalled",
    LinkState.RECONNECTING: "degraded",
    LinkState.DEAD: "dead",
}


class RemoteEngine(RtcEngine):
    """`chunked` or `rtc` with a network where the thread boundary is.

    Args:
        link: the transport; a test brings its own.
    """

    name = "remote"
    retry_s = 0.05

    def __init__(self, config: RemoteConfig, clock: Clock, link: Link | None = None) -> None:
        super().__init__(
            RtcConfig(
                execution_horizon=config.execution_horizon,
                schedule=config.schedule,
                max_guidance_weight=config.max_guidance_weight,
                mode=config.mode,
            )
        )
        self.options, self._remote_clock = config, clock
        self._link = link
        self._remote: RemotePolicy | None = None
        self._origins: dict[int, str] = {}
        self._last: Timed | None = None
        self._meeting_actions: tuple[str, ...] = ()

    # --- before anything moves ----------------------------------------------------------------------------------------

    def meet(self, meeting: Meeting) -> Met:
        """Find the server; from now on the policy's names, rate and size are known.

        Raises:
            UserError: nobody is there, or it is not the policy that was named.
        """
        rename = dict(meeting.rename)
        here = dataclasses.replace(
            meeting,
            observation=_renamed(meeting.observation, rename),
            action=_renamed(meeting.action, rename),
        )
        self._remote = RemotePolicy(self.options, self._link or self._dial(), self._remote_clock)
        self._remote.meet(here)
        found: Any = RenamedPolicy(self._remote, rename) if rename else self._remote  # passes the rest through
        self.policy = found
        self._meeting_actions = tuple(meeting.action)
        self._check_fallback()
        if is_nameless(self.policy.gives):  # it takes the robot's names when the session is opened
            return Met(needs={}, gives={}, fps=self.policy.fps)
        return Met(needs=self.policy.needs, gives=self.policy.gives, fps=self.policy.fps)

    def _dial(self) -> Link:
        config = self.options
        require_safe(endpoints(config.connect), config.insecure, "--inference.insecure")
        security = Security(config.tls_ca, config.tls_cert, config.tls_key)
        check_files(security)
        return ZenohLink(config.connect, security, self._remote_clock)

    def _check_fallback(self) -> None:
        moving = [key for key in self._meeting_actions if not key.endswith(".vel")]
        if self.options.fallback == "zero" and moving:
            raise ConfigError(
                f"--inference.fallback zero would drive {moving[0]} to 0",
                "zero stops a velocity; to a position it is a place",
                "--inference.fallback hold",
            )
        if self.options.fallback != "zero" and not moving and self._meeting_actions:
            log.warning(
                "every action is a velocity: without answers the last one goes on; --inference.fallback zero stops"
            )

    def start(self, policy: Policy | None, queue: ActionQueue, clock: Clock) -> None:
        """Open the session and wait until it is proven; a policy that is here is not asked.

        Raises:
            UserError: the server refuses, or does not answer.
        """
        if self._remote is None:
            self.meet(Meeting())
        super().start(self.policy, queue, clock)

    # --- the worker's side --------------------------------------------------------------------------------------------

    def infer(self, request: Request) -> ActionChunk:
        """One request; the row's `seq` is the wire's."""
        assert self._remote is not None
        seq = self._remote.seq = self.call_log.calls
        chunk = super().infer(request)
        self._origins[seq] = self._remote.label
        self._origins.pop(seq - REMEMBERED, None)
        return chunk

    def gives_up(self, error: Exception) -> bool:
        """What passes is asked again; anything else would go wrong again."""
        return not isinstance(error, Trouble)

    def threshold(self) -> int | None:
        """`buffer_time_s` in actions where it is set."""
        seconds = self.options.buffer_time_s
        return super().threshold() if seconds is None else math.ceil(seconds / self.queue.dt - 1e-9)

    # --- the loop's side ----------------------------------------------------------------------------------------------

    @property
    def link_state(self) -> LinkState:
        """From what is known here and now; no I/O."""
        if self._state == "dead":
            return LinkState.DEAD
        remote = self._remote
        if remote is None or self._state not in ("ready", "degraded"):
            return LinkState.CONNECTING
        if remote.opened is None:
            return LinkState.RECONNECTING
        if self._failures or self._late(remote):
            return LinkState.DEGRADED if self.queue.depth() else LinkState.STALLED
        return LinkState.STREAMING

    def _late(self, remote: RemotePolicy) -> bool:
        began, usual = self._began, remote.patience.expected_s
        return began is not None and self.clock.now() - began > (usual or self.options.request_timeout_s)

    @property
    def state(self) -> EngineState:
        """The contract's word for it."""
        if self._state not in ("ready", "degraded"):
            return self._state
        found = self.link_state
        if self._paused and found is LinkState.STREAMING:
            return "idle"
        if found is LinkState.RECONNECTING and not self.queue.depth():
            return "stalled"
        return CONTRACT[found]

    def next_action(self, t: float) -> Timed | None:
        """The queue's next action; with an empty queue, once it had any, what `fallback` says."""
        timed = self.queue.next(t)
        if timed is not None:
            self._last = timed = dataclasses.replace(timed, origin=self._origins.get(timed.seq, ""))
            return timed
        last = self._last
        if last is None or self._paused or self.options.fallback == "hold":
            return None
        action = dict.fromkeys(last.action, 0.0) if self.options.fallback == "zero" else last.action
        return dataclasses.replace(last, action=action, origin=f"fallback:{self.options.fallback}")

    def pause(self) -> None:
        """As every engine; what was executed last is forgotten too."""
        super().pause()
        self._last = None

    def reset(self) -> None:
        """As every engine; what was executed last is forgotten too."""
        super().reset()
        self._last = None

    def stats(self) -> dict[str, Any]:
        """The summary's `engine` block, and what the wire did under `remote`."""
        found = super().stats()
        if self._remote is not None:
            found["remote"] = {"state": str(self.link_state), **self._remote.report()}
        return found

    def stop(self) -> None:
        """End a request that waits, the thread, and the connection. Idempotent."""
        if self._remote is not None:
            self._remote.abort()
        super().stop()
        if self._remote is not None:
            self._remote.close()


def _renamed(features: Features, rename: dict[str, str]) -> Features:
    return {rename.get(key, key): feature for key, feature in features.items()}
