"""The kit of every inference engine, with a server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from lerobot_core.action_queue import ActionQueue
from lerobot_core.conformance.inference import InferenceEngineConformance, WatchedPolicy
from lerobot_core.contracts.inference import Meeting
from lerobot_server.fakes import free_port, serving


class TestRemote(InferenceEngineConformance):
    name = "remote"

    @pytest.fixture(autouse=True)
    def _stack(self) -> Iterator[None]:
        with ExitStack() as stack:
            self.stack = stack
            yield

    @pytest.fixture(autouse=True)
    def _served_until_engines_are_closed(self, _stack: None, _close_what_was_made: None) -> None:
        """Engines are stopped before their servers."""

    def started(self, queue: ActionQueue, policy: WatchedPolicy) -> Any:
        port = free_port()
        self.stack.enter_context(serving(policy, port))
        engine = self.make(connect=f"tcp/127.0.0.1:{port}")
        engine.meet(Meeting(robot="left", observation=policy.needs, action=policy.gives))
        engine.start(None, queue, self.clock)
        return engine
