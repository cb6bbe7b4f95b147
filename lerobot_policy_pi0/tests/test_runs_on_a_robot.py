"""pi0 through the policy contract: the kit, guided chunks, relative actions, a run with rtc, and bad input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lerobot_torch
import numpy as np
import pytest
import torch
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.errors import ConfigError, ContractError, InferenceError
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Feature, Guide, Observation
from lerobot_core.virtual_clock import VirtualClock
from lerobot_policy_pi0.config import PI0Config
from lerobot_policy_pi0.memory import enough_memory
from lerobot_policy_pi0.policy import PI0Policy
from lerobot_policy_pi0.prompt import NewLine
from lerobot_torch.names import find_names
from pi0_golden import JOINTS, SEEN, statistics, tiny, write_tokenizer

TASK = "put the cube in the bin"


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path / "tok")


def numpy_policy(policy: PI0Policy) -> lerobot_torch.NumpyPolicy:
    return lerobot_torch.NumpyPolicy(policy.eval(), find_names(policy, policy.config))


def seen(**values: float) -> Observation:
    joints = dict.fromkeys(JOINTS, 10.0)
    return Observation({**joints, **values, "front": np.full((24, 32, 3), 99, np.uint8)}, 1.0)


class TestPi0(PolicyConformance):
    name = "pi0"

    @pytest.fixture(autouse=True)
    def _checkpoint(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "pi0"
        tiny(write_tokenizer(tmp_path / "tok")).save(self.folder)

    def options(self) -> dict[str, Any]:
        return {"path": str(self.folder), "device": "cpu"}


def near(policy: PI0Policy, guide: Guide | None, **values: float) -> np.ndarray:
    """A chunk of the same noise every time."""
    torch.manual_seed(11)
    return numpy_policy(policy).predict_chunk(seen(**values), TASK, guide).actions


def test_a_guided_chunk_is_near_what_it_continues(tokenizer: Path) -> None:
    policy = tiny(tokenizer)
    rows = np.full((5, 4), 25.0, np.float32)
    guide = Guide(3, 5, "LINEAR", 10.0, tuple(JOINTS)[::-1], rows)
    plain, chunk = near(policy, None), near(policy, guide)
    assert np.abs(chunk[:3] - 25).max() < 0.35 * np.abs(plain[:3] - 25).max()
    assert np.abs(chunk[5:] - plain[5:]).max() < np.abs(chunk[:3] - plain[:3]).max()


def test_relative_actions_continue_a_leftover_from_where_the_arm_is_now(tokenizer: Path) -> None:
    policy = tiny(tokenizer, use_relative_actions=True, action_feature_names=list(JOINTS))
    rows = np.full((6, 4), 25.0, np.float32)
    guide = Guide(4, 6, "ONES", 10.0, tuple(JOINTS), rows)
    for pan in (10.0, 24.0):
        plain, chunk = (near(policy, each, **{"pan.pos": pan}) for each in (None, guide))
        assert np.abs(chunk[:4, 0] - 25).mean() < 0.35 * np.abs(plain[:4, 0] - 25).mean()


def run(folder: Path, cameras: tuple[str, ...] = ("front",), **flags: Any) -> Session:
    def chosen(kind: str, name: str, instance: str = "", **options: Any) -> Chosen:
        spec = Registry().spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**options), instance)

    config = RunConfig(
        robot=chosen("robot", "fake", joints=("pan", "lift", "elbow", "gripper")),
        camera={name: chosen("camera", "fake", name, width=32, height=24) for name in cameras},
        policy=chosen("policy", "pi0", path=str(folder), device="cpu"),
        inference=chosen("inference", "rtc", execution_horizon=4),
        strategy=chosen("strategy", "base"),
        **{"duration": 3.0, "task": TASK, **flags},
    )
    return Session(Plan("rollout", config, {}, Registry()), VirtualClock())


@pytest.mark.parametrize("interpolation", [1, 3])
def test_a_run_with_rtc_and_its_queue(tokenizer: Path, tmp_path: Path, interpolation: int) -> None:
    tiny(tokenizer).save(tmp_path / "pi0")
    session = run(tmp_path / "pi0", interpolation=interpolation)
    guided = []

    def watch() -> None:
        policy = session.parts.policy
        ask = policy.predict_chunk  # type: ignore[union-attr]

        def asked(obs: Observation, task: str, guide: Guide | None = None) -> Any:
            guided.append(guide)
            return ask(obs, task, guide)

        policy.predict_chunk = asked  # type: ignore[union-attr,method-assign]

    steps = session.steps()
    session.steps = lambda: (*steps[:-1], watch, steps[-1])  # type: ignore[method-assign]
    summary = session.run()
    assert summary["outcome"] == "done", session.ending
    assert summary["rows"]["policy"] == 90
    assert summary["engine"]["errors"] == 0
    assert [guide for guide in guided if guide is not None]


def test_a_camera_the_network_has_not_is_told_and_not_looked_at(
    tokenizer: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tiny(tokenizer).save(tmp_path / "pi0")
    session = run(tmp_path / "pi0", ("front", "wrist"), duration=0.5)
    assert session.run()["outcome"] == "done", session.ending
    assert "not used by the policy: wrist" in caplog.text


def test_a_camera_the_robot_has_not_is_refused_by_name(tokenizer: Path, tmp_path: Path) -> None:
    tiny(tokenizer).save(tmp_path / "pi0")
    session = run(tmp_path / "pi0", ("wrist",), duration=0.5)
    assert session.run()["outcome"] == "failed"
    assert "-front" in str(session.ending)


# --- bad input ------------------------------------------------------------------------------------------------------


def test_no_tokenizer_says_where_one_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    policy = tiny(tmp_path / "nowhere" / "at" / "all")
    with pytest.raises(ContractError, match="reads its task") as caught:
        numpy_policy(policy).warmup()
    assert "--policy.tokenizer FOLDER" in caught.value.fix


def test_a_tokenizer_that_is_no_tokenizer_is_told(tokenizer: Path) -> None:
    (tokenizer / "tokenizer.json").write_text("{")
    with pytest.raises(ContractError, match="reads its task") as caught:
        numpy_policy(tiny(tokenizer)).warmup()
    assert "cannot be read" in caught.value.why


def test_a_prompt_that_is_too_long_is_refused_not_cut(tokenizer: Path) -> None:
    policy = numpy_policy(tiny(tokenizer, tokenizer_max_length=8))
    policy.predict_chunk(seen(), TASK)  # <bos>, six words, a line break
    with pytest.raises(ContractError, match="9 tokens long") as caught:
        policy.predict_chunk(seen(), f"{TASK} bin")
    assert "reads 8" in caught.value.why


def test_a_tokenizer_of_another_network_is_noticed(tmp_path: Path) -> None:
    folder = write_tokenizer(tmp_path / "tok")
    text = (
        (folder / "tokenizer.json").read_text().replace('"cube": 7', '"cube": 5000').replace('"cube":7', '"cube":5000')
    )
    (folder / "tokenizer.json").write_text(text)
    with pytest.raises(ContractError, match="token 5000"):
        numpy_policy(tiny(folder)).predict_chunk(seen(), TASK)


@pytest.mark.parametrize(("option", "what"), [("max_state_dim", "state"), ("max_action_dim", "action")])
def test_more_numbers_than_the_padding_are_refused(tokenizer: Path, option: str, what: str) -> None:
    with pytest.raises(ContractError, match=f"the {what} has 4 numbers, and pi0 takes 3"):
        tiny(tokenizer, **{option: 3})


def test_no_camera_is_refused(tokenizer: Path) -> None:
    with pytest.raises(ContractError, match="needs a camera"):
        lerobot_torch.create(
            "pi0",
            tiny(tokenizer).config,
            JOINTS,
            JOINTS,
            {k: v for k, v in statistics().items() if "images" not in k},
            30.0,
        )


def test_a_camera_of_another_size_and_one_that_is_missing_are_refused(tokenizer: Path) -> None:
    policy = numpy_policy(tiny(tokenizer))
    other = Observation({**seen(), "front": np.zeros((8, 8, 3), np.uint8)}, 1.0)
    with pytest.raises(ContractError, match="front"):
        policy.predict_chunk(other, TASK)
    other.pop("front")
    with pytest.raises(ContractError, match="front"):
        policy.predict_chunk(other, TASK)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_action_steps": 60}, "60"),
        ({"paligemma_variant": "gemma_tiny"}, "cannot share attention"),
        ({"image_resolution": (224, 200)}, "224 x 200"),
        ({"image_resolution": (100, 100)}, "100 x 100"),
    ],
)
def test_configurations_that_make_no_sense(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        PI0Config(**options)


def test_too_little_memory_says_what_helps() -> None:
    with pytest.raises(InferenceError, match="not enough memory") as caught, enough_memory("training", training=True):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    assert "--batch-size" in caught.value.fix
    assert "bfloat16" in caught.value.fix
    with pytest.raises(RuntimeError, match="other"), enough_memory("predicting"):
        raise RuntimeError("something other")


@pytest.mark.parametrize(
    ("task", "wanted"), [("a", "a\n"), ("a\n", "a\n"), (["a", "b\n"], ["a\n", "b\n"]), (None, None)]
)
def test_a_task_ends_with_one_line_break(task: Any, wanted: Any) -> None:
    assert NewLine()({"task": task})["task"] == wanted


def test_its_features_are_what_it_was_made_with(tokenizer: Path) -> None:
    policy = numpy_policy(tiny(tokenizer))
    assert policy.needs == {**JOINTS, "front": Feature("uint8", (24, 32, 3))}
    assert (policy.gives, set(policy.needs), policy.guidance) == (JOINTS, set(SEEN), "guided")
