"""`LEROBOT_TRACE=1`: every hook call with its arguments, its implementations and its result, on stderr."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pluggy

VARIABLE = "LEROBOT_TRACE"

# A spec still shows its name; an observation does not fill the screen with pixels.
_short = reprlib.Repr()
_short.maxother = _short.maxstring = 200


def wanted(environ: Mapping[str, str]) -> bool:
    """Is the switch on."""
    return environ.get(VARIABLE, "0") not in ("", "0")


def install(manager: pluggy.PluginManager) -> None:
    """Prints each call of `manager` from now on: one line before it, one after."""
    manager.add_hookcall_monitoring(_before, _after)


def _before(hook: str, impls: Sequence[pluggy.HookImpl], kwargs: Mapping[str, Any]) -> None:
    arguments = ", ".join(f"{key}={_short.repr(value)}" for key, value in kwargs.items())
    _say(f"{hook}({arguments}) <- {', '.join(impl.plugin_name for impl in impls) or 'nobody'}")


def _after(outcome: pluggy.Result[Any], hook: str, impls: Sequence[pluggy.HookImpl], kwargs: Mapping[str, Any]) -> None:
    result = f"raised {outcome.exception!r}" if outcome.exception else f"-> {_short.repr(outcome.get_result())}"
    _say(f"{hook} {result}")


def _say(text: str) -> None:
    print(f"trace: {text}", file=sys.stderr)
