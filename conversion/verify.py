"""Whether two folders hold the same weights, to the bit; and what a folder holds."""

from __future__ import annotations

import dataclasses
import math
import threading
from collections.abc import Iterator

import numpy as np

from conversion.adapter import Merged
from conversion.mapping import EMBEDDING, HEAD, Item, items
from conversion.stream import Block, Totals, ahead, block_of, describe, timed
from conversion.weights import Weights
from melama_jax.errors import ConversionError


@dataclasses.dataclass
class Difference:
    """Where one matrix differs.

    Attributes:
        name: The matrix by our tree.
        elements: Number of elements whose bits differ.
        largest: Largest absolute difference of values, in float32 (NaN when one is NaN).
        row: Row of that element.
        column: Column of that element; None for a norm.
        values: Its two values.
        dtypes: The two dtypes.
    """

    name: str
    elements: int = 0
    largest: float = 0.0
    row: int = 0
    column: int | None = None
    values: tuple[float, float] = (0.0, 0.0)
    dtypes: tuple[str, str] = ("", "")


@dataclasses.dataclass
class Comparison:
    """Result of `compare`.

    Attributes:
        differences: One per matrix that differs.
        compared: Number of matrices compared.
        elements: Number of elements compared.
        totals: Bytes and time.
    """

    differences: list[Difference]
    compared: int
    elements: int
    totals: Totals


def compare(a: Weights, b: Weights) -> Comparison:
    """Compare every matrix of two folders; rows that only pad a vocabulary are left out.

    Raises:
        ConversionError: The models have other sizes, or one cannot be read.
    """
    _check_comparable(a, b)
    tokens = a.num_tokens
    differences: dict[str, Difference] = {}
    lock = threading.Lock()
    totals = Totals()
    # A head that one of them ties to its embedding is compared with the other's head.
    tied = a.sizes["tie_word_embeddings"] and b.sizes["tie_word_embeddings"]
    todo = list(items(a.sizes | {"tie_word_embeddings": tied, "vocab_size": tokens}))

    def blocks() -> Iterator[Block]:
        for item in todo:
            multiple = math.lcm(_stored(a, item).weight.row_multiple(a.sizes), b.row_multiple(_stored(b, item)))
            for rows in a.blocks(_stored(a, item), 4, multiple):
                if rows.start < _rows(item, tokens, a):
                    kept = slice(rows.start, min(rows.stop, _rows(item, tokens, a)))
                    yield Block(item, kept, block_of(a, _stored(a, item), kept).nbytes)

    def load(block: Block) -> tuple[int, np.ndarray | None]:
        first = a.read(_stored(a, block.item), block.rows)
        second = b.read(_stored(b, block.item), block.rows)
        if first.dtype != second.dtype or not _same_bits(first, second):
            name = describe(block.item)
            found = _difference(name, first, second, block.rows.start)
            with lock:
                before = differences.get(name)
                differences[name] = found if before is None else _worse(before, found)
        return first.nbytes + second.nbytes, None

    elements = sum(math.prod(item.weight.shape(a.sizes | {"vocab_size": tokens})) for item in todo)
    size = sum(
        math.prod(item.weight.shape(a.sizes | {"vocab_size": tokens})) * w.dtype(_stored(w, item)).itemsize
        for item in todo
        for w in (a, b)
    )
    for _, (nbytes, _) in timed(totals, ahead(load, blocks()), size=size, label="comparing"):
        totals.bytes_read += nbytes
    return Comparison([differences[n] for n in map(describe, todo) if n in differences], len(todo), elements, totals)


def _check_comparable(a: Weights, b: Weights) -> None:
    for source in (a, b):
        source.check()
        if isinstance(source, Merged):
            source.check_base()
    shapes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads")
    for key in (*shapes, "head_dim"):
        if a.sizes[key] != b.sizes[key]:
            raise ConversionError(
                f"{b.folder}: {key} is {b.sizes[key]}, but {a.sizes[key]} in {a.folder}; not one model"
            )
    if a.num_tokens != b.num_tokens:
        raise ConversionError(
            f"{b.folder}: has {b.num_tokens} tokens, but {a.folder} has {a.num_tokens}; not one model"
        )


def _stored(source: Weights, item: Item) -> Item:
    """Where a matrix is stored: a tied head is the embedding."""
    return Item(EMBEDDING, None) if item.weight is HEAD and source.sizes["tie_word_embeddings"] else item


def _rows(item: Item, tokens: int, source: Weights) -> int:
    return item.weight.shape(source.sizes | {"vocab_size": tokens})[0]


def _same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two contiguous arrays of one dtype are equal to the bit; no copies."""
    word = np.dtype(f"uint{8 * first.dtype.itemsize}")
    return np.array_equal(first.view(word), second.view(word))


def _difference(name: str, first: np.ndarray, second: np.ndarray, start: int) -> Difference:
    wide, other = first.astype(np.float32), second.astype(np.float32)
    if first.dtype == second.dtype:
        word = np.dtype(f"uint{8 * first.dtype.itemsize}")
        differs = first.view(word) != second.view(word)
    else:
        differs = wide != other
    elements = int(np.count_nonzero(differs))
    with np.errstate(invalid="ignore"):
        distance = np.abs(wide - other)
    # Of elements that differ, for they may do so by nothing: 0 and -0.
    weight = np.where(differs, np.where(np.isnan(distance), np.inf, distance), -1)
    place = np.unravel_index(int(np.argmax(weight)), distance.shape)
    return Difference(
        name,
        elements,
        float(distance[place]),
        start + int(place[0]),
        int(place[1]) if len(place) > 1 else None,
        (float(wide[place]), float(other[place])),
        (str(first.dtype), str(second.dtype)),
    )


def _worse(before: Difference, found: Difference) -> Difference:
    worst = before if before.largest >= found.largest or math.isnan(before.largest) else found
    return dataclasses.replace(worst, elements=before.elements + found.elements)
