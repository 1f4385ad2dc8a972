"""Description files: JSON objects, read and written with errors that name the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from melama_jax.errors import ConversionError


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ConversionError: The file cannot be read, or holds something else.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConversionError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise ConversionError(f"{path}: is not valid JSON; copy it again, or mend it") from None
    if not isinstance(tree, dict):
        raise ConversionError(f"{path}: expected a JSON object, found {type(tree).__name__}")
    return tree


def write_json(path: Path, tree: Mapping[str, Any]) -> None:
    """Write a JSON object.

    Raises:
        ConversionError: The file cannot be written.
    """
    try:
        path.write_text(json.dumps(tree, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConversionError(f"{path}: cannot be written: {error.strerror}") from None
