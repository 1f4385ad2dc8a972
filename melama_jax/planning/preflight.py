"""The checks before a run: each process measures, process 0 judges what all of them told, and nobody waits for ever."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax

from melama_jax.errors import MelamaError
from melama_jax.parallel.agreement import exchange, some

Result = Literal["ok", "warning", "failed", "skipped"]
_GRACE_SECONDS = 5.0
"""How much later than its own time limit another process's word may come."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A row of the table.

    Attributes:
        check: What was checked.
        result: "failed" alone keeps a run from starting.
        figure: What was found.
        advice: What to do about it; empty when all is well.
    """

    check: str
    result: Result
    figure: str
    advice: str = ""


@dataclasses.dataclass(frozen=True)
class Check:
    """Something to check.

    Attributes:
        name: Unique.
        measure: Called in every process; what it returns goes to process 0 as JSON. A `MelamaError` fails the check.
        judge: Called in process 0 with every process's value.
        collective: Whether the measurement hangs when a process is missing; then it is left out.
    """

    name: str
    measure: Callable[[], Any]
    judge: Callable[[Mapping[int, Any]], Finding]
    collective: bool = False


class Preflight:
    """Runs checks one after the other, in every process of the job alike."""

    def __init__(self, *, timeout_seconds: float, show: Callable[[Finding], None] = lambda finding: None):
        """Begin.

        Args:
            timeout_seconds: How long a measurement may take.
            show: Told of each finding, in process 0.
        """
        self._timeout, self._show = timeout_seconds, show
        self.lost: set[int] = set()
        """Processes that did not answer; what they run cannot be waited for any more."""
        self.stuck = False
        """Whether a measurement of some process did not come back."""

    def run(self, checks: Sequence[Check]) -> list[Finding]:
        """Findings of all checks, in process 0; empty in the others."""
        findings = []
        for check in checks:
            finding = self._run(check)
            if jax.process_index() == 0:
                self._show(finding)
                findings.append(finding)
        return findings

    def agree(self, failed: bool) -> bool:
        """Process 0's verdict, in every process."""
        said = exchange("preflight/verdict", json.dumps(failed), timeout_seconds=self._timeout, without=self.lost)
        return 0 not in said or json.loads(said[0])

    def leave(self) -> None:
        """End here and now if some process is stuck or gone, since JAX's orderly end would wait for it."""
        if not self.lost and not self.stuck:
            return
        others = () if jax.process_index() == 0 else range(jax.process_count())
        with contextlib.suppress(jax.errors.JaxRuntimeError):
            exchange("preflight/leaving", "", timeout_seconds=_GRACE_SECONDS, without={*self.lost, *others})
        sys.stdout.flush()
        if jax.process_index() == 0:
            time.sleep(0.5)  # it holds the coordination service, so it leaves last
        os._exit(1)

    def _run(self, check: Check) -> Finding:
        if check.collective and (self.stuck or self.lost):
            return Finding(check.name, "skipped", "a process is missing or stuck")
        outcome = limited(check.measure, self._timeout)
        found = exchange(
            f"preflight/{check.name}",
            json.dumps(outcome),
            timeout_seconds=self._timeout + _GRACE_SECONDS,
            without=self.lost,
        )
        told = {process: json.loads(said) for process, said in sorted(found.items())}
        missing = set(range(jax.process_count())) - told.keys() - self.lost
        self.lost |= missing
        late = [process for process, said in told.items() if "late" in said]
        self.stuck = self.stuck or bool(late)
        if missing:
            return Finding(
                check.name,
                "failed",
                f"no word from {some(missing)} of {jax.process_count()} in {self._timeout + _GRACE_SECONDS:g} s",
                "see the output of these processes and their hosts",
            )
        if late:
            advice = "it hangs there" if len(late) < len(told) else "raise --timeout if this is slow but not stuck"
            return Finding(check.name, "failed", f"{some(late)} did not finish in {self._timeout:g} s", advice)
        errors = {process: said["error"] for process, said in told.items() if "error" in said}
        if errors:
            first = min(errors)
            where = "" if len(errors) == jax.process_count() else f"{some(errors)}: "
            return Finding(check.name, "failed", f"{where}{errors[first]}")
        return check.judge({process: said["value"] for process, said in told.items()})


def limited(action: Callable[[], Any], timeout_seconds: float) -> dict[str, Any]:
    """What an action returns under "value", its complaint under "error", or "late" when it does not come back."""
    outcome: dict[str, Any] = {}

    def attempt() -> None:
        try:
            outcome["value"] = action()
        except MelamaError as error:
            outcome["error"] = " ".join(str(error).split())
        except OSError as error:
            outcome["error"] = f"{error.filename or 'operating system'}: {error.strerror or type(error).__name__}"
        except jax.errors.JaxRuntimeError as error:
            outcome["error"] = (str(error).splitlines() or [""])[0][:200]
        except Exception as error:  # whatever a driver or library raises is a row of the table, not the end of it
            outcome["error"] = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(timeout_seconds)
    return dict(outcome) or {"late": True}


def differing(values: Mapping[int, Any]) -> dict[int, Any]:
    """The processes whose value is not the commonest, with theirs."""
    texts = {process: json.dumps(value, sort_keys=True) for process, value in values.items()}
    common = statistics.mode(texts[process] for process in sorted(texts))
    return {process: values[process] for process, text in texts.items() if text != common}


def spread(values: Sequence[float], unit: str) -> str:
    """Figures of several devices or processes in one cell."""
    low, high = min(values), max(values)
    if math.isclose(low, high, rel_tol=0.01) or len(values) == 1:
        return f"{_short(statistics.median(values))} {unit}"
    return f"{_short(low)} to {_short(high)} {unit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
