"""Whether merged weights are their base and an adapter: the adapter is subtracted again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np

from conversion.adapter import Merged
from conversion.mapping import EMBEDDING, HEAD, Item, items
from conversion.stream import Block, Totals, ahead, block_of, describe, timed
from conversion.weights import Weights
from melama_jax.errors import ConversionError


def unmerge(result: Weights, source: Merged) -> list[str]:
    """Subtract the adapter from merged weights, and compare with its base.

    Args:
        result: What was written.
        source: What it was written of.

    Returns:
        Lines for a person: the largest error, and how many matrices are no longer the base's.

    Raises:
        ConversionError: An error is larger than rounding makes it.
    """
    base, adapter = source.base, source.adapter
    largest, allowed, changed = 0.0, 0.0, set[Item]()
    lock = threading.Lock()

    def blocks() -> Iterator[Block]:
        for item in items(result.sizes):
            stop = result.num_tokens if item.weight in (EMBEDDING, HEAD) else result.shape(item)[0]
            for rows in result.blocks(item, 4, base.row_multiple(item)):
                if rows.start < stop:
                    kept = slice(rows.start, min(rows.stop, stop))
                    yield block_of(result, item, kept)

    def load(block: Block) -> tuple[int, None]:
        nonlocal largest, allowed
        item, rows = block.item, block.rows
        merged, original = (w.read(item, rows).astype(np.float32) for w in (result, base))
        delta = adapter.delta(item, rows) if adapter.has(item.weight) else np.zeros_like(merged)
        error, bound = np.abs(merged - delta - original), _rounding(merged, delta, result.dtype(item))
        place = np.unravel_index(int(np.argmax(error - bound)), error.shape)
        if error[place] > bound[place]:
            raise ConversionError(
                f"{describe(item)} is not its base and the adapter: it is off by {error[place]:.3g}, where rounding "
                f"makes at most {bound[place]:.3g}; merge again"
            )
        place = np.unravel_index(int(np.argmax(error)), error.shape)
        with lock:
            if error[place] >= largest:
                largest, allowed = float(error[place]), float(bound[place])
            if not np.array_equal(merged, original.astype(result.dtype(item)).astype(np.float32)):
                changed.add(item)
        return block.nbytes, None

    totals = Totals()
    size = sum(block.nbytes for block in blocks())
    for _, (nbytes, _) in timed(totals, ahead(load, blocks()), size=size, label="subtracting again"):
        totals.bytes_read += nbytes
    adapted = set(adapter.items())
    lines = [
        f"checked: without the adapter the base comes back within {largest:.3g}, where rounding allows {allowed:.3g}; "
        f"{len(changed & adapted)} of {len(adapted)} adapted matrices differ from the base's"
    ]
    if adapted - changed:
        same = min(adapted - changed, key=lambda item: (item.layer or 0, item.weight.ours))
        lines.append(
            f"WARNING: {len(adapted - changed)} adapted matrices are the base's, such as {describe(same)}: their part "
            f"of the adapter is zero, or too small for {result.dtype(same)}"
        )
    return lines


def _rounding(merged: np.ndarray, delta: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Most that rounding can have done: once to the stored dtype, and a little in float32."""
    info = jnp.finfo(dtype)
    stored = float(info.eps) / 2 * np.abs(merged) + float(info.smallest_subnormal)
    return stored + 2.0**-20 * (np.abs(merged) + np.abs(delta).max(initial=0))
