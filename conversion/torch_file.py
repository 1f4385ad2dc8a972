"""PyTorch's zip files (`.pth`, `.bin`): read by slices through a memory map, written block by block.

PyTorch writes a dictionary whose tensors exist; here it writes the container without them (`skip_data`), tells where
each belongs, and the values follow. The checksums that a zip file holds are put right at the end, so every tool accepts
the file. Torch is imported when a file is opened and nowhere else.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from conversion.tensor_file import DTYPES, TensorFile, TensorFileWriter, TensorInfo
from melama_jax.errors import ConversionError

_LIBC = ctypes.CDLL(None, use_errno=True)


def import_torch(path: Path) -> Any:
    """PyTorch, or an error that says how to get it.

    Raises:
        ConversionError: It is not installed.
    """
    try:
        import torch  # pyright: ignore[reportMissingImports] - an extra
    except ImportError:
        raise ConversionError(
            f"{path}: PyTorch's own files need torch, which is not installed; install the torch extra "
            f'(python -m pip install "melama_jax[torch]")'
        ) from None
    return torch


class TorchFile(TensorFile):
    """A file of `torch.save` that holds a flat dictionary of tensors; its pickle is read with `weights_only`."""

    def __init__(self, path: Path):
        """Read the structure.

        Raises:
            ConversionError: The file is missing, truncated, in torch's old format, or holds more than tensors.
        """
        self.path = path
        self._torch = import_torch(path)
        self._open: dict[str, Any] = self._load()
        self._names = {getattr(self._torch, name): name for name in DTYPES}
        self.tensors = {}
        for key, tensor in self._open.items():
            name = self._names.get(tensor.dtype)
            info = TensorInfo(tuple(tensor.shape), DTYPES[name] if name else None, str(tensor.dtype))
            self.tensors[key] = info

    def _load(self) -> dict[str, Any]:
        torch, path = self._torch, self.path
        if not path.is_file():
            raise ConversionError(f"{path}: no such file")
        try:
            tree = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except Exception as error:  # torch raises many types for a file that is short, old or holds code
            if not zipfile.is_zipfile(path):
                what = "truncated, or of torch's old format before 1.6; copy it again, or save it again with torch"
            elif "weights_only" in str(error) or "Unsupported" in str(error):
                what = "holds objects other than tensors, which are never loaded; save its state dict alone"
            else:
                what = f"cannot be read ({type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]})"
            raise ConversionError(f"{path}: {what}") from None
        if not isinstance(tree, dict):
            raise ConversionError(f"{path}: expected a dictionary of tensors, found {type(tree).__name__}")
        unnamed = next((key for key in tree if not isinstance(key, str)), None)
        if unnamed is not None:
            raise ConversionError(f"{path}: the key {unnamed!r} is no name; expected a dictionary of tensors by name")
        odd = [key for key, value in tree.items() if not isinstance(value, torch.Tensor)]
        if odd:
            raise ConversionError(f"{path}: {odd[0]!r} is no tensor; expected a flat dictionary of tensors")
        for key, value in tree.items():
            if value.layout != torch.strided or value.device.type != "cpu":
                raise ConversionError(f"{path}: {key!r} is {value.layout} on {value.device}; expected a plain tensor")
        return tree

    def read(self, key: str, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """A copy of part of a tensor."""
        info = self.tensors[key]
        if info.dtype is None:
            raise ConversionError(
                f"{self.path}: {key} has dtype {info.stored_dtype}; convertible are {', '.join(DTYPES)}"
            )
        bits = self._torch.int32 if info.dtype.itemsize == 4 else self._torch.int16
        kept = self._open[key][rows]
        part = kept if kept.ndim == 1 else kept[:, columns]
        block = np.array(part.view(bits).numpy(), order="C").view(info.dtype)
        # No further than its storage: a tensor that repeats its elements is larger, and what follows may not be a map.
        storage = kept.untyped_storage()
        end = storage.data_ptr() + storage.nbytes()
        _forget_pages(kept.data_ptr(), min(kept.numel() * info.dtype.itemsize, end - kept.data_ptr()))
        return block


def _forget_pages(address: int, nbytes: int) -> None:
    """Take pages of a private map of a file that were read out of our memory again; they are still in the file."""
    first = address - address % mmap.PAGESIZE
    if nbytes:
        _LIBC.madvise(
            ctypes.c_void_p(first), ctypes.c_size_t(address + nbytes - first), ctypes.c_int(mmap.MADV_DONTNEED)
        )


class TorchWriter(TensorFileWriter):
    """A file of `torch.save` whose values come block by block."""

    def _create(self) -> tuple[dict[str, int], int]:
        torch = import_torch(self.path)
        from torch._subclasses.fake_tensor import FakeTensorMode  # pyright: ignore[reportMissingImports]

        self._checksums = dict.fromkeys(self.tensors, 0)
        with FakeTensorMode():
            tree = {k: torch.empty(i.shape, dtype=getattr(torch, str(i.dtype))) for k, i in self.tensors.items()}
        try:
            with torch.serialization.skip_data(materialize_fake_tensors=True):
                torch.save(tree, self.path)
            with FakeTensorMode():
                laid_out = torch.load(self.path, weights_only=True)
            handle = os.open(self.path, os.O_RDWR)
        except (OSError, RuntimeError) as error:
            raise ConversionError(f"{self.path}: cannot be written: {(str(error).splitlines() or [''])[0]}") from None
        return {key: laid_out[key].untyped_storage()._checkpoint_offset for key in self.tensors}, handle

    def write(self, key: str, block: np.ndarray) -> None:
        """Append rows to a tensor, and add them to its checksum."""
        block = np.ascontiguousarray(block)
        super().write(key, block)
        self._checksums[key] = zlib.crc32(block.reshape(-1).view(np.uint8).data, self._checksums[key])

    def close(self) -> None:
        """Write the checksums, and finish the file."""
        by_place = {place: self._checksums[key] for key, place in self._offsets.items() if self.tensors[key].nbytes}
        try:
            _store_checksums(self._handle, self.path, by_place)
        except OSError as error:
            raise ConversionError(f"{self.path}: cannot be written: {error.strerror}") from None
        super().close()


def _store_checksums(handle: int, path: Path, by_place: dict[int, int]) -> None:
    """Write the CRC-32 of records by the place of their first byte into the three headers that hold it.

    Source: PKWARE's APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12 (central directory).
    """
    with zipfile.ZipFile(path) as archive:
        central, entries = archive.start_dir, archive.infolist()
    for entry in entries:  # in the order of the central directory
        name, extra, comment = struct.unpack("<HHH", os.pread(handle, 6, central + 28))
        local_name, local_extra = struct.unpack("<HH", os.pread(handle, 4, entry.header_offset + 26))
        place = entry.header_offset + 30 + local_name + local_extra
        if place in by_place:
            checksum = struct.pack("<I", by_place[place])
            os.pwrite(handle, checksum, central + 16)
            if entry.flag_bits & 0x08:
                os.pwrite(handle, checksum, place + entry.file_size + 4)
            else:
                os.pwrite(handle, checksum, entry.header_offset + 14)
        central += 46 + name + extra + comment
