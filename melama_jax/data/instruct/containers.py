"""Records of a file in any of the formats that instruction data is published in, streamed where the format allows it.

A record that cannot be read comes as an `Unusable` with its reason, at its place; a damaged file is a `DataError`.
Neither says what a record holds.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import tarfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree
from xml.parsers import expat

from melama_jax.errors import DataError

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
PACKED = ("tar.gz", "tgz", "tar", "xlsx")
"""Endings of files that are never gzipped once more."""
_LARGEST_CSV_FIELD = 2**28  # A stray quote would otherwise take the rest of the file into memory.


class Unusable(Exception):
    """Why a record, or a part of one, gives no conversation."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Found = tuple[Any, str]
"""A record, or an `Unusable` in its place, and where it stands: file and line, or file and number."""


def read_records(
    path: Path, name: str, tags: tuple[str, ...] = (), on_progress: Callable[[int], None] | None = None
) -> Iterator[Found]:
    """Stream the records of a file; its ending says how.

    Args:
        path: Where it lies.
        name: How places of records name it.
        tags: Elements of XML that are a record each.
        on_progress: Called now and then with the bytes consumed so far, as they lie on disk.

    Yields:
        Mappings of JSON (lines or an array), CSV, TSV and workbooks; lists of fields of RRF; elements of XML.

    Raises:
        DataError: The file cannot be read or is damaged, or its XML has none of the elements.
    """
    lower = path.name.lower()
    try:
        with open(path, "rb") as raw:
            stream: Any = gzip.GzipFile(fileobj=raw) if lower.endswith((".gz", ".tgz")) else raw
            if lower.endswith(_ARCHIVES):
                records = _members(stream, name, str(path), tags)
            else:
                records = _reader(lower)(stream, name, str(path), tags)
            for count, found in enumerate(records):
                if on_progress is not None and count % 64 == 0:
                    on_progress(raw.tell())
                yield found
            if on_progress is not None:
                on_progress(path.stat().st_size)  # A reader of text has closed the file.
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError):
        raise DataError(f"{path}: is damaged or cut off; fetch the file again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or type(error).__name__}") from None


def _reader(lower: str) -> Callable[[IO[bytes], str, str, tuple[str, ...]], Iterator[Found]]:
    return _READERS[lower.removesuffix(".gz").rsplit(".", 1)[-1]]


def _members(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    """Records of the XML files of an archive."""
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            lower = member.name.lower().rsplit("/", 1)[-1]
            if not member.isfile() or not lower.endswith((".xml", ".nxml")) or lower.startswith("."):
                continue
            content = archive.extractfile(member)
            assert content is not None
            yield from _xml(content, f"{name}: {member.name}", f"{path}: {member.name}", tags, alone=False)
    while stream.read(2**20):  # To the end, where gzip's checksum stands.
        pass


def _json_lines(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    for number, line in enumerate(stream, 1):
        if line.strip():
            yield _json_record(line, first=number == 1), f"{name}:{number}"


def _json_record(line: bytes, *, first: bool) -> Any:
    try:
        record = json.loads(line.decode("utf-8-sig" if first else "utf-8"))
    except UnicodeDecodeError:
        return Unusable("bad_utf8")
    except (ValueError, RecursionError):
        return Unusable("bad_json")
    return record if isinstance(record, dict) else Unusable("bad_json")


def _json(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    """A JSON array of records; also JSON lines, as some official `.json` files are."""
    content = stream.read()
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        yield from _json_lines(io.BytesIO(content), name, path, tags)
        return
    try:
        records = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{line}: is not UTF-8; convert the file") from None
    except (ValueError, RecursionError) as error:
        line = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(f"{path}{line}: is a damaged or cut-off JSON array; fetch the file again") from None
    for number, record in enumerate(records, 1):
        yield record if isinstance(record, dict) else Unusable("bad_json"), f"{name}: record {number}"


def _csv(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    csv.field_size_limit(_LARGEST_CSV_FIELD)
    # Undecodable bytes become surrogates, which are found where the field is used.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    tabs = name.lower().removesuffix(".gz").endswith(".tsv")
    # Strict, because a misplaced quote would otherwise join or cut records without a word.
    reader = csv.reader(text, strict=True, delimiter="\t" if tabs else ",")
    header: list[str] | None = None
    while True:
        place = f"{name}:{reader.line_num + 1}"
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = None
            if "end of data" in str(error):  # All that follows the quote would count as one record.
                line = place.rsplit(":", 1)[1]
                raise DataError(
                    f"{path}: a quote opens in the record of line {line} and is never closed; mend it"
                ) from None
        if header is None:
            if row is None:
                raise DataError(f"{path}: the first line is no header")
            header = [column.strip() for column in row]
        elif row is None or any(row[len(header) :]):
            yield Unusable("bad_csv"), place
        elif row:
            yield dict(zip(header, row, strict=False)), place


def _rrf(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    for number, line in enumerate(stream, 1):
        try:
            yield line.decode("utf-8").rstrip("\r\n").split("|"), f"{name}:{number}"
        except UnicodeDecodeError:
            yield Unusable("bad_utf8"), f"{name}:{number}"


def _workbook(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...]) -> Iterator[Found]:
    """Rows of the first sheet under its header."""
    try:
        import openpyxl
    except ImportError:
        raise DataError(f"{path}: needs openpyxl; install melama_jax[eval]") from None
    try:
        sheet = openpyxl.load_workbook(stream, read_only=True, data_only=True).worksheets[0]
        sheet.reset_dimensions()  # Some programs write wrong ones.
        rows = list(sheet.iter_rows(values_only=True))
    except Exception:  # The library raises many types for what is no workbook.
        raise DataError(f"{path}: is no workbook, or a damaged one") from None
    header = [str(column or "").strip() for column in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], 2):
        if any(cell is not None for cell in row):
            yield dict(zip(header, row, strict=False)), f"{name}: row {number}"


def _xml(stream: IO[bytes], name: str, path: str, tags: tuple[str, ...], *, alone: bool = True) -> Iterator[Found]:
    """Elements of the given tags, one after another, without keeping the rest of the document.

    A document that is one record and cannot be parsed counts as that record. One that declares entities is refused,
    as they can grow without bound; and one without such elements, unless others stand beside it in an archive.
    """
    found: deque[tuple[ElementTree.Element, int]] = deque()
    open_tags: list[str] = []
    root = builder = None
    line = count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal root, builder, line
        root = root or tag
        if builder is None and tag in tags:
            builder, line = ElementTree.TreeBuilder(), parser.CurrentLineNumber
        if builder is not None:
            open_tags.append(tag)
            builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal builder
        if builder is not None:
            builder.end(open_tags.pop())
            if not open_tags:
                found.append((builder.close(), line))
                builder = None

    def data(text: str) -> None:
        if builder is not None:
            builder.data(text)

    def doctype(tag: str, system: str | None, public: str | None, own: int) -> None:
        if own:
            raise DataError(f"{path}: declares entities or a document type of its own; write out what they stand for")

    def unknown(*_: Any) -> None:
        raise expat.ExpatError

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    parser.StartDoctypeDeclHandler, parser.SkippedEntityHandler = doctype, unknown
    while True:
        chunk = stream.read(2**16)
        try:
            parser.Parse(chunk, not chunk)
        except (expat.ExpatError, LookupError, ValueError):  # The latter two of an encoding that is none.
            if root is not None and root not in tags:
                place = parser.CurrentLineNumber
                raise DataError(f"{path}:{place}: is damaged or cut-off XML; fetch the file again") from None
            yield Unusable("bad_xml"), f"{name}:{parser.CurrentLineNumber}"
            return
        while found:
            record, place = found.popleft()
            count += 1
            yield record, f"{name}:{place}"
        if not chunk:
            break
    if not count and not alone:
        yield Unusable("unused"), name
    elif not count:
        raise DataError(f"{path}: has no element {' or '.join(tags)}; docs/instruct.md says which files are read")


_READERS = {
    "jsonl": _json_lines,
    "json": _json,
    "csv": _csv,
    "tsv": _csv,
    "rrf": _rrf,
    "xlsx": _workbook,
    "xml": _xml,
    "nxml": _xml,
}
