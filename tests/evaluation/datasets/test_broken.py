"""Files that cannot be read: one line that names file, place and key, and never a record's text."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets import DATASETS, MissingData
from melama_jax.evaluation.datasets.files import Folder
from melama_jax.evaluation.example import Split
from tests.data.corpora import CANARY
from tests.evaluation.datasets.layouts import (
    CLIP_HEADER,
    CONCEPTS,
    NOTE,
    PUBTATOR,
    SENTENCE,
    abstract,
    entrance,
    lines,
    question,
    squad,
    write,
)

C = CANARY
HALF = {f"op{letter}": C for letter in "abcd"}
BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("medqa", {}, r"has none of US/test.jsonl, test-\*.parquet.* docs/benchmarks_data.md"),
    ("medqa", {"US/test.jsonl": ""}, r"test.jsonl: no item of this split \(no records\)"),
    ("medqa", {"US/test.jsonl": lines(question(1, "ABCDE")) + '{"question": "' + C}, r"test.jsonl:2: is not JSON"),
    ("medqa", {"US/test.jsonl": f'["{C}"]\n'}, r"test.jsonl:1: is a list where a mapping is expected"),
    ("medqa", {"US/test.jsonl": lines({"question": C, "options": {}})}, r"test.jsonl:1: 'options' are none where A"),
    ("medqa", {"US/test.jsonl": lines(question(1, "ABCD", question=C))}, r"where A, B, C, D, E are expected"),
    ("medqa", {"US/test.jsonl": lines({"question": C, C + " " + C * 9: 1})}, r":1: no 'options'; found question, \(no"),
    ("medqa", {"US/test.jsonl": b'{"question": "' + C.encode() + b'\xff"}\n'}, r"test.jsonl:1: is not UTF-8"),
    (
        "medqa",
        {"a/US/test.jsonl": "", "b/US/test.jsonl": ""},
        r"both .*a/US/test.jsonl and .*b/US/test.jsonl are there",
    ),
    ("medqa", {"a/test-0.parquet": b"", "b/test-0.parquet": b""}, r"test-\*.parquet is there in several folders"),
    ("medqa", {"data.zip": {"US/test.jsonl": C}}, r"data.zip: US/test.jsonl:1: is not JSON"),
    ("medmcqa", {"dev.json": lines(entrance(2), entrance(3, **HALF))}, r"dev.json: 'cop' holds neither 0 nor 4"),
    ("medmcqa", {"dev.json": lines(entrance(0), entrance(4, **HALF))}, r"dev.json: 'cop' holds both 0 and 4"),
    ("medmcqa", {"dev.json": lines(entrance(4), entrance(1) | {"cop": C})}, r"dev.json:2: 'cop' is no whole number"),
    ("medmcqa", {"dev.json": lines(entrance(4), entrance(1, question=[C]))}, r"'question' is a list where a text"),
    ("pubmedqa", {"ori_pqal.json": {}}, r"has none of test_ground_truth.json"),
    (
        "pubmedqa",
        {"ori_pqal.json": {"1": abstract(C)}, "test_ground_truth.json": {"1": "yes"}},
        r"ori_pqal.json: 1: 'final_decision' is none of yes, no, maybe",
    ),
    (
        "pubmedqa",
        {"ori_pqal.json": {"1": abstract("no")}, "test_ground_truth.json": {"1": "yes"}},
        r"ori_pqal.json: 1: 'final_decision' differs",
    ),
    (
        "emrqa",
        {"test.json": squad({"id": 1, "answers": [C]}, context=C)},
        r"question 1: no 'question'; found id, answers",
    ),
    ("ddi2013", {"Test/a.xml": SENTENCE.replace("effect", C)}, r"a.xml: d1.s0.p0: 'type' is none of DDI-effect"),
    ("ddi2013", {"Test/a.xml": SENTENCE.replace("57-64", C)}, r"a.xml: an entity's 'charOffset' is not like 3-9"),
    ("ddi2013", {"Test/a.xml": SENTENCE.replace('e2="d1.s0.e3"', 'e2="x"')}, r"d1.s0.p0: 'e1' or 'e2' is no entity"),
    ("ddi2013", {"Test/a.xml": f"<document>\n{C}"}, r"a.xml:2: is not XML"),
    ("ddi2013", {"Train/a.xml": SENTENCE}, r"has neither test.tsv nor an .xml file under a folder named test"),
    ("ddi2013", {"test.tsv": f"index\tsentence\tlabel\n1\t{C}\n"}, r"test.tsv:2: 2 fields where the header has 3"),
    ("hoc", {"labels/1.txt": f"<{C}", "text/1.txt": C, "test_pmid.tsv": "1"}, r"labels/1.txt: a label is none of Sus"),
    ("hoc", {"labels/1.txt": "<", "text/2.txt": C}, r"labels/1.txt: has no text/1.txt"),
    (
        "mtsample",
        {"mtsamples.csv": f"description,transcription\n{C},x\n"},
        r"no 'medical_specialty'; found description",
    ),
    ("i2b2_2010", {"test/a.con": f'c="{C}" 3:1\n', "test/a.txt": NOTE}, r"a.con:1: is not like c="),
    ("i2b2_2010", {"test/a.con": CONCEPTS.replace("4:0", "9:0"), "test/a.txt": NOTE}, r"a.con:2: the note has no such"),
    ("i2b2_2010", {"test/a.con": CONCEPTS, "train/a.txt": NOTE}, r"a.con: has no a.txt in the same split"),
    ("bc5cdr", {"test.tsv": f"iron\tO\n\n{C}\tB-Gene\n"}, r"test.tsv:3: tag 1 is neither O nor B- or I- with Chemical"),
    ("bc5cdr", {"test.tsv": f"iron\tO\n{C}\n"}, r"test.tsv:2: a token, a tabulator and a tag are expected"),
    (
        "bc5cdr",
        {"test.jsonl": lines({"tokens": [C], "tags": [7]})},
        r"test.jsonl:1: a tag is neither a name nor a numb",
    ),
    ("bc5cdr", {"test.jsonl": lines({"tokens": [C], "tags": []})}, r"test.jsonl:1: 1 tokens but not as many tags"),
    ("ncbi_disease", {"NCBItestset_corpus.txt": PUBTATOR.replace("|a|", C)}, r"corpus.txt: 7: a line with \|t\| and"),
    (
        "ncbi_disease",
        {"NCBItestset_corpus.txt": PUBTATOR.replace("24\tgout", f"999\t{C}")},
        r"corpus.txt: 7: a mention is",
    ),
    (
        "bionli",
        {"test.csv": f"supp_set,conclusion,label_cat\n{C},{C},{C}\n"},
        r"test.csv:2: 'label_cat' is neither pos",
    ),
    (
        "mednli",
        {"mli_test_v1.jsonl": lines({"sentence1": C, "sentence2": C, "gold_label": C})},
        r"'gold_label' is none",
    ),
    ("mediqa_rqe", {"X-RQE-TestSet.xml": f'<r><pair pid="4" value="{C}"/></r>'}, r"pair 4: 'value' is none of true"),
    ("bioasq", {"1_golden.json": {"questions": C}}, r"1_golden.json: no 'questions' list"),
    ("mmlu_anatomy", {"anatomy_test.csv": f"{C},a,b,c,A\n"}, r"anatomy_test.csv:1: 5 fields where question, A"),
    ("mmlu_anatomy", {"anatomy_test.csv": f'a,b,c,d,e,A\n"{C}" x,b,c,d,e,A\n'}, r"anatomy_test.csv:2: is not CSV"),
    ("mirage_mmlu", {"benchmark.json": {"medqa": {}}}, r"benchmark.json: no 'mmlu'; found medqa"),
    ("clip", {"test.csv": CLIP_HEADER + f"1,0,['{C}'],[]\n1,1,{C},[]\n"}, r"test.csv:3: 'sentence' is not a list of"),
    (
        "clip",
        {"test.csv": CLIP_HEADER + f"1,0,['x'],['{C}']\n"},
        r"test.csv:2: 'labels' holds one that is none of I-Im",
    ),
    ("clip", {"sentence_level.csv": CLIP_HEADER}, r"has none of test-\*.parquet, .*test_ids.csv"),
    ("meqsum", {"MeQSum.xlsx": C}, r"MeQSum.xlsx: is no workbook, or a damaged one"),
]


@pytest.mark.parametrize(
    ("name", "files", "message"), BROKEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_file_is_named_with_the_place(name: str, files: dict[str, Any], message: str, tmp_path: Path) -> None:
    if name == "meqsum":
        pytest.importorskip("openpyxl")
    with pytest.raises(DataError, match=message) as caught:
        DATASETS[name].load(write(tmp_path, files), "test")
    absent = "has none of" in message or "has neither" in message
    assert isinstance(caught.value, MissingData) == absent
    assert C not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_split_that_is_not_there_is_said(split: Split, tmp_path: Path) -> None:
    write(tmp_path, {"US/test.jsonl": lines(question(1, "ABCDE"))})
    with pytest.raises(DataError, match="has none of US/"):
        DATASETS["medqa"].load(tmp_path, split)


def test_the_official_i2b2_files_have_no_validation_split(tmp_path: Path) -> None:
    write(tmp_path, {"train/a.con": CONCEPTS, "train/a.txt": NOTE})
    with pytest.raises(DataError, match="no validation split; split the training set"):
        DATASETS["i2b2_2010"].load(tmp_path, "validation")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="nowhere: there is no folder"):
        DATASETS["medqa"].load(tmp_path / "nowhere", "test")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file: is not a folder") as caught:
        DATASETS["medqa"].load(tmp_path / "file", "test")
    assert not isinstance(caught.value, MissingData)


def test_a_folder_that_may_not_be_listed_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(DataError, match="cannot be listed: Permission denied") as caught:
        DATASETS["medqa"].load(tmp_path, "test")
    assert not isinstance(caught.value, MissingData)


@pytest.mark.parametrize("name", ["US/test.jsonl.gz", "data.tar.gz", "data.zip"])
def test_damaged_compression_is_said(name: str, tmp_path: Path) -> None:
    write(tmp_path, {"US/test.jsonl": ""})
    (tmp_path / "US" / "test.jsonl").unlink()
    (tmp_path / name).write_bytes(gzip.compress(lines(question(1, "ABCDE")).encode() * 50)[:-20])
    with pytest.raises(DataError, match=r"(cannot be read|damaged or cut-off archive)"):
        DATASETS["medqa"].load(tmp_path, "test")


def test_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, {"US/test.jsonl": "\ufeff\n" + lines(question(1, "ABCDE")) + "\r\n\n"})
    assert len(DATASETS["medqa"].load(tmp_path, "test").examples) == 1


def test_archives_are_opened_only_when_needed(tmp_path: Path) -> None:
    write(tmp_path, {"US/test.jsonl": lines(question(1, "ABCDE"))})
    (tmp_path / "broken.zip").write_bytes(b"no archive")
    assert len(DATASETS["medqa"].load(tmp_path, "test").examples) == 1
    with pytest.raises(DataError, match=r"broken.zip: is a damaged or cut-off archive"):
        Folder(tmp_path).find("other.jsonl")
