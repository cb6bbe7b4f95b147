"""`lr router`: a Zenoh session in router mode, which is all a router is."""

from __future__ import annotations

import logging
from contextlib import ExitStack

from lerobot_core.clock import FOREVER, RealClock
from lerobot_core.errors import ConfigError, InferenceError
from lerobot_inference_remote.transport import endpoints, open_session, require_safe, settings

from .config import RouterConfig
from .main import Stop, listening, security_of

log = logging.getLogger("lerobot.router")


def run(config: RouterConfig) -> int:
    """Route until a signal.

    Raises:
        UserError: an endpoint or a certificate cannot be had.
    """
    import zenoh

    places, others = listening(config), endpoints(config.connect) if config.connect else []
    require_safe([*places, *others], config.insecure, "--insecure")
    if not places:
        raise ConfigError("a router has to listen", "", "--listen tls/0.0.0.0:7447 --tls FOLDER")
    found = settings("router", listen=places, connect=others, security=security_of(config), retry=bool(others))
    stop = Stop()
    with ExitStack() as stack:
        stop.install(stack)
        try:
            session = open_session(found)
        except zenoh.ZError as error:
            raise InferenceError(f"cannot listen at {', '.join(places)}", str(error).split(" at /")[0][:200]) from error
        stack.callback(session.close)
        log.info("routing at %s", ", ".join(places))
        RealClock().wait(stop.asked, FOREVER)
    return 0
