"""Initial parameters straight from a folder of weights: each process reads the bytes of its own shards alone."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from conversion.checkpoint import CheckpointWeights, column_dims, row_dims, to_ours
from conversion.folders import format_of, is_adapter, open_weights
from conversion.mapping import Item, Weight, weights_of
from conversion.origin import remember, tokenizer_of
from conversion.stream import Totals, cast, check_finite, describe
from conversion.weights import FREE_SIZES, Padded, Weights
from melama_jax.config import Config, ModelConfig
from melama_jax.data.samples import tokenizer_path
from melama_jax.data.vocabulary import find_tokenizer
from melama_jax.errors import CheckpointError, ConversionError
from melama_jax.parallel.agreement import together
from melama_jax.training import checkpoint

_THREADS = 4
Result = TypeVar("Result")


def _named(function: Callable[..., Result]) -> Callable[..., Result]:
    """Name the key in the errors of a function that opens what `init.from` points to."""

    @functools.wraps(function)
    def wrapped(*arguments: Any) -> Result:
        try:
            return function(*arguments)
        except (ConversionError, CheckpointError) as error:
            text = str(error)
            raise type(error)(text if text.startswith("init.from") else f"init.from: {text}") from None

    return wrapped


@_named
def describe_initial(path: str) -> dict[str, Any]:
    """The `model:` sizes and the vocabulary that a folder of weights implies, for `model.preset: auto`.

    Raises:
        MelamaError: There are no weights, or their description is damaged.
    """
    _refuse_adapter(path)
    source = open_weights(Path(path))
    model: dict[str, Any] = {**source.sizes, "vocab_padding": source.sizes["vocab_size"] - source.num_tokens}
    found: dict[str, Any] = {"model": model}
    tokenizer = tokenizer_of(source)
    if tokenizer is not None and tokenizer not in (tokenizer_path(), tokenizer_path().parent):
        found["data"] = {"vocabulary": str(find_tokenizer(tokenizer) if tokenizer.is_dir() else tokenizer)}
    return found


@_named
def check_initial(config: Config, abstract: Any) -> dict[str, Any] | None:
    """Check that `init.from` can be loaded into parameters of these shapes, from descriptions and headers alone.

    Returns:
        The `model:` values that the weights state; None without `init.from`.

    Raises:
        ConversionError: The weights are damaged, incomplete, or of a model of other sizes.
        CheckpointError: The same of a checkpoint of ours.
    """
    path = config.init.from_
    if path is None:
        return None
    _refuse_adapter(path)
    if format_of(Path(path)) == "checkpoint":
        return checkpoint.check_loadable(path, abstract).config["model"]
    return open_initial(path, config.model).sizes


def _refuse_adapter(path: str) -> None:
    if is_adapter(Path(path)):
        raise ConversionError(
            f"{path}: holds an adapter; make whole weights of it first (python -m conversion merge --adapter {path})"
        )


def remember_initial(config: Config, run_dir: Path) -> None:
    """Keep the tokenizer of a run, and what its initial weights stated of themselves, in the run folder.

    Raises:
        ConversionError: They cannot be read, or the folder not written.
    """
    remember(config, run_dir, open_weights(Path(config.init.from_)) if config.init.from_ else None)


@_named
def load_initial(config: Config, abstract: Any, echo: Callable[[str], None]) -> Any:
    """The parameters of `init.from`: our checkpoint through Orbax, other weights by slices of their files.

    Args:
        config: The run's configuration, whose `init.from` is set.
        abstract: Nested dict of `jax.ShapeDtypeStruct` with shardings.
        echo: Where the figures go.

    Raises:
        ConversionError: The weights cannot be read, or are not finite; in any process of the job.
        CheckpointError: The checkpoint is damaged.
    """
    path = config.init.from_ or ""
    if format_of(Path(path)) == "checkpoint":
        params = checkpoint.load_params(path, abstract)
        echo(f"parameters from {checkpoint.find_checkpoint(path)}")
        return params
    # Each process reads other bytes, so one may fail alone.
    totals = Totals()
    params = together("reading init.from", lambda: read_params(open_initial(path, config.model), abstract, totals))
    params = exchange(params, abstract)
    echo(f"parameters from {path}: this process {totals.summary()}")
    return params


@_named
def load_each(config: Config, abstract: Any, echo: Callable[[str], None], each: Callable[[str, jax.Array], Any]) -> Any:
    """`load_initial` one array at a time, for weights that are made smaller as they come.

    Args:
        config: The run's configuration, whose `init.from` is set.
        abstract: Nested dict of `jax.ShapeDtypeStruct` with shardings.
        echo: Where the figures go.
        each: Takes an array's path and the array, which it may delete; returns what is kept of it.

    Raises:
        ConversionError: The weights cannot be read, or are not finite; in any process of the job.
        CheckpointError: The checkpoint is damaged.
    """
    path, totals = config.init.from_ or "", Totals()
    source: Any = together("reading init.from", lambda: open_initial(path, config.model))
    params: dict[str, Any] = {}
    for weight in weights_of(source.sizes):
        *parents, name = weight.ours.split("/")
        node, wanted = params, abstract
        for parent in parents:
            node, wanted = node.setdefault(parent, {}), wanted[parent]
        node[name] = each(weight.ours, load_weight(source, weight, wanted[name], totals))
    echo(f"frozen parameters from {path}")
    return params


def load_weight(source: Weights, weight: Weight, wanted: jax.ShapeDtypeStruct, totals: Totals) -> jax.Array:
    """One array on its sharding, of any format; every process must call this.

    Raises:
        ConversionError: It cannot be read, or is not finite; in any process of the job.
        CheckpointError: The checkpoint is damaged.
    """
    if isinstance(source, CheckpointWeights):
        tree: Any = wanted
        for name in reversed(weight.ours.split("/")):
            tree = {name: tree}
        return jax.tree.leaves(checkpoint.load_params(source.folder, tree))[0]
    return exchange(together("reading the weights", lambda: load_array(source, weight, wanted, totals)), wanted)


def open_initial(path: str, model: ModelConfig) -> Weights:
    """Open the weights that a model starts from; a vocabulary that `model` pads is padded.

    Args:
        path: A Hugging Face or Meta folder.
        model: The `model:` section.

    Raises:
        ConversionError: The weights are damaged, incomplete, or of a model of other sizes.
    """
    source = open_weights(Path(path), max_position_embeddings=model.max_position_embeddings)
    source.check()
    missing = source.sizes["vocab_size"] != model.vocab_size  # A checkpoint has its padding.
    if missing and model.vocab_padding and model.vocab_size - model.vocab_padding == source.num_tokens:
        source = Padded(source, vocab_size=model.vocab_size)
    for key, stored in source.sizes.items():
        if key not in FREE_SIZES and stored != getattr(model, key):
            raise ConversionError(
                f"init.from: {path} has {key} {stored}, but model.{key} is {getattr(model, key)}; set model.preset to "
                f"auto and leave the sizes out to take those of the weights"
            )
    return source


def exchange(params: Any, abstract: Any) -> Any:
    """Bring arrays that were read in whole rows onto their own shardings, one at a time, over the devices' links."""

    def one(array: jax.Array, wanted: jax.ShapeDtypeStruct) -> jax.Array:
        if array.sharding == wanted.sharding:
            return array
        moved = jax.block_until_ready(jax.jit(lambda x: x, out_shardings=wanted.sharding)(array))
        array.delete()
        return moved

    return jax.tree.map(one, params, abstract)


def read_params(source: Weights, abstract: Any, totals: Totals | None = None) -> Any:
    """Read weights onto devices, each process its own rows; no process waits for another.

    Host memory holds one device's part of one array at a time.

    Args:
        source: Open weights of the model's sizes.
        abstract: Nested dict of `jax.ShapeDtypeStruct` with shardings; values are cast to its dtypes. The arrays may
            lie otherwise on the same devices, see `_by_rows`.
        totals: Is told the bytes read of the files, and the time.

    Raises:
        ConversionError: A weight cannot be read, or is not finite.
    """
    totals = totals or Totals()
    started = time.monotonic()
    params: dict[str, Any] = {}
    for weight in weights_of(source.sizes):
        *parents, name = weight.ours.split("/")
        node, wanted = params, abstract
        for parent in parents:
            node, wanted = node.setdefault(parent, {}), wanted[parent]
        node[name] = load_array(source, weight, wanted[name], totals)
    totals.seconds += time.monotonic() - started
    return params


def load_array(source: Weights, weight: Weight, wanted: jax.ShapeDtypeStruct, totals: Totals) -> jax.Array:
    """One array, each device's part read by itself, laid out by rows; `exchange` brings it into its own sharding."""
    sharding: Any = _by_rows(weight, wanted)
    by_part: dict[tuple[tuple[int, int], ...], list[Any]] = {}
    for device, index in sharding.addressable_devices_indices_map(wanted.shape).items():
        bounds = tuple(part.indices(extent)[:2] for part, extent in zip(index, wanted.shape, strict=True))
        by_part.setdefault(bounds, []).append(device)
    on_devices: dict[Any, jax.Array] = {}
    for bounds, devices in by_part.items():
        part = _read_part(source, weight, bounds, np.dtype(wanted.dtype))
        totals.bytes_read += part.size * source.dtype(Item(weight, 0 if weight.stacked else None)).itemsize
        for device in devices:
            on_devices[device] = jax.device_put(part, device)
        jax.block_until_ready([on_devices[device] for device in devices])
    shards = [on_devices[device] for device in sharding.addressable_devices]
    return jax.make_array_from_single_device_arrays(wanted.shape, sharding, shards)


def _by_rows(weight: Weight, wanted: jax.ShapeDtypeStruct) -> NamedSharding:
    """The sharding to read with: axes that cut the columns cut the rows too, where they divide them.

    A file holds a matrix row by row. A process that wants a piece of every row would have the disk, which reads ahead,
    give it the whole; whole rows lie together, and the devices exchange the pieces faster than any disk.
    """
    sharding: Any = wanted.sharding
    spec = [*sharding.spec, *(None for _ in range(len(wanted.shape) - len(sharding.spec)))]
    rows, columns = row_dims(weight, len(wanted.shape)), column_dims(weight, len(wanted.shape))
    cutting = [axis for dim in columns for axis in _axes(spec[dim]) if sharding.mesh.shape[axis] > 1]
    there = _axes(spec[rows.start])
    parts = math.prod(sharding.mesh.shape[axis] for axis in (*there, *cutting))
    if not cutting or wanted.shape[rows.start] % parts:
        return sharding
    for dim in columns:
        spec[dim] = None
    spec[rows.start] = (*there, *cutting)
    return NamedSharding(sharding.mesh, PartitionSpec(*spec))


def _axes(entry: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if entry is None else (entry,) if isinstance(entry, str) else entry


def _read_part(source: Weights, weight: Weight, bounds: tuple[tuple[int, int], ...], dtype: np.dtype) -> np.ndarray:
    """The part [start, stop) in every dimension of one of our arrays."""
    part = np.empty([stop - start for start, stop in bounds], dtype)
    layers, dims = (bounds[0], bounds[1:]) if weight.stacked else ((0, 1), bounds)
    split = len(weight.columns) if weight.transposed else len(weight.rows)
    first, second = _flat(weight, source, dims[:split], 0), _flat(weight, source, dims[split:], 1)
    rows, columns = (second, first) if weight.transposed else (first, second)

    def read(layer: int) -> None:
        item = Item(weight, layer if weight.stacked else None)
        values = source.read(item, rows, columns)
        check_finite(values, f"{source.folder}: {describe(item)}")
        values = to_ours(weight, source.sizes, cast(values, dtype, f"{source.folder}: {describe(item)}"))
        if weight.stacked:
            part[layer - layers[0]] = values
        else:
            part[...] = values

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(read, range(*layers)))
    return part


def _flat(weight: Weight, source: Weights, dims: tuple[tuple[int, int], ...], group: int) -> slice:
    """Bounds of (heads, head_dim), or of one dimension, as a slice of the matrix's dimension."""
    if not dims:
        return slice(None)
    inner = 1
    if len(dims) == 2:
        inner = source.sizes["head_dim"]
        if dims[1] != (0, inner):
            raise ValueError(f"{weight.ours}: a head cannot be split")
    return slice(dims[0][0] * inner, dims[0][1] * inner)
