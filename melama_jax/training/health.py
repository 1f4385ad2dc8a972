"""Health of a run: no silent hang, stragglers by name, and one end for all processes of a job.

The watch-dog looks from a thread of its own at which of the dispatched steps the devices have finished. What is
compared between processes is what each can measure of itself: collectives make the step as slow as the slowest process
everywhere, so the step's time says nothing about who that is. Saving is left out as well: it has barriers inside.
"""

from __future__ import annotations

import contextlib
import faulthandler
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jax

from melama_jax.config import HealthConfig
from melama_jax.parallel.links import MatmulProbe
from melama_jax.parallel.peers import Failure, Peers, print_below
from melama_jax.training.guard import Guard

_POLL_SECONDS = 0.5
_TELL_SECONDS = 10.0
_GRACE_SECONDS = 60.0
"""From the time at which the watch-dog would end the process to that at which the guard does."""
_STOPPED_SECONDS = 0.25
"""A thread that sleeps so much longer than it asked was kept from running: stopped, swapped out, starved."""
_LEAST_SHARE = 0.05
"""Of an interval's time; figures below it make nobody a straggler."""
_PROBE_SHARE = 0.01
"""Of an interval's time that the probe of the devices may take."""


class Health:
    """Watches one process of a run, from its start to its end.

    Until `stepping` is called it is in a phase: the first has no limit, later ones `health.pause_minutes`.
    """

    def __init__(self, config: HealthConfig, folder: Path, *, echo: Callable[[str], None] = print):
        """Start watching.

        Args:
            config: The limits.
            folder: Where stacks are written, if ever.
            echo: Where process 0 reports stragglers.
        """
        self._config, self._folder, self._echo = config, folder, echo
        self.peers = Peers(timeout_seconds=config.peer_timeout_seconds, dump_stacks=self.dump_stacks)
        self._pending: deque[jax.Array] = deque()
        self._step_seconds: deque[float] = deque(maxlen=101)
        self._phase: str | None = "starting"
        self._limited = False
        self._since = time.monotonic()
        self._stopped = 0.0
        self._probe: MatmulProbe | None = None
        self._probe_cost = 0.0
        self._guard, self._guarded = Guard(), config.watchdog
        if self._guarded and not faulthandler.is_enabled():
            faulthandler.enable(file=2)  # what the guard's SIGABRT prints; not every sys.stderr has a descriptor
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch-dog", daemon=True)
        self._thread.start()

    def phase(self, name: str, *, limited: bool = True) -> None:
        """From now on something other than steps goes on."""
        self._limited, self._since, self._phase = limited, time.monotonic(), name

    def stepping(self) -> None:
        """From now on steps are expected."""
        self._since, self._phase = time.monotonic(), None

    @contextlib.contextmanager
    def pause(self, name: str) -> Iterator[None]:
        """Something between two steps, or within a phase, that has the time of a phase of its own."""
        before = self._phase, self._limited
        self.phase(name)
        try:
            yield
        finally:
            self._since = time.monotonic()
            self._phase, self._limited = before

    @contextlib.contextmanager
    def pause_alone(self, name: str) -> Iterator[None]:
        """A pause of this process that the others do not make: they are told, and wait for it meanwhile."""
        with self.pause(name), self.peers.busy():
            yield

    def dispatched(self, result: jax.Array) -> None:
        """A step was sent to the devices; `result` is ready when it is done."""
        self._pending.append(result)

    def close(self) -> None:
        """The run is over."""
        self._closed.set()
        self._thread.join(5)
        self._guard.close()
        self.peers.close()

    def compare(self, *, seconds: float, data_wait: float, device_wait: float) -> dict[str, float]:
        """Tell this process's figures of an interval; in process 0, compare what all told last, and report.

        The figures travel with the signs of life of `Peers`, so this waits for nobody, and what is compared may be
        one interval old.

        Args:
            seconds: Wall time of the interval's steps, evaluation and saving left out.
            data_wait: The part of it spent waiting for rows.
            device_wait: The part spent handing work to the devices and waiting for their results.

        Returns:
            Figures for the metrics; empty in a job of one process, and in all processes but the first.
        """
        if jax.process_count() == 1:
            return {}
        stopped, self._stopped = self._stopped, 0.0
        shares = {"waiting for data": data_wait, "other host work": seconds - data_wait - device_wait}
        shares["stopped or starved"] = stopped
        self.peers.report = {
            "shares": {name: round(max(value, 0.0) / max(seconds, 1e-9), 4) for name, value in shares.items()},
            "probe": self._probe_devices(seconds),
        }
        if jax.process_index() != 0:
            return {}
        return self._report(self.peers.reports)

    def dump_stacks(self) -> str | None:
        """Write what every Python thread is doing, without any values, into the health folder."""
        path = self._folder / f"stacks-{jax.process_index()}-{time.strftime('%Y%m%dT%H%M%S')}.txt"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as stream:
                faulthandler.dump_traceback(stream, all_threads=True)
        except OSError:
            faulthandler.dump_traceback(2, all_threads=True)
            return "above"
        return str(path)

    def _watch(self) -> None:
        try:
            self._watch_steps()
        except Exception as error:  # what watches a run must not end it
            print_below(f"health: the watch-dog failed ({type(error).__name__}: {error}); training goes on without it")
            self._guard.close()

    def _watch_steps(self) -> None:
        before, trusted_from, told = time.monotonic(), 0.0, 0.0
        while not self._closed.wait(_POLL_SECONDS):
            now = time.monotonic()
            passed, before = now - before, now
            overslept = passed - _POLL_SECONDS
            if overslept > _STOPPED_SECONDS:  # time in which nothing ran here proves nothing
                self._stopped += overslept
                self._since += overslept
                trusted_from = now + 10 * _POLL_SECONDS
            elif self.peers.others_busy:  # nor does time in which another process keeps the steps from being done
                self._since += passed
            self._note_finished(now)
            failure = self._overdue(now) if self._config.watchdog else None
            if failure is None and now > trusted_from:
                failure = self.peers.silent()
            if failure is not None and not self._closed.is_set():
                self.peers.end(failure)
            if self._guarded and now - told > _TELL_SECONDS:
                self._tell_guard()
                told = now

    def _tell_guard(self) -> None:
        limit = self._limit()
        try:
            self._guard.allow(None if limit is None else limit + _GRACE_SECONDS)
        except OSError as error:
            self._guarded = False
            print_below(f"health: no guard beside this process ({error}); the watch-dog goes on without it")

    def _note_finished(self, now: float) -> None:
        finished = 0
        while self._pending and _is_ready(self._pending[0]):
            self._pending.popleft()
            finished += 1
        if finished and self._phase is None:
            self._step_seconds.append((now - self._since) / finished)
            self._since = now

    def _limit(self) -> float | None:
        """Seconds that may pass from `_since` on; None for any."""
        if self._phase is not None and not self._limited:
            return None
        if self._phase is not None or not self._step_seconds:
            return self._config.pause_minutes * 60
        return max(self._config.min_seconds, self._config.step_factor * statistics.median(self._step_seconds))

    def _overdue(self, now: float) -> Failure | None:
        phase, limit, passed = self._phase, self._limit(), now - self._since
        if limit is None or passed < limit:
            return None
        process = jax.process_index()
        if phase is not None or not self._step_seconds:
            what = phase or "the first step"
            message = f"{what} took longer than health.pause_minutes {self._config.pause_minutes:g}"
        else:
            median = statistics.median(self._step_seconds)
            waits = "the devices have not finished one" if self._pending else "none was begun (data?)"
            message = f"no step for {passed:.0f} s, and the median takes {median:.3g} s: {waits}"
        return Failure(process, f"process {process}: {message}", stacks=True)

    def _probe_devices(self, seconds: float) -> float | None:
        """Seconds of the slowest local device for the probe; None on CPUs, and where it would cost too much."""
        devices = jax.local_devices()
        if devices[0].platform == "cpu" or self._probe_cost > _PROBE_SHARE * seconds:
            return None
        try:
            if self._probe is None:
                self._probe = MatmulProbe(devices)
            begun = time.monotonic()
            slowest = max(self._probe.seconds())
            self._probe_cost = time.monotonic() - begun
        except jax.errors.JaxRuntimeError:  # a run that fills its devices goes without
            self._probe_cost = float("inf")
            return None
        return slowest

    def _report(self, reports: Mapping[int, Mapping[str, Any]]) -> dict[str, float]:
        shares = {process: said["shares"] for process, said in reports.items() if said.get("shares")}
        if len(shares) < 2:
            return {}
        slowest = max(shares, key=lambda process: sum(shares[process].values()))
        lost = {process: sum(found.values()) for process, found in shares.items()}
        for name in shares[slowest]:
            self._name_straggler({p: found[name] for p, found in shares.items()}, reports, name, _LEAST_SHARE)
        probes = {process: said["probe"] for process, said in reports.items() if said.get("probe")}
        if len(probes) > 1:
            self._name_straggler(probes, reports, "matrix products", 0.0)
        figures: dict[str, float] = {
            "health/slowest_process": slowest,
            "health/slowest_lost_fraction": lost[slowest],
            "health/median_lost_fraction": statistics.median_low(lost.values()),
        }
        if len(probes) > 1:
            figures["health/probe_slowest_ratio"] = max(probes.values()) / statistics.median_low(probes.values())
        return figures

    def _name_straggler(
        self, figures: Mapping[int, float], reports: Mapping[int, Mapping[str, Any]], what: str, least: float
    ) -> None:
        worst = max(figures, key=lambda process: figures[process])
        median = statistics.median_low(figures.values())  # of two processes, the better one
        if figures[worst] <= self._config.straggler_ratio * median or figures[worst] - median <= least:
            return
        shown = "{:.1%} of its time" if least else "{:.3g} s"
        self._echo(
            f"straggler: process {worst} on {reports[worst]['host']}: {what} {shown.format(figures[worst])}, "
            f"median of all {shown.format(median)}"
        )


def _is_ready(result: jax.Array) -> bool:
    try:
        return bool(result.is_ready())  # type: ignore[attr-defined]  # of every concrete array
    except Exception:  # a step that failed is over; the loop meets its error
        return True
