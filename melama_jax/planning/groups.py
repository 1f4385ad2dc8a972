"""Which devices of a mesh take part in a collective, as a compiled program writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np


def group_of(attributes: str, num_devices: int) -> tuple[int, ...]:
    """Places in the mesh of the devices of a collective's first group, from its attributes."""
    pairs = re.search(r"source_target_pairs=\{\{([\d,{}]*)\}\}", attributes)
    if pairs:
        links = [tuple(map(int, pair.split(","))) for pair in pairs[1].split("},{")]
        return _ring(links)
    listed = re.search(r"replica_groups=\{\{([\d,]*)\}", attributes)
    if listed:
        return tuple(int(n) for n in listed[1].split(",") if n)
    iota = re.search(r"replica_groups=\[([\d,]+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?", attributes)
    if iota:
        groups = _iota(iota[2], iota[3]).reshape(ints(iota[1]))
        return tuple(int(n) for n in groups.reshape(-1, groups.shape[-1])[0])
    mesh = re.search(
        r"replica_groups=mesh\[([^\]]*)\](?:, device_ids=\(\[([\d,]+)\](?:T\(([\d,]+)\))?\))? ?\{([^}]*)\}", attributes
    )
    if mesh:
        axes = [(name.strip("' "), int(size)) for name, size in (part.split("=") for part in mesh[1].split(","))]
        sizes = [size for _, size in axes]
        devices = _iota(mesh[2], mesh[3]) if mesh[2] else np.arange(math.prod(sizes))
        chosen = {part.strip("' ") for part in mesh[4].split(",")}
        index = tuple(slice(None) if name in chosen else 0 for name, _ in axes)
        return tuple(int(n) for n in np.ravel(devices.reshape(sizes)[index]))
    return tuple(range(num_devices))


def _iota(dims: str, order: str | None) -> np.ndarray:
    """XLA's compressed device lists: [5,32]T(1,0) counts along [5, 32] and is then transposed."""
    counted = np.arange(math.prod(ints(dims))).reshape(ints(dims))
    return (counted.transpose(ints(order)) if order else counted).reshape(-1)


def _ring(links: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    following = {link[0]: link[1] for link in links}
    start = links[0][0]
    ring, place = [start], following.get(start)
    while place is not None and place != start and len(ring) <= len(links):
        ring.append(place)
        place = following.get(place)
    return tuple(ring)


def axes_of(group: Sequence[int], mesh_shape: Sequence[tuple[str, int]]) -> str:
    """Mesh axes whose devices a group joins, joined by +; "?" where it is no product of axes."""
    sizes = [size for _, size in mesh_shape]
    if len(group) <= 1:
        return "none"
    places = np.array(np.unravel_index(np.array(group), sizes))
    varying = [name for (name, _), row in zip(mesh_shape, places, strict=True) if len(set(row.tolist())) > 1]
    spanned = math.prod(size for name, size in mesh_shape if name in varying)
    return "+".join(varying) if spanned == len(group) else "?"


def ints(text: str) -> tuple[int, ...]:
    """Whole numbers between commas."""
    return tuple(int(part) for part in text.split(",") if part)
