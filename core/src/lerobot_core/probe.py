"""Asking every installed plugin, one by one, in a child process, so that trouble is never ours.

A plugin that raises, sleeps, exits or crashes at import costs one line and at most `LIMIT_S`. All of them share one
child process until one breaks it; a child for each would cost 0.1 s a plugin.

    child:  lines of {names: [[kind, ref], …]} on stdin; a line of {results, failures} each on stdout

Asked for `PEER_NAMES` instead of a hook, a plugin's answer are its specs as {kind, name, peer_name, has_port}.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metadata import Entry

LIMIT_S = 2.0
"""For importing one plugin and asking it."""
PEER_NAMES = "peer names"
START_S = 20.0
"""For starting Python and importing core, on the slowest machine."""


@dataclass(frozen=True)
class Answer:
    """What one plugin said.

    Attributes:
        entries: the names its module answers for.
        results: of the hook; [] when it does not implement it.
        failures: one text each for what went wrong.
    """

    entries: tuple[Entry, ...]
    results: tuple[Any, ...] = ()
    failures: tuple[str, ...] = ()


def ask_each(entries: Iterable[Entry], hook: str, limit: float = LIMIT_S) -> Iterator[Answer]:
    """Import every plugin among `entries` and ask its `hook` (`"doctor"`, `"find"`); answers in that order.

    Args:
        entries: from a registry.
        hook: takes no arguments and returns a list; or `PEER_NAMES`.
        limit: seconds for each.
    """
    modules: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        modules.setdefault((entry.distribution, entry.value.partition(":")[0]), []).append(entry)
    with contextlib.ExitStack() as stack:
        child: _Child | None = None
        for group in modules.values():
            if child is None:
                child = _Child(hook)
                stack.callback(child.end)
            answer = child.ask(group, limit)
            if isinstance(answer, str):
                child.end()
                child = None
                yield Answer(tuple(group), failures=(f"{_label(group)} {answer}",))
            else:
                yield Answer(tuple(group), tuple(answer["results"]), tuple(answer["failures"]))


def _label(group: list[Entry]) -> str:
    return f"{group[0].kind} '{group[0].name}' ({group[0].label})"


class _Child:
    def __init__(self, hook: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "lerobot_core.probe", hook],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._text = b""
        self._line(START_S)

    def ask(self, group: list[Entry], limit: float) -> dict[str, Any] | str:
        """The answer, or in words why there is none."""
        assert self._process.stdin is not None
        names = [[entry.kind, f"{entry.distribution}:{entry.name}"] for entry in group]
        try:
            self._process.stdin.write(json.dumps({"names": names}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return "could not be asked: the process that asks ended"
        line = self._line(limit)
        if line is None:
            return f"took longer than {limit:g} s to import and answer"
        if not line:
            return f"ended the process that imported it ({self._how_it_ended()})"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Idempotent."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()

    def _line(self, limit: float) -> bytes | None:
        """The next line; None when there is none in time, b"" when there will be none."""
        assert self._process.stdout is not None
        end = time.monotonic() + limit
        while b"\n" not in self._text:
            if not select.select([self._process.stdout], [], [], max(end - time.monotonic(), 0.0))[0]:
                return None
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                return b""
            self._text += data
        line, _, self._text = self._text.partition(b"\n")
        return line

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


# --- the child ------------------------------------------------------------------------------------------------------


def main() -> None:
    """Answer until stdin ends. What plugins print goes to stderr: stdout is ours."""
    from . import hooks, loading  # noqa: F401  (core's imports are not on the first plugin's time)

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        results, failures = _answer(json.loads(line)["names"], sys.argv[1])
        print(json.dumps({"results": results, "failures": failures}, default=str), file=answers, flush=True)


def _answer(names: list[list[str]], hook: str) -> tuple[list[Any], list[str]]:
    from .registry import Registry

    registry, failures, loaded = Registry(), [], []
    for kind, ref in names:
        try:
            loaded.append(_load(registry, kind, ref))
        except Exception as error:
            failures.append(_words(error))
    if hook == PEER_NAMES:
        return [_names(spec) for spec in loaded if hasattr(spec, "peer_name")], failures
    try:
        answers = [result for found in getattr(registry.hook, hook)() for result in found]
    except (Exception, SystemExit) as error:
        return [], [*failures, f"{names[0][1]}: its hook {hook} raised {_words(error)}"]
    return [asdict(each) if is_dataclass(each) and not isinstance(each, type) else each for each in answers], failures


def _load(registry: Any, kind: str, ref: str) -> Any:
    if kind == "command":
        return registry.command(ref)
    if kind == "scheme":
        return registry.load(registry.find(kind, ref))
    return registry.resolve(kind, ref)  # a spec, or the preset that goes by this name


def _names(spec: Any) -> dict[str, Any]:
    has_port = any(field.name == "port" for field in fields(spec.config))
    return {"kind": spec.kind, "name": spec.name, "peer_name": spec.peer_name, "has_port": has_port}


def _words(error: BaseException) -> str:
    from .errors import UserError

    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
