"""Checkpoints: Orbax on disk, fingerprints of every array, and the rules of what may be resumed.

Layout: `RUN/checkpoints/<step>/state` (every leaf a plain Zarr 3 folder) and `<step>/meta` (JSON: configuration, data
position, fingerprints). Orbax writes beside and renames, so a killed write leaves nothing that looks whole. What a
rename cannot show (a chunk that a disk lost, which Zarr would read as zeros) the fingerprints do: they are recomputed
from the restored arrays, whatever the mesh.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from etils import epath

from melama_jax.config import CheckpointConfig
from melama_jax.errors import CheckpointError
from melama_jax.parallel.agreement import gather, together
from melama_jax.training.fingerprint import fingerprint, leaf_name
from melama_jax.training.state import TrainState

FORMAT = 1
_CHUNKS_PER_ARRAY = 64
_CHUNK_BYTES = (2**20, 2**26)
"""Least and largest size aimed at for a Zarr chunk."""


@dataclasses.dataclass(frozen=True)
class CheckpointMeta:
    """What a checkpoint says of itself.

    Attributes:
        step: Optimizer steps done.
        config: The resolved configuration of the run that wrote it, as a nested mapping.
        data: Position in the data: fingerprint of the rows and index of the next one.
        fingerprints: uint32 by leaf.
        versions: Library versions of the writer.
        origin: Where imported weights come from; empty for a training run.
        base: Of an adapter: `from`, where its base was, and `fingerprint`, of the base's weights as they were read.
    """

    step: int
    config: dict[str, Any]
    data: dict[str, Any]
    fingerprints: dict[str, int]
    versions: dict[str, str]
    origin: dict[str, Any] = dataclasses.field(default_factory=dict)
    base: dict[str, Any] = dataclasses.field(default_factory=dict)


class Checkpointer:
    """Saves and restores the training state of one run."""

    def __init__(self, directory: str | Path, config: CheckpointConfig, *, echo: Callable[[str], None] = print):
        """Open (or create) `RUN/checkpoints`; what a killed write left is cleared away.

        Args:
            directory: The run's checkpoints folder.
            config: What to keep, and whether to write in the background.
            echo: Where warnings go.

        Raises:
            CheckpointError: The folder cannot be made.
        """
        self.directory = Path(directory).absolute()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"{self.directory}: cannot be made a folder: {error.strerror}") from None
        self.marked: int | None = None
        """Step of a checkpoint that stays, however old it gets."""
        self.base: dict[str, Any] = {}
        """`CheckpointMeta.base` of what is saved."""
        self._echo = echo
        logging.getLogger("absl").setLevel(logging.ERROR)
        self._manager = ocp.CheckpointManager(
            self.directory,
            options=ocp.CheckpointManagerOptions(
                preservation_policy=ocp.checkpoint_managers.AnyPreservationPolicy(self._keeps(config)),
                enable_async_checkpointing=config.asynchronous,
                cleanup_tmp_directories=True,
            ),
            item_handlers={"state": _state_handler(), "meta": ocp.JsonCheckpointHandler()},
        )
        self._fingerprint = jax.jit(fingerprint)

    def _keeps(self, config: CheckpointConfig) -> list[ocp.checkpoint_managers.PreservationPolicy]:
        policies = ocp.checkpoint_managers
        every = [policies.EveryNSteps(config.keep_every)] if config.keep_every else []
        return [policies.LatestN(config.keep_last), *every, _KeepMarked(self)]

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
            "base": self.base,
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

        A damaged one is reported and the one before it tried; once one is whole, the damaged ones move
        to `RUN/damaged`.

        Args:
            abstract: Shapes, dtypes and shardings wanted; the mesh may differ from the one that wrote.
            accept: Called with each candidate's description before its arrays are read; raises to refuse it, which is
                not damage and ends the search.

        Returns:
            The state and its description, or None when there is no checkpoint.

        Raises:
            CheckpointError: Every checkpoint is damaged, or one cannot be read now for a reason that is not damage.
        """
        steps = self.steps()
        damaged: list[int] = []
        for step in reversed(steps):
            # Another process may see damage where this one sees none: all of them go the same way.
            try:
                state, meta = self._restore(step, abstract, accept)
            except _DamagedError as error:
                self._echo(
                    f"WARNING: checkpoint {self.directory / str(step)} is damaged ({error}); trying the one before it"
                )
                damaged.append(step)
                continue
            if damaged:
                together("setting damaged checkpoints aside", lambda: self._set_aside(damaged), only_first=True)
                self._manager.reload()
            return state, meta
        if steps:
            raise CheckpointError(
                f"{self.directory}: none of the checkpoints {', '.join(map(str, steps))} is whole; they were left as "
                f"they are; put back a good copy, or start in another run.dir"
            )
        return None

    def _restore(
        self, step: int, abstract: TrainState, accept: Callable[[CheckpointMeta], None]
    ) -> tuple[TrainState, CheckpointMeta]:
        folder = self.directory / str(step)
        reason = ""

        def read() -> tuple[Any, CheckpointMeta] | None:
            nonlocal reason
            try:
                meta = _read_meta(folder)
                accept(meta)
                _check_structure(folder, _tree(abstract))
                return restore_tree(folder, _tree(abstract)), meta
            except _DamagedError as error:
                reason = str(error)
                return None

        found = together(f"restoring checkpoint {step}", read)
        reasons = list(filter(None, gather(f"state of checkpoint {step}", reason)))
        if reasons or found is None:
            raise _DamagedError(reasons[0])
        tree, meta = found
        _check_fingerprints(tree, self._fingerprint, meta)
        return TrainState(**tree), meta

    def _set_aside(self, steps: Sequence[int]) -> None:
        aside = self.directory.parent / "damaged"
        aside.mkdir(exist_ok=True)
        for step in steps:
            target, number = aside / str(step), 1
            while target.exists():
                number += 1
                target = aside / f"{step}.{number}"
            (self.directory / str(step)).rename(target)
            self._echo(f"moved {self.directory / str(step)} to {target}")


class _KeepMarked(ocp.checkpoint_managers.PreservationPolicy):
    """Orbax's question which checkpoints stay, answered with the one that is marked."""

    def __init__(self, checkpointer: Checkpointer):
        self._checkpointer = checkpointer

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        return [found.step == self._checkpointer.marked for found in checkpoints]


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
    try:
        return _read_meta(path)
    except _DamagedError as error:
        raise CheckpointError(f"{path} is damaged ({error})") from None


def _read_meta(path: Path) -> CheckpointMeta:
    file = path / "meta" / "metadata"
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise CheckpointError(f"{file}: format {raw['format']}, but this version reads format {FORMAT}")
        names = [field.name for field in dataclasses.fields(CheckpointMeta)]
        return CheckpointMeta(**{name: raw[name] for name in names if name in raw})
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise _DamagedError(f"{file}: {type(error).__name__}") from None
    except OSError as error:
        raise CheckpointError(f"{file}: cannot be read now: {error.strerror}") from None


def load_params(path: str | Path, abstract: Any) -> Any:
    """Read the parameters alone from a checkpoint, checked, onto the shardings and into the dtypes of `abstract`.

    Raises:
        CheckpointError: There is no checkpoint, it is damaged, or it is of a model of other shapes.
    """
    folder = find_checkpoint(path)
    meta = check_loadable(folder, abstract)
    try:
        stored = _structure(folder)
        as_stored = jax.tree_util.tree_map_with_path(
            lambda path, leaf: jax.ShapeDtypeStruct(leaf.shape, stored[leaf_name(path)].dtype, sharding=leaf.sharding),
            {"params": abstract},
        )
        tree = restore_tree(folder, as_stored)
        _check_fingerprints(tree, jax.jit(fingerprint), meta)
    except _DamagedError as error:
        raise CheckpointError(f"{folder} is damaged ({error})") from None
    cast = jax.jit(lambda leaf, dtype: leaf.astype(dtype), static_argnums=1, donate_argnums=0)
    return jax.tree.map(
        lambda leaf, wanted: leaf if leaf.dtype == wanted.dtype else cast(leaf, wanted.dtype), tree["params"], abstract
    )


def check_loadable(path: str | Path, abstract: Any) -> CheckpointMeta:
    """Check that a checkpoint holds parameters of these shapes, without reading them.

    Raises:
        CheckpointError: There is no checkpoint, its description is damaged, or it is of a model of other shapes.
    """
    folder = find_checkpoint(path)
    try:
        meta = _read_meta(folder)
        _check_structure(folder, {"params": abstract}, dtypes=False)
    except _DamagedError as error:
        raise CheckpointError(f"{folder} is damaged ({error})") from None
    return meta


def restore_tree(folder: Path, abstract: Any) -> Any:
    """Read (part of) a checkpoint's arrays onto shardings; each process reads only the chunks its devices need."""
    restore_args = jax.tree.map(
        lambda leaf: ocp.ArrayRestoreArgs(sharding=leaf.sharding, global_shape=leaf.shape, dtype=leaf.dtype), abstract
    )
    try:
        # The handler itself, since Orbax's checkpointer would wait for processes that have failed.
        return _state_handler().restore(
            epath.Path(folder.absolute() / "state"),
            args=ocp.args.PyTreeRestore(item=abstract, restore_args=restore_args, partial_restore=True),
        )
    except Exception as error:  # Orbax and TensorStore raise many types for a file that is missing, short or corrupt
        if _is_passing(error):
            raise CheckpointError(f"{folder}: cannot be read now: {_reason(error)}") from error
        raise _DamagedError(f"{type(error).__name__} while reading") from error


def _is_passing(error: Exception) -> bool:
    """Whether a failure lies with the machine (memory, handles, the file system) rather than with the files."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno != errno.ENOENT
    signs = (
        "RESOURCE_EXHAUSTED",
        "Too many open files",
        "PERMISSION_DENIED",
        "Permission denied",
        "UNAVAILABLE",
        "Stale file",
    )
    return any(sign in str(error) for sign in signs)


def _check_fingerprints(tree: Any, compute: Callable[[Any], dict[str, jax.Array]], meta: CheckpointMeta) -> None:
    for name, value in jax.device_get(compute(tree)).items():
        if int(value) != meta.fingerprints.get(name):
            raise _DamagedError(f"{name} does not have the bits that were written")


def _structure(folder: Path) -> dict[str, Any]:
    """Orbax's description (shape, dtype) of every stored array by name."""
    try:
        metadata = _state_handler().metadata(epath.Path(folder.absolute() / "state"))
        tree = getattr(metadata, "tree", metadata)
        return {leaf_name(p): leaf for p, leaf in jax.tree_util.tree_leaves_with_path(tree)}
    except Exception as error:  # as in restore_tree
        if _is_passing(error):
            raise CheckpointError(f"{folder}: cannot be read now: {_reason(error)}") from error
        raise _DamagedError(f"{type(error).__name__} while reading its structure") from error


def _check_structure(folder: Path, abstract: Any, *, dtypes: bool = True) -> None:
    """Raise a CheckpointError when the checkpoint is of other arrays than `abstract`, which is not damage."""
    stored = _structure(folder)
    for path, leaf in jax.tree_util.tree_leaves_with_path(abstract):
        name = leaf_name(path)
        if name not in stored:
            raise CheckpointError(
                f"{folder}: has no array {name}, which this model or optimizer needs; give the model: and optimizer: "
                f"sections that it was written with"
            )
        found = stored[name]
        if tuple(found.shape) != tuple(leaf.shape):
            raise CheckpointError(
                f"{folder}: {name} has shape {tuple(leaf.shape)} in this model, but the checkpoint has shape "
                f"{tuple(found.shape)}; give the model: section that it was written with"
            )
        if dtypes and jnp.dtype(found.dtype) != jnp.dtype(leaf.dtype):
            raise CheckpointError(
                f"{folder}: {name} is {jnp.dtype(leaf.dtype)} in this configuration, but {jnp.dtype(found.dtype)} in "
                f"the checkpoint; set the dtype back, or start in another run.dir with init.from"
            )


def _save_args(path: Any, leaf: jax.Array) -> ocp.SaveArgs:
    """Chunks small enough that a process which restores a slice reads little more, each within one layer of a stack.

    Orbax cuts a chunk first along the dimensions that are sharded when it is written.
    """
    least, largest = _CHUNK_BYTES
    size = min(max(leaf.nbytes // _CHUNKS_PER_ARRAY, least), largest)
    stacked = "layers" in leaf_name(path).split("/") and leaf.nbytes > least
    return ocp.SaveArgs(chunk_byte_size=size, shard_axes=(0,) if stacked else ())


def _state_handler() -> ocp.PyTreeCheckpointHandler:
    # Plain Zarr 3 folders: any tool can read a leaf, and TensorStore can write one in slices.
    return ocp.PyTreeCheckpointHandler(use_ocdbt=False, use_zarr3=True)


def _tree(state: TrainState) -> dict[str, Any]:
    """What is saved of a state: all but the base of an adapter."""
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state) if field.name != "base"}


def _reason(error: Exception) -> str:
    first_line = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {first_line[:300]}"
