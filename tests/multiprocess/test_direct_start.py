"""Two real processes start from one folder of weights: each reads its half, and they fail together."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from conversion.safetensors_file import SafetensorsFile
from tests import runs
from tests.conversion import starts

PROGRAM = """
from conversion.safetensors_file import SafetensorsFile
from melama_jax import train
from melama_jax.errors import run_command

read, asked = SafetensorsFile.read, []

def counted(*arguments):
    part = read(*arguments)
    asked.append(part.nbytes)
    return part

SafetensorsFile.read = counted
try:
    run_command(train.main)
finally:
    print("bytes asked of the weights:", sum(asked), flush=True)
"""
"""The training command, which says at its end how much it read."""


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starts.write_folder(tmp_path_factory.mktemp("start") / "hf", vocab_size=322)


def train_together(trees: Sequence[Mapping[str, Any]], folder: Path) -> tuple[list[int], list[str]]:
    """Exit status and output of processes that train as one job, each by its own configuration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for process, tree in enumerate(trees):
        (folder / f"config{process}.yaml").write_text(yaml.safe_dump(dict(tree)))
        environment = os.environ | {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=1",
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
            "JAX_NUM_PROCESSES": str(len(trees)),
            "JAX_PROCESS_ID": str(process),
            "PYTHONPATH": str(runs.REPOSITORY),
        }
        with (folder / f"log{process}").open("w") as log:
            command = [sys.executable, "-c", PROGRAM, "--config", str(folder / f"config{process}.yaml")]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))
    codes = runs.finish(started, timeout=120)
    return codes, [(folder / f"log{process}").read_text() for process in range(len(trees))]


def test_two_processes_start_as_one_does_and_read_half_each(folder: Path, tmp_path: Path, cache_dir: Path) -> None:
    tree = starts.run_tree(tmp_path / "run", folder, cache_dir, mesh={"fsdp": 2})
    [expected] = starts.plain_losses(folder, starts.batches(starts.described(tree), 1))
    codes, logs = train_together([tree, tree], tmp_path)
    assert codes == [0, 0], logs[0][-2000:]
    assert runs.losses(tmp_path / "run") == [(1, pytest.approx(expected, rel=1e-5))]

    infos = SafetensorsFile(folder / "model.safetensors").tensors.values()
    matrices = sum(info.nbytes for info in infos if len(info.shape) == 2)
    norms = sum(info.nbytes for info in infos if len(info.shape) == 1)
    asked = [int(re.findall(r"bytes asked of the weights: (\d+)", log)[0]) for log in logs]
    print(f"of {matrices + norms} bytes: {asked}")
    assert asked == [matrices // 2 + norms] * 2


def with_a_nan(folder: Path) -> str:
    """In the last column of the embedding, of which each process reads half."""
    starts.put_nan(folder, "model.embed_tokens.weight")
    return "embedding holds 1 values that are NaN or infinite"


def without_a_key(folder: Path) -> str:
    """The final norm has another name."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes().replace(b'"model.norm.weight"', b'"model.nork.weight"'))
    return "1 weights are missing: model.norm.weight"


@pytest.mark.parametrize("damage", [with_a_nan, without_a_key], ids=lambda damage: damage.__name__)
def test_damage_that_one_process_finds_ends_both_with_one_line(
    damage: Callable[[Path], str], folder: Path, tmp_path: Path, cache_dir: Path
) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
    message = damage(damaged)
    trees = [
        starts.run_tree(tmp_path / "run", place, cache_dir, mesh={"fsdp": 2}, data={"vocabulary": str(damaged)})
        for place in (folder, damaged)
    ]
    codes, logs = train_together(trees, tmp_path)
    assert codes == [2, 2], logs[0][-2000:]
    for log in logs:
        [line] = [line for line in log.splitlines() if line.startswith("error: ")]
        assert message in line
        assert str(damaged) in line
        assert "Traceback" not in log
