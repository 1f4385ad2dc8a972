"""The fingerprint of `melama_jax.training.fingerprint`, added up from blocks on the host."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np

from conversion.mapping import Item
from conversion.weights import WeightsWriter

_ROWS = 64
"""Rows at a time, few enough to stay in a core's cache."""


class Fingerprints:
    """Fingerprints of our stacked arrays, from blocks of whole rows that come in any order and from any thread.

    Attributes:
        values: uint32 by leaf, such as params/layers/mlp/gate.
    """

    def __init__(self, sizes: Mapping[str, Any]):
        """Fingerprints of a model of these sizes, all zero."""
        self._sizes = sizes
        self._lock = threading.Lock()
        self.values: dict[str, int] = {}

    def add(self, item: Item, block: np.ndarray, start: int) -> None:
        """Add rows [start, start + n) of a matrix, as they lie in our array after transposing."""
        shape = item.weight.shape(self._sizes)
        rows, columns = shape[0], shape[1] if len(shape) == 2 else 1
        first = (item.layer or 0) * rows * columns
        row_stride, column_stride = (1, rows) if item.weight.transposed else (columns, 1)
        value = block_fingerprint(block, first + start * row_stride, row_stride, column_stride)
        name = f"params/{item.weight.ours}"
        with self._lock:
            self.values[name] = (self.values.get(name, 0) + value) % 2**32


class FingerprintWriter(WeightsWriter):
    """Takes weights for their fingerprints alone, and keeps nothing."""

    def __init__(self, sizes: Mapping[str, Any]):
        """For a model of these sizes."""
        self.sizes = dict(sizes)
        self.fingerprints = Fingerprints(sizes)

    def prepare(self, item: Item, block: np.ndarray, start: int) -> np.ndarray:
        """Add rows to the fingerprints."""
        self.fingerprints.add(item, block, start)
        return block[:0]

    def write(self, item: Item, block: np.ndarray, start: int) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Nothing is open."""

    def abandon(self) -> None:
        """Nothing is open."""


def block_fingerprint(block: np.ndarray, first: int, row_stride: int, column_stride: int) -> int:
    """Sum of the bits of [rows, columns] times 2 place + 1, modulo 2^32.

    Args:
        block: Elements of 2 or 4 bytes.
        first: Place of element (0, 0) in the whole array.
        row_stride: Places between rows.
        column_stride: Places between columns.
    """
    bits = block.view(np.dtype(f"uint{8 * block.dtype.itemsize}")).reshape(len(block), -1)
    columns = np.arange(bits.shape[1], dtype=np.uint32) * _word(column_stride) + _word(first)
    factors = columns * np.uint32(2) + np.uint32(1)
    total = 0
    for start in range(0, len(bits), _ROWS):
        words = bits[start : start + _ROWS].astype(np.uint32)
        rows = np.arange(start, start + len(words), dtype=np.uint32) * _word(2 * row_stride)
        weighted = np.einsum("rc,c->r", words, factors)
        total += int(np.sum(weighted + rows * words.sum(axis=1, dtype=np.uint32), dtype=np.uint32))
    return total % 2**32


def _word(number: int) -> np.uint32:
    return np.uint32(number % 2**32)
