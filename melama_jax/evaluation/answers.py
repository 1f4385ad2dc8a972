"""The file of raw answers of one task: an object a line, written as each answer comes, so that a run can go on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from melama_jax.errors import DataError

Key = tuple[str, str]
"""Way of answering, and id of the item."""


class AnswerFile:
    """Raw answers by (answering, id); the file is readable by its owner alone, for it may quote the benchmark."""

    def __init__(self, path: Path, *, read_only: bool = False):
        """Read what is there, without a last line that a killed process left half written.

        Args:
            path: The file; it need not be there.
            read_only: Whether that half line stays in the file, which another process may still be writing.

        Raises:
            DataError: A line before the last is damaged.
        """
        self.path = path
        self.rows: dict[Key, dict[str, Any]] = {}
        if path.exists():
            self._read(read_only)

    def _read(self, read_only: bool) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), 1):
            try:
                row = json.loads(line)
                self.rows[row["answering"], row["id"]] = row
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f"{self.path}: line {number} is damaged; mend or remove it, and its item is asked again"
                ) from None
        if whole < len(content) and not read_only:
            os.truncate(self.path, whole)

    def open(self) -> TextIO:
        """The file, to append to."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.fdopen(os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="utf-8")

    def add(self, file: TextIO, row: Mapping[str, Any]) -> None:
        """Keep an answer, and write it so that a kill loses no more than this one."""
        self.rows[row["answering"], row["id"]] = dict(row)
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        file.flush()

    def rewrite(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace the file by these rows at once."""
        beside = self.path.with_name(f".{self.path.name}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        beside.replace(self.path)


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner alone, at once."""
    beside = path.with_name(f".{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def sha256_of(content: str | Path) -> str:
    """Hash of a text, or of a file's bytes, in hexadecimal."""
    if isinstance(content, str):
        return hashlib.sha256(content.encode()).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
