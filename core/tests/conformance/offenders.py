"""Parts that break one law each. Collected only by `test_kit_catches_offenders`, which expects `breaks` to fail."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from lerobot_core import commands
from lerobot_core.conformance.bus import BusConformance
from lerobot_core.conformance.camera import CameraConformance
from lerobot_core.conformance.env import EnvConformance
from lerobot_core.conformance.inference import InferenceEngineConformance
from lerobot_core.conformance.observer import ObserverConformance
from lerobot_core.conformance.operator import OperatorConformance
from lerobot_core.conformance.policy import PolicyConformance
from lerobot_core.conformance.processor import ProcessorConformance
from lerobot_core.conformance.reward import RewardConformance
from lerobot_core.conformance.robot import RobotConformance
from lerobot_core.conformance.storage import StorageConformance
from lerobot_core.conformance.strategy import StrategyConformance
from lerobot_core.conformance.teleoperator import TeleoperatorConformance
from lerobot_core.errors import BusError
from lerobot_core.fakes.bus import FakeBus
from lerobot_core.fakes.camera import FakeCamera
from lerobot_core.fakes.config import FakeBusConfig, FakeRobotConfig
from lerobot_core.fakes.env import FakeEnv
from lerobot_core.fakes.inference import FakeInference
from lerobot_core.fakes.operator import FakeOperator
from lerobot_core.fakes.policy import FakePolicy
from lerobot_core.fakes.robot import FakeRobot
from lerobot_core.fakes.storage import FakeStorage, FakeTicket
from lerobot_core.fakes.teleoperator import FakeTeleoperator
from lerobot_core.specs import ObserverSpec, Parts, ProcessorSpec, RewardSpec, Spec
from lerobot_core.strategies.base import BaseStrategy
from lerobot_core.strategies.record import RecordStrategy
from lerobot_core.types import Event, Feature, Observation


class Offender:
    """A kit whose plugin builds something else than it should."""

    breaks: ClassVar[set[str]]
    name: ClassVar[str] = "fake"

    def spec(self) -> Spec:
        return dataclasses.replace(super().spec(), build=self.build)  # type: ignore[misc]

    def build(self, config: Any, parts: Parts) -> Any:
        raise NotImplementedError


# --- every plugin ----------------------------------------------------------------------------------------------------


class TestUndescribed(Offender, BusConformance):
    breaks = {"test_its_spec_describes_it"}

    def spec(self) -> Spec:
        return dataclasses.replace(BusConformance.spec(self), summary="first line\nsecond line")


@dataclass
class Undocumented:
    silent: tuple[str, ...] = ()


class TestUndocumentedConfig(Offender, BusConformance):
    breaks = {"test_its_config_is_a_frozen_dataclass_of_documented_options"}

    def spec(self) -> Spec:
        return dataclasses.replace(BusConformance.spec(self), config=Undocumented)


@dataclass(frozen=True, kw_only=True)
class Forgetful(FakeBusConfig):
    """Equal to nothing, so it never decodes to itself."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


class TestForgetfulConfig(Offender, BusConformance):
    breaks = {"test_its_config_survives_a_round_trip_through_a_file"}

    def spec(self) -> Spec:
        return dataclasses.replace(BusConformance.spec(self), config=Forgetful)


class TestBuildsOneForAll(Offender, BusConformance):
    breaks = {"test_it_can_be_built_twice"}
    one: ClassVar[FakeBus] = FakeBus(FakeBusConfig())

    def build(self, config: Any, parts: Parts) -> Any:
        self.one.close()
        return self.one


class TestHasNoHealth(Offender, BusConformance):
    breaks = {"test_it_has_every_member_of_its_contract", "test_every_motor_tells_how_it_is"}

    def build(self, config: Any, parts: Parts) -> Any:
        class bus(FakeBus):
            def __dir__(self) -> list[str]:
                return [name for name in super().__dir__() if name != "health"]

            def health(self, motor: str) -> Any:
                return 12.0

        return bus(config)


class TestNotInstalled(Offender, BusConformance):
    name = "no_such_bus"
    breaks = {"test_it_is_offered_once_by_an_installed_distribution"}

    def spec(self) -> Spec:
        from lerobot_core.registry import default_registry

        return dataclasses.replace(default_registry().spec("bus", "fake"), name=self.name)


# --- robots ----------------------------------------------------------------------------------------------------------


class RobotOffender(Offender, RobotConformance):
    may_move = True
    robot: ClassVar[type[FakeRobot]]

    def build(self, config: FakeRobotConfig, parts: Parts) -> Any:
        return self.robot(config, parts.clock)

    def broken_options(self) -> dict[str, Any]:
        return {"fault": "bus_gone", "fault_after": 0}


class TestEngagesOnConnect(RobotOffender):
    breaks = {"test_connecting_does_not_engage", "test_nothing_moves_before_engage"}

    class robot(FakeRobot):
        def connect(self) -> None:
            super().connect()
            self.engage()


class TestMovesBeforeEngage(RobotOffender):
    breaks = {"test_nothing_moves_before_engage"}

    class robot(FakeRobot):
        def send_action(self, action: dict[str, float]) -> dict[str, float]:
            return super().send_action(action) if self._engaged else dict(action)


class TestReadsBeforeConnect(RobotOffender):
    breaks = {"test_nothing_is_read_before_connect"}

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            return super().get_observation() if self._connected else Observation(self._present)


class TestStaysOpenAfterAFailedConnect(RobotOffender):
    breaks = {"test_a_failed_connect_leaves_nothing_open"}

    class robot(FakeRobot):
        def connect(self) -> None:
            self._connected = True
            super().connect()


class TestDisconnectsOnlyTwice(RobotOffender):
    breaks = {"test_disconnect_is_idempotent"}

    class robot(FakeRobot):
        left = 2  # most tests disconnect once, and the kit does when it tidies up

        def disconnect(self, keep_torque: bool = False) -> None:
            self.left -= 1
            super().disconnect()
            if self.left == -1:
                raise BusError("already closed")


class TestLeavesTorqueOn(RobotOffender):
    breaks = {"test_disconnecting_disengages"}

    class robot(FakeRobot):
        def disconnect(self, keep_torque: bool = False) -> None:
            engaged = self._engaged
            super().disconnect()
            self._engaged = engaged


class TestSaysNoUnit(RobotOffender):
    breaks = {"test_its_features_are_known_before_it_is_connected"}

    class robot(FakeRobot):
        @property
        def action_features(self) -> dict[str, Feature]:
            return {key: dataclasses.replace(f, unit=None) for key, f in super().action_features.items()}

        observation_features = action_features


class TestHasNoSpeedLimit(RobotOffender):
    breaks = {"test_every_position_has_a_range_and_a_speed"}

    class robot(FakeRobot):
        @property
        def action_features(self) -> dict[str, Feature]:
            return {key: dataclasses.replace(f, max_rate=None) for key, f in super().action_features.items()}


class TestDeclaresAnotherUnit(RobotOffender):
    breaks = {"test_every_position_is_observed_in_the_same_unit"}

    class robot(FakeRobot):
        @property
        def observation_features(self) -> dict[str, Feature]:
            return {key: dataclasses.replace(f, unit="rad") for key, f in super().observation_features.items()}


class TestObservesAKeyTooMany(RobotOffender):
    breaks = {"test_observations_hold_exactly_the_declared_keys"}

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            seen = super().get_observation()
            seen["voltage"] = 7.4
            return seen


class TestUsesItsOwnTime(RobotOffender):
    breaks = {"test_observations_hold_exactly_the_declared_keys"}

    class robot(FakeRobot):
        def get_observation(self) -> Observation:
            return Observation(super().get_observation(), time.time())


class TestReusesItsObservation(RobotOffender):
    breaks = {"test_observations_are_fresh"}

    class robot(FakeRobot):
        one = Observation()

        def get_observation(self) -> Observation:
            self.one.update(fresh := super().get_observation())
            self.one.time = fresh.time
            return self.one


class TestDoesNotClamp(RobotOffender):
    breaks = {"test_what_it_sends_stays_in_its_range"}

    class robot(FakeRobot):
        def send_action(self, action: dict[str, float]) -> dict[str, float]:
            super().send_action(action)
            return dict(action)


class TestMatchesByPosition(RobotOffender):
    breaks = {"test_actions_are_matched_by_name", "test_a_missing_or_unknown_key_is_an_error"}

    class robot(FakeRobot):
        def send_action(self, action: dict[str, float]) -> dict[str, float]:
            return super().send_action(dict(zip(self._features, action.values(), strict=False)))


class TestAcceptsHalfAnAction(RobotOffender):
    breaks = {"test_a_missing_or_unknown_key_is_an_error"}

    class robot(FakeRobot):
        def send_action(self, action: dict[str, float]) -> dict[str, float]:
            return super().send_action({**dict.fromkeys(self._features, 0.0), **action})


class TestParksOutOfRange(RobotOffender):
    breaks = {"test_its_park_pose_is_one_it_can_take"}

    class robot(FakeRobot):
        park_pose = {"gripper.pos": 200.0}


# --- teleoperators ---------------------------------------------------------------------------------------------------


class TeleoperatorOffender(Offender, TeleoperatorConformance):
    teleoperator: ClassVar[type[FakeTeleoperator]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.teleoperator(config, parts.clock)


class TestTeleoperatorLosesAKey(TeleoperatorOffender):
    breaks = {"test_actions_hold_exactly_the_declared_keys"}

    class teleoperator(FakeTeleoperator):
        def get_action(self) -> dict[str, float]:
            return dict(list(super().get_action().items())[1:])


class TestTeleoperatorRoundsFeedback(TeleoperatorOffender):
    breaks = {"test_feedback_is_taken_in_every_state"}

    class teleoperator(FakeTeleoperator):
        def feedback(self, action: dict[str, float]) -> None:
            action.update((key, round(value)) for key, value in action.items())


# --- cameras ---------------------------------------------------------------------------------------------------------


class CameraOffender(Offender, CameraConformance):
    camera: ClassVar[type[FakeCamera]]

    def options(self) -> dict[str, Any]:
        return {"fps": 100, "width": 48, "height": 24}

    def build(self, config: Any, parts: Parts) -> Any:
        return self.camera(config, parts.clock)


class TestCameraGivesWritableFrames(CameraOffender):
    breaks = {"test_frames_are_read_only_and_never_written_again"}

    class camera(FakeCamera):
        def read_latest(self, max_age: float) -> Any:
            frame = super().read_latest(max_age)
            return dataclasses.replace(frame, image=frame.image.copy())


class TestCameraReusesItsBuffer(CameraOffender):
    breaks = {"test_frames_are_read_only_and_never_written_again"}

    class camera(FakeCamera):
        one = np.zeros((24, 48, 3), np.uint8)

        def read_latest(self, max_age: float) -> Any:
            frame = super().read_latest(max_age)
            self.one[:] = frame.image
            view = self.one.view()
            view.flags.writeable = False
            return dataclasses.replace(frame, image=view)


class TestCameraGivesAnotherSize(CameraOffender):
    breaks = {"test_frames_are_what_the_feature_says"}

    class camera(FakeCamera):
        @property
        def feature(self) -> Feature:
            return Feature("uint8", (480, 640, 3))


class TestCameraWaitsForFrames(CameraOffender):
    breaks = {"test_reading_does_not_wait_for_a_frame"}

    class camera(FakeCamera):
        def read_latest(self, max_age: float) -> Any:
            seen = super().read_latest(max_age)
            while (frame := super().read_latest(max_age)).seq == seen.seq:
                self._clock.sleep_until(self._clock.now() + 0.001)
            return frame


class TestCameraIsNeverStale(CameraOffender):
    breaks = {"test_old_frames_are_marked_stale"}

    class camera(FakeCamera):
        def read_latest(self, max_age: float) -> Any:
            return super().read_latest(1e9)


class TestCameraHasNoIdentity(CameraOffender):
    breaks = {"test_it_has_an_identity"}

    class camera(FakeCamera):
        def identity(self) -> str:
            return ""


# --- buses -----------------------------------------------------------------------------------------------------------


class BusOffender(Offender, BusConformance):
    bus: ClassVar[type[FakeBus]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.bus(config)

    def broken_options(self) -> dict[str, Any]:
        return {"silent": ["second"]}


class TestBusStaysOpen(BusOffender):
    breaks = {"test_a_failed_open_names_its_cause_and_leaves_nothing_open"}

    class bus(FakeBus):
        def open(self, port: str, motors: Any, clock: Any) -> None:
            self._open = True
            super().open(port, motors, clock)


class TestBusForgetsWrites(BusOffender):
    breaks = {"test_what_is_written_is_read_back"}

    class bus(FakeBus):
        def sync_write(self, register: str, values: Any) -> None:
            super().sync_write(register, {})


class TestBusDoesNotNameTheMotor(BusOffender):
    breaks = {"test_an_unknown_motor_is_an_error_that_names_it"}

    class bus(FakeBus):
        def read(self, register: str, motor: str) -> int:
            if motor not in self.registers:
                raise BusError("timeout")
            return super().read(register, motor)


# --- policies --------------------------------------------------------------------------------------------------------


class PolicyOffender(Offender, PolicyConformance):
    policy: ClassVar[type[FakePolicy]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.policy(config, parts.clock)


class TestPolicyGivesDoubles(PolicyOffender):
    breaks = {"test_a_chunk_is_named_shaped_and_finite"}

    class policy(FakePolicy):
        def predict_chunk(self, *args: Any) -> Any:
            chunk = super().predict_chunk(*args)
            return dataclasses.replace(chunk, actions=chunk.actions.astype(np.float64))


class TestPolicyForgetsTheTime(PolicyOffender):
    breaks = {"test_a_chunk_says_what_it_answers"}

    class policy(FakePolicy):
        def predict_chunk(self, *args: Any) -> Any:
            return dataclasses.replace(super().predict_chunk(*args), time=0.0)


class TestPolicyReusesItsBuffer(PolicyOffender):
    breaks = {"test_each_chunk_has_a_buffer_of_its_own"}

    class policy(FakePolicy):
        one = np.zeros((50, 6), np.float32)

        def predict_chunk(self, *args: Any) -> Any:
            chunk = super().predict_chunk(*args)
            self.one[:] = chunk.actions
            return dataclasses.replace(chunk, actions=self.one)


class TestPolicyEatsTheObservation(PolicyOffender):
    breaks = {"test_it_leaves_the_observation_alone"}

    class policy(FakePolicy):
        def predict_chunk(self, obs: Any, *args: Any) -> Any:
            chunk = super().predict_chunk(obs, *args)
            obs.clear()
            return chunk


class TestPolicyInventsWhatIsMissing(PolicyOffender):
    breaks = {"test_a_missing_key_is_an_error"}

    class policy(FakePolicy):
        def predict_chunk(self, obs: Any, *args: Any) -> Any:
            return super().predict_chunk(Observation({**dict.fromkeys(self.needs, 0.0), **obs}, obs.time), *args)


class TestPolicyClaimsGuidance(PolicyOffender):
    breaks = {"test_it_continues_a_leftover_when_it_says_it_can"}

    class policy(FakePolicy):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.guidance = "guided"

        def predict_chunk(self, obs: Any, task: str, guide: Any = None) -> Any:
            chunk = super().predict_chunk(obs, task)
            return chunk if guide is None else dataclasses.replace(chunk, actions=chunk.actions[: len(guide.actions)])


# --- inference engines -----------------------------------------------------------------------------------------------


class EngineOffender(Offender, InferenceEngineConformance):
    engine: ClassVar[type[FakeInference]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.engine(config)

    def spec(self) -> Spec:
        return dataclasses.replace(super().spec(), needs_policy=True)  # type: ignore[call-arg]


class TestEngineBlocksInNotify(EngineOffender):
    breaks = {"test_notify_never_runs_the_policy", "test_a_policy_that_raises_is_told"}

    class engine(FakeInference):
        policy: Any = None

        def start(self, policy: Any, queue: Any, clock: Any) -> None:
            super().start(policy, queue, clock)
            self.policy = policy

        def notify(self, obs: Any, task: str, mark: Any) -> None:
            if not self._paused:
                self._queue.push(self.policy.predict_chunk(obs, task), mark, "replace")  # type: ignore[union-attr]


class TestEngineGoesOnWhilePaused(EngineOffender):
    # The fake never asks the policy, so it cannot know that it raises.
    breaks = {
        "test_nothing_comes_while_it_is_paused",
        "test_a_policy_that_raises_is_told",
        "test_the_policy_is_called_from_one_thread",
    }

    class engine(FakeInference):
        def pause(self) -> None:
            pass


# --- strategies ------------------------------------------------------------------------------------------------------


class StrategyOffender(Offender, StrategyConformance):
    name = "base"
    strategy: ClassVar[type[Any]] = BaseStrategy

    def build(self, config: Any, parts: Parts) -> Any:
        return self.strategy()


class TestStrategyAnswersNothing(StrategyOffender):
    breaks = {
        "test_it_answers_every_tick_with_a_command",
        "test_it_takes_every_event_at_any_time",
        "test_teardown_is_survived_in_every_state",
    }

    class strategy(BaseStrategy):
        def command(self, tick: Any) -> Any:
            return None


class TestStrategyNeedsMoreThanItSays(StrategyOffender):
    breaks = {"test_what_it_requires_is_known_before_it_is_built"}

    class strategy(BaseStrategy):
        requires = frozenset({"inference", "storage"})  # type: ignore[assignment]


class TestStrategyForgetsAJoint(StrategyOffender):
    breaks = {"test_goto_targets_are_whole_actions"}

    class strategy(BaseStrategy):
        def command(self, tick: Any) -> Any:
            return commands.Goto({"gripper.pos": 0.0}, 1.0)


class TestStrategyLosesTheTail(StrategyOffender):
    name = "record"
    breaks = {"test_the_tail_is_saved_on_the_way_out"}

    class strategy(RecordStrategy):
        def teardown(self, error: BaseException | None) -> None:
            pass


# --- storages --------------------------------------------------------------------------------------------------------


class StorageOffender(Offender, StorageConformance):
    storage: ClassVar[type[FakeStorage]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.storage(config)


class TestStorageKeepsWhatWasAsked(StorageOffender):
    breaks = {"test_rows_come_back_as_they_were_sent", "test_a_discarded_episode_is_gone"}

    class storage(FakeStorage):
        def add_frame(self, step: Any) -> None:
            super().add_frame(dataclasses.replace(step, sent=step.requested))


class TestStorageDropsFrames(StorageOffender):
    breaks = {
        "test_rows_come_back_as_they_were_sent",
        "test_every_row_has_a_frame_of_every_camera",
        "test_what_is_known_of_a_dataset_comes_back",
        "test_its_statistics_are_complete",
        "test_an_existing_dataset_is_not_overwritten",
        "test_the_buffer_is_the_newest_seconds_until_it_is_committed",
    }

    class storage(FakeStorage):
        def add_frame(self, step: Any) -> None:
            if step.index % 4 != 3:
                super().add_frame(step)


class TestStorageNeverFinishes(StorageOffender):
    breaks = {
        name
        for name in dir(StorageConformance)
        if name.startswith("test_") and "config" not in name and "spec" not in name and "option" not in name
    } - {
        "test_it_is_offered_once_by_an_installed_distribution",
        "test_it_can_be_built_twice",
        "test_the_caller_may_reuse_its_arrays",
        "test_finalize_is_idempotent",
        "test_its_plugin_module_is_light",
        "test_it_has_every_member_of_its_contract",
    }

    class storage(FakeStorage):
        def save_episode(self, outcome: Any = "none") -> FakeTicket:
            super().save_episode(outcome)
            ticket = FakeTicket(done=False)
            object.__setattr__(ticket, "wait", lambda timeout: False)
            return ticket


class TestStorageKeepsDiscardedRows(StorageOffender):
    breaks = {"test_a_discarded_episode_is_gone"}

    class storage(FakeStorage):
        def discard_episode(self) -> None:
            pass


class TestStorageIgnoresTheBuffer(StorageOffender):
    breaks = {"test_the_buffer_is_the_newest_seconds_until_it_is_committed"}

    class storage(FakeStorage):
        def buffer(self, seconds: float, max_bytes: int) -> None:
            pass


# --- envs, operators -------------------------------------------------------------------------------------------------


class EnvOffender(Offender, EnvConformance):
    env: ClassVar[type[FakeEnv]]

    def build(self, config: Any, parts: Parts) -> Any:
        return self.env(config)


class TestEnvIgnoresItsSeed(EnvOffender):
    breaks = {"test_seeds_differ"}

    class env(FakeEnv):
        def reset(self, seed: int) -> Observation:
            return super().reset(0)


class TestEnvIsNotRepeatable(EnvOffender):
    breaks = {"test_the_same_seed_is_the_same_episode"}

    class env(FakeEnv):
        resets = 0

        def reset(self, seed: int) -> Observation:
            self.resets += 1
            return super().reset(seed + 1000 * self.resets)


class TestEnvNeverEnds(EnvOffender):
    breaks = {"test_episodes_end"}

    class env(FakeEnv):
        def step(self, action: Any) -> Any:
            return dataclasses.replace(super().step(action), terminated=False, truncated=False)


class OperatorOffender(Offender, OperatorConformance):
    operator: ClassVar[type[FakeOperator]]

    def options(self) -> dict[str, Any]:
        return {"events": [[9.0, "stop"], [2.0, "takeover"]]}

    def build(self, config: Any, parts: Parts) -> Any:
        return self.operator(config, parts.clock)


class TestOperatorWaitsForAKey(OperatorOffender):
    breaks = {"test_poll_never_waits"}

    class operator(FakeOperator):
        def poll(self) -> list[Event]:
            self._clock.sleep_until(self._clock.now() + 0.05)
            return super().poll()


class TestOperatorInventsEvents(OperatorOffender):
    breaks = {"test_its_events_are_known_and_in_order", "test_an_event_is_handed_over_once"}

    class operator(FakeOperator):
        def poll(self) -> list[Event]:
            return [Event("dance", self._clock.now())]


# --- kinds without a fake --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Nothing:
    """No options."""


class Loose(Offender):
    """Not installed: the test of that is expected to fail."""

    spec_type: ClassVar[type[Spec]]

    def spec(self) -> Spec:
        return self.spec_type(name="fake", summary="for this test only", config=Nothing, build=self.build)


NOT_INSTALLED = "test_it_is_offered_once_by_an_installed_distribution"


class Zero:
    """A lawful reward."""

    def reset(self) -> None:
        pass

    def __call__(self, observation: Any) -> tuple[Any, bool]:
        return 0.0, False


class TestLawfulReward(Loose, RewardConformance):
    breaks = {NOT_INSTALLED}
    spec_type = RewardSpec

    def build(self, config: Any, parts: Parts) -> Any:
        return Zero()


class TestRewardIsNotANumber(Loose, RewardConformance):
    breaks = {NOT_INSTALLED, "test_it_gives_a_number_and_a_verdict", "test_the_same_episode_is_judged_the_same"}
    spec_type = RewardSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class reward(Zero):
            def __call__(self, observation: Any) -> tuple[Any, bool]:
                return float("nan"), False

        return reward()


class TestRewardEatsTheObservation(Loose, RewardConformance):
    breaks = {NOT_INSTALLED, "test_it_leaves_the_observation_alone"}
    spec_type = RewardSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class reward(Zero):
            def __call__(self, observation: Any) -> tuple[Any, bool]:
                return observation.pop("gripper.pos"), False

        return reward()


class Same:
    """A lawful processor: nothing happens."""

    side = "action"

    def features(self, features: Any) -> Any:
        return dict(features)

    def __call__(self, values: Any, observation: Any) -> Any:
        return dict(values)

    def reset(self) -> None:
        pass


class TestLawfulProcessor(Loose, ProcessorConformance):
    breaks = {NOT_INSTALLED}
    spec_type = ProcessorSpec

    def build(self, config: Any, parts: Parts) -> Any:
        return Same()


class TestProcessorHidesAKey(Loose, ProcessorConformance):
    breaks = {NOT_INSTALLED, "test_what_comes_out_is_what_it_said"}
    spec_type = ProcessorSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class processor(Same):
            def __call__(self, values: Any, observation: Any) -> Any:
                return dict(list(values.items())[1:])

        return processor()


class TestProcessorWorksInPlace(Loose, ProcessorConformance):
    breaks = {NOT_INSTALLED, "test_it_leaves_what_went_in_alone"}
    spec_type = ProcessorSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class processor(Same):
            def __call__(self, values: Any, observation: Any) -> Any:
                values.update((key, 0.5 * value) for key, value in values.items())
                return values

        return processor()


class TestProcessorRemembersTheEpisode(Loose, ProcessorConformance):
    breaks = {NOT_INSTALLED, "test_reset_begins_again"}
    spec_type = ProcessorSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class processor(Same):
            calls = 0

            def __call__(self, values: Any, observation: Any) -> Any:
                self.calls += 1
                return {key: value + 0.01 * self.calls for key, value in values.items()}

        return processor()


class Blind:
    """A lawful observer."""

    def start(self, info: Any) -> None:
        pass

    def step(self, step: Any) -> None:
        pass

    def stop(self) -> None:
        pass


class TestLawfulObserver(Loose, ObserverConformance):
    breaks = {NOT_INSTALLED}
    spec_type = ObserverSpec

    def build(self, config: Any, parts: Parts) -> Any:
        return Blind()


class TestObserverTouches(Loose, ObserverConformance):
    breaks = {NOT_INSTALLED, "test_it_leaves_rows_alone"}
    spec_type = ObserverSpec

    def build(self, config: Any, parts: Parts) -> Any:
        class observer(Blind):
            def step(self, step: Any) -> None:
                step.sent.clear()

        return observer()
