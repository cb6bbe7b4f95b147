"""Options of `--observer rerun`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lerobot_core.config.fields import option

PORT = 9876


@dataclass(frozen=True, kw_only=True)
class RerunConfig:
    """Where the run is shown; neither address nor file: in a viewer that is started here."""

    address: str | None = option(None, help="a viewer that is running: HOST, HOST:PORT or its URL")
    port: int = option(PORT, help="its port, where the address says none", low=1, high=65535)
    save: Path | None = option(None, help="write a .rrd file instead, to be opened later: rerun FILE")
    jpeg_quality: int = option(
        75, help="pictures as JPEG of this quality; 0: as they are, 30 times larger", low=0, high=95
    )
    memory_limit: str = option("25%", help="what the viewer may take before it forgets the oldest, a share or 4GB")

    @property
    def url(self) -> str | None:
        """The address as Rerun writes it."""
        if self.address is None or "://" in self.address:
            return self.address
        host, port = endpoint(self.address, self.port)
        return f"rerun+http://{f'[{host}]' if ':' in host else host}:{port}/proxy"

    def wrong(self) -> tuple[str, str] | None:
        """What cannot be, and the fix; None when all is well."""
        if self.address is not None and self.save is not None:
            return "address and save exclude each other", "one of them"
        if self.save is not None and not self.save.absolute().parent.is_dir():
            return f"there is no folder {self.save.absolute().parent}", "a file in a folder that exists"
        return None


def endpoint(address: str, default: int = PORT) -> tuple[str, int]:
    """(host, port) of `HOST`, `HOST:PORT`, `[::1]:9876` or a URL; the port is `default` where none is given."""
    rest = address.rpartition("://")[2].partition("/")[0]
    host, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit() or (":" in host and not host.startswith("[")):
        host, port = rest, str(default)
    return host.strip("[]"), int(port)
