"""What is said, in which order, and by real programs; nobody is waited for."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
from lerobot_core.config.bases import Chosen
from lerobot_core.config.run import RunConfig
from lerobot_core.conformance.observer import JOINTS, ObserverConformance
from lerobot_core.conformance.samples import step
from lerobot_core.registry import Registry
from lerobot_core.run.plan import Plan
from lerobot_core.run.session import Session
from lerobot_core.types import Source, Step
from lerobot_core.virtual_clock import VirtualClock
from lerobot_observer_sound import voices
from lerobot_observer_sound.config import SoundConfig
from lerobot_observer_sound.observer import SoundObserver

LOG = logging.getLogger("test")


class TestSound(ObserverConformance):
    name = "sound"


class Ear:
    """A voice that only keeps what it is to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.busy = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def stop(self) -> None:
        self.said.append("(quiet)")


def by(source: Source, index: int) -> Step:
    return dataclasses.replace(step(JOINTS, JOINTS, index), source=source)


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`espeak` is a program that writes its arguments down, a line for each call."""
    heard = tmp_path / "heard"
    program = tmp_path / "espeak"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nwith open({str(heard)!r}, 'a') as f:\n    f.write(repr(sys.argv[1:]) + '\\n')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return heard


def test_messages_are_said_in_order_and_old_ones_dropped() -> None:
    ear = Ear()
    sound = SoundObserver(SoundConfig(), ear, LOG)
    sound.start({})
    sound.notice("one")
    ear.busy = True
    for text in ("two", "three", "four", "five"):
        sound.notice(text)
    ear.busy = False
    for index in range(4):
        sound.step(by("policy", index))
    assert ear.said == ["one", "three", "four", "five"]


def test_who_has_the_arm_is_said_when_it_changes() -> None:
    ear = Ear()
    sound = SoundObserver(SoundConfig(), ear, LOG)
    sources: list[Source] = ["policy"] * 20 + ["hold"] * 5 + ["policy"] * 5 + ["hold"] * 30 + ["human"] * 5
    for index, source in enumerate(sources):
        sound.step(by(source, index))
    assert ear.said == ["holding", "you have the arm"]


def test_it_can_be_told_to_keep_that_to_itself() -> None:
    ear = Ear()
    sound = SoundObserver(SoundConfig(sources=False), ear, LOG)
    for index, source in enumerate(("policy", "human")):
        sound.step(by(source, index))  # type: ignore[arg-type]
    assert ear.said == []


def test_a_program_gets_the_words_as_one_argument(spoken: Path) -> None:
    speaker = voices.voice("auto", None)
    for text in ("--help", "episode 1; rm -rf $HOME `date`"):
        speaker.say(text)
        while speaker.busy:
            os.sched_yield()
    assert spoken.read_text().splitlines() == [
        repr(["--", text]) for text in ("--help", "episode 1; rm -rf $HOME `date`")
    ]


def test_a_program_that_talks_is_ended_with_the_run(tmp_path: Path) -> None:
    speaker = voices.Program((sys.executable, "-c", "import time; time.sleep(60)"))
    speaker.say("a long story")
    assert speaker.busy
    speaker.stop()
    assert not speaker.busy


def test_without_a_speech_program_there_are_tones_and_else_the_bell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(voices.voice("auto", None), voices.Bell)
    assert voices.missing("espeak")
    assert voices.missing("tones")
    assert not voices.missing("auto")
    (tmp_path / "aplay").write_text("#!/bin/sh\n")
    (tmp_path / "aplay").chmod(0o755)
    tones = voices.voice("auto", None)
    assert isinstance(tones, voices.Tones)
    tones.say("episode 1 saved")
    tones.stop()


@pytest.mark.parametrize(
    ("text", "tune"),
    [
        ("episode 1 of 3: recording", "begin"),
        ("highlight 2 saved", "end"),
        ("the pedal is gone", "trouble"),
        ("holding", "note"),
    ],
)
def test_tunes_tell_beginnings_from_ends(text: str, tune: str) -> None:
    assert voices.tune_of(text) == tune


def test_a_tune_is_a_sound_file_that_is_loud_enough_and_does_not_click(tmp_path: Path) -> None:
    voices.write_tune(tmp_path / "x.wav", (440.0, 660.0))
    with wave.open(str(tmp_path / "x.wav")) as file:
        assert file.getnframes() == 2 * int(voices.RATE * voices.TONE_S)
        data = file.readframes(file.getnframes())
    samples = [int.from_bytes(data[i : i + 2], "little", signed=True) for i in range(0, len(data), 2)]
    assert 10000 < max(samples) < 16000
    assert abs(samples[0]) < 200
    assert abs(samples[-1]) < 200


def session(script: str, **options: Any) -> Session:
    registry = Registry()

    def chosen(kind: str, name: str, instance: str = "", **more: Any) -> Chosen:
        spec = registry.spec(kind, name)
        return Chosen(kind, name, spec, spec.config(**more), instance)

    config = RunConfig(
        robot=chosen("robot", "fake"),
        policy=chosen("policy", "fake"),
        teleop=chosen("teleoperator", "fake"),
        strategy=chosen("strategy", "record"),
        dataset=chosen("storage", "fake", num_episodes=2, episode_time_s=0.5, reset_time_s=0.2),
        observer={"sound": chosen("observer", "sound", "sound", **options)},
    )
    return Session(Plan("record", config, {}, registry), VirtualClock())


def test_a_run_says_what_it_tells_the_person(spoken: Path) -> None:
    done = session("")
    opening = done.open_storage
    ear = Ear()

    def open_and_listen() -> None:
        opening()
        done.parts.observers["sound"]._voice = ear  # type: ignore[attr-defined]

    done.open_storage = open_and_listen  # type: ignore[method-assign]
    assert done.run()["outcome"] == "done"
    assert ear.said[:2] == ["episode 1 of 2: recording", "episode 1 saved; reset the scene, 1 to go"]
    assert ear.said[-1] == "(quiet)"


def test_a_voice_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = session("", voice="espeak")
    done.run()
    assert "espeak is not installed" in str(done.ending.error)
