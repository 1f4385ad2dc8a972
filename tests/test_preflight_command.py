"""The pre-flight command, in this process on eight fake devices and in two real processes."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from melama_jax.data.prepare import ensure_prepared
from melama_jax.errors import ConfigError
from melama_jax.parallel.links import bus_bandwidth
from melama_jax.planning import site
from melama_jax.preflight import main
from tests import runs

TREE = {"train": {"global_batch_size": 8, "sequence_length": 64}, "mesh": {"data": 2, "tensor": 2}}


def check(folder: Path, cache_dir: Path, *arguments: str, **sections: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Exit status, and the rows of the table by name."""
    config, out = folder / "given.yaml", folder / "out.json"
    config.write_text(yaml.safe_dump(runs.small_tree(folder / "run", cache_dir, **TREE | sections)))
    status = main(["--config", str(config), "--json", str(out), *arguments])
    tree = json.loads(out.read_text())
    assert tree["ok"] == (status == 0)
    return status, {row["check"]: row for row in tree["checks"]}


def test_a_job_that_can_train_passes_and_nothing_is_left_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, rows = check(tmp_path, tmp_path / "cache")
    assert status == 0
    assert {path.name for path in tmp_path.iterdir()} == {"given.yaml", "out.json"}
    assert {name for name in rows if name.startswith("all-reduce")} == {
        "all-reduce data",
        "all-reduce fsdp",
        "all-reduce tensor",
    }
    assert all(row["result"] == "ok" for name, row in rows.items() if name not in ("memory", "data cache"))
    assert rows["mesh and batch"]["figure"] == "data 2 x fsdp 2 x context 1 x tensor 2"
    assert rows["data cache"]["result"] == "warning"
    assert "not prepared: biomedical, clinical, general" in rows["data cache"]["figure"]
    printed = capsys.readouterr().out
    assert "all-reduce tensor" in printed
    assert "GB/s" in printed


def test_prepared_rows_are_counted(tmp_path: Path, cache_dir: Path) -> None:
    prepared = ensure_prepared(runs.small_config(tmp_path / "run", cache_dir, **TREE), echo=lambda text: None)
    rows = sum(task.train.rows for task in prepared.tasks.values())
    assert check(tmp_path, cache_dir)[1]["data cache"]["figure"] == f"prepared: {rows:,} rows for training"


@pytest.mark.parametrize(
    ("section", "values", "name", "figure"),
    [
        ("mesh", {"tensor": 3}, "mesh and batch", "the fixed axes take 3 devices"),
        ("train", {"global_batch_size": 6}, "mesh and batch", "6 rows of a micro-batch"),
        ("data", {"root": "/nowhere"}, "sources", "data.root: /nowhere"),
        ("data", {"vocabulary": "/nowhere.model"}, "sources", "/nowhere.model"),
        ("run", {"dir": "/dev/null/run"}, "run folder", "/dev/null/run"),
        ("init", {"from": "/nowhere"}, None, None),
    ],
)
def test_what_cannot_work_fails_in_its_row(
    section: str, values: dict[str, Any], name: str | None, figure: str | None, tmp_path: Path, cache_dir: Path
) -> None:
    if name is None:
        with pytest.raises(Exception, match="/nowhere"):
            check(tmp_path, cache_dir, **{section: values})
        return
    status, rows = check(tmp_path, cache_dir, **{section: values})
    assert status == 1
    assert rows[name]["result"] == "failed"
    assert figure in rows[name]["figure"]


def test_a_bad_key_is_a_config_error(tmp_path: Path, cache_dir: Path) -> None:
    with pytest.raises(ConfigError, match="steps"):
        check(tmp_path, cache_dir, "--set", "train.steps=0")
    with pytest.raises(ConfigError, match="--timeout 0 must be"):
        check(tmp_path, cache_dir, "--timeout", "0")


def test_a_run_folder_in_use_and_a_full_disk_fail(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, rows = check(tmp_path, cache_dir)
    assert status == 1
    assert "another job is training" in rows["run folder"]["figure"]
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]

    usage = site.shutil.disk_usage
    monkeypatch.setattr(site.shutil, "disk_usage", lambda path: usage(path)._replace(free=10**6))
    status, rows = check(tmp_path, cache_dir)
    assert status == 1
    assert rows["run folder"]["advice"] == "not even one checkpoint fits; make room"
    monkeypatch.setattr(site.shutil, "disk_usage", lambda path: usage(path)._replace(free=2 * 10**7))
    status, rows = check(tmp_path, cache_dir)
    assert status == 0
    assert rows["run folder"]["advice"] == "checkpoint.keep_last 3 needs room for 4"


def test_bus_bandwidth_counts_what_each_device_sends() -> None:
    assert bus_bandwidth(100.0, 2, 1.0) == 100.0  # a ring of two: each sends its half, then the sum of the other
    assert bus_bandwidth(100.0, 4, 0.5) == 300.0


def start(folder: Path, cache_dir: Path, processes: int, own: Mapping[int, list[str]]) -> tuple[list[int], list[str]]:
    """Exit status and output of the command in several processes."""
    tree = runs.small_tree(folder / "run", cache_dir, train=TREE["train"])
    arguments = ["--timeout", "20", "--json", str(folder / "out.json")]
    started = runs.start_processes(
        tree, folder, processes=processes, arguments=arguments, module="melama_jax.preflight", own=own
    )
    return runs.finish(started, timeout=100), [(folder / f"log{i}").read_text() for i in range(processes)]


def program(line: str) -> list[str]:
    """The command after a line that makes this process another one."""
    return ["-c", f"import time\n{line}\nfrom melama_jax import errors, preflight\nerrors.run_command(preflight.main)"]


def test_two_processes_pass_and_one_prints(tmp_path: Path, cache_dir: Path) -> None:
    codes, logs = start(tmp_path, cache_dir, 2, {})
    assert codes == [0, 0], logs[0]
    assert "all-reduce fsdp" in logs[0]
    assert "Pre-flight" not in logs[1]
    assert not (tmp_path / "run").exists()


def test_another_clock_code_and_folder_are_seen(tmp_path: Path, cache_dir: Path) -> None:
    odd = "real = time.time; time.time = lambda: real() + 90"
    codes, logs = start(tmp_path, cache_dir, 2, {1: [*program(odd), "--set", f"run.dir={tmp_path}/elsewhere"]})
    assert codes == [1, 1], logs[0]
    rows = {row["check"]: row for row in json.loads((tmp_path / "out.json").read_text())["checks"]}
    assert rows["clocks"]["figure"].startswith("process 1 is 90 s ahead")
    assert rows["processes"]["figure"] == "process 1: another configuration"
    assert "process 1 on " in rows["run folder"]["figure"]
    assert "does not see what process 0 wrote" in rows["run folder"]["figure"]
    assert not list(tmp_path.rglob(".preflight*"))


def test_a_process_that_never_comes_is_named(tmp_path: Path, cache_dir: Path) -> None:
    codes, logs = start(tmp_path, cache_dir, 2, {0: ["--timeout", "4"], 1: ["-c", "import sys; sys.exit(0)"]})
    assert codes == [1, 0]
    assert "process 1 of 2 did not come" in logs[0]


def test_a_measurement_that_hangs_is_reported_and_ends(tmp_path: Path, cache_dir: Path) -> None:
    hang = "from melama_jax.planning import site\nsite._limits = lambda: time.sleep(1000)"
    codes, logs = start(tmp_path, cache_dir, 2, {0: ["--timeout", "5"], 1: [*program(hang), "--timeout", "5"]})
    assert codes == [1, 1], logs[0]
    rows = {row["check"]: row for row in json.loads((tmp_path / "out.json").read_text())["checks"]}
    assert rows["limits"]["figure"] == "process 1 did not finish in 5 s"
    assert rows["all-reduce fsdp"]["result"] == "skipped"
    assert rows["run folder"]["result"] == "ok"
