"""Which class of work an operation of a trace is: by the compiled program where that is at hand, else by its name."""

from __future__ import annotations

import dataclasses
import functools
import re

from melama_jax.planning.cost import flops_of
from melama_jax.planning.program import COLLECTIVES, Computation, Instruction, Program, chain_ended_by, collective_in

MATMUL, ATTENTION, ELEMENTWISE, COPY, COLLECTIVE = "matmul", "attention", "elementwise", "copy", "collective"
OTHER_PROGRAMS, HOST, IDLE = "other programs", "host", "idle"
CLASSES = (MATMUL, ATTENTION, ELEMENTWISE, COPY, COLLECTIVE, OTHER_PROGRAMS, HOST, IDLE)
"""What a device's time is divided into; `collective` is the exposed part of it."""
PARTS = ("attention", "mlp", "loss", "optimizer", "embedding")
"""Named scopes of the training step, innermost last; an operation outside them is of no part."""

_CONTAINERS = frozenset(["while", "call", "conditional", "async-update"])
_MOVES = re.compile(
    "parameter|constant|tuple|get-tuple-element|bitcast|transpose|reshape|concatenate|pad|reverse|broadcast|iota|convert|"
    "gather|dynamic-update-slice|(copy|slice|dynamic-slice|async)(-start|-update|-done)?"
)
_SCOPE = re.compile(rf"(?:^|/)(?:\w+\()*({'|'.join(PARTS)})\)*(?=/|$)")
_OPERATION = re.compile(r'op_name="((?:[^"\\]|\\.)*)"')
_RECOMPUTED = "rematted_computation"
_BY_NAME = (  # the first that is found decides
    (
        COLLECTIVE,
        r"nccl|all[-_]?(gather|reduce|to[-_]?all)|reduce[-_]?scatter|collective|ppermute|^psum|^(send|recv)(-done)?\b",
    ),
    (ATTENTION, r"fmha|flash|splash|sdpa|mha_|attention"),
    (MATMUL, r"gemm|nvjet|cublas|cutlass|xmma|wgmma|matmul|\bdot|_dot|^ynn|convolution"),
    (COPY, r"^(wrapped_)?(copy|transpose|bitcast|concatenate|slice|dynamic[-_](update[-_])?slice|pad|memcpy|memset)"),
)
_CONTAINER_NAME = re.compile(r"(while|call|conditional|tuple|async-update)([._]\d+)*")


@dataclasses.dataclass(frozen=True)
class OpClass:
    """What an operation is.

    Attributes:
        kind: One of `CLASSES`.
        recomputed: Whether it repeats work of the forward pass that rematerialization had dropped.
        part: The named scope of the step it belongs to, or "".
        operation: What it came from, as JAX names it, or "".
    """

    kind: str
    recomputed: bool = False
    part: str = ""
    operation: str = ""


class ProgramClasses:
    """Classes of a compiled program's instructions, by name.

    Attributes:
        flops: FLOPs of one execution of the program on one device by class, recomputation included; empty where the
            length of a loop is not known.
    """

    def __init__(self, program: Program):
        self.flops: dict[str, float] = {}
        self._classes: dict[str, OpClass | None] = {}
        runs = program.executions() if not program.unknown_loops() else {}
        for name, computation in program.computations.items():
            for instruction in computation.instructions:
                found = self._classes[instruction.name] = classify(instruction, computation, program)
                if name in runs and found is not None:
                    amount = runs[name] * flops_of(instruction, computation, program)
                    self.flops[found.kind] = self.flops.get(found.kind, 0.0) + amount

    def get(self, name: str) -> tuple[bool, OpClass | None]:
        """Whether the program has an instruction of this name, and its class (None: it only holds others).

        Kernels in a CUDA graph go by the instruction's name with its dots as underscores.
        """
        for candidate in (name, re.sub(r"_(\d+)$", r".\1", name)):
            if candidate in self._classes:
                return True, self._classes[candidate]
        return False, None


def classify(instruction: Instruction, computation: Computation, program: Program) -> OpClass | None:
    """Class of an instruction; None for one that only holds others, whose time is theirs."""
    if instruction.opcode in _CONTAINERS:
        return None
    inner = [
        (one, program.computations[name])
        for name in (instruction.called if instruction.opcode in ("fusion", "async-start") else ())
        for one in program.computations[name].instructions
    ]
    products = [one for one, where in inner if flops_of(one, where, program)]
    operations = [_operation(one) for one in (*products, instruction, *(one for one, _ in inner if one.root))]
    operation = next(filter(None, operations), "")
    recomputed = any(_RECOMPUTED in text for text in operations)
    part = next((scopes[-1] for scopes in map(_SCOPE.findall, operations) if scopes), "")

    def found(kind: str) -> OpClass:
        return OpClass(kind, recomputed, part, operation)

    opcode = instruction.opcode.removesuffix("-start").removesuffix("-done")
    waits = any(one.opcode.removesuffix("-start") in COLLECTIVES for one in _awaited(instruction, computation, program))
    # A TPU's fusion may compute a product while it moves a collective on: that is computation.
    moves = not products and (collective_in(instruction, program) or chain_ended_by(instruction, program))
    if opcode in COLLECTIVES or waits or moves:
        return found(COLLECTIVE)
    kernel = instruction.opcode == "custom-call" and by_name(instruction.attributes).kind == ATTENTION
    if kernel or part == "attention":
        return found(ATTENTION)
    if products or flops_of(instruction, computation, program):
        return found(MATMUL)
    if all(_MOVES.fullmatch(one.opcode) for one in ([one for one, _ in inner] or [instruction])):
        return found(COPY)
    return found(ELEMENTWISE)


def _awaited(instruction: Instruction, computation: Computation, program: Program) -> list[Instruction]:
    """What an `async-done` waits for."""
    if instruction.opcode != "async-done":
        return []
    starts = (computation.by_name.get(name) for name in instruction.operands)
    return [
        one for start in starts if start for name in start.called for one in program.computations[name].instructions
    ]


def _operation(instruction: Instruction) -> str:
    match = _OPERATION.search(instruction.attributes)
    return match[1] if match else ""


@functools.lru_cache(maxsize=100_000)
def by_name(name: str) -> OpClass:
    """Class of an operation or kernel of which only the name is known."""
    return OpClass(next((kind for kind, pattern in _BY_NAME if re.search(pattern, name, re.IGNORECASE)), ELEMENTWISE))


def is_container(name: str) -> bool:
    """Whether an operation of this name only holds others."""
    return _CONTAINER_NAME.fullmatch(name) is not None
