"""A small process beside a training process: ends it when it has said nothing for too long, though it was free to run.

The watch-dog is a Python thread, which a lock that is never let go keeps from running too. A timer inside the process
would go on while it is stopped (Ctrl-Z, `scontrol suspend`) and end a good run as it wakes; this one counts short
waits, and leaves out those in which the other is stopped. It is started by its path.

Needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

HOP_SECONDS = 5.0


class Guard:
    """Started with the first word to it."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._process: subprocess.Popen[bytes] | None = None

    def allow(self, seconds: float | None) -> None:
        """From now on this process may say nothing for so long; None for any time.

        Raises:
            OSError: The guard cannot be started, or is gone.
        """
        if self._process is None:
            if seconds is None:
                return
            command = [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), str(HOP_SECONDS)]
            # In a session of its own: Ctrl-C and Ctrl-Z are for the other.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        assert self._process.stdin is not None
        with contextlib.suppress(BlockingIOError):  # it was stopped for hours
            os.write(self._process.stdin.fileno(), f"{seconds or 0}\n".encode())

    def close(self) -> None:
        """The process is watched no more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process = None


def watch(process: int, hop_seconds: float) -> None:
    """Read seconds from standard input; SIGABRT for the process, which prints its stacks, when they are over."""
    limit = silent = 0.0
    while True:
        if select.select([0], [], [], hop_seconds)[0]:
            said = os.read(0, 1 << 16)
            if not said:
                return  # it has ended
            limit, silent = float(said.split()[-1]), 0.0
            continue
        state = _state(process)
        if state is None:
            return
        silent += hop_seconds if state not in "Tt" else 0.0
        if limit and silent > limit:
            os.write(2, f"error: process {process} has not run for {silent:.0f} s; its stacks follow\n".encode())
            os.kill(process, signal.SIGABRT)
            return


def _state(process: int) -> str | None:
    """As the kernel names it, T for a stopped one; None for one that has ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None
    return None if state in "ZX" else state


if __name__ == "__main__":
    watch(int(sys.argv[1]), float(sys.argv[2]))
