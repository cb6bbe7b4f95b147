"""Does this robot fit this policy? Asked when a session is opened, answered with every reason at once."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from lerobot_core.run.check import compare
from lerobot_core.types import Features, Problem
from lerobot_inference_remote.wire.handshake import OpenRequest, common_schema, proof
from lerobot_inference_remote.wire.header import SCHEMAS


@dataclass
class Verdict:
    """Why not; empty when there is nothing against it.

    Attributes:
        code: the first reason in a word or two.
        retry: another replica, or the same one later, may say yes.
    """

    code: str = ""
    reasons: list[str] = field(default_factory=list)
    fixes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    retry: bool = False

    def refuse(self, code: str, reason: str, fix: str = "", retry: bool = False) -> None:
        """One more reason; all of them have to be passing ones for a retry."""
        self.retry = retry and (self.retry or not self.reasons)
        self.code = self.code or code
        self.reasons.append(reason)
        self.fixes += [fix] if fix else []


def check_schema(verdict: Verdict, request: OpenRequest) -> int:
    """The schema to speak."""
    found = common_schema(SCHEMAS, request.schemas)
    if found is None:
        text = f"the robot speaks wire schemas {request.schemas}, this server {SCHEMAS}"
        verdict.refuse("schema", text, "install the same lerobot-inference-remote on both sides")
    return found or SCHEMAS[1]


def check_token(verdict: Verdict, request: OpenRequest, token: str | None, challenge: bytes) -> None:
    """Compared in constant time."""
    if token is None:
        return
    wanted = proof(token, challenge, request.robot, request.nonce)
    if not hmac.compare_digest(wanted, request.proof):
        verdict.refuse("token", "the robot does not know this server's token", "--inference.token SECRET")


def check_hash(verdict: Verdict, request: OpenRequest, ours: str) -> None:
    """The robot may insist on a checkpoint."""
    if request.hash and request.hash != ours:
        text = f"the robot expects the checkpoint {request.hash[:23]}…, this is {ours[:23]}…"
        verdict.refuse("checkpoint", text, "leave --policy out to take what the server has")


def check_task(verdict: Verdict, task: str, pinned: str | None) -> None:
    """A pinned task is the only one."""
    if pinned is not None and task not in ("", pinned):
        verdict.refuse("task", f"this server does {pinned!r} and nothing else, not {task!r}", f"--task {pinned!r}")


def check_features(verdict: Verdict, needs: Features, gives: Features, observation: Features, action: Features) -> None:
    """Names, units, shapes of actions, states and cameras; never by position."""
    _take(verdict, compare("policy's actions", gives, "robot", action, exact=True))
    _take(verdict, compare("policy's observations", needs, "robot and cameras", observation, exact=False))


def _take(verdict: Verdict, problems: Iterable[Problem]) -> None:
    for problem in problems:
        if problem.level == "error":
            verdict.refuse("features", f"{problem.where}: {problem.text}", problem.fix)
        else:
            verdict.warnings.append(f"{problem.where}: {problem.text}")
