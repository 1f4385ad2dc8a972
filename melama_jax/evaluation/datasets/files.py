"""What the loaders read with: files in a folder or in its archives, and tables in any of their formats.

Messages name files, lines, identifiers and keys, never a record's text, for many of these texts are clinical.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import gzip
import io
import json
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from melama_jax.errors import DataError
from melama_jax.evaluation.example import Split

SPLIT_NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train",),
    "validation": ("validation", "valid", "val", "dev", "devel"),
    "test": ("test",),
}
"""What files call a split."""

_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
_LARGEST_CSV_FIELD = 2**28
_UNREADABLE = (OSError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile, RuntimeError)


class MissingData(DataError):
    """Files of a benchmark that are not there, as against broken ones."""


def exports(split: Split, *, folder: str = "") -> tuple[str, ...]:
    """Patterns of a Hugging Face set's files for a split: Parquet as the hub stores it, or one exported file."""
    return tuple(
        f"{folder}{pattern}"
        for name in SPLIT_NAMES[split]
        for pattern in (f"{name}-*.parquet", f"{name}/*.parquet", *(f"{name}.{end}" for end in _TABLES))
    )


_TABLES = ("parquet", "jsonl", "json", "csv", "tsv")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or one inside an archive; what cannot be read raises a DataError that names it.

    Attributes:
        name: Its path under the folder without `.gz`; a member's starts with its archive's.
        path: What lies on disk: the file or the archive.
        place: How messages name it.
        load: Reads its bytes as they are stored.
        taken: The folder's paths from which something was read; shared.
    """

    name: str
    path: Path
    place: str
    load: Callable[[], bytes]
    taken: dict[Path, None]

    def read(self) -> bytes:
        """Its content, decompressed."""
        self.taken[self.path] = None
        try:
            content = self.load()
            return gzip.decompress(content) if self.place.lower().endswith(".gz") else content
        except _UNREADABLE:
            raise DataError(f"{self.place}: cannot be read: missing, damaged, cut off or encrypted") from None

    def text(self) -> str:
        """Its content as text."""
        content = self.read()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(f"{self.place}:{line}: is not UTF-8; convert the file") from None

    def json(self) -> Any:
        """Its content as one JSON value."""
        try:
            return json.loads(self.text())
        except (ValueError, RecursionError) as error:
            line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise DataError(f"{self.place}{line}: is not JSON") from None

    def xml(self) -> ElementTree.Element:
        """Its content as XML."""
        try:
            return ElementTree.fromstring(self.read())
        except ElementTree.ParseError as error:
            raise DataError(f"{self.place}:{error.position[0]}: is not XML") from None


class Folder:
    """A folder's files, also in subfolders and archives; remembers which of them were taken.

    Args:
        path: The folder.

    Raises:
        MissingData: It is not there.
        DataError: It is no folder, or cannot be listed.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise DataError(f"{path}: is not a folder") if path.exists() else MissingData(f"{path}: there is no folder")
        self.path = path
        self.taken: dict[Path, None] = {}
        self._entries: list[Entry] = []
        self._archives: list[Path] | None = []
        for place, folders, names in os.walk(path, onerror=_unlisted):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(name for name in names if not name.startswith(".")):
                file = Path(place, name)
                if name.lower().endswith(_ARCHIVES):
                    self._archives.append(file)
                else:
                    relative = file.relative_to(path).as_posix()
                    entry = Entry(relative.removesuffix(".gz"), file, str(file), file.read_bytes, self.taken)
                    self._entries.append(entry)

    def find(self, *patterns: str, required: bool = True) -> list[Entry]:
        """Files of the first pattern that matches; archives are opened only when no plain file does.

        Args:
            patterns: Ends of paths, such as `US/test.jsonl`; `*` stands for any characters but `/`. A pattern with `*`
                gives all its files, one without gives the one nearest to the folder.
            required: Whether it is an error if there is none.

        Raises:
            MissingData: No file fits.
            DataError: Two are equally near for a pattern without `*`.
        """
        entries = self._search(patterns)
        if not entries and self._archives is not None:
            archives, self._archives = self._archives, None
            plain, self._entries = self._entries, []
            for archive in archives:
                self._entries += _members(archive, archive.relative_to(self.path).as_posix(), self.taken)
            entries = self._search(patterns)
            self._entries = plain + self._entries
        if not entries and required:
            names = _shortened(patterns)
            more = f" and {len(names) - 8} more names" if len(names) > 8 else ""
            raise MissingData(
                f"{self.path}: has none of {', '.join(names[:8])}{more} (plain, as .gz, or in a .zip or .tar.gz); "
                f"docs/benchmarks_data.md says what is expected"
            )
        return entries

    def _search(self, patterns: Sequence[str]) -> list[Entry]:
        for pattern in patterns:
            end = re.split(r"[*\]]", pattern)[-1]  # Most names differ here, and comparing it is quick.
            found = [e for e in self._entries if e.name.endswith(end) and PurePosixPath(e.name).match(pattern)]
            if found and "*" not in pattern:
                depth = min(entry.name.count("/") for entry in found)
                found = [entry for entry in found if entry.name.count("/") == depth]
                if len(found) > 1:
                    raise DataError(f"{self.path}: both {found[0].place} and {found[1].place} are there; keep one")
            if pattern.endswith(".parquet") and len({entry.path.parent for entry in found}) > 1:
                raise DataError(f"{self.path}: {pattern} is there in several folders; keep one")
            if found:
                return found
        return []

    def records(self, *patterns: str) -> Iterator[Record]:
        """Records of the tables that `find` gives."""
        for entry in self.find(*patterns):
            yield from read_records(entry)


def _unlisted(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be listed: {error.strerror}") from None


def _shortened(patterns: Sequence[str]) -> list[str]:
    """Patterns for a message: an export in any of the formats is one name."""
    names: dict[str, None] = {}
    for pattern in patterns:
        stem = pattern.rpartition(".")[0]
        everywhere = all(f"{stem}.{ending}" in patterns for ending in _TABLES)
        names[f"{stem}.{{{','.join(_TABLES)}}}" if everywhere else pattern] = None
    return list(names)


def _members(path: Path, name: str, taken: dict[Path, None]) -> Iterator[Entry]:
    try:
        if path.name.lower().endswith(".zip"):
            members = _zip_members(zipfile.ZipFile(path))
        else:
            members = _tar_members(tarfile.TarFile.open(path))
        for member, load in members:
            if not PurePosixPath(member).name.startswith("."):
                yield Entry(f"{name}/{member}".removesuffix(".gz"), path, f"{path}: {member}", load, taken)
    except _UNREADABLE:
        raise DataError(f"{path}: is a damaged or cut-off archive; fetch it again") from None


def _zip_members(archive: zipfile.ZipFile) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for info in archive.infolist():
        if not info.is_dir():
            yield info.filename, functools.partial(archive.read, info)


def _tar_members(archive: tarfile.TarFile) -> Iterator[tuple[str, Callable[[], bytes]]]:
    def load(info: tarfile.TarInfo) -> bytes:
        stream = archive.extractfile(info)
        return stream.read() if stream else b""

    for info in archive.getmembers():
        if info.isfile():
            yield info.name, functools.partial(load, info)


@dataclasses.dataclass(frozen=True)
class Record:
    """One record of a file; a field that is missing or of another kind raises a DataError that names place and field.

    Attributes:
        place: File and line, or file and identifier.
        data: Its fields.
        key: Its identifier where the file is a mapping, else its number from 1.
    """

    place: str
    data: Mapping[str, Any]
    key: str

    def error(self, message: str) -> DataError:
        """An error about this record."""
        return DataError(f"{self.place}: {message}")

    def has(self, key: str) -> bool:
        """Whether a field is there and not null."""
        return self.data.get(key) is not None

    def value(self, *keys: str) -> Any:
        """The first of these fields that is there."""
        for key in keys:
            if key in self.data:
                return self.data[key]
        raise self.error(f"no {' or '.join(map(repr, keys))}; found {_describe(self.data)}")

    def text(self, *keys: str) -> str:
        """The first of these fields that is there, stripped; a number as text, null as nothing."""
        value = self.value(*keys)
        if value is None:
            return ""
        if not isinstance(value, str | int | float):
            raise self.error(f"{keys[0]!r} is a {type(value).__name__} where a text is expected")
        return str(value).strip()

    def texts(self, *keys: str) -> list[str]:
        """The first of these fields that is there: a list of texts."""
        value = self.value(*keys)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"{keys[0]!r} is not a list of texts")
        return value

    def mapping(self, *keys: str) -> Record:
        """The first of these fields that is there: a mapping, as a record of its own."""
        return as_record(self.value(*keys), f"{self.place}: {keys[0]!r}", self.key)

    def id(self, *keys: str) -> str:
        """The first of these fields that holds something; the record's key if none does."""
        return next((str(self.data[key]) for key in keys if self.data.get(key) not in (None, "")), self.key)

    def label(self, labels: Iterable[str], *keys: str) -> str:
        """The first of these fields that is there: one of the labels, in any case."""
        known = {label.lower(): label for label in labels}
        label = self.text(*keys)
        if label.lower() not in known:
            raise self.error(f"{keys[0]!r} is none of {', '.join(known.values())}")
        return known[label.lower()]


def as_record(data: Any, place: str, key: str) -> Record:
    """A JSON value as a record.

    Raises:
        DataError: It is no mapping.
    """
    if not isinstance(data, dict):
        raise DataError(f"{place}: is a {type(data).__name__} where a mapping is expected")
    return Record(place, data, key)


def read_records(entry: Entry) -> Iterator[Record]:
    """Records of a table: JSON lines, JSON (a list, a mapping of mappings, one mapping), CSV, TSV or Parquet.

    Raises:
        DataError: The file, or a record of it, cannot be read.
    """
    ending = PurePosixPath(entry.name).suffix.lower()
    if ending == ".parquet":
        return _numbered(_parquet(entry), entry)
    if ending in (".csv", ".tsv"):
        return _delimited(entry, tabs=ending == ".tsv")
    if ending == ".json":
        try:
            tree = json.loads(entry.text())
        except (ValueError, RecursionError):
            return _json_lines(entry)  # As some official `.json` files are.
        if isinstance(tree, dict) and tree and all(isinstance(value, dict) for value in tree.values()):
            return (Record(f"{entry.place}: {key}", value, key) for key, value in tree.items())
        return _numbered(tree if isinstance(tree, list) else [tree], entry)
    return _json_lines(entry)


def _numbered(rows: Iterable[Any], entry: Entry) -> Iterator[Record]:
    return (as_record(row, f"{entry.place}: record {number}", str(number)) for number, row in enumerate(rows, 1))


def _json_lines(entry: Entry) -> Iterator[Record]:
    for number, line in enumerate(io.StringIO(entry.text()), 1):
        if line.strip():
            try:
                data = json.loads(line)
            except (ValueError, RecursionError):
                raise DataError(f"{entry.place}:{number}: is not JSON") from None
            yield as_record(data, f"{entry.place}:{number}", str(number))


def read_rows(entry: Entry, *, tabs: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV or TSV file, each with the line where it ends; blank ones are passed over.

    Raises:
        DataError: The file cannot be read, or a quote is misplaced.
    """
    csv.field_size_limit(_LARGEST_CSV_FIELD)
    if tabs:  # Sentences hold single quotation marks, so quoting is undone a field at a time.
        for number, line in enumerate(io.StringIO(entry.text()), 1):
            if line.strip():
                yield number, [_unquoted(field) for field in line.rstrip("\r\n").split("\t")]
        return
    reader = csv.reader(io.StringIO(entry.text(), newline=""), strict=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise DataError(f"{entry.place}:{reader.line_num}: is not CSV") from None
        if any(field.strip() for field in row):
            yield reader.line_num, row


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"') if len(field) > 1 and field[0] == field[-1] == '"' else field


def _delimited(entry: Entry, *, tabs: bool) -> Iterator[Record]:
    header: list[str] | None = None
    for number, (line, row) in enumerate(read_rows(entry, tabs=tabs)):
        if header is None:
            header = [name.strip() for name in row]
        elif len(row) != len(header):
            raise DataError(f"{entry.place}:{line}: {len(row)} fields where the header has {len(header)}")
        else:
            yield Record(f"{entry.place}:{line}", dict(zip(header, row, strict=True)), str(number))


def _parquet(entry: Entry) -> list[dict[str, Any]]:
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(f"{entry.place}: Parquet needs pyarrow; install it, or export the set as JSON lines") from None
    try:
        return parquet.read_table(io.BytesIO(entry.read())).to_pylist()
    except (OSError, ValueError):
        raise DataError(f"{entry.place}: is no Parquet file, or a damaged one") from None


def _describe(names: Iterable[str]) -> str:
    """Field names, but only those that look like names: a file without a header starts with a record."""
    shown = [name if re.fullmatch(r"[A-Za-z_][\w.-]{0,31}", name) else "(no name)" for name in names]
    return ", ".join(shown[:20]) or "nothing"
