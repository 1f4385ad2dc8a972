"""Traces of a running job: the steps that were asked for, what lies beside them, and failures that stop nothing."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from melama_jax import profile
from melama_jax.config.resume import check_resumable
from melama_jax.planning.trace import read_trace
from melama_jax.planning.trace_summary import summarize
from melama_jax.train import train
from melama_jax.training import profiling
from melama_jax.training.profiling import Profiler, step_span
from tests.runs import small_config

pytestmark = pytest.mark.usefixtures("quick_compilation")


class Job:
    """Steps of a small program, traced as a training job's are."""

    def __init__(self, run_dir: Path, cache_dir: Path, **chosen: Any):
        self.said: list[str] = []
        self.profiler = Profiler(small_config(run_dir, cache_dir, profile=chosen), run_dir, echo=self.said.append)
        self.state = jnp.ones((64, 64))
        self.profiler.program = self.step = jax.jit(lambda x: x @ x / 64).lower(self.state).compile()
        self.number = 0

    def run(self, steps: int) -> None:
        for number in range(self.number + 1, self.number + steps + 1):
            self.profiler.before(number, self.state)
            with step_span(number):
                self.state = self.step(self.state)
            self.profiler.after(number, self.state)
            self.number = number


def moments(run_dir: Path) -> set[str]:
    return {path.name for path in (run_dir / "profile").glob("*")}


def test_a_training_run(tmp_path: Path, cache_dir: Path) -> None:
    """A window that the run's end cuts short."""
    chosen = {"train": {"steps": 4}, "eval": {"interval": None}, "profile": {"start_step": 3, "num_steps": 4}}
    train(small_config(tmp_path, cache_dir, **chosen))
    assert moments(tmp_path) == {"step_3"}
    folder = tmp_path / "profile" / "step_3"
    about = json.loads((folder / "melama.json").read_text())
    assert (about["first_step"], about["steps"], about["devices"]) == (3, 2, 8)
    assert about["tokens_per_step"] == 8 * 64
    assert about["memory"]["temp"] > 0
    assert gzip.decompress((folder / "memory_000.pprof").read_bytes())
    assert profile.main(["summarize", str(tmp_path), "--perfetto"]) == 0
    content = json.loads(gzip.decompress(next(folder.rglob("000_*.perfetto.json.gz")).read_bytes()))
    assert "metadata" not in content
    events = content["traceEvents"]
    assert [e["args"]["step_num"] for e in events if e.get("name") == "train"] == ["3", "4"]
    summary = summarize(read_trace(tmp_path), peak_flops=1e12)
    assert summary.trace.steps == 2
    assert len(summary.devices) == 8
    assert min(summary.classes[kind] for kind in ("matmul", "attention", "elementwise", "collective")) > 0
    assert min(summary.parts[part] for part in ("attention", "mlp", "loss", "optimizer", "embedding")) > 0
    assert summary.gap is not None
    assert sum(summary.gap.values()) == pytest.approx(1)
    assert summary.gap["recomputation"] > 0


def test_may_change_on_resume(tmp_path: Path, cache_dir: Path) -> None:
    before = small_config(tmp_path, cache_dir, profile={"start_step": 3}).model_dump(mode="json", by_alias=True)
    found = check_resumable(before, small_config(tmp_path, cache_dir), checkpoint="4")
    assert [change.key for change in found] == ["profile.start_step"]


def test_on_request(tmp_path: Path, cache_dir: Path) -> None:
    before = signal.getsignal(signal.SIGUSR2)
    job = Job(tmp_path, cache_dir, num_steps=2, hlo=False, memory=False)
    job.run(3)
    assert moments(tmp_path) == set()
    os.kill(os.getpid(), signal.SIGUSR2)
    job.run(1)
    os.kill(os.getpid(), signal.SIGUSR2)  # while one is being taken: nothing more
    job.run(3)
    assert moments(tmp_path) == {"step_4"}
    assert {path.name for path in (tmp_path / "profile" / "step_4").iterdir()} == {"plugins", "melama.json"}
    os.kill(os.getpid(), signal.SIGUSR2)
    job.run(1)
    job.profiler.close()  # as when a run fails
    assert json.loads((tmp_path / "profile" / "step_8" / "melama.json").read_text())["steps"] == 1
    assert signal.getsignal(signal.SIGUSR2) is before


def test_processes(tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for process, hosts in ((0, "all"), (1, "all"), (2, "first")):
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        job = Job(tmp_path, cache_dir, start_step=2, num_steps=1, hosts=hosts)
        os.kill(os.getpid(), signal.SIGUSR2)
        job.run(3)
        job.profiler.close()
    host = socket.gethostname()
    folder = tmp_path / "profile" / "step_2"
    files = {path.name for path in folder.rglob("*.xplane.pb")}
    assert files == {f"000_{host}.xplane.pb", f"001_{host}.xplane.pb"}
    assert not list(folder.glob(".*"))


def test_failures_are_told_and_nothing_stops(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    job = Job(tmp_path, cache_dir, start_step=1, num_steps=1)
    (tmp_path / "profile").write_text("in the way")
    job.run(2)
    assert len(job.said) == 1
    assert "step_1 (" in job.said[0]
    assert "training goes on" in job.said[0]
    (tmp_path / "profile").unlink()
    with jax.profiler.trace(tmp_path / "someone"):
        os.kill(os.getpid(), signal.SIGUSR2)
        job.run(1)
    assert "already been started" in job.said[1]

    real_stop = jax.profiler.stop_trace

    def full() -> None:
        real_stop()
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: no space left on device")

    monkeypatch.setattr(jax.profiler, "stop_trace", full)
    os.kill(os.getpid(), signal.SIGUSR2)
    job.run(2)
    assert "no space left" in job.said[-1]
    assert not list((tmp_path / "profile").rglob("*.xplane.pb"))
    os.kill(os.getpid(), signal.SIGUSR2)
    job.run(2)
    assert job.number == 7
    job.profiler.close()


def test_port(tmp_path: Path, cache_dir: Path) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        job = Job(tmp_path, cache_dir, port=port)
        assert f"port {port} cannot be served" in job.said[0]
        job.profiler.close()
    job = Job(tmp_path, cache_dir, port=port)
    with socket.create_connection(("localhost", port), timeout=10):
        assert "takes traces on request" in job.said[0]
    job.profiler.close()


def test_only_declared_spans() -> None:
    with pytest.raises(AssertionError):
        profiling.host_span("a document's title")


def test_a_port_beyond_the_last_is_told(tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "process_index", lambda: 1)
    said: list[str] = []
    monkeypatch.setattr("builtins.print", said.append)
    config = small_config(tmp_path, cache_dir, profile={"port": 65535, "hosts": "all"})
    Profiler(config, tmp_path, echo=lambda text: None).close()
    assert said[0].startswith("profile: port 65536 cannot be served")


def test_a_step_that_will_not_come_is_told(tmp_path: Path, cache_dir: Path) -> None:
    job = Job(tmp_path, cache_dir, start_step=100)
    job.profiler.expect(1, 100)
    assert job.said == []
    job.profiler.expect(1, 14)
    assert job.said == ["profile.start_step 100 will not come: this job does steps 1 to 14"]
    job.profiler.close()


def test_files_of_processes_that_are_no_more_are_removed(tmp_path: Path, cache_dir: Path) -> None:
    folder = tmp_path / "profile" / "step_1"
    for name in ("memory_003.pprof", "plugins/profile/step_1/003_gone.xplane.pb", "plugins/profile/step_1/notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old")
    job = Job(tmp_path, cache_dir, start_step=1, num_steps=1)
    job.run(1)
    job.profiler.close()
    assert not list(folder.rglob("*003*"))
    assert list(folder.rglob("notes.txt"))
