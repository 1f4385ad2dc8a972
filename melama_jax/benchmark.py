"""python -m melama_jax.benchmark --config FILE: the real training step on the devices here, on made-up rows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.table import Table

from melama_jax.config import CommandParser, Config, output_file, parse_command_line, write_output
from melama_jax.errors import ConfigError, run_command
from melama_jax.parallel import flags
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.planning import sweep
from melama_jax.planning.measure import Measurement, as_json, measure
from melama_jax.planning.targets import parse_target
from melama_jax.planning.trace import read_trace
from melama_jax.planning.trace_summary import print_summary, summarize
from melama_jax.training.report import FLOPS_CONVENTION, format_bytes, make_console

_RUN = Path()
"""--profile without a folder."""
_COUNTED = {"device": "the device counted", "compiled": "compiled"}


def main(argv: Sequence[str] | None = None) -> int:
    """Time the step that a configuration describes."""
    parser = CommandParser(prog="python -m melama_jax.benchmark", description=__doc__)
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="measured steps; default 10")
    parser.add_argument("--warmup", type=int, default=2, metavar="N", help="steps before them; default 2")
    parser.add_argument(
        "--profile",
        type=Path,
        nargs="?",
        const=_RUN,
        metavar="DIR",
        help="also trace; default <run.dir>/profile/benchmark",
    )
    parser.add_argument("--json", type=output_file, metavar="OUT", help="also write the figures as JSON")
    parser.add_argument("--compare", type=Path, metavar="PLAN", help="JSON of a plan, to put beside the measurement")
    parser.add_argument("--sweep", action="store_true", help="a table over batch, rematerialization and attention")
    config, arguments = parse_command_line(__doc__ or "", argv, parser=parser)
    for name, least in (("steps", 1), ("warmup", 0)):
        if getattr(arguments, name) < least:
            raise ConfigError(f"--{name} {getattr(arguments, name)} must be at least {least}")
    plan = _read_plan(arguments.compare)
    console = make_console()
    if arguments.sweep:
        rows = sweep.run(config, steps=arguments.steps, warmup=arguments.warmup, echo=console.print)
        console.print(sweep.table(rows))
        write_output(arguments.json, json.dumps(rows, indent=2) + "\n")
        return 0 if any("tokens_per_second" in row for row in rows) else 1
    if advice := flags.advice(jax.devices()[0]):  # opens the devices, which a sweep leaves to its processes
        console.print(advice)
    if arguments.profile is _RUN:
        arguments.profile = Path(config.run.dir, "profile", "benchmark")
    found = measure(config, steps=arguments.steps, warmup=arguments.warmup, trace=arguments.profile, echo=console.print)
    print_measurement(console, config, found)
    if plan is not None:
        console.print(_comparison(plan, found))
        if differences := _differences(plan, found):
            console.print(f"warning: the plan is of something else: {'; '.join(differences)}")
    if arguments.profile is not None:
        print_summary(console, summarize(read_trace(arguments.profile)))
    write_output(arguments.json, json.dumps(as_json(found), indent=2) + "\n")
    return 0


def print_measurement(console: Console, config: Config, found: Measurement) -> None:
    """Print a measurement as a table."""
    table = Table(show_header=False, title="Measured step", title_justify="left")
    mesh = " x ".join(f"{axis} {size}" for axis, size in found.mesh.items())
    spread = f"{min(found.step_seconds):.4g} to {max(found.step_seconds):.4g} s over {len(found.step_seconds)} steps"
    rows = [
        ("model", f"{config.model.preset or 'custom'}, remat {config.train.remat}, attention {config.train.attention}"),
        ("devices", f"{found.devices} x {found.device_kind}, {mesh}"),
        ("tokens per step", f"{found.tokens_per_step:,}"),
        ("step", f"median {found.median_seconds:.4g} s, {spread}"),
        ("tokens/s", f"{found.tokens_per_second:,.0f}, {found.tokens_per_second / found.devices:,.0f} per device"),
        ("TFLOP/s per device", f"{found.flops_per_second_per_device / 1e12:.4g}"),
        ("MFU", f"{found.mfu:.1%}" if found.mfu is not None else "n/a (no data sheet for this device)"),
        ("peak memory per device", f"{format_bytes(found.peak_bytes)} (as {_COUNTED[found.peak_bytes_source]})"),
        ("compiled in", f"{found.compile_seconds:.1f} s"),
    ]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(FLOPS_CONVENTION)


def _comparison(plan: dict[str, Any], found: Measurement) -> Table:
    table = Table(title="plan and measurement", title_justify="left")
    for header in ("", "plan", "measured", "measured / plan"):
        table.add_column(header)
    table.add_row("devices", str(plan.get("target", "n/a")), f"{found.devices} x {found.device_kind}", "")
    pairs = [
        ("model FLOPs per step", plan.get("model_flops_per_step"), found.model_flops_per_step),
        ("step seconds", plan.get("estimated_step_seconds"), found.median_seconds),
        (
            "tokens/s per device",
            plan.get("estimated_tokens_per_second_per_device"),
            found.tokens_per_second / found.devices,
        ),
        ("MFU", plan.get("estimated_mfu"), found.mfu),
        ("peak bytes per device", plan.get("peak_bytes_per_device"), found.peak_bytes),
    ]
    for name, planned, measured in pairs:
        ratio = f"{measured / planned:.3f}" if planned and measured else ""
        table.add_row(name, _number(planned), _number(measured), ratio)
    return table


def _differences(plan: dict[str, Any], found: Measurement) -> list[str]:
    """Of which devices, mesh and step the plan is, where those here are others."""
    here = {"devices": found.devices, "mesh": found.mesh, "tokens_per_step": found.tokens_per_step}
    here["model_flops_per_step"] = found.model_flops_per_step
    differences = [f"{key} {plan[key]}, here {value}" for key, value in here.items() if plan.get(key, value) != value]
    with contextlib.suppress(ConfigError):
        planned, ours = parse_target(str(plan.get("target"))).accelerator, accelerator_of(found)
        if planned != ours:
            names = (sheet.name if sheet else "no data sheet" for sheet in (planned, ours))
            differences.insert(0, ", here ".join(names))
    return differences


def _number(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.5g}"


def _read_plan(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--compare {path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"--compare {path}: is no JSON; write it with python -m melama_jax.plan --json") from None
    if not isinstance(tree, dict) or "peak_bytes_per_device" not in tree:
        raise ConfigError(f"--compare {path}: is no plan; write it with python -m melama_jax.plan --json")
    return tree


if __name__ == "__main__":
    run_command(main)
