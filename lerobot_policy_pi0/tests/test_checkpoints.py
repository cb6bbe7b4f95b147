"""Checkpoints: older names, ties, precisions, what is missing; and how much memory loading one takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import lerobot_torch
import pytest
import torch
from lerobot_core.errors import ConfigError, ContractError
from lerobot_policy_pi0.policy import BOTH, EMBEDDING, HEAD, PI0Policy
from pi0_golden import SEEN, golden_batch, golden_shapes, tiny, weights, write_checkpoint, write_tokenizer
from torch import Tensor

BATCH = golden_batch()


def loaded(folder: Path, **options: Any) -> PI0Policy:
    policy = lerobot_torch.load(folder, "cpu", **options)
    assert isinstance(policy, PI0Policy)
    return policy


def answer(policy: PI0Policy) -> Tensor:
    with torch.inference_mode():
        return policy.sample(BATCH, noise=BATCH["noise"])


def tied() -> dict[str, Tensor]:
    """As checkpoints are published: one tensor, under the head's name."""
    tensors = weights(golden_shapes())
    tensors.pop(EMBEDDING)
    return tensors


def test_a_tied_tensor_is_one_parameter(tmp_path: Path) -> None:
    policy = loaded(write_checkpoint(tmp_path / "pi0", tied()))
    paligemma = policy.model.paligemma_with_expert.paligemma
    assert paligemma.lm_head.weight is paligemma.model.language_model.embed_tokens.weight
    policy.save(tmp_path / "again")
    assert torch.equal(answer(loaded(tmp_path / "again")), answer(policy))


def test_tensors_that_were_trained_apart_stay_apart(tmp_path: Path) -> None:
    policy = loaded(write_checkpoint(tmp_path / "pi0"))
    state = policy.state_dict()
    assert not torch.equal(state[HEAD], state[EMBEDDING])
    policy.save(tmp_path / "again")
    again = loaded(tmp_path / "again").state_dict()
    assert all(torch.equal(value, again[name]) for name, value in state.items())


def test_older_names_are_known(tmp_path: Path) -> None:
    new = loaded(write_checkpoint(tmp_path / "new", tied()))
    older = {
        name.removeprefix("model.").replace("action_time_mlp_", "time_mlp_"): value for name, value in tied().items()
    }
    assert torch.equal(answer(loaded(write_checkpoint(tmp_path / "old", older))), answer(new))


def test_a_missing_and_an_unknown_tensor_are_named(tmp_path: Path) -> None:
    tensors = tied()
    tensors.pop("model.state_proj.bias")
    tensors["model.surprise"] = torch.zeros(1)
    with pytest.raises(ContractError) as caught:
        loaded(write_checkpoint(tmp_path / "pi0", tensors))
    assert "model.state_proj.bias" in caught.value.why
    assert "model.surprise" in caught.value.why


def test_a_checkpoint_of_another_variant_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="not those of this network") as caught:
        loaded(write_checkpoint(tmp_path / "pi0", paligemma_variant="gemma_2b", action_expert_variant="gemma_300m"))
    assert "of another shape" in caught.value.why


def test_bfloat16_leaves_norms_vision_and_projections_wide(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "pi0", tied(), dtype="bfloat16")
    policy = loaded(folder)
    precisions = {name: value.dtype for name, value in policy.state_dict().items()}
    narrow = {name for name, dtype in precisions.items() if dtype == torch.bfloat16}
    assert f"{BOTH}gemma_expert.model.layers.0.mlp.up_proj.weight" in narrow
    assert EMBEDDING in narrow
    assert not [name for name in narrow if "norm" in name or "vision" in name or "proj.bias" in name]
    wide = loaded(write_checkpoint(tmp_path / "wide", tied()))
    torch.testing.assert_close(answer(policy), answer(wide), atol=0.1, rtol=0)


def test_a_new_policy_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With the prompt's tokenizer in the checkpoint, so that nothing has to be fetched."""
    policy = tiny(write_tokenizer(tmp_path / "tok"), empty_cameras=1).eval()
    policy.save(tmp_path / "pi0")
    config = json.loads((tmp_path / "pi0" / "config.json").read_text())
    assert "tokenizer" not in config
    assert "observation.images.empty_camera_0" in config["input_features"]
    again = loaded(tmp_path / "pi0")
    assert [step.name for step in again.before] == [step.name for step in policy.before]
    batch = {
        "observation.state": torch.zeros(4),
        "observation.images.front": torch.zeros(3, 24, 32),
        "task": "put the cube",
    }
    torch.manual_seed(3)
    one = policy.act(batch)
    (tmp_path / "tok" / "tokenizer.json").unlink()
    torch.manual_seed(3)
    assert torch.equal(again.act(batch), one)


def test_a_camera_the_network_has_and_the_robot_has_not_is_not_asked_for(tmp_path: Path) -> None:
    policy = tiny(write_tokenizer(tmp_path / "tok"), empty_cameras=2).eval()
    numpy = lerobot_torch.NumpyPolicy(policy, lerobot_torch.find_names(policy, policy.config))
    assert set(numpy.needs) == set(SEEN)


def test_half_a_file_is_told(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "pi0")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match="cannot be read"):
        loaded(folder)


MEASURE = """
import resource, sys, torch, lerobot_torch
from pathlib import Path
import lerobot_policy_pi0.policy
def peak():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
before = peak()
policy = lerobot_torch.load(sys.argv[1], "cpu")
total = sum(float(value.float().sum()) for value in policy.state_dict().values())
print((peak() - before) / Path(sys.argv[1], "model.safetensors").stat().st_size)
"""


BIG = """
import lerobot_policy_pi0.sizes as sizes
small = sizes.VLMS["gemma_tiny"]
sizes.VLMS["gemma_tiny"] = small._replace(text=small.text._replace(width=512, mlp=2048), vocabulary=60000)
"""
"""About 250 MB: larger than what the interpreter and torch take on the side."""

WRITE = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from pi0_golden import tiny, write_tokenizer
folder = Path(sys.argv[1])
tiny(write_tokenizer(folder.parent / "tok")).save(folder)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_takes_no_more_memory_than_the_file(tmp_path: Path) -> None:
    """Every page of it is touched afterwards."""
    folder = str(tmp_path / "pi0")
    for script in (WRITE, MEASURE):
        command = [sys.executable, "-c", BIG + script, folder, str(Path(__file__).parent)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    assert float(done.stdout) <= 1.15
