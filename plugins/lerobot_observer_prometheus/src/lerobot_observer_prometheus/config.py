"""Options of `--observer prometheus`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.fields import option

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class PrometheusConfig:
    """Where a Prometheus server finds the figures."""

    host: str = option("127.0.0.1", help="address to listen at; off this machine only with certfile and keyfile")
    port: int = option(9108, help="TCP port, 0 for any free one", low=0, high=65535, primary=True)
    certfile: Path | None = option(None, help="TLS certificate, PEM")
    keyfile: Path | None = option(None, help="its key, PEM")

    def wrong(self) -> tuple[str, str] | None:
        """What cannot be, and the fix; None when all is well."""
        if (self.certfile is None) != (self.keyfile is None):
            return "certfile and keyfile belong together", "give both"
        if self.host not in LOOPBACK and self.certfile is None:
            return f"{self.host} can be reached from other machines, without TLS", "certfile and keyfile, or 127.0.0.1"
        missing = next(
            (path for path in (self.certfile, self.keyfile) if path is not None and not path.is_file()), None
        )
        return None if missing is None else (f"there is no file {missing}", "the path of a PEM file")
