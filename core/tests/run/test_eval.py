"""The strategy `eval` and the processor `blank`: attempts in a scene that judges, and in one that a person judges."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from lerobot_core.errors import ConfigError
from lerobot_core.processors.blank import BlankProcessor
from lerobot_core.processors.config import BlankConfig
from lerobot_core.run.session import Session
from lerobot_core.types import Feature
from rig import session

QUICK = {"episodes": 3, "episode_time_s": 2.0, "reset_time_s": 1.0}


class Scene:
    """Succeeds one second after each reset, but not in the attempts named."""

    def __init__(self, clock: Any, fails: tuple[int, ...] = ()) -> None:
        self.clock, self.fails, self.resets = clock, fails, 0
        self.began = clock.now()

    def reset(self) -> None:
        self.resets += 1
        self.began = self.clock.now()

    def success(self) -> bool:
        return self.resets not in self.fails and self.clock.now() - self.began >= 1.0


def evaluation(scene: bool = True, fails: tuple[int, ...] = (), script: str = "", **sections: Any) -> Session:
    operator = {"operator": {"scripted": {"type": "scripted", "script": script}}} if script else {}
    s = session("eval", "eval", policy={"amplitude": 0.5}, **operator, **sections)
    strategy = s.plan.config.strategy
    assert strategy is not None
    wanted = dataclasses.replace(strategy, config=dataclasses.replace(strategy.config, **QUICK))
    s.plan.config = dataclasses.replace(s.plan.config, strategy=wanted)
    view = s._strategy_view
    s._strategy_view = lambda: dataclasses.replace(view(), scene=Scene(s.clock, fails) if scene else None)  # type: ignore[method-assign]
    return s


def outcomes(s: Session) -> list[bool]:
    attempts: Any = s.notes["attempts"]
    return [each["success"] for each in attempts]


def test_the_scene_judges_every_attempt() -> None:
    s = evaluation(fails=(1,))
    assert s.run()["outcome"] == "done"
    assert outcomes(s) == [True, False, True]
    attempts: Any = s.notes["attempts"]
    assert attempts[1]["seconds"] == pytest.approx(2.0, abs=0.05)  # the time an attempt may take


def test_between_attempts_the_arm_goes_home_and_the_engine_forgets() -> None:
    s = evaluation()
    resets: list[float] = []
    steps: list[Any] = []

    def watch() -> None:
        policy, strategy = s.parts.policy, s.parts.strategy
        policy.reset = lambda: resets.append(s.clock.now())  # type: ignore[union-attr,method-assign]
        record = strategy.record
        strategy.record = lambda step: (steps.append(step), record(step))  # type: ignore[method-assign,assign]

    s.steps = lambda: (*type(s).steps(s)[:-1], watch, s.run_loop)  # type: ignore[method-assign]
    s.run()
    assert len(resets) == 2
    home = steps[0].observation
    for before, after in itertools.pairwise(steps):
        if after.source == "policy" and before.source != "policy":
            assert max(abs(before.sent[key] - home[key]) for key in before.sent) < 1.0


def test_a_person_judges_where_nothing_else_can() -> None:
    s = evaluation(scene=False, script="1.0 success; 4.0 next; 5.0 failure")
    s.run()
    assert outcomes(s) == [True, False, False]


def test_an_attempt_has_no_second_try() -> None:
    s = evaluation(fails=(0, 1, 2), script="0.5 rerecord; 0.6 discard")
    s.run()
    assert outcomes(s) == [False, False, False]


def test_rows_of_attempts_are_kept_with_what_became_of_them() -> None:
    s = evaluation(fails=(1,), dataset={})
    s.run()
    episodes = s.parts.storage.episodes  # type: ignore[union-attr]
    assert [each.outcome for each in episodes] == ["success", "failure", "success"]
    assert {step.source for each in episodes for step in each.steps} <= {"policy", "hold"}


def test_an_attempt_that_was_cut_off_is_none() -> None:
    s = evaluation(script="1.5 stop", dataset={})
    s.run()
    assert s.ending.outcome == "stopped"
    assert len(outcomes(s)) == 1


def test_blank_hides_the_pictures_from_policy_and_rows() -> None:
    s = evaluation(camera={"front": {}}, processor={"eyes": {"type": "blank", "value": 7}}, dataset={})
    seen: list[Any] = []

    def watch() -> None:
        s.parts.storage.add_frame = lambda step: seen.append(step.observation["front"])  # type: ignore[union-attr]

    s.steps = lambda: (*type(s).steps(s)[:-1], watch, s.run_loop)  # type: ignore[method-assign]
    s.run()
    assert seen
    assert all((image == 7).all() for image in seen)


@pytest.mark.parametrize(("cameras", "named"), [((), ()), (("front",), ("wrist",))])
def test_blank_refuses_to_hide_nothing(cameras: tuple[str, ...], named: tuple[str, ...]) -> None:
    features = {"a.pos": Feature(), **{name: Feature("uint8", (4, 4, 3)) for name in cameras}}
    with pytest.raises(ConfigError, match="camera"):
        BlankProcessor(BlankConfig(cameras=named)).features(features)


def test_blank_leaves_other_cameras_alone() -> None:
    blank = BlankProcessor(BlankConfig(cameras=("front",)))
    blank.features({name: Feature("uint8", (2, 2, 3)) for name in ("front", "wrist")})
    picture = np.full((2, 2, 3), 9, np.uint8)
    out = blank({"front": picture, "wrist": picture}, {})
    assert (int(out["front"].max()), int(out["wrist"].max())) == (0, 9)
