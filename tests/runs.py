"""A small run on the shipped samples, in this process or in one of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from melama_jax.config import Config, from_mapping

REPOSITORY = Path(__file__).resolve().parent.parent


def small_tree(folder: Path, cache_dir: Path, **sections: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration of a 0.6M-parameter model for 12 steps; keyword sections are laid over it."""
    tree: dict[str, Any] = {
        "run": {"dir": str(folder)},
        "model": {"preset": "tiny", "vocab_size": 4096, "compute_dtype": "float32"},
        "train": {"steps": 12, "global_batch_size": 8, "sequence_length": 64},
        "data": {"cache_dir": str(cache_dir), "prepare_workers": 1, "validation_fraction": 0.02},
        "optimizer": {"learning_rate": 1e-3},
        "checkpoint": {"interval": 4},
        "eval": {"interval": 6, "max_rows": 8},
        "log": {"interval": 1, "tensorboard": False},
    }
    for section, values in sections.items():
        tree[section] = {**tree.get(section, {}), **values}
    return tree


def small_config(folder: Path, cache_dir: Path, **sections: Mapping[str, Any]) -> Config:
    """`small_tree`, checked."""
    return from_mapping(small_tree(folder, cache_dir, **sections))


def start_processes(
    tree: Mapping[str, Any],
    folder: Path,
    *,
    processes: int = 1,
    devices_per_process: int = 1,
    arguments: Sequence[str] = (),
    module: str = "melama_jax.train",
    own: Mapping[int, Sequence[str]] | None = None,
) -> list[subprocess.Popen]:
    """Start a command in one or several real processes; output goes to `folder/log<i>`.

    `own` holds further arguments of single processes; one that begins with -c replaces the command's module.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(dict(tree)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for process in range(processes):
        environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
        environment |= {
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices_per_process}",
            "PYTHONPATH": str(REPOSITORY),
        }
        if processes > 1:
            environment |= {
                "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
                "JAX_NUM_PROCESSES": str(processes),
                "JAX_PROCESS_ID": str(process),
            }
        with (folder / f"log{process}").open("w") as log:
            mine = list((own or {}).get(process, ()))
            run = [mine.pop(0), mine.pop(0)] if mine[:1] == ["-c"] else ["-m", module]
            command = [sys.executable, *run, "--config", str(config), *arguments, *mine]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT))
    return started


def finish(processes: Sequence[subprocess.Popen], timeout: float = 240) -> list[int]:
    """Exit codes, or kill what does not end in time."""
    try:
        return [process.wait(timeout) for process in processes]
    finally:
        for process in processes:
            process.kill()


def records(run_dir: Path) -> list[dict[str, Any]]:
    """The metrics of a run."""
    return [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]


def losses(run_dir: Path) -> list[tuple[int, float]]:
    """Step and training loss of every record."""
    return [(record["step"], record["train/loss"]) for record in records(run_dir)]


def held_out(run_dir: Path) -> list[tuple[int, str, float]]:
    """Step, name and value of every held-out loss."""
    return [(r["step"], k, v) for r in records(run_dir) for k, v in r.items() if k.startswith("eval/")]
