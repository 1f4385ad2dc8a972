"""python -m melama_jax.data.prepare: tokenize the sources of a configuration into rows on disk.

Training calls `ensure_prepared`, which does nothing when the rows are there and else runs this command as a process of
its own, so that TensorFlow never enters the training process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import melama_jax
from melama_jax import errors
from melama_jax.config import CommandParser, Config, dump_yaml, parse_command_line
from melama_jax.data.cache import CachePlan, cache_lock, plan_caches, why_stale
from melama_jax.data.prepared import PreparedData, load_prepared
from melama_jax.errors import USER_ERROR_EXIT_CODE, DataError, MelamaError, run_command

_QUIET_CPU = {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TOKENIZERS_PARALLELISM": "false"}


def ensure_prepared(config: Config, *, echo: Callable[[str], object] = print) -> PreparedData:
    """Return the rows that a configuration trains on, preparing them first if need be.

    Args:
        config: The whole tree; `data`, `train.sequence_length` and `model.vocab_size` matter.
        echo: Prints one line: why rows must be prepared, and warnings.

    Raises:
        ConfigError, DataError: Sources, vocabulary or settings that cannot work, also those met while preparing.
    """
    plan = plan_caches(config, echo=echo)
    reasons = _stale(plan)
    if reasons:
        for task, reason in reasons.items():
            echo(f"preparing {task}: {reason}")
        sys.stdout.flush()  # The other process writes to the same place.
        _prepare_in_subprocess(config)
        plan = plan_caches(config, echo=lambda text: None)  # What it says was said.
        reasons = _stale(plan)
        if reasons:
            raise DataError(f"the prepared rows cannot be used: {'; '.join(reasons.values())}")
    return load_prepared(plan, config, echo=echo)


def prepare(config: Config, *, workers: int | None = None, echo: Callable[[str], object] = print) -> PreparedData:
    """Prepare in this process and its workers (imports TensorFlow if anything is to be done).

    Args:
        config: The whole tree.
        workers: Processes that tokenize instead of `data.prepare_workers`; 0 takes one per core.
        echo: Prints one line.

    Raises:
        ConfigError, DataError: Sources, vocabulary or settings that cannot work.
    """
    plan = plan_caches(config, echo=echo)
    if _stale(plan):
        from melama_jax.data.build import build

        with cache_lock(Path(config.data.cache_dir), echo=echo):
            build(
                plan.tasks, config.data, workers=config.data.prepare_workers if workers is None else workers, echo=echo
            )
    return load_prepared(plan, config, echo=echo)


def _stale(plan: CachePlan) -> dict[str, str]:
    reasons = {task.task: why_stale(task) for task in plan.tasks}
    return {task: reason for task, reason in reasons.items() if reason is not None}


def _prepare_in_subprocess(config: Config) -> None:
    """Run this command with the resolved configuration; its user errors are raised here."""
    package_root = str(Path(melama_jax.__file__).resolve().parent.parent)
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory(prefix="melama-prepare-") as folder:
        config_path, error_path = Path(folder) / "config.yaml", Path(folder) / "error.json"
        config_path.write_text(dump_yaml(config), encoding="utf-8")
        command = [sys.executable, "-m", "melama_jax.data.prepare"]
        command += ["--config", str(config_path), "--error-file", str(error_path)]
        status = subprocess.run(
            command, env=os.environ | _QUIET_CPU | {"PYTHONPATH": search_path}, stdin=subprocess.DEVNULL, check=False
        ).returncode
        if status == USER_ERROR_EXIT_CODE and error_path.is_file():
            error = json.loads(error_path.read_text(encoding="utf-8"))
            kind = getattr(errors, error["type"], DataError)
            raise kind(error["message"])
    if status:
        ending = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        raise DataError(f"the preparation of the data ended with {ending}; see its messages above")


def main() -> int | None:
    """Prepare the rows and print what they hold."""
    parser = CommandParser(prog="python -m melama_jax.data.prepare", description=main.__doc__)
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that tokenize; default data.prepare_workers"
    )
    parser.add_argument("--error-file", type=Path, help=argparse.SUPPRESS)
    arguments = argparse.Namespace(error_file=None)
    try:
        config, arguments = parse_command_line(main.__doc__ or "", parser=parser, describe=_describe_initial)
        if arguments.workers is not None and arguments.workers < 0:
            raise errors.ConfigError(f"--workers {arguments.workers} must be 0 (one per core) or more")
        os.environ.update(_QUIET_CPU)
        start = time.monotonic()
        prepared = prepare(config, workers=arguments.workers, echo=_print_line)
    except MelamaError as error:
        if arguments.error_file is None:
            raise
        tree = {"type": type(error).__name__, "message": str(error)}
        arguments.error_file.write_text(json.dumps(tree), encoding="utf-8")
        return USER_ERROR_EXIT_CODE
    _print_summary(prepared, time.monotonic() - start)
    return None


def _describe_initial(path: str) -> Mapping[str, Any]:
    """What the weights of `init.from` say of their sizes and tokenizer, so that rows fit the model that will train."""
    from conversion.direct import describe_initial

    return describe_initial(path)


def _print_line(text: str) -> None:
    print(text, flush=True)


def _print_summary(prepared: PreparedData, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console = console if console.is_terminal else Console(width=160)
    title = f"rows of {prepared.sequence_length} tokens, ready after {seconds:.1f} s"
    for rows in (prepared.summary(), prepared.summary_of_conversations()):
        table = Table(title=title)
        for name in rows[0] if rows else ():
            left = name in ("task", "skipped")
            table.add_column(name, justify="left" if left else "right", no_wrap=name == "task", overflow="fold")
        for row in rows:
            table.add_row(*row.values())
        if rows:
            console.print(table)
        title = "conversations"
    for name, task in prepared.tasks.items():
        for reason, place in task.manifest["first_locations"].items():
            console.print(f"{name}: first {reason} at {place}", highlight=False, markup=False)
        console.print(f"{name}: {task.folder}", highlight=False, markup=False)


if __name__ == "__main__":
    run_command(main)
