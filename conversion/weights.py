"""What every source and target of weights offers: matrices [rows, columns] by slices, whatever the folder's format."""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from conversion.mapping import EMBEDDING, HEAD, Item, Weight, items
from melama_jax.errors import ConversionError
from melama_jax.training.checkpoint import CheckpointMeta

BLOCK_BYTES = 2**26
"""Most bytes of a block, the unit that is read, turned and written; a weight of one layer is one block or a few."""

FREE_SIZES = ("rope_theta", "rope_scaling", "rms_norm_eps", "max_position_embeddings")
"""Values of a model description that change what it computes but not what it stores; a user may change them."""


@dataclasses.dataclass
class Inventory:
    """What a folder holds against what a model of its sizes needs.

    Attributes:
        missing: Keys that are needed and absent.
        extra: Keys that are there and mean nothing to a LLaMA.
        ignored: Keys that are derived from others, such as rotary frequencies.
    """

    missing: list[str] = dataclasses.field(default_factory=list)
    extra: list[str] = dataclasses.field(default_factory=list)
    ignored: list[str] = dataclasses.field(default_factory=list)


class Weights(abc.ABC):
    """The weights of one model in a folder, open for reading.

    Attributes:
        folder: Where they are.
        format: hf, meta or checkpoint.
        sizes: The sizes of the `model:` section.
        token_ids: What the folder says of BOS, EOS and padding (`bos_token_id`, ...), for its description files.
        num_tokens: Rows of the vocabulary that are tokens; further ones only pad it.
        inventory: Missing and extra keys.
        files: The files that hold the weights.
        meta: What a checkpoint of ours says of itself; None for other formats.
        origin: Where the weights of a checkpoint of ours came from, if that is known.
    """

    folder: Path
    format: str
    sizes: dict[str, Any]
    token_ids: dict[str, Any]
    num_tokens: int
    inventory: Inventory
    files: list[Path]
    meta: CheckpointMeta | None = None
    origin: Mapping[str, Any] = MappingProxyType({})

    @abc.abstractmethod
    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which a matrix is stored."""

    @abc.abstractmethod
    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix [rows, columns] or of a norm [rows], rotary rows in Hugging Face's order; not to be changed.

        Slices of rows start and stop at multiples of `Weight.row_multiple`.

        Raises:
            ConversionError: It cannot be read.
        """

    def row_multiple(self, item: Item) -> int:
        """Rows that are best read together."""
        return item.weight.row_multiple(self.sizes)

    def take(self, item: Item, rows: slice) -> np.ndarray:
        """Whole rows for a conversion, which takes each once; wider than `dtype` where they are still to be rounded.

        Raises:
            ConversionError: They cannot be read.
        """
        return self.read(item, rows)

    def finish(self) -> None:  # noqa: B027 - need not be given
        """Called when every row was taken once.

        Raises:
            ConversionError: The bits are not those that were written.
        """

    def shape(self, item: Item) -> tuple[int, ...]:
        """[rows, columns], or [rows] of a norm."""
        return item.weight.shape(self.sizes)

    def blocks(self, item: Item, itemsize: int, multiple: int = 1) -> Iterator[slice]:
        """The slices of rows in which a matrix is moved, of nearly equal size.

        Args:
            item: The matrix.
            itemsize: Bytes of an element in the target.
            multiple: Rows that the target wants together.
        """
        shape = self.shape(item)
        step = block_rows(shape, itemsize, math.lcm(self.row_multiple(item), multiple))
        yield from (slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step))

    def dtypes(self) -> dict[str, int]:
        """Number of matrices by dtype name."""
        counts: dict[str, int] = {}
        for item in items(self.sizes):
            name = str(self.dtype(item))
            counts[name] = counts.get(name, 0) + 1
        return counts

    def common_dtype(self, weight: Weight) -> np.dtype:
        """The one dtype of a weight in all layers.

        Raises:
            ConversionError: Layers differ, so they cannot be stacked as they are.
        """
        found = {self.dtype(item): item for item in items(self.sizes) if item.weight is weight}
        if len(found) > 1:
            listed = ", ".join(f"{dtype} in layer {item.layer}" for dtype, item in found.items())
            raise ConversionError(f"{self.folder}: {weight.ours} is {listed}; choose one with --dtype")
        return next(iter(found))

    def check(self) -> None:
        """Refuse a folder whose keys are not those of its model.

        Raises:
            ConversionError: A key is missing or means nothing.
        """
        lacking, extra = self.inventory.missing, self.inventory.extra
        if lacking:
            raise ConversionError(f"{self.folder}: {len(lacking)} weights are missing: {listed(lacking)}")
        if extra:
            raise ConversionError(
                f"{self.folder}: {len(extra)} weights belong to no LLaMA: {listed(extra)}; adapters, biases and "
                f"quantized weights cannot be converted"
            )


class WeightsWriter(abc.ABC):
    """The weights of one model on their way into a folder.

    Attributes:
        sizes: Sizes of what is written; rows of the vocabulary beyond them are left out by the caller.
    """

    sizes: dict[str, Any]

    def row_multiple(self, item: Item) -> int:
        """Rows that must come together."""
        return item.weight.row_multiple(self.sizes)

    def prepare(self, item: Item, block: np.ndarray, start: int) -> np.ndarray:
        """Bring a block into the form in which it is written; may run in several threads at once.

        Args:
            item: The matrix.
            block: Whole rows [rows, columns], rotary ones in Hugging Face's order, in the dtype announced.
            start: Index of the first row.
        """
        return block

    @abc.abstractmethod
    def write(self, item: Item, block: np.ndarray, start: int) -> None:
        """Append rows to a matrix; the blocks of one matrix come in order, matrices in any.

        Args:
            item: The matrix.
            block: What `prepare` gave for whole rows.
            start: Index of the first row.

        Raises:
            ConversionError: The folder cannot be written.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Finish every file; called when every matrix was written whole."""

    @abc.abstractmethod
    def abandon(self) -> None:
        """Release the files of a folder that will not be finished."""


class Padded(Weights):
    """Weights with another vocabulary: new rows, at the mean of the others to begin with, and padding, at zero."""

    def __init__(self, source: Weights, *, vocab_size: int, new_rows: range = range(0)):
        """Wrap a source.

        Args:
            source: The weights as they are.
            vocab_size: Rows in all; those beyond the tokens are padding.
            new_rows: Rows that stand for new tokens: after the present rows, or in place of some that no token used.

        Raises:
            ConversionError: The source has more tokens than `vocab_size`.
        """
        self.source = source
        self.folder, self.format, self.inventory = source.folder, source.format, source.inventory
        self.token_ids, self.files = source.token_ids, source.files
        self.num_tokens = max(source.num_tokens, new_rows.stop)
        if vocab_size < self.num_tokens:
            raise ConversionError(f"{self.folder}: has {self.num_tokens} tokens, more than vocab_size {vocab_size}")
        self.sizes = source.sizes | {"vocab_size": vocab_size}
        self._new = new_rows
        self._means: dict[Weight, np.ndarray] = {}

    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which a matrix is stored."""
        return self.source.dtype(item)

    def row_multiple(self, item: Item) -> int:
        """Rows that are best read together."""
        return self.source.row_multiple(item)

    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix."""
        if item.weight not in (EMBEDDING, HEAD):
            return self.source.read(item, rows, columns)
        start, stop, _ = rows.indices(self.sizes["vocab_size"])
        width = len(range(*columns.indices(self.shape(item)[1])))
        values = np.zeros((stop - start, width), self.dtype(item))
        stored = min(stop, self.source.num_tokens)
        if start < stored:
            values[: stored - start] = self.source.read(item, slice(start, stored), columns)
        first, last = max(start, self._new.start), min(stop, self._new.stop)
        if first < last:
            values[first - start : last - start] = self._mean(item)[columns]
        return values

    def take(self, item: Item, rows: slice) -> np.ndarray:
        """Rows of which the source sees its own, its padding included."""
        if item.weight not in (EMBEDDING, HEAD):
            return self.source.take(item, rows)
        stored = slice(rows.start, min(rows.stop, self.source.sizes["vocab_size"]))
        if stored.start < stored.stop:
            self.source.take(item, stored)
        return self.read(item, rows)

    def finish(self) -> None:
        """The source is whole."""
        self.source.finish()

    def _mean(self, item: Item) -> np.ndarray:
        if item.weight not in self._means:
            count, columns = min(self.source.num_tokens, self._new.start), self.shape(item)[1]
            step = block_rows((count, columns), 8, 1)
            total = np.zeros(columns, np.float64)
            for start in range(0, count, step):
                block = self.source.read(item, slice(start, min(start + step, count)))
                total += block.astype(np.float32).sum(axis=0, dtype=np.float64)
            self._means[item.weight] = (total / count).astype(np.float32).astype(self.dtype(item))
        return self._means[item.weight]


def block_rows(shape: tuple[int, ...], itemsize: int, multiple: int) -> int:
    """Rows of a block: a multiple that cuts the matrix into nearly equal parts of about `BLOCK_BYTES`."""
    total = math.prod(shape) * itemsize
    step = -(-shape[0] // max(1, -(-total // BLOCK_BYTES)))
    return min(shape[0], -(-step // multiple) * multiple)


def listed(keys: list[str], most: int = 3) -> str:
    """The first few keys, and how many more there are."""
    more = f" and {len(keys) - most} more" if len(keys) > most else ""
    return ", ".join(keys[:most]) + more


def compare_shapes(folder: Path, found: Mapping[str, tuple[int, ...]], needed: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse tensors whose shape is not the model's.

    Raises:
        ConversionError: Naming the first one.
    """
    for key, shape in needed.items():
        if key in found and tuple(found[key]) != tuple(shape):
            raise ConversionError(
                f"{folder}: {key} has shape {tuple(found[key])}, but the model description asks for {tuple(shape)}"
            )
