"""Episodes over slots: whatever needs a chunk is asked together, whatever steps steps at the same time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

from lerobot_core.batching import predict_chunks
from lerobot_core.inference.request import failure
from lerobot_core.types import ActionChunk

from .film import Film
from .result import Episode
from .slot import Slot

Filmed = Callable[[int, int], Film | None]


def play(
    slots: Sequence[Slot],
    seeds: Sequence[int],
    film: Filmed = lambda index, seed: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[tuple[int, Episode], None, None]:
    """Play an episode for each seed and yield (its index, what became of it) as they end.

    A slot begins the next episode when its own is over. Ends early, without the unfinished ones, once `stopped`.

    Args:
        slots: at least one.
        seeds: one an episode.
        film: (index, seed) -> where to film it, None not to.
        stopped: asked before every step.

    Raises:
        UserError: env or policy failed.
    """
    waiting = iter(enumerate(seeds))
    try:
        playing = _begin(slots, waiting, film)
        while playing and not stopped():
            ask(playing)
            for slot in playing:
                slot.act()
            over = [(slot, episode) for slot in playing if (episode := slot.see()) is not None]
            yield from [(slot.index, episode) for slot, episode in over]
            free = [slot for slot, _ in over]
            again = _begin(free, waiting, film)
            playing = [slot for slot in playing if slot not in free or slot in again]
    finally:
        for slot in slots:
            slot.cut()


def ask(slots: Sequence[Slot]) -> None:
    """A chunk for every slot that needs one, in one call for those that share a policy.

    Raises:
        UserError: the policy raised, or its chunk cannot be executed.
    """
    groups: dict[int, list[Slot]] = {}
    for slot in slots:
        if slot.hungry:
            groups.setdefault(id(slot.policy), []).append(slot)
    for group in groups.values():
        for slot, chunk in zip(group, _answers(group), strict=True):
            slot.feed(chunk)


def _answers(group: Sequence[Slot]) -> Sequence[ActionChunk]:
    policy = group[0].policy
    try:
        return predict_chunks(policy, [slot.observation for slot in group], [slot.task for slot in group])
    except Exception as error:
        raise failure(error, "predicting") from error


def _begin(slots: Sequence[Slot], waiting: Iterator[tuple[int, int]], film: Filmed) -> list[Slot]:
    """The next episodes, one a slot while there are any; the slots that have one."""
    begun = []
    for slot, (index, seed) in zip(slots, waiting, strict=False):
        slot.begin(index, seed, film(index, seed))
        begun.append(slot)
    for slot in begun:
        slot.look()
    return begun
