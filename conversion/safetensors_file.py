"""Safetensors files: read by slices of any dtype, written block by block.

The library reads whole tensors in NumPy, bfloat16 not among them, and writes whole dictionaries. The format is a
length, a JSON header and the bytes, so both are done here; the library still checks the header of every file read.
Source: https://huggingface.co/docs/safetensors, "Format".
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import safetensors

from conversion.tensor_file import DTYPES, TensorFile, TensorFileWriter, TensorInfo
from melama_jax.errors import ConversionError

_NAMES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
_CODES = {name: code for code, name in _NAMES.items()}


class SafetensorsFile(TensorFile):
    """A safetensors file, open for reading by slices."""

    def __init__(self, path: Path):
        """Read the header.

        Raises:
            ConversionError: The file is missing, truncated or no safetensors file.
        """
        self.path = path
        try:
            with safetensors.safe_open(path, framework="numpy"):
                pass  # checks that header, offsets and file size agree
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                header = json.loads(file.read(length))
        except OSError as error:
            raise ConversionError(f"{path}: cannot be read: {error.strerror or 'not a whole file'}") from None
        except (safetensors.SafetensorError, ValueError) as error:
            raise ConversionError(
                f"{path}: no whole safetensors file ({str(error).splitlines()[0]}); copy it again"
            ) from None
        header.pop("__metadata__", None)
        self.tensors, self._offsets = {}, {}
        for key, entry in header.items():
            name = _NAMES.get(entry["dtype"])
            self.tensors[key] = TensorInfo(tuple(entry["shape"]), DTYPES[name] if name else None, entry["dtype"])
            self._offsets[key] = 8 + length + entry["data_offsets"][0]

    def read(self, key: str, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a tensor: whole rows as a map of the file, which copies nothing, else a copy."""
        info = self.tensors[key]
        if info.dtype is None:
            raise ConversionError(
                f"{self.path}: {key} has dtype {info.stored_dtype}; convertible are {', '.join(_CODES)}"
            )
        start, stop, _ = rows.indices(info.shape[0])
        shape = (max(stop - start, 0), *info.shape[1:])
        if 0 in shape:
            return np.empty(shape, info.dtype)[(slice(None), columns)[: len(shape)]]
        place = self._offsets[key] + start * (info.nbytes // info.shape[0])
        try:
            # A map of its own for each part: its pages leave our memory with it.
            values = np.asarray(np.memmap(self.path, info.dtype, "r", place, shape))
        except (OSError, ValueError) as error:
            raise ConversionError(f"{self.path}: cannot be read now: {error}") from None
        if len(shape) == 1 or columns.indices(shape[1]) == (0, shape[1], 1):
            return values
        return np.array(values[:, columns])


class SafetensorsWriter(TensorFileWriter):
    """A safetensors file whose values come block by block."""

    def _create(self) -> tuple[dict[str, int], int]:
        header: dict[str, object] = {"__metadata__": {"format": "pt"}}
        offsets, place = {}, 0
        for key, info in self.tensors.items():
            code = _CODES[str(info.dtype)]
            header[key] = {"dtype": code, "shape": list(info.shape), "data_offsets": [place, place + info.nbytes]}
            offsets[key] = place
            place += info.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)  # the values start at a multiple of eight bytes
        start = 8 + len(text)
        handle = _create(self.path, start + place)
        os.pwrite(handle, struct.pack("<Q", len(text)) + text, 0)
        return {key: start + offset for key, offset in offsets.items()}, handle


def _create(path: Path, size: int) -> int:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        os.truncate(handle, size)
    except OSError as error:
        raise ConversionError(f"{path}: cannot be written: {error.strerror}") from None
    return handle
