"""A process that plans, so that a compilation which takes too long can be ended."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

from melama_jax.config import from_mapping
from melama_jax.errors import MelamaError
from melama_jax.planning.estimate import Efficiency, make_plan
from melama_jax.planning.plan_report import Prices, as_json
from melama_jax.planning.targets import Target, devices_of, prepare_process


class Worker:
    """A process with a target's compiler.

    Args:
        target: The cluster.
        efficiency: What it is taken to reach.
    """

    def __init__(self, target: Target, efficiency: Efficiency):
        context = multiprocessing.get_context("spawn")  # a fork would share JAX's threads
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, target, efficiency), daemon=True)
        self._process.start()
        theirs.close()

    def plan(self, config: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
        """The plan of a configuration (its tree) as JSON has it, or `failed` with why; None after so many seconds.

        The worker is dead then.

        Raises:
            MelamaError: The target cannot be compiled for at all.
        """
        try:
            self._pipe.send(config)
            if not self._pipe.poll(seconds):
                self.close()
                return None
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return {"failed": f"the compiler ended with status {self._process.exitcode}"}
        if isinstance(answer, MelamaError):
            raise answer
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can take work."""
        return self._process.is_alive()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, target: Target, efficiency: Efficiency) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    prepare_process(target)
    try:
        devices = devices_of(target)
    except MelamaError as error:
        pipe.recv()
        pipe.send(error)
        return
    while True:
        try:
            config = from_mapping(pipe.recv())
        except EOFError:
            return
        try:
            plan = make_plan(config, target, efficiency=efficiency, devices=devices)
            pipe.send(as_json(plan, target, efficiency, Prices()))
        except MelamaError as error:
            pipe.send({"failed": str(error)})
