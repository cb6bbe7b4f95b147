"""Options of `lr serve` and `lr router`; a manifest is a file of the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.bases import Chosen
from lerobot_core.config.fields import option, plugin_field
from lerobot_core.config.verb import Verb

DEFAULT_LISTEN = "tcp/127.0.0.1:7447"
HEALTH_PORT = 7448


@dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """What server and router have in common."""

    listen: str = option(DEFAULT_LISTEN, help="where robots connect; off this machine with tls/…; `none`: nowhere")
    tls: Path | None = option(None, help="folder that --init-tls made: certificates, and who may say what")
    init_tls: Path | None = option(None, help="make an authority and certificates in this folder, and stop")
    robots: str = option("", help="with --init-tls: names of the robots, with commas")
    hosts: str = option("", help="with --init-tls: names and addresses of this machine, with commas")
    insecure: bool = option(False, help="leave this machine without TLS all the same")
    config: Path | None = option(None, help="options from a .toml, .yaml or .json file", aliases=("config_path",))
    log_file: Path | None = option(None, help="write the log here as well")
    json: bool = option(False, help="one JSON object on the last line of stdout")
    show_config: bool = option(False, help="print every value with its origin, and stop")


@dataclass(frozen=True, kw_only=True)
class RouterConfig(NetworkConfig):
    """`lr router`."""

    connect: str = option("", help="other routers, with commas")


@dataclass(frozen=True, kw_only=True)
class ServeConfig(NetworkConfig):
    """`lr serve`."""

    policy: Chosen | None = plugin_field("policy", help="a name, a checkpoint folder or org/name")
    model: str | None = option(None, help="what robots call it; default: the policy's name")
    connect: str = option("", help="routers to join instead of listening, with commas")
    task: str | None = option(None, help="the only instruction taken; default: any")
    token: str | None = option(None, help="shared secret that robots must know")
    max_robots: int = option(16, help="sessions at once; more are sent to another replica", low=1)
    warmup: int = option(2, help="calls on nothing before robots are let in", low=1)
    batch: int = option(1, help="requests of several robots computed together at most", low=1)
    batch_wait_ms: float = option(5.0, help="how long to wait for others to join a batch", unit="ms", low=0.0)
    idle_s: float = option(30.0, help="a session that is silent and unseen for so long is closed", unit="s", low=0.1)
    drain_s: float = option(10.0, help="on SIGTERM, the longest wait for what is being computed", unit="s", low=0.0)
    health_port: int = option(HEALTH_PORT, help="health, metrics and status on 127.0.0.1; 0: none", low=0, high=65535)
    audit_log: Path | None = option(None, help="a JSON line for each session and request")
    capture: Path | None = option(None, help="folder that keeps the newest requests and answers for replay")
    capture_max: int = option(256, help="how many of them", low=1)


SERVE = Verb(
    "serve",
    "run a policy for robots elsewhere; `lr serve status` looks at one that runs",
    ServeConfig,
    defaults={},
    reads_rig=False,
)
ROUTER = Verb("router", "join robots and servers that cannot reach each other directly", RouterConfig, reads_rig=False)


@dataclass(frozen=True)
class Limits:
    """What a server refuses by."""

    robots: int = 16
    task: str | None = None
    token: str | None = None
    idle_s: float = 30.0
