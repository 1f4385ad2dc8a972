"""What a compiled step does, counted, and how long that would take by a stated model.

Every scheduled instruction takes the longer of its FLOPs at a share of the peak and its bytes at a share of the
memory's bandwidth. A collective that XLA started early runs beside what is scheduled until it is awaited; what is left
of it then is exposed. Loops are simulated once and multiplied.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

from melama_jax.planning.program import Computation, Instruction, Program, collective_kind

FREE = frozenset(
    [
        "parameter",
        "constant",
        "tuple",
        "get-tuple-element",
        "bitcast",
        "after-all",
        "partition-id",
        "replica-id",
        "opt-barrier",
        "domain",
    ]
)
CollectiveSeconds = Callable[[Instruction], float]


@dataclasses.dataclass(frozen=True)
class Rates:
    """What a device is taken to reach.

    Attributes:
        matmul: FLOP/s of matrix products.
        memory: Bytes/s of device memory.
    """

    matmul: float
    memory: float


@dataclasses.dataclass
class Cost:
    """Sums over a step on one device.

    Attributes:
        flops: FLOPs of matrix products and attention kernels, recomputation included.
        memory_bytes: Bytes moved to and from device memory.
        compute_seconds: Time of everything but collectives.
        collective_seconds: Time of collectives, were they alone.
        exposed_seconds: The part of it during which nothing else runs.
    """

    flops: float = 0.0
    memory_bytes: float = 0.0
    compute_seconds: float = 0.0
    collective_seconds: float = 0.0
    exposed_seconds: float = 0.0

    @property
    def step_seconds(self) -> float:
        """Compute and what is exposed of the collectives."""
        return self.compute_seconds + self.exposed_seconds

    def add(self, other: Cost, times: int = 1) -> None:
        """Add another, so many times."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + times * getattr(other, field.name))


def step_cost(program: Program, rates: Rates, collective_seconds: CollectiveSeconds) -> tuple[Cost, dict[str, float]]:
    """Cost of the whole program, and the exposed seconds of each collective by name.

    Args:
        program: The compiled step.
        rates: What the device reaches.
        collective_seconds: Time of one collective, from the instruction that starts it.
    """
    exposed: dict[str, float] = {}
    return _cost(program.computations[program.entry], program, rates, collective_seconds, exposed, 1), exposed


def _cost(
    computation: Computation,
    program: Program,
    rates: Rates,
    collective_seconds: CollectiveSeconds,
    exposed: dict[str, float],
    times: int,
) -> Cost:
    total = Cost()
    running: dict[str, float] = {}  # when a collective that was started will be done
    clock = link_free = 0.0

    def wait(name: str, until: float) -> None:
        nonlocal clock
        left = max(0.0, until - clock)
        total.exposed_seconds += left
        exposed[name] = exposed.get(name, 0.0) + left * times
        clock += left

    for instruction in computation.instructions:
        if instruction.opcode in FREE:
            continue
        if instruction.opcode in ("while", "call", "conditional"):
            trips = program.trips(instruction) if instruction.opcode == "while" else 1
            for called in _bodies(instruction):
                inner = _cost(program.computations[called], program, rates, collective_seconds, exposed, times * trips)
                total.add(inner, trips)
                clock += trips * inner.step_seconds
        elif (kind := collective_kind(instruction, program)) is not None:
            seconds = collective_seconds(instruction)
            total.collective_seconds += seconds
            done = max(clock, link_free) + seconds
            link_free = done
            if instruction.opcode.endswith("-start") and kind:
                running[instruction.name] = done
            else:
                wait(instruction.name, done)
        elif instruction.opcode.endswith("-done"):
            started = _started(instruction, running)
            if started is not None:
                wait(started, running.pop(started))
        else:
            flops, nbytes = flops_of(instruction, computation, program), bytes_of(instruction, computation, program)
            seconds = max(flops / rates.matmul, nbytes / rates.memory)
            total.flops += flops
            total.memory_bytes += nbytes
            total.compute_seconds += seconds
            clock += seconds
    return total


def _bodies(instruction: Instruction) -> list[str]:
    if instruction.opcode == "while":
        body = re.search(r"body=%([\w.\-]+)", instruction.attributes)
        return [body[1]] if body else []
    return list(instruction.called)


def _started(done: Instruction, running: dict[str, float]) -> str | None:
    return next((operand for operand in done.operands if operand in running), None)


def flops_of(instruction: Instruction, computation: Computation, program: Program) -> float:
    """FLOPs of the matrix products and attention kernels of one instruction, those inside a fusion included."""
    if instruction.opcode == "fusion":
        return sum(
            flops_of(inner, program.computations[called], program)
            for called in instruction.called
            for inner in program.computations[called].instructions
        )
    if instruction.opcode == "dot":
        return _dot_flops(instruction, computation)
    if instruction.opcode == "convolution":
        return _convolution_flops(instruction, computation)
    if instruction.opcode == "custom-call":
        return _kernel_flops(instruction, computation)
    return 0.0


def _dims(name: str, computation: Computation) -> tuple[int, ...]:
    found = computation.by_name.get(name)
    return found.shapes[0].dims if found is not None and found.shapes else ()


def _dot_flops(instruction: Instruction, computation: Computation) -> float:
    left = _dims(instruction.operands[0], computation)
    contracted = re.search(r"lhs_contracting_dims=\{([\d,]*)\}", instruction.attributes)
    dims = [int(d) for d in contracted[1].split(",") if d] if contracted else []
    return 2.0 * instruction.shapes[0].elements * math.prod(left[d] for d in dims)


def _convolution_flops(instruction: Instruction, computation: Computation) -> float:
    """TPU programs spell matrix products as convolutions: each output sums over the kernel but its output features."""
    kernel = _dims(instruction.operands[1], computation)
    labels = re.search(r"dim_labels=\w+_(\w+)->", instruction.attributes)
    features = kernel[labels[1].index("o")] if labels and "o" in labels[1] else 1
    return 2.0 * instruction.shapes[0].elements * math.prod(kernel) / max(features, 1)


_KERNEL_PRODUCTS = (  # by name: matrix products of size [T, S, E] in the kernel
    ("fmhaSoftmaxBackward", 5),
    ("fmhaSoftmax", 2),
    ("splash_mha_dkv", 4),
    ("splash_mha_dq", 3),
    ("splash", 2),
)


def _kernel_flops(instruction: Instruction, computation: Computation) -> float:
    """Attention kernels, from the shapes of queries and keys; half of the square where they are causal."""
    text = instruction.attributes
    if "__cublas" in text:
        return _cublas_flops(instruction, computation)
    products = next((count for name, count in _KERNEL_PRODUCTS if name in text), None)
    if products is None:
        return 0.0
    arrays = [_dims(name, computation) for name in instruction.operands]
    arrays = [dims for dims in arrays if len(dims) >= 3]
    if len(arrays) < 2:
        return 0.0
    query, key = arrays[0], arrays[1]
    source_length = key[-3] if "fmha" in text else key[-2]  # cuDNN: [B, S, K, E]; splash: [K, S, E]
    causal = 0.5 if "fmha" not in text or "CAUSAL" in text else 1.0
    return causal * products * 2.0 * math.prod(query) * source_length


def _cublas_flops(instruction: Instruction, computation: Computation) -> float:
    contracted = re.search(r'"lhs_contracting_dimensions":\["?([\d",]*)"?\]', instruction.attributes)
    if contracted is None:
        return 0.0
    left = _dims(instruction.operands[0], computation)
    dims = [int(d) for d in re.findall(r"\d+", contracted[1])]
    return 2.0 * instruction.shapes[0].elements * math.prod(left[d] for d in dims)


def bytes_of(instruction: Instruction, computation: Computation, program: Program) -> float:
    """Bytes that an instruction reads and writes in device memory; of a slice, those of the slice."""
    if instruction.opcode == "fusion":
        return _fusion_bytes(instruction, computation, program)
    if instruction.opcode in ("dynamic-slice", "slice", "gather"):
        return 2.0 * instruction.nbytes
    if instruction.opcode == "dynamic-update-slice":
        return 2.0 * _nbytes(instruction.operands[1], computation)
    if instruction.opcode in ("broadcast", "iota"):
        return float(instruction.nbytes)
    return instruction.nbytes + sum(_nbytes(name, computation) for name in instruction.operands)


def _nbytes(name: str, computation: Computation) -> int:
    found = computation.by_name.get(name)
    return found.nbytes if found is not None else 0


def _fusion_bytes(instruction: Instruction, computation: Computation, program: Program) -> float:
    called = instruction.called
    if not called:
        return instruction.nbytes + sum(_nbytes(name, computation) for name in instruction.operands)
    inner = program.computations[called[0]]
    parameters = [i for i in inner.instructions if i.opcode == "parameter"]
    total = sum(_read_bytes(parameter, inner) for parameter in parameters)
    roots = [inner.root]
    if inner.root.opcode == "tuple":
        roots = [inner.by_name[name] for name in inner.root.operands if name in inner.by_name]
    return total + sum(_written_bytes(root, inner) for root in roots)


def _read_bytes(parameter: Instruction, inner: Computation) -> float:
    """What is read of an operand: its slices where nothing else uses it, nothing where it is updated in place."""
    users = _through_bitcasts(parameter, inner)
    if users and all(user.opcode in ("dynamic-slice", "slice", "gather", "dynamic-update-slice") for user, _ in users):
        return sum(
            0.0 if user.opcode == "dynamic-update-slice" and user.operands[0] == name else user.nbytes
            for user, name in users
            if user.opcode != "dynamic-update-slice" or user.operands[0] == name
        )
    return float(parameter.nbytes)


def _through_bitcasts(instruction: Instruction, inner: Computation) -> list[tuple[Instruction, str]]:
    found = []
    for user in inner.users.get(instruction.name, []):
        if user.opcode == "bitcast":
            found += _through_bitcasts(user, inner)
        else:
            found.append((user, instruction.name))
    return found


def _written_bytes(root: Instruction, inner: Computation) -> float:
    while root.opcode == "bitcast" and root.operands and root.operands[0] in inner.by_name:
        root = inner.by_name[root.operands[0]]
    if root.opcode == "dynamic-update-slice":
        return float(_nbytes(root.operands[1], inner))
    return float(root.nbytes)
