"""The measured step over batch, rematerialization and attention, each in a process of its own with fresh memory."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from melama_jax.config import Config, dump_yaml
from melama_jax.training.report import format_bytes

_REMAT = ("full", "names", "dots", "none")
_BATCH_FACTORS = (1, 2, 4)
_ATTENTION = {"gpu": ("cudnn", "triton", "xla"), "tpu": ("splash", "xla"), "cpu": ("xla",)}


def run(config: Config, *, steps: int, warmup: int, echo: Callable[[str], None]) -> list[dict[str, Any]]:
    """Measure every combination; one that cannot run is kept with its reason.

    Args:
        config: The run's configuration; the batch is a multiple of its own.
        steps: Measured steps of each.
        warmup: Steps before them.
        echo: Where progress goes.
    """
    backends = _ATTENTION.get(_platform(), ("auto",))
    rows = []
    for remat, backend, factor in itertools.product(_REMAT, backends, _BATCH_FACTORS):
        batch = config.train.global_batch_size * factor
        settings = {"train.remat": remat, "train.attention": backend, "train.global_batch_size": batch}
        row = settings | _measure(config, settings, steps, warmup)
        rows.append(row)
        speed = f"{row['tokens_per_second']:,.0f} tokens/s" if "tokens_per_second" in row else row["failed"]
        echo(f"remat {remat}, attention {backend}, {batch} rows: {speed}")
    return sorted(rows, key=lambda row: -row.get("tokens_per_second", 0.0))


def _platform() -> str:
    """The platform of the devices, asked of another process: this one must not hold them."""
    done = subprocess.run(
        [sys.executable, "-c", "import jax; print(jax.default_backend())"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "cpu"


def _measure(config: Config, settings: dict[str, Any], steps: int, warmup: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "config.yaml"), Path(folder, "out.json")
        source.write_text(dump_yaml(config), encoding="utf-8")
        command = [sys.executable, "-m", "melama_jax.benchmark", "--config", str(source), "--json", str(target)]
        command += ["--steps", str(steps), "--warmup", str(warmup)]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
        if target.is_file():
            return json.loads(target.read_text(encoding="utf-8"))
    lines = done.stderr.strip().splitlines()
    return {"failed": lines[-1][:200] if lines else f"exit status {done.returncode}"}


def table(rows: list[dict[str, Any]]) -> Table:
    """The fastest first."""
    shown = Table(title="measured steps, the fastest first", title_justify="left")
    for header in ("remat", "attention", "rows", "tokens/s", "MFU", "peak memory", "step s"):
        shown.add_column(header, justify="left" if header in ("remat", "attention") else "right")
    for row in rows:
        settings = [row["train.remat"], row["train.attention"], str(row["train.global_batch_size"])]
        if "failed" in row:
            shown.add_row(*settings, "", "", "", row["failed"])
            continue
        mfu = f"{row['mfu']:.1%}" if row["mfu"] is not None else "n/a"
        speed, peak = f"{row['tokens_per_second']:,.0f}", format_bytes(row["peak_bytes"])
        shown.add_row(*settings, speed, mfu, peak, f"{row['median_step_seconds']:.4g}")
    return shown
