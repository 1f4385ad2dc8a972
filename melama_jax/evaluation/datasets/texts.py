"""Answers that are text: spans (EmrQA), summaries, and diagnoses of cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets.files import SPLIT_NAMES, Entry, Folder, Record, as_record, exports, read_records
from melama_jax.evaluation.datasets.items import Items
from melama_jax.evaluation.example import Loaded, Split

_SECTION = re.compile(r"^[ \t]*([A-Z][A-Z &/()-]+):", re.MULTILINE)


def emrqa(folder: Path, split: Split) -> Loaded:
    """EmrQA: SQuAD's nesting of `data`, `paragraphs` and `qas`, or the hub's flat records.

    A context may be a list of lines and a question a list of paraphrases, of which the first is taken.
    """
    source = Folder(folder)
    items = Items(source)
    names = [f"{part}{name}.json" for name in SPLIT_NAMES[split] for part in ("", "*-", "*_")]
    for entry in source.find(*names, *exports(split)):
        tree = entry.json() if entry.name.endswith(".json") else None
        data = tree.get("data") if isinstance(tree, dict) else None
        for record in _squad(data, entry.place) if isinstance(data, list) else read_records(entry):
            context, question = record.value("context"), record.value("question")
            answers = record.value("answers")
            found = (
                answers.get("text", []) if isinstance(answers, dict) else [_answer(answer) for answer in answers or []]
            )
            gold = tuple(dict.fromkeys(text.strip() for text in found if isinstance(text, str) and text.strip()))
            fields = {
                "context": "".join(context) if isinstance(context, list) else record.text("context"),
                "question": (question or [""])[0] if isinstance(question, list) else record.text("question"),
            }
            items.add(record.id("id"), fields, gold or None)
    return items.loaded()


def _answer(answer: Any) -> Any:
    return answer.get("text") if isinstance(answer, dict) else answer


def _squad(data: list[Any], place: str) -> Iterator[Record]:
    count = 0
    for article in data:
        for paragraph in as_record(article, place, "").value("paragraphs"):
            inside = as_record(paragraph, place, "")
            for question in inside.value("qas"):
                count += 1
                asked = as_record(question, f"{place}: question {count}", str(count))
                yield Record(asked.place, {**asked.data, "context": inside.value("context")}, asked.key)


def pubmed_summarization(folder: Path, split: Split) -> Loaded:
    """Scientific papers (PubMed): an article's body to its abstract; official JSON lines or the hub's two columns."""
    source = Folder(folder)
    items = Items(source)
    official = [f"{name}.txt" for name in SPLIT_NAMES[split]]
    for record in source.records(*official, *exports(split, folder="document/"), *exports(split)):
        if "article_text" in record.data:
            text = " ".join(record.texts("article_text"))
            summary = " ".join(re.sub(r"</?S>", "", line).strip() for line in record.texts("abstract_text"))
        else:
            text, summary = record.text("article"), record.text("abstract")
        items.add(record.id("article_id", "id"), {"text": text.strip()}, summary.strip())
    return items.loaded()


def mimic_cxr(folder: Path, split: Split) -> Loaded:
    """MIMIC-CXR: a radiology report's findings to its impression.

    A table with `findings` and `impression` a split, or the official reports `s<study>.txt` with
    `mimic-cxr-2.0.0-split.csv`; a report without one of the two sections is counted and left out.
    """
    source = Folder(folder)
    items = Items(source)
    if source.find(*exports(split), "validate.csv", required=False):
        extra = ("validate.csv",) if split == "validation" else ()
        for record in source.records(*exports(split), *extra):
            fields = {"text": record.text("findings", "Findings", "text")}
            items.add(record.id("study_id", "id"), fields, record.text("impression", "Impression", "summary"))
        return items.loaded()
    name = "validate" if split == "validation" else split
    splits = source.records("mimic-cxr-2.0.0-split.csv")
    studies = {record.text("study_id") for record in splits if record.text("split") == name}
    for entry in source.find("s[0-9]*.txt"):
        study = PurePosixPath(entry.name).stem[1:]
        if study in studies:
            sections = _sections(entry.text())
            items.add(study, {"text": sections.get("FINDINGS", "")}, sections.get("IMPRESSION", ""))
    return items.loaded()


def _sections(report: str) -> dict[str, str]:
    """Texts of a report's sections by their headings, which stand in capitals before a colon; the last counts."""
    headings = list(_SECTION.finditer(report))
    ends = [heading.start() for heading in headings[1:]] + [len(report)]
    return {
        heading[1].strip(): " ".join(report[heading.end() : end].split())
        for heading, end in zip(headings, ends, strict=True)
    }


def meqsum(folder: Path, split: Split) -> Loaded:
    """MeQSum: a consumer's health question to a short one; the official workbook, which has no splits."""
    source = Folder(folder)
    items = Items(source)
    entry = source.find("MeQSum*.xlsx", *exports("test"))[0]
    for record in _workbook(entry) if entry.name.endswith(".xlsx") else read_records(entry):
        items.add(record.id("File", "id"), {"text": record.text("CHQ")}, record.text("Summary"))
    return items.loaded()


def _workbook(entry: Entry) -> Iterator[Record]:
    import io

    try:
        import openpyxl
    except ImportError:
        raise DataError(f"{entry.place}: needs openpyxl; install melama_jax[eval]") from None
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(entry.read()), read_only=True, data_only=True)
        rows = [list(row) for row in workbook.worksheets[0].iter_rows(values_only=True)]
    except Exception:  # The library raises many types for what is no workbook.
        raise DataError(f"{entry.place}: is no workbook, or a damaged one") from None
    header = [str(name or "").strip() for name in rows[0]] if rows else []
    for number, row in enumerate(rows[1:], 2):
        if any(cell is not None for cell in row):
            yield Record(f"{entry.place}: row {number}", dict(zip(header, row, strict=False)), str(number))


def agentclinic(folder: Path, split: Split) -> Loaded:
    """AgentClinic's cases made from MedQA: what the patient says, the examination and the tests to a diagnosis."""
    source = Folder(folder)
    items = Items(source)
    for record in source.records("agentclinic_medqa_extended.jsonl", "agentclinic_medqa.jsonl"):
        case = record.mapping("OSCE_Examination")
        shown = {key: case.value(key) for key in ("Patient_Actor", "Physical_Examination_Findings", "Test_Results")}
        items.add(record.key, {"case": "\n".join(_outline(shown))}, case.text("Correct_Diagnosis"))
    return items.loaded()


def _outline(tree: Any, depth: int = 0) -> Iterator[str]:
    """A nested mapping as indented lines `name: value`."""
    for key, value in tree.items():
        name = f"{'  ' * depth}{str(key).replace('_', ' ')}:"
        if isinstance(value, dict):
            yield name
            yield from _outline(value, depth + 1)
        else:
            yield f"{name} {'; '.join(map(str, value)) if isinstance(value, list) else value}"


def craft_md(folder: Path, split: Split) -> Loaded:
    """CRAFT-MD's vignettes to a diagnosis."""
    source = Folder(folder)
    items = Items(source)
    for record in source.records("usmle_and_derm_dataset.csv", "craft_md*.csv"):
        id = "-".join(name for name in (record.id("dataset"), record.id("case_id")) if name)
        items.add(id, {"case": record.text("case_vignette")}, record.text("answer"))
    return items.loaded()


def nejm_medqa(folder: Path, split: Split) -> Loaded:
    """NEJM-MedQA: diagnostic questions with a free answer."""
    source = Folder(folder)
    items = Items(source)
    for record in source.records("nejm_test/*.parquet", "nejm_test.*"):
        case = record.text("case_presentation", "case", "Case", "question", "Question")
        items.add(record.id("id"), {"case": case}, record.text("diagnosis", "Diagnosis", "answer", "Answer"))
    return items.loaded()


def own_cases(folder: Path, split: Split) -> Loaded:
    """Cases of your own: JSON lines of `id`, `case` and `diagnosis`."""
    source = Folder(folder)
    items = Items(source)
    for record in source.records("cases.jsonl", *exports("test")):
        items.add(record.text("id"), {"case": record.text("case")}, record.text("diagnosis"))
    return items.loaded()
