"""LeRobot's own spellings, one row each, rewritten before anything is checked.

Not here because they need no rewriting: `--robot.type=so100_follower` (`--K X` is short for it), `=` and underscores,
and `--policy.path` (an option that names the plugin, see `choose.REFERENCES`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ..errors import UsageError
from .problems import Problems
from .scan import Given
from .schema import Declared

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Row(NamedTuple):
    """One spelling.

    Attributes:
        peer: the option as LeRobot has it.
        ours: what it becomes; "" means that it is left out.
        when_true, when_false: for a boolean, our value; None leaves the option out. Empty on both: any value is kept.
        refuse: why true is an error.
        note: printed when the option is left out.
        words: our value for each of theirs, None leaves the option out; empty: any value is kept.
        below: also everything below it (`--robot.cameras.front.type`).
    """

    peer: str
    ours: str = ""
    when_true: str | None = ""
    when_false: str | None = ""
    refuse: str = ""
    note: str = ""
    below: bool = False
    words: Mapping[str, str | None] = {}


_ALWAYS_LIVE = "video is always encoded while recording"

ROWS = (
    Row("dataset.single_task", "task"),
    Row("dataset.fps", "fps"),
    Row("dataset.episode", "episode"),
    Row("dataset.rgb_encoder.vcodec", "dataset.codec"),
    Row("dataset.vcodec", "dataset.codec"),
    Row("dataset.video", "dataset.codec", when_true=None, when_false="png"),
    Row(
        "dataset.push_to_hub",
        when_true=None,
        when_false=None,
        refuse="recording never publishes; afterwards: lr dataset push",
        note="recording never publishes",
    ),
    Row("dataset.streaming_encoding", when_true=None, when_false=None, note=_ALWAYS_LIVE),
    Row("dataset.no_stamp", when_true=None, when_false=None, note="names are never date-stamped"),
    Row("teleop_time_s", "duration"),
    Row("interpolation_multiplier", "interpolation"),
    Row("return_to_initial_position", "on_exit", when_true="park", when_false="hold"),
    Row("device", "policy.device"),
    Row("display_data", "observer.rerun.type", when_true="rerun", when_false=None),
    Row("display_ip", "observer.rerun.address"),
    Row("display_port", "observer.rerun.port"),
    Row("display_compressed_images", "observer.rerun.jpeg_quality", when_true="75", when_false="0"),
    Row("play_sounds", "observer.sound.type", when_true="sound", when_false=None),
    Row("robot.cameras", "camera", below=True),
    Row("strategy.input_device", "operator.pedal.type", words={"keyboard": None, "pedal": "pedal"}),
    Row("strategy.pedal.device_path", "operator.pedal.device_path"),
    Row("inference.rtc.execution_horizon", "inference.execution_horizon"),
    Row("inference.rtc.prefix_attention_schedule", "inference.schedule"),
    Row("inference.rtc.max_guidance_weight", "inference.max_guidance_weight"),
    Row("inference.rtc.mode", "inference.mode"),
    Row("inference.rtc.enabled", when_true=None, when_false=None, note="--inference rtc is what enables it"),
)


def rewrite(given: Iterable[Given], table: Mapping[str, Declared]) -> tuple[list[Given], tuple[str, ...]]:
    """The same options in our spelling, and notes on those that have no effect.

    Args:
        given: as typed.
        table: the verb's fields; a row counts only where the verb takes what it becomes and has no such option itself.

    Raises:
        UsageError: a boolean that is none, or an option that must not be true.
    """
    problems, notes, found = Problems(), [], list[Given]()
    for each in given:
        row = _row(each, table)
        if row is None:
            found.append(each)
            continue
        try:
            new = _apply(row, each)
        except UsageError as error:
            problems.add(error)
            continue
        found += [new] if new else []
        notes += [f"{each.spelled} has no effect: {row.note}"] if not new and row.note else []
    problems.raise_any()
    return found, tuple(notes)


def _row(given: Given, table: Mapping[str, Declared]) -> Row | None:
    spelled = ".".join(given.path).replace("-", "_")
    for row in ROWS:
        inside = row.below and spelled.startswith(f"{row.peer}.")
        target = (row.ours or row.peer).split(".")[0]
        if (spelled == row.peer or inside) and target in table and row.peer not in table:
            return row
    return None


def _apply(row: Row, given: Given) -> Given | None:
    text = given.text
    if row.words:
        text = _word(row, given)
        if text is None:
            return None
    if row.when_true != "" or row.when_false != "":
        on = _bool(given)
        if on and row.refuse:
            raise UsageError(f"{given.spelled}={text or 'true'} is refused", row.refuse)
        text = row.when_true if on else row.when_false
        if text is None:
            return None
    rest = given.path[len(row.peer.split(".")) :]
    return Given((*row.ours.split("."), *rest), text, given.spelled)


def _word(row: Row, given: Given) -> str | None:
    word = given.text or ""
    if word not in row.words:
        raise UsageError(f"{given.spelled}: {word!r} is not one of {', '.join(row.words)}")
    return row.words[word]


def _bool(given: Given) -> bool:
    word = "true" if given.text is None else given.text.lower()
    if word not in _TRUE + _FALSE:
        raise UsageError(f"{given.spelled}: {given.text!r} is not true or false")
    return word in _TRUE
