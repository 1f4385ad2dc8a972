"""Whether the other processes of a job are alive, and one way for all of them to end when one cannot go on.

Each process says every few seconds, through JAX's coordination service, that it lives; process 0 listens. A process
that fails, hangs or finds another one gone writes down why, once for the whole job; all others read it, print that one
line and leave at once, out of whatever collective they wait in. JAX's own heartbeats stay as the last resort: they end
a job whose process 0 was killed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import faulthandler
import json
import os
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import jax

from melama_jax.errors import HEALTH_EXIT_CODE, USER_ERROR_EXIT_CODE, MelamaError
from melama_jax.parallel.agreement import PeerLostError, coordination_client

_FAILURE, _ALIVE, _BUSY = "melama/failure", "melama/alive/", "melama/busy/"
_LAST_RESORT_SECONDS = 25.0
_FINISH_SECONDS = 120.0
"""For what a process that fails still has to finish, while the others wait for it in a collective."""


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a job ends.

    Attributes:
        process: The process that is to blame, as far as is known.
        message: One line without any text of the data.
        code: Exit status of every process.
        stacks: Whether each process writes down what its threads are doing.
    """

    process: int
    message: str
    code: int = HEALTH_EXIT_CODE
    stacks: bool = False


class Peers:
    """This process's link to the others; does nothing in a job of one process but end it."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        dump_stacks: Callable[[], str | None] = lambda: None,
        code: int = HEALTH_EXIT_CODE,
    ):
        """Begin to listen, in a thread of its own.

        Args:
            timeout_seconds: A process that was silent for so long is taken for dead.
            dump_stacks: Writes down what the threads are doing and says where.
            code: Exit status when a process is lost.
        """
        self._client = coordination_client()
        self._process, self._count = jax.process_index(), jax.process_count()
        self._timeout, self._dump_stacks, self._code = timeout_seconds, dump_stacks, code
        self._interval = min(2.0, timeout_seconds / 10)
        self.report: dict[str, Any] = {}
        """Figures that go to process 0 with the next sign of life."""
        self.reports: dict[int, dict[str, Any]] = {}
        """In process 0: the newest figures of every process."""
        self._heard: dict[int, tuple[Any, float]] = {}
        self._started = self._answered = time.monotonic()
        self._beat = 0
        self._busy: set[int] = set()
        self._closed, self._ending = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._listen, name="peers", daemon=True)
        if self._client is not None:
            self._thread.start()

    def tell(self, error: BaseException | None, *, finish: Callable[[], Any] | None = None) -> None:
        """End the other processes too when something was raised here that they do not raise themselves.

        Returns where there is nothing to tell: without an error, in a job of one process, or where all agree on it.

        Args:
            error: What was raised.
            finish: What goes on in the background, such as a save, and is waited for (for a while) when the error is
                this process's own mistake, met while all others live.
        """
        if error is None or self._client is None or getattr(error, "agreed", False):
            return
        if finish is not None and isinstance(error, MelamaError) and not isinstance(error, PeerLostError):
            _within(_FINISH_SECONDS, finish)
        self._fail(error)

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """This process does something alone and may give no sign of life; JAX's heartbeats still tell its death."""
        key = f"{_BUSY}{self._process}"
        if self._client is not None:
            with contextlib.suppress(jax.errors.JaxRuntimeError):
                self._client.key_value_set(key, "", allow_overwrite=True)
        try:
            yield
        finally:
            if self._client is not None:
                with contextlib.suppress(jax.errors.JaxRuntimeError):
                    self._publish("running")
                    self._client.key_value_delete(key)

    @property
    def others_busy(self) -> bool:
        """Whether another process was `busy` a moment ago, so that all wait for it."""
        return bool(self._busy - {self._process})

    def silent(self) -> Failure | None:
        """Whether process 0, through which all is told, has stopped answering; asked from another thread."""
        silence = time.monotonic() - self._answered
        if self._client is None or self._closed.is_set() or self._process == 0 or silence < self._timeout:
            return None
        return Failure(0, f"process 0, the coordinator, has not answered for {silence:.0f} s", self._code)

    def end(self, failure: Failure) -> NoReturn:
        """Tell the others, print the reason, and leave at once with its status, whatever other threads wait for."""
        if not self._ending.acquire(blocking=False):
            threading.Event().wait()  # another thread is at it
        faulthandler.dump_traceback_later(_LAST_RESORT_SECONDS, exit=True)  # should anything below hang
        _within(3.0, lambda: self._tell(failure))
        print_below(f"error: {failure.message}")
        if failure.stacks:  # after the reason: a file system that hangs may be what stopped the steps
            _within(5.0, self._print_stacks)
        self._leave(failure)

    def close(self) -> None:
        """This process is done; its silence from now on means nothing."""
        self._closed.set()
        if self._client is not None:
            self._thread.join(5)
            _within(3.0, lambda: self._publish("done"))

    def _fail(self, error: BaseException) -> NoReturn:
        user = isinstance(error, MelamaError)
        if not user:
            traceback.print_exception(error)
        lost = isinstance(error, PeerLostError)
        broken = isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" not in str(error)
        if lost or broken:
            # A collective breaks when another process dies: time for that one to be named, which ends this process.
            time.sleep(self._timeout + 3 * self._interval)
        reason = " ".join(str(error).split()) if user else f"{type(error).__name__}; see its output"
        code = USER_ERROR_EXIT_CODE if user else 130 if isinstance(error, KeyboardInterrupt) else 1
        if not self._ending.acquire(blocking=False):
            threading.Event().wait()
        faulthandler.dump_traceback_later(_LAST_RESORT_SECONDS, exit=True)
        failure = Failure(self._process, f"process {self._process} failed: {reason}", code)
        _within(3.0, lambda: self._tell(failure))
        print_below(f"error: {reason if user else failure.message}")
        self._leave(failure)

    def _print_stacks(self) -> None:
        if where := self._dump_stacks():
            print_below(f"stacks of all threads: {where}")

    def _leave(self, failure: Failure) -> NoReturn:
        _within(1.0, sys.stdout.flush)
        _within(2.0, lambda: self._publish("ended"))
        if self._process == 0:
            _within(5.0, lambda: self._wait_for_others(failure.process))
        os._exit(failure.code)

    def _listen(self) -> None:
        while not self._closed.wait(self._interval):
            with contextlib.suppress(jax.errors.JaxRuntimeError):  # a service that is gone is noticed by its silence
                self._publish("running")
                self._busy = {int(key.rsplit("/", 1)[1]) for key, _ in self._client.key_value_dir_get(_BUSY)}
                failure = self._told()
                if failure is None and self._process == 0:
                    failure = self._find_dead()
                self._answered = time.monotonic()
                if failure is not None and not self._closed.is_set():
                    self.end(failure)

    def _publish(self, state: str) -> None:
        self._beat += 1
        said = {"state": state, "beat": self._beat, "host": socket.gethostname(), "report": self.report}
        self._client.key_value_set(f"{_ALIVE}{self._process}", json.dumps(said), allow_overwrite=True)

    def _told(self) -> Failure | None:
        try:
            return Failure(**json.loads(self._client.key_value_try_get(_FAILURE)))
        except jax.errors.JaxRuntimeError as error:
            if "NOT_FOUND" in str(error):
                return None
            raise

    def _tell(self, failure: Failure) -> None:
        if self._client is not None:
            with contextlib.suppress(jax.errors.JaxRuntimeError):  # the first one told is the cause
                self._client.key_value_set(_FAILURE, json.dumps(dataclasses.asdict(failure)))

    def _states(self) -> dict[int, dict[str, Any]]:
        found = self._client.key_value_dir_get(_ALIVE)
        return {int(key.rsplit("/", 1)[1]): json.loads(said) for key, said in found}

    def _find_dead(self) -> Failure | None:
        """In process 0: the first process whose signs of life stopped."""
        states, now = self._states(), time.monotonic()
        self.reports = {process: said["report"] | {"host": said["host"]} for process, said in states.items()}
        late = now - self._answered > self._timeout / 2  # this process itself was stopped, so its clock proves nothing
        for process in range(1, self._count):
            said = states.get(process, {})
            beat, since = self._heard.get(process, (None, self._started))
            if said.get("beat") != beat or late or process in self._busy:
                self._heard[process] = (said.get("beat"), now)
            elif said.get("state") != "done" and now - since > self._timeout:
                host = f" on {said['host']}" if "host" in said else ""
                return Failure(
                    process,
                    f"process {process}{host} has not been heard of for {now - since:.0f} s: it was killed or stopped, "
                    f"or its host is gone",
                    self._code,
                )
        return None

    def _wait_for_others(self, lost: int) -> None:
        """Process 0 holds the coordination service, so it leaves last."""
        others = set(range(1, self._count)) - {lost}
        while self._client is not None and others - {
            process for process, said in self._states().items() if said["state"] != "running"
        }:
            time.sleep(0.1)
        time.sleep(0.3)  # from their word to their end


def _within(seconds: float, action: Callable[[], Any]) -> None:
    """Do something that may hang or fail, for so long at most."""

    def attempt() -> None:
        with contextlib.suppress(Exception):
            action()

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)


def print_below(line: str) -> None:
    """To standard error below all buffers and their locks; a progress bar's hidden cursor comes back."""
    shown = "\x1b[?25h" if os.isatty(2) else ""
    with contextlib.suppress(OSError):
        os.write(2, f"{shown}{line}\n".encode())
