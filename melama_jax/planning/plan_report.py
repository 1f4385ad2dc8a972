"""A plan for a person, and for other programs."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from melama_jax.config import Config
from melama_jax.planning.estimate import Efficiency, Plan
from melama_jax.planning.targets import Target
from melama_jax.training.report import FLOPS_CONVENTION


@dataclasses.dataclass(frozen=True)
class Prices:
    """What is paid, in any currency.

    Attributes:
        device_hour: For an hour of one device.
        kilowatt_hour: For energy.
    """

    device_hour: float | None = None
    kilowatt_hour: float | None = None


def print_plan(
    console: Console, config: Config, target: Target, plan: Plan, efficiency: Efficiency, prices: Prices
) -> None:
    """Print a plan as tables."""
    console.print(_memory_table(config, target, plan))
    console.print(_collective_table(plan))
    console.print(_time_table(target, plan, efficiency, prices))
    if plan.fits is False:
        for line in shortfall(config, target, plan):
            console.print(line)


def shortfall(config: Config, target: Target, plan: Plan) -> list[str]:
    """By how much a plan does not fit, and what would help."""
    assert plan.device_memory_bytes is not None
    usable = plan.device_memory_bytes * target.usable
    over = plan.memory.peak - usable
    lines = [
        f"does not fit: {plan.memory.peak / 1e9:.1f} GB of {usable / 1e9:.1f} GB usable on each device "
        f"({over / 1e9:.1f} GB too many)"
    ]
    return [*lines, *(f"  what would help: {text}" for text in _helps(config, plan, usable))]


def _helps(config: Config, plan: Plan, usable: float) -> list[str]:
    memory, train, shards = plan.memory, config.train, plan.mesh["fsdp"] * plan.mesh["tensor"]
    state = (memory.weights + memory.frozen + memory.optimizer + memory.gradients) * shards
    most = _most_shards(config, plan.devices)
    helps = []
    if shards < most and state / most <= usable:
        helps.append(
            f"mesh.fsdp x mesh.tensor up to {most}: {state / most / 1e9:.1f} GB of weights, gradients and optimizer"
        )
    if train.remat != "full":
        helps.append("train.remat: full")
    rows = plan.mesh["data"] * plan.mesh["fsdp"]
    if train.global_batch_size // train.gradient_accumulation_steps > rows and train.global_batch_size % rows == 0:
        helps.append(
            f"train.gradient_accumulation_steps: {train.global_batch_size // rows}, one row on a device at a time"
        )
    elif state / shards < usable:
        helps.append("mesh.context or mesh.tensor, which split a row")
    if config.optimizer.mu_dtype == config.optimizer.nu_dtype == "float32":
        helps.append(f"optimizer.mu_dtype and nu_dtype: bfloat16, {memory.optimizer / 2e9:.1f} GB less as sharded now")
    needed = math.ceil(state / usable)
    if needed > plan.devices:
        helps.append(f"at least {needed} such devices, for the weights, gradients and optimizer alone")
    if config.adapter is not None:
        if config.adapter.base_dtype != "nf4":
            helps.append("adapter.base_dtype: nf4, 4.25 bits for each of the layers' weights")
        return helps
    parameters = memory.weights * shards / jnp.dtype(config.model.param_dtype).itemsize / most
    sizes = {"bfloat16": 2 * parameters, "int8": parameters, "nf4": 4.25 / 8 * parameters}
    stored = (
        f"{size / 1e9:.1f} GB in {name} ({'fits' if size <= usable else 'does not fit'})"
        for name, size in sizes.items()
    )
    helps.append(
        f"adapter: {{}} (LoRA; by arithmetic, not compiled): frozen weights over {most} devices take "
        f"{' or '.join(stored)} on each, next to no gradients and optimizer; activations come on top"
    )
    return helps


def _most_shards(config: Config, devices: int) -> int:
    """Over how many of the devices the model's matrices can be divided."""
    model = config.model
    by_tensor = (model.num_key_value_heads, model.num_attention_heads, model.intermediate_size, model.vocab_size)
    return max(
        fsdp * tensor
        for tensor in range(1, model.num_key_value_heads + 1)
        if devices % tensor == 0 and all(size % tensor == 0 for size in by_tensor)
        for fsdp in range(1, devices // tensor + 1)
        if devices // tensor % fsdp == 0 and model.hidden_size % fsdp == 0
    )


def decimal_bytes(count: float) -> str:
    """Bytes in units of 1000, as data sheets give them."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


def _table(title: str, *headers: str) -> Table:
    table = Table(title=title, title_justify="left", show_header=bool(headers))
    for number, header in enumerate(headers or ("", "")):
        table.add_column(header, justify="right" if headers and number >= 3 else "left")
    return table


def _memory_table(config: Config, target: Target, plan: Plan) -> Table:
    memory = plan.memory
    table = _table(f"{config.model.preset or 'custom model'} on {target.name}: bytes of one device (as compiled)")
    mesh = " x ".join(f"{axis} {size}" for axis, size in plan.mesh.items())
    table.add_row("mesh", f"{mesh} = {plan.devices} devices")
    if memory.frozen:
        table.add_row("frozen weights", decimal_bytes(memory.frozen))
    for name in ("weights", "optimizer", "gradients", "activations", "temporaries"):
        count = getattr(memory, name)
        table.add_row(name, "among the temporaries" if count is None else decimal_bytes(count))
    peak = decimal_bytes(memory.peak)
    if plan.device_memory_bytes is not None:
        usable = decimal_bytes(plan.device_memory_bytes * target.usable)
        share = memory.peak / plan.device_memory_bytes
        peak += f" of {decimal_bytes(plan.device_memory_bytes)} ({share:.0%}), {usable} usable: "
        peak += "fits" if plan.fits else "DOES NOT FIT"
    table.add_row("peak", peak)
    return table


def _collective_table(plan: Plan) -> Table:
    table = _table(
        "collectives of a step (bytes that one device sends)",
        "kind",
        "axis",
        "type",
        "group",
        "times",
        "bytes",
        "estimated s",
        "exposed s",
        "overlaps",
    )
    for one in plan.collectives:
        hidden = "no"
        if one.asynchronous:
            hidden = "yes" if not one.seconds_per_step else f"{_hidden(one):.0%}"
        table.add_row(
            one.kind,
            one.axis,
            one.dtype,
            str(one.group),
            f"{one.count:,}",
            decimal_bytes(one.bytes_per_step),
            _seconds(one.seconds_per_step),
            _seconds(one.exposed_seconds_per_step),
            hidden,
        )
    return table


def _hidden(one: Any) -> float:
    return max(0.0, 1 - (one.exposed_seconds_per_step or 0.0) / one.seconds_per_step)


def _time_table(target: Target, plan: Plan, efficiency: Efficiency, prices: Prices) -> Table:
    table = _table("a step")
    table.add_row("tokens", f"{plan.tokens_per_step:,}")
    table.add_row("model FLOPs", f"{plan.model_flops_per_step:.3e} ({FLOPS_CONVENTION})")
    if plan.hardware_flops_per_step is not None:
        table.add_row("FLOPs of the program", f"{plan.hardware_flops_per_step:.3e} (recomputation included)")
    table.add_row("compiled in", f"{plan.compile_seconds:.1f} s")
    if plan.step_seconds is None:
        table.add_row("time", f"no estimate: {plan.no_estimate}")
        return table
    table.add_row(
        "estimate's model",
        f"each operation at {efficiency.matmul:.0%} of the peak FLOP/s or {efficiency.memory:.0%} of the memory's "
        f"bandwidth, whichever takes longer; collectives as rings at {efficiency.links:.0%} of the links, "
        "hidden behind what XLA schedules beside them",
    )
    table.add_row(
        "estimated time",
        f"{plan.step_seconds:.2f} s = compute {plan.compute_seconds:.2f} s + exposed {plan.exposed_seconds:.2f} s",
    )
    table.add_row("estimated tokens/s per device", f"{plan.tokens_per_second_per_device:,.0f}")
    table.add_row("estimated MFU", f"{plan.mfu:.1%}")
    hours = plan.device_hours or 0.0
    table.add_row(
        "estimated run",
        f"{plan.steps:,} steps = {plan.steps * plan.tokens_per_step:,} tokens: {hours:,.0f} device-hours, "
        f"{hours / plan.devices / 24:.1f} days",
    )
    for name, value in _money(target, hours, prices):
        table.add_row(name, value)
    return table


def _energy(target: Target, hours: float) -> float | None:
    """Kilowatt-hours of the devices at their board power; an upper bound of theirs, without hosts and cooling."""
    watts = target.accelerator.watts if target.accelerator else None
    return hours * watts / 1000 if watts else None


def _money(target: Target, hours: float, prices: Prices) -> list[tuple[str, str]]:
    rows = []
    energy = _energy(target, hours)
    if energy is not None:
        rows.append(("estimated energy", f"at most {energy:,.0f} kWh (board power, without hosts and cooling)"))
    if prices.device_hour is not None:
        rows.append(("estimated cost of devices", f"{hours * prices.device_hour:,.0f}"))
    if prices.kilowatt_hour is not None and energy is not None:
        rows.append(("estimated cost of energy", f"{energy * prices.kilowatt_hour:,.0f}"))
    return rows


def as_json(plan: Plan, target: Target, efficiency: Efficiency, prices: Prices) -> dict[str, Any]:
    """The plan with the keys that other programs rely on."""
    hours = plan.device_hours
    energy = _energy(target, hours) if hours is not None else None
    return {
        "target": plan.target,
        "devices": plan.devices,
        "mesh": plan.mesh,
        "peak_bytes_per_device": plan.memory.peak,
        "bytes_per_device": dataclasses.asdict(plan.memory),
        "device_memory_bytes": plan.device_memory_bytes,
        "usable_share_of_memory": target.usable,
        "fits": plan.fits,
        "tokens_per_step": plan.tokens_per_step,
        "model_flops_per_step": plan.model_flops_per_step,
        "hardware_flops_per_step": plan.hardware_flops_per_step,
        "memory_bytes_per_step_per_device": plan.memory_bytes_per_step,
        "collectives": [dataclasses.asdict(one) for one in plan.collectives],
        "compile_seconds": plan.compile_seconds,
        "estimate_assumes": dataclasses.asdict(efficiency),
        "estimated_step_seconds": plan.step_seconds,
        "estimated_compute_seconds": plan.compute_seconds,
        "estimated_exposed_seconds": plan.exposed_seconds,
        "estimated_tokens_per_second_per_device": plan.tokens_per_second_per_device,
        "estimated_mfu": plan.mfu,
        "no_estimate": plan.no_estimate,
        "steps": plan.steps,
        "estimated_device_hours": hours,
        "estimated_days": hours / plan.devices / 24 if hours is not None else None,
        "estimated_energy_kwh": energy,
        "estimated_cost_devices": hours * prices.device_hour if hours and prices.device_hour else None,
        "estimated_cost_energy": energy * prices.kilowatt_hour if energy and prices.kilowatt_hour else None,
    }


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
