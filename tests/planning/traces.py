"""Traces in xprof's format, written by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jax.profiler import ProfileData

Event = tuple[str, float, float, dict[str, Any]]
"""Name, start and end in microseconds, stats."""


def write_trace(path: Path, planes: Mapping[str, Mapping[str, Sequence[Event]]]) -> Path:
    """Write an .xplane.pb of planes of lines of events."""
    text = [_plane(name, lines) for name, lines in planes.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ProfileData.text_proto_to_serialized_xspace("\n".join(text)))
    return path


def _plane(name: str, lines: Mapping[str, Sequence[Event]]) -> str:
    events: dict[str, int] = {}
    stats: dict[str, int] = {}
    text = []
    for line, found in lines.items():
        text.append(f'lines {{ name: "{line}" timestamp_ns: 5000')
        for event, start, end, values in found:
            key = events.setdefault(event, len(events) + 1)
            text.append(f"events {{ metadata_id: {key} offset_ps: {start * 1e6:.0f}")
            text.append(f"duration_ps: {(end - start) * 1e6:.0f}")
            for stat, value in values.items():
                number = stats.setdefault(stat, len(stats) + 1)
                shown = f"int64_value: {value}" if isinstance(value, int) else f'str_value: "{value}"'
                text.append(f"stats {{ metadata_id: {number} {shown} }}")
            text.append("}")
        text.append("}")
    text += [f"event_metadata {{ key: {k} value {{ id: {k} name: '{n}' }} }}" for n, k in events.items()]
    text += [f"stat_metadata {{ key: {k} value {{ id: {k} name: '{n}' }} }}" for n, k in stats.items()]
    return f'planes {{ name: "{name}" {" ".join(text)} }}'
