"""From rows that a process has read to global arrays on its devices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

from melama_jax.parallel.mesh import local_rows
from melama_jax.training.step import batch_sharding


class Placement:
    """How the rows of a global batch lie on this process's devices.

    Args:
        mesh: The device mesh.
        keys: Name and dtype of each array.
        micro_batches: A, or None for unstacked batches [B, T].
        rows: B, rows of a micro-batch over all devices.
        sequence_length: T.
    """

    def __init__(
        self, mesh: Mesh, keys: Mapping[str, Any], *, micro_batches: int | None, rows: int, sequence_length: int
    ):
        self._keys = dict(keys)
        self._rows = np.asarray(local_rows(batch_sharding(mesh, stacked=False), rows))
        self._stacked = micro_batches is not None
        self._micro_batches = micro_batches or 1
        self._sharding = batch_sharding(mesh, stacked=self._stacked)
        self._shape: tuple[int, ...] = (rows, sequence_length)
        if self._stacked:
            self._shape = (self._micro_batches, *self._shape)
        self.local_rows: Sequence[int] = [
            micro * rows + int(row) for micro in range(self._micro_batches) for row in self._rows
        ]
        """Rows of the global batch (micro-batches one after the other) that this process must read."""

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
        """Global arrays from this process's rows [len(local_rows), T]; the copies run in the background."""
        return {key: self._place(np.asarray(batch[key], dtype)) for key, dtype in self._keys.items()}

    def _place(self, local: np.ndarray) -> jax.Array:
        local = local.reshape(self._micro_batches, len(self._rows), self._shape[-1])

        def part(index: tuple[slice, ...] | None) -> np.ndarray:
            assert index is not None
            *_, rows, tokens = index
            first, last, _ = rows.indices(self._shape[-2])
            start, stop = np.searchsorted(self._rows, (first, last))
            block = local[:, start:stop, tokens]
            return block if self._stacked else block[0]

        return jax.make_array_from_callback(self._shape, self._sharding, part)

    @property
    def sharding(self) -> NamedSharding:
        """Layout of the arrays."""
        return self._sharding


def ahead(batches: Iterable[Mapping[str, np.ndarray]], placement: Placement) -> Iterator[dict[str, jax.Array]]:
    """Yield placed batches, the next one's copy already under way."""
    waiting: dict[str, jax.Array] | None = None
    for batch in batches:
        placed = placement(batch)
        if waiting is not None:
            yield waiting
        waiting = placed
    if waiting is not None:
        yield waiting
