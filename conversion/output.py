"""A folder that appears whole or not at all: written beside, renamed at the end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from conversion.stream import gigabytes
from melama_jax.errors import ConversionError


@contextlib.contextmanager
def new_folder(target: Path, *, overwrite: bool, nbytes: int) -> Iterator[Path]:
    """Give an empty folder to write into, which takes the target's name when the body ends well.

    Args:
        target: The folder wanted.
        overwrite: Whether one that is there may be replaced; only a folder of weights is.
        nbytes: Bytes that will be written, checked against the space left.

    Raises:
        ConversionError: The target exists, is in use by another conversion, does not fit on the disk, or cannot be
            written.
    """
    target = target.resolve()  # a link stays, and what it points to is written
    _check_target(target, overwrite=overwrite)
    work = target.with_name(f"{target.name}.incomplete")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(target)
    except OSError as error:
        raise ConversionError(f"{target}: cannot be written: {error.strerror}") from None
    try:
        shutil.rmtree(work, ignore_errors=True)  # of a conversion that was killed
        free = shutil.disk_usage(target.parent).free
        if nbytes > free:
            raise ConversionError(
                f"{target}: needs {gigabytes(nbytes)}, but {gigabytes(free)} are free on that disk; choose another"
            )
        try:
            work.mkdir()
            yield work
            _put_in_place(work, target)
        except BaseException as error:
            shutil.rmtree(work, ignore_errors=True)
            if isinstance(error, OSError):  # of a small file, which has no writer of its own
                raise ConversionError(f"{target}: cannot be written: {error.strerror or error}") from None
            raise
    finally:
        target.with_name(f"{target.name}.lock").unlink(missing_ok=True)
        os.close(lock)


def _lock(target: Path) -> int:
    """Take the lock of a target, which goes with the process; only its holder takes the file away."""
    path = target.with_name(f"{target.name}.lock")
    while True:
        lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise ConversionError(f"{target}: another conversion is writing it; wait for it") from None
        except OSError:
            return lock  # a file system without locks
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)  # its holder has just finished and taken it away


def _check_target(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ConversionError(f"{target}: is a file; choose a folder that does not exist")
    if not any(target.iterdir()):
        return
    if not overwrite:
        raise ConversionError(f"{target}: exists; choose another folder, or replace it with --overwrite")
    # A config.json alone may be any program's.
    marks = (
        ("config.json", "*.safetensors"),
        ("config.json", "*.bin"),
        ("adapter_config.json", "adapter_model.*"),
        ("params.json", "*.pth"),
        ("state", "meta/metadata"),
    )
    if not any(all(any(target.glob(part)) for part in mark) for mark in marks):
        raise ConversionError(f"{target}: is not a folder of weights, so --overwrite does not replace it")


def _put_in_place(work: Path, target: Path) -> None:
    old = target.with_name(f"{target.name}.replaced")
    moved = False
    try:
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            moved = True
        work.rename(target)
    except OSError as error:
        if moved:
            old.rename(target)
        raise ConversionError(f"{target}: cannot be put in place: {error.strerror}") from None
    shutil.rmtree(old, ignore_errors=True)
