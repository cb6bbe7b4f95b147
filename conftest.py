"""For every test of the tree."""

from __future__ import annotations

import importlib
import os
import signal
from contextlib import suppress
from pathlib import Path

# Tests and the processes they start share few cores; teams of threads that spin while they wait for each other would make
# a small network's call on a worker thread take minutes there.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# pytest names test modules after their folders, and a distribution's folder in the repository's root is called like its
# package. Imported first, the package keeps its place in `sys.modules`.
for project in Path(__file__).parent.glob("lerobot_*/pyproject.toml"):
    with suppress(ModuleNotFoundError):
        importlib.import_module(project.parent.name)

# A shell's background job and nohup ignore signals, and so would every process that a test starts; one with a handler
# here begins there with the default.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, lambda *_: None)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
