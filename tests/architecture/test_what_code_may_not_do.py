"""No code from data, no silent catch-all, and no wait that a virtual clock cannot see."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from source import Source, dotted, everything, imports, packages

FORBIDDEN_IMPORTS = {"pickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
FORBIDDEN_CALLS = {"eval", "exec", "torch.save", "accelerator.save_state", "os.system"}
FORBIDDEN_KEYWORDS = {
    ("shell", True),
    ("weights_only", False),
    ("trust_remote_code", True),
    ("allow_pickle", True),
}

WAITS_OUTSIDE_THE_CLOCK = {
    "core/src/lerobot_core/clock.py": "the real clock itself",
    "core/src/lerobot_core/conformance/storage.py": "a test's patience with a ticket, in no run",
    "plugins/lerobot_inference_remote/src/lerobot_inference_remote/link.py": "queries to a server: wire time, always real",
    "plugins/lerobot_sim/src/lerobot_sim/children.py": "the grace of a process that was told to end, after the run",
}
"""File -> why its wait is not the run's. Waiting for bytes of a device (`select`) is wire time, and always real."""


def _calls(source: Source) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def test_nothing_is_unpickled_evaluated_or_run_by_a_shell() -> None:
    found = []
    for source in everything():
        found += [
            f"{source.path}:{i.line} imports {i.module}"
            for i in imports(source)
            if i.module.split(".")[0] in FORBIDDEN_IMPORTS
        ]
        for call in _calls(source):
            name = dotted(call.func)
            flags = {(k.arg, k.value.value) for k in call.keywords if isinstance(k.value, ast.Constant)}
            if name in FORBIDDEN_CALLS:
                found.append(f"{source.path}:{call.lineno} calls {name}")
            found += [f"{source.path}:{call.lineno} passes {flag}" for flag in flags & FORBIDDEN_KEYWORDS]
    assert not found


def test_torch_loads_weights_only() -> None:
    found = [
        f"{source.path}:{call.lineno}"
        for source in everything()
        for call in _calls(source)
        if dotted(call.func) == "torch.load" and "weights_only" not in {keyword.arg for keyword in call.keywords}
    ]
    assert not found


def test_no_exception_is_swallowed_whole() -> None:
    bare = [
        f"{source.path}:{node.lineno}"
        for source in everything()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not bare


def test_runs_wait_only_through_the_clock() -> None:
    """`time.sleep`, a timed `Event.wait`, `join` or `queue.get`: on the virtual clock each would stop the world."""
    found = [
        f"{source.path}:{call.lineno} {why}"
        for source in packages()
        if source.path not in WAITS_OUTSIDE_THE_CLOCK
        for call in _calls(source)
        if (why := _waits(call))
    ]
    assert not found


def test_exceptions_to_the_clock_are_needed() -> None:
    """An allowance that nobody uses any more is withdrawn."""
    waiting = {source.path for source in packages() for call in _calls(source) if _waits(call)}
    assert not set(WAITS_OUTSIDE_THE_CLOCK) - waiting


def _waits(call: ast.Call) -> str:
    name = dotted(call.func)
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    keywords = {keyword.arg for keyword in call.keywords}
    if name in ("time.sleep", "sleep", "asyncio.sleep") and call.args:
        return f"calls {name}"
    if method == "wait" and "clock" not in name and (keywords == {"timeout"} or len(call.args) == 1):
        return f"calls {name} with a timeout"
    if method in ("get", "join", "acquire", "result") and "timeout" in keywords:
        return f"calls {name} with a timeout"
    return ""
