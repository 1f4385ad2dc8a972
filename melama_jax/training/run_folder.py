"""The run folder: one job at a time, and the configuration that it runs."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TextIO

from melama_jax.errors import ConfigError


def open_run(run_dir: Path, *, key: str = "run.dir") -> TextIO:
    """Create the run folder, which the key names, and take its lock, which goes with the process.

    Raises:
        ConfigError: The folder cannot be written, or another job is using it.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        lock = (run_dir / ".lock").open("w")
    except OSError as error:
        raise ConfigError(f"{key} {run_dir}: cannot be written: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ConfigError(f"{key} {run_dir}: another job is at work here; wait for it, or choose another") from None
    except OSError:
        pass  # a file system without locks
    return lock


def store_config(run_dir: Path, resolved: str) -> None:
    """Write the resolved configuration into the run folder."""
    beside = run_dir / ".config.yaml"
    try:
        beside.write_text(resolved, encoding="utf-8")
        beside.replace(run_dir / "config.yaml")
    except OSError as error:
        raise ConfigError(f"{run_dir / 'config.yaml'}: cannot be written: {error.strerror}") from None


def has_checkpoints(run_dir: Path) -> bool:
    """Whether a run folder holds checkpoints, whole or not."""
    return next((run_dir / "checkpoints").glob("[0-9]*"), None) is not None
