"""Reads a file's conversations as the tests look at them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from melama_jax.config import Source
from melama_jax.data.instruct import Conversation, read_conversations
from melama_jax.data.sources import ScanReport, SourceFile


def read(path: Path, format: str, *, seed: int = 0, **source: Any) -> tuple[list[Conversation], ScanReport]:
    """Conversations of a file, and what was counted."""
    report = ScanReport()
    given = Source.model_validate({"glob": "*", "format": format, **source})
    file = SourceFile(path, path.name, given, path.stat().st_size, 0)
    return list(read_conversations(file, report, seed=seed)), report


def write(path: Path, content: bytes | str) -> Path:
    """A file, gzipped if its name says so."""
    raw = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def write_lines(path: Path, *records: Any) -> Path:
    """JSON lines."""
    return write(path, "".join(json.dumps(record) + "\n" for record in records))


def write_archive(path: Path, members: Mapping[str, str | bytes]) -> Path:
    """A gzipped tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            raw = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def said(conversation: Conversation) -> tuple[str, str]:
    """Question and answer of a conversation of two messages."""
    user, assistant = conversation.messages
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    return user["content"], assistant["content"]
