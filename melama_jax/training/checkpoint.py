"""Checkpoints: Orbax on disk, fingerprints of every array, and the rules of what may be resumed.

Layout: `RUN/checkpoints/<step>/state` (every leaf a plain Zarr 3 folder) and `<step>/meta` (JSON: configuration, data
position, fingerprints). Orbax writes beside and renames, so a killed write leaves nothing that looks whole. What a
rename cannot show (a chunk that a disk lost, which Zarr would read as zeros) the fingerprints do: they are recomputed
from the restored arrays, whatever the mesh.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
from jax import lax

from melama_jax.config import CheckpointConfig
from melama_jax.errors import CheckpointError
from melama_jax.parallel.distributed import barrier
from melama_jax.training.state import TrainState

FORMAT = 1
_CHUNKS_PER_ARRAY = 64
_CHUNK_BYTES = (2**20, 2**26)
"""Least and largest size aimed at for a Zarr chunk."""


def fingerprint(tree: Any) -> dict[str, jax.Array]:
    """A uint32 per leaf over its bits and their places, the same on every mesh; run it under `jax.jit`.

    The bits of element i (as a 32-bit word) are multiplied by the odd number 2 i + 1 and summed modulo 2^32: any change
    of one element changes it, as does an exchange of two that differ.
    """

    def one(x: jax.Array) -> jax.Array:
        bits = x if x.dtype == jnp.uint32 else lax.bitcast_convert_type(x, jnp.dtype(f"uint{8 * x.dtype.itemsize}"))
        place = jnp.zeros(x.shape, jnp.uint32)
        for dim, stride in enumerate(np.cumprod([1, *x.shape[:0:-1]], dtype=object)[::-1] if x.ndim else []):
            place += lax.broadcasted_iota(jnp.uint32, x.shape, dim) * np.uint32(int(stride) % 2**32)
        return jnp.sum(bits.astype(jnp.uint32) * (2 * place + 1), dtype=jnp.uint32)

    return {_name(path): one(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


@dataclasses.dataclass(frozen=True)
class CheckpointMeta:
    """What a checkpoint says of itself.

    Attributes:
        step: Optimizer steps done.
        config: The resolved configuration of the run that wrote it, as a nested mapping.
        data: Position in the data: fingerprint of the rows and index of the next one.
        fingerprints: uint32 by leaf.
        versions: Library versions of the writer.
    """

    step: int
    config: dict[str, Any]
    data: dict[str, Any]
    fingerprints: dict[str, int]
    versions: dict[str, str]


class Checkpointer:
    """Saves and restores the training state of one run."""

    def __init__(self, directory: str | Path, config: CheckpointConfig, *, echo: Callable[[str], None] = print):
        """Open (or create) `RUN/checkpoints`; what a killed write left is cleared away.

        Args:
            directory: The run's checkpoints folder.
            config: What to keep, and whether to write in the background.
            echo: Where warnings go.
        """
        self.directory = Path(directory).absolute()
        self._echo = echo
        logging.getLogger("absl").setLevel(logging.ERROR)
        self._manager = ocp.CheckpointManager(
            self.directory,
            options=ocp.CheckpointManagerOptions(
                max_to_keep=config.keep_last,
                keep_period=config.keep_every,
                enable_async_checkpointing=config.asynchronous,
                cleanup_tmp_directories=True,
            ),
            item_handlers={"state": _state_handler(), "meta": ocp.JsonCheckpointHandler()},
        )
        self._fingerprint = jax.jit(fingerprint)

    def steps(self) -> list[int]:
        """Steps of the checkpoints there are, oldest first."""
        return sorted(self._manager.all_steps())

    def save(self, state: TrainState, *, step: int, config: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        """Write the state; returns when the arrays are copied off the devices, the writing may go on behind.

        Args:
            state: The state after `step` optimizer steps.
            step: Name of the checkpoint.
            config: The resolved configuration.
            data: Position in the data.

        Raises:
            CheckpointError: An earlier background write failed, or this one cannot be written.
        """
        prints = {name: int(value) for name, value in jax.device_get(self._fingerprint(_tree(state))).items()}
        meta = {
            "format": FORMAT,
            "step": step,
            "config": dict(config),
            "data": dict(data),
            "fingerprints": prints,
            "versions": {"jax": jax.__version__, "orbax": ocp.__version__},
        }
        tree = _tree(state)
        save_args = jax.tree_util.tree_map_with_path(_save_args, tree)
        try:
            self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.PyTreeSave(tree, save_args=save_args), meta=ocp.args.JsonSave(meta)
                ),
                force=True,
            )
        except Exception as error:  # Orbax and TensorStore raise many types for a full or vanished disk
            raise CheckpointError(f"{self.directory}/{step}: cannot write the checkpoint: {_reason(error)}") from error

    def wait(self) -> None:
        """Block until every write has been committed.

        Raises:
            CheckpointError: A background write failed.
        """
        try:
            self._manager.wait_until_finished()
        except Exception as error:  # as above
            raise CheckpointError(f"{self.directory}: cannot write the checkpoint: {_reason(error)}") from error

    def close(self) -> None:
        """Finish the writes and release the folder."""
        self.wait()
        self._manager.close()

    def meta(self, step: int) -> CheckpointMeta:
        """Read what a checkpoint says of itself, without its arrays.

        Raises:
            CheckpointError: It cannot be read.
        """
        return read_meta(self.directory / str(step))

    def restore_newest(
        self, abstract: TrainState, *, accept: Callable[[CheckpointMeta], None]
    ) -> tuple[TrainState, CheckpointMeta] | None:
        """Restore the newest checkpoint that is whole, onto the shardings of `abstract`.

        A damaged one is reported, moved to `RUN/damaged`, and the one before it is tried.

        Args:
            abstract: Shapes, dtypes and shardings wanted; the mesh may differ from the one that wrote.
            accept: Called with each candidate's description before its arrays are read; raises to refuse it, which is
                not damage and ends the search.

        Returns:
            The state and its description, or None when there is no checkpoint.

        Raises:
            CheckpointError: Every checkpoint is damaged.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                meta = self.meta(step)
            except CheckpointError as error:
                self._set_aside(step, str(error))
                continue
            accept(meta)
            try:
                state = self._restore(step, abstract, meta)
            except _DamagedError as error:
                self._set_aside(step, str(error))
                continue
            return state, meta
        if steps:
            raise CheckpointError(
                f"{self.directory}: none of the checkpoints {', '.join(map(str, steps))} could be restored; they were "
                f"moved to {self.directory.parent / 'damaged'}; start again with an empty run folder"
            )
        return None

    def _restore(self, step: int, abstract: TrainState, meta: CheckpointMeta) -> TrainState:
        tree = restore_tree(self.directory / str(step), _tree(abstract))
        _check_fingerprints(tree, self._fingerprint, meta)
        return TrainState(**tree)

    def _set_aside(self, step: int, reason: str) -> None:
        self._echo(f"WARNING: checkpoint {self.directory / str(step)} is damaged ({reason}); trying the one before it")
        if jax.process_index() == 0:
            aside = self.directory.parent / "damaged"
            aside.mkdir(exist_ok=True)
            target = aside / str(step)
            number = 1
            while target.exists():
                number += 1
                target = aside / f"{step}.{number}"
            (self.directory / str(step)).rename(target)
        barrier(f"damaged-{step}")
        self._manager.reload()


class _DamagedError(Exception):
    """The arrays of a checkpoint cannot be read, or are not those that were written."""


def find_checkpoint(path: str | Path) -> Path:
    """The step folder that a path means: itself, or the newest of a checkpoints or run folder.

    Raises:
        CheckpointError: There is none.
    """
    path = Path(path)
    if (path / "state").is_dir() and (path / "meta").is_dir():
        return path
    for folder in (path, path / "checkpoints"):
        steps = [int(p.name) for p in folder.glob("[0-9]*") if p.name.isdigit()] if folder.is_dir() else []
        if steps:
            return folder / str(max(steps))
    raise CheckpointError(
        f"{path}: no checkpoint here; expected a run folder, its checkpoints folder, or one step (checkpoints/100)"
    )


def read_meta(path: Path) -> CheckpointMeta:
    """Read what the checkpoint of a step folder says of itself.

    Raises:
        CheckpointError: It cannot be read, or another format wrote it.
    """
    file = path / "meta" / "metadata"
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise CheckpointError(f"{file}: format {raw['format']}, but this version reads format {FORMAT}")
        names = [field.name for field in dataclasses.fields(CheckpointMeta)]
        return CheckpointMeta(**{name: raw[name] for name in names})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file}: cannot be read ({type(error).__name__})") from None


def load_params(path: str | Path, abstract: Any) -> Any:
    """Read the parameters alone from a checkpoint, checked, onto the shardings of `abstract`.

    Raises:
        CheckpointError: There is no checkpoint, it is damaged, or it is of a model of other shapes.
    """
    folder = find_checkpoint(path)
    meta = read_meta(folder)
    stored = _stored_shapes(folder)
    wanted = {_name(p): leaf for p, leaf in jax.tree_util.tree_leaves_with_path({"params": abstract})}
    for name, leaf in wanted.items():
        if tuple(stored.get(name, ())) != tuple(leaf.shape):
            found = "no such parameter" if name not in stored else f"shape {tuple(stored[name])}"
            raise CheckpointError(
                f"{folder}: {name} has shape {tuple(leaf.shape)} in this model, but the checkpoint has {found}; "
                f"give the model: section that it was written with"
            )
    try:
        tree = restore_tree(folder, {"params": abstract})
        _check_fingerprints(tree, jax.jit(fingerprint), meta, cast=True)
    except _DamagedError as error:
        raise CheckpointError(f"{folder} is damaged ({error})") from None
    return tree["params"]


def restore_tree(folder: Path, abstract: Any) -> Any:
    """Read (part of) a checkpoint's arrays onto shardings; each process reads only the chunks its devices need."""
    restore_args = jax.tree.map(
        lambda leaf: ocp.ArrayRestoreArgs(sharding=leaf.sharding, global_shape=leaf.shape, dtype=leaf.dtype), abstract
    )
    checkpointer = ocp.Checkpointer(_state_handler())
    try:
        return checkpointer.restore(
            (folder / "state").absolute(),
            args=ocp.args.PyTreeRestore(item=abstract, restore_args=restore_args, partial_restore=True),
        )
    except Exception as error:  # Orbax and TensorStore raise many types for a file that is missing, short or corrupt
        raise _DamagedError(f"{type(error).__name__} while reading") from error


def _check_fingerprints(
    tree: Any, compute: Callable[[Any], dict[str, jax.Array]], meta: CheckpointMeta, *, cast: bool = False
) -> None:
    for name, value in jax.device_get(compute(tree)).items():
        if int(value) != meta.fingerprints.get(name):
            if cast and meta.config["model"]["param_dtype"] != str(jax.tree.leaves(tree)[0].dtype):
                return  # read into another dtype: the bits are not those that were written
            raise _DamagedError(f"{name} does not have the bits that were written")


def _stored_shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    metadata = ocp.Checkpointer(_state_handler()).metadata((folder / "state").absolute())
    tree = getattr(metadata, "item_metadata", metadata)
    return {_name(p): tuple(leaf.shape) for p, leaf in jax.tree_util.tree_leaves_with_path(getattr(tree, "tree", tree))}


def _save_args(path: Any, leaf: jax.Array) -> ocp.SaveArgs:
    """Chunks small enough that a process which restores a slice reads little more, each within one layer of a stack.

    Orbax cuts a chunk first along the dimensions that are sharded when it is written.
    """
    least, largest = _CHUNK_BYTES
    size = min(max(leaf.nbytes // _CHUNKS_PER_ARRAY, least), largest)
    stacked = "layers" in _name(path).split("/") and leaf.nbytes > least
    return ocp.SaveArgs(chunk_byte_size=size, shard_axes=(0,) if stacked else ())


def _state_handler() -> ocp.PyTreeCheckpointHandler:
    # Plain Zarr 3 folders: any tool can read a leaf, and TensorStore can write one in slices.
    return ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_zarr3=True)


def _tree(state: TrainState) -> dict[str, Any]:
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}


def _reason(error: Exception) -> str:
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line[:300]}"


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")
