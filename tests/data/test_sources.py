from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from melama_jax.config import Source
from melama_jax.data.sources import (
    ScanReport,
    SourceFile,
    assign_shards,
    find_files,
    is_validation,
    read_documents,
)
from melama_jax.errors import ConfigError, DataError
from tests.data.corpora import CANARY


def read(path: Path, content: bytes, **source: str) -> tuple[list[str], ScanReport]:
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    report = ScanReport()
    file = SourceFile(path, path.name, Source.model_validate({"glob": "*"} | source), path.stat().st_size, 0)
    return [text.decode() for text in read_documents(file, report)], report


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_jsonl(tmp_path: Path, suffix: str) -> None:
    content = b'\xef\xbb\xbf{"note": "one"}\r\n\n{"note": "two\\n\\u00e9", "x": NaN}\n{"note": "\\ud83d\\ude00"}'
    documents, report = read(tmp_path / f"a.jsonl{suffix}", content, field="note")
    assert documents == ["one", "two\né", "😀"]
    assert (report.records, sum(report.skipped.values())) == (3, 0)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_csv_with_quoted_newlines_and_large_fields(tmp_path: Path, suffix: str) -> None:
    large = "x" * 300_000
    content = f'\ufeffid, note\r\n1,"a ""b""\r\nc, d"\r\n\r\n2,{large}\r\n3,plain,\r\n'.encode()
    documents, report = read(tmp_path / f"a.csv{suffix}", content, field="note")
    assert documents == ['a "b"\r\nc, d', large, "plain"]
    assert (report.records, sum(report.skipped.values())) == (3, 0)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("file", ["one\ntwo\n\n \n\nthree\nfour"]),
        ("paragraph", ["one\ntwo", "three\nfour"]),
        ("line", ["one", "two", "three", "four"]),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_plain_text_units(tmp_path: Path, unit: str, expected: list[str], suffix: str) -> None:
    documents, report = read(tmp_path / f"a.txt{suffix}", b"one\r\ntwo\n\n \n\nthree\nfour\n", document=unit)
    assert documents == expected
    assert report.records == len(expected)


def test_jsonl_skips_are_counted_by_reason_and_place(tmp_path: Path) -> None:
    lines = [
        b'{"text": "good"}',
        b'{"text": "' + CANARY.encode(),
        b'["' + CANARY.encode() + b'"]',
        b'{"other": "' + CANARY.encode() + b'"}',
        b'{"text": null}',
        b'{"text": 47}',
        b'{"text": " \\n "}',
        b'{"text": "' + CANARY.encode() + b'\xff"}',
        b'{"text": "' + CANARY.encode() + b'\\ud800"}',
        b"[" * 100_000,
        b'{"text": ' + b"9" * 5000 + b"}",
    ]
    documents, report = read(tmp_path / "a.jsonl", b"\n".join(lines))
    assert documents == ["good"]
    assert report.records == len(lines)
    assert report.skipped == {"bad_json": 4, "missing_field": 1, "not_text": 2, "empty": 1, "bad_utf8": 2}
    assert report.first_locations == {
        "bad_json": "a.jsonl:2",
        "missing_field": "a.jsonl:4",
        "not_text": "a.jsonl:5",
        "empty": "a.jsonl:7",
        "bad_utf8": "a.jsonl:8",
    }


def test_csv_skips_are_counted_by_reason_and_place(tmp_path: Path) -> None:
    content = b'id,text\n1,good\n2\n3,"a\nb",surplus\n4,"quote"d\n5,\n6,caf\xe9\n7,fine\n'
    documents, report = read(tmp_path / "a.csv", content)
    assert documents == ["good", "fine"]
    assert report.skipped == {"missing_field": 1, "bad_csv": 2, "empty": 1, "bad_utf8": 1}
    assert report.first_locations == {
        "missing_field": "a.csv:3",
        "bad_csv": "a.csv:4",
        "empty": "a.csv:7",
        "bad_utf8": "a.csv:8",
    }


def test_a_quote_that_is_never_closed_ends_it_because_nobody_knows_what_it_took(tmp_path: Path) -> None:
    content = b'id,text\n1,good\n2,"never closed ' + CANARY.encode() + b"\n3,lost\n"
    with pytest.raises(DataError, match=r"a.csv: a quote opens in the record of line 3 and is never closed") as caught:
        read(tmp_path / "a.csv", content)
    assert CANARY not in str(caught.value)


def test_text_that_is_not_utf8_is_counted(tmp_path: Path) -> None:
    documents, report = read(tmp_path / "a.txt", b"one\n\nbad \xff\nparagraph\n\ntwo")
    assert documents == ["one", "two"]
    assert report.first_locations == {"bad_utf8": "a.txt:3"}


def test_a_missing_column_names_the_file_and_the_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv: no column 'text'; found id, note"):
        read(tmp_path / "a.csv", b"id,note\n1,x\n")


def test_a_csv_without_header_does_not_show_its_first_record(tmp_path: Path) -> None:
    content = f'47,"{CANARY} fell in the garden",1999-01-01\n'.encode()
    with pytest.raises(DataError) as caught:
        read(tmp_path / "a.csv", content)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("damage", ["cut", "garbage", "changed"])
def test_damaged_gzip_names_the_file(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(b"".join(json.dumps({"text": str(n)}).encode() + b"\n" for n in range(5000)))
    content = {"cut": whole[:-20], "garbage": b"not gzip", "changed": whole[:5000] + b"\0" * 40 + whole[5040:]}[damage]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(content)
    file = SourceFile(path, path.name, Source(glob="*"), len(content), 0)
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: is damaged or cut-off gzip"):
        list(read_documents(file, ScanReport()))


def test_reading_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "one"}\n' * 200_000)
    positions: list[int] = []
    file = SourceFile(path, path.name, Source(glob="*"), path.stat().st_size, 0)
    documents = read_documents(file, ScanReport(), on_progress=positions.append)
    for _ in range(100):
        next(documents)
    assert positions[-1] < 100_000


def test_find_files_expands_sorted_and_reports_other_endings(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.CSV", "sub/c.txt.gz", "d.pdf", ".hidden.txt", "readme"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    files, left_out = find_files("general", [Source(glob="**/*")], tmp_path)
    assert [file.name for file in files] == ["a.CSV", "b.jsonl", "sub/c.txt.gz"]
    assert left_out == ["d.pdf", "readme"]


def test_one_file_can_give_two_fields_but_not_the_same_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    files, _ = find_files("clinical", [Source(glob="*.csv", field="x"), Source(glob="a*", field="y")], tmp_path)
    assert [file.source.field for file in files] == ["x", "y"]
    with pytest.raises(ConfigError, match=r"'\*\.csv' and glob 'a\*' both read a\.csv"):
        find_files("clinical", [Source(glob="*.csv"), Source(glob="a*")], tmp_path)


def test_no_match_names_the_pattern_and_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(DataError, match=rf"no file matches 'a\*' under {tmp_path}; 1 files with other endings"):
        find_files("clinical", [Source(glob="a*")], tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        find_files("clinical", [Source(glob="a*")], tmp_path / "none")
    with pytest.raises(ConfigError, match="is absolute"):
        find_files("clinical", [Source(glob="/etc/*")], tmp_path)


def test_held_out_share_goes_by_the_text() -> None:
    auto = Source(glob="*")
    texts = [f"document {n}".encode() for n in range(4000)]
    sides = [is_validation(text, auto, 0.1) for text in texts]
    assert sides == [is_validation(text, auto, 0.1) for text in texts]
    assert 0.08 < sum(sides) / len(sides) < 0.12
    assert all(is_validation(text, auto, 0.5) for text, side in zip(texts, sides, strict=True) if side)
    assert not any(is_validation(text, auto, 0.0) for text in texts)
    assert all(is_validation(text, Source(glob="*", split="validation"), 0.0) for text in texts)
    assert not any(is_validation(text, Source(glob="*", split="train"), 0.9) for text in texts)


def test_shards_are_balanced_whole_and_in_order() -> None:
    sizes = [100, 1, 1, 50, 49, 0, 0]
    files = [SourceFile(Path(str(n)), str(n), Source(glob="*"), size, 0) for n, size in enumerate(sizes)]
    shards = assign_shards(files, 2)
    assert sorted(file.name for shard in shards for file in shard) == [file.name for file in files]
    assert [sum(file.size for file in shard) for shard in shards] in ([100, 101], [101, 100])
    assert all([file.name for file in shard] == sorted(file.name for file in shard) for shard in shards)
    assert all(assign_shards(files, len(files)))
