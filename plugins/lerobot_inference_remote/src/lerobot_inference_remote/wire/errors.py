"""The one way in which a message is refused."""

from __future__ import annotations


class WireError(ValueError):
    """A message that is not as it should be; it is counted under `code` and dropped.

    Args:
        code: a few words without values (`"header size"`), fit for a counter's label.
        detail: what was found, for a log.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
