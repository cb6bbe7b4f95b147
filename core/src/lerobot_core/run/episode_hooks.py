"""The `episode_start` and `episode_end` hooks, around whatever storage the run has."""

from __future__ import annotations

from typing import Any

from ..contracts.storage import Storage, Ticket
from ..registry import Registry
from ..types import Outcome, Step


def with_episode_hooks(storage: Storage, registry: Registry) -> Storage:
    """The storage itself when no named plugin listens, so that nothing is added to the loop."""
    hook = registry.hook
    if not (hook.episode_start.get_hookimpls() or hook.episode_end.get_hookimpls()):
        return storage
    return EpisodeHooks(storage, registry)


class EpisodeHooks:
    """Calls the hooks at each episode's edges; everything else passes through.

    Args:
        storage: what really stores.
        registry: whose named plugins listen.
    """

    def __init__(self, storage: Storage, registry: Registry) -> None:
        self._storage, self._registry = storage, registry
        self._index = 0
        self._begun = False

    def add_frame(self, step: Step) -> None:
        """Announce the episode with its first row."""
        if not self._begun:
            self._begun = True
            self._registry.call_each("episode_start", index=self._index)
        self._storage.add_frame(step)

    def save_episode(self, outcome: Outcome = "none") -> Ticket:
        """Save, then announce."""
        ticket = self._storage.save_episode(outcome)
        self._end(outcome, saved=True)
        return ticket

    def discard_episode(self) -> None:
        """Discard, then announce."""
        self._storage.discard_episode()
        self._end("none", saved=False)

    def _end(self, outcome: Outcome, saved: bool) -> None:
        if self._begun:
            self._begun = False
            self._registry.call_each("episode_end", index=self._index, outcome=outcome, saved=saved)
            self._index += saved

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)
