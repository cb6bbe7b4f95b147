"""A distribution's own verb: its own configuration class, the same grammar, layers, help and messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from catalogue_stub import Stub
from lerobot_core.config.bases import Chosen
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.config.help import render
from lerobot_core.config.origin import Origin
from lerobot_core.config.resolve import resolve
from lerobot_core.config.show import as_json
from lerobot_core.config.verb import Verb
from lerobot_core.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Schedule:
    name: str = option("cosine", help="shape", primary=True)
    warmup: int = option(0, help="steps of warm-up", low=0)


@dataclass(frozen=True, kw_only=True)
class Train:
    policy: Chosen | None = plugin_field("policy", help="the family")
    dataset: Chosen | None = plugin_field("storage", help="what to learn from", fallback="lerobot")
    steps: int = option(100, help="in total", low=1)
    device: str = option("auto", help="where")
    schedule: Schedule = option(factory=Schedule, help="learning rate")
    config: Path | None = option(None, help="a file")


TRAIN = Verb("train", "teach a policy", Train, needs=("policy",))


def test_a_verb_brings_its_own_options(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('steps = 7\nschedule = "linear"\n')
    argv = [
        "--policy",
        "act",
        "--dataset",
        "out",
        "--config",
        str(tmp_path / "a.toml"),
        "--schedule.warmup",
        "2",
        "--device=cpu",
    ]
    resolved = resolve(TRAIN, argv, Stub(), {})
    train = resolved.config
    assert (train.policy.name, str(train.dataset.config.root), train.steps) == ("act", "out", 7)
    assert train.schedule == Schedule(name="linear", warmup=2)
    assert train.device == "cpu"  # its own, so the peer's `--device` is not rewritten
    assert resolved.origins["steps"] == Origin("config", str(tmp_path / "a.toml"))
    assert as_json(resolved)["options"]["schedule.warmup"]["value"] == 2


def test_a_verb_without_a_rig_leaves_the_variable_alone() -> None:
    assert resolve(TRAIN, ["--policy", "act"], Stub(), {"LEROBOT_RIG": "nowhere.toml"}).config.steps == 100


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "`lr train` needs a policy\n  add --policy NAME; installed: act, fake"),
        ("--policy act --stesp 3", "did you mean --steps?"),
        ("--policy act --rig a.toml", "there is no option --rig here"),
    ],
)
def test_a_verb_refuses_like_core_does(line: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(TRAIN, line.split(), Stub(), {})
    assert message in str(caught.value)


def test_a_verb_has_help() -> None:
    text = render(TRAIN, ["--policy", "act"], Stub())
    assert text.startswith("usage: lr train ")
    assert "--policy.chunk-size INT" in text
    assert "--schedule.warmup INT" in text
