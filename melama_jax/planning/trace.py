"""A trace in the format of xprof and TensorBoard, read: what each device did when, and what the host did meanwhile."""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from melama_jax.errors import DataError
from melama_jax.planning.op_class import OTHER_PROGRAMS, OpClass, ProgramClasses, by_name, is_container
from melama_jax.planning.program import parse
from melama_jax.training.profiling import HOST_SPANS, PROGRAM_FILE, SIDECAR_FILE, STEP_NAME

_FILES = "*.xplane.pb"
_DEVICE = re.compile(r"/device:(GPU|TPU):(\d+)$")
Span = tuple[float, float]
"""Start and end, nanoseconds."""


@dataclasses.dataclass(frozen=True)
class Op:
    """One operation that a device ran.

    Attributes:
        name: Of the instruction, or of the kernel where that is not known.
        start: Nanoseconds.
        end: Nanoseconds.
        what: Its class.
    """

    name: str
    start: float
    end: float
    what: OpClass


@dataclasses.dataclass
class Device:
    """What one device did.

    Attributes:
        name: Host file and device.
        ops: In any order; they may overlap.
        host: When its host was busy with something that the device may have waited for.
    """

    name: str
    ops: list[Op]
    host: list[Span]


@dataclasses.dataclass(frozen=True)
class Trace:
    """A trace of one moment of a run, over all its hosts.

    Attributes:
        folder: Where it was found.
        files: The hosts' files.
        devices: Those that did something.
        steps: Training steps in it; 0 where nothing says how many.
        about: What the run wrote beside it; empty for a trace of something else.
        flops: FLOPs of a step on one device by class; empty without the program.
    """

    folder: Path
    files: list[Path]
    devices: list[Device]
    steps: int
    about: dict[str, Any]
    flops: dict[str, float]


def read_trace(path: Path) -> Trace:
    """Read a trace: an .xplane.pb, or any folder above some; of several moments the newest.

    Raises:
        DataError: There is no trace, or it cannot be read.
    """
    files = [path] if path.is_file() else _newest(path)
    beside = files[0].parent
    # plugins/profile/<moment>/ lies in the folder that a run writes for one trace
    folder = next((place for place in (beside, *beside.parents[:3]) if (place / SIDECAR_FILE).is_file()), beside)
    about = _about(folder)
    program = _program(folder)
    devices: list[Device] = []
    steps: set[int] = set()
    for file in files:
        found, numbers = _read_file(file, program, about.get("program"))
        devices += found
        steps |= numbers
    if not devices:
        raise DataError(f"{path}: no device did anything while this was traced; trace steps of a training run")
    return Trace(folder, files, devices, len(steps) or about.get("steps", 0), about, program.flops if program else {})


def _newest(path: Path) -> list[Path]:
    found = sorted(path.rglob(_FILES)) if path.is_dir() else []
    if not found:
        raise DataError(f"{path}: holds no {_FILES}; give the folder of a trace, or such a file")
    moment = max(found, key=lambda file: file.stat().st_mtime).parent
    return [file for file in found if file.parent == moment]


def _about(folder: Path) -> dict[str, Any]:
    path = folder / SIDECAR_FILE
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError):
        raise DataError(f"{path}: cannot be read as JSON; remove it to read the trace without it") from None


def _program(folder: Path) -> ProgramClasses | None:
    path = folder / PROGRAM_FILE
    if not path.is_file():
        return None
    try:
        return ProgramClasses(parse(gzip.decompress(path.read_bytes()).decode()))
    except (OSError, EOFError, ValueError, LookupError):
        raise DataError(f"{path}: cannot be read; remove it to classify operations by their names alone") from None


def _read_file(file: Path, program: ProgramClasses | None, module: str | None) -> tuple[list[Device], set[int]]:
    """Devices of one host, and the numbers of its training steps."""
    try:
        content = file.read_bytes()
        data = jax.profiler.ProfileData.from_serialized_xspace(content)
    except (OSError, RuntimeError):
        raise DataError(f"{file}: cannot be read as a trace; it may be cut short") from None
    if not content:
        raise DataError(f"{file}: is empty; the trace was not written to its end")
    name = file.name.removesuffix(_FILES[1:])
    devices: dict[str, list[Op]] = {}
    host: list[Span] = []
    steps: set[int] = set()
    for plane in data.planes:
        matched = _DEVICE.search(plane.name)
        if matched is not None:
            ops = devices.setdefault(f"{name} {matched[1]} {matched[2]}", [])
            lines = list(plane.lines)
            foreign = _foreign(lines, module)
            for line in _device_lines(lines, matched[1]):
                for _, op in _ops(line, program, module, named=True):
                    other = any(start <= op.start < end for start, end in foreign)
                    ops.append(dataclasses.replace(op, what=OpClass(OTHER_PROGRAMS)) if other else op)
        elif plane.name == "/host:CPU":
            for line in plane.lines:
                for ordinal, op in _ops(line, program, module, named=False):
                    devices.setdefault(f"{name} CPU {ordinal}", []).append(op)
                for event in line.events:
                    if event.name in HOST_SPANS:
                        host.append((event.start_ns, event.end_ns))
                    elif event.name == STEP_NAME:
                        steps |= {value for key, value in event.stats if key == "step_num"}
    return [Device(key, ops, host) for key, ops in devices.items() if ops], steps


def _device_lines(lines: list[Any], kind: str) -> list[Any]:
    """Those that hold what ran: a GPU's streams (the others repeat them), a TPU's operations."""
    wanted = ("Stream",) if kind == "GPU" else ("XLA Ops", "Async XLA Ops")
    return [line for line in lines if line.name.startswith(wanted)]


def _foreign(lines: list[Any], module: str | None) -> list[Span]:
    """When a TPU ran other programs than the step; its operations do not say whose they are."""
    programs = (event for line in lines if line.name == "XLA Modules" for event in line.events)
    return [(e.start_ns, e.end_ns) for e in programs if module and e.name.split("(")[0] != module]


def _ops(line: Any, program: ProgramClasses | None, module: str | None, *, named: bool) -> Iterator[tuple[int, Op]]:
    """Operations of a line, each with the device's number where the host ran them.

    Args:
        line: Of the trace.
        program: The compiled step.
        module: Its name; operations of others are counted apart.
        named: Whether an event that names no instruction is an operation too, as a kernel is.
    """
    for event in line.events:
        stats = {key: value for key, value in event.stats if key in ("hlo_op", "hlo_module", "device_ordinal")}
        if not (named or "hlo_op" in stats):
            continue
        title = event.name.split(" = ")[0].lstrip("%")  # a TPU's events are called by the instruction's whole text
        name = str(stats.get("hlo_op") or title)
        known, what = program.get(name) if program else (False, None)
        if module and stats.get("hlo_module", module) != module:
            what = OpClass(OTHER_PROGRAMS)
        elif not known and not is_container(name):
            what = by_name(title if named else name)
        if what is not None:
            yield stats.get("device_ordinal", 0), Op(name, event.start_ns, event.end_ns, what)
