"""Adapters in our checkpoints: a run's own, and those that were imported."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from conversion.adapter import Adapter, Factor, factor_shape, leaf_of
from conversion.arrays import Layout, cause_of, lay_out, open_leaf, write_meta
from conversion.checkpoint import read_origin, sizes_of
from conversion.mapping import ADAPTED, Item, Weight
from conversion.tensor_file import DTYPES
from melama_jax.config import AdapterConfig
from melama_jax.errors import ConversionError
from melama_jax.training.checkpoint import CheckpointMeta, find_checkpoint, read_meta


def holds_adapter(meta: CheckpointMeta) -> bool:
    """Whether a checkpoint is of an adapter instead of whole weights."""
    return bool(meta.config.get("adapter"))


class AdapterCheckpoint(Adapter):
    """The adapter of a checkpoint of ours, open for reading."""

    format = "checkpoint"

    def __init__(self, path: Path):
        """Read the description and open the arrays.

        Args:
            path: A run folder, its checkpoints folder, one step, or an imported adapter.

        Raises:
            CheckpointError: There is none, or its description is damaged.
            ConversionError: An array is missing, of another shape, or of no target.
        """
        self.folder = find_checkpoint(path)
        self.meta = meta = read_meta(self.folder)
        sizes, padding = sizes_of(self.folder, meta.config)
        self.sizes = sizes | {"vocab_size": sizes["vocab_size"] - padding}
        self.num_layers = sizes["num_hidden_layers"]
        try:
            self.config = AdapterConfig.model_validate(meta.config["adapter"])
        except ValidationError:
            raise ConversionError(
                f"{self.folder}/meta/metadata: its adapter section is damaged; use a whole checkpoint"
            ) from None
        self.base = {key: meta.base.get(key) for key in ("from", "fingerprint")}
        self.origin = read_origin(self.folder, meta.origin)
        self._stated = meta.fingerprints
        shapes = _shapes(self.config, self.sizes)
        present = {p.name.removeprefix("params.") for p in (self.folder / "state").glob("params.*")}
        extra = sorted(present - {name.replace("/", ".") for name in shapes})
        if extra:
            raise ConversionError(f"{self.folder}: holds arrays of no target of its adapter: {extra[0]}")
        self._arrays = {name: open_leaf(self.folder, name, shape) for name, shape in shapes.items()}

    def width(self, weight: Weight) -> tuple[int, int]:
        """[out, in] of a matrix."""
        out, into = weight.shape(self.sizes or {})
        return out, into

    def read(self, item: Item, factor: Factor) -> np.ndarray:
        """A factor of one matrix."""
        name, rank = leaf_of(item.weight, factor), self.config.rank
        try:
            part = np.asarray(self._arrays[name][item.layer].read().result(), np.float32)
        except ValueError as error:
            raise ConversionError(f"{self.folder}: params/{name} cannot be read ({cause_of(error)})") from None
        return np.ascontiguousarray(part.reshape((-1, rank) if factor == "A" else (rank, -1)).T)

    @functools.cached_property
    def prints(self) -> dict[str, int]:
        """Fingerprints, which must be those that were written."""
        found = super().prints
        for name, value in found.items():
            if value != self._stated.get(name):
                raise ConversionError(
                    f"{self.folder}: is damaged ({name} does not have the bits that were written); use another one"
                )
        return found


def write_adapter(
    folder: Path,
    adapter: Adapter,
    *,
    model: Mapping[str, Any],
    base: Mapping[str, str | None],
    base_dtype: str,
    origin: Mapping[str, Any],
) -> None:
    """Write an adapter as a checkpoint of ours, a layer at a time.

    Args:
        folder: An empty folder.
        adapter: It.
        model: The `model:` section of its base.
        base: As `Adapter.base`.
        base_dtype: Dtype of the frozen weights, in which they have that fingerprint.
        origin: Where it comes from, for the record.

    Raises:
        ConversionError: It cannot be read or written.
    """
    config = adapter.config.model_copy(update={"base_dtype": base_dtype})
    shapes = _shapes(config, model)
    parts = {name: (1, *shape[1:]) for name, shape in shapes.items()}
    arrays = lay_out(
        folder, {name: Layout(shape, DTYPES["float32"], parts[name], parts[name]) for name, shape in shapes.items()}
    )
    for item in adapter.items():
        for factor in ("A", "B"):
            name = leaf_of(item.weight, factor)
            values = np.ascontiguousarray(adapter.read(item, factor).T).reshape(shapes[name][1:])
            try:
                arrays[name][item.layer].write(values).result()
            except (ValueError, OSError) as error:
                raise ConversionError(f"{folder}: cannot be written ({cause_of(error)})") from None
    write_meta(
        folder,
        config={"model": dict(model), "adapter": config.model_dump(mode="json")},
        fingerprints=adapter.prints,
        origin=dict(origin),
        base=dict(base),
    )


def _shapes(config: AdapterConfig, sizes: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Shape of every array by its path."""
    return {
        leaf_of(weight, factor): factor_shape(weight, weight.our_shape(sizes), config.rank, factor)
        for weight in map(ADAPTED.__getitem__, config.targets)
        for factor in ("A", "B")
    }
