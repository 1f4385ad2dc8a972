"""LoRA adapters of any format: factors of matrices [out, in], and weights with their product added.

An adapter stands beside matrices of every layer: A [r, in] and B [out, r], float32, B's rotary rows in Hugging Face's
order as those of the weights are. What is merged is W + scale B A, in float32, rounded once.
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from conversion.fingerprints import Fingerprints, block_fingerprint
from conversion.mapping import ADAPTED, EMBEDDING, HEAD, Item, Weight, items
from conversion.stream import check_finite, describe
from conversion.tensor_file import DTYPES
from conversion.weights import FREE_SIZES, Weights
from melama_jax.config import AdapterConfig
from melama_jax.errors import ConversionError
from melama_jax.model import lora
from melama_jax.training.checkpoint import CheckpointMeta
from melama_jax.training.fingerprint import digest

Factor = Literal["A", "B"]


class Adapter(abc.ABC):
    """An adapter in a folder, open for reading.

    Attributes:
        folder: Where it is.
        format: peft or checkpoint.
        config: Rank, scale and targets; a PEFT folder's base_dtype is not its own.
        num_layers: Layers of its model.
        sizes: Sizes of its model without padding, where it states them; a PEFT folder does not.
        base: `from`, the weights that it was trained beside, and their `fingerprint`, each None if not known.
        meta: What a checkpoint of ours says of itself.
        origin: Where those weights came from, if that is known.
    """

    folder: Path
    format: str
    config: AdapterConfig
    num_layers: int
    sizes: dict[str, Any] | None = None
    base: dict[str, str | None]
    meta: CheckpointMeta | None = None
    origin: Mapping[str, Any]

    @abc.abstractmethod
    def read(self, item: Item, factor: Factor) -> np.ndarray:
        """A factor of one matrix in float32.

        Raises:
            ConversionError: It cannot be read.
        """

    @abc.abstractmethod
    def width(self, weight: Weight) -> tuple[int, int]:
        """[out, in] of the matrices that it stands beside."""

    def items(self) -> Iterator[Item]:
        """Every matrix that has factors."""
        return (Item(ADAPTED[name], layer) for layer in range(self.num_layers) for name in self.config.targets)

    def has(self, weight: Weight) -> bool:
        """Whether a matrix has factors."""
        return any(weight is ADAPTED[name] for name in self.config.targets)

    def delta(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of the product that is added to a matrix, in float32."""
        a, b = self.read(item, "A"), self.read(item, "B")
        return (b[rows] @ a[:, columns]) * np.float32(lora.scale(self.config))

    @functools.cached_property
    def prints(self) -> dict[str, int]:
        """Fingerprints of our arrays of it by leaf (params/layers/mlp/gate/a); reads everything once.

        Raises:
            ConversionError: A factor cannot be read, is not finite, or is damaged.
        """
        found: dict[str, int] = {}
        for item in self.items():
            for factor in ("A", "B"):
                values = self.read(item, factor)
                check_finite(values, f"{self.folder}: {factor} of {describe(item)}")
                first, name = (item.layer or 0) * values.size, leaf_of(item.weight, factor)
                # Ours are transposed, so the columns of what is read lie together.
                added = block_fingerprint(values, first, 1, len(values))
                found[f"params/{name}"] = (found.get(f"params/{name}", 0) + added) % 2**32
        return found

    @property
    def fingerprint(self) -> str:
        """Identifies the adapter, the same from every format."""
        settings = self.config.model_dump(mode="json", include={"kind", "rank", "alpha", "rank_stabilized"})
        return digest(self.prints | {"settings": settings})

    def check_fits(self, base: Weights) -> None:
        """Refuse a base of other sizes.

        Raises:
            ConversionError: Naming the first size, or matrix, that differs.
        """
        found = base.sizes | {"vocab_size": base.num_tokens}
        for key, value in (self.sizes or {}).items():
            if key not in FREE_SIZES and found[key] != value:
                raise ConversionError(
                    f"{base.folder}: {key} is {found[key]}, but {value} in the base of {self.folder}; give its "
                    f"own with --base"
                )
        if base.sizes["num_hidden_layers"] != self.num_layers:
            raise ConversionError(
                f"{self.folder}: is for {self.num_layers} layers, but {base.folder} has "
                f"{base.sizes['num_hidden_layers']}; give its own base with --base"
            )
        for item in self.items():
            if self.width(item.weight) != base.shape(item):
                out, into = self.width(item.weight)
                raise ConversionError(
                    f"{self.folder}: is for a {item.weight.ours} of {out} x {into}, but {base.folder} has "
                    f"{' x '.join(map(str, base.shape(item)))}; give its own base with --base"
                )

    def check_base(self, prints: Mapping[str, int], base: Path) -> None:
        """Refuse a base that does not have the fingerprint that is known of it.

        Args:
            prints: Fingerprints of the base's arrays in the dtype of `base_dtype`, by our paths.
            base: Its folder, for the error.

        Raises:
            ConversionError: It is another one.
        """
        found, wanted = digest(prints), self.base["fingerprint"]
        if found != wanted:
            raise ConversionError(
                f"{base}: is not the base that {self.folder} was trained beside (fingerprint {found[:12]}, expected "
                f"{str(wanted)[:12]}, of {self.base['from']}); give that one with --base"
            )

    def describe(self) -> dict[str, Any]:
        """What identifies it, for a report; no path."""
        names = {"rank", "alpha", "rank_stabilized", "targets"}
        return {"fingerprint": self.fingerprint, **self.config.model_dump(mode="json", include=names)}


class Merged(Weights):
    """Base weights with the product of an adapter added."""

    def __init__(self, base: Weights, adapter: Adapter):
        """Wrap a base.

        Raises:
            ConversionError: The adapter is for another model.
        """
        adapter.check_fits(base)
        self.base, self.adapter = base, adapter
        self.folder, self.format = base.folder, adapter.format
        self.inventory, self.token_ids, self.num_tokens = base.inventory, base.token_ids, base.num_tokens
        self.files, self.meta = base.files, adapter.meta
        self.origin = adapter.origin or base.origin
        stated = adapter.sizes or {}
        self.sizes = base.sizes | {key: stated[key] for key in FREE_SIZES if key in stated}
        self._seen = Fingerprints(self.sizes | {"vocab_size": self.num_tokens})

    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which the base's matrix is stored."""
        return self.base.dtype(item)

    def row_multiple(self, item: Item) -> int:
        """Rows that are best read together."""
        return self.base.row_multiple(item)

    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix, rounded to the base's dtype."""
        return self._add(item, self.base.read(item, rows, columns), rows, columns).astype(self.dtype(item), copy=False)

    def take(self, item: Item, rows: slice) -> np.ndarray:
        """Rows in float32 where something was added; the base is compared with the one that is expected."""
        return self._add(item, self._taken(item, rows), rows, slice(None))

    def _taken(self, item: Item, rows: slice) -> np.ndarray:
        values = self.base.take(item, rows)
        if self.adapter.base["fingerprint"] is not None:
            real = values[: max(0, self.num_tokens - rows.start)] if item.weight in (EMBEDDING, HEAD) else values
            self._seen.add(item, real.astype(frozen_dtype(self.adapter.config), copy=False), rows.start)
        return values

    def check_base(self) -> None:
        """Read the base through, where nothing else takes all of it.

        Raises:
            ConversionError: It is damaged, or not the one that the adapter was trained beside.
        """
        for item in items(self.base.sizes):
            for rows in self.base.blocks(item, 4):
                self._taken(item, rows)
        self.finish()

    def _add(self, item: Item, values: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        if not self.adapter.has(item.weight):
            return values
        return values.astype(np.float32) + self.adapter.delta(item, rows, columns)

    def finish(self) -> None:
        """The base is whole, and the one that the adapter was trained beside."""
        self.base.finish()
        if self.adapter.base["fingerprint"] is not None:
            self.adapter.check_base(ours(self._seen.values), self.base.folder)

    def check(self) -> None:
        """Refuse a base or an adapter that is not whole."""
        self.base.check()
        self.adapter.prints  # noqa: B018 - reads it, and raises


def frozen_dtype(config: AdapterConfig) -> np.dtype:
    """Dtype in which the frozen weights are fingerprinted: as they are before a quantization."""
    return DTYPES["float32" if config.base_dtype == "float32" else "bfloat16"]


def factor_shape(weight: Weight, shape: tuple[int, ...], rank: int, factor: Factor) -> tuple[int, ...]:
    """Shape in our tree of a factor of a matrix of that shape: A ends with the rank, B has it after the layers."""
    inputs = 1 + len(weight.columns)
    return (*shape[:inputs], rank) if factor == "A" else (shape[0], rank, *shape[inputs:])


def leaf_of(weight: Weight, factor: str) -> str:
    """Path in our tree of a factor."""
    return f"{weight.ours}/{factor.lower()}"


def ours(prints: Mapping[str, int]) -> dict[str, int]:
    """Fingerprints of parameters by our paths alone."""
    return {name.removeprefix("params/"): value for name, value in prints.items()}
