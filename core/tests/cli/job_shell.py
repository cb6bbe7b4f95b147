"""A shell of one job, for tests: takes a terminal as its own, runs a Python script on it as a foreground job, and says
on stdout when the job stops or ends; `bg` and `fg` on stdin continue it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys


def main() -> int:
    terminal, *command = sys.argv[1:]
    orders, reports = os.dup(0), os.dup(1)
    os.login_tty(int(terminal))
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # tcsetpgrp from the background
    job = subprocess.Popen([sys.executable, *command], process_group=0, start_new_session=False)
    os.tcsetpgrp(0, job.pid)
    while True:
        _, status = os.waitpid(job.pid, os.WUNTRACED)
        os.tcsetpgrp(0, os.getpgrp())
        if not os.WIFSTOPPED(status):
            os.write(reports, f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
            return 0
        os.write(reports, b"stopped\n")
        while os.read(orders, 3) == b"bg\n":
            os.kill(job.pid, signal.SIGCONT)
        os.tcsetpgrp(0, job.pid)
        os.kill(job.pid, signal.SIGCONT)


if __name__ == "__main__":
    sys.exit(main())
