"""Our checkpoints: stacked arrays in our layout, read and written by slices as matrices of one layer."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conversion import buffers
from conversion.arrays import Layout, cause_of, lay_out, open_leaf, write_meta
from conversion.fingerprints import Fingerprints
from conversion.json_files import read_json
from conversion.mapping import Item, Weight, weights_of
from conversion.weights import Inventory, Weights, WeightsWriter, block_rows
from melama_jax.config import ModelConfig
from melama_jax.config.presets import PRESETS
from melama_jax.errors import ConversionError
from melama_jax.training.checkpoint import find_checkpoint, read_meta

_INNER_BYTES, _MOST_PARTS = 2**20, 32
"""Least size of the parts of a block that can be read alone, and most of them."""
_WRITES_AHEAD = 2
ORIGIN_FILE = "tokenizer/origin.json"
"""In a run folder: what is known of the weights that the run started from."""


class CheckpointWeights(Weights):
    """The parameters of a checkpoint, open for reading."""

    format = "checkpoint"

    def __init__(self, path: Path):
        """Read the description and open the arrays.

        Args:
            path: A run folder, its checkpoints folder, one step, or an imported checkpoint.

        Raises:
            CheckpointError: There is none, or its description is damaged.
            ConversionError: An array is missing or has another shape than the description says.
        """
        self.folder = find_checkpoint(path)
        self.meta = meta = read_meta(self.folder)
        self.sizes, padding = sizes_of(self.folder, meta.config)
        self.origin = read_origin(self.folder, meta.origin)
        self._stated = meta.fingerprints
        self.token_ids = dict(self.origin.get("token_ids", {}))
        self.num_tokens = self.sizes["vocab_size"] - padding
        self._arrays: dict[Weight, Any] = {}
        self._open()
        self.inventory = Inventory()
        self.files = [self.folder / "state"]
        self._seen = Fingerprints(self.sizes)

    def _open(self) -> None:
        state = self.folder / "state"
        present = {p.name.removeprefix("params.") for p in state.glob("params.*")}
        extra = sorted(present - {weight.ours.replace("/", ".") for weight in weights_of(self.sizes)})
        if extra:
            raise ConversionError(f"{self.folder}: holds arrays that belong to no LLaMA of its description: {extra[0]}")
        for weight in weights_of(self.sizes):
            self._arrays[weight] = open_leaf(self.folder, weight.ours, weight.our_shape(self.sizes))

    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which a matrix is stored."""
        return self._arrays[item.weight].dtype.numpy_dtype

    def row_multiple(self, item: Item) -> int:
        """Whole chunks along the rows: a chunk is read whole whatever part of it is asked for."""
        weight, array = item.weight, self._arrays[item.weight]
        dims = weight.our_shape(self.sizes)
        chunk = array.chunk_layout.read_chunk.shape or dims
        rows = row_dims(weight, len(dims))
        inner = int(np.prod(dims[rows.start + 1 : rows.stop]))
        if tuple(chunk[rows.start + 1 : rows.stop]) != tuple(dims[rows.start + 1 : rows.stop]):
            return weight.shape(self.sizes)[0]
        return min(int(chunk[rows.start]) * inner, weight.shape(self.sizes)[0])

    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix."""
        weight = item.weight
        index = our_index(weight, self.sizes, item.layer, rows, columns)
        try:
            part = self._arrays[weight][index].read().result()
        except ValueError as error:
            raise ConversionError(f"{self.folder}: params/{weight.ours} cannot be read ({cause_of(error)})") from None
        return from_ours(weight, self.sizes, np.asarray(part))

    def take(self, item: Item, rows: slice) -> np.ndarray:
        """Rows, which are added to the fingerprints."""
        block = self.read(item, rows)
        self._seen.add(item, block, rows.start)
        return block

    def finish(self) -> None:
        """Compare the fingerprints with those that were written."""
        for name, value in self._seen.values.items():
            if value != self._stated.get(name):
                raise ConversionError(
                    f"{self.folder}: is damaged ({name} does not have the bits that were written); use another one"
                )


class CheckpointWriter(WeightsWriter):
    """Writes a checkpoint of parameters alone, block by block."""

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, Any],
        dtypes: Mapping[Item, np.dtype],
        *,
        model: Mapping[str, Any],
        origin: Mapping[str, Any],
    ):
        """Lay out the arrays.

        Args:
            folder: An empty folder.
            sizes: The model's sizes.
            dtypes: Dtype of every matrix; the same in all layers.
            model: The `model:` section that the checkpoint states.
            origin: Where the weights come from, for the record.
        """
        self.sizes = dict(sizes)
        self._folder, self._model, self._origin = folder, dict(model), dict(origin)
        self._dtypes = {item.weight: dtype for item, dtype in dtypes.items()}
        self._fingerprints = Fingerprints(sizes)
        self._pending: deque[Any] = deque()
        arrays = lay_out(
            folder,
            {
                weight.ours: Layout(weight.our_shape(sizes), dtype, *self._chunks(weight, dtype))
                for weight, dtype in self._dtypes.items()
            },
        )
        self._arrays = {weight: arrays[weight.ours] for weight in self._dtypes}

    def _chunks(self, weight: Weight, dtype: np.dtype) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shape of a file's part of the array, which is one block, and of its parts that can be read alone.

        The latter split the dimension that lies on the fsdp axis, so a process reads little more than its own slice.
        """
        shape = weight.shape(self.sizes)
        step = block_rows(shape, dtype.itemsize, self._multiple(weight))
        axes = (weight.columns, weight.rows) if weight.transposed else (weight.rows, weight.columns)
        names = [*(["layers"] if weight.stacked else []), *axes[0], *axes[1]]
        chunk = list(weight.our_shape(self.sizes))
        if weight.stacked:
            chunk[0] = 1
        rows = row_dims(weight, len(chunk))
        chunk[rows.start] = step // int(np.prod(chunk[rows.start + 1 : rows.stop], dtype=np.int64))
        inner = list(chunk)
        if "embed" in names:
            dim, parts = names.index("embed"), 1
            nbytes = int(np.prod(chunk, dtype=np.int64)) * dtype.itemsize
            while parts < _MOST_PARTS and chunk[dim] % (2 * parts) == 0 and nbytes // (2 * parts) >= _INNER_BYTES:
                parts *= 2
            inner[dim] //= parts
        return tuple(chunk), tuple(inner)

    def _multiple(self, weight: Weight) -> int:
        multiple = weight.row_multiple(self.sizes)
        # Rows that lie on the fsdp axis are split further, in powers of two.
        return _MOST_PARTS if weight.rows == ("embed",) and weight.shape(self.sizes)[0] % _MOST_PARTS == 0 else multiple

    def row_multiple(self, item: Item) -> int:
        """Whole files."""
        weight = item.weight
        return block_rows(weight.shape(self.sizes), self._dtypes[weight].itemsize, self._multiple(weight))

    def prepare(self, item: Item, block: np.ndarray, start: int) -> np.ndarray:
        """Add a block to the fingerprints, and lay it out as our array is."""
        self._fingerprints.add(item, block, start)
        return to_ours(item.weight, self.sizes, block)

    def write(self, item: Item, block: np.ndarray, start: int) -> None:
        """Write rows, which fill whole files."""
        weight = item.weight
        length = int(np.prod([block.shape[d] for d in row_dims(weight, block.ndim, stacked=False)], dtype=np.int64))
        index = our_index(weight, self.sizes, item.layer, slice(start, start + length), slice(None))
        future = self._arrays[weight][index].write(block, can_reference_source_data_indefinitely=True)
        self._pending.append(future)
        while len(self._pending) > _WRITES_AHEAD:
            self._settle()

    def _settle(self) -> None:
        try:
            self._pending.popleft().result()
        except (ValueError, OSError) as error:
            raise ConversionError(f"{self._folder}: cannot be written ({cause_of(error)})") from None

    def close(self) -> None:
        """Finish the writes and write the description."""
        while self._pending:
            self._settle()
        write_meta(
            self._folder,
            config={"model": self._model},
            fingerprints=self._fingerprints.values,
            origin=self._origin,
        )

    def abandon(self) -> None:
        """Let the writes end; their errors no longer matter."""
        for future in self._pending:
            future.exception()
        self._pending.clear()


def sizes_of(folder: Path, config: Any) -> tuple[dict[str, Any], int]:
    """The model's sizes and the rows of padding that a checkpoint's description states."""
    model = config.get("model") if isinstance(config, dict) else None
    if not isinstance(model, dict):
        raise ConversionError(f"{folder}/meta/metadata: has no model section; use a whole checkpoint")
    try:
        checked = ModelConfig.model_validate({key: model.get(key) for key in PRESETS["tiny"]} | {"preset": None})
        padding = int(model.get("vocab_padding", 0))
    except (ValueError, TypeError):
        raise ConversionError(f"{folder}/meta/metadata: its model section is damaged; use a whole checkpoint") from None
    sizes = checked.model_dump(mode="json")
    return {key: sizes[key] for key in PRESETS["tiny"]}, padding


def read_origin(folder: Path, stated: Any) -> dict[str, Any]:
    """Where a checkpoint's weights came from: as it says itself, or as the run that it belongs to remembers.

    Args:
        folder: The step, or the imported checkpoint.
        stated: The origin in its own description; empty for a training run.

    Raises:
        ConversionError: The run's record cannot be read.
    """
    if isinstance(stated, dict) and stated:
        return stated
    record = folder.resolve().parent.parent / ORIGIN_FILE
    if not record.is_file():
        return {}
    return read_json(record)


def our_index(
    weight: Weight, sizes: Mapping[str, Any], layer: int | None, rows: slice, columns: slice
) -> tuple[slice | int, ...]:
    """The index into our array of part of a matrix; slices of heads are of whole heads."""
    dims = weight.our_shape(sizes)
    shape = weight.shape(sizes)
    index: list[slice | int] = [slice(None)] * len(dims)
    if weight.stacked:
        index[0] = int(layer or 0)
    at = row_dims(weight, len(dims))
    groups = [(at, rows, shape[0])]
    if weight.columns:
        groups.append((column_dims(weight, len(dims)), columns, shape[1]))
    for group, wanted, extent in groups:
        start, stop, _ = wanted.indices(extent)
        inner = int(np.prod([dims[d] for d in group][1:], dtype=np.int64))
        if start % inner or stop % inner:
            raise ValueError(f"{weight.ours}: rows or columns {wanted} are not whole heads of {inner}")
        index[group.start] = slice(start // inner, stop // inner)
    return tuple(index)


def to_ours(weight: Weight, sizes: Mapping[str, Any], block: np.ndarray) -> np.ndarray:
    """A block [rows, columns] of a matrix as it lies in our array, without the layer."""
    if weight.transposed:
        block = transpose(block)
    return block.reshape(_unflattened(weight, sizes, block.shape))


def from_ours(weight: Weight, sizes: Mapping[str, Any], part: np.ndarray) -> np.ndarray:
    """The block [rows, columns] of part of our array, without the layer."""
    if not weight.columns:
        return part
    first = len(weight.columns) if weight.transposed else len(weight.rows)
    flat = part.reshape(int(np.prod(part.shape[:first])), -1)
    return transpose(flat) if weight.transposed else flat


def _unflattened(weight: Weight, sizes: Mapping[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    dims: list[int] = []
    groups = (weight.columns, weight.rows) if weight.transposed else (weight.rows, weight.columns)
    for group, extent in zip([g for g in groups if g], shape, strict=True):
        dims += [extent // int(sizes["head_dim"]), int(sizes["head_dim"])] if len(group) == 2 else [extent]
    return tuple(dims)


def row_dims(weight: Weight, ndim: int, *, stacked: bool | None = None) -> range:
    """The dimensions of our array (or, not stacked, of one layer of it) that are the rows."""
    if weight.transposed:
        return range(ndim - len(weight.rows), ndim)
    start = 1 if (weight.stacked if stacked is None else stacked) else 0
    return range(start, start + len(weight.rows))


def column_dims(weight: Weight, ndim: int) -> range:
    """The dimensions of our array that are the columns; none of a norm."""
    rows = row_dims(weight, ndim)
    if weight.transposed:
        return range(rows.start - len(weight.columns), rows.start)
    return range(rows.stop, ndim)


def transpose(matrix: np.ndarray, tile: int = 128) -> np.ndarray:
    """A contiguous transposed copy, tile by tile: four times faster than NumPy's own on a large matrix."""
    bits = matrix.view(np.dtype(f"uint{8 * matrix.dtype.itemsize}"))
    turned = buffers.empty(bits.shape[::-1], bits.dtype)
    for i in range(0, bits.shape[0], tile):
        for j in range(0, bits.shape[1], tile):
            turned[j : j + tile, i : i + tile] = bits[i : i + tile, j : j + tile].T
    return turned.view(matrix.dtype)
