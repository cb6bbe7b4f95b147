"""What a run needs to go on, as safetensors and JSON in the peer's layout: optimizer, schedule, random numbers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot_core.errors import ContractError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from .layout import read_json, write_json

OPTIMIZER, GROUPS = "optimizer_state.safetensors", "optimizer_param_groups.json"
SCHEDULER, RANDOM = "scheduler_state.json", "rng_state.safetensors"


def save_optimizer(optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """`state/<parameter>/<name>` tensors, and the groups."""
    state = optimizer.state_dict()
    save_file(_flat(state["state"]), folder / OPTIMIZER)
    write_json(folder / GROUPS, state["param_groups"])


def _flat(state: Mapping[int, Mapping[str, Any]]) -> dict[str, Tensor]:
    return {
        f"state/{index}/{name}": torch.as_tensor(value).detach().cpu().contiguous()
        for index, each in state.items()
        for name, value in each.items()
        if value is not None
    }


def load_optimizer(optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Raises ContractError when it belongs to another network or optimizer."""
    groups, nested = read_json(folder / GROUPS), dict[int, dict[str, Tensor]]()
    for key, value in load_file(folder / OPTIMIZER).items():
        _, index, name = key.split("/")
        nested.setdefault(int(index), {})[name] = value
    params = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    wrong = [index for index, each in nested.items() if index >= len(params) or not _fits(params[index], each)]
    if wrong:
        raise ContractError(f"{folder / OPTIMIZER} belongs to another network",
                            f"parameters {', '.join(map(str, wrong))} have other shapes")  # fmt: skip
    try:
        optimizer.load_state_dict({"state": nested, "param_groups": [_tuples(group) for group in groups]})
    except ValueError as error:
        raise ContractError(f"{folder} has the state of another optimizer", str(error)) from error


def _fits(parameter: Tensor, state: Mapping[str, Tensor]) -> bool:
    return all(each.shape in (parameter.shape, torch.Size([])) for each in state.values())


def _tuples(group: dict[str, Any]) -> dict[str, Any]:
    return group | ({"betas": tuple(group["betas"])} if "betas" in group else {})


def save_scheduler(scheduler: LambdaLR, folder: Path) -> None:
    """torch's own state; its functions are made anew."""
    write_json(folder / SCHEDULER, scheduler.state_dict())


def load_scheduler(scheduler: LambdaLR, folder: Path) -> None:
    """Back from JSON."""
    scheduler.load_state_dict(read_json(folder / SCHEDULER))


def save_random(folder: Path) -> None:
    """The generators of Python, numpy and torch."""
    version, words, gauss = random.getstate()
    name, values, index, has_gauss, cached = np.random.get_state()
    assert name == "MT19937"
    del gauss  # Python's cached Gaussian is not in the format; nothing here draws one
    found = {
        "py_rng_version": torch.tensor([version]),
        "py_rng_state": torch.tensor(words, dtype=torch.int64),
        "np_rng_state_values": torch.tensor(np.asarray(values, np.int64)),
        "np_rng_state_index": torch.tensor([index]),
        "np_rng_has_gauss": torch.tensor([has_gauss]),
        "np_rng_cached_gaussian": torch.tensor([cached], dtype=torch.float32),
        "torch_rng_state": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        found["torch_cuda_rng_state"] = torch.cuda.get_rng_state()
    save_file(found, folder / RANDOM)


def load_random(folder: Path) -> None:
    """Draw from here on what would have been drawn."""
    found = load_file(folder / RANDOM)
    random.setstate((int(found["py_rng_version"]), tuple(found["py_rng_state"].tolist()), None))
    values = found["np_rng_state_values"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", values, int(found["np_rng_state_index"]), int(found["np_rng_has_gauss"]),
                         float(found["np_rng_cached_gaussian"])))  # fmt: skip
    torch.set_rng_state(found["torch_rng_state"])
    if "torch_cuda_rng_state" in found and torch.cuda.is_available():
        torch.cuda.set_rng_state(found["torch_cuda_rng_state"])
