"""Weights from one folder to another, a block at a time: read, checked, cast, turned, written."""

from __future__ import annotations

import dataclasses
import math
import resource
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from conversion.mapping import EMBEDDING, HEAD, Item, items
from conversion.tensor_file import DTYPES
from conversion.weights import Weights, WeightsWriter
from melama_jax.errors import ConversionError

_THREADS = 2
_CACHED = 2**17
"""Values looked at together, few enough to stay in a core's cache."""
_MOST_BYTES = 2**28
"""Most bytes of blocks that are read ahead, where one block is not larger by itself."""
_LARGEST_FINITE_BITS = {"float32": 0x7F7FFFFF, "bfloat16": 0x7F7F, "float16": 0x7BFF}


@dataclasses.dataclass
class Totals:
    """What a conversion moved.

    Attributes:
        bytes_read: Bytes of the weights in the source.
        bytes_written: Bytes of the weights in the target; 0 when nothing is written.
        seconds: Wall-clock time.
    """

    bytes_read: int = 0
    bytes_written: int = 0
    seconds: float = 0.0

    def summary(self) -> str:
        """One line for a person."""
        rate = self.bytes_read / max(self.seconds, 1e-9)
        wrote = f", wrote {gigabytes(self.bytes_written)}" if self.bytes_written else ""
        return (
            f"read {gigabytes(self.bytes_read)}{wrote} in {self.seconds:.1f} s ({rate / 1e6:.0f} MB/s), "
            f"peak host memory {gigabytes(peak_memory())}"
        )


class Block(NamedTuple):
    """Rows of a matrix on their way, and the bytes they take."""

    item: Item
    rows: slice
    nbytes: int


def block_of(source: Weights, item: Item, rows: slice) -> Block:
    """Rows of a matrix as the source holds them."""
    return Block(item, rows, (rows.stop - rows.start) * math.prod(source.shape(item)[1:]) * source.dtype(item).itemsize)


def target_dtypes(source: Weights, dtype: str) -> dict[Item, np.dtype]:
    """Dtype of every matrix in the target, in the order in which they are written.

    Args:
        source: The weights.
        dtype: keep, or the name of one dtype for all.
    """
    chosen = DTYPES.get(dtype)
    return {item: chosen or source.dtype(item) for item in items(source.sizes)}


def copy(source: Weights, writer: WeightsWriter, dtypes: Mapping[Item, np.dtype], *, label: str) -> Totals:
    """Move every weight, with a few blocks in memory at a time.

    Args:
        source: Where the weights are.
        writer: Where they go; rows of the vocabulary that it does not have are left out.
        dtypes: Dtype of every matrix in the target.
        label: What the progress bar says.

    Raises:
        ConversionError: A weight is not finite, does not fit its dtype, or cannot be read or written.
    """
    totals = Totals()

    def blocks() -> Iterator[Block]:
        for item, dtype in dtypes.items():
            for rows in source.blocks(item, dtype.itemsize, writer.row_multiple(item)):
                yield block_of(source, item, rows)

    def load(block: Block) -> tuple[int, np.ndarray | None]:
        item, rows = block.item, block.rows
        values = source.take(item, rows)
        check_finite(values, f"{source.folder}: {describe(item)}")
        limit = item.weight.shape(writer.sizes)[0] if item.weight in (EMBEDDING, HEAD) else None
        values = values[: None if limit is None else max(0, limit - rows.start)]
        if not len(values):
            return block.nbytes, None
        values = cast(values, dtypes[item], f"{source.folder}: {describe(item)}")
        return block.nbytes, writer.prepare(item, values, rows.start)

    size = sum(math.prod(source.shape(item)) * source.dtype(item).itemsize for item in dtypes)
    for block, (nbytes, values) in timed(totals, ahead(load, blocks()), size=size, label=label):
        totals.bytes_read += nbytes
        if values is not None:
            totals.bytes_written += values.nbytes
            writer.write(block.item, values, block.rows.start)
    source.finish()
    writer.close()
    return totals


def timed(
    totals: Totals, results: Iterator[tuple[Block, tuple[int, np.ndarray | None]]], *, size: int, label: str
) -> Iterator[tuple[Block, tuple[int, np.ndarray | None]]]:
    """Pass results on under a progress bar, and note the time they took."""
    started = time.monotonic()
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=size)
        for result in results:
            yield result
            progress.advance(task, result[1][0])
    totals.seconds += time.monotonic() - started


def ahead(
    load: Callable[[Block], tuple[int, np.ndarray | None]], blocks: Iterator[Block]
) -> Iterator[tuple[Block, tuple[int, np.ndarray | None]]]:
    """Load blocks in a few threads, a few ahead, and give them in order."""
    waiting: deque[tuple[Block, Future[tuple[int, np.ndarray | None]]]] = deque()
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            for block in blocks:
                # Few blocks, and fewer where a checkpoint's chunks make them large.
                while len(waiting) > _THREADS or sum(b.nbytes for b, _ in waiting) + block.nbytes > _MOST_BYTES:
                    if not waiting:
                        break
                    done, future = waiting.popleft()
                    yield done, future.result()
                waiting.append((block, pool.submit(load, block)))
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def check_finite(values: np.ndarray, name: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        ConversionError: With their number.
    """
    word = np.dtype(f"uint{8 * values.dtype.itemsize}")
    bits = values.reshape(-1).view(word)
    sign, largest = word.type(2 ** (8 * word.itemsize - 1) - 1), _LARGEST_FINITE_BITS[str(values.dtype)]
    count = 0
    for start in range(0, bits.size, _CACHED):
        magnitude = bits[start : start + _CACHED] & sign
        if int(magnitude.max()) > largest:
            count += int(np.count_nonzero(magnitude > largest))
    if count:
        raise ConversionError(f"{name} holds {count} values that are NaN or infinite; use weights that are whole")


def cast(values: np.ndarray, dtype: np.dtype, name: str) -> np.ndarray:
    """Values in another dtype, rounded to the nearest (ties to even).

    Raises:
        ConversionError: A value is too large for the dtype.
    """
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        changed = values.astype(dtype)
    if dtype == DTYPES["float16"]:
        largest = np.abs(values.astype(np.float32)).max(initial=0)
        if np.isinf(changed).any():
            raise ConversionError(f"{name} reaches {largest:g}, more than {dtype} holds; choose --dtype bfloat16")
    elif dtype.itemsize < values.dtype.itemsize:
        check_finite(changed, f"{name} as {dtype}")
    return changed


def describe(item: Item) -> str:
    """A matrix by the name of our tree."""
    return item.weight.ours + (f", layer {item.layer}" if item.layer is not None else "")


def peak_memory() -> int:
    """Most bytes that this process ever held in memory, memory-mapped files included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def gigabytes(nbytes: int) -> str:
    """Bytes for a person, in units of 10^9."""
    return f"{nbytes / 1e9:.2f} GB" if nbytes >= 1e8 else f"{nbytes / 1e6:.2f} MB"
