"""Every `lr` command in a page, a README or a docstring of a page is one that `lr` takes: verb, names, options, values."""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import shlex
from pathlib import Path

import pytest
from asking import NoAnswer, lr
from lerobot_core.cli.verbs import VERBS
from lerobot_core.config.resolve import resolve
from lerobot_core.config.run import verb_of
from lerobot_core.config.verb import Verb
from lerobot_core.errors import UserError
from lerobot_core.registry import default_registry
from links import ROOT
from page_commands import commands

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "docs/**/*.md", "core/README.md", "plugins/*/README.md", "lerobot_*/README.md")
    for path in ROOT.glob(pattern)
)
CHECKPOINT = str(ROOT / "tests/golden/policies/act_vae")
NOT_YET = {"acme": "fake", "template": "fake"}
"""What a page makes in the step before."""
VERBS_ELSEWHERE = {
    "train": "lerobot_train.config:VERB",
    "eval": "lerobot_train.evaluate.config:EVAL",
    "serve": "lerobot_server.config:SERVE",
    "serve status": "lerobot_server.status:VERB",
    "router": "lerobot_server.config:ROUTER",
}
"""Verbs of other distributions that read their options as core's do."""


def _of(page: str) -> list[str]:
    """The page's `lr` commands without the environment's path and variables."""
    lines = (re.sub(r"^([A-Z_]+=\S+ +)*(\.venv/bin/)?", "", line) for line in commands((ROOT / page).read_text()))
    return [line for line in lines if line.startswith("lr ") and "VERB" not in line]


CASES = [pytest.param(page, line, id=f"{page}: {line[:60]}") for page in PAGES for line in _of(page)]


def test_pages_have_commands() -> None:
    assert len(CASES) > 100


@pytest.mark.parametrize(("page", "line"), CASES)
def test_lr_takes_it(page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verb, *words = shlex.split(line.rstrip("&"))[1:]
    if verb.startswith("-"):
        return
    words = _spelled_out([NOT_YET.get(word, word) for word in words])
    if found := _verb(verb, words):
        _resolves(*found)
    else:
        _is_in_its_help(verb, words)


def _spelled_out(words: list[str]) -> list[str]:
    """Dots after an option stand for a value, others for what the reader adds; a verb then lacks nothing it needs."""
    dots = ("…", "...")
    valued = [
        "/dev/x" if word in dots and i and words[i - 1].startswith("--") else word for i, word in enumerate(words)
    ]
    full = [_here(valued, i) for i in range(len(valued)) if valued[i] not in dots]
    full += ["--robot", "fake"] if {*valued} & {*dots} and "--robot" not in words else []
    return _with_ports(full)


def _verb(name: str, words: list[str]) -> tuple[Verb, list[str]] | None:
    """The verb as core's configuration has it, and the words that are options."""
    if name in VERBS and not VERBS[name].typer and name != "completion":
        takes_word = name == "find" and words and not words[0].startswith("-")
        return verb_of(name, words), words[1:] if takes_word else words
    two = f"{name} {words[0]}" if words else ""
    target = VERBS_ELSEWHERE.get(two) or VERBS_ELSEWHERE.get(name)
    if target is None:
        return None
    module, _, attribute = target.partition(":")
    try:
        found: Verb = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:  # of something that is not installed for these pages
        return None
    return found, words[1:] if two in VERBS_ELSEWHERE else words


def _resolves(verb: Verb, words: list[str]) -> None:
    """As the verb itself reads it: unknown names and options and bad values are errors."""
    if {"-h", "--help"} & {*words}:
        words = [word for word in words if word not in ("-h", "--help")]
    # What a verb needs may come from a rig file, from the run that is resumed, or from the page's next step.
    verb = dataclasses.replace(verb, needs=())
    try:
        resolve(verb, words, default_registry(), {"HOME": os.environ.get("HOME", "/")})
    except UserError as error:
        raise AssertionError(f"lr {verb.name} {' '.join(words)}: {error}") from error


def _here(words: list[str], i: int) -> str:
    """A policy or a rig file that only the reader has is replaced by one that is here: the family it is called after."""
    before = words[i - 1] if i else ""
    ours = {entry.name for entry in default_registry().entries("policy")}
    if before in ("--policy", "--policy.path") and words[i] not in ours:
        return next((name for name in ours if name != "act" and name in words[i]), CHECKPOINT)
    if before == "--rig" and not Path(words[i]).exists():
        Path(words[i]).write_text('[robot]\ntype = "fake"\n')
    return words[i]


def _with_ports(words: list[str]) -> list[str]:
    """A README that names an arm in passing need not repeat its port."""
    for section, arms in (("robot", ("so100", "koch")), ("teleop", ("so100_leader", "koch_leader"))):
        named = words[words.index(f"--{section}") + 1] if f"--{section}" in words[:-1] else ""
        if named in arms and not any(word.startswith(f"--{section}.port") for word in words):
            words = [*words, f"--{section}.port", "/dev/x"]
    return words


def _is_in_its_help(verb: str, words: list[str]) -> None:
    """A Typer verb: subcommand, options and the number of arguments are those of its help."""
    try:
        text = lr(verb, "--help")
        if "\nCommands:\n" in text and words and not words[0].startswith("-"):
            text, words = lr(verb, words[0], "--help"), words[1:]
    except NoAnswer as answer:
        raise AssertionError(str(answer)) from answer
    known = {*re.findall(r"--[\w-]+", text)}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    assert not unknown, f"not in the help of lr {verb}: {unknown}"
    least = len(re.findall(r"^  [A-Z_.]+ .*\[required\]", text, re.MULTILINE))
    flags = {*re.findall(r"^  (--[\w-]+)  +[a-z]", text, re.MULTILINE)}
    given = [
        w
        for i, w in enumerate(words)
        if not w.startswith("--") and (i == 0 or words[i - 1] in flags or not words[i - 1].startswith("--"))
    ]
    assert len(given) >= least or "--help" in words, f"lr {verb} takes {least} arguments: {given}"
