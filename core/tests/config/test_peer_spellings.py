"""What hands know from LeRobot: one case a row, so that no row goes untested."""

from __future__ import annotations

from typing import Any

import pytest
from catalogue_stub import Stub
from lerobot_core.config.peer import ROWS
from lerobot_core.config.resolve import resolve_run
from lerobot_core.errors import UsageError

START = ["--robot.type=arm_follower", "--robot.port=X"]

RTC = "inference.config."

CASES: dict[str, list[tuple[str, str, str, Any]]] = {
    "dataset.single_task": [("rollout", "--dataset.single_task=cube", "task", "cube")],
    "dataset.fps": [("record", "--dataset.fps=20", "fps", 20.0)],
    "dataset.episode": [("replay", "--dataset.episode=3", "episode", 3)],
    "dataset.rgb_encoder.vcodec": [("record", "--dataset.rgb_encoder.vcodec=h264", "dataset.config.codec", "h264")],
    "dataset.vcodec": [("record", "--dataset.vcodec=libsvtav1", "dataset.config.codec", "libsvtav1")],
    "dataset.video": [
        ("record", "--dataset.video=false", "dataset.config.codec", "png"),
        ("record", "--dataset.video=true", "dataset", None),
    ],
    "dataset.push_to_hub": [("record", "--dataset.push_to_hub=False", "dataset", None)],
    "dataset.streaming_encoding": [("record", "--dataset.streaming_encoding=true", "dataset", None)],
    "dataset.no_stamp": [("record", "--dataset.no_stamp=true", "dataset", None)],
    "teleop_time_s": [("teleoperate", "--teleop_time_s=5", "duration", 5.0)],
    "interpolation_multiplier": [("rollout", "--interpolation_multiplier=3", "interpolation", 3)],
    "return_to_initial_position": [
        ("rollout", "--return_to_initial_position=false", "on_exit", "hold"),
        ("rollout", "--on-exit=hold --return_to_initial_position=true", "on_exit", "park"),
    ],
    "device": [("rollout", "--policy.path=runs/a --device=cpu", "policy.config.device", "cpu")],
    "display_data": [
        ("rollout", "--display_data=true", "observer.rerun.name", "rerun"),
        ("rollout", "--display_data", "observer.rerun.name", "rerun"),
        ("rollout", "--display_data=false", "observer", {}),
    ],
    "display_ip": [("rollout", "--display_data --display_ip=lab", "observer.rerun.config.address", "lab")],
    "display_port": [("rollout", "--display_data --display_port=12", "observer.rerun.config.port", 12)],
    "display_compressed_images": [
        ("rollout", "--display_data --display_compressed_images=true", "observer.rerun.config.jpeg_quality", 75),
        ("rollout", "--display_data --display_compressed_images=false", "observer.rerun.config.jpeg_quality", 0),
    ],
    "play_sounds": [
        ("record", "--play_sounds=true", "observer.sound.name", "sound"),
        ("record", "--play-sounds=false", "observer", {}),
    ],
    "robot.cameras": [
        (
            "rollout",
            "--robot.cameras={front: {type: opencv, index_or_path: 0, width: 640}}",
            "camera.front.config.width",
            640,
        ),
        (
            "rollout",
            "--robot.cameras.front.type=opencv --robot.cameras.front.index_or_path=0",
            "camera.front.name",
            "opencv",
        ),
    ],
    "strategy.input_device": [
        ("rollout", "--strategy.input_device=pedal", "operator.pedal.name", "pedal"),
        ("rollout", "--strategy.input_device=keyboard", "operator", {}),
    ],
    "strategy.pedal.device_path": [
        (
            "rollout",
            "--strategy.input_device=pedal --strategy.pedal.device_path=/dev/input/event3",
            "operator.pedal.config.device_path",
            "/dev/input/event3",
        )
    ],
    "inference.rtc.execution_horizon": [
        ("rollout", "--inference.type=rtc --inference.rtc.execution_horizon=12", RTC + "execution_horizon", 12)
    ],
    "inference.rtc.prefix_attention_schedule": [
        ("rollout", "--inference.type=rtc --inference.rtc.prefix_attention_schedule=EXP", RTC + "schedule", "EXP")
    ],
    "inference.rtc.max_guidance_weight": [
        ("rollout", "--inference.type=rtc --inference.rtc.max_guidance_weight=5", RTC + "max_guidance_weight", 5.0)
    ],
    "inference.rtc.mode": [("rollout", "--inference.type=rtc --inference.rtc.mode=guided", RTC + "mode", "guided")],
    "inference.rtc.enabled": [
        ("rollout", "--inference.type=rtc --inference.rtc.enabled=true", "inference.name", "rtc")
    ],
}


def look(config: Any, path: str) -> Any:
    """Follow attributes and keys."""
    for key in path.split("."):
        config = config[key] if isinstance(config, dict) else getattr(config, key)
    return config


def split(line: str) -> list[str]:
    """Options of a line, whose values may hold spaces."""
    return [f"--{part.strip()}" for part in line.split("--") if part]


def test_every_row_has_a_case() -> None:
    assert set(CASES) == {row.peer for row in ROWS}


@pytest.mark.parametrize(("verb", "line", "path", "expected"), [case for cases in CASES.values() for case in cases])
def test_row(verb: str, line: str, path: str, expected: Any) -> None:
    resolved = resolve_run(verb, [*START, *split(line)], Stub(), {})
    assert look(resolved.config, path) == expected


def test_the_message_names_the_option_as_typed() -> None:
    with pytest.raises(UsageError, match=r"--robot\.cameras \(camera\.front\.wdth\)"):
        resolve_run("rollout", [*START, "--robot.cameras={front: {type: sim, wdth: 5}}"], Stub(), {})


def test_publishing_is_never_implied() -> None:
    for typed in ("--dataset.push_to_hub=true", "--dataset.push_to_hub"):
        with pytest.raises(UsageError, match="afterwards: lr dataset push"):
            resolve_run("record", [*START, typed], Stub(), {})
    notes = resolve_run("record", [*START, "--dataset.push_to_hub=false"], Stub(), {}).notes
    assert notes == ("--dataset.push_to_hub has no effect: recording never publishes",)


def test_rows_count_only_where_the_verb_has_a_use_for_them() -> None:
    with pytest.raises(UsageError, match="there is no option --device here"):
        resolve_run("teleoperate", [*START, "--device=cpu"], Stub(), {})


def test_a_word_that_is_none_of_theirs() -> None:
    with pytest.raises(UsageError, match="'mouse' is not one of keyboard, pedal"):
        resolve_run("rollout", [*START, "--strategy.input_device=mouse"], Stub(), {})


def test_all_bad_booleans_are_told_together() -> None:
    with pytest.raises(UsageError) as caught:
        resolve_run("rollout", [*START, "--display_data=perhaps", "--play_sounds=maybe"], Stub(), {})
    assert "'perhaps'" in str(caught.value)
    assert "'maybe'" in str(caught.value)
