"""Where the time of a traced step went: by class of work, by operation, and against the device's peak."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from melama_jax.planning.op_class import (
    ATTENTION,
    CLASSES,
    COLLECTIVE,
    COPY,
    ELEMENTWISE,
    HOST,
    IDLE,
    MATMUL,
    OTHER_PROGRAMS,
    PARTS,
    OpClass,
)
from melama_jax.planning.trace import Device, Op, Trace

_COMPUTE = (MATMUL, ATTENTION, ELEMENTWISE, OTHER_PROGRAMS)
_TITLES = {ELEMENTWISE: "norm, elementwise", COLLECTIVE: "collective, exposed"}
_MOST_DEVICES = 16
_TOP = 12


@dataclasses.dataclass(frozen=True)
class DeviceTime:
    """How one device spent the trace, in seconds.

    Attributes:
        name: Of the device.
        window: From its first operation to the end of its last; the classes sum to it.
        classes: By class; of several operations at once each gets an equal share.
        overlapped: Of collectives beside which something was computed.
        recomputed: By class, the part that repeats the forward pass.
        parts: By named scope of the step.
        operations: Time, count and class of every operation, by name.
    """

    name: str
    window: float
    classes: dict[str, float]
    overlapped: float
    recomputed: dict[str, float]
    parts: dict[str, float]
    operations: dict[str, tuple[float, int, OpClass]]


@dataclasses.dataclass(frozen=True)
class Summary:
    """A trace, summed up; times are seconds of a step, means over the devices.

    Attributes:
        trace: What was read.
        devices: Each device, over the whole trace.
        steps: Steps that times were divided by.
        step_seconds: Length of a step.
        classes: By class; they sum to `step_seconds`.
        overlapped: Of collectives, hidden behind computation.
        parts: By named scope of the step.
        peak_flops: FLOP/s of one device; None where it is not known.
        mfu: Model FLOP/s over the peak; None without either.
        gap: Shares of the step, which sum to 1: `ideal` is the MFU, the others are what was lost, and to what.
    """

    trace: Trace
    devices: list[DeviceTime]
    steps: int
    step_seconds: float
    classes: dict[str, float]
    overlapped: float
    parts: dict[str, float]
    peak_flops: float | None
    mfu: float | None
    gap: dict[str, float] | None


def device_time(device: Device) -> DeviceTime:
    """Divide a device's time among what it did.

    Every moment goes to what computes then, else to collectives, else to copies, else to the host where that was busy,
    else to idleness.
    """
    start, end = min(op.start for op in device.ops), max(op.end for op in device.ops)
    moments: list[tuple[float, int, Op | None]] = [(s, 1, None) for s, e in device.host if e > s]
    moments += [(e, -1, None) for s, e in device.host if e > s]
    moments += [(op.start, 1, op) for op in device.ops] + [(op.end, -1, op) for op in device.ops]
    moments.sort(key=lambda moment: moment[0])
    running: collections.Counter[OpClass] = collections.Counter()
    spent: dict[OpClass, float] = {}
    overlapped, before, host = 0.0, start, 0
    for now, change, op in moments:
        passed, before = max(0.0, min(now, end) - before), max(before, now)
        if passed:
            charged = _charged(running, bool(host))
            for what, count in charged.items():
                spent[what] = spent.get(what, 0.0) + passed * count / sum(charged.values())
            communicating = any(what.kind == COLLECTIVE for what in running)
            overlapped += passed * (communicating and any(what.kind in _COMPUTE for what in running))
        if op is None:
            host += change
        else:
            running[op.what] += change
            if not running[op.what]:
                del running[op.what]

    def total(key: Any) -> dict[str, float]:
        sums: dict[str, float] = {}
        for what, nanoseconds in spent.items():
            name = key(what)
            if name:
                sums[name] = sums.get(name, 0.0) + nanoseconds / 1e9
        return sums

    operations: dict[str, tuple[float, int, OpClass]] = {}
    for op in device.ops:
        seconds, count, _ = operations.get(op.name, (0.0, 0, op.what))
        operations[op.name] = (seconds + (op.end - op.start) / 1e9, count + 1, op.what)
    return DeviceTime(
        device.name,
        (end - start) / 1e9,
        total(lambda what: what.kind),
        overlapped / 1e9,
        total(lambda what: what.kind if what.recomputed else ""),
        total(lambda what: what.part),
        operations,
    )


def _charged(running: Mapping[OpClass, int], host_busy: bool) -> dict[OpClass, int]:
    """Who the present moment is charged to."""
    for kinds in (_COMPUTE, (COLLECTIVE,), (COPY,)):
        if chosen := {what: count for what, count in running.items() if what.kind in kinds}:
            return chosen
    return {OpClass(HOST if host_busy else IDLE): 1}


def summarize(trace: Trace, *, peak_flops: float | None = None) -> Summary:
    """Sum a trace up.

    Args:
        trace: What was read.
        peak_flops: FLOP/s of one device, where the run could not know it or another figure is to be compared with.
    """
    devices = [device_time(device) for device in trace.devices]
    steps = trace.steps or 1
    each = 1.0 / (steps * len(devices))

    def mean(parts: list[dict[str, float]], names: tuple[str, ...]) -> dict[str, float]:
        return {name: sum(part.get(name, 0.0) for part in parts) * each for name in names}

    classes = mean([d.classes for d in devices], CLASSES)
    recomputed = mean([d.recomputed for d in devices], CLASSES)
    step_seconds = sum(device.window for device in devices) * each
    peak = peak_flops or trace.about.get("peak_flops")
    flops = trace.about.get("model_flops_per_step")
    mfu = gap = None
    if peak and flops and trace.steps:
        ideal = flops / trace.about["devices"] / peak
        mfu = ideal / step_seconds
        lost = {name: classes[name] - recomputed[name] for name in CLASSES}
        seconds = {"ideal": ideal, "products below the peak": lost[MATMUL] + lost[ATTENTION] - ideal}
        seconds["recomputation"] = sum(recomputed.values())
        seconds |= {_title(name): lost[name] for name in CLASSES[2:]}
        gap = {name: value / step_seconds for name, value in seconds.items()}
    return Summary(
        trace,
        devices,
        steps,
        step_seconds,
        classes,
        sum(device.overlapped for device in devices) * each,
        mean([d.parts for d in devices], PARTS),
        peak,
        mfu,
        gap,
    )


def _title(kind: str) -> str:
    return _TITLES.get(kind, kind)


def top_operations(summary: Summary) -> list[dict[str, Any]]:
    """Every operation, the longest first: seconds and calls of a step, means over the devices."""
    sums: dict[tuple[str, str], list[Any]] = {}
    for device in summary.devices:
        for name, (seconds, count, what) in device.operations.items():
            found = sums.setdefault((name, what.kind), [0.0, 0, what])
            found[0] += seconds
            found[1] += count
    each = 1.0 / (summary.steps * len(summary.devices))
    rows = [
        {
            "name": name,
            "class": kind,
            "recomputed": what.recomputed,
            "operation": what.operation,
            "seconds_per_step": seconds * each,
            "calls_per_step": count * each,
            "share": seconds * each / summary.step_seconds,
        }
        for (name, kind), (seconds, count, what) in sums.items()
    ]
    return sorted(rows, key=lambda row: -row["seconds_per_step"])


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary with the keys that other programs rely on."""
    trace = summary.trace
    return {
        "trace": str(trace.folder),
        "files": [file.name for file in trace.files],
        "about": trace.about,
        "steps": trace.steps or None,
        "step_seconds": summary.step_seconds,
        "seconds_by_class": summary.classes,
        "collective_overlapped_seconds": summary.overlapped,
        "seconds_by_part": summary.parts,
        "flops_per_second_by_class": _rates(summary),
        "peak_flops": summary.peak_flops,
        "mfu": summary.mfu,
        "gap": summary.gap,
        "devices": [
            {
                "name": device.name,
                "window_seconds": device.window,
                "seconds_by_class": device.classes,
                "collective_overlapped_seconds": device.overlapped,
            }
            for device in summary.devices
        ],
        "operations": top_operations(summary),
    }


def _rates(summary: Summary) -> dict[str, float]:
    """FLOP/s of one device while it ran matrix products or attention, recomputation included."""
    return {
        kind: summary.trace.flops.get(kind, 0.0) / summary.classes[kind]
        for kind in (MATMUL, ATTENTION)
        if summary.trace.steps and summary.trace.flops.get(kind) and summary.classes[kind]
    }


def print_summary(console: Console, summary: Summary) -> None:
    """Print a summary as tables."""
    trace = summary.trace
    files = f"{len(trace.files)} host file(s), {len(summary.devices)} device(s)"
    steps = f"{trace.steps} step(s)" if trace.steps else "steps unknown: times are of the whole trace"
    console.print(f"{trace.folder}: {files}, {steps}")
    console.print(_class_table(summary))
    console.print(_device_table(summary))
    if any(summary.parts.values()):
        console.print(_part_table(summary))
    console.print(_operation_table(summary))
    console.print(_gap_table(summary) if summary.gap else _no_gap(summary))


def _class_table(summary: Summary) -> Table:
    what = "a step" if summary.trace.steps else "the trace"
    table = _table(f"time of {what}, mean over the devices", ("class", "ms", "share", "TFLOP/s"))
    rates = _rates(summary)
    for kind in CLASSES:
        seconds = summary.classes[kind]
        rate = f"{rates[kind] / 1e12:.4g}" if kind in rates else ""
        table.add_row(_title(kind), _ms(seconds), f"{seconds / summary.step_seconds:.1%}", rate)
    table.add_row("all", _ms(summary.step_seconds), "", "", style="bold")
    table.add_row("collective, overlapped", _ms(summary.overlapped), "", "")
    return table


def _device_table(summary: Summary) -> Table:
    table = _table("by device, ms", ("device", *map(_title, CLASSES), "overlapped", "all"))
    ordered = sorted(summary.devices, key=lambda device: -device.window)
    shown = ordered if len(ordered) <= _MOST_DEVICES else ordered[:_MOST_DEVICES]
    for device in shown:
        values = [*(device.classes.get(kind, 0.0) for kind in CLASSES), device.overlapped, device.window]
        table.add_row(device.name, *(_ms(value / summary.steps) for value in values))
    if len(shown) < len(ordered):
        table.caption = f"the slowest {len(shown)} of {len(ordered)}"
    return table


def _part_table(summary: Summary) -> Table:
    table = _table("by part of the step", ("part", "ms", "share"))
    rest = summary.step_seconds - sum(summary.parts.values())
    for part, seconds in (*summary.parts.items(), ("everything else", rest)):
        table.add_row(part, _ms(seconds), f"{seconds / summary.step_seconds:.1%}")
    return table


def _operation_table(summary: Summary) -> Table:
    table = _table("longest operations", ("name", "class", "from", "ms", "calls", "share"), left=3)
    for row in top_operations(summary)[:_TOP]:
        kind = row["class"] + (", recomputed" if row["recomputed"] else "")
        figures = _ms(row["seconds_per_step"]), f"{row['calls_per_step']:.3g}", f"{row['share']:.1%}"
        table.add_row(row["name"][:48], kind, _short(row["operation"]), *figures)
    return table


def _gap_table(summary: Summary) -> Table:
    assert summary.gap is not None
    assert summary.peak_flops is not None
    title = f"gap to the peak of {summary.peak_flops / 1e12:.4g} TFLOP/s per device"
    table = _table(title, ("", "share of the step"))
    for name, share in summary.gap.items():
        label = "MFU (model FLOPs at the peak)" if name == "ideal" else f"lost to {name}"
        table.add_row(label, f"{share:.1%}", style="bold" if name == "ideal" else None)
    return table


def _no_gap(summary: Summary) -> str:
    if not summary.trace.about:
        return "gap to the peak: unknown, as the run wrote nothing beside this trace"
    if not summary.trace.steps:
        return "gap to the peak: unknown, as the trace holds no training step"
    return f"gap to the peak: no data sheet for {summary.trace.about.get('device_kind')}; give --peak-tflops"


def _table(title: str, headers: tuple[str, ...], *, left: int = 1) -> Table:
    table = Table(title=title, title_justify="left")
    for place, header in enumerate(headers):
        table.add_column(header, justify="left" if place < left else "right")
    return table


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}" if seconds else "0"


def _short(operation: str) -> str:
    """The end of where an operation came from, without the steps of JAX's own."""
    names = [n for n in operation.split("/") if n not in ("while", "body", "closed_call", "checkpoint")]
    return "/".join(names[-3:])[-56:]
