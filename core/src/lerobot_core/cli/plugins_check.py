"""Running the conformance kit against one plugin, in a process of its own."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PluginError, UsageError
from ..kinds import KINDS
from ..specs import Spec

if TYPE_CHECKING:
    from ..registry import Registry

_MODULE = """\
from {module} import {kit}


class Test{kit}({kit}):
    kind = {kind!r}
    name = {name!r}
    lenient = True
"""


def conforms(registry: Registry, kind: str, name: str) -> bool:
    """Prints the kit's report; True when every law holds. A plugin that cannot be loaded prints its traceback and
    raises its PluginError."""
    registry.entries(kind)
    if not KINDS[kind].conformance:
        raise UsageError(f"a {kind} has no contract to check", "", f"lr plugins show {kind} {name}")
    if importlib.util.find_spec("pytest") is None:
        raise PluginError("the conformance kit needs pytest", "", "pip install 'lerobot-core[test]'")
    try:
        answer = registry.resolve(kind, name)
    except PluginError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        raise
    if not isinstance(answer, Spec):
        raise UsageError(
            f"{kind} {name!r} stands for another {kind}", "", f"lr plugins show {kind} {name} says which to check"
        )
    with tempfile.TemporaryDirectory(prefix="lr-check-") as folder:
        return _run_kit(Path(folder), kind, name)


def _run_kit(folder: Path, kind: str, name: str) -> bool:
    module, _, kit = KINDS[kind].conformance.partition(":")
    test = folder / f"test_{kind}_conformance.py"
    test.write_text(_MODULE.format(module=module, kit=kit, kind=kind, name=name), encoding="utf-8")
    settings = folder / "pytest.ini"  # its own, so that no project around us changes what is run
    settings.write_text("[pytest]\n", encoding="utf-8")
    # -P: like `lr` itself, the kit does not import what happens to lie in the current folder
    command = [
        sys.executable,
        "-P",
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        "-c",
        str(settings),
        str(test),
    ]
    return subprocess.run(command, check=False).returncode == 0
