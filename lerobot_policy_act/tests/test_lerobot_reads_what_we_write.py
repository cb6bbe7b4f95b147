"""LeRobot itself loads what is saved here and gives the same actions; needs an interpreter that has it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import lerobot_torch
import numpy as np
import pytest
import torch
from act_golden import golden_inputs

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
pytestmark = pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON names no interpreter with lerobot")

_THEIRS = """
import json, sys
import torch
from safetensors.torch import load_file
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.policies.factory import make_pre_post_processors
folder, inputs = sys.argv[1:]
policy = ACTPolicy.from_pretrained(folder).eval()
before, after = make_pre_post_processors(policy.config, pretrained_path=folder)
with torch.inference_mode():
    chunk = policy.predict_action_chunk(before(load_file(inputs)))
    actions = after(chunk[:, 0])
print(json.dumps({"chunk": chunk.tolist(), "first": actions.tolist()}))
"""


@pytest.mark.parametrize("name", ["act_vae", "act_no_vae_ensemble"])
def test_the_same_actions(name: str, checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    policy = lerobot_torch.load(checkpoint(name), "cpu")
    with torch.no_grad():
        for index, parameter in enumerate(policy.parameters()):
            parameter.add_(0.001 * (index % 5))
    policy.save(tmp_path / "ours")
    seen = golden_inputs(name, 1)
    from safetensors.torch import save_file

    save_file(seen, tmp_path / "inputs.safetensors")
    done = subprocess.run(
        [PEER, "-c", _THEIRS, str(tmp_path / "ours"), str(tmp_path / "inputs.safetensors")],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads(done.stdout.splitlines()[-1])
    with torch.inference_mode():
        chunk = policy.chunk(policy.before(seen))
    np.testing.assert_allclose(chunk.numpy(), np.array(theirs["chunk"]), rtol=0, atol=1e-5)
    np.testing.assert_allclose(policy.act(seen)[:, 0].numpy(), np.array(theirs["first"]), rtol=0, atol=1e-5)
