"""The watch-dog and the comparison of processes, in one process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest

from melama_jax.config import HealthConfig
from melama_jax.errors import HEALTH_EXIT_CODE
from melama_jax.parallel.peers import Failure
from melama_jax.training import health as module
from melama_jax.training.health import Health
from tests import runs


class Ended:
    """What a watched process would have ended with."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.at = threading.Event()

    def __call__(self, failure: Failure) -> None:
        self.failure = failure
        self.at.set()
        threading.Event().wait(0.5)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def health(
    tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Health]:
    monkeypatch.setattr(module, "_POLL_SECONDS", 0.05)
    config = HealthConfig(**getattr(request, "param", {}))
    watched = Health(config, tmp_path / "health", echo=lines.append)
    yield watched
    watched.close()


@pytest.fixture
def ended(health: Health, monkeypatch: pytest.MonkeyPatch) -> Ended:
    end = Ended()
    monkeypatch.setattr(health.peers, "end", end)
    return end


def step(health: Health, count: int = 5) -> None:
    """Steps that are done as soon as they are dispatched."""
    for _ in range(count):
        health.dispatched(jnp.zeros(()))
        time.sleep(0.06)


QUICK = {"min_seconds": 1.5, "step_factor": 2, "pause_minutes": 4 / 60}


@pytest.mark.parametrize("health", [QUICK], indirect=True)
def test_no_step_for_too_long_ends_the_process_with_stacks(health: Health, ended: Ended) -> None:
    health.stepping()
    step(health)
    assert ended.failure is None
    assert ended.at.wait(15)
    assert ended.failure is not None
    assert ended.failure.code == HEALTH_EXIT_CODE
    assert ended.failure.stacks
    assert "process 0: no step for" in ended.failure.message
    assert "none was begun" in ended.failure.message


@pytest.mark.parametrize("health", [QUICK | {"min_seconds": 0.01, "step_factor": 8}], indirect=True)
def test_the_limit_follows_the_median_step(health: Health, ended: Ended) -> None:
    health.stepping()
    for _ in range(6):
        health.dispatched(jnp.zeros(()))
        time.sleep(0.2)
    assert not ended.at.wait(0.6), "eight times the median of 0.2 s is not over"
    assert ended.at.wait(15)


@pytest.mark.parametrize("health", [QUICK], indirect=True)
def test_preparation_may_take_any_time_and_a_pause_its_own(health: Health, ended: Ended) -> None:
    assert not ended.at.wait(4.5), "before the first phase there is no limit"
    health.stepping()
    step(health)
    with health.pause("an evaluation"):
        assert not ended.at.wait(2.0), "longer than min_seconds, shorter than pause_minutes"
    step(health, 2)
    assert ended.failure is None
    health.phase("the end of the run")
    assert ended.at.wait(20)
    assert ended.failure is not None
    assert "the end of the run took longer than health.pause_minutes" in ended.failure.message


@pytest.mark.parametrize("health", [QUICK | {"watchdog": False}], indirect=True)
def test_it_can_be_switched_off(health: Health, ended: Ended) -> None:
    health.stepping()
    step(health)
    assert not ended.at.wait(2.5)


def test_stacks_hold_places_and_no_values(health: Health) -> None:
    patient = "Mrs. Nobody, 55 years"
    where = health.dump_stacks()
    assert where is not None
    text = Path(where).read_text()
    assert "test_stacks_hold_places_and_no_values" in text
    assert "watch" in text
    assert patient not in text
    assert "Nobody" not in text


def report(waiting: float = 0.0, stopped: float = 0.0, probe: float | None = None, host: str = "a") -> dict[str, Any]:
    shares = {"waiting for data": waiting, "other host work": 0.01, "stopped or starved": stopped}
    return {"shares": shares, "probe": probe, "host": host}


def test_alike_processes_have_no_straggler(health: Health, lines: list[str]) -> None:
    figures = health._report({p: report(waiting=0.30 + p / 100, probe=1.0 + p / 10) for p in range(4)})
    assert lines == []
    assert figures["health/slowest_process"] == 3
    assert figures["health/probe_slowest_ratio"] == pytest.approx(1.3 / 1.1)


@pytest.mark.parametrize("processes", [2, 5])
def test_the_process_that_waits_for_its_rows_is_named(processes: int, health: Health, lines: list[str]) -> None:
    reports = {p: report(waiting=0.01) for p in range(processes)} | {1: report(waiting=0.4, host="node7")}
    figures = health._report(reports)
    assert figures["health/slowest_process"] == 1
    assert figures["health/slowest_lost_fraction"] == pytest.approx(0.41)
    assert lines == [
        "straggler: process 1 on node7: waiting for data 40.0% of its time, median of all 1.0% of its time"
    ]


def test_a_slow_device_is_named(health: Health, lines: list[str]) -> None:
    health._report({p: report(probe=0.002 if p != 2 else 0.004, host=f"node{p}") for p in range(4)})
    assert lines == ["straggler: process 2 on node2: matrix products 0.004 s, median of all 0.002 s"]


def test_figures_too_small_to_matter_make_no_straggler(health: Health, lines: list[str]) -> None:
    health._report({0: report(waiting=0.001), 1: report(waiting=0.04)})
    assert lines == []


GUARDED = """
import ctypes, time
from pathlib import Path
from melama_jax.config import HealthConfig
from melama_jax.training import guard, health as module
module._POLL_SECONDS, module._TELL_SECONDS, module._GRACE_SECONDS, guard.HOP_SECONDS = 0.05, 0.1, 1.0, 0.2
health = module.Health(HealthConfig(pause_minutes=4 / 60), Path({folder!r}))
health.stepping()
time.sleep(0.5)
print("guarded", flush=True)
{rest}
"""


def guarded(folder: Path, rest: str) -> subprocess.Popen[str]:
    program = GUARDED.format(folder=str(folder), rest=rest)
    environment = os.environ | {"PYTHONPATH": str(runs.REPOSITORY)}
    command = [sys.executable, "-c", program]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_lock_that_is_never_let_go_ends_the_process_too(tmp_path: Path) -> None:
    """It is held by the program, so that no other thread of Python's runs."""
    process = guarded(tmp_path, "ctypes.PyDLL(None).sleep(60)")
    _, said = process.communicate(timeout=50)
    assert process.returncode == -signal.SIGABRT
    assert f"error: process {process.pid} has not run for" in said
    assert 'File "<string>"' in said


def test_a_process_that_was_stopped_for_longer_than_any_limit_goes_on(tmp_path: Path) -> None:
    rest = "time.sleep(1); health.phase('the end', limited=False); time.sleep(1.5); health.close(); print('done')"
    process = guarded(tmp_path, rest)
    assert process.stdout is not None
    assert process.stdout.readline() == "guarded\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(7)
    process.send_signal(signal.SIGCONT)
    out, said = process.communicate(timeout=50)
    assert (process.returncode, out) == (0, "done\n"), said
    assert "has not run" not in said


def test_without_a_place_for_stacks_they_go_to_standard_error(
    tmp_path: Path, health: Health, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "health").write_text("in the way")
    assert health.dump_stacks() == "above"
    assert "test_without_a_place" in capfd.readouterr().err


def test_a_watch_dog_that_fails_says_so_once(
    health: Health, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(now: float) -> None:
        raise ValueError("no descriptor")

    monkeypatch.setattr(health, "_overdue", fail)
    health._thread.join(10)
    assert capfd.readouterr().err == (
        "health: the watch-dog failed (ValueError: no descriptor); training goes on without it\n"
    )


@pytest.mark.parametrize("health", [QUICK], indirect=True)
def test_time_in_which_another_process_is_busy_does_not_count(
    health: Health, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    health.stepping()
    step(health)
    monkeypatch.setattr(health.peers, "_busy", {1})
    assert not ended.at.wait(3)
    monkeypatch.setattr(health.peers, "_busy", set())
    assert ended.at.wait(10)
