"""Jobs as a user submits them, on a real SLURM: pre-flight, training, death, requeue, time limit, array."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import runs
from tests.slurm.cluster import Cluster, missing

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(bool(missing()), reason=f"SLURM is not installed here: no {', '.join(missing())}"),
]
STEPS = 60
QUICK_COMPILATION = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "true"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Four nodes, up to the end of this module."""
    started = Cluster(Path(tempfile.mkdtemp(prefix="slurm")), nodes=4, cpus=2)
    yield started
    started.stop()


def tree_of(run: Path, cache_dir: Path) -> dict[str, Any]:
    """A run whose losses do not depend on when it is stopped."""
    tree = runs.small_tree(
        run, cache_dir, train={"steps": STEPS}, eval={"interval": None}, checkpoint={"interval": 1000}
    )
    tree["optimizer"]["schedule"] = "constant"
    return tree


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> list[float]:
    """Losses of the same run in one process with two devices."""
    run = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUICK_COMPILATION.items():
            patch.setenv(name, value)
        started = runs.start_processes(tree_of(run, cache_dir), run, devices_per_process=2)
    assert runs.finish(started) == [0]
    return [loss for _, loss in runs.losses(run)]


class Jobs:
    """Submits runs, and looks at them."""

    def __init__(self, cluster: Cluster, compiled: Path):
        self.cluster = cluster
        self.variables = QUICK_COMPILATION | {
            "MELAMA_VENV": sys.prefix,
            "MELAMA_ALLOW_LOOPBACK": "1",  # all nodes are this machine
            "MELAMA_PREFLIGHT": "0",
            "JAX_PLATFORMS": "cpu",
            "JAX_COMPILATION_CACHE_DIR": str(compiled),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }

    def submit(self, run: Path, *arguments: str, options: str = "--nodes=2", **variables: str) -> str:
        """Submit launch/slurm/pretrain.sbatch; returns the job's number."""
        return self.cluster.call(
            *("sbatch", "--parsable", "--gres=none", f"--chdir={runs.REPOSITORY}", f"--output={run}/log"),
            *(*shlex.split(options), runs.REPOSITORY / "launch/slurm/pretrain.sbatch", *arguments),
            **self.variables | variables,
        )

    def train(self, tree: dict[str, Any], run: Path, options: str = "--nodes=2", **variables: str) -> str:
        """Submit a configuration."""
        run.mkdir(exist_ok=True)
        (run / "given.yaml").write_text(yaml.safe_dump(tree))
        return self.submit(run, "--config", str(run / "given.yaml"), options=options, **variables)

    def wait_for_steps(self, run: Path, steps: int = 3) -> None:
        """Wait until a run has logged some steps."""
        file = run / "metrics.jsonl"
        self.cluster.wait(lambda: file.exists() and len(file.read_text().splitlines()) >= steps, 120)

    def processes(self, job: str, **task: str) -> list[int]:
        """The training processes of a job: its second step, after the check of the configuration."""
        found = self.cluster.processes(SLURM_JOB_ID=job, SLURM_STEP_ID="1", **task)
        assert found
        return found


@pytest.fixture(scope="module")
def jobs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Jobs:
    return Jobs(cluster, tmp_path_factory.mktemp("compiled"))


@dataclasses.dataclass(frozen=True)
class Limited:
    """A job that meets its time limit."""

    job: str
    run: Path


@pytest.fixture(scope="module")
def limited(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Limited:
    """Started before the other jobs, because SLURM looks at time limits every 30 seconds.

    Until then the run crawls, so that it is not over before; the signal comes with a SIGCONT.
    """
    run = tmp_path_factory.mktemp("limited")
    submitted = time.monotonic()
    job = jobs.train(tree_of(run, cache_dir), run, "--nodes=2 --time=60 --signal=USR1@90")
    jobs.wait_for_steps(run)
    processes = jobs.processes(job)

    def crawl() -> None:
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            while True:
                for process in processes:
                    os.kill(process, signal.SIGSTOP)
                for _ in range(50):
                    time.sleep(0.1)
                    if any(stat(process) != "T" for process in processes):
                        return
                for process in processes:
                    os.kill(process, signal.SIGCONT)
                time.sleep(0.1)

    threading.Thread(target=crawl, daemon=True).start()
    # Limits are in minutes: one to two are left.
    minutes = int(time.monotonic() - submitted) // 60 + 2
    jobs.cluster.call("scontrol", "update", f"JobId={job}", f"TimeLimit={minutes}")
    return Limited(job, run)


def stat(process: int) -> str:
    """State of a process: T when it is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def check_losses(run: Path, alone: list[float]) -> None:
    """Every step once, with the loss of one process."""
    assert [step for step, _ in runs.losses(run)] == list(range(1, STEPS + 1))
    assert [loss for _, loss in runs.losses(run)] == pytest.approx(alone, rel=1e-4)


def test_a_killed_task_ends_the_job(limited: Limited, jobs: Jobs, tmp_path: Path, cache_dir: Path) -> None:
    tree = tree_of(tmp_path, cache_dir)
    tree["train"]["steps"] = 100_000
    job = jobs.train(tree, tmp_path)
    jobs.wait_for_steps(tmp_path)
    for process in jobs.processes(job, SLURM_PROCID="1"):
        os.kill(process, signal.SIGKILL)
    killed = time.monotonic()
    assert jobs.cluster.finish(job, 60) == "FAILED"
    assert time.monotonic() - killed < 60
    assert "task 1: Killed" in (tmp_path / "log").read_text()
    assert "training ended with status" in (tmp_path / "log").read_text()


def test_requeue_saves_and_the_job_goes_on(jobs: Jobs, alone: list[float], tmp_path: Path, cache_dir: Path) -> None:
    job = jobs.train(tree_of(tmp_path, cache_dir), tmp_path)
    jobs.wait_for_steps(tmp_path)
    jobs.cluster.call("scontrol", "requeue", job)
    assert jobs.cluster.finish(job) == "COMPLETED", (tmp_path / "log").read_text()
    check_losses(tmp_path, alone)
    assert "resumed from" in (tmp_path / "log").read_text()


def test_a_cancelled_job_saves_and_stays_out_of_the_queue(jobs: Jobs, tmp_path: Path, cache_dir: Path) -> None:
    job = jobs.train(tree_of(tmp_path, cache_dir), tmp_path, "--nodes=1")
    jobs.wait_for_steps(tmp_path)
    jobs.cluster.call("scancel", job)
    assert jobs.cluster.finish(job) == "CANCELLED"
    assert len(list((tmp_path / "checkpoints").glob("[0-9]*"))) == 1
    assert "that is left to it" in (tmp_path / "log").read_text()


def test_a_mistake_is_said_once(jobs: Jobs, tmp_path: Path, cache_dir: Path) -> None:
    tree = tree_of(tmp_path, cache_dir)
    tree["mesh"] = {"fsdp": 3}
    job = jobs.train(tree, tmp_path)
    assert jobs.cluster.finish(job) == "FAILED"
    assert jobs.cluster.exit_code(job) == 2
    log = (tmp_path / "log").read_text()
    assert log.count("error: mesh") == 1, log
    assert "Traceback" not in log


def test_a_time_limit_saves_and_the_job_goes_on(jobs: Jobs, limited: Limited, alone: list[float]) -> None:
    log = limited.run / "log"
    jobs.cluster.wait(lambda: "launch: saved; requeued" in log.read_text(), 90)
    jobs.cluster.call("scontrol", "update", f"JobId={limited.job}", "TimeLimit=60")  # else it comes again at once
    assert jobs.cluster.finish(limited.job) == "COMPLETED", log.read_text()
    check_losses(limited.run, alone)
    assert "resumed from" in log.read_text()


def test_the_runs_of_an_array_do_not_meet(jobs: Jobs, alone: list[float], tmp_path: Path, cache_dir: Path) -> None:
    for task, seed in enumerate((0, 1)):
        tree = tree_of(tmp_path / f"run{task}", cache_dir)
        tree["run"]["seed"] = seed
        (tmp_path / f"{task}.yaml").write_text(yaml.safe_dump(tree))
    # One process per GPU (of a kind that is none): both of a job are on one node.
    options = f"--nodes=1 --ntasks-per-node=2 --gres=gpu:2 --array=0-1 --output={tmp_path}/log%a"
    job = jobs.submit(tmp_path, "--config", f"{tmp_path}/%a.yaml", options=options)
    for task in range(2):
        assert jobs.cluster.finish(f"{job}_{task}") == "COMPLETED", (tmp_path / f"log{task}").read_text()
    check_losses(tmp_path / "run0", alone)
    other = [loss for _, loss in runs.losses(tmp_path / "run1")]
    assert len(other) == STEPS
    assert other != pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("nodes", [2, 4])
def test_a_job_passes_preflight_and_trains_to_the_losses_of_one_process(
    nodes: int, jobs: Jobs, alone: list[float], tmp_path: Path, cache_dir: Path
) -> None:
    job = jobs.train(tree_of(tmp_path, cache_dir), tmp_path, f"--nodes={nodes}", MELAMA_PREFLIGHT="1")
    assert jobs.cluster.finish(job) == "COMPLETED", (tmp_path / "log").read_text()
    check_losses(tmp_path, alone)
    log = (tmp_path / "log").read_text()
    assert f"SLURM: process 0 of {nodes} on {nodes} hosts" in log
    assert log.index("melama_jax.preflight") < log.index("all-reduce") < log.index("melama_jax.train --config")
