"""The header beside every message on the data topics: 32 bytes, little-endian, read without touching the body."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from .errors import WireError

SCHEMA = 1
"""The layout of header and bodies. Bodies grow by optional fields alone; anything else is another schema."""
SCHEMAS = (1, 1)
"""The oldest and the newest schema that this code speaks; a session settles on one when it is opened."""

_LAYOUT = struct.Struct("<HBBIQQq")
SIZE = _LAYOUT.size


class Kind(IntEnum):
    """What the body is."""

    OBSERVATION = 1
    CHUNK = 2
    REFUSAL = 3
    PROBE = 4


FIRST = 1
"""Flag: the first observation of an episode."""


class Header(NamedTuple):
    """Attributes:
    kind: what the body is.
    session: what the server gave out when the session was opened; random, new after every reconnection.
    seq: counts the chunks a robot asked for; an answer repeats it.
    episode: counts the client's resets; an answer repeats it.
    mono_ns: the client's monotonic clock, opaque to the server and repeated, so it tells one attempt from another.
    flags: `FIRST`.
    schema: the layout.
    """

    kind: Kind
    session: int
    seq: int = 0
    episode: int = 0
    mono_ns: int = 0
    flags: int = 0
    schema: int = SCHEMA

    def pack(self) -> bytes:
        """32 bytes: schema u16, kind u8, flags u8, episode u32, session u64, seq u64, mono_ns i64."""
        return _LAYOUT.pack(self.schema, self.kind, self.flags, self.episode, self.session, self.seq, self.mono_ns)

    def answer(self, kind: Kind) -> Header:
        """The header of an answer to this message."""
        return self._replace(kind=kind, flags=0)


def unpack(data: bytes | None) -> Header:
    """The header in an attachment.

    Raises:
        WireError: absent, of another size, of a schema or a kind that is unknown here.
    """
    if data is None or len(data) != SIZE:
        raise WireError("header size", str(None if data is None else len(data)))
    schema, kind, flags, episode, session, seq, mono_ns = _LAYOUT.unpack(data)
    if not SCHEMAS[0] <= schema <= SCHEMAS[1]:
        raise WireError("schema", str(schema))
    try:
        return Header(Kind(kind), session, seq, episode, mono_ns, flags, schema)
    except ValueError:
        raise WireError("kind", str(kind)) from None
