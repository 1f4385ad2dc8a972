"""Formats under licence, on files of the documented columns whose contents are made up here."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config import Source, from_mapping
from melama_jax.config.wordings import load_wordings
from melama_jax.data.cache import plan_caches
from melama_jax.data.instruct.restricted import _ICD9, _ICD10, chapter
from melama_jax.data.sources import match_files
from melama_jax.errors import DataError
from tests.data.instruct.reading import read, said, write


def matched(folder: Path, format: str) -> tuple[list[str], list[str]]:
    """Names of the files of a folder that are read, and of those left out."""
    found, left_out = match_files("x", [Source.model_validate({"glob": "*", "format": format})], folder)
    return [file.name for file in found], left_out


# -- UMLS


def name(cui: str, text: str, *, language: str = "ENG", status: str = "P", suppressed: str = "N") -> str:
    return f"{cui}|{language}|{status}|L1|PF|S1|Y|A1||M1|D1|MSH|MH|D1|{text}|0|{suppressed}|256|\n"


def relation(first: str, label: str, second: str, *, suppressed: str = "N") -> str:
    return f"{first}|A1|AUI|CHD|{second}|A2|AUI|{label}|R1||MSH|MSH|||{suppressed}||\n"


@pytest.fixture
def umls(tmp_path: Path) -> Path:
    names = (
        name("C0000002", "Krankheit", language="GER")
        + name("C0000002", "Sickness", status="S")
        + name("C0000002", "Disease")
        + name("C0000007", "Gout; acute")
        + name("C0000009", "Old name", suppressed="O")
        + name("X", "no concept")
        + "short|line\n"
    )
    write(tmp_path / "MRCONSO.RRF.gz", names)
    relations = [
        relation("C0000002", "isa", "C0000007"),
        relation("C0000007", "inverse_isa", "C0000002"),
        relation("C0000007", "may_be_treated_by", "C0000002"),
        relation("C0000007", "", "C0000002"),
        relation("C0000007", "isa", "C0000007"),
        relation("C0000007", "isa", "C0000002", suppressed="O"),
        relation("C0000007", "isa", "C0000009"),
        relation("C0000007", "isa", "X"),
        relation("C0000007", "isa", "C9999999"),
        "C0000007|isa\n",
    ]
    return write(tmp_path / "MRREL.RRF", "".join(relations).encode() + b"\xff|\n")


def test_umls_says_what_the_second_concept_is_to_the_first(umls: Path) -> None:
    conversations, report = read(umls, "umls")
    assert [said(c)[1] for c in conversations] == [
        "Gout; acute - is a - Disease",
        "Disease - includes - Gout; acute",
        "Disease - may be treated by - Gout; acute",
    ]
    assert {c.identity for c in conversations} == {b"C0000002 C0000007"}
    assert report.records == 11
    assert report.skipped == {"unused": 3, "empty": 3, "missing_field": 1, "bad_utf8": 1}
    assert report.first_locations["unused"] == "MRREL.RRF:4"


def test_umls_needs_the_names_of_concepts_and_reads_them_only_so(umls: Path) -> None:
    names = umls.with_name("MRCONSO.RRF.gz")
    assert matched(umls.parent, "umls") == (["MRREL.RRF"], [])
    names.unlink()
    with pytest.raises(DataError, match=r"MRREL.RRF: needs MRCONSO.RRF or MRCONSO.RRF.gz in the same folder"):
        read(umls, "umls")


# -- MIMIC

DISCHARGE = """ Name: ___
Allergies:
Penicillins
Chief Complaint:
chest pain
History of Present Illness:
A man of ___ came
with pain.
Past Medical History:
___
Brief Hospital Course:
He died after the operation.
Discharge Diagnosis:
infarction
"""
RADIOLOGY = """EXAMINATION: CT
FINDINGS:
LUNGS: clear.
 HEART: large.
IMPRESSION:
1. Large heart.
RECOMMENDATION(S): none
"""
IV_NOTE = ("note_id", "subject_id", "hadm_id", "note_type", "note_seq", "charttime", "storetime", "text")
III_NOTE = ("ROW_ID", "SUBJECT_ID", "HADM_ID", "CHARTDATE", "CHARTTIME", "STORETIME", "CATEGORY", "DESCRIPTION", "CGID")


def table(path: Path, *rows: tuple[object, ...]) -> Path:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC).writerows(rows)
    return write(path, text.getvalue())


@pytest.fixture
def mimic_iv(tmp_path: Path) -> Path:
    notes = [(f"{hadm}-DS-1", 10, hadm, "DS", 1, "t", "t", DISCHARGE) for hadm in (20, 21, 22)]
    table(
        tmp_path / "radiology.csv.gz", IV_NOTE, ("a", 10, 20, "RR", 1, "t", "t", RADIOLOGY), ("b", 10, *"xxxx", "", "")
    )
    columns = ("subject_id", "hadm_id", "deathtime", "hospital_expire_flag")
    table(tmp_path / "admissions.csv.gz", columns, (10, 20, "", 0), (10, 21, "t", 1))
    codes = [(10, 20, 1, "J189", 10), (10, 20, 2, "I10", 10), (10, 21, 1, "41071", 9)]
    table(tmp_path / "diagnoses_icd.csv.gz", ("subject_id", "hadm_id", "seq_num", "icd_code", "icd_version"), *codes)
    return table(tmp_path / "discharge.csv.gz", IV_NOTE, *notes)


@pytest.fixture
def mimic_iii(tmp_path: Path) -> Path:
    rows = [
        (1, 5, 30, "", "", "", "Discharge summary", "Report", "", "", DISCHARGE),
        (2, 5, 30, "", "", "", "Radiology", "CT", "", "", RADIOLOGY),
        (3, 5, 30, "", "", "", "Nursing", "Report", "", "", "slept well"),
        (4, 5, 30, "", "", "", "Discharge summary", "Report", "", 1, DISCHARGE),
    ]
    table(tmp_path / "ADMISSIONS.csv", ("ROW_ID", "SUBJECT_ID", "HADM_ID", "HOSPITAL_EXPIRE_FLAG"), (1, 5, 30, 1))
    codes = ("ROW_ID", "SUBJECT_ID", "HADM_ID", "SEQ_NUM", "ICD9_CODE")
    table(tmp_path / "DIAGNOSES_ICD.csv", codes, (1, 5, 30, 1, "V3000"))
    return table(tmp_path / "NOTEEVENTS.csv.gz", (*III_NOTE, "ISERROR", "TEXT"), *rows)


def test_mortality_is_told_from_what_was_known_at_admission(mimic_iv: Path) -> None:
    conversations, report = read(mimic_iv, "mimic_mortality")
    assert ["survived" in said(c)[1] for c in conversations] == [True, False]
    for conversation in conversations:
        question = said(conversation)[0]
        assert "A man of ___ came\nwith pain." in question
        assert not any(word in question for word in ("He died", "infarction"))
    assert {c.identity for c in conversations} == {b"10"}
    assert (report.records, report.skipped) == (3, {"no_answer": 1})
    assert report.first_locations["no_answer"].startswith("discharge.csv.gz:")


def test_the_principal_diagnosis_is_classified(mimic_iv: Path) -> None:
    conversations, _ = read(mimic_iv, "mimic_classification")
    assert [said(c)[1] for c in conversations] == [
        "diseases of the respiratory system",
        "diseases of the circulatory system",
    ]


def test_an_impression_follows_from_the_findings(mimic_iv: Path) -> None:
    (conversation,), report = read(mimic_iv.with_name("radiology.csv.gz"), "mimic_summarization")
    question, answer = said(conversation)
    assert "LUNGS: clear.\nHEART: large." in question
    assert answer == "1. Large heart."
    assert report.skipped == {"no_answer": 1}


def test_a_section_of_a_discharge_summary_is_asked_for(mimic_iv: Path) -> None:
    conversations, _ = read(mimic_iv, "mimic_qa")
    answers = {"allergies": "Penicillins", "chief complaint": "chest pain", "discharge diagnosis": "infarction"}
    for conversation in conversations:
        question, answer = said(conversation)
        assert answer in answers.values()
        assert any(topic in question and text == answer for topic, text in answers.items())
        assert "Brief Hospital Course" in question
    note = DISCHARGE.replace("He died", "He walked. " * 1_000).replace("Penicillins", "Penicillins " * 400)
    table(mimic_iv, IV_NOTE, *((f"{n}", n, n, "DS", 1, "t", "t", note) for n in range(40)))
    conversations, report = read(mimic_iv, "mimic_qa")
    assert {said(c)[1] for c in conversations} == {"chest pain", "infarction"}
    assert all(said(c)[1] in said(c)[0] and len(said(c)[0]) < 6_200 for c in conversations)
    assert not report.skipped


def test_notes_of_mimic_iii_are_told_by_their_category(mimic_iii: Path) -> None:
    for format, expected in (
        ("mimic_mortality", "The patient died in the hospital."),
        ("mimic_classification", "other contacts with health services"),
        ("mimic_summarization", "1. Large heart."),
    ):
        (conversation,), report = read(mimic_iii, format)
        assert said(conversation)[1] == expected
        assert (report.records, report.skipped) == (4, {"unused": 3})
        assert conversation.identity == b"5"


@pytest.mark.parametrize(
    "heading",
    [
        "PHYSICAL EXAMINATION ON ADMISSION",
        "LABORATORY DATA",
        "HOSPITAL COURSE BY SYSTEM",
        "Brief Hospital Course by Problem",
        "Summary of hospital course",
        "Physical exam on discharge",
        "CONDITION ON DISCHARGE",
        "Course in the Unit",
        "FINAL DIAGNOSES",
        "Labs",
    ],
)
def test_what_came_after_admission_is_not_asked_whatever_its_heading(heading: str, mimic_iv: Path) -> None:
    note = f"Chief Complaint: pain\nSocial History:\nA smoker.\n{heading}:\nHe died.\nEXPIRED: yes"
    table(mimic_iv, IV_NOTE, (1, 10, 20, "DS", 1, "t", "t", note))
    (conversation,), _ = read(mimic_iv, "mimic_mortality")
    assert "A smoker." in said(conversation)[0]
    assert not any(word in said(conversation)[0] for word in ("He died", "EXPIRED", heading))


def test_a_note_that_tells_its_end_under_no_heading_is_left_out(mimic_iv: Path) -> None:
    note = "History of Present Illness:\nA man with pain.\nHospital course was short; he expired on day two."
    table(mimic_iv, IV_NOTE, (1, 10, 20, "DS", 1, "t", "t", note))
    conversations, report = read(mimic_iv, "mimic_mortality")
    assert (conversations, report.skipped) == ([], {"unused": 1})


def test_parts_of_a_table_are_read_and_what_is_neither_is_told(mimic_iv: Path) -> None:
    for name in ("discharge-00001-of-00002.csv.gz", "DISCHARGE_part2.csv", "discharge_detail.csv"):
        mimic_iv.with_name(name).write_bytes(b"")
    read_, left_out = matched(mimic_iv.parent, "mimic_mortality")
    assert read_ == ["DISCHARGE_part2.csv", "discharge-00001-of-00002.csv.gz", "discharge.csv.gz"]
    assert left_out == ["diagnoses_icd.csv.gz", "discharge_detail.csv", "radiology.csv.gz"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (((10, 20, "", 0), (10, 21, "t", 1, 0, 7)), r"admissions.csv:3: cannot be read \(bad_csv\)"),
        (((10, 20),), r"admissions.csv:2: has no hospital_expire_flag"),
    ],
)
def test_a_row_that_would_be_missed_is_named(rows: tuple[Any, ...], message: str, mimic_iv: Path) -> None:
    mimic_iv.with_name("admissions.csv.gz").unlink()
    columns = ("subject_id", "hadm_id", "deathtime", "hospital_expire_flag")
    table(mimic_iv.with_name("admissions.csv"), columns, *rows)
    with pytest.raises(DataError, match=message):
        read(mimic_iv, "mimic_mortality")


def test_a_corrected_outcome_makes_rows_anew(mimic_iv: Path, tmp_path: Path) -> None:
    def fingerprint() -> str:
        sources = {"outcomes": [{"glob": "discharge.csv.gz", "format": "mimic_mortality"}]}
        own = {"root": str(mimic_iv.parent), "cache_dir": str(tmp_path / "cache"), "mixture": "outcomes"}
        data = {**own, "sources": sources, "attend_across_documents": False}
        config = from_mapping({"model": {"preset": "tiny", "vocab_size": 4096}, "data": data})
        return plan_caches(config).tasks[0].fingerprint

    before = fingerprint()
    columns = ("subject_id", "hadm_id", "deathtime", "hospital_expire_flag")
    table(mimic_iv.with_name("admissions.csv.gz"), columns, (10, 20, "t", 1), (10, 21, "t", 1))
    assert fingerprint() != before


def test_tables_that_are_looked_up_must_be_there(mimic_iv: Path) -> None:
    admissions = mimic_iv.with_name("admissions.csv.gz")
    admissions.write_bytes(gzip.compress(b"hadm_id,hospital_expire_flag\n1,2\n")[:-4])
    with pytest.raises(DataError, match=r"admissions.csv.gz: is damaged or cut off"):
        read(mimic_iv, "mimic_mortality")
    admissions.unlink()
    with pytest.raises(DataError, match=r"discharge.csv.gz: needs admissions.csv or admissions.csv.gz"):
        read(mimic_iv, "mimic_mortality")


@pytest.mark.parametrize(
    ("code", "version", "expected"),
    [
        ("0389", "9", "infectious"),
        ("1400", "9", "neoplasms"),
        ("99931", "9", "injury"),
        ("E8490", "9", "external"),
        ("V3000", "9", "contacts"),
        ("A419", "10", "infectious"),
        ("D49", "10", "neoplasms"),
        ("D500", "10", "blood"),
        ("H269", "10", "nervous"),
        ("T814", "10", "injury"),
        ("U071", "10", "special"),
        ("Z380", "10", "contacts"),
        ("", "10", ""),
        ("NoDx", "9", ""),
    ],
)
def test_chapters_of_diagnoses(code: str, version: str, expected: str) -> None:
    assert chapter(code, version) == expected


def test_every_chapter_has_its_words() -> None:
    assert {*_ICD9[1::2], *_ICD10[1::2]} == {*load_wordings("mimic_classification").labels}
