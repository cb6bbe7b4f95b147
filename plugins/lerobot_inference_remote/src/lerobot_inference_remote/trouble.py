"""Two ways in which a request fails: one that passes, one that does not."""

from __future__ import annotations

from lerobot_core.errors import InferenceError


class Trouble(InferenceError):
    """No answer this time: late, lost, overloaded, reconnecting. The next observation may have one.

    Attributes:
        disconnected: the session is no longer there; a new one has to be opened before anything is asked.
    """

    def __init__(self, what: str, why: str = "", fix: str = "", disconnected: bool = False) -> None:
        super().__init__(what, why, fix)
        self.disconnected = disconnected


class Refused(InferenceError):
    """Asking again changes nothing: another model, names that do not fit, a policy that failed."""
