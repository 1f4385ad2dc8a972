"""What a compiled step does, counted, and how long that would take by a stated model.

Every scheduled instruction takes the longer of its FLOPs at a share of the peak and its bytes at a share of the
memory's bandwidth. A collective that XLA started early runs beside what is scheduled until it is awaited; what is left
of it then is exposed. So does a copy between a TPU's memory and its cores' own. Loops are simulated once and
multiplied; what still runs at a computation's end is waited for.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable

import numpy as np

from melama_jax.planning.program import COLLECTIVES, Computation, Instruction, Program, chain_ended_by, collective_in

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
    running: dict[str, float] = {}  # when what was started will be done, by what waits for it
    on_link: list[tuple[str, float, float]] = []  # collectives with when they hold the link, one after the other
    copying: dict[str, float] = {}
    clock = link_free = memory_free = 0.0

    def wait(until: float) -> None:
        """Booked to those that hold the link meanwhile, not to the one that is awaited behind them."""
        nonlocal clock
        for name, begun, done in on_link:
            exposed[name] = exposed.get(name, 0.0) + times * max(0.0, min(done, until) - max(begun, clock))
        total.exposed_seconds += max(0.0, until - clock)
        clock = max(clock, until)
        on_link[:] = [one for one in on_link if one[2] > clock]

    def work(seconds: float) -> None:
        nonlocal clock
        total.compute_seconds += seconds
        clock += seconds

    for instruction in computation.instructions:
        if instruction.opcode in FREE:
            continue
        if instruction.opcode in ("while", "call", "conditional"):
            for called, known in program.bodies(instruction):
                trips = 1 if known is None else known
                body = program.computations[called]
                one = _cost(body, program, rates, collective_seconds, exposed, times * trips)
                total.add(one, trips)
                clock += trips * one.step_seconds
        elif (found := collective_in(instruction, program)) is not None:
            seconds = collective_seconds(instruction)
            total.collective_seconds += seconds
            begun = max(clock, link_free)
            link_free = begun + seconds
            on_link.append((instruction.name, begun, link_free))
            if instruction.opcode.endswith("-start") or found[1].chain:
                running[found[1].chain or instruction.name] = link_free
            else:
                wait(link_free)
        elif (chain := chain_ended_by(instruction, program)) is not None:
            if chain in running:
                wait(running.pop(chain))
        elif instruction.opcode.endswith("-done"):
            for operand in instruction.operands:
                if operand in running:
                    wait(running.pop(operand))
                work(max(0.0, copying.pop(operand, clock) - clock))
        elif instruction.opcode.endswith("-start"):
            nbytes = _copied_bytes(instruction, computation)
            total.memory_bytes += nbytes
            memory_free = max(clock, memory_free) + nbytes / rates.memory
            copying[instruction.name] = memory_free
        else:
            flops, nbytes = flops_of(instruction, computation, program), bytes_of(instruction, computation, program)
            total.flops += flops
            total.memory_bytes += nbytes
            work(max(flops / rates.matmul, nbytes / rates.memory))
    wait(max(running.values(), default=clock))
    return total


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
    """TPU programs spell matrix products as convolutions, batch dimensions as windows that are mostly padding."""
    data, kernel = (_dims(name, computation) for name in instruction.operands[:2])
    labels = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", instruction.attributes)
    if labels is None:
        return 0.0
    of_data, of_kernel, of_result = labels.groups()
    result = instruction.shapes[0].dims
    window = _window(instruction.attributes)
    flops = 2.0 * result[of_result.index("b")] * result[of_result.index("f")] * kernel[of_kernel.index("i")]
    for dim in (label for label in of_data if label.isdigit()):
        size = data[of_data.index(dim)]
        strides = window.get(int(dim), (1, 0, 1, 1))
        flops *= _products_in_window(size, kernel[of_kernel.index(dim)], result[of_result.index(dim)], *strides)
    return flops


def _window(attributes: str) -> dict[int, tuple[int, int, int, int]]:
    """Stride, padding below, and dilation of data and kernel by dimension."""
    text = re.search(r"window=\{([^}]*)\}", attributes)
    parts = dict(part.split("=") for part in text[1].split()) if text else {}
    values = {key: value.split("x") for key, value in parts.items()}
    found = {}
    for dim in range(len(values.get("size", []))):
        low = int(values["pad"][dim].split("_")[0]) if "pad" in values else 0
        stride, of_data, of_kernel = (
            int(values[key][dim]) if key in values else 1 for key in ("stride", "lhs_dilate", "rhs_dilate")
        )
        found[dim] = stride, low, of_data, of_kernel
    return found


def _products_in_window(
    size: int, kernel: int, result: int, stride: int, low: int, data_dilation: int, kernel_dilation: int
) -> int:
    """Pairs of a place of the result and one of the kernel that meet data, not padding."""
    places = stride * np.arange(result)[:, None] + kernel_dilation * np.arange(kernel)[None] - low
    met = (places >= 0) & (places % data_dilation == 0) & (places // data_dilation < size)
    return int(met.sum())


_KERNELS = (
    # What a call's target and name hold, products of queries by keys in it, and the place of the keys' length.
    (r"__cudnn\$fmha\w*Backward", 5, -3),
    (r"__cudnn\$fmha", 2, -3),
    (r"__gpu\$xla.gpu.triton .*/mha_backward/", 7, -3),
    (r"__gpu\$xla.gpu.triton .*/mha_forward/", 2, -3),
    (r"tpu_custom_call .*splash_mha_dkv", 4, -2),
    (r"tpu_custom_call .*splash_mha_dq", 3, -2),
    (r"tpu_custom_call .*splash", 2, -2),
)


def _kernel_flops(instruction: Instruction, computation: Computation) -> float:
    """Attention kernels, from the shapes of queries and keys; half of the square unless a mask is an operand.

    A row of packed documents counts as one: what they are is known when the program runs.
    """
    text = instruction.attributes
    target, name = (re.search(rf'{key}="([^"]*)"', text) for key in ("custom_call_target", "op_name"))
    called = f"{target[1] if target else ''} {name[1] if name else ''}"
    if called.startswith("__cublas"):
        return _cublas_flops(instruction, computation)
    kernel = next((found for found in _KERNELS if re.match(found[0], called)), None)
    given = [computation.by_name[name].shapes[0] for name in instruction.operands if name in computation.by_name]
    arrays = [shape.dims for shape in given if len(shape.dims) >= 3 and "f" in shape.dtype]
    if kernel is None or len(arrays) < 2:
        return 0.0
    _, products, place = kernel
    whole = called.startswith("__cudnn") and "CAUSAL" not in text
    return (1.0 if whole else 0.5) * products * 2.0 * math.prod(arrays[0]) * arrays[1][place]


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
    if '"AllocateBuffer"' in instruction.attributes or '"ConcatBitcast"' in instruction.attributes:
        return 0.0
    if instruction.opcode in ("dynamic-slice", "slice", "gather"):
        return 2.0 * instruction.device_bytes
    if instruction.opcode == "dynamic-update-slice":
        return 2.0 * _nbytes(instruction.operands[1], computation)
    if instruction.opcode in ("broadcast", "iota"):
        return float(instruction.device_bytes)
    return instruction.device_bytes + sum(_nbytes(name, computation) for name in instruction.operands)


def _copied_bytes(instruction: Instruction, computation: Computation) -> float:
    """What a `copy-start` or `slice-start` moves; its result is a tuple of where to, where from and a signal."""
    arrays = [shape for shape in instruction.shapes if shape.dims]
    if not arrays:
        return 0.0
    moved = min(shape.nbytes for shape in arrays)
    return float(moved * sum(not shape.on_chip for shape in arrays[:2]))


def _nbytes(name: str, computation: Computation) -> int:
    found = computation.by_name.get(name)
    return found.device_bytes if found is not None else 0


def _fusion_bytes(instruction: Instruction, computation: Computation, program: Program) -> float:
    called = instruction.called
    if not called:
        return instruction.device_bytes + sum(_nbytes(name, computation) for name in instruction.operands)
    inner = program.computations[called[0]]
    parameters = [i for i in inner.instructions if i.opcode == "parameter"]
    total = sum(_read_bytes(parameter, inner, program) for parameter in parameters)
    roots = [inner.root]
    if inner.root.opcode == "tuple":
        roots = [inner.by_name[name] for name in inner.root.operands if name in inner.by_name]
    return total + sum(_written_bytes(root, inner) for root in roots)


def _read_bytes(parameter: Instruction, inner: Computation, program: Program) -> float:
    """What is read of an operand: of slices the slices, nothing of what is updated in place or handed on as it is."""
    total = 0.0
    for user, name in _through_bitcasts(parameter, inner):
        if user.opcode in ("dynamic-slice", "slice", "gather") and user.operands[0] == name:
            total += user.nbytes
        elif user.opcode == "fusion" and user.called:
            within = program.computations[user.called[0]]
            own = [i for i in within.instructions if i.opcode == "parameter" and i.number == user.operands.index(name)]
            total += sum(_read_bytes(i, within, program) for i in own)
        elif not (
            (user.opcode == "dynamic-update-slice" and user.operands[0] == name)
            or (user.opcode == "tuple" and user.root)
            or user.opcode in COLLECTIVES
        ):
            total = math.inf
    # A buffer of a collective that runs meanwhile is handed on, and what lies on the chip is read from there.
    return min(total, parameter.device_bytes)


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
    if not root.device_bytes or root.opcode == "parameter" or root.opcode in COLLECTIVES:
        return 0.0
    if root.opcode == "dynamic-update-slice":
        return float(_nbytes(root.operands[1], inner))
    return float(root.device_bytes)
