"""Source files and the documents in them, streamed and without TensorFlow.

Messages and counts name files and lines, never a record's text: clinical notes must not reach a log. That is why the
messages of `json` and `csv`, which quote what they read, are not passed on.
"""

from __future__ import annotations

import csv
import dataclasses
import glob
import gzip
import hashlib
import io
import json
import math
import os
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from melama_jax.config import DataConfig, Source
from melama_jax.errors import ConfigError, DataError

ENDINGS = (".jsonl", ".csv", ".txt", ".jsonl.gz", ".csv.gz", ".txt.gz")
"""File endings that are read; others are left out, counted and reported."""

BAD_REASONS = (
    "bad_json",
    "bad_csv",
    "bad_xml",
    "missing_field",
    "not_text",
    "bad_utf8",
    "bad_conversation",
    "unknown_label",
    "refused_by_template",
)
"""Why a record is unreadable; these count against `data.max_bad_record_fraction`."""

SHARD_BYTES = 256 * 2**20
"""Source bytes of a unit of work; with the files' sizes it fixes the number of shards."""

_LARGEST_CSV_FIELD = 2**28  # A stray quote would otherwise take the rest of the file into memory.


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One file, read in one way.

    Attributes:
        path: Where it lies.
        name: Its path under `data.root`, with forward slashes.
        source: How to read it.
        size: Bytes on disk.
        mtime_ns: Time of its last change, in nanoseconds.
    """

    path: Path
    name: str
    source: Source
    size: int
    mtime_ns: int


@dataclasses.dataclass
class ScanReport:
    """What reading met: counts by reason and the first place of each, as `file:line`; counts of what was done."""

    records: int = 0
    skipped: Counter[str] = dataclasses.field(default_factory=Counter)
    first_locations: dict[str, str] = dataclasses.field(default_factory=dict)
    counts: Counter[str] = dataclasses.field(default_factory=Counter)

    def skip(self, reason: str, location: str) -> None:
        """Count a record that gives no document."""
        self.skipped[reason] += 1
        self.first_locations.setdefault(reason, location)

    def merge(self, other: ScanReport) -> None:
        """Add the counts of a report that comes later in file order."""
        self.records += other.records
        self.skipped.update(other.skipped)
        self.counts.update(other.counts)
        self.first_locations = other.first_locations | self.first_locations


def data_root(data: DataConfig) -> Path:
    """The folder that `data.root` names; null is the package's samples."""
    if data.root is not None:
        return Path(data.root)
    from melama_jax.data import samples

    return Path(samples.root())


def find_files(task: str, sources: Sequence[Source], root: Path) -> tuple[list[SourceFile], list[str]]:
    """Expand a task's patterns, at least one of which must match; see `match_files`.

    Raises:
        DataError: Also when no file matches.
    """
    found, left_out = match_files(task, sources, root)
    if not found:
        patterns = ", ".join(repr(source.glob) for source in sources) or "none given"
        extra = f"; {len(left_out)} files with other endings were left out" if left_out else ""
        endings = dict.fromkeys(ending for source in sources for ending in endings_of(source))
        raise DataError(
            f"data.sources.{task}: no file matches {patterns} under {root}{extra}; "
            f"endings read: {', '.join(endings or ENDINGS)}"
        )
    return found, left_out


def match_files(task: str, sources: Sequence[Source], root: Path) -> tuple[list[SourceFile], list[str]]:
    """Expand a task's patterns.

    Returns:
        The files to read, ordered by source and then by name, and the names of matched files that are not read for
        their ending or name.

    Raises:
        ConfigError: An absolute pattern, or one file that two sources read in the same way.
        DataError: The root is no folder.
    """
    if not root.is_dir():
        raise DataError(f"data.root: {root} is not a folder")
    found: dict[tuple[str, str], SourceFile] = {}
    left_out: set[str] = set()
    for source in sources:
        if os.path.isabs(source.glob):
            raise ConfigError(f"data.sources.{task}: glob {source.glob!r} is absolute; give a pattern under data.root")
        endings = endings_of(source)
        for match in sorted(glob.glob(source.glob, root_dir=root, recursive=True)):
            path = root / match
            if path.is_dir():
                continue
            name = Path(os.path.normpath(match)).as_posix()
            if not name.lower().endswith(endings) or not is_read(source, path.name):
                left_out.add(name)
                continue
            if source.format != "text":
                reading = source.format
            else:
                reading = source.document if _kind(name) == "txt" else source.field
            other = found.get((name, reading))
            if other is not None:
                raise ConfigError(
                    f"data.sources.{task}: glob {other.source.glob!r} and glob {source.glob!r} both read {name} "
                    f"({reading}); narrow one of them"
                )
            try:
                status = path.stat()
            except OSError as error:
                raise DataError(f"{path}: cannot be read: {error.strerror}") from None
            found[name, reading] = SourceFile(path, name, source, status.st_size, status.st_mtime_ns)
    looked_up = {path for file in found.values() if (path := companion_of(file)) is not None}
    return list(found.values()), sorted(name for name in left_out if root / name not in looked_up)


def is_read(source: Source, name: str) -> bool:
    """Whether a file of this name, whose ending is read, holds records: some formats look others up beside it."""
    if source.format == "text":
        return True
    from melama_jax.data import instruct

    return instruct.is_read(source, name)


def companion_of(file: SourceFile) -> Path | None:
    """The file beside it that some formats look up, if there is one."""
    if file.source.format == "text":
        return None
    from melama_jax.data import instruct

    return instruct.companion(file.source, file.path)


def endings_of(source: Source) -> tuple[str, ...]:
    """File endings that are read in a source's format."""
    if source.format == "text":
        return ENDINGS
    from melama_jax.data import instruct

    return instruct.endings(source.format)


def count_shards(files: Sequence[SourceFile]) -> int:
    """Units of work for these files; depends on their sizes alone, so it is the same for any number of workers."""
    return max(1, min(len(files), math.ceil(sum(file.size for file in files) / SHARD_BYTES)))


def assign_shards(files: Sequence[SourceFile], num_shards: int) -> list[list[SourceFile]]:
    """Share whole files out to shards of nearly equal bytes, each in the order given."""
    loads = [0] * num_shards
    shards: list[list[int]] = [[] for _ in range(num_shards)]
    for index in sorted(range(len(files)), key=lambda i: (-files[i].size, i)):
        # The count breaks ties, so that empty files spread too.
        lightest = min(range(num_shards), key=lambda shard: (loads[shard], len(shards[shard]), shard))
        loads[lightest] += files[index].size
        shards[lightest].append(index)
    return [[files[index] for index in sorted(shard)] for shard in shards]


def is_validation(text: bytes, source: Source, validation_fraction: float) -> bool:
    """Whether a document is held out: by a hash of its text, so that equal texts land on the same side."""
    if source.split != "auto":
        return source.split == "validation"
    if validation_fraction <= 0:
        return False
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") < validation_fraction * 2**64


def read_documents(
    file: SourceFile, report: ScanReport, *, on_progress: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """Stream the documents of one file as UTF-8.

    Args:
        file: The file and how to read it.
        report: Takes the counts of records and of those that give no document.
        on_progress: Called now and then with the bytes of the file consumed so far (as they lie on disk).

    Raises:
        DataError: The file cannot be opened, is damaged gzip, or lacks the CSV column.
    """
    readers: dict[str, Any] = {"jsonl": _read_jsonl, "csv": _read_csv, "txt": _read_text}
    kind = _kind(file.name)
    try:
        with open(file.path, "rb") as raw:
            stream: Any = gzip.GzipFile(fileobj=raw) if file.name.lower().endswith(".gz") else raw
            records = readers[kind](stream, file, report)
            for count, (text, location) in enumerate(records):
                report.records += 1
                if on_progress is not None and count % 64 == 0:
                    on_progress(raw.tell())
                if isinstance(text, _Skip):
                    report.skip(text.reason, location)
                    continue
                try:
                    encoded = text.encode("utf-8")
                except UnicodeEncodeError:  # Undecodable bytes of a CSV, or a lone surrogate escaped in JSON.
                    report.skip("bad_utf8", location)
                    continue
                if not text.strip():
                    report.skip("empty", location)
                    continue
                yield encoded
            if on_progress is not None:
                on_progress(file.size)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(f"{file.path}: is damaged or cut-off gzip; fetch the file again") from None
    except OSError as error:
        raise DataError(f"{file.path}: cannot be read: {error.strerror or type(error).__name__}") from None


@dataclasses.dataclass(frozen=True)
class _Skip:
    reason: str


def _kind(name: str) -> str:
    return name.lower().removesuffix(".gz").rsplit(".", 1)[-1]


def _read_jsonl(stream: IO[bytes], file: SourceFile, report: ScanReport) -> Iterator[tuple[str | _Skip, str]]:
    field = file.source.field
    for number, line in enumerate(stream, 1):
        location = f"{file.name}:{number}"
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError:
            yield _Skip("bad_utf8"), location
            continue
        except (ValueError, RecursionError):
            yield _Skip("bad_json"), location
            continue
        if not isinstance(record, dict):
            yield _Skip("bad_json"), location
        elif field not in record:
            yield _Skip("missing_field"), location
        elif not isinstance(record[field], str):
            yield _Skip("not_text"), location
        else:
            yield record[field], location


def _read_csv(stream: IO[bytes], file: SourceFile, report: ScanReport) -> Iterator[tuple[str | _Skip, str]]:
    csv.field_size_limit(_LARGEST_CSV_FIELD)
    # Undecodable bytes become surrogates, which the caller finds in the field that is used.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    # Strict, because a misplaced quote would otherwise join or cut records without a word.
    reader = csv.reader(text, strict=True)
    header: list[str] | None = None
    column = -1
    while True:
        location = f"{file.name}:{reader.line_num + 1}"
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            row = None
            if "end of data" in str(error):  # All that follows the quote would count as one record.
                line = location.rsplit(":", 1)[1]
                raise DataError(
                    f"{file.path}: a quote opens in the record of line {line} and is never closed; mend it"
                ) from None
        if header is None:
            if row is None:
                raise DataError(f"{file.path}: the first line is no CSV header")
            header = [name.strip() for name in row]
            if file.source.field not in header:
                raise DataError(
                    f"{file.path}: no column {file.source.field!r}; found {_describe_columns(header)}; "
                    f"set the source's field"
                )
            column = header.index(file.source.field)
        elif row is None:
            yield _Skip("bad_csv"), location
        elif not row:
            continue
        elif len(row) > len(header) and any(row[len(header) :]):
            yield _Skip("bad_csv"), location
        elif column >= len(row):
            yield _Skip("missing_field"), location
        else:
            yield row[column], location


def _describe_columns(header: Sequence[str]) -> str:
    """Column names, but only those that look like names: a file without a header starts with a record."""
    shown = [
        name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}", name) else f"(column {number})"
        for number, name in enumerate(header, 1)
    ]
    return ", ".join(shown[:20]) + (f" and {len(shown) - 20} more" if len(shown) > 20 else "")


def _read_text(stream: IO[bytes], file: SourceFile, report: ScanReport) -> Iterator[tuple[str | _Skip, str]]:
    unit = file.source.document
    if unit == "file":
        yield _decode(stream.read(), first=True), f"{file.name}:1"
        return
    lines: list[bytes] = []
    start = 1
    for number, line in enumerate(stream, 1):
        blank = not line.strip()
        if not blank:
            if not lines:
                start = number
            lines.append(line)
        if lines and (blank or unit == "line"):
            yield _decode(b"".join(lines), first=start == 1), f"{file.name}:{start}"
            lines = []
    if lines:
        yield _decode(b"".join(lines), first=start == 1), f"{file.name}:{start}"


def _decode(text: bytes, *, first: bool) -> str | _Skip:
    try:
        decoded = text.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        return _Skip("bad_utf8")
    return decoded.replace("\r\n", "\n").rstrip("\n")
