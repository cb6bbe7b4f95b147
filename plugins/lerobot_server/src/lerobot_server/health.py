"""Health, metrics and status over HTTP, on this machine only."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lerobot_core.errors import ConfigError

from .service import Service

HOST = "127.0.0.1"


def report(service: Service) -> dict[str, Any]:
    """What `lr serve status` shows: who, how fast, how full."""
    now = service.clock.now()
    robots = [
        {
            "robot": each.robot,
            "session": f"{each.id:016x}",
            "open_s": round(now - each.opened, 1),
            "silent_s": round(now - each.heard, 2),
            "answered": each.answered,
            "superseded": each.mailbox.superseded,
            "malformed": each.malformed,
            "episode": each.episode,
        }
        for each in service.sessions
    ]
    return {
        "schema": 1,
        "model": service.model,
        "replica": service.replica,
        "policy": service.family,
        "hash": service.hash,
        "shared": service.shared,
        "draining": service.draining,
        "capacity": service.capacity,
        "load": round(service.load, 3),
        "robots": robots,
        "latency_ms": service.metrics.report(),
    }


class Health:
    """`/healthz` (200 when robots may come, else 503), `/metrics`, `/status`.

    Args:
        port: 0 picks one; see `port`.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(self, service: Service, port: int) -> None:
        self.ready = False
        self._service = service
        try:
            self._server = ThreadingHTTPServer((HOST, port), self._handler())
        except OSError as error:
            raise ConfigError(f"port {port} for --health-port cannot be had", str(error), "--health-port 0") from error
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        """On a thread of its own."""
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def close(self) -> None:
        """Idempotent."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """(status, content type, body)."""
        service = self._service
        if path == "/healthz":
            up = self.ready and not service.draining
            return (200 if up else 503), "text/plain", b"ok\n" if up else b"not ready\n"
        if path == "/metrics":
            gauges = service.metrics
            gauges.robots.set(len(service.sessions))
            gauges.capacity.set(service.capacity)
            gauges.draining.set(service.draining)
            return 200, "text/plain; version=0.0.4", gauges.text()
        if path == "/status":
            return 200, "application/json", json.dumps(report(service)).encode()
        return 404, "text/plain", b"/healthz, /metrics, /status\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        health = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                status, kind, body = health.answer(self.path.partition("?")[0])
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Silent: a probe every second is no news."""

        return Handler
