"""The plan of a run: its training step compiled for a target, what that holds and moves, and how long it may take."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from melama_jax.config import Config
from melama_jax.errors import ConfigError
from melama_jax.parallel import mesh as meshes
from melama_jax.planning import cost
from melama_jax.planning.program import (
    Collective,
    Instruction,
    Program,
    collective_of,
    collectives,
    parse,
)
from melama_jax.planning.targets import Target, devices_of
from melama_jax.training import state as states
from melama_jax.training.step import check_layout, compile_train_step


@dataclasses.dataclass(frozen=True)
class Efficiency:
    """Shares of the data sheets' figures that a step is taken to reach.

    Attributes:
        matmul: Of the peak FLOP/s, in matrix products and attention.
        memory: Of the memory's bandwidth.
        links: Of the links' and the network's bandwidth.
    """

    matmul: float = 0.75
    memory: float = 0.8
    links: float = 0.8


@dataclasses.dataclass(frozen=True)
class Memory:
    """Bytes of one device, of the compiled step.

    Attributes:
        weights: Parameters.
        optimizer: Moments and counters.
        gradients: Float32 gradients, sharded as the parameters.
        activations: What the layers keep for the backward pass; None where XLA gave up for want of memory.
        temporaries: Everything else that XLA allocates.
        peak: All of it at its highest.
        frozen: Weights beside an adapter, as they are kept; 0 without one.
    """

    weights: int
    optimizer: int
    gradients: int
    activations: int | None
    temporaries: int
    peak: int
    frozen: int = 0


@dataclasses.dataclass(frozen=True)
class CollectivePlan:
    """A collective of the step with its time.

    Attributes:
        kind: all-gather, reduce-scatter, ...
        axis: Mesh axes it crosses.
        group: Devices that take part together.
        dtype: Type of its elements.
        count: Times in a step.
        bytes_per_step: Bytes that a device sends for it in a step.
        seconds_per_step: Its estimated time, were it alone.
        exposed_seconds_per_step: The part that nothing else hides.
        asynchronous: Whether XLA starts it ahead of its use.
    """

    kind: str
    axis: str
    group: int
    dtype: str
    count: int
    bytes_per_step: int
    seconds_per_step: float | None
    exposed_seconds_per_step: float | None
    asynchronous: bool


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is known of a run before it runs; times are estimates, the rest is exact for the compiled program.

    Attributes:
        target: Name of the cluster.
        devices: Its devices.
        mesh: Axis sizes.
        memory: Bytes of one device.
        device_memory_bytes: What a device has; None for a CPU.
        fits: Whether the peak is within the usable share of it; None for a CPU.
        model_flops_per_step: By the convention of the reports, over all devices.
        hardware_flops_per_step: Of the compiled program, recomputation included, over all devices; None where XLA gave
            up for want of memory, as for the next, or where they cannot be counted.
        memory_bytes_per_step: Bytes moved to and from one device's memory.
        collectives: Those of a step, alike ones together.
        compile_seconds: Time XLA took here.
        tokens_per_step: Global.
        steps: For the whole budget of tokens.
        peak_flops: Of one device, FLOP/s; None for a CPU.
        compute_seconds: Estimated time of everything but collectives; None for a CPU and without a program.
        exposed_seconds: Estimated time of collectives that nothing hides.
        no_estimate: Why there is no estimated time, where there is none.
    """

    target: str
    devices: int
    mesh: dict[str, int]
    memory: Memory
    device_memory_bytes: int | None
    fits: bool | None
    model_flops_per_step: float
    hardware_flops_per_step: float | None
    memory_bytes_per_step: float | None
    collectives: list[CollectivePlan]
    compile_seconds: float
    tokens_per_step: int
    steps: int
    peak_flops: float | None
    compute_seconds: float | None = None
    exposed_seconds: float | None = None
    no_estimate: str | None = None

    @property
    def step_seconds(self) -> float | None:
        """Estimated time of a step."""
        if self.compute_seconds is None or self.exposed_seconds is None:
            return None
        return self.compute_seconds + self.exposed_seconds

    @property
    def tokens_per_second_per_device(self) -> float | None:
        """Estimated throughput."""
        return self.tokens_per_step / self.step_seconds / self.devices if self.step_seconds else None

    @property
    def mfu(self) -> float | None:
        """Estimated share of the peak, by model FLOPs."""
        if not self.step_seconds or not self.peak_flops:
            return None
        return self.model_flops_per_step / self.step_seconds / self.devices / self.peak_flops

    @property
    def device_hours(self) -> float | None:
        """Estimated for all steps."""
        return self.step_seconds * self.steps * self.devices / 3600 if self.step_seconds else None


def make_plan(
    config: Config,
    target: Target,
    *,
    efficiency: Efficiency,
    tokens: float | None = None,
    devices: Sequence[Any] | None = None,
) -> Plan:
    """Compile the very step that training would run, for a target, and read it.

    Args:
        config: The run's configuration.
        target: The cluster.
        efficiency: What it is taken to reach.
        tokens: Budget of tokens; None takes the configuration's steps.
        devices: The target's devices, if they are at hand from an earlier plan.

    Raises:
        MeshError: The mesh does not fit the devices or the model.
        ConfigError: XLA cannot compile the step, such as for want of memory.
    """
    mesh = meshes.build_mesh(config.mesh, devices if devices is not None else devices_of(target))
    check_layout(config, mesh)
    abstract = states.abstract_state(config, mesh)
    sheet = target.accelerator
    tokens_per_step = config.train.global_batch_size * config.train.sequence_length
    started = time.monotonic()
    try:
        compiled = compile_train_step(config, mesh, abstract)
    except jax.errors.JaxRuntimeError as error:
        compiled, memory = None, _exhausted(str(error), abstract)
        if memory is None:
            reason = (str(error).splitlines() or [""])[0][:300]
            raise ConfigError(f"{target.name}: XLA cannot compile this step ({reason})") from None
    else:
        program = parse(compiled.as_text() or "")
        memory = _memory(compiled.memory_analysis(), abstract, program, config)
    plan = Plan(
        target=target.name,
        devices=target.num_devices,
        mesh=dict(mesh.shape),
        memory=memory,
        device_memory_bytes=sheet.memory_bytes if sheet else None,
        fits=compiled is not None and memory.peak <= sheet.memory_bytes * target.usable if sheet else None,
        model_flops_per_step=states.flops_per_token(config) * tokens_per_step,
        hardware_flops_per_step=None,
        memory_bytes_per_step=None,
        collectives=[],
        compile_seconds=time.monotonic() - started,
        tokens_per_step=tokens_per_step,
        steps=config.train.steps if tokens is None else math.ceil(tokens / tokens_per_step),
        peak_flops=sheet.peak_flops if sheet else None,
    )
    if compiled is None:
        return dataclasses.replace(plan, no_estimate="XLA gave up for want of memory")
    links = _Links(target, mesh, efficiency, program)
    rates = cost.Rates(math.inf, math.inf)
    if sheet is not None:
        rates = cost.Rates(sheet.peak_flops * efficiency.matmul, sheet.memory_bandwidth * efficiency.memory)
    total, exposed = cost.step_cost(program, rates, links.seconds)
    miscounted = _miscounted(program, total.flops * target.num_devices, plan.model_flops_per_step)
    timed = sheet is not None and miscounted is None
    links.timed = timed
    return dataclasses.replace(
        plan,
        hardware_flops_per_step=total.flops * target.num_devices if miscounted is None else None,
        memory_bytes_per_step=total.memory_bytes if miscounted is None else None,
        collectives=_grouped(collectives(program, list(mesh.shape.items())), links, exposed),
        compute_seconds=total.compute_seconds if timed else None,
        exposed_seconds=total.exposed_seconds if timed else None,
        no_estimate=miscounted or (None if sheet else "a CPU has no data sheet"),
    )


def _miscounted(program: Program, flops: float, model_flops: float) -> str | None:
    """Why the count of the program cannot be trusted, if it cannot."""
    unknown = program.unknown_loops()
    if unknown:
        return f"the compiled program does not say how often its loop {unknown[0]} runs"
    if flops < 0.98 * model_flops:
        return f"only {flops / model_flops:.0%} of the model's FLOPs were found in the compiled program"
    return None


def _exhausted(message: str, abstract: states.TrainState) -> Memory | None:
    """What XLA for TPUs, which compiles nothing that the device cannot hold, says that it would have taken."""
    if "Ran out of memory" not in message:
        return None
    weights, optimizer, frozen = (states.shard_bytes(x) for x in (abstract.params, abstract.opt_state, abstract.base))
    figures = {
        what: float(number) * 1024 ** "KMG".index(unit) * 1024
        for what, number, unit in re.findall(r"(Used|HLO temporaries \()\s*([\d.]+)([KMG])", message)
    }
    # The one is of everything, the other leaves out the state.
    held = weights + optimizer + frozen
    peak = int(figures.get("Used", held + sum(figures.values())))
    gradients = min(_gradient_bytes(abstract), max(0, peak - held))
    return Memory(weights, optimizer, gradients, None, max(0, peak - held - gradients), peak, frozen)


def _gradient_bytes(abstract: states.TrainState) -> int:
    return states.shard_bytes(
        jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, jnp.float32, sharding=x.sharding), abstract.params)
    )


def _memory(analysis: Any, abstract: states.TrainState, program: Program, config: Config) -> Memory:
    weights, optimizer, frozen = (states.shard_bytes(x) for x in (abstract.params, abstract.opt_state, abstract.base))
    temporary = analysis.temp_size_in_bytes
    gradients = min(_gradient_bytes(abstract), temporary)
    activations = min(_kept(program, abstract, config.model.num_hidden_layers), temporary - gradients)
    peak = analysis.argument_size_in_bytes + analysis.output_size_in_bytes + temporary - analysis.alias_size_in_bytes
    return Memory(weights, optimizer, gradients, activations, temporary - gradients - activations, peak, frozen)


def _kept(program: Program, abstract: states.TrainState, layers: int) -> int:
    """Bytes of the stacks [L, ...] that the layers' loops carry and that are no parameters or their gradients."""
    weights = jax.tree.leaves((abstract.params, abstract.base))
    own = {tuple(sorted(x.sharding.shard_shape(x.shape))) for x in weights}
    most = 0
    for name in program.executions():
        for instruction in program.computations[name].instructions:
            # XLA may take the first or the last layer out of its loop.
            if instruction.opcode == "while" and program.trips(instruction) in (layers, layers - 1):
                stacks = [s for s in instruction.shapes if s.dims[:1] == (layers,) and tuple(sorted(s.dims)) not in own]
                most = max(most, sum(stack.nbytes for stack in stacks))
    return most


class _Links:
    """Time of collectives on a target, as rings.

    Among GPUs over a node's fast links, and over its network adapters between nodes; in a TPU slice over the links of
    every dimension of the torus that the group extends in, half of them where that dimension is a line.
    """

    def __init__(self, target: Target, mesh: Mesh, efficiency: Efficiency, program: Program):
        self._target, self._efficiency, self._program = target, efficiency, program
        self._shape = list(mesh.shape.items())
        self._devices = list(mesh.devices.flat)
        self.timed = target.accelerator is not None

    def seconds(self, instruction: Instruction) -> float:
        return self.seconds_of(collective_of(instruction, self._program, self._shape, 1))

    def seconds_of(self, collective: Collective) -> float:
        sheet = self._target.accelerator
        if sheet is None or collective.group <= 1:
            return 0.0
        devices = [self._devices[place] for place in collective.devices]
        if self._target.platform == "tpu":
            bandwidth = sheet.link_bandwidth * self._torus_dims(devices)
        else:
            nodes = [device.id // self._target.per_node for device in devices]
            in_node = max(nodes.count(node) for node in set(nodes))
            bandwidth = sheet.ring_bandwidth(collective.group, in_node)
        return collective.wire_bytes / (bandwidth * self._efficiency.links)

    def _torus_dims(self, devices: Sequence[Any]) -> float:
        """Dimensions of the torus that these devices extend in, a line as half a one."""
        found = 0.0
        for places, size, closed in zip(
            zip(*(device.coords for device in devices), strict=True),
            (*self._target.dims, 1),
            (*self._target.closed, False),
            strict=False,
        ):
            if len(set(places)) > 1:
                found += 1.0 if closed and len(set(places)) == size else 0.5
        return max(found, 0.5)


def _grouped(found: Sequence[Collective], links: _Links, exposed: dict[str, float]) -> list[CollectivePlan]:
    """Alike collectives together, the slowest first."""
    sums: dict[tuple[Any, ...], CollectivePlan] = {}
    timed = links.timed
    for one in found:
        key = (one.kind, one.axes, one.group, one.dtype, one.asynchronous)
        before = sums.get(key)
        seconds = links.seconds_of(one) * one.count if timed else None
        waits = exposed.get(one.name, 0.0) if timed else None
        sums[key] = CollectivePlan(
            one.kind,
            one.axes,
            one.group,
            one.dtype,
            one.count + (before.count if before else 0),
            one.wire_bytes * one.count + (before.bytes_per_step if before else 0),
            None if seconds is None else seconds + ((before.seconds_per_step or 0.0) if before else 0.0),
            None if waits is None else waits + ((before.exposed_seconds_per_step or 0.0) if before else 0.0),
            one.asynchronous,
        )
    return sorted(sums.values(), key=lambda plan: -plan.bytes_per_step)
