"""The arrays of our checkpoints: one Zarr 3 folder per leaf, laid out by Orbax, read and written through TensorStore.

Orbax itself writes the folder's structure, with a handler that only lays out each array; the blocks follow, so no
stacked leaf exists in memory. What is written so restores through plain Orbax.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import tensorstore as ts

import melama_jax
from conversion.json_files import write_json
from melama_jax.errors import ConversionError
from melama_jax.training.checkpoint import FORMAT


@dataclasses.dataclass(frozen=True)
class Layout:
    """An array to lay out: its shape, dtype, and the shapes of files and of their parts."""

    shape: tuple[int, ...]
    dtype: np.dtype
    chunk: tuple[int, ...]
    inner: tuple[int, ...]


class _LayoutHandler(ocp.type_handlers.NumpyHandler):
    """Orbax's way to store a NumPy array, here without its values; restored as one, or onto any sharding."""

    async def serialize(
        self, values: Sequence[Layout], infos: Sequence[Any], args: Sequence[Any] | None = None
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


def write_meta(folder: Path, **stated: Any) -> None:
    """Write the description of a checkpoint that no training made.

    Args:
        folder: The checkpoint.
        stated: Its config, fingerprints and origin, and its base where it holds an adapter.

    Raises:
        ConversionError: It cannot be written.
    """
    versions = {"jax": jax.__version__, "orbax": ocp.__version__, "melama_jax": melama_jax.__version__}
    try:
        (folder / "meta").mkdir()
    except OSError as error:
        raise ConversionError(f"{folder}: cannot be written: {error.strerror}") from None
    write_json(folder / "meta" / "metadata", {"format": FORMAT, "step": 0, "data": {}, "versions": versions} | stated)


def open_leaf(folder: Path, name: str, shape: tuple[int, ...]) -> Any:
    """One array of a checkpoint's parameters for reading, as TensorStore opens it.

    Args:
        folder: The checkpoint.
        name: Its path in the tree, with slashes.
        shape: As the checkpoint's description implies it.

    Raises:
        ConversionError: It is missing, damaged, or of another shape.
    """
    leaf = _leaf(folder, name)
    try:
        array = ts.open(_spec(leaf), open=True, read=True).result()
    except ValueError as error:
        if str(error).startswith("NOT_FOUND") and not os.path.exists(leaf):
            raise ConversionError(f"{leaf}: is missing; use a whole checkpoint") from None
        raise ConversionError(f"{leaf}: cannot be read ({cause_of(error)})") from None
    if array.shape != shape:
        raise ConversionError(
            f"{leaf}: has shape {array.shape}, but the description of the checkpoint asks for {shape}"
        )
    return array


def lay_out(folder: Path, layouts: Mapping[str, Layout]) -> dict[str, Any]:
    """Make the arrays of a checkpoint's parameters without their values, and open them for writing.

    Args:
        folder: The checkpoint.
        layouts: By path in the tree, with slashes.

    Raises:
        ConversionError: They cannot be written.
    """
    tree: dict[str, Any] = {}
    for path, layout in layouts.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = layout
    registry = ocp.type_handlers.create_type_handler_registry((Layout, _LayoutHandler()))
    logging.getLogger("absl").setLevel(logging.CRITICAL)  # what Orbax logs as an error it also raises
    handler = ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_zarr3=True, type_handler_registry=registry)
    try:
        with ocp.Checkpointer(handler) as checkpointer:
            checkpointer.save(folder / "state", args=ocp.args.PyTreeSave({"params": tree}))
        return {path: ts.open(_spec(_leaf(folder, path)), open=True, write=True).result() for path in layouts}
    except (ValueError, OSError) as error:
        raise ConversionError(f"{folder}: cannot be written ({cause_of(error)})") from None


def _leaf(folder: Path, name: str) -> Path:
    return folder / "state" / f"params.{name.replace('/', '.')}"


def cause_of(error: Exception) -> str:
    """What TensorStore's long messages say at their heart: the system's words, else their beginning."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    system = re.search(r"OS error: [^\]:]*|No space left on device|Permission denied|[Cc]hecksum[^:;\]]*", text)
    return system[0] if system else text[:300]
