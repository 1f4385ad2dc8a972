"""The plan before the first step and the lines while training, as a person reads them."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from jax.sharding import AbstractMesh, AxisType
from rich.console import Console

from melama_jax.config import from_mapping
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.parallel.mesh import MESH_AXES
from melama_jax.training.report import ProgressReport, format_bytes, make_console, plan_table
from melama_jax.training.state import abstract_state, shard_bytes


def shown(table: Any) -> dict[str, str]:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    cells = [re.split(r"\s*[│┃|]\s*", line.strip(" │┃|")) for line in lines]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2}


PARAMETERS = 68_976_648_192
NORMS = (2 * 80 + 1) * 8192
"""Norm scales of the 70B model are whole on every device; everything else is split."""


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    """LLaMA-2 70B on the paper's 160 GPUs, as data 5 x fsdp 4 x tensor 8."""
    tree = {
        "model": {"preset": "llama2-70b"},
        "train": {"global_batch_size": 640, "gradient_accumulation_steps": 2, "sequence_length": 4096, "steps": 300},
        "optimizer": {"mu_dtype": "bfloat16"},
    }
    config = from_mapping(tree)
    mesh = AbstractMesh((5, 4, 1, 8), MESH_AXES, axis_types=(AxisType.Auto,) * 4)
    return {"config": config, "mesh": mesh, "state": abstract_state(config, mesh)}


def per_device(bytes_each: int) -> int:
    # Key and value heads (8) and all else are divided by fsdp x tensor = 32.
    return bytes_each * ((PARAMETERS - NORMS) // 32 + NORMS)


def test_bytes_of_a_device_are_exact(plan: dict[str, Any]) -> None:
    assert shard_bytes(plan["state"].params) == per_device(4)
    assert shard_bytes(plan["state"].opt_state) == per_device(2) + per_device(4) + 4  # moments, and the count


def test_plan_of_70b(plan: dict[str, Any]) -> None:
    found = shown(plan_table(plan["config"], plan["mesh"], plan["state"]))
    tokens = 640 * 4096
    n_matmul = PARAMETERS - NORMS - 32000 * 8192
    assert found == {
        "model": "llama2-70b: 68,976,648,192 parameters",
        "mesh": "data 5 x fsdp 4 x context 1 x tensor 8 = 160 device(s)",
        "weights per device": "8.03 GiB (float32)",
        "optimizer per device": "12.1 GiB",
        "gradients, activations per device": "known after compilation",
        "batch": f"640 rows x 4096 tokens = {tokens:,} tokens per step",
        "micro-batches": "2 x 320 rows",
        "steps": "300",
        "tokens in all": f"{tokens * 300:,}",
        "model FLOPs per step": f"{(6 * n_matmul + 6 * 80 * 4096 * 8192) * tokens:.3e}",
    }


def test_compiled_plan_adds_up_and_names_the_share(plan: dict[str, Any]) -> None:
    gib = 1024**3
    memory = SimpleNamespace(
        argument_size_in_bytes=21 * gib,
        temp_size_in_bytes=18 * gib,
        output_size_in_bytes=20 * gib,
        alias_size_in_bytes=19 * gib,
    )
    sheet = accelerator_of(SimpleNamespace(device_kind="NVIDIA A100-SXM4-80GB"))
    found = shown(plan_table(plan["config"], plan["mesh"], plan["state"], memory=memory, accelerator=sheet))
    assert found["gradients, activations per device"] == "18 GiB (as compiled)"
    assert found["total per device"] == "40 GiB of 80 GiB (50%, A100-80GB)"
    unknown = shown(plan_table(plan["config"], plan["mesh"], plan["state"], memory=memory))
    assert unknown["total per device"] == "40 GiB"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (1010 * 1024, "1010 KiB"),
        (1023.9 * 1024, "1024 KiB"),
        (123_456_789, "118 MiB"),
        (8.05 * 1024**3, "8.05 GiB"),
        (1000 * 1024**3, "1000 GiB"),
        (1.5 * 1024**4, "1.5 TiB"),
        (2000 * 1024**4, "2000 TiB"),
    ],
)
def test_bytes_for_people(count: float, text: str) -> None:
    assert format_bytes(count) == text


def progress(*, total: int = 100, done: int = 0, terminal: bool = False) -> tuple[ProgressReport, Console]:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=160, soft_wrap=True, highlight=False)
    return ProgressReport(console, total=total, done=done), console


def text_of(console: Console) -> str:
    return console.file.getvalue()  # type: ignore[attr-defined]


RECORD = {
    "step": 40,
    "train/loss": 2.34567,
    "train/learning_rate": 3e-4,
    "train/grad_norm": 1.23456,
    "train/skipped_steps": 0,
    "tokens_per_second": 12345.6,
    "tflops_per_second_per_device": 0.0123,
    "mfu": None,
    "data_wait_fraction": 0.0123,
    "device_memory_bytes": None,
}


def test_plain_line_without_a_terminal() -> None:
    report, console = progress(done=20)
    report.step(40)
    report.log(RECORD)
    report.close()
    line = text_of(console)
    assert line == (
        "step 40/100 loss 2.3457 | lr 3.00e-04 | grad 1.235 | 12,346 tok/s | 0.0123 TFLOP/s | MFU n/a | data wait 1.2% "
        "| ETA 0:00:00\n"
    )


def test_line_tells_what_else_is_known() -> None:
    report, console = progress()
    extra = {"mfu": 0.456, "device_memory_bytes": 3 * 1024**3, "train/skipped_steps": 2}
    held_out = {"eval/clinical/loss": 2.0, "eval/clinical/perplexity": 7.389, "eval/general/loss": 3.0}
    report.log(RECORD | extra | held_out | {"eval/general/perplexity": 20.0855})
    line, below = text_of(console).splitlines()
    assert "| MFU 45.6% |" in line
    assert "| mem 3 GiB | skipped 2 |" in line
    assert below == "  held-out loss: clinical 2.0000 (ppl 7.39), general 3.0000 (ppl 20.09)"


def test_diverged_loss_is_shown() -> None:
    report, console = progress()
    report.log(RECORD | {"train/loss": float("nan"), "train/grad_norm": float("inf")})
    assert "loss nan | lr 3.00e-04 | grad inf" in text_of(console)


def test_time_left_counts_the_steps_of_this_start(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([1000.0, 1100.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    report, console = progress(total=1000, done=30)
    report.log(RECORD)  # 10 steps took 100 s; 960 are left
    assert "| ETA 2:40:00\n" in text_of(console)


def test_terminal_shows_a_bar_and_keeps_notes() -> None:
    report, console = progress(terminal=True)
    report.step(40)
    report.log(RECORD | {"eval/clinical/loss": 2.0, "eval/clinical/perplexity": 7.389})
    report.note("a note")
    report.close()
    report.close()
    shown_text = text_of(console)
    assert "40/100" in shown_text
    assert "step 40/100 loss" in shown_text
    assert "held-out loss: clinical 2.0000 (ppl 7.39)" in shown_text
    assert "a note" in shown_text


def test_other_processes_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jax.process_index", lambda: 1)
    for terminal in (False, True):
        report, console = progress(terminal=terminal)
        report.step(40)
        report.log(RECORD)
        report.note("a note")
        report.close()
        assert text_of(console) == ""


def test_console_does_not_break_long_lines(capsys: pytest.CaptureFixture[str]) -> None:
    make_console().print("x" * 500)
    assert capsys.readouterr().out == "x" * 500 + "\n"
