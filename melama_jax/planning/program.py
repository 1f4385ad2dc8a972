"""A compiled XLA program as text, read: instructions, what calls what how often, collectives, FLOPs and bytes.

XLA's own cost analysis counts the body of a loop once and is absent for some compilers; here every computation knows
how often a step runs it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import re
from collections.abc import Iterator, Sequence

from melama_jax.planning.groups import axes_of, group_of, ints

_BITS = {"pred": 8, "bf16": 16, "tf32": 32, "c64": 64, "c128": 128, "token": 0, "opaque": 0}
_SHAPE = re.compile(r"\b([a-z]+\d*[a-z0-9]*)\[([\d,]*)\](?:\{[\d,]*:?([^}]*)\})?")
_STATEMENT = re.compile(r"\s+(?:ROOT )?%?[\w.\-]+ = ")
_END = re.compile(r"\}(, execution_thread=.*)?$")
_NAME = re.compile(r"%([\w.\-]+)")
_HEADER = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
_CALLED = re.compile(
    r"\b(?:calls|body|condition|to_apply|called_computations|branch_computations|true_computation|false_computation)=(\{[^}]*\}|%[\w.\-]+)"
)
_TRIPS = re.compile(r'known_trip_count\\?":?\s*\{\\?"n\\?":\s*\\?"(\d+)')
COLLECTIVES = ("all-gather", "reduce-scatter", "all-reduce", "all-to-all", "collective-permute", "ragged-all-to-all")


@dataclasses.dataclass(frozen=True)
class Shape:
    """One array of a (tuple) type.

    Attributes:
        dtype: XLA's name.
        dims: Sizes.
        on_chip: Whether it lies in a TPU core's own memory, not in the device's.
    """

    dtype: str
    dims: tuple[int, ...]
    on_chip: bool = False

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.dims)

    @property
    def nbytes(self) -> int:
        """Bytes without padding."""
        bits = _BITS.get(self.dtype)
        if bits is None:
            digits = re.search(r"\d+", self.dtype)
            bits = int(digits[0]) if digits else 0
        return -(-self.elements * bits // 8)


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One line of a computation.

    Attributes:
        name: Its name, unique in the program.
        opcode: What it does.
        shapes: Arrays of its result, a tuple's in order.
        operands: Names of its operands.
        attributes: The rest of the line.
        root: Whether it is the computation's result.
    """

    name: str
    opcode: str
    shapes: tuple[Shape, ...]
    operands: tuple[str, ...]
    attributes: str
    root: bool

    @property
    def nbytes(self) -> int:
        """Bytes of the result."""
        return sum(shape.nbytes for shape in self.shapes)

    @property
    def device_bytes(self) -> int:
        """Bytes of the result in the device's memory."""
        return sum(shape.nbytes for shape in self.shapes if not shape.on_chip)

    @property
    def chain(self) -> str | None:
        """XLA for TPUs writes a collective that runs beside products as a chain of fusions: the chain's number."""
        match = re.search(r'chain_id="(\w+)"', self.attributes)
        return match[1] if match else None

    @property
    def called(self) -> tuple[str, ...]:
        """Computations it names."""
        return tuple(name for match in _CALLED.findall(self.attributes) for name in _NAME.findall(match))

    @property
    def number(self) -> int | None:
        """Value of a whole scalar constant; place of a parameter."""
        match = re.match(r"literal=(-?\d+);", self.attributes)
        return int(match[1]) if match else None


@dataclasses.dataclass(frozen=True)
class Computation:
    """Instructions in the order in which they are scheduled."""

    name: str
    instructions: tuple[Instruction, ...]

    @functools.cached_property
    def by_name(self) -> dict[str, Instruction]:
        """The instructions by name."""
        return {instruction.name: instruction for instruction in self.instructions}

    @functools.cached_property
    def users(self) -> dict[str, list[Instruction]]:
        """The instructions that use a name."""
        found: dict[str, list[Instruction]] = {}
        for instruction in self.instructions:
            for operand in instruction.operands:
                found.setdefault(operand, []).append(instruction)
        return found

    @property
    def root(self) -> Instruction:
        """The result."""
        return next((i for i in reversed(self.instructions) if i.root), self.instructions[-1])


@dataclasses.dataclass(frozen=True)
class Program:
    """A compiled program.

    Attributes:
        computations: All of them by name.
        entry: Name of the one that runs.
    """

    computations: dict[str, Computation]
    entry: str

    def within(self, name: str) -> Iterator[Instruction]:
        """Instructions of a computation and of those that it calls."""
        for instruction in self.computations[name].instructions:
            yield instruction
            for called in instruction.called:
                yield from self.within(called)

    def trips(self, loop: Instruction) -> int | None:
        """Iterations of a loop: as the compiler states them, or as its condition and its body count from 0."""
        stated = _TRIPS.search(loop.attributes)
        if stated:
            return int(stated[1])
        condition, body = (re.search(rf"{name}=%([\w.\-]+)", loop.attributes) for name in ("condition", "body"))
        if condition is None or body is None:
            return None
        limits = [i.number for i in self.within(condition[1]) if i.opcode == "constant" and i.number is not None]
        test = self.computations[condition[1]].instructions
        counter = next((i.attributes for i in test if i.opcode == "get-tuple-element"), "")
        return -(-max(limits) // self._stride(self.computations[body[1]], counter)) if limits else None

    def _stride(self, body: Computation, counter: str) -> int:
        """What the body adds to its counter; an unrolled loop counts by more than 1."""
        index = re.search(r"index=(\d+)", counter)
        if index is None or body.root.opcode != "tuple":
            return 1
        following = body.by_name.get(body.root.operands[int(index[1])])
        while following is not None and following.opcode in ("copy", "bitcast"):
            following = body.by_name.get(following.operands[0])
        if following is not None and following.opcode == "fusion":
            body = self.computations[following.called[0]]
            following = body.root
        if following is None or following.opcode != "add":
            return 1
        steps = (body.by_name[name].number for name in following.operands if body.by_name[name].opcode == "constant")
        return next((step for step in steps if step), 1)

    def branch(self, conditional: Instruction) -> str:
        """The branch that is taken to run: that with cuDNN's attention, else the one with the most results."""

        def weight(name: str) -> tuple[bool, int]:
            inner = list(self.within(name))
            return any("__cudnn$fmha" in i.attributes for i in inner), sum(i.nbytes for i in inner)

        return max(conditional.called, key=weight)

    def bodies(self, instruction: Instruction) -> list[tuple[str, int | None]]:
        """What a loop, a call or a conditional runs, and how often; None where that is not known."""
        if instruction.opcode == "while":
            body = re.search(r"body=%([\w.\-]+)", instruction.attributes)
            return [(body[1], self.trips(instruction))] if body else []
        called = [self.branch(instruction)] if instruction.opcode == "conditional" else instruction.called
        return [(name, 1) for name in called]

    def executions(self) -> dict[str, int]:
        """How often a step runs each computation that holds scheduled instructions (fusions and reducers left out).

        The body of a loop of unknown length counts once; see `unknown_loops`.
        """
        counts: dict[str, int] = {}

        def visit(name: str, times: int) -> None:
            counts[name] = counts.get(name, 0) + times
            for instruction in self.computations[name].instructions:
                if instruction.opcode in ("while", "call", "conditional", "async-start"):
                    for called, trips in self.bodies(instruction):
                        visit(called, times * (1 if trips is None else trips))

        visit(self.entry, 1)
        return counts

    def unknown_loops(self) -> list[str]:
        """Loops of which neither the compiler nor their condition says how often they run."""
        scheduled = (i for name in self.executions() for i in self.computations[name].instructions)
        return [i.name for i in scheduled if i.opcode == "while" and self.trips(i) is None]


@dataclasses.dataclass(frozen=True)
class Collective:
    """One collective of a step.

    Attributes:
        kind: all-gather, reduce-scatter, ...
        axes: Mesh axes whose devices take part, joined by +; "?" where the groups are no product of axes.
        devices: Places in the mesh of the first group's devices.
        payload_bytes: Bytes of the whole array on one device, before or after, whichever is larger.
        count: Times a step runs it.
        asynchronous: Whether other work may be done meanwhile.
        dtype: Element type of its (first) array.
        name: Of its instruction.
        operation: What it came from, as JAX names it.
    """

    kind: str
    axes: str
    devices: tuple[int, ...]
    payload_bytes: int
    count: int
    asynchronous: bool
    dtype: str
    name: str
    operation: str

    @property
    def group(self) -> int:
        """Devices of a group."""
        return len(self.devices)

    @property
    def wire_bytes(self) -> int:
        """Bytes that one device sends, once, by the ring algorithms."""
        return wire_bytes(self.kind, self.payload_bytes, self.group)


def wire_bytes(kind: str, payload: int, group: int) -> int:
    """Bytes that one device of a group sends for a collective of this payload, by the ring algorithms."""
    if group <= 1:
        return 0
    if kind == "collective-permute":
        return payload
    share = payload * (group - 1) // group
    return 2 * share if kind == "all-reduce" else share


def parse(text: str) -> Program:
    """Read `compiled.as_text()`."""
    computations: dict[str, Computation] = {}
    entry, name = "", ""
    lines: list[str] = []
    for line in text.splitlines():
        if not name:
            header = _HEADER.match(line)
            if header:
                name = header[2]
                entry = name if header[1] else entry
        elif _END.match(line):
            computations[name] = Computation(name, tuple(_instruction(line) for line in lines))
            name, lines = "", []
        elif _STATEMENT.match(line):
            lines.append(line)
        elif lines:  # an attribute that holds line breaks
            lines[-1] += line
    if not entry:
        raise ValueError("the text holds no ENTRY computation")
    return Program(computations, entry)


def collectives(program: Program, mesh_shape: Sequence[tuple[str, int]]) -> list[Collective]:
    """Every collective that a step runs.

    Args:
        program: The compiled step.
        mesh_shape: Axis names and sizes, outermost first, as the devices are laid out.
    """
    return [
        collective_of(instruction, program, mesh_shape, count)
        for name, count in program.executions().items()
        for instruction in program.computations[name].instructions
        if collective_in(instruction, program) is not None
    ]


def collective_in(instruction: Instruction, program: Program) -> tuple[str, Instruction] | None:
    """Which collective an instruction starts (or is), and the instruction that says its groups; None for others."""
    opcode = instruction.opcode.removesuffix("-start")
    if opcode in COLLECTIVES:
        return opcode, instruction
    if instruction.opcode not in ("async-start", "fusion"):
        return None
    for computation in (program.computations[name] for name in instruction.called):
        for inner in computation.instructions:
            kind = inner.opcode.removesuffix("-start")
            if kind not in COLLECTIVES or (inner.chain and not _uses(computation, inner, "AsyncCollectiveStart")):
                continue
            # A TPU's reduce-scatter may be a fusion of a sum and the slice that is kept of it.
            sliced = kind == "all-reduce" and computation.root.opcode == "dynamic-slice"
            return ("reduce-scatter" if sliced else kind), inner
    return None


def chain_ended_by(instruction: Instruction, program: Program) -> str | None:
    """The chain (see `Instruction.chain`) that a fusion waits for."""
    if instruction.opcode != "fusion":
        return None
    for computation in (program.computations[name] for name in instruction.called):
        for inner in computation.instructions:
            if inner.chain and _uses(computation, inner, "AsyncCollectiveDone"):
                return inner.chain
    return None


def _uses(computation: Computation, instruction: Instruction, target: str) -> bool:
    return any(f'"{target}"' in user.attributes for user in computation.users.get(instruction.name, ()))


def collective_of(
    instruction: Instruction, program: Program, mesh_shape: Sequence[tuple[str, int]], count: int
) -> Collective:
    """Describe a collective instruction, or the one inside an asynchronous wrapper."""
    found = collective_in(instruction, program)
    assert found is not None
    kind, inner = found
    group = group_of(inner.attributes, math.prod(size for _, size in mesh_shape))
    operation = re.search(r'op_name="([^"]*)"', inner.attributes)
    started = instruction.opcode.endswith("-start") or inner.chain is not None
    return Collective(
        kind=kind,
        axes=axes_of(group, mesh_shape),
        devices=group,
        payload_bytes=_payload(inner, kind, len(group)),
        count=count,
        asynchronous=started and '"is_sync":true' not in inner.attributes.replace(" ", ""),
        dtype=inner.shapes[0].dtype,
        name=instruction.name,
        operation=operation[1] if operation else "",
    )


def _payload(instruction: Instruction, kind: str, group: int) -> int:
    """Bytes of the whole array: the result of a gather, the operand of a reduce-scatter.

    A `-start` yields a tuple of operands and results (all-reduce: results alone).
    """
    shapes = instruction.shapes
    if instruction.opcode.endswith("-start") and kind != "all-reduce":
        largest = sum(shape.nbytes for shape in shapes if shape.dtype not in ("u32", "s32") or shape.dims)
        if kind == "collective-permute":
            return shapes[0].nbytes
        return largest * group // (group + 1) if kind in ("all-gather", "reduce-scatter") else largest // 2
    total = sum(shape.nbytes for shape in shapes)
    return total * group if instruction.opcode == "reduce-scatter" else total


def _instruction(line: str) -> Instruction:
    left, _, right = line.strip().partition(" = ")
    root = left.startswith("ROOT ")
    name = left.removeprefix("ROOT ").lstrip("%")
    right = re.sub(r"/\*.*?\*/", "", right)
    end = _matching(right, 0) + 1 if right.startswith("(") else right.index(" ")
    opcode, _, _ = right[end:].strip().partition("(")
    start = right.index("(", end)
    close = _matching(right, start)
    shapes = tuple(
        Shape(dtype, ints(dims), "T(" in layout and "S(1)" in layout)
        for dtype, dims, layout in _SHAPE.findall(right[:end])
    )
    operands = tuple(_NAME.findall(right[start:close]))
    attributes = right[close + 1 :]
    if opcode.strip() in ("constant", "parameter"):
        attributes = f"literal={right[start + 1 : close]};{attributes}"
    return Instruction(name, opcode.strip(), shapes, operands, attributes, root)


def _matching(text: str, start: int) -> int:
    """Place of the parenthesis that closes the one at `start`."""
    depth = 0
    for place in _parentheses(text, start):
        depth += 1 if text[place] == "(" else -1
        if depth == 0:
            return place
    raise ValueError(f"unbalanced parentheses in {text[:80]!r}")


def _parentheses(text: str, start: int) -> Iterator[int]:
    yield from (match.start() for match in re.compile(r"[()]").finditer(text, start))
