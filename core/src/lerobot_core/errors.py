"""Every failure a person can mend, as one sentence each for what, why and what to type next.

UserError
├── UsageError         the command line is wrong                      exit 2
├── ConfigError        a value in a file or an option is wrong        exit 2
├── PluginError        a plugin is missing, broken or ambiguous       exit 1
├── ContractError      names, units or shapes do not fit together     exit 1
├── DeviceError        hardware                                       exit 1
│   ├── BusError           a servo bus or one motor on it
│   ├── CameraError        a camera
│   └── CalibrationError   a calibration file or what it claims
├── StorageError       a dataset                                      exit 1
└── InferenceError     a policy or an inference engine                exit 1
"""

from __future__ import annotations


class UserError(Exception):
    """A failure shown without a traceback: one line each for what, why and what to type next.

    Args:
        what: what failed, naming the thing ("robot 'koch' is not installed").
        why: the cause, when it is not already plain from `what`.
        fix: the command or the edit that mends it.
    """

    exit_code = 1
    reported = False
    """True on one whose verb has put its own summary on stdout already."""

    def __init__(self, what: str, why: str = "", fix: str = "") -> None:
        super().__init__(what, why, fix)
        self.what, self.why, self.fix = what, why, fix

    def __str__(self) -> str:
        return "\n".join(
            line for line in (self.what, self.why and f"  {self.why}", self.fix and f"  {self.fix}") if line
        )


class UsageError(UserError):
    """The command line does not say something we understand."""

    exit_code = 2


class ConfigError(UserError):
    """A configuration value is unknown, of the wrong type or out of range."""

    exit_code = 2


class PluginError(UserError):
    """A plugin is missing, broken, ambiguous or made for another core."""


class ContractError(UserError):
    """Two parts disagree about names, units, shapes or rates."""


class DeviceError(UserError):
    """Hardware did not do what it was asked."""


class BusError(DeviceError):
    """A servo bus failed; `motor` names the culprit when one is known, `count` how often in a row."""

    def __init__(self, what: str, why: str = "", fix: str = "", motor: str | None = None, count: int = 0) -> None:
        super().__init__(what, why, fix)
        self.motor, self.count = motor, count


class CameraError(DeviceError):
    """A camera is missing, frozen or of another size than asked for."""


class CalibrationError(DeviceError):
    """A calibration is missing, stale or belongs to another arm."""


class StorageError(UserError):
    """A dataset cannot be opened, written or read."""


class InferenceError(UserError):
    """A policy raised, gave NaN, or an engine lost its server."""


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """`"did you mean 'act'?"` for the nearest of `known`, else the empty string."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else ""
