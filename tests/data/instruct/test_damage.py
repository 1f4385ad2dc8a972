"""Damaged files are errors that name them; malformed records are counted; neither says what stands in them."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from melama_jax.config import Source
from melama_jax.data.instruct import read_conversations
from melama_jax.data.sources import ScanReport, SourceFile
from melama_jax.errors import DataError
from tests.data.corpora import CANARY
from tests.data.instruct.reading import read, said, write, write_archive

RECORD = f'{{"instruction": "Do {CANARY}.", "input": "", "output": "Done."}}'


def test_malformed_lines_are_counted_with_their_place(tmp_path: Path) -> None:
    lines = [RECORD, "", "{bad", "[1]", RECORD.replace("Do", "\xff"), "[" * 100_000]
    content = b"\xef\xbb\xbf" + "\n".join(lines).encode("latin-1")
    conversations, report = read(write(tmp_path / "a.jsonl.gz", content), "alpaca")
    assert (len(conversations), report.records) == (1, 5)
    assert report.skipped == {"bad_json": 3, "bad_utf8": 1}
    assert report.first_locations == {"bad_json": "a.jsonl.gz:3", "bad_utf8": "a.jsonl.gz:5"}


def test_json_arrays_and_json_lines_share_an_ending(tmp_path: Path) -> None:
    conversations, report = read(write(tmp_path / "a.json", f"\ufeff [{RECORD}, 5, {RECORD}]"), "alpaca")
    assert (len(conversations), report.skipped) == (2, {"bad_json": 1})
    assert report.first_locations == {"bad_json": "a.json: record 2"}
    assert len(read(write(tmp_path / "b.json", f"{RECORD}\n{RECORD}\n"), "alpaca")[0]) == 2


def test_csv_rows_are_counted_with_their_line(tmp_path: Path) -> None:
    rows = 'instruction,input,output\nDo.,,"Do\nne."\nDo.,,Done.,more\nDo.\n"a"b,,c\n'
    conversations, report = read(write(tmp_path / "a.csv", "\ufeff" + rows), "alpaca")
    assert [said(c) for c in conversations] == [("Do.", "Do\nne.")]
    assert report.skipped == {"bad_csv": 2, "missing_field": 1}
    assert report.first_locations == {"bad_csv": "a.csv:4", "missing_field": "a.csv:5"}
    content = b'instruction\toutput\nDo \xff.\tDone.\nSay "x".\tDone.\n'
    conversations, report = read(write(tmp_path / "a.tsv", content), "alpaca")
    assert (len(conversations), report.skipped) == (1, {"bad_utf8": 1})


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    for name in ("a.json", "a.jsonl", "a.csv", "a.jsonl.gz"):
        conversations, report = read(write(tmp_path / name, ""), "alpaca")
        assert (conversations, report.records) == ([], 0)


DAMAGED = {
    "a.json": ("alpaca", f"[{RECORD},\n{RECORD[:-4]}".encode(), r"a.json:2: is a damaged or cut-off JSON array"),
    "b.json": ("alpaca", b'[{"x": "\n\xff"}]', r"b.json:2: is not UTF-8"),
    "a.jsonl.gz": ("alpaca", gzip.compress(RECORD.encode() * 99)[:-9], r"a.jsonl.gz: is damaged or cut off"),
    "b.jsonl.gz": ("alpaca", RECORD.encode(), r"b.jsonl.gz: is damaged or cut off"),
    "a.csv": ("alpaca", b'"a"b,c\n', r"a.csv: the first line is no header"),
    "a.xlsx": ("medicationqa", b"PK\x03\x04 no workbook", r"a.xlsx: is no workbook, or a damaged one"),
    "a.tar.gz": ("medquad", gzip.compress(b"no archive" * 99), r"a.tar.gz: is damaged or cut off"),
    "a.xml": ("liveqa", f"<Set>\n<NLM-QUESTION>{CANARY}".encode(), r"a.xml:2: is damaged or cut-off XML"),
    "b.xml": ("liveqa", f"<Set>{CANARY}</Set>".encode(), r"b.xml: has no element NLM-QUESTION; docs/instruct.md"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    format, content, message = DAMAGED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read(tmp_path / name, format)
    assert CANARY not in str(error.value)


def test_a_cut_off_archive_is_an_error(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.tar.gz", {f"{n}.xml": f"<Document>{n}</Document>" for n in range(99)})
    assert read(path, "medquad")[1].records == 99
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-8] + b"\0" * 8):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a.tar.gz: is damaged or cut off"):
            read(path, "medquad")


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE Set [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>',
        "<!DOCTYPE Set [<!ELEMENT Set ANY>]>",
        '<!DOCTYPE Set [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_xml_that_declares_entities_is_refused(tmp_path: Path, head: str) -> None:
    path = write(tmp_path / "a.xml", f"{head}<Set><NLM-QUESTION>&c;</NLM-QUESTION></Set>")
    with pytest.raises(DataError, match=r"a.xml: declares entities or a document type of its own"):
        read(path, "liveqa")


def test_a_broken_document_counts_where_a_document_is_a_record(tmp_path: Path) -> None:
    members = {
        "1.xml": "<Document>\n<Focus>",
        "2.xml": "",
        "3.xml": '<!DOCTYPE Document SYSTEM "x.dtd"><Document>&unknown;</Document>',
        "4.xml": "<Document><QAPair><Question>q?</Question><Answer>a</Answer></QAPair></Document>",
    }
    conversations, report = read(write_archive(tmp_path / "a.tar.gz", members), "medquad")
    assert (len(conversations), report.records, report.skipped) == (1, 4, {"bad_xml": 3})
    assert report.first_locations == {"bad_xml": "a.tar.gz: 1.xml:2"}


def test_a_missing_library_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"a.xlsx: needs openpyxl; install melama_jax\[eval\]"):
        read(write(tmp_path / "a.xlsx", b"PK"), "medicationqa")


def test_progress_ends_at_the_size_of_the_file(tmp_path: Path) -> None:
    table = "instruction,input,output\n" + "Do.,,Done.\n" * 300
    lines = f"{RECORD}\n" * 300
    for name, format, content, seen in (
        ("a.jsonl.gz", "alpaca", lines, 300),
        ("a.jsonl", "alpaca", lines, 300),
        ("a.csv", "alpaca", table, 300),
        ("a.csv.gz", "alpaca", table, 300),
        ("MRCONSO.RRF", "umls", lines, 0),
    ):
        path = write(tmp_path / name, content)
        source = Source.model_validate({"glob": "*", "format": format})
        file = SourceFile(path, name, source, path.stat().st_size, 0)
        done: list[int] = []
        found = list(read_conversations(file, ScanReport(), seed=0, on_progress=done.append))
        assert (len(found), done[-1]) == (seen, file.size)
        assert done == sorted(done)
