"""Steps one by one: renaming, batching, moving, relative actions, steps in space, tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lerobot_core.errors import ConfigError, ContractError
from lerobot_torch.processors.basic import Rename, ToBatch, ToDevice
from lerobot_torch.processors.delta import TARGETS, DeltaNames, DeltaTargets
from lerobot_torch.processors.relative import Absolute, Relative
from lerobot_torch.processors.resize import Resize
from lerobot_torch.processors.tokenizer import MASK, TOKENS, Tokenize

STATE, ACTION = "observation.state", "action"
FRONT, WRIST = "observation.images.front", "observation.images.wrist"


def test_renaming_takes_padding_along() -> None:
    step = Rename({"observation.images.top": "observation.images.camera1"})
    batch = {"observation.images.top": 1, "observation.images.top_is_pad": 2, STATE: 3}
    assert step(batch) == {"observation.images.camera1": 1, "observation.images.camera1_is_pad": 2, STATE: 3}
    assert step.config() == {"rename_map": {"observation.images.top": "observation.images.camera1"}}


def test_one_observation_becomes_a_batch_of_one() -> None:
    one: dict[str, Any] = {
        STATE: torch.zeros(2),
        "observation.image": torch.zeros(3, 4, 5),
        ACTION: torch.zeros(2),
        "task": "go",
    }
    found = ToBatch()(one)
    shapes = [tuple(found[key].shape) for key in (STATE, "observation.image", ACTION)]
    assert shapes == [(1, 2), (1, 3, 4, 5), (1, 2)]
    assert found["task"] == ["go"]
    again = ToBatch()(found)
    assert all(torch.equal(again[key], found[key]) for key in (STATE, "observation.image", ACTION))


def test_moving_changes_floats_only_where_asked() -> None:
    step = ToDevice("cpu", "float16")
    found = step({STATE: torch.zeros(2), "action_is_pad": torch.zeros(2, dtype=torch.bool), "task": ["go"]})
    assert (found[STATE].dtype, found["action_is_pad"].dtype, found["task"]) == (torch.float16, torch.bool, ["go"])
    assert step.moved("meta")({STATE: torch.zeros(2)})[STATE].device.type == "meta"


columns = st.integers(1, 8)


@settings(deadline=None)  # the first call of a kernel may wait for the machine
@given(columns, st.integers(1, 8), st.integers(1, 5), st.booleans(), st.integers(0, 2**31))
def test_absolute_undoes_relative(acted: int, seen: int, steps: int, exclude: bool, seed: int) -> None:
    names = [f"joint{index}" for index in range(acted - 1)] + ["Gripper.pos"]
    step = Relative(True, ["gripper"] if exclude else [], names)
    inverse = step.inverse()
    generator = torch.Generator().manual_seed(seed)
    batch = {STATE: torch.rand(2, seen, generator=generator), ACTION: torch.rand(2, steps, acted, generator=generator)}
    relative = step(batch)
    if exclude:
        assert torch.equal(relative[ACTION][..., -1], batch[ACTION][..., -1])
    torch.testing.assert_close(inverse(relative)[ACTION], batch[ACTION])


def test_relative_actions_need_an_observation_first() -> None:
    inverse = Relative(True).inverse()
    with pytest.raises(ContractError, match="cannot be made absolute"):
        inverse({ACTION: torch.zeros(1, 2)})


def test_relative_on_one_side_only_is_refused() -> None:
    with pytest.raises(ContractError, match="on one side only"):
        Absolute(True).pair([Rename()])
    with pytest.raises(ContractError, match="on one side only"):
        Absolute(False).pair([Relative(True)])
    Absolute(False).pair([Relative(False)])


def test_steps_in_space_become_named_targets() -> None:
    names = DeltaNames()
    assert names.action_names == ("delta_x", "delta_y", "delta_z", "gripper")
    assert DeltaNames(False).action_names == ("delta_x", "delta_y", "delta_z")
    with pytest.raises(ContractError, match="actions of 6 numbers"):
        names({ACTION: torch.zeros(1, 6)})
    steps = torch.tensor([[[0.0, 0.3, 0.4, 1.0], [1e-4, 0.0, 0.0, 2.0]]])
    found = DeltaTargets(position_scale=10.0)({ACTION: steps})[ACTION][0]
    assert dict(zip(TARGETS, found[0].tolist(), strict=True)) == pytest.approx(
        dict(enabled=1, target_x=0, target_y=3, target_z=4, target_wx=0, target_wy=0, target_wz=0, gripper_vel=1)
    )
    assert found[1, 0] == 0.0


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    tokenizers = pytest.importorskip("tokenizers")
    words = {"<pad>": 0, "<bos>": 1, "pick": 2, "the": 3, "cube": 4, "<unk>": 5}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.post_processor = tokenizers.processors.TemplateProcessing("<bos> $A", None, [("<bos>", 1)])
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "<pad>"}}))
    return folder


def test_tasks_become_tokens(tokenizer: Path) -> None:
    step = Tokenize(max_length=6, tokenizer_name=str(tokenizer))
    found = step({"task": ["pick the cube", "cube"], STATE: torch.zeros(2, 1)})
    assert found[TOKENS].tolist() == [[1, 2, 3, 4, 0, 0], [1, 4, 0, 0, 0, 0]]
    assert found[MASK].tolist() == [[True] * 4 + [False] * 2, [True] * 2 + [False] * 4]
    assert found[TOKENS].dtype == torch.int64


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"padding_side": "left", "max_length": 4}, [[0, 0, 1, 4]]),
        ({"padding": "longest"}, [[1, 4]]),
        ({"max_length": 3, "task": "pick the cube"}, [[1, 2, 3]]),
    ],
)
def test_padding_and_truncation(tokenizer: Path, options: dict[str, Any], wanted: list[list[int]]) -> None:
    task = options.pop("task", "cube")
    assert Tokenize(tokenizer_name=str(tokenizer), **options)({"task": task})[TOKENS].tolist() == wanted


def test_a_task_that_is_too_long_is_refused_where_it_may_not_be_cut(tokenizer: Path) -> None:
    step = Tokenize(max_length=3, truncation=False, tokenizer_name=str(tokenizer))
    with pytest.raises(ContractError, match="4 tokens long"):
        step({"task": "pick the cube"})


def test_a_policy_that_reads_needs_a_task_and_a_tokenizer(tokenizer: Path) -> None:
    with pytest.raises(ContractError, match="there is none"):
        Tokenize(tokenizer_name=str(tokenizer))({})
    with pytest.raises(ConfigError, match="which tokenizer"):
        Tokenize()({"task": "cube"})


def test_pictures_shrink_by_averaging_and_what_fits_is_left_alone() -> None:
    step = Resize(resize_size=[6, 8])
    stripes = torch.zeros(2, 3, 48, 64)
    stripes[..., ::2] = 1.0
    found = step({FRONT: stripes, f"{FRONT}_is_pad": torch.zeros(2), STATE: torch.zeros(2, 6)})
    assert found[FRONT].shape == (2, 3, 6, 8)
    assert torch.allclose(found[FRONT], torch.tensor(0.5), atol=0.02), "every column of the stripes counts"
    assert (found[f"{FRONT}_is_pad"].shape, found[STATE].shape) == ((2,), (2, 6))
    assert step(found)[FRONT] is found[FRONT]
    assert step.config() == {"crop_params_dict": None, "resize_size": [6, 8]}


def test_a_crop_comes_first_and_a_time_dimension_stays() -> None:
    step = Resize({FRONT: (1, 2, 4, 6)}, (2, 3))
    image = torch.arange(80.0).reshape(1, 1, 1, 8, 10).expand(2, 3, 3, 8, 10)
    found = step({FRONT: image, WRIST: image})
    assert (found[FRONT].shape, found[WRIST].shape) == ((2, 3, 3, 2, 3), (2, 3, 3, 2, 3))
    assert found[FRONT].mean() == pytest.approx(image[..., 1:5, 2:8].mean().item())
    assert step.config()["crop_params_dict"] == {FRONT: [1, 2, 4, 6]}


@pytest.mark.parametrize(
    "options", [{"resize_size": (0, 8)}, {"resize_size": (8,)}, {"crop_params_dict": {FRONT: (0, 0, -4, 4)}}]
)
def test_a_size_that_is_none_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        Resize(**options)


def test_a_crop_of_more_than_there_is_is_refused() -> None:
    with pytest.raises(ContractError, match="too small for its crop"):
        Resize({FRONT: (0, 0, 9, 4)})({FRONT: torch.zeros(1, 3, 8, 8)})
