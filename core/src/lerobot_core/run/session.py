"""One run as a list of steps on an ExitStack: whatever fails, what was opened is closed, the arm first."""

from __future__ import annotations

import functools
import gc
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..action_queue import ActionQueue
from ..clock import Clock
from ..contracts.storage import Reader
from ..contracts.strategy import Run
from ..errors import BusError, UserError
from .build import Builder, Built
from .cameras import Cameras
from .check import check_bindings, check_built, check_fps, check_static, compare, hook_problems, raise_problems
from .counts import Counts
from .episode_hooks import with_episode_hooks
from .interactive import Interactive
from .keys import rebind
from .loop import Ending, Loop, Task
from .meeting import meet_policy
from .observers import ObserverThread
from .park import Exit, Parker
from .patience import first_look
from .plan import DEFAULT_FPS, Plan
from .rig import assemble
from .signals import Interrupted, Signals, StopNow
from .summary import summarise
from .view import LiveView
from .worlds import Worlds, WorldScene

if TYPE_CHECKING:
    from ..terminal import Terminal

log = logging.getLogger("lerobot.run")


class Session:
    """One run, from checked plan to summary.

    Args:
        plan: names resolved, values decoded.
        clock: real, or virtual in tests.
        terminal: the owner of stdin and screen; None when embedded.
        signals: installed by the caller, or not.

    Attributes:
        ending: how it ended; `ending.error` is the exception behind a failure.
        loop: the running loop, None before it.
        notes: what the strategy left there (`Run.notes`).
    """

    def __init__(
        self, plan: Plan, clock: Clock, terminal: Terminal | None = None, signals: Signals | None = None
    ) -> None:
        self.plan, self.clock, self.terminal = plan, clock, terminal
        self.signals = signals or Signals()
        self.ending = Ending("failed", "not started")
        self.loop: Loop | None = None
        self.began = datetime.now(UTC)
        self.task = Task(plan.config.task)
        self.notes: dict[str, object] = {}
        self._stack = ExitStack()
        self._parts: Built | None = None
        self._worlds = Worlds(plan, clock)
        self._cameras = Cameras({}, frozenset(), 1.0)
        self._queue = ActionQueue(1.0)
        self._reader: Reader | None = None
        self._policy_fps: float | None = None
        self._storage_open = False
        self._observers: ObserverThread | None = None
        self._parker: Parker | None = None
        self._warmup_s = self._loop_ended = 0.0
        self._drop = False

    @property
    def parts(self) -> Built:
        """The built parts; only after `build`."""
        assert self._parts is not None
        return self._parts

    @property
    def calibrations(self) -> dict[str, str]:
        """Section -> hash of the calibration in use."""
        return self._parts.calibrations if self._parts is not None else {}

    @property
    def exit(self) -> Exit:
        """How the arm was left."""
        return self._parker.exit if self._parker is not None else "release"

    def camera_report(self) -> dict[str, dict[str, Any]]:
        """The summary's `cameras` block, as far as it has come."""
        return self._cameras.report()

    def run(self) -> dict[str, Any]:
        """Do every step, undo them in reverse, and return the summary; a failure is in `self.ending`, not raised."""
        cpu = time.process_time()
        try:
            with self._stack:
                for step in self.steps():
                    step()
        except (Interrupted, StopNow) as signal:
            self.ending = Ending("stopped", str(signal))
        except Exception as error:
            self._fail(error)
        summary = self._summary(time.process_time() - cpu)
        self.plan.registry.call_each("run_end", plan=self.plan, summary=summary)
        return summary

    def steps(self) -> tuple[Callable[[], None], ...]:
        """The run, readable from top to bottom."""
        return (
            self.check_plan,
            self.open_worlds,
            self.build,
            self.connect,
            self.settle_rate,
            self.start_engine,
            self.check_everything,
            self.open_storage,
            self.engage,
            self.run_loop,
        )

    # --- steps ------------------------------------------------------------------------------------------------------

    def check_plan(self) -> None:
        """What the plan alone can tell."""
        raise_problems(check_static(self.plan) + self._hook_problems())

    def open_worlds(self) -> None:
        """Simulated scenes first: devices refer to them."""
        self._on_exit("world", self._worlds.close)
        self._worlds.open()

    def build(self) -> None:
        """Every part; nothing is opened yet."""
        builder = Builder(self.plan, self.clock, self._worlds, self.terminal)
        self._parts = parts = builder.all()
        if self.plan.config.interactive:
            again = functools.partial(builder.part, "strategy", self.plan.strategy)
            longest = self.plan.config.duration or 0.0
            parts.strategy = Interactive(parts.strategy, again, parts.robot, parts.operators.values(), longest)
        raise_problems(rebind(self.plan, self.parts.operators))

    def connect(self) -> None:
        """Open robot, teleoperator and cameras, reading only."""
        parts, plan = self.parts, self.plan
        self._on_exit("dataset", self._finalize)
        for name, camera in parts.cameras.items():
            self._on_exit(f"camera.{name}", camera.disconnect)
        if parts.teleoperator is not None:
            self._on_exit("teleop", parts.teleoperator.disconnect)
        self._on_exit("robot", self._disconnect_robot)
        parts.robot.connect()
        if parts.teleoperator is not None:
            parts.teleoperator.connect()
        for camera in parts.cameras.values():
            camera.connect()
        plan.action, plan.observation = parts.robot.action_features, parts.observed()
        if parts.policy is not None:
            self._on_exit("policy", parts.policy.close)
        if parts.inference is not None:
            self._on_exit("inference", parts.inference.stop)
        self._policy_fps = meet_policy(plan, parts)

    def settle_rate(self) -> None:
        """`--fps`, else the dataset's, else the policy's, else 30."""
        asked, parts = self.plan.config.fps, self.parts
        self._open_reader()
        dataset = self._reader.fps if self._reader is not None else None
        fps, problems = check_fps(asked, dataset, self._policy_fps)
        raise_problems(problems)
        self.plan.fps = fps or DEFAULT_FPS
        self._cameras = Cameras(parts.cameras, self.plan.optional_cameras, 1.0 / self.plan.fps)

    def start_engine(self) -> None:
        """Warm the policy up, or shake hands with the server, before anything moves."""
        self._queue = ActionQueue(1.0 / self.plan.fps, names=tuple(self.plan.action))
        parts = self.parts
        if parts.inference is not None:
            began = self.clock.now()
            parts.inference.start(parts.policy, self._queue, self.clock)
            self._warmup_s = self.clock.now() - began

    def check_everything(self) -> None:
        """Names, units, shapes, keys, and what plugins have to say; nothing has moved yet."""
        parts = self.parts
        gives = parts.inference.gives if parts.inference is not None else ()
        problems = check_built(self.plan, gives)
        problems += check_bindings({name: operator.bindings() for name, operator in parts.operators.items()})
        if parts.teleoperator is not None:
            problems += compare(
                "teleoperator", parts.teleoperator.action_features, "robot", self.plan.action, exact=True
            )
        raise_problems(problems + self._hook_problems())

    def open_storage(self) -> None:
        """Create the dataset, or repair and continue it."""
        storage, config = self.parts.storage, self.plan.config
        if storage is not None:
            self.parts.storage = with_episode_hooks(storage, self.plan.registry)
            plan = self.plan
            storage.open(plan.observation, plan.action, plan.fps, plan.robot_type, config.task, config.resume)
            self._storage_open = True  # one that refused has nothing to finalize or to report

    def engage(self) -> None:
        """Torque on; from here the exit path brings the arm to rest before anything else."""
        robot, teleoperator = self.parts.robot, self.parts.teleoperator
        self.plan.registry.call_each("run_start", plan=self.plan)
        start = first_look(robot, self.clock)
        home = robot.park_pose or {key: float(start[key]) for key in self.plan.action if key in start}
        self._parker = Parker(robot, self.clock, self.signals, home, self.plan.config.on_exit, self._acted)
        for name, operator in self.parts.operators.items():
            self._on_exit(f"operator.{name}", operator.stop)
            operator.start()
        self._on_exit("arm", self._come_to_rest)
        robot.engage()
        if teleoperator is not None and teleoperator.actuated:
            teleoperator.release()  # whoever had it last may have left it stiff
        elif teleoperator is not None:
            teleoperator.engage()

    def run_loop(self) -> None:
        """Tick until the end; then the stack unwinds."""
        parts, config = self.parts, self.plan.config
        watching = dict(parts.observers)
        if self.terminal is not None:
            watching["view"] = LiveView(self.terminal, self)
        self._observers = observers = ObserverThread(self.clock, watching, self._step_hook(), 1.0 / self.plan.fps)
        self._on_exit("observers", observers.stop)
        observers.start(self.plan.info())
        rig = assemble(self.plan, parts, self.clock, self._queue, self._cameras, self.signals, observers)
        loop = Loop(
            rig, self.plan.fps, config.interpolation, 0.0 if config.interactive else config.duration or 0.0, self.task
        )
        parts.strategy.setup(self._strategy_view())
        self.loop = loop
        gc.freeze()  # what was built lives as long as the run: collecting garbage need not look at it (tens of ms)
        try:
            self.ending = loop.run()
        except StopNow as signal:
            self.ending, self._drop = Ending("stopped", str(signal)), True
        finally:
            gc.unfreeze()
            self._loop_ended = self.clock.now()
        if self.ending.error is not None and not isinstance(self.ending.error, UserError):
            log.error("the run failed", exc_info=self.ending.error)

    # --- what the steps need ----------------------------------------------------------------------------------------

    def _strategy_view(self) -> Run:
        config, parts = self.plan.config, self.parts
        world = self._worlds.of("robot")
        return Run(
            clock=self.clock,
            storage=parts.storage,
            queue=self._queue,
            inference=parts.inference,
            teleoperator=parts.teleoperator,
            robot_features=self.plan.observation,
            action_features=self.plan.action,
            fps=self.plan.fps,
            task=config.task,
            log=logging.getLogger(f"lerobot.strategy.{self.plan.strategy.name}"),
            stop=self._ask_stop,
            set_task=self._set_task,
            scene=WorldScene(world) if world is not None else None,
            reader=self._reader,
            episodes=self.plan.episodes,
            notify=self._notify,
            episode=config.episode,
            notes=self.notes,
        )

    def _ask_stop(self, reason: str) -> None:
        self.task.stop_reason = self.task.stop_reason or reason

    def _set_task(self, text: str) -> None:
        if self.loop is not None:
            self.loop.set_task(text)

    def _notify(self, text: str) -> None:
        if self._observers is not None:
            self._observers.tell(text)
        if self.terminal is not None:
            self.terminal.say(text, bell=True)
        else:
            log.info("%s", text)

    def _open_reader(self) -> None:
        """The dataset to replay; or, when resuming, the one that settles the rate."""
        config = self.plan.config
        dataset = config.dataset
        if dataset is None or dataset.spec.tools is None or not (self.plan.verb == "replay" or config.resume):
            return
        where = dataset.config.root or dataset.config.repo_id
        self._reader = dataset.spec.tools().reader(where)
        self._on_exit("reader", self._reader.close)

    def _hook_problems(self) -> list[Any]:
        return hook_problems(self.plan.registry.call_each("check", plan=self.plan))

    def _step_hook(self) -> Callable[..., None] | None:
        hook = self.plan.registry.hook.step
        return (lambda step: hook(step=step)) if hook.get_hookimpls() else None

    # --- the way out ------------------------------------------------------------------------------------------------

    def _on_exit(self, what: str, undo: Callable[[], object]) -> None:
        """Run `undo` on every exit path; its failure is reported and does not keep the others from running."""

        def guarded() -> None:
            try:
                undo()
            except StopNow:
                log.warning("not waiting for %s", what)
            except Exception as error:
                self._fail(error, f"closing {what}")

        self._stack.callback(guarded)

    def _fail(self, error: BaseException, while_: str = "") -> None:
        text = error.what if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        if self.ending.outcome == "failed" and self.ending.error is not None:
            log.error("%s%s", f"{while_}: " if while_ else "", text)
            return
        if not isinstance(error, UserError):
            log.error("unexpected", exc_info=error)
        self.ending = Ending("failed", text, error)

    def _come_to_rest(self) -> None:
        """After the loop: policy quiet, arm parked or held and let go, the strategy's tail saved."""
        self.signals.polling = True
        parts, error = self.parts, self.ending.error
        if parts.inference is not None:
            parts.inference.pause()
        assert self._parker is not None
        last = self.loop.sent if self.loop is not None else None
        self._parker.rest(last, error if isinstance(error, BusError) else None, self._drop)
        if self.loop is not None:
            parts.strategy.teardown(error)

    def _acted(self) -> bool:
        return any(operator.poll() for operator in self.parts.operators.values())

    def _disconnect_robot(self) -> None:
        if self._parker is not None and self._parker.keeps_torque:
            self.parts.robot.disconnect(keep_torque=True)
        else:
            self.parts.robot.disconnect()

    def _finalize(self) -> None:
        if self._storage_open and self.parts.storage is not None:
            self.parts.storage.finalize()

    # --- the summary ------------------------------------------------------------------------------------------------

    def _summary(self, host_cpu: float) -> dict[str, Any]:
        loop, parts = self.loop, self._parts
        first = loop.first_sent if loop is not None else None
        counts = loop.counts if loop is not None else Counts()
        engine = parts.inference if parts is not None else None
        storage = parts.storage if parts is not None and self._storage_open else None
        worlds = self._worlds.report()
        return summarise(
            self.plan,
            self.ending,
            counts,
            duration_s=self._loop_ended - first if first is not None else 0.0,
            warmup_s=self._warmup_s,
            engine={"state": engine.state, **engine.stats()} if engine is not None else None,
            cameras=self._cameras.report(),
            dataset=storage.stats() if storage is not None else None,
            success=worlds.success,
            exit=self.exit,
            cpu_s={"host": round(host_cpu, 3), "world": worlds.cpu_s, "encoder": None},
        )
