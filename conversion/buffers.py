"""Memory that is used again: the system clears every page it hands out, which costs as much as turning a matrix."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence

import numpy as np

_LEAST_BYTES = 2**20
_MOST_BYTES = 2**28
"""Bytes that are kept for later, in all."""
_free: list[bytearray] = []
_lock = threading.RLock()  # a collection of garbage within may give memory back


def empty(shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """An array like `numpy.empty`, whose memory goes to a later one of its size when nothing refers to it any more."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < _LEAST_BYTES:
        return np.empty(shape, dtype)
    with _lock:
        place = next((i for i, memory in enumerate(_free) if len(memory) == nbytes), None)
        memory = bytearray(nbytes) if place is None else _free.pop(place)
    owner = np.frombuffer(memory, dtype)
    weakref.finalize(owner, _keep, memory)  # every view refers to the owner
    return owner.reshape(shape)


def _keep(memory: bytearray) -> None:
    with _lock:
        _free.append(memory)
        while sum(map(len, _free)) > _MOST_BYTES:
            _free.pop(0)
