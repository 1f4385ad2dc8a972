"""What was published of Me-LLaMA, as data."""

from pathlib import Path

import pytest

from melama_jax.config.published import Published, load_published
from melama_jax.errors import ConfigError
from melama_jax.evaluation.datasets import DATASETS
from melama_jax.evaluation.suites import SPECIAL, SUITES

TABLE = """
title: A paper
tables:
  - name: one
    title: a table
    certainty: primary
    models: [A, B]
    scores: {medqa: {accuracy: [0.5, %s]}}
    exceptions: [{models: [%s], certainty: recollected, note: from memory}]
"""


def _written(tmp_path: Path, score: str, model: str) -> Published:
    path = tmp_path / "published.yaml"
    path.write_text(TABLE % (score, model))
    return load_published(path)


def test_the_figures_of_a_task_have_their_own_certainty(tmp_path: Path):
    figures = _written(tmp_path, "0.25", "B").tables[0].figures("medqa", "accuracy")
    assert [(model, one.value, one.certainty, one.note) for model, one in figures.items()] == [
        ("A", 0.5, "primary", ""),
        ("B", 0.25, "recollected", "from memory"),
    ]


def test_what_was_not_published_is_no_figure(tmp_path: Path):
    published = _written(tmp_path, "null", "B")
    assert list(published.tables[0].figures("medqa", "accuracy")) == ["A"]
    assert published.tables[0].figures("medqa", "f1") == {}
    assert published.metrics("hoc") == []


@pytest.mark.parametrize(
    ("score", "model", "message"),
    [
        ("52.3", "B", "tables.one.scores.medqa.accuracy: needs 2 scores from 0 to 1"),
        ("0.1, 0.2", "B", "tables.one.scores.medqa.accuracy: needs 2 scores"),
        ("0.1", "C", "tables.one: has no column 'C'"),
        ("high", "B", "tables.0.scores.medqa.accuracy.1: "),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path: Path, score: str, model: str, message: str):
    with pytest.raises(ConfigError) as failure:
        _written(tmp_path, score, model)
    assert f"{tmp_path / 'published.yaml'}: {message}" in str(failure.value)


def test_the_paper_has_its_twelve_datasets_in_every_complete_table():
    tables = {table.name: table for table in load_published().tables}
    for name in ("zero_shot", "zero_shot_others", "supervised"):
        assert set(tables[name].scores) == set(SUITES["mibe"])


def test_figures_of_the_paper_are_as_printed():
    zero_shot, *_, supervised = load_published().tables
    assert zero_shot.figures("medqa", "accuracy")["Me-LLaMA 70B-chat"] == (0.523, "primary", "")
    assert supervised.figures("medqa", "accuracy")["Me-LLaMA 70B"].certainty == "secondary"
    assert supervised.figures("emrqa", "f1")["Me-LLaMA 13B"] == (0.751, "recollected", "")


def test_every_task_that_a_figure_is_of_exists():
    published = load_published()
    known = {*DATASETS, *SPECIAL, *(task for tasks in SUITES.values() for task in tasks)}
    assert {figure.task for figure in published.related} <= known
    assert set(published.notes) <= known
