"""Zenoh sessions as client, server and router open them: explicit endpoints, nothing found by multicast.

What is set here and why:
- shared memory off (on by default): a killed process leaves 16 MiB files in /dev/shm, and a receiver that stalls for
  more than 100 ms loses payloads without a word;
- a lease of 2 s (10 s by default): a frozen machine or a pulled cable is noticed after 0.75 to 1 times the lease that the
  silent side announced, so every side announces it;
- a client that lost its server tries again after 0.1 to 0.5 s (1 to 4 s by default);
- messages over `max_message` bytes are refused on arrival (1 GiB by default);
- a fragmented message may wait 500 ms for a slow link (50 ms by default) before it is dropped: put runs on the worker's
  thread, never on the loop's.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lerobot_core.errors import ConfigError, InferenceError

if TYPE_CHECKING:
    import zenoh

LEASE_MS = 2000
OPEN_MS = 2000
MAX_MESSAGE = 32 << 20
FRAGMENT_WAIT_US = 500_000
_ENDPOINT = re.compile(r"(tcp|tls|quic|ws|udp|unixsock-stream)/(.+)")
_SAFE = ("tls", "quic")
_LAST_PORT = 65535


@dataclass(frozen=True)
class Security:
    """Certificates, as paths.

    Attributes:
        ca: who signed the other side's.
        cert, key: our own.
        access: zenoh's `access_control` section, for a side that listens.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    access: Mapping[str, Any] | None = None


def endpoints(text: str) -> list[str]:
    """`"tls/a:7447,tls/b:7447"` as a list.

    Raises:
        ConfigError: one of them is none.
    """
    found = [each.strip() for each in text.split(",") if each.strip()]
    wrong = [each for each in found if not _ENDPOINT.fullmatch(each)]
    if wrong or not found:
        raise ConfigError(f"{(wrong or [text])[0]!r} is no endpoint", "PROTOCOL/HOST:PORT", "tcp/127.0.0.1:7447")
    for each in found:
        _check_port(each)
    return found


def _check_port(endpoint: str) -> None:
    """Zenoh takes a port modulo 65536, and listens where nobody asked it to."""
    if endpoint.startswith("unixsock-stream/"):
        return
    port = re.sub(r"[?#].*$", "", endpoint).rpartition(":")[2]
    if not port.isdigit() or int(port) > _LAST_PORT:
        raise ConfigError(f"{endpoint!r} has no port", f"a port is a number up to {_LAST_PORT}", "tcp/127.0.0.1:7447")


def is_loopback(endpoint: str) -> bool:
    """Does it stay on this machine."""
    protocol, _, rest = endpoint.partition("/")
    if protocol == "unixsock-stream":
        return True
    host = re.sub(r"[?#].*$", "", rest).rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_safe(places: Iterable[str], insecure: bool, flag: str) -> None:
    """Off this machine only with TLS, unless told.

    Raises:
        ConfigError: naming the endpoint and what to do.
    """
    bare = [each for each in places if not is_loopback(each) and each.partition("/")[0] not in _SAFE]
    if bare and not insecure:
        raise ConfigError(
            f"{bare[0]} leaves this machine without TLS",
            "whoever can reach it could read the cameras and move the arm",
            f"tls/… with certificates (lr serve --init-tls DIR makes them), or {flag} on a network of your own",
        )


def settings(
    mode: Literal["client", "peer", "router"],
    *,
    listen: Iterable[str] = (),
    connect: Iterable[str] = (),
    security: Security = Security(),
    max_message: int = MAX_MESSAGE,
    lease_ms: int = LEASE_MS,
    retry: bool = False,
) -> dict[str, Any]:
    """Zenoh's configuration by key. `retry`: the first connection, too, is tried until it succeeds."""
    congestion = "transport/link/tx/queue/congestion_control/drop/max_wait_before_drop_fragments"
    found: dict[str, Any] = {
        "mode": mode,
        "listen/endpoints": list(listen),
        "connect/endpoints": list(connect),
        "connect/timeout_ms": -1 if retry else OPEN_MS,
        "connect/exit_on_failure": not retry,
        "connect/retry": {"period_init_ms": 100, "period_max_ms": 500, "period_increase_factor": 1.5},
        "scouting/multicast/enabled": False,
        "scouting/gossip/enabled": mode == "router",
        "scouting/delay": 0,
        "transport/shared_memory/enabled": False,
        "transport/link/tx/lease": lease_ms,
        "transport/link/rx/max_message_size": max_message,
        "transport/unicast/accept_pending": 10_000,
        "transport/unicast/max_sessions": 10_000,
        congestion: FRAGMENT_WAIT_US,
    }
    return found | _tls(security, bool(found["listen/endpoints"]))


def _tls(security: Security, listens: bool) -> dict[str, Any]:
    prefix, found = "transport/link/tls/", dict[str, Any]()
    if security.ca:
        found[prefix + "root_ca_certificate"] = str(security.ca)
    if security.cert and security.key:
        found[prefix + "connect_certificate"], found[prefix + "connect_private_key"] = (
            str(security.cert),
            str(security.key),
        )
        found[prefix + "enable_mtls"] = True
        if listens:
            found[prefix + "listen_certificate"] = str(security.cert)
            found[prefix + "listen_private_key"] = str(security.key)
    if security.access is not None:
        found["access_control"] = dict(security.access)
    return found


_opened_in: set[int] = set()


def open_session(found: Mapping[str, Any]) -> zenoh.Session:
    """A Zenoh session; whoever opens it closes it, else the process may hang when it ends.

    Raises:
        InferenceError: this process was forked from one that had a session open; Zenoh would hang.
        zenoh.ZError: nobody answers, or a certificate is not accepted.
    """
    refuse_fork()
    import zenoh

    zenoh.init_log_from_env_or("off")
    config = zenoh.Config()
    for key, value in found.items():
        config.insert_json5(key, json.dumps(value))
    session = zenoh.open(config)
    _opened_in.add(os.getpid())
    return session


def refuse_fork() -> None:
    """Raises InferenceError in a child that was forked after its parent had opened Zenoh."""
    if _opened_in and os.getpid() not in _opened_in:
        raise InferenceError(
            "this process was forked from one that uses the network",
            "in a forked child Zenoh never connects",
            "start workers with multiprocessing's 'spawn', or before the engine starts",
        )


def check_files(security: Security) -> None:
    """ConfigError when a certificate is not there, cannot be read, or only half of a pair is named."""
    for path in (security.ca, security.cert, security.key):
        if path is not None and not os.access(path, os.R_OK):
            raise ConfigError(f"{path} cannot be read", "it is named as a certificate or key")
    if bool(security.cert) != bool(security.key):
        raise ConfigError("a certificate needs its key", "", "--inference.tls-cert FILE --inference.tls-key FILE")
