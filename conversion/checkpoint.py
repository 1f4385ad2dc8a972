"""Our checkpoints: Orbax's folder of one Zarr 3 array per leaf, read and written by slices through TensorStore.

Orbax itself writes the folder's structure, with a handler that only lays out each array; the blocks follow, so no
stacked leaf exists in memory. What is written so restores through plain Orbax.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import tensorstore as ts

import melama_jax
from conversion import buffers
from conversion.fingerprints import Fingerprints
from conversion.json_files import read_json, write_json
from conversion.mapping import Item, Weight, weights_of
from conversion.weights import Inventory, Weights, WeightsWriter, block_rows
from melama_jax.config import ModelConfig
from melama_jax.config.presets import PRESETS
from melama_jax.errors import ConversionError
from melama_jax.training.checkpoint import FORMAT, find_checkpoint, read_meta

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
        self.meta = read_meta(self.folder)
        self.sizes, padding = _sizes_of(self.folder, self.meta.config)
        self.origin = read_origin(self.folder, self.meta.origin)
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
            leaf = state / f"params.{weight.ours.replace('/', '.')}"
            try:
                array = ts.open(_spec(leaf), open=True, read=True).result()
            except ValueError as error:
                if str(error).startswith("NOT_FOUND") and not os.path.exists(leaf):
                    raise ConversionError(f"{leaf}: is missing; use a whole checkpoint") from None
                raise ConversionError(f"{leaf}: cannot be read ({cause_of(error)})") from None
            if array.shape != weight.our_shape(self.sizes):
                raise ConversionError(
                    f"{leaf}: has shape {array.shape}, but the description of the checkpoint asks for "
                    f"{weight.our_shape(self.sizes)}"
                )
            self._arrays[weight] = array

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

    def see(self, item: Item, block: np.ndarray, start: int) -> None:
        """Add a block to the fingerprints."""
        self._seen.add(item, block, start)

    def finish(self) -> None:
        """Compare the fingerprints with those that were written."""
        for name, value in self._seen.values.items():
            if value != self.meta.fingerprints.get(name):
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
        tree: dict[str, Any] = {}
        for weight, dtype in self._dtypes.items():
            *parents, name = weight.ours.split("/")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[name] = _Layout(weight.our_shape(sizes), dtype, *self._chunks(weight, dtype))
        registry = ocp.type_handlers.create_type_handler_registry((_Layout, _LayoutHandler()))
        logging.getLogger("absl").setLevel(logging.ERROR)
        handler = ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_zarr3=True, type_handler_registry=registry)
        self._arrays = {}
        try:
            with ocp.Checkpointer(handler) as checkpointer:
                checkpointer.save(folder / "state", args=ocp.args.PyTreeSave({"params": tree}))
            for weight in self._dtypes:
                leaf = folder / "state" / f"params.{weight.ours.replace('/', '.')}"
                self._arrays[weight] = ts.open(_spec(leaf), open=True, write=True).result()
        except (ValueError, OSError) as error:
            raise ConversionError(f"{folder}: cannot be written ({cause_of(error)})") from None

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
        meta = {
            "format": FORMAT,
            "step": 0,
            "config": {"model": self._model},
            "data": {},
            "fingerprints": self._fingerprints.values,
            "versions": {"jax": jax.__version__, "orbax": ocp.__version__, "melama_jax": melama_jax.__version__},
            "origin": self._origin,
        }
        try:
            (self._folder / "meta").mkdir()
        except OSError as error:
            raise ConversionError(f"{self._folder}: cannot be written: {error.strerror}") from None
        write_json(self._folder / "meta" / "metadata", meta)

    def abandon(self) -> None:
        """Let the writes end; their errors no longer matter."""
        for future in self._pending:
            future.exception()
        self._pending.clear()


def cause_of(error: Exception) -> str:
    """What TensorStore's long messages say at their heart: the system's words, else their beginning."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    system = re.search(r"OS error: [^\]:]*|No space left on device|Permission denied|[Cc]hecksum[^:;\]]*", text)
    return system[0] if system else text[:300]


def _sizes_of(folder: Path, config: Any) -> tuple[dict[str, Any], int]:
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


@dataclasses.dataclass(frozen=True)
class _Layout:
    """An array to lay out: its shape, dtype, and the shapes of files and of their parts."""

    shape: tuple[int, ...]
    dtype: np.dtype
    chunk: tuple[int, ...]
    inner: tuple[int, ...]


class _LayoutHandler(ocp.type_handlers.NumpyHandler):
    """Orbax's way to store a NumPy array, here without its values; restored as one, or onto any sharding."""

    async def serialize(
        self, values: Sequence[_Layout], infos: Sequence[Any], args: Sequence[Any] | None = None
    ) -> Sequence[Any]:
        """Create every array's folder and description."""
        for layout, info in zip(values, infos, strict=True):
            await info.await_path_creation()
            codecs = [{"name": "bytes", "configuration": {"endian": "little"}}]
            index_codecs = [*codecs, {"name": "crc32c"}]
            metadata = {
                "shape": layout.shape,
                "data_type": str(layout.dtype),
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": layout.chunk}},
                "codecs": [
                    {
                        "name": "sharding_indexed",
                        "configuration": {
                            "chunk_shape": layout.inner,
                            # Uncompressed: trained weights shrink little, and a disk is faster than the packing.
                            "codecs": [*codecs, {"name": "crc32c"}],
                            "index_codecs": index_codecs,
                        },
                    }
                ],
            }
            spec = _spec(Path(info.parent_dir) / info.name) | {"metadata": metadata}
            await ts.open(spec, create=True)
        return []


def _spec(leaf: Path) -> dict[str, Any]:
    # Files are not flushed one by one: the folder is renamed when whole, and fingerprints tell what a power cut took.
    store = {"driver": "file", "path": os.path.abspath(leaf), "file_io_sync": False}
    # As Orbax has it: a chunk of zeros is stored, so that one that is not there is lost.
    stored = {"store_data_equal_to_fill_value": True, "fill_missing_data_reads": False}
    return {"driver": "zarr3", "kvstore": store, **stored}


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
