"""Description files: JSON objects, read and written with errors that name the file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

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


@dataclasses.dataclass(frozen=True)
class Description:
    """A JSON object of the file `path`; `inside` stands before its keys in messages, such as `rope_scaling.`."""

    path: Path
    values: dict[str, Any]
    inside: str = ""

    def error(self, key: str, wanted: str) -> ConversionError:
        """The error of one key."""
        found = f"is {shown(self.values[key])}" if key in self.values else "is missing"
        return ConversionError(f"{self.path}: {self.inside}{key} {found}; expected {wanted}")

    def integer(self, key: str, default: int | None = None) -> int:
        """A positive integer; the default, where there is one, also stands for null."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        if not is_integer(value) or value <= 0:
            raise self.error(key, "a positive integer")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A positive number; the default, where there is one, also stands for null."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        # JSON knows integers that no float holds, and Python's reader also takes Infinity and NaN.
        if (is_integer(value) or isinstance(value, float)) and 0 < value < 1e300:
            return float(value)
        raise self.error(key, "a positive number")

    def truth(self, key: str) -> bool:
        """True or false; false when absent or null."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, "true or false")
        return bool(value)

    def section(self, key: str) -> Description | None:
        """The object under a key; none when absent, null or empty."""
        value = self.values.get(key)
        if not value:
            return None
        if not isinstance(value, dict):
            raise self.error(key, "an object or null")
        return Description(self.path, value, f"{self.inside}{key}.")

    def token_id(self, key: str) -> int | list[int] | None:
        """A token id, several (LLaMA 3's chat models end with any of three), or null."""
        value = self.values[key]
        if value is not None and not all(map(is_integer, value if isinstance(value, list) else [value])):
            raise self.error(key, "a token id, a list of them, or null")
        return value


def is_integer(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: Any) -> str:
    """A value as its file writes it, cut so that the message stays a line."""
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def read_description(path: Path) -> Description:
    """Read a JSON object whose keys are looked at one by one.

    Raises:
        ConversionError: The file cannot be read, or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConversionError(f"{path}: cannot read the description of the weights: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        problem = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise ConversionError(f"{path}: is not valid JSON: {problem}") from None
    if not isinstance(values, dict):
        raise ConversionError(f"{path}: expected a JSON object, found {shown(values)}")
    return Description(path, values)
