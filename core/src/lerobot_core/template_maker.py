"""Writes a new plugin: a distribution that works, keeps its contract's laws, and waits to be changed.

The bodies are `template/KIND/*.py`, real modules of a plugin called `acme`; the rest of the distribution is
`template/common/*.txt` with `$names`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import NamedTuple

from . import __version__
from .errors import UsageError
from .kinds import KINDS


class Body(NamedTuple):
    """What a kind's files differ in.

    Attributes:
        does: what the plugin does as written, without its name.
        arguments: what `build` passes on.
        more: further fields of the spec.
        test_more: further lines of the test class.
    """

    does: str
    arguments: str = "config, parts.clock"
    more: str = ""
    test_more: str = ""


BODIES = {
    "robot": Body("an emulated arm", test_more="may_move = True  # as long as the arm is emulated"),
    "teleoperator": Body("points to one pose"),
    "camera": Body("an emulated camera"),
    "policy": Body("keeps the robot where it is", "config"),
    "strategy": Body("the policy drives and rests", "config", 'needs=frozenset({"inference"}),'),
    "env": Body("bring a slider to its goal", "config"),
    "processor": Body("smooths actions", "config"),
    "reward": Body("a value above a threshold", "config"),
    "operator": Body("stops the run after a while"),
    "observer": Body("logs a row now and then", "config, parts.log"),
}
"""The kinds with a body small enough to be a template."""


def make(kind: str, name: str, target: Path) -> None:
    """Write the distribution `lerobot-KIND-NAME` into the folder `target`.

    Args:
        kind: a row of `KINDS` with a template.
        name: lower case letters, digits and underscores.
        target: created with its parents; files already there are overwritten.

    Raises:
        UsageError: there is no template of that kind.
    """
    if kind not in BODIES:
        raise UsageError(
            f"there is no template for a {kind}",
            f"its contract asks for more than a page; templates: {', '.join(BODIES)}",
            f"begin with lerobot_core/fakes/{kind}.py, which keeps the contract",
        )
    for path, text in render(kind, name).items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def render(kind: str, name: str) -> dict[str, str]:
    """The files of the distribution, text by relative path."""
    names = _names(kind, name)
    source = f"src/{names['package']}"
    return {
        "pyproject.toml": _common("pyproject.toml", names),
        "README.md": _common("README.md", names),
        f"{source}/__init__.py": f'"""{names["summary_sentence"]}."""\n',
        f"{source}/py.typed": "",
        f"{source}/plugin.py": _common("plugin.py", names),
        f"{source}/config.py": _body(kind, "config", name),
        f"{source}/{kind}.py": _body(kind, kind, name),
        "tests/test_conformance.py": _common("test_conformance.py", names),
    }


def _names(kind: str, name: str) -> dict[str, str]:
    body, camel = BODIES[kind], _camel(name)
    cls = f"{camel}{kind.capitalize()}"
    major, minor, *_ = __version__.split(".")
    indented = {"more": f"\n        {body.more}", "test_more": f"\n    {body.test_more}"}
    return {
        "kind": kind,
        "name": name,
        "camel": camel,
        "cls": cls,
        "config": f"{cls}Config",
        "spec": f"{kind.capitalize()}Spec",
        "hook": KINDS[kind].hook,
        "kit": KINDS[kind].conformance.rpartition(":")[2],
        "distribution": f"lerobot-{kind}-{name.replace('_', '-')}",
        "package": f"lerobot_{kind}_{name}",
        "pin": f">={major}.{minor},<{major}.{int(minor) + 1}",
        "summary": body.does,
        "summary_sentence": f"The {kind} `{name}` for lerobot-core: {body.does}",
        "arguments": body.arguments,
        **{key: line if line.strip() else "" for key, line in indented.items()},
    }


def _common(file: str, names: dict[str, str]) -> str:
    return Template(_read("common", f"{file}.txt")).substitute(names)


def _body(kind: str, module: str, name: str) -> str:
    return _read(kind, f"{module}.py").replace("Acme", _camel(name)).replace("acme", name)


def _read(folder: str, file: str) -> str:
    return files("lerobot_core").joinpath("template", folder, file).read_text(encoding="utf-8")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
