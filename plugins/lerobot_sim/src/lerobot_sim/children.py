"""Starting the world's processes so that none outlives the run that wanted it."""

from __future__ import annotations

import os
import subprocess
import sys

from .wire import Channel, pair

ENVIRONMENT = {
    # Matrices here are small; a pool of threads that spin between them would take the control loop's core.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Nothing is drawn with OpenGL, and looking for it takes 0.2 s.
    "MUJOCO_GL": "disable",
}
"""What a world's processes find in their environment besides ours."""


class Child:
    """A Python module running in a process of its own, and the channel to it.

    It ends by itself when the channel closes, which the kernel does even for a parent that was killed.

    Args:
        module: what `python -m` runs; its only argument is the number of its end of the channel.
    """

    def __init__(self, module: str) -> None:
        self.channel: Channel
        self.channel, theirs = pair()
        # -P: a folder of the user's that is called like one of our imports must not shadow it.
        command = [sys.executable, "-P", "-m", module, str(theirs.fileno())]
        # A session of its own: Ctrl-C at the terminal is for the run, which still has an arm to park.
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | ENVIRONMENT,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def close(self, grace_s: float = 3.0) -> None:
        """Hang up and see it end; kill it when it does not. Idempotent."""
        self.channel.close()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
