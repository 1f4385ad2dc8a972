"""SIGTERM and SIGUSR1 ask a run to save and leave; all processes agree on the step at which they do."""

from __future__ import annotations

import os
import signal
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

    @property
    def asked(self) -> bool:
        """Whether this process was asked, as far as it can know; the processes of a job agree in `reached`."""
        return self._asked

    def reached(self, step: int) -> bool:
        """True when the run should save and leave after `step`; call it once a step, in every process."""
        if self._several:
            return multihost_utils.reached_preemption_sync_point(step)
        return self._asked

    def ignore(self) -> None:
        """Let further signals pass, up to the end of the process."""
        for number in self._previous:
            signal.signal(number, signal.SIG_IGN)
        self._previous.clear()

    def close(self) -> None:
        """Give the signals back."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
