"""What a file of named tensors can do, whatever its format: be read by slices, and be written block by block.

Nothing here knows a model. Values are NumPy arrays; a bfloat16 is ml_dtypes' (which JAX brings).
"""

from __future__ import annotations

import abc
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from melama_jax.errors import ConversionError

DTYPES: dict[str, np.dtype] = {name: np.dtype(getattr(jnp, name)) for name in ("float32", "bfloat16", "float16")}
"""The dtypes of weights that are converted, by name."""


_WRITE_BYTES = 2**20
"""Bytes given to the system at a time: in pieces of 64 MiB the page cache was seen to take several times as long."""


class TensorInfo(NamedTuple):
    """Shape and dtype of a stored tensor; the dtype is None where no weight can have it (such as int8)."""

    shape: tuple[int, ...]
    dtype: np.dtype | None
    stored_dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of its values."""
        return int(np.prod(self.shape, dtype=np.int64)) * (self.dtype.itemsize if self.dtype else 0)


class TensorFile(abc.ABC):
    """A file of named tensors, open for reading by slices.

    Attributes:
        path: The file.
        tensors: What it holds, by key.
    """

    path: Path
    tensors: dict[str, TensorInfo]

    @abc.abstractmethod
    def read(self, key: str, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a tensor, contiguous and not to be written to; reads little more than those bytes.

        Raises:
            ConversionError: The file cannot be read.
        """


class TensorFileWriter(abc.ABC):
    """A file of named tensors whose layout is fixed first and whose values come block by block."""

    def __init__(self, path: Path, tensors: Mapping[str, TensorInfo]):
        self.path = path
        self.tensors = dict(tensors)
        self._rows_written = dict.fromkeys(self.tensors, 0)
        self._offsets, handle = self._create()
        self._handle = handle

    @abc.abstractmethod
    def _create(self) -> tuple[dict[str, int], int]:
        """Make the file without its values; the place of each tensor, and a descriptor to write to."""

    def write(self, key: str, block: np.ndarray) -> None:
        """Append rows to a tensor; blocks of different tensors may come in any order.

        Raises:
            ConversionError: The disk is full or the file cannot be written.
        """
        info = self.tensors[key]
        if block.dtype != info.dtype or block.shape[1:] != info.shape[1:]:
            raise ValueError(f"{key}: a block of {block.dtype}{block.shape} for {info}")
        values = np.ascontiguousarray(block).reshape(-1).view(np.uint8).data
        row_bytes = info.nbytes // max(info.shape[0], 1)
        place = self._offsets[key] + self._rows_written[key] * row_bytes
        self._rows_written[key] += block.shape[0]
        try:
            while values:
                written = os.pwrite(self._handle, values[:_WRITE_BYTES], place)
                values, place = values[written:], place + written
        except OSError as error:
            raise ConversionError(f"{self.path}: cannot be written: {error.strerror}") from None

    def close(self) -> None:
        """Finish the file.

        Raises:
            ConversionError: The file cannot be written.
        """
        missing = [k for k, info in self.tensors.items() if info.shape[0] != self._rows_written[k]]
        if missing:
            raise ValueError(f"{self.path}: {missing[:3]} were not written whole")
        self.abandon()

    def abandon(self) -> None:
        """Release the descriptor; a file that was not closed is not whole."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
