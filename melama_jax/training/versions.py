"""What decides what runs: versions of Python and the libraries, and the program's own source."""

from __future__ import annotations

import functools
import hashlib
import platform
from importlib.metadata import version
from pathlib import Path

import melama_jax


def versions() -> dict[str, str]:
    """Of Python and the libraries that decide what runs."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("jax", "jaxlib", "flax", "optax")}


@functools.cache
def source_fingerprint() -> str:
    """SHA-256 over every module of the package."""
    package = Path(melama_jax.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
