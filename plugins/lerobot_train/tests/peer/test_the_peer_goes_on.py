"""LeRobot itself reads our `train_config.json`, goes on from our optimizer's state, and has our learning rates."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lerobot_train.config import SchedulerConfig
from lerobot_train.main import run
from lerobot_train.schedules import as_peer, factor

PEER = os.environ.get("LEROBOT_PEER_PYTHON", "")
pytestmark = [
    pytest.mark.skipif(not PEER, reason="LEROBOT_PEER_PYTHON names no interpreter with lerobot"),
    pytest.mark.timeout(1800),
]
PUSHT = Path(__file__).parents[4] / "tests" / "golden" / "pusht"

_READS = """
import json, sys
from pathlib import Path
import torch
from lerobot.configs.train import TrainPipelineConfig
from lerobot.policies.act.modeling_act import ACTPolicy
from lerobot.common.train_utils import load_training_state
folder = Path(sys.argv[1])
config = TrainPipelineConfig.from_pretrained(folder / "pretrained_model")
policy = ACTPolicy.from_pretrained(folder / "pretrained_model", config=config.policy)
optimizer = config.optimizer.build(policy.get_optim_params())
scheduler = config.scheduler.build(optimizer, config.steps)
step, optimizer, scheduler = load_training_state(folder, optimizer, scheduler)[:3]
state = optimizer.state_dict()
print(json.dumps({
    "step": step, "root": str(config.dataset.root), "policy": config.policy.type, "steps": config.steps,
    "scheduler": config.scheduler.type, "optimizer": config.optimizer.type, "batch_size": config.batch_size,
    "rates": [group["lr"] for group in state["param_groups"]],
    "sums": [float(state["state"][index]["exp_avg"].abs().sum()) for index in range(5)],
}))
"""

_RATES = """
import json, sys
import torch
from lerobot.optim import LRSchedulerConfig
from lerobot.optim.schedulers import *
import draccus
found = []
for data, steps in json.loads(sys.argv[1]):
    config = draccus.decode(LRSchedulerConfig, data)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = config.build(optimizer, steps)
    rates = []
    for _ in range(steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step(); scheduler.step()
    found.append(rates)
print(json.dumps(found))
"""


def ask(program: str, *words: str) -> Any:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run([PEER, "-c", program, *words], capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_reads_the_run_and_its_optimizer(tmp_path: Path) -> None:
    small = (
        "--policy.dim-model",
        "32",
        "--policy.dim-feedforward",
        "32",
        "--policy.n-heads",
        "2",
        "--policy.chunk-size",
        "8",
    )
    changes = (
        "--dataset.image-transforms.enable",
        "--scheduler",
        "constant_with_warmup",
        "--scheduler.num-warmup-steps",
        "9",
    )
    run(["--policy", "act", "--policy.device", "cpu", "--dataset.root", str(PUSHT), "--output-dir", str(tmp_path), "--steps", "2",
         "--batch-size", "2", "--num-workers", "0", "--no-tensorboard", *small, *changes])  # fmt: skip
    folder = tmp_path / "checkpoints" / "last"
    found = ask(_READS, str(folder.resolve()))
    from safetensors.torch import load_file

    ours = load_file(folder / "training_state" / "optimizer_state.safetensors")
    sums = [float(ours[f"state/{index}/exp_avg"].abs().sum()) for index in range(5)]
    assert found.pop("sums") == pytest.approx(sums, rel=1e-5)
    assert found.pop("rates") == pytest.approx([1e-5 * 2 / 9] * 2)
    assert found == {"step": 2, "root": str(PUSHT), "policy": "act", "steps": 2, "scheduler": "constant_with_warmup",
                     "optimizer": "adamw", "batch_size": 2}  # fmt: skip


def test_it_has_the_same_rates() -> None:
    kinds = [
        (SchedulerConfig(type="constant_with_warmup", num_warmup_steps=7), 30),
        (SchedulerConfig(type="cosine_annealing_with_warmup", num_warmup_steps=7), 30),
        (SchedulerConfig(type="cosine_decay_with_warmup", num_warmup_steps=7, num_decay_steps=20, peak_lr=1.0, decay_lr=0.1), 30),
        (SchedulerConfig(type="cosine_decay_with_warmup", num_warmup_steps=20, num_decay_steps=60, peak_lr=1.0, decay_lr=0.1), 30),
        (SchedulerConfig(type="vqbet", num_warmup_steps=5, num_vqvae_training_steps=6), 30),
    ]  # fmt: skip
    theirs = ask(_RATES, json.dumps([[as_peer(config, 1.0, steps), steps] for config, steps in kinds]))
    for (config, steps), rates in zip(kinds, theirs, strict=True):
        rate = factor(config, steps, 1.0)
        assert [rate(step) for step in range(steps)] == pytest.approx(rates, abs=1e-9), config.type
