"""Rows from disk to batches, through Grain and without TensorFlow.

A training row is a pure function of the seed and the row's index, found in constant time, so resuming means starting at
another index, and any number of processes sees the same global batches.

Shapes: B rows read by this process, T tokens.
"""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, SupportsIndex, overload

import grain
import numpy as np

from melama_jax.data.mixtures import integer_rates
from melama_jax.data.packing import Row, RowLayout, empty_row, unpack_row
from melama_jax.data.prepared import PreparedData, SplitRows
from melama_jax.errors import DataError

Batch = dict[str, np.ndarray]
"""Stacked rows: `inputs`, `targets`, `segment_ids`, `positions` int32 [B, T] and `loss_weights` float32 [B, T]."""

_VALIDATION_SEED = 0x5EED


def training_rows(prepared: PreparedData, *, seed: int, attend_across_documents: bool) -> grain.MapDataset[Row]:
    """The endless sequence of training rows: each task reshuffled every epoch, mixed at exactly the given rates.

    Args:
        prepared: What `ensure_prepared` returned.
        seed: Any whole number from 0.
        attend_across_documents: See `melama_jax.data.packing.unpack_row`.

    Returns:
        Rows [T] by index.
    """
    tasks = [
        grain.MapDataset.source(_Rows(task.train, prepared.layout_of(name), attend_across_documents))
        .shuffle(seed=_task_seed(seed, name))
        .repeat()
        for name, task in prepared.tasks.items()
    ]
    if len(tasks) == 1:
        return tasks[0]
    return grain.MapDataset.select_from_datasets(tasks, _ExactMixture(list(integer_rates(prepared.rates).values())))


def training_batches(
    rows: grain.MapDataset[Row],
    *,
    first_row: int,
    global_rows: int,
    local_rows: Sequence[int],
    num_threads: int,
    prefetch: int,
) -> grain.DatasetIterator[Batch]:
    """Read this process's part of every global batch, ahead of its use.

    Args:
        rows: From `training_rows`.
        first_row: Row with which the first batch starts: steps done times `global_rows`.
        global_rows: Rows of a global batch; batch s holds rows `first_row + s * global_rows + [0, global_rows)`.
        local_rows: Positions within the global batch that this process needs, ascending.
        num_threads: Threads that read ahead, a batch each.
        prefetch: Batches kept ready.

    Returns:
        An endless iterator of batches [len(local_rows), T]; `close()` ends its threads.
    """
    local = _check_local_rows(local_rows, global_rows)
    batches = grain.MapDataset.source(_TrainingBatches(rows, first_row, global_rows, local))
    options = grain.ReadOptions(num_threads=num_threads, prefetch_buffer_size=prefetch)
    return iter(batches.to_iter_dataset(options))


def validation_batches(
    prepared: PreparedData,
    task: str,
    *,
    max_rows: int,
    batch_rows: int,
    local_rows: Sequence[int],
    attend_across_documents: bool,
) -> Sequence[Batch]:
    """Held-out rows of one task: the same pseudo-random ones every time, whatever the run's seed.

    Args:
        prepared: What `ensure_prepared` returned.
        task: One of its tasks.
        max_rows: Rows to take; all of them if there are fewer.
        batch_rows: Rows of a global batch; the last is filled up with rows that weigh nothing.
        local_rows: Positions within the global batch that this process needs, ascending.
        attend_across_documents: See `melama_jax.data.packing.unpack_row`.

    Returns:
        A finite sequence of batches [len(local_rows), T], read when they are asked for; empty without held-out rows.
    """
    local = _check_local_rows(local_rows, batch_rows)
    split = prepared.tasks[task].validation
    if not split.rows:
        return _ValidationBatches(None, 0, batch_rows, local, prepared.sequence_length)
    rows = grain.MapDataset.source(_Rows(split, prepared.layout_of(task), attend_across_documents))
    rows = rows.shuffle(seed=_task_seed(_VALIDATION_SEED, task))
    return _ValidationBatches(rows, min(max_rows, split.rows), batch_rows, local, prepared.sequence_length)


class _Rows:
    """Random access to the rows of one split, for Grain."""

    def __init__(self, split: SplitRows, layout: RowLayout, attend_across_documents: bool) -> None:
        self._paths, self._layout, self._attend = split.paths, layout, attend_across_documents
        self._ends = list(itertools.accumulate(split.shard_rows))
        _allow_open_files(len(split.paths))
        files: list[Any] = [
            _WholeFile(str(path), 0, rows, rows) for path, rows in zip(split.paths, split.shard_rows, strict=True)
        ]
        self._records = grain.sources.ArrayRecordDataSource(files)

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: SupportsIndex) -> Row:
        index = index.__index__()
        try:
            record = self._records[index]
        except Exception as error:  # The extension raises several types for a damaged file.
            raise DataError(f"{self._place(index)}: cannot be read ({type(error).__name__}); {_REBUILD}") from None
        try:
            return unpack_row(record, self._layout, attend_across_documents=self._attend)
        except DataError as error:
            raise DataError(f"{self._place(index)}: {error}; {_REBUILD}") from None

    def _place(self, index: int) -> str:
        shard = bisect.bisect_right(self._ends, index)
        return f"{self._paths[shard]}, row {index - (self._ends[shard - 1] if shard else 0)}"

    def __repr__(self) -> str:
        return f"Rows({len(self)} in {Path(self._paths[0]).parent.name})"


_REBUILD = "delete the file and the rows are prepared anew"


@dataclasses.dataclass(frozen=True)
class _WholeFile:
    """ArrayRecord's file instruction: with the count known, the file is not opened until it is read."""

    filename: str
    skip: int
    take: int
    examples_in_shard: int


class _ExactMixture(grain.transforms.DatasetSelectionMap):
    """Interleaves endless datasets in whole-number proportions that hold for every prefix to within a row or two.

    Grain's own `mix` does the same after rounding the weights to hundredths of the smallest.
    """

    def __init__(self, proportions: Sequence[int]) -> None:
        self._proportions = tuple(proportions)

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, index: int) -> tuple[int, int]:
        # Of the first `index` rows, dataset 0 takes ceil(index * share), dataset 1 so much of what is left, and so on.
        remaining = sum(self._proportions)
        here, after = index, index + 1
        for dataset, proportion in enumerate(self._proportions):
            left_here = here * (remaining - proportion) // remaining
            left_after = after * (remaining - proportion) // remaining
            if left_after == left_here:
                return dataset, here - left_here
            here, after, remaining = left_here, left_after, remaining - proportion
        raise AssertionError("the last proportion takes all that is left")


class _TrainingBatches:
    """Batch s of the endless sequence, for Grain."""

    def __init__(
        self, rows: grain.MapDataset[Row], first_row: int, global_rows: int, local_rows: Sequence[int]
    ) -> None:
        self._rows, self._first, self._global, self._local = rows, first_row, global_rows, local_rows

    def __len__(self) -> int:
        return (sys.maxsize - self._first) // self._global - 1

    def __getitem__(self, index: SupportsIndex) -> Batch:
        start = self._first + index.__index__() * self._global
        return _stack([self._rows[start + row] for row in self._local])


class _ValidationBatches(Sequence[Batch]):
    def __init__(
        self, rows: grain.MapDataset[Row] | None, count: int, batch_rows: int, local_rows: Sequence[int], length: int
    ) -> None:
        self._rows, self._count, self._batch_rows, self._local = rows, count, batch_rows, local_rows
        self._padding = empty_row(length)

    def __len__(self) -> int:
        return -(-self._count // self._batch_rows)

    @overload
    def __getitem__(self, index: int) -> Batch: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Batch]: ...
    def __getitem__(self, index: int | slice) -> Batch | Sequence[Batch]:
        if isinstance(index, slice):
            return [self[item] for item in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        assert self._rows is not None
        start = index % len(self) * self._batch_rows
        places = [start + row for row in self._local]
        return _stack([self._rows[place] if place < self._count else self._padding for place in places])


def _stack(rows: Sequence[Any]) -> Batch:
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _check_local_rows(local_rows: Sequence[int], global_rows: int) -> list[int]:
    local = [int(row) for row in local_rows]
    if not local or local != sorted(set(local)) or local[0] < 0 or local[-1] >= global_rows:
        raise ValueError(f"local_rows {local} must ascend within [0, {global_rows})")
    return local


def _task_seed(seed: int, task: str) -> int:
    """A seed of 32 bits for each task, so that tasks of equal length are shuffled differently."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{task}".encode(), digest_size=4).digest(), "big")


def _allow_open_files(count: int) -> None:
    """Raise the soft limit of open files: every shard stays open once it was read from."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * count + 1024
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
