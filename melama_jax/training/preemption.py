"""SIGTERM and SIGUSR1 ask a run to save and leave; all processes agree on the step at which they do."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

import jax
from jax.experimental import multihost_utils

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)


class StopRequest:
    """Whether the run was asked to stop.

    One process watches the signals itself. In a job of several, JAX's coordination service watches SIGTERM and lets the
    processes agree on a step that none has passed; SIGUSR1 (what `sbatch --signal` sends) is handed on to it.
    """

    def __init__(self) -> None:
        self._asked = False
        self._calls = 0
        self._several = jax.process_count() > 1
        self._previous = {}
        for number in SIGNALS:
            if self._several and number == signal.SIGTERM:
                continue  # the coordination service has it
            self._previous[number] = signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        if self._several:
            os.kill(os.getpid(), signal.SIGTERM)

    def reached(self) -> bool:
        """True when the run should save and leave here; every process must call it equally often."""
        if self._several:
            # By calls, not by steps: what JAX agrees on is one call more than any process has made, and a run that
            # resumes at step 500 would jump over a point that was agreed on before its first step.
            self._calls += 1
            return multihost_utils.reached_preemption_sync_point(self._calls)
        return self._asked

    def reached_soon(self, seconds: float = 3.0) -> bool:
        """`reached`, asked again for a while: several processes need a moment to agree after a signal."""
        for _ in range(int(seconds / 0.25) if self._several else 0):
            if self.reached():
                return True
            time.sleep(0.25)
        return self.reached()

    def ignore(self) -> None:
        """Let further signals pass, up to the end of the process."""
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)
        self._previous.clear()

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
