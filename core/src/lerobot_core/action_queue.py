"""The only thing loop and engine share: named actions, aligned by how many were executed since they were asked for."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .errors import ContractError, InferenceError
from .names import name_diff
from .types import ActionChunk, Mark, Timed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["replace", "append", "ensemble"]
_Items = deque["_Item"]

REMEMBERED = 128
"""Executed actions that `leftover` can still tell: more than are executed before a request is picked up."""


class _Item(NamedTuple):
    """One action; `votes` predictions of the summed `weight` were averaged into it."""

    row: Sequence[float]
    step: int
    chunk: ActionChunk
    expires: float
    votes: int = 1
    weight: float = 1.0


class ActionQueue:
    """Thread-safe; needs no clock, because delay is counted in executed actions and not in seconds.

    Args:
        dt: seconds one action lasts (the policy period).
        max_age: the oldest observation, in seconds, an action may come from; None = the chunk's duration + 1 s.
        names: the action keys in the robot's order; None takes those of the first chunk.
    """

    def __init__(self, dt: float, max_age: float | None = None, names: Sequence[str] | None = None) -> None:
        self._dt, self._max_age = dt, max_age
        self._names: tuple[str, ...] | None = tuple(names) if names is not None else None
        self._lock = threading.Lock()
        self._items: _Items = deque()
        self._executed: _Items = deque(maxlen=REMEMBERED)
        self._epoch = self._popped = 0
        self._newest = (-1, -math.inf)
        self._counts: Counter[str] = Counter()
        self._delays: Counter[int] = Counter()

    @property
    def dt(self) -> float:
        """Seconds one action lasts."""
        return self._dt

    def mark(self) -> Mark:
        """Where the queue stands now; taken right after an observation, it travels with it to `push`."""
        with self._lock:
            return Mark(self._epoch, self._popped)

    def push(
        self,
        chunk: ActionChunk,
        mark: Mark,
        mode: Mode = "replace",
        n: int | None = None,
        coefficient: float = 0.0,
        grace: float = 0.0,
    ) -> bool:
        """Add a chunk that was computed for the observation at `mark`; False when it was dropped (and counted).

        With d = actions executed since `mark`: `replace` makes the queue chunk[d:]; `append` adds chunk[d + depth:];
        `ensemble` averages it, step by step, with what is there, weights exp(-coefficient * i), the oldest prediction
        of a step i = 0 (arXiv 2304.13705). `n` keeps only the first n actions of the chunk.
        `grace` seconds are added to the age its actions may reach.

        Raises:
            ContractError: its names are another set than the queue's, or an array has another shape than it says.
            InferenceError: it holds NaN or infinity, naming key and step.
        """
        items = self._items_of(chunk, n, grace)
        with self._lock:
            why = self._refusal(chunk, mark, len(items))
            self._counts[why or "chunks"] += 1
            if why:
                return False
            self._newest = (mark.popped, chunk.time)
            self._counts["seams"] += bool(self._items)
            self._merge(items[self._popped - mark.popped :], mode, coefficient)
        return True

    def next(self, t: float) -> Timed | None:
        """Take the action for the tick at `t`; None when there is none, or when it is too old (dropped and counted)."""
        with self._lock:
            if not self._items:
                return None
            if t > self._items[0].expires:
                # What follows was planned to come after it, so it goes too; none of it counts as executed.
                self._counts["stale"] += len(self._items)
                self._items.clear()
                return None
            item = self._items.popleft()
            self._executed.append(item)
            self._popped += 1
        row, step, chunk, *_ = item
        return Timed(dict(zip(self._names or (), row, strict=True)), step, chunk.seq, chunk.time, chunk.task)

    def leftover(
        self, n: int, since: Mark | None = None
    ) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32] | None]:
        """Names, the next k <= n actions (k, A) in robot units, and the same in the policy's own space (k, *) or None.

        With `since`, the first of them is the one that followed the observation at that mark: actions executed since
        then come first, so that row i is what a chunk for that observation has at step i. None are left (k = 0) when
        the queue was cleared since, or when that was more than `REMEMBERED` actions ago.
        """
        import numpy as np

        with self._lock:
            items = list(islice(self._following(since), n))
        names = self._names or ()
        actions = np.array([item.row for item in items], dtype=np.float32).reshape(len(items), len(names))
        model = [item.chunk.model[item.step] for item in items if item.chunk.model is not None and item.votes == 1]
        return names, actions, np.stack(model) if items and len(model) == len(items) else None

    def _following(self, since: Mark | None) -> Iterable[_Item]:
        """The actions after a mark, those that were executed first; what waits without one."""
        if since is None:
            return self._items
        executed = self._popped - since.popped
        if since.epoch != self._epoch or not 0 <= executed <= len(self._executed):
            return ()
        return chain(islice(self._executed, len(self._executed) - executed, None), self._items)

    def clear(self) -> None:
        """Drop everything, also what is still being computed: marks taken before now are of another epoch."""
        with self._lock:
            self._items.clear()
            self._executed.clear()
            self._epoch += 1
            self._newest = (-1, -math.inf)

    def depth(self) -> int:
        """Actions waiting."""
        return len(self._items)

    def stats(self) -> dict[str, Any]:
        """`delay_steps{p50,max}`, `chunks`, `dropped_chunks` (and why: `late`, `other_epoch`, `out_of_order`), `seams`
        (a chunk took over while another still had actions), `stale` (actions dropped for their age), `executed`."""
        with self._lock:
            counts, delays = self._counts.copy(), sorted(self._delays.items())
            executed = self._popped
        why = {key: counts[key] for key in ("late", "other_epoch", "out_of_order")}
        return {
            "delay_steps": {"p50": _median(delays), "max": delays[-1][0] if delays else 0},
            "chunks": counts["chunks"],
            "dropped_chunks": sum(why.values()),
            **why,
            "seams": counts["seams"],
            "stale": counts["stale"],
            "executed": executed,
        }

    # --- adding a chunk ---------------------------------------------------------------------------------------------

    def _refusal(self, chunk: ActionChunk, mark: Mark, length: int) -> str:
        """Why the chunk cannot be used, "" when it can."""
        delay = self._popped - mark.popped
        if mark.epoch != self._epoch or delay < 0:
            return "other_epoch"
        if (mark.popped, chunk.time) < self._newest:
            return "out_of_order"
        self._delays[delay] += 1
        return "late" if delay >= length else ""

    def _merge(self, items: list[_Item], mode: Mode, coefficient: float) -> None:
        if mode == "append":
            self._items.extend(items[len(self._items) :])
        elif mode == "ensemble":
            self._items = _averaged(self._items, items, coefficient)
        else:
            self._items = deque(items)

    def _items_of(self, chunk: ActionChunk, n: int | None, grace: float) -> list[_Item]:
        rows = self._rows(chunk)
        age = len(rows) * self._dt + 1.0 if self._max_age is None else self._max_age
        return [_Item(row, step, chunk, chunk.time + age + grace) for step, row in enumerate(rows[:n])]

    def _rows(self, chunk: ActionChunk) -> list[list[float]]:
        """The actions as plain floats, columns in the queue's order: the loop pops them without numpy."""
        import numpy as np

        if self._names is None:
            self._names = chunk.names
        actions = chunk.actions
        _check_shapes(chunk)
        if chunk.names != self._names:
            actions = actions[:, _order(self._names, chunk.names)]
        finite = np.isfinite(actions)
        if not finite.all():
            step, column = np.argwhere(~finite)[0].tolist()
            value = float(actions[step, column])
            raise InferenceError(
                f"the policy gave {value} for {self._names[column]!r} at step {step} of its chunk",
                "an action must be a finite number",
                "check the checkpoint's normalisation statistics and the observation it got",
            )
        rows: list[list[float]] = actions.tolist()
        return rows


def _median(counted: Sequence[tuple[int, int]]) -> int:
    """The lower median of (value, count) pairs sorted by value."""
    half = sum(count for _, count in counted) / 2
    return next(
        (value for (value, _), total in zip(counted, accumulate(c for _, c in counted), strict=True) if total >= half),
        0,
    )


def _check_shapes(chunk: ActionChunk) -> None:
    shape, width = chunk.actions.shape, len(chunk.names)
    model = chunk.model
    if len(shape) != 2 or shape[1] != width or (model is not None and len(model) != shape[0]):
        raise ContractError(
            f"a chunk of {width} names has actions of shape {shape}"
            + (f", model {model.shape}" if model is not None else ""),
            "actions must be (T, A) with one column a name, model (T, ...)",
            "report this to the policy's author",
        )


def _order(wanted: tuple[str, ...], given: tuple[str, ...]) -> list[int]:
    """Where each wanted name stands in `given`."""
    difference = name_diff(wanted, given)
    if difference or len(given) != len(wanted):
        raise ContractError(
            "the policy's action names are not the robot's",
            difference or "a name comes twice",
            "use a policy trained on this robot's keys, or map them with --rename-map",
        )
    return [given.index(name) for name in wanted]


def _averaged(old: Iterable[_Item], new: list[_Item], coefficient: float) -> _Items:
    """Both, step by step: running means with weights exp(-coefficient * i), the oldest prediction i = 0."""
    old = list(old)
    merged = deque(_mean(a, b, coefficient) for a, b in zip(old, new, strict=False))
    merged.extend(old[len(new) :])
    merged.extend(new[len(old) :])
    return merged


def _mean(old: _Item, new: _Item, coefficient: float) -> _Item:
    weight = math.exp(-coefficient * old.votes)
    total = old.weight + weight
    share = weight / total
    row = [a + share * (b - a) for a, b in zip(old.row, new.row, strict=True)]
    return new._replace(row=row, votes=old.votes + 1, weight=total)
