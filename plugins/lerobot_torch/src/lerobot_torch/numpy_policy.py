"""The one adapter between a torch policy and the policy contract: robot keys and numpy outside, tensors inside."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from lerobot_core.errors import ConfigError, ContractError, InferenceError
from lerobot_core.features import ACTION, ENVIRONMENT, STATE
from lerobot_core.types import ActionChunk, Features, Guide, Observation
from numpy.typing import NDArray
from torch import Tensor

from .checkpoint import load
from .config import TorchPolicyConfig
from .features import width
from .names import Names, cameras, find_names
from .policy import TorchPolicy
from .processors.normalize import Unnormalize
from .processors.relative import Relative
from .processors.step import Batch

log = logging.getLogger("lerobot.policy")

MARGIN = 0.1
"""How far, as a share of a joint's range, recorded actions may lie outside it: people push arms against their stops."""


def open_policy(config: TorchPolicyConfig) -> NumpyPolicy:
    """What a policy plugin's `build` returns: the checkpoint at `config.path`, ready to be asked.

    Raises:
        UserError: there is none, or it has no names.
    """
    if not config.path:
        raise ConfigError(
            "no checkpoint was named", "a family has no weights of its own", "--policy FOLDER or org/name"
        )
    policy = load(config.path, config.device, config)
    return NumpyPolicy(policy, find_names(policy, policy.config))


class NumpyPolicy:
    """A `Policy`; see the contract in `lerobot_core.contracts.policy`.

    Args:
        torch_policy: the network and its processors.
        names: which robot key each column is.

    Raises:
        ContractError: the network takes something that no robot gives.
    """

    def __init__(self, torch_policy: TorchPolicy[Any], names: Names) -> None:
        self._policy: TorchPolicy[Any] | None = torch_policy
        self._names, self._cameras = names, cameras(torch_policy)
        self._state_width = width(torch_policy.inputs, STATE)
        self._recorded = _recorded_range(torch_policy)
        known = {STATE, ENVIRONMENT}
        odd = [key for key, each in torch_policy.inputs.items() if each.kind != "VISUAL" and key not in known]
        if odd:
            raise ContractError(f"the policy takes {', '.join(odd)}", "no robot gives it: only joints and cameras")
        self.chunk_size, self.n_action_steps = torch_policy.chunk_size, torch_policy.n_action_steps
        self.ensemble = torch_policy.ensemble
        self.guidance: Literal["none", "guided", "trained"] = torch_policy.guidance
        self.stateless = torch_policy.stateless

    @property
    def needs(self) -> Features:
        """Numbers and cameras by robot key."""
        return self._names.observation | {key: feature for key, (_, feature) in self._cameras.items()}

    @property
    def gives(self) -> Features:
        """Actions by robot key."""
        return self._names.action

    @property
    def fps(self) -> float | None:
        """The rate it was trained at."""
        return self._names.fps

    def bind(self, observation: Features, action: Features) -> None:
        """Meet the robot, before anything moves: take its order where that was asked for, doubt units nobody stated.

        Raises:
            ContractError: the widths differ, or actions it was trained on lie outside the robot's range.
        """
        if self._names.assumed:
            self._names = self._names.bound(observation, action)
            log.warning("the checkpoint has no names; taking the robot's order: %s", ", ".join(self._names.action))
        self._refuse_other_units(action)

    def for_robot(self) -> NumpyPolicy:
        """The same weights for one more robot; processors, which may remember a state, and names are its own."""
        view = copy.copy(self)
        if self._policy is not None:
            view._policy = copy.copy(self._policy)  # shallow: the parameters are shared
            # In one go, so that a step on one side keeps the partner it has on the other.
            view._policy.before, view._policy.after = copy.deepcopy((self._policy.before, self._policy.after))
        return view

    def warmup(self) -> None:
        """One call on nothing: compiles, chooses kernels, folds constants."""
        self._ask([{key: _nothing(feature.shape) for key, feature in self.needs.items()}], [""])

    def reset(self) -> None:
        """Nothing is remembered between chunks."""

    def predict_chunk(self, obs: Observation, task: str, guide: Guide | None = None) -> ActionChunk:
        """Actions (T, A) float32 in robot units; `guide` is for policies that say they take guidance.

        Raises:
            ContractError: the observation lacks a key, or an image has another size.
        """
        return self.predict_chunks([obs], [task], guide)[0]

    def predict_chunks(
        self, observations: Sequence[Observation], tasks: Sequence[str], guide: Guide | None = None
    ) -> list[ActionChunk]:
        """One pass of the network for all of them; each as `predict_chunk` gives it. A guide is for one observation.

        Raises:
            ContractError: an observation lacks a key, or an image has another size.
        """
        names, needs = tuple(self._names.action), self.needs.keys()
        if missing := {key for obs in observations for key in needs - obs.keys()}:
            raise ContractError(f"the policy needs {', '.join(sorted(missing))}", "the observation has it not")
        chunks = self._ask(observations, tasks, guide)
        seen = zip(chunks, observations, tasks, strict=True)
        return [ActionChunk(names, actions, None, obs.time, task) for actions, obs, task in seen]

    def close(self) -> None:
        """Let go of the network, whoever still holds this. Idempotent."""
        self._policy = None

    def _ask(
        self, observations: Sequence[Mapping[str, Any]], tasks: Sequence[str], guide: Guide | None = None
    ) -> NDArray[np.float32]:
        """(B, T, A)."""
        if self._policy is None:
            raise InferenceError("the policy is closed", "nothing can be asked of it any more")
        samples = [self._sample(seen) for seen in observations]
        batch: Batch = {key: _stacked([sample[key] for sample in samples]) for key in samples[0]}
        given = None if guide is None else _in_order(guide, tuple(self._names.action))
        return self._policy.act({"task": list(tasks), **batch}, given).numpy().astype(np.float32)

    def _sample(self, seen: Mapping[str, Any]) -> dict[str, Tensor]:
        batch: dict[str, Tensor] = {}
        numbers = torch.tensor([float(seen[key]) for key in self._names.observation], dtype=torch.float32)
        parts = numbers.split([self._state_width, len(numbers) - self._state_width])  # type: ignore[no-untyped-call]
        for key, part in zip((STATE, ENVIRONMENT), parts, strict=True):
            if len(part):
                batch[key] = part
        for name, (key, feature) in self._cameras.items():
            batch[key] = _picture(name, seen[name], feature.shape)
        return batch

    def _refuse_other_units(self, action: Features) -> None:
        if len(self._recorded) != len(self._names.action):
            return
        rows = zip(self._names.action, self._recorded, strict=True)
        doubted = ((key, *span) for key, span in rows if key not in self._names.stated)
        wrong = [line for key, low, high in doubted if (line := _outside(key, low, high, action))]
        if wrong:
            raise ContractError(
                "the checkpoint was trained in other units than this robot's, or with its joints in another order",
                "\n  ".join(wrong),
                "the robot's other units (--robot.use-degrees where it has them), or a policy trained on this robot",
            )


def _in_order(guide: Guide, names: tuple[str, ...]) -> Guide | None:
    """With its columns as the policy has them; None when nothing is left to continue."""
    if not len(guide.actions):
        return None
    columns = [guide.names.index(name) for name in names]
    return dataclasses.replace(guide, names=names, actions=np.ascontiguousarray(guide.actions[:, columns]))


def _recorded_range(policy: TorchPolicy[Any]) -> list[tuple[float, float]]:
    """Lowest and highest of each action it was trained on; [] when that is not known, or of differences."""
    stats, relative = policy.after.step(Unnormalize), policy.before.step(Relative)
    found = stats.stats.get(ACTION, {}) if stats else {}
    if (relative and relative.enabled) or not {"min", "max"} <= found.keys():
        return []
    return list(zip(found["min"].tolist(), found["max"].tolist(), strict=True))


def _outside(key: str, low: float, high: float, robot: Features) -> str:
    feature = robot.get(key)
    if feature is None or feature.low is None or feature.high is None:
        return ""
    slack = MARGIN * (feature.high - feature.low)
    if low >= feature.low - slack and high <= feature.high + slack:
        return ""
    return f"{key}: trained on {low:g}..{high:g}, the robot has {feature.low:g}..{feature.high:g} {feature.unit or ''}"


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    """(B, …); one alone is not copied, and so stays channels last."""
    return parts[0][None] if len(parts) == 1 else torch.stack(list(parts))


def _nothing(shape: tuple[int, ...]) -> Any:
    return np.zeros(shape, np.uint8) if shape else 0.0


def _picture(name: str, image: NDArray[np.uint8], shape: tuple[int, ...]) -> Tensor:
    """uint8 (H, W, C) -> float32 (C, H, W) in 0..1, still channels last in memory."""
    if image.shape != shape:
        raise ContractError(f"camera {name!r} gives {image.shape}, the policy takes {shape}", "(H, W, C)")
    # A copy: torch will not share memory that is read-only.
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
