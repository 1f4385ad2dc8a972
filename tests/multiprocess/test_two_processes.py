"""Two real processes train as one does, and leave together when asked to."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests import runs


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """The same run in one process with two devices."""
    run = tmp_path_factory.mktemp("alone")
    tree = runs.small_tree(run, cache_dir)
    assert runs.finish(runs.start_processes(tree, run, devices_per_process=2)) == [0]
    return run


def test_losses_are_those_of_one_process(alone: Path, tmp_path: Path, cache_dir: Path) -> None:
    tree = runs.small_tree(tmp_path, cache_dir)
    tree["log"] |= {"sample_prompt": "The patient", "sample_tokens": 4}
    codes = runs.finish(runs.start_processes(tree, tmp_path, processes=2))
    assert codes == [0, 0], (tmp_path / "log0").read_text()[-2000:]
    assert [s for s, _ in runs.losses(tmp_path)] == list(range(1, 13))
    assert [x for _, x in runs.losses(tmp_path)] == pytest.approx([x for _, x in runs.losses(alone)], rel=1e-5)
    assert [x for *_, x in runs.held_out(tmp_path)] == pytest.approx([x for *_, x in runs.held_out(alone)], rel=1e-5)
    assert "process 0 of 2" in (tmp_path / "log0").read_text()
    assert "sample: The patient" in (tmp_path / "log0").read_text()
    assert "step 1/12" not in (tmp_path / "log1").read_text()


@pytest.mark.parametrize(
    ("number", "receivers"), [(signal.SIGTERM, [0, 1]), (signal.SIGUSR1, [1])], ids=["TERM", "USR1"]
)
def test_a_signal_saves_once_and_the_run_resumes(
    number: signal.Signals, receivers: list[int], alone: Path, tmp_path: Path, cache_dir: Path
) -> None:
    tree = runs.small_tree(
        tmp_path, cache_dir, train={"steps": 4000}, eval={"interval": None}, checkpoint={"interval": 4000}
    )
    tree["train"] |= {"global_batch_size": 8, "sequence_length": 64}
    processes = runs.start_processes(tree, tmp_path, processes=2)
    deadline = time.monotonic() + 120
    while not ((tmp_path / "metrics.jsonl").exists() and len(runs.records(tmp_path)) >= 3):
        assert time.monotonic() < deadline, (tmp_path / "log0").read_text()[-2000:]
        time.sleep(0.05)
    for receiver in receivers:
        processes[receiver].send_signal(number)
    assert runs.finish(processes) == [75, 75], (tmp_path / "log0").read_text()[-2000:]
    saved = [int(path.name) for path in (tmp_path / "checkpoints").iterdir()]
    assert len(saved) == 1
    # Resumed in one process on two devices: another layout of processes, the same next rows.
    tree["train"]["steps"] = saved[0] + 2
    tree["optimizer"]["schedule"] = "constant"
    assert runs.finish(runs.start_processes(tree, tmp_path, devices_per_process=2)) == [0]
    steps = [step for step, _ in runs.losses(tmp_path)]
    assert steps == list(range(1, saved[0] + 3))


def test_damage_that_one_process_sees_sends_both_to_the_checkpoint_before(tmp_path: Path, cache_dir: Path) -> None:
    tree = runs.small_tree(tmp_path, cache_dir)
    assert runs.finish(runs.start_processes(tree, tmp_path, processes=2)) == [0, 0]
    before = runs.losses(tmp_path)
    # Each process reads its own half of the embedding's columns: the second file is the second process's.
    (tmp_path / "checkpoints/12/state/params.embedding/c/0/1").write_bytes(b"damaged")
    assert runs.finish(runs.start_processes(tree, tmp_path, processes=2), timeout=120) == [0, 0]
    assert "12 is damaged" in (tmp_path / "log0").read_text()
    assert (tmp_path / "damaged" / "12").is_dir()
    assert runs.losses(tmp_path) == before


def test_a_mistake_that_the_first_process_meets_ends_both_in_one_line(tmp_path: Path, cache_dir: Path) -> None:
    for domain in ("biomedical", "clinical", "general"):
        (tmp_path / "text" / domain).mkdir(parents=True)
        (tmp_path / "text" / domain / "a.jsonl").write_text('{"text": "some words here"}\n{"text": broken}\n')
    tree = runs.small_tree(tmp_path / "run", cache_dir)
    tree["data"]["root"] = str(tmp_path / "text")
    assert runs.finish(runs.start_processes(tree, tmp_path, processes=2), timeout=120) == [2, 2]
    for process in range(2):
        log = (tmp_path / f"log{process}").read_text()
        assert "error: data.sources.biomedical: 1 of 2 records" in log
        assert "Traceback" not in log
