"""Is this plan going to work? Everything that can be known is said at once, before anything moves."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import ContractError
from ..types import Feature, Features, Problem, Unit
from .plan import Plan

log = logging.getLogger("lerobot.run")
LOW_DISK_BYTES = 1 << 30


def raise_problems(problems: Iterable[Problem]) -> None:
    """Print warnings; raise one ContractError that lists every error with its fix."""
    errors = []
    for problem in problems:
        if problem.level == "warning":
            log.warning("%s: %s%s", problem.where, problem.text, f" ({problem.fix})" if problem.fix else "")
        else:
            errors.append(problem)
    if not errors:
        return
    if len(errors) == 1:
        raise ContractError(f"{errors[0].where}: {errors[0].text}", fix=errors[0].fix)
    lines = [f"{e.where}: {e.text}" + (f" -> {e.fix}" if e.fix else "") for e in errors]
    raise ContractError(f"{len(errors)} problems, nothing was moved", "\n  ".join(lines))


# --- before anything is connected -----------------------------------------------------------------------------------


def check_static(plan: Plan) -> list[Problem]:
    """What the names and options alone can tell."""
    return [*_needs(plan), *_policy(plan), *_dataset(plan), *_names(plan)]


_NEED_FIX = {
    "teleoperator": ("teleop", "it needs a teleoperator", "--teleop NAME (lr plugins list teleoperator)"),
    "storage": ("dataset", "it needs a dataset to write to", "--dataset.root FOLDER"),
    "operator": ("operator", "it needs an operator", "--operator terminal"),
}


def _needs(plan: Plan) -> Iterable[Problem]:
    for need in sorted(plan.strategy.spec.needs):
        section, text, fix = _NEED_FIX.get(need, ("", "", ""))
        if section and not getattr(plan.config, section):
            yield Problem("error", f"strategy {plan.strategy.name}", text, fix)


def _policy(plan: Plan) -> Iterable[Problem]:
    if "inference" not in plan.strategy.spec.needs:
        return
    engine = plan.config.inference
    if engine is not None and engine.spec.needs_policy and plan.config.policy is None:
        yield Problem("error", "policy", "no policy was named", "--policy NAME, FOLDER or org/name")


def _dataset(plan: Plan) -> Iterable[Problem]:
    dataset, needs = plan.config.dataset, plan.strategy.spec.needs
    if plan.verb == "replay" and dataset is None:
        yield Problem("error", "dataset", "nothing to replay was named", "--dataset FOLDER")
    if plan.verb == "rollout" and dataset is not None and "storage" not in needs:
        text = f"strategy {plan.strategy.name} records nothing"
        yield Problem("error", "dataset", text, "--strategy sentry, or leave --dataset out")
    root = getattr(dataset.config, "root", None) if dataset is not None else None
    if root is not None and plan.verb != "replay":
        yield from _disk(Path(root))


def _disk(root: Path) -> Iterable[Problem]:
    existing = next((p for p in (root, *root.absolute().parents) if p.exists()), None)
    if existing is not None:
        free = shutil.disk_usage(existing).free
        if free < LOW_DISK_BYTES:
            yield Problem("warning", "dataset", f"{free / 1e6:.0f} MB left on the disk of {root}", "free some space")


def _names(plan: Plan) -> Iterable[Problem]:
    for name in plan.config.camera:
        if "." in name or "/" in name:
            yield Problem("error", f"camera.{name}", "a camera's name is a plain word", "--camera.front …")


# --- after everything is built and the engine is ready ---------------------------------------------------------------


def check_built(plan: Plan, engine_gives: tuple[str, ...]) -> list[Problem]:
    """Names, units, shapes and rates of what has been built; `engine_gives` only when an engine runs."""
    problems = []
    if plan.gives:
        problems += compare("policy's actions", plan.gives, "robot", plan.action, exact=True)
    elif engine_gives:
        problems += _same_names("policy's actions", set(engine_gives), "robot", set(plan.action))
    if plan.needs:
        problems += compare("policy's observations", plan.needs, "robot and cameras", plan.observation, exact=False)
    return problems


def compare(left: str, wanted: Features, right: str, offered: Features, exact: bool) -> list[Problem]:
    """By name: missing and unknown keys, other units, other shapes. Order never matters.

    Args:
        left, right: what to call the two sides.
        exact: the sets must be equal; else `offered` may have more, which is a warning.
    """
    problems = _same_names(left, set(wanted), right, set(offered), exact)
    shared = [(key, wanted[key], offered[key]) for key in wanted if key in offered]
    return problems + list(_units(left, right, shared)) + list(_shapes(left, right, shared))


Shared = list[tuple[str, Feature, Feature]]


def _units(left: str, right: str, shared: Shared) -> Iterable[Problem]:
    """One problem for each pair of units, naming every key it is about."""
    pairs: dict[tuple[Unit, Unit], list[str]] = {}
    for key, wanted, offered in shared:
        if wanted.unit != offered.unit:
            pairs.setdefault((wanted.unit, offered.unit), []).append(key)
    for (mine, theirs), keys in pairs.items():
        if mine is None or theirs is None:
            text = f"no unit on one side, taken as {theirs if mine is None else mine!r}: {', '.join(keys)}"
            yield Problem("warning", left, text, "--policy.units UNIT")
        else:
            text = f"in {mine!r}, but the {right}: in {theirs!r}: {', '.join(keys)}"
            yield Problem("error", left, text, f"--policy.units {theirs} if that is what the policy means")


def _shapes(left: str, right: str, shared: Shared) -> Iterable[Problem]:
    for key, wanted, offered in shared:
        if wanted.is_image and tuple(wanted.shape) != tuple(offered.shape):
            text = f"{key} is {_size(wanted)}, the {right} give {_size(offered)}"
            yield Problem(
                "error", left, text, f"--camera.{key}.width {wanted.shape[1]} --camera.{key}.height {wanted.shape[0]}"
            )


def _same_names(left: str, wanted: set[str], right: str, offered: set[str], exact: bool = True) -> list[Problem]:
    missing, extra = sorted(wanted - offered), sorted(offered - wanted)
    if missing or (extra and exact):
        diff = [f"-{key}" for key in missing] + [f"+{key}" for key in (extra if exact else [])]
        text = f"names differ from the {right}'s: {' '.join(diff)} (- only in the {left}, + only in the {right})"
        return [Problem("error", left, text, "--rename-map '{robot_key: policy_key}' if they mean the same")]
    if extra:
        return [Problem("warning", left, f"not used by the policy: {', '.join(extra)}")]
    return []


def _size(feature: Feature) -> str:
    return "x".join(str(n) for n in (feature.shape[1], feature.shape[0], feature.shape[2]))


def check_bindings(bindings: Mapping[str, Mapping[str, str]]) -> list[Problem]:
    """No key may mean two events; `bindings` is operator -> {key: event}."""
    seen: dict[str, tuple[str, str]] = {}
    problems = []
    for operator, keys in bindings.items():
        for key, event in keys.items():
            other = seen.setdefault(key, (operator, event))
            if other[1] != event:
                text = f"key {key!r} means both {other[1]} and {event}"
                problems.append(Problem("error", f"operator.{operator}", text, "--strategy.keys '{EVENT: KEY}'"))
    return problems


def check_fps(asked: float | None, dataset: float | None, policy: float | None) -> tuple[float | None, list[Problem]]:
    """The rate in force and what is wrong with it; None when nobody says."""
    if asked is not None:
        problems = []
        if dataset is not None and dataset != asked:
            problems.append(
                Problem("error", "fps", f"the dataset is at {dataset:g} Hz, not {asked:g}", f"--fps {dataset:g}")
            )
        return asked, problems
    if dataset is not None and policy is not None and dataset != policy:
        text = f"the policy was trained at {policy:g} Hz, the dataset is at {dataset:g} Hz"
        return dataset, [Problem("error", "fps", text, f"--fps {dataset:g} to run it at that rate all the same")]
    return dataset or policy, []


def hook_problems(results: Iterable[tuple[Any, list[Problem]]]) -> list[Problem]:
    """Flatten what the plugins' `check` hooks returned."""
    return [problem for _, problems in results for problem in problems or ()]
