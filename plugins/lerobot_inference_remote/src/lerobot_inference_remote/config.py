"""Options of `--inference remote`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.fields import option
from lerobot_core.guidance import SCHEDULES

DEFAULT_ENDPOINT = "tcp/127.0.0.1:7447"
FALLBACKS = ("hold", "repeat_last", "zero")
MODES = ("auto", "guided", "trained", "replace", "append")


@dataclass(frozen=True, kw_only=True)
class RemoteConfig:
    """Where the policy is, and what the arm does while it cannot be heard."""

    connect: str = option(
        DEFAULT_ENDPOINT, help="server or router, tls/HOST:PORT or tcp/…; several with commas, tried in turn",
        aliases=("connect_endpoint",),
    )  # fmt: skip
    model: str | None = option(None, help="which model; default: the only one that is announced")
    robot: str | None = option(None, help="this robot's name at the server; default --robot.id")
    tls_ca: Path | None = option(None, help="certificate of the authority that signed the server's")
    tls_cert: Path | None = option(None, help="this robot's certificate")
    tls_key: Path | None = option(None, help="and its key")
    token: str | None = option(None, help="shared secret, where the server asks for one")
    insecure: bool = option(False, help="leave this machine without TLS all the same")
    policy_hash: str | None = option(None, help="refuse any checkpoint but this one (sha256:…)")
    jpeg_quality: int = option(90, help="of the images sent; 0 sends the pixels", low=0, high=100)
    buffer_time_s: float | None = option(
        None, help="ask when the queue lasts no longer than this; default: from the measured latency", unit="s", low=0.0
    )
    fallback: str = option("hold", help="with an empty queue; zero only for velocities", choices=FALLBACKS)
    mode: str = option("auto", help="how chunks join, as --inference rtc has it", choices=MODES)
    execution_horizon: int = option(10, help="steps a new chunk is held to the one it continues", low=1)
    schedule: str = option("LINEAR", help="how the hold weakens up to the horizon", choices=SCHEDULES)
    max_guidance_weight: float = option(10.0, help="the strongest pull in one denoising step", low=0.0)
    connect_timeout_s: float = option(10.0, help="how long to look for the server at the start", unit="s", low=0.1)
    request_timeout_s: float = option(5.0, help="the longest wait for one answer", unit="s", low=0.05)
    max_offline_s: float = option(60.0, help="give up after this long without an answer", unit="s", low=0.1)
