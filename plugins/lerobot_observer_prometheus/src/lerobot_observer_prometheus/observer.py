"""The observer: figures kept in memory, given out by prometheus_client's own server on a thread of its own."""

from __future__ import annotations

import logging
import threading
from typing import Any
from wsgiref.simple_server import WSGIServer

from lerobot_core.errors import UsageError, UserError
from lerobot_core.types import Step
from prometheus_client import start_http_server

from .config import PrometheusConfig
from .metrics import Metrics


class PrometheusObserver:
    """Figures of a run.

    Attributes:
        port: where it listens, 0 while it does not.
    """

    def __init__(self, config: PrometheusConfig, log: logging.Logger) -> None:
        self._config, self._log = config, log
        self._metrics = Metrics()
        self._server: tuple[WSGIServer, threading.Thread] | None = None
        self.port = 0

    def start(self, info: dict[str, Any]) -> None:
        """Listen.

        Raises:
            UserError: the port is taken, the certificate cannot be read, or TLS is missing off this machine.
        """
        if wrong := self._config.wrong():
            raise UsageError(wrong[0], fix=wrong[1])
        self.stop()
        config, self._metrics = self._config, Metrics()
        self._metrics.run(info)
        cert, key = (str(path) if path is not None else None for path in (config.certfile, config.keyfile))
        try:
            self._server = start_http_server(config.port, config.host, self._metrics.registry, cert, key)
        except OSError as error:  # ssl.SSLError is one too
            where = f"{config.host}:{config.port}"
            raise UserError(f"cannot listen at {where}", str(error), "--observer.prometheus.port N") from error
        self.port = self._server[0].server_port
        scheme = "https" if cert else "http"
        self._log.info("figures at %s://%s:%d/metrics", scheme, config.host, self.port)

    def step(self, step: Step) -> None:
        """The newest row."""
        self._metrics.row(step)

    def stop(self) -> None:
        """Listen no more. Idempotent."""
        server, self._server = self._server, None
        self.port = 0
        if server is not None:
            server[0].shutdown()
            server[0].server_close()
            server[1].join()
