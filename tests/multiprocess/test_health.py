"""Real processes that die, hang, fail or lag: the others say so and end, and never wait in silence."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config import from_mapping
from melama_jax.data.prepare import ensure_prepared
from melama_jax.errors import HEALTH_EXIT_CODE
from tests import runs

LONG = {"steps": 100_000, "global_batch_size": 4, "sequence_length": 64}


def long_tree(folder: Path, cache_dir: Path, **sections: Any) -> dict[str, Any]:
    """A run that ends only when something ends it."""
    rest = {"eval": {"interval": None}, "checkpoint": {"interval": 100_000}, "train": LONG, "log": {"interval": 20}}
    return runs.small_tree(folder / "run", cache_dir, **rest | sections)


class Job:
    """Two processes of a run, killed at the end whatever happens."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.processes: list[subprocess.Popen] = []

    def start(self, tree: dict[str, Any], own: dict[int, list[str]] | None = None) -> None:
        self.processes = runs.start_processes(tree, self.folder, processes=2, own=own)

    def log(self, process: int) -> str:
        return (self.folder / f"log{process}").read_text()

    def await_steps(self) -> None:
        metrics, deadline = self.folder / "run" / "metrics.jsonl", time.monotonic() + 90
        while not metrics.exists() or len(metrics.read_text().splitlines()) < 3:
            assert time.monotonic() < deadline, self.log(0)[-2000:]
            assert all(process.poll() is None for process in self.processes), self.log(0)[-2000:]
            time.sleep(0.05)

    def error(self, process: int) -> str:
        [line] = [line for line in self.log(process).splitlines() if line.startswith("error: ")]
        return line


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
    started = Job(tmp_path)
    yield started
    for process in started.processes:
        process.kill()
        process.wait()


def test_a_process_that_is_stopped_again_and_again_is_named_and_a_killed_one_too(
    job: Job, tmp_path: Path, cache_dir: Path
) -> None:
    job.start(long_tree(tmp_path, cache_dir, health={"peer_timeout_seconds": 5}))
    job.await_steps()
    for _ in range(12):
        job.processes[1].send_signal(signal.SIGSTOP)
        time.sleep(1.0)
        job.processes[1].send_signal(signal.SIGCONT)
        time.sleep(0.7)
        if "straggler: " in job.log(0):
            break
    lines = [line for line in job.log(0).splitlines() if line.startswith("straggler: ")]
    assert lines, job.log(0)[-2000:]
    assert "process 1 on " in lines[-1]
    assert "stopped or starved" in lines[-1]
    assert any(record.get("health/slowest_process") == 1 for record in runs.records(tmp_path / "run"))

    job.processes[1].kill()
    begun = time.monotonic()
    assert job.processes[0].wait(60) == HEALTH_EXIT_CODE
    print(f"ended {time.monotonic() - begun:.1f} s after the kill")
    assert "process 1 on " in job.error(0)
    assert "has not been heard of for" in job.error(0)


def test_the_death_of_the_first_process_ends_the_other(job: Job, tmp_path: Path, cache_dir: Path) -> None:
    job.start(long_tree(tmp_path, cache_dir))
    job.await_steps()
    job.processes[0].kill()
    assert job.processes[1].wait(60) != 0
    assert "JAX distributed service" in job.log(1)


def test_the_watch_dog_ends_a_hang_and_leaves_stacks(job: Job, tmp_path: Path, cache_dir: Path) -> None:
    health = {"min_seconds": 10, "step_factor": 2, "peer_timeout_seconds": 45}
    job.start(long_tree(tmp_path, cache_dir, health=health))
    job.await_steps()
    job.processes[1].send_signal(signal.SIGSTOP)
    assert job.processes[0].wait(60) == HEALTH_EXIT_CODE
    assert "process 0: no step for" in job.error(0)
    [stacks] = (tmp_path / "run" / "health").iterdir()
    assert f"stacks of all threads: {stacks}" in job.log(0).splitlines()
    assert "training/loop.py" in stacks.read_text()
    # The one that hung wakes up to find that its job has ended.
    job.processes[1].send_signal(signal.SIGCONT)
    assert job.processes[1].wait(30) != 0


def test_rows_that_one_process_cannot_read_end_both(job: Job, tmp_path: Path) -> None:
    """The second process alone meets the damage, in the middle of steps that the first waits in."""
    tree = long_tree(tmp_path, tmp_path / "cache")
    ensure_prepared(from_mapping(tree), echo=lambda text: None)
    own = tmp_path / "own"
    shutil.copytree(tmp_path / "cache", own)
    [rows] = own.glob("biomedical-*/train-*.array_record")
    content = bytearray(rows.read_bytes())
    start, stop = len(content) // 10, len(content) * 8 // 10  # what lies where is written at the end
    content[start:stop] = bytes(stop - start)
    rows.write_bytes(content)
    job.start(tree, own={1: ["--set", f"data.cache_dir={own}"]})
    begun = time.monotonic()
    assert [process.wait(120) for process in job.processes] == [2, 2], job.log(0)[-2000:] + job.log(1)[-2000:]
    print(f"both ended after {time.monotonic() - begun:.1f} s")
    assert str(rows) in job.error(1)
    assert job.error(0) == f"error: process 1 failed: {job.error(1).removeprefix('error: ')}"


def test_an_end_that_all_processes_share_finishes_the_save(job: Job, tmp_path: Path, cache_dir: Path) -> None:
    wild = {"learning_rate": 1e30, "warmup_ratio": 0.0, "clip_norm": None}
    trained = LONG | {"steps": 12, "max_consecutive_nonfinite_steps": 2}
    job.start(long_tree(tmp_path, cache_dir, optimizer=wild, train=trained, checkpoint={"interval": 2}))
    assert [process.wait(120) for process in job.processes] == [2, 2], job.log(0)[-2000:] + job.log(1)[-2000:]
    assert job.error(0) == job.error(1)
    assert "steps in a row had a non-finite loss" in job.error(0)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["2"]


def test_a_signal_while_several_processes_compile_is_not_lost(job: Job, tmp_path: Path, cache_dir: Path) -> None:
    tree = long_tree(tmp_path, cache_dir, train=LONG | {"steps": 12}, checkpoint={"interval": 4})
    assert runs.finish(runs.start_processes(tree, tmp_path / "before", processes=2)) == [0, 0]
    # Resumed, the job is at step 12 before it takes its first one.
    tree["train"]["steps"] = LONG["steps"]
    tree["optimizer"]["schedule"] = "constant"
    job.start(tree)
    deadline = time.monotonic() + 60
    while "resuming with" not in job.log(0):  # compilation comes next
        assert time.monotonic() < deadline, job.log(0)[-2000:]
        time.sleep(0.02)
    job.processes[1].send_signal(signal.SIGTERM)
    assert [process.wait(120) for process in job.processes] == [75, 75], job.log(0)[-2000:]
    assert "nothing to save yet, stopping on request" in job.log(0)


BUSY_THEN_MISTAKEN = """
import ctypes, sys, time
from pathlib import Path
from melama_jax.errors import DataError
from melama_jax.parallel import distributed
from melama_jax.parallel.agreement import gather
from melama_jax.parallel.peers import Peers
distributed.initialize(lambda text: None)
peers = Peers(timeout_seconds=3)
gather("both are there", "")
if distributed.detect().process_id == 0:
    heard = False
    while True:
        time.sleep(0.1)
        if peers.others_busy != heard:
            heard = peers.others_busy
            print("busy" if heard else "not busy", flush=True)
with peers.busy():
    ctypes.PyDLL(None).sleep(8)  # no thread of Python's runs
time.sleep(2)
peers.tell(DataError("row 7 is damaged"), finish=lambda: Path(sys.argv[1]).touch())
"""


def test_a_busy_process_is_waited_for_and_one_that_fails_finishes_what_goes_on(tmp_path: Path) -> None:
    finished = tmp_path / "finished"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    about = {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": "2", "JAX_PLATFORMS": "cpu"}
    environment = os.environ | about | {"PYTHONPATH": str(runs.REPOSITORY)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY_THEN_MISTAKEN, str(finished)],
            env=environment | {"JAX_PROCESS_ID": str(process)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(2)
    ]
    try:
        said = [process.communicate(timeout=90) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [2, 2], said
    assert said[0][0].splitlines() == ["busy", "not busy"]
    assert "error: process 1 failed: row 7 is damaged" in said[0][1]
    assert finished.exists()
