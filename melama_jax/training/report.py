"""What a person sees: the table before the first step, and progress while training."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import jax
from jax.sharding import AbstractMesh, Mesh
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from melama_jax.config import Config
from melama_jax.model import llama
from melama_jax.parallel.hardware import Accelerator
from melama_jax.training import state as states

FLOPS_CONVENTION = (
    "model FLOPs per token = 6 N_matmul + 6 L T h d (causal; N_matmul without the input embedding; no recomputation; "
    "beside an adapter 4 N_matmul + 6 N_adapter)"
)


def make_console() -> Console:
    """Standard output as a rich console that prints text as it is; wide where it is not a terminal."""
    width = None if Console().is_terminal else 160
    return Console(highlight=False, soft_wrap=True, markup=False, emoji=False, width=width)


def plan_table(
    config: Config,
    mesh: Mesh | AbstractMesh,
    state: states.TrainState,
    *,
    memory: Any = None,
    accelerator: Accelerator | None = None,
) -> Table:
    """Parameters, bytes per device, mesh, tokens per step and in all, before anything runs.

    Args:
        config: The resolved configuration.
        mesh: The mesh, abstract or real.
        state: Abstract training state.
        memory: `memory_analysis()` of the compiled step, or None before compilation.
        accelerator: Data sheet of the devices, for the share of their memory.
    """
    train = config.train
    weights = states.shard_bytes(state.params)
    optimizer = states.shard_bytes(state.opt_state)
    tokens = train.global_batch_size * train.sequence_length
    rows: list[tuple[str, str]] = [
        ("model", f"{config.model.preset or 'custom'}: {_num_parameters(config):,} parameters"),
        *([("adapter", f"{states.num_parameters(state.params):,} parameters")] if state.base else []),
        ("mesh", " x ".join(f"{axis} {size}" for axis, size in mesh.shape.items()) + f" = {mesh.size} device(s)"),
        (
            "adapter per device" if state.base else "weights per device",
            f"{format_bytes(weights)} ({'float32' if state.base else config.model.param_dtype})",
        ),
        ("optimizer per device", format_bytes(optimizer)),
        *([("frozen weights per device", format_bytes(states.shard_bytes(state.base)))] if state.base else []),
    ]
    if memory is not None:
        total = memory.argument_size_in_bytes + memory.temp_size_in_bytes + memory.output_size_in_bytes
        total -= memory.alias_size_in_bytes
        rows += [
            ("gradients, activations per device", f"{format_bytes(memory.temp_size_in_bytes)} (as compiled)"),
            ("total per device", format_bytes(total) + _share(total, accelerator)),
        ]
    else:
        rows.append(("gradients, activations per device", "known after compilation"))
    micro = train.global_batch_size // train.gradient_accumulation_steps
    rows += [
        ("batch", f"{train.global_batch_size} rows x {train.sequence_length} tokens = {tokens:,} tokens per step"),
        ("micro-batches", f"{train.gradient_accumulation_steps} x {micro} rows"),
        ("steps", f"{train.steps:,}"),
        ("tokens in all", f"{tokens * train.steps:,}"),
        ("model FLOPs per step", f"{states.flops_per_token(config) * tokens:.3e}"),
    ]
    table = Table(show_header=False, title="Training plan", title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _share(total: int, accelerator: Accelerator | None) -> str:
    if accelerator is None:
        return ""
    share = 100 * total / accelerator.memory_bytes
    return f" of {format_bytes(accelerator.memory_bytes)} ({share:.0f}%, {accelerator.name})"


def _num_parameters(config: Config) -> int:
    """Of the model, without an adapter."""
    return sum(math.prod(shape) for shape, *_ in llama.declaration(states.model_of(config)).values())


def format_bytes(count: float) -> str:
    """Bytes in binary units with three digits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 999.5 else f"{count:.3g} {unit}"
        count /= 1024
    return f"{count:.4g} TiB"


class ProgressReport:
    """A live bar on a terminal, plain lines elsewhere; silent in every process but the first."""

    def __init__(self, console: Console, *, total: int, done: int):
        self._console = console
        self._quiet = jax.process_index() != 0
        self._total, self._done = total, done
        self._started, self._first = time.monotonic(), done
        self._bar: Progress | None = None
        if console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn("step"),
                MofNCompleteColumn(),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("ETA"),
                TimeRemainingColumn(),
                console=console,
            )
            self._task = self._bar.add_task("train", total=total, completed=done)
            self._bar.start()

    def step(self, step: int) -> None:
        """A step was dispatched."""
        self._done = step
        if self._bar is not None:
            self._bar.update(self._task, completed=step)

    def log(self, record: Mapping[str, Any]) -> None:
        """Show a metrics record."""
        if self._quiet:
            return
        lines = [f"step {record['step']}/{self._total} {_figures(record)}"]
        if self._bar is not None:
            self._bar.update(self._task, completed=record["step"], refresh=True)
        else:
            elapsed = time.monotonic() - self._started
            eta = elapsed / max(record["step"] - self._first, 1) * (self._total - record["step"])
            lines[0] += f" | ETA {_clock(eta)}"
        if evaluations := describe_evaluations(record):
            lines.append(f"  {evaluations}")
        self._console.print("\n".join(lines))

    def note(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._quiet:
            self._console.print(text)

    def close(self) -> None:
        """Take the bar down."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _figures(record: Mapping[str, Any]) -> str:
    parts = [
        f"loss {record['train/loss']:.4f}",
        f"lr {record['train/learning_rate']:.2e}",
        f"grad {record['train/grad_norm']:.3f}",
        f"{record['tokens_per_second']:,.0f} tok/s",
        f"{record['tflops_per_second_per_device']:.3g} TFLOP/s",
        f"MFU {record['mfu']:.1%}" if record.get("mfu") is not None else "MFU n/a",
        f"data wait {record['data_wait_fraction']:.1%}",
    ]
    if record.get("device_memory_bytes") is not None:
        parts.append(f"mem {format_bytes(record['device_memory_bytes'])}")
    if record.get("train/skipped_steps"):
        parts.append(f"skipped {record['train/skipped_steps']}")
    return " | ".join(parts)


def describe_evaluations(record: Mapping[str, Any]) -> str:
    """Held-out losses and perplexities of a record by domain, and accuracies of benchmarks; empty without any."""
    found = [key.split("/") for key in record if key.startswith("eval/")]
    losses = ", ".join(
        f"{name} {record[f'eval/{name}/loss']:.4f} (ppl {record[f'eval/{name}/perplexity']:.2f})"
        for _, name, figure in found
        if figure == "loss"
    )
    scores = ", ".join(
        f"{name} {record[f'eval/{name}/accuracy']:.1%}" for _, name, figure in found if figure == "accuracy"
    )
    parts = [f"held-out loss: {losses}" if losses else "", f"accuracy: {scores}" if scores else ""]
    return "; ".join(part for part in parts if part)


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
