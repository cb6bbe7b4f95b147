"""Keys: `@lerobot/<model>/<robot>/…` for a robot, `@lerobot/<model>/@server/<replica>/…` for a server.

A chunk that begins with `@` is matched by itself alone, so a stranger's `**` on a shared router sees none of this.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ROOT = "@lerobot"
SERVER = "@server"
_PLAIN = re.compile(r"[A-Za-z0-9._-]")


def segment(text: str) -> str:
    """Any text as one chunk of a key, readable where it can be and always the same for the same text.

    Raises:
        ValueError: it is empty.
    """
    if not text:
        raise ValueError("a chunk of a key cannot be empty")
    return "".join(each if _PLAIN.match(each) else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


class RobotKeys(NamedTuple):
    """The keys of one robot at one model; both are chunks already, see `segment`."""

    model: str
    robot: str

    @property
    def base(self) -> str:
        """What every key of this robot begins with."""
        return f"{ROOT}/{self.model}/{self.robot}"

    @property
    def observations(self) -> str:
        """Robot to server."""
        return f"{self.base}/obs"

    @property
    def actions(self) -> str:
        """Server to robot."""
        return f"{self.base}/action"

    def opening(self, replica: str) -> str:
        """Query: open a session at one replica."""
        return f"{self.base}/open/{replica}"

    def alive(self, nonce: str) -> str:
        """Liveliness token of one client process; the nonce keeps a second process from hiding behind the first."""
        return f"{self.base}/alive/{nonce}"


class ServerKeys(NamedTuple):
    """The keys of one replica of one model; both are chunks already."""

    model: str
    replica: str

    @property
    def alive(self) -> str:
        """Liveliness token of this process: declared when it is warm, gone when it drains."""
        return f"{ROOT}/{self.model}/{SERVER}/{self.replica}"

    @property
    def status(self) -> str:
        """Query: what the model is, and how busy."""
        return f"{self.alive}/status"

    @property
    def openings(self) -> str:
        """What any robot queries to open a session here."""
        return f"{ROOT}/{self.model}/*/open/{self.replica}"

    @property
    def robots(self) -> str:
        """The liveliness tokens of the robots at this model."""
        return f"{ROOT}/{self.model}/*/alive/*"


def servers_of(model: str | None = None) -> str:
    """The tokens of every server, of one model (a chunk already) or of any."""
    return f"{ROOT}/{model or '*'}/{SERVER}/*"


def server_of(key: str) -> ServerKeys | None:
    """Whose token that is; None when it is no server's."""
    parts = key.split("/")
    if len(parts) != 4 or parts[0] != ROOT or parts[2] != SERVER:
        return None
    return ServerKeys(parts[1], parts[3])


def robot_of(key: str) -> tuple[str, str] | None:
    """(robot, nonce) of a robot's token; None when it is none."""
    parts = key.split("/")
    if len(parts) != 5 or parts[0] != ROOT or parts[3] != "alive":
        return None
    return parts[2], parts[4]
