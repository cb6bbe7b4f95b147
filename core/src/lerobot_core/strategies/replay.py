"""`replay`: a recorded episode on the robot, through the safety filter, ramped to its first pose."""

from __future__ import annotations

from .. import commands
from ..contracts.strategy import Need, Run
from ..errors import ContractError
from ..run.motion import travel_time
from ..types import Action, Step, Tick


class ReplayStrategy:
    """Goes to the first pose slowly, then sends one recorded action a period."""

    requires: frozenset[Need] = frozenset()

    def __init__(self) -> None:
        self._actions: list[Action] = []
        self._index = -1
        self._approach: commands.Goto | None = None
        self._arrive = 0.0

    def setup(self, run: Run) -> None:
        """Read the episode and match its action names with the robot's.

        Raises:
            ContractError: the dataset has no such episode, or other action names.
        """
        if run.reader is None:
            raise ContractError("replay needs a dataset", fix="--dataset FOLDER")
        self._run = run
        count = len(run.reader.episodes)
        if run.episode >= count:
            raise ContractError(
                f"there is no episode {run.episode} in {run.reader.root}",
                f"it has {count}, numbered from 0",
                f"--episode {max(count - 1, 0)}",
            )
        names, rows = run.reader.actions(run.episode)
        if set(names) != set(run.action_features):
            raise ContractError(
                "the dataset's actions are not this robot's",
                f"dataset: {', '.join(names)}; robot: {', '.join(run.action_features)}",
            )
        self._actions = [dict(zip(names, (float(v) for v in row), strict=True)) for row in rows]

    def command(self, tick: Tick) -> commands.Command:
        """Approach, then play, then stop."""
        if not self._actions:
            return commands.Stop("done")
        if self._approach is None:
            self._plan_approach(tick)
        if self._approach is not None and tick.t < self._arrive:
            return self._approach
        self._index += 1
        if self._index >= len(self._actions):
            return commands.Stop("done")
        return commands.Goto(self._actions[self._index], 0.0)

    def _plan_approach(self, tick: Tick) -> None:
        first = self._actions[0]
        present = {key: float(tick.observation.get(key, value)) for key, value in first.items()}
        seconds = travel_time(present, first, self._run.action_features)
        self._approach = commands.Goto(first, seconds)
        # One second more than the straight line needs: the safety filter ramps up from 10 % after engage.
        self._arrive = tick.t + seconds + 1.0 if seconds > 0.05 else tick.t

    def record(self, step: Step) -> None:
        """Nothing."""

    def teardown(self, error: BaseException | None) -> None:
        """Nothing."""
