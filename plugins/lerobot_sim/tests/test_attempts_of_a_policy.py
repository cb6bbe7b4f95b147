"""The strategy `eval` in the virtual world: one scene a seed, the arm at home before each, success as the world says."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from lerobot_core.config.resolve import resolve_run
from lerobot_core.registry import default_registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import ActionChunk, Features, Guide, Observation
from lerobot_core.virtual_clock import VirtualClock
from lerobot_sim.config import ScriptedConfig
from lerobot_sim.expert.teleoperator import ScriptedTeleoperator
from lerobot_sim.preset import PARK_POSE

NO_CAMERAS = ("--camera.front", "none", "--camera.wrist", "none")
WORDS = ("--robot", "virtual_so100", *NO_CAMERAS, "--strategy", "eval", "--policy", "fake", "--world.seed", "40")


class Expert:
    """The scripted person behind the policy contract: what a perfect student would do."""

    fps: float | None = None
    ensemble: float | None = None
    guidance: Literal["none"] = "none"
    stateless = False
    chunk_size = n_action_steps = 1

    def __init__(self, person: ScriptedTeleoperator) -> None:
        self._person = person
        self.gives: Features = person.action_features
        self.needs: Features = {}
        self.starts: list[dict[str, float]] = []
        self._new = True

    def warmup(self) -> None:
        self._person.connect()

    def reset(self) -> None:
        self._new = True

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        if self._new:
            self._new = False
            self.starts.append({key: float(obs[key]) for key in self.gives})
        action = self._person.get_action()
        row = np.array([[action[key] for key in self.gives]], np.float32)
        return ActionChunk(tuple(self.gives), row, None, obs.time, task)

    def close(self) -> None:
        self._person.disconnect()


class ByTheExpert(Session):
    """Where the fake policy was named, the expert acts; the world's log of attempts is kept."""

    expert: Expert
    attempts: list[dict[str, Any]] = []

    def build(self) -> None:
        super().build()
        (world,) = self._worlds.all()
        self.expert = Expert(ScriptedTeleoperator(ScriptedConfig(clumsiness=0.0), world))
        self.parts.policy = self.expert
        self._stack.callback(lambda: setattr(self, "attempts", world.attempts))


def evaluation(cls: type[Session], *words: str) -> Any:
    registry = default_registry()
    resolved = resolve_run("rollout", [*WORDS, *words], registry, {})
    session = cls(Plan("eval", resolved.config, resolved.origins, registry), VirtualClock())
    session.run()
    return session


def test_the_expert_succeeds_seed_after_seed() -> None:
    session = evaluation(ByTheExpert, "--strategy.episodes", "2")
    assert session.ending.outcome == "done"
    attempts = session.notes["attempts"]
    assert [each["success"] for each in attempts] == [True, True]
    assert all(2.0 < each["seconds"] < 20.0 for each in attempts)
    assert [each["seed"] for each in session.attempts] == [40]  # the last one is not over for the world
    for start in session.expert.starts:
        assert max(abs(start[key] - PARK_POSE[key]) for key in PARK_POSE) < 4.0


def test_a_policy_that_only_waves_fails_in_the_time_it_has() -> None:
    session = evaluation(Session, "--strategy.episodes", "2", "--strategy.episode-time-s", "2")
    assert [each["success"] for each in session.notes["attempts"]] == [False, False]
    assert [each["seconds"] for each in session.notes["attempts"]] == [2.0, 2.0]
