"""`lr serve status`: who is connected, how fast and how full, from a server's own HTTP port."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lerobot_core.config.fields import option
from lerobot_core.config.resolve import resolve
from lerobot_core.config.verb import Verb
from lerobot_core.errors import InferenceError
from lerobot_core.registry import default_registry

from .config import HEALTH_PORT
from .health import HOST

TIMEOUT_S = 2.0


@dataclass(frozen=True, kw_only=True)
class StatusConfig:
    """`lr serve status`."""

    health_port: int = option(HEALTH_PORT, help="the server's --health-port", low=1, high=65535)
    json: bool = option(False, help="one JSON object on the last line of stdout")


VERB = Verb("serve status", "who is connected to the server on this machine", StatusConfig, reads_rig=False)


def run(argv: Sequence[str]) -> int:
    """Print it.

    Raises:
        UserError: no server answers there.
    """
    if {"-h", "--help"} & {*argv}:
        from lerobot_core.config.help import render

        print(render(VERB, argv, default_registry()))
        return 0
    config = resolve(VERB, argv, default_registry(), {}).config
    found = fetch(config.health_port)
    print(json.dumps(found) if config.json else "\n".join(lines(found)))
    return 0


def fetch(port: int) -> dict[str, Any]:
    """`/status`.

    Raises:
        InferenceError: nobody answers.
    """
    where = f"http://{HOST}:{port}/status"
    try:
        with urllib.request.urlopen(where, timeout=TIMEOUT_S) as answer:
            found: dict[str, Any] = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError) as error:
        why = str(getattr(error, "reason", error))
        fix = "start one (lr serve --policy …), or name its --health-port"
        raise InferenceError(f"no server answers at {where}", why, fix) from error
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    mode = "shared" if found["shared"] else "exclusive"
    drains = ", draining" if found["draining"] else ""
    text = [
        f"{found['model']} (replica {found['replica']}): policy {found['policy']}, {mode}{drains}, "
        f"{len(found['robots'])} of {found['capacity']} robots"
    ]
    for stage, times in found["latency_ms"].items():
        text.append(f"  {stage:<8}p50 {times['p50']:8.2f}  p95 {times['p95']:8.2f}  p99 {times['p99']:8.2f} ms")
    for each in found["robots"]:
        text.append(
            f"  {each['robot']:<20} {each['answered']:>7} answers, silent {each['silent_s']:.1f} s, "
            f"episode {each['episode']}, superseded {each['superseded']}, malformed {each['malformed']}"
        )
    return text
