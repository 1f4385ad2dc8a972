"""The report of an evaluation: figures, units, what is never shown."""

import html
import io
import json
import re
import xml.etree.ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from melama_jax.evaluation.plots import plot_confusion
from melama_jax.evaluation.report import print_table, write_report
from tests.evaluation.reports import make_report


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    write_report(folder, make_report())
    return folder


@pytest.fixture(scope="module")
def rows(run: Path) -> list[list[str]]:
    """Rows of all tables of the Markdown, by cell."""
    lines = (run / "report.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("|")]


def _row(rows: list[list[str]], *begin: str) -> list[str]:
    found = [row for row in rows if tuple(row[: len(begin)]) == begin]
    assert found, begin
    return found[0]


def test_all_files_are_written_and_no_temporary_one_is_left(run: Path):
    names = {path.name for path in run.rglob("*") if path.is_file()}
    assert names == {
        "report.html",
        "report.md",
        "report.json",
        "scores.png",
        "intervals.png",
        "confusion_medqa.png",
    }
    assert json.loads((run / "report.json").read_text()) == make_report()


def test_a_score_stands_beside_chance_and_the_published_figures(rows: list[list[str]]):
    assert _row(rows, "MedQA (USMLE)") == [
        *("MedQA (USMLE)", "200", "accuracy", "generate strict", "41.2 [35.0, 47.5]", "5.0%", "20.0"),
        *("42.7", "52.3", "49.3‡", "62.3†", "10.0%"),
    ]


def test_a_metric_that_is_no_share_keeps_its_unit(rows: list[list[str]]):
    assert _row(rows, "generate measured") == ["generate measured", "0", "141.2 GiB", "0.5000 s"]
    assert _row(rows, "deployment cost, general queries: peak memory")[1:4] == ["141.2 GiB", "141.2†", "GiB"]
    assert "-3.250 [-3.500, -3.000] nats" in _row(rows, "generate strict", "0.0%")


def test_a_metric_that_could_not_run_says_why(run: Path, rows: list[list[str]]):
    assert _row(rows, "generate strict", "0.0%")[3] == "not run"
    assert "Not run: bertscore, metrics.bertscore_model names no folder" in (run / "report.html").read_text()


def test_a_suite_has_its_own_section_and_is_no_bar_among_the_scores(run: Path, rows: list[list[str]]):
    page = (run / "report.html").read_text()
    assert "Spread of the accuracy" in page
    assert "stability" not in page[: page.index("Spread of the accuracy</h2>")]
    assert _row(rows, "generate medqa, draws at 0.7") == ["generate medqa, draws at 0.7", "450", "2.1 [1.4, 3.8]"]
    assert _row(rows, "Base Accuracy Std Dev")[1:4] == ["2.1 [1.4, 3.8]", "2.28†", "points"]
    assert _row(rows, "70B") == ["70B", "yes"]


def test_overlap_is_counted_and_its_ids_stay_in_the_json(run: Path):
    text = (run / "report.md").read_text()
    assert "13-grams of words: 19 of 190 items have one there, 1 more than half" in text
    assert "touched" not in text


def test_text_of_records_is_escaped(run: Path):
    page = (run / "report.html").read_text()
    assert "<script>" not in page
    assert html.escape("<script>no") in page
    assert "````\n```\n<script>no\n````" in (run / "report.md").read_text()


def test_the_page_needs_nothing_else(run: Path):
    page = (run / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    assert not re.findall(r"url\((?!#)", page)


def test_a_protected_dataset_shows_no_record(run: Path):
    report = make_report()
    assert "No examples: the records are protected" in (run / "report.md").read_text()
    report["tasks"][1]["failures"] = [{"id": "1", "prompt": "a note", "output": "", "gold": "", "answer": None}]
    with pytest.raises(AssertionError, match="protected"):
        write_report(run / "never", report)
    assert not (run / "never").exists()


def test_what_did_not_run_is_named(run: Path, rows: list[list[str]]):
    assert _row(rows, "MedNLI") == ["MedNLI", "there is no mednli"]


def test_a_report_of_suites_alone_has_no_table_of_scores(tmp_path: Path):
    report = make_report()
    report["tasks"] = [task for task in report["tasks"] if task["task"] in ("deployment", "mednli")]
    write_report(tmp_path, report)
    assert "## Scores" not in (tmp_path / "report.md").read_text()
    assert _printed(report).count("deployment") == 2


def _printed(report: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_table(console, report)
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]  # the StringIO above


def test_the_printed_table_fits_a_terminal():
    printed = _printed(make_report())
    assert "41.2 [35.0, 47.5]" in printed
    assert "141.2 GiB" in printed
    assert "not run: MedNLI: there is no mednli" in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 105


def test_a_confusion_matrix_may_have_more_columns_than_rows():
    plot = plot_confusion("c", "C", ["A", "$5"], ["A", "$5", "no answer"], np.array([[3, 1, 0], [0, 0, 0]]))
    texts = [one.text for one in xml.etree.ElementTree.fromstring(plot.svg).iter() if one.tag.endswith("text")]
    assert {"A", "$5", "no answer", "3", "gold", "answer"} <= set(texts)
    assert plot.png.startswith(b"\x89PNG")


def test_a_matrix_says_whose_answers_it_shows_and_none_is_drawn_of_answers_that_nobody_could_read(
    run: Path, tmp_path: Path
):
    assert "Confusion in MedQA (USMLE) (generate strict)" in (run / "report.html").read_text()
    report = make_report()
    report["tasks"][0]["confusion"]["matrix"] = [[0, 0, 90], [0, 0, 10]]
    write_report(tmp_path, report)
    assert "None of the answers could be read" in (tmp_path / "report.md").read_text()
    assert not (tmp_path / "plots" / "confusion_medqa.png").exists()
