"""The strict scorer: gold answers score 100 of every kind, wrong and unread ones do not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melama_jax.config.evaluation import MetricsConfig
from melama_jax.config.prompt import load_prompt
from melama_jax.evaluation.datasets import DATASETS
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.prompts import answer_text

pytest.importorskip("sklearn")
pytest.importorskip("seqeval")
pytest.importorskip("rouge_score")

from melama_jax.evaluation import strict

SHARED = Path(__file__).parents[3] / "shared" / "data"
FEW = MetricsConfig(resamples=50)
OPTIONS = {"A": "Aspirin", "B": "Insulin"}


def choice(id: str, gold: str) -> Example:
    return Example(id, {"question": "?", "options": OPTIONS}, gold, ("A", "B"))


ITEMS: dict[str, list[Example]] = {
    "medqa": [choice("1", "A"), choice("2", "B")],
    "ddi2013": [
        Example(label, {"sentence": ""}, label, DATASETS["ddi2013"].labels) for label in ("DDI-int", "DDI-false")
    ],
    "mtsample": [
        Example(label, {"text": ""}, label, DATASETS["mtsample"].labels) for label in DATASETS["mtsample"].labels
    ],
    "clip": [
        Example(str(n), {"sentence": ""}, gold, DATASETS["clip"].labels)
        for n, gold in enumerate([(), ("Lab", "Other")])
    ],
    "emrqa": [Example("1", {"context": "", "question": ""}, ("the 25 mg", "25 mg"))],
    "i2b2_2010": [
        Example(
            "1", {"tokens": ["no", "chest", "pain"]}, ("O", "B-problem", "I-problem"), DATASETS["i2b2_2010"].labels
        ),
        Example("2", {"tokens": ["well", "<", "5"]}, ("O", "O", "O"), DATASETS["i2b2_2010"].labels),
    ],
    "meqsum": [Example("1", {"text": ""}, "Gout?"), Example("2", {"text": ""}, "What helps against gout?")],
}


@pytest.mark.parametrize("name", ITEMS)
def test_gold_answers_score_one_in_everything(name: str) -> None:
    kind, items, prompt = DATASETS[name].kind, ITEMS[name] * 20, load_prompt(name)  # no draw without a positive one
    answers = [strict.parse(item, kind, answer_text(prompt, item, item.gold)) for item in items]
    found = strict.score(kind, items, answers, settings=FEW)
    ran = {metric: row for metric, row in found.items() if "not_run" not in row}
    assert ran
    assert all(row["value"] == 1 and row["high"] in (1, None) for row in ran.values()), ran
    assert strict.per_item(kind, items, answers).tolist() == [1.0] * len(items)


@pytest.mark.parametrize("name", ITEMS)
def test_unread_answers_score_nothing(name: str) -> None:
    kind, items = DATASETS[name].kind, ITEMS[name]
    answers = [None] * len(items)
    for metric, row in strict.score(kind, items, answers, settings=FEW).items():
        # The only thing that "none" and an unread answer share is that they name no label.
        assert row["value"] in (0, None), metric
    assert strict.per_item(kind, items, answers).tolist() == [0.0] * len(items)


def test_negative_class_of_ddi_has_f1_beside_and_without_it() -> None:
    found = strict.score("label", ITEMS["ddi2013"], ["DDI-false", "DDI-false"], settings=FEW)
    assert found["macro_f1"]["value"] == pytest.approx((0 + 2 / 3) / 2)
    assert found["macro_f1_positive"]["value"] == 0


def test_model_based_scores_say_why_they_did_not_run() -> None:
    found = strict.score("summary", ITEMS["meqsum"], ["a", "b"], settings=FEW)
    assert found["bertscore"] == {
        "value": None,
        "low": None,
        "high": None,
        "not_run": "metrics.bertscore_model names no folder",
    }


def test_interval_lies_around_the_value_and_depends_on_the_seed() -> None:
    rng = np.random.default_rng(0)
    items = [choice(str(n), "A") for n in range(200)]
    answers = ["A" if rng.random() < 0.7 else None for _ in items]
    first, again, *others = (strict.score("choice", items, answers, seed=seed)["accuracy"] for seed in (1, 1, 2, 3, 4))
    assert first == again
    assert any(other != first for other in others)
    assert first["value"] - 0.08 < first["low"] < first["value"] < first["high"] < first["value"] + 0.08


def test_answers_by_likelihood_have_accuracy_and_macro_f1() -> None:
    found = strict.score_answers(ITEMS["medqa"], ["A", "A"], settings=FEW)
    assert {name: row["value"] for name, row in found.items()} == pytest.approx({"accuracy": 0.5, "macro_f1": 1 / 3})


def test_confusion_has_a_column_for_no_answer() -> None:
    items = [choice("1", "A"), choice("2", "A"), choice("3", "B")]
    assert strict.confusion(items, ["B", None, "B"]) == {
        "labels": ["A", "B"],
        "columns": ["A", "B", "no answer"],
        "matrix": [[0, 1, 1], [0, 1, 0]],
    }


@pytest.mark.parametrize(
    ("kind", "gold", "answer", "expected"),
    [
        ("choice", "A", "B", 0),
        ("labels", ("Lab", "Other"), ("Lab",), 2 / 3),
        ("span", ("chest pain",), "pain", 2 / 3),
        ("entities", ("B-x", "O", "B-y"), ("B-x", "O", "O"), 2 / 3),
        ("summary", "no chest pain", "chest pain", 0.8),
    ],
)
def test_item_counts_as_its_kind_says(kind: str, gold: Any, answer: Any, expected: float) -> None:
    assert strict.per_item(kind, [Example("1", {}, gold)], [answer]).tolist() == pytest.approx([expected])


REAL = {
    "medqa": ("eval/medqa", "test"),
    "medmcqa": ("eval/medmcqa", "test"),
    "pubmedqa": ("eval/pubmedqa", "test"),
    "hoc": ("eval/hoc", "test"),
    "mtsample": ("eval/mtsample", "test"),
    "bc5cdr": ("eval/ner_bc5cdr", "validation"),
    "meqsum": ("eval/meqsum", "test"),
    "ddi2013": ("noncommercial/ddi2013", "test"),
    "nli4ct": ("unstated/nli4ct", "validation"),
}


@pytest.mark.parametrize("name", REAL)
def test_gold_answers_of_the_real_files_score_one(name: str) -> None:
    folder, split = SHARED / REAL[name][0], REAL[name][1]
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    if name == "meqsum":
        pytest.importorskip("openpyxl")
    kind, prompt = DATASETS[name].kind, load_prompt(name)
    items = DATASETS[name].load(folder, split).examples  # pyright: ignore[reportArgumentType]
    answers = [strict.parse(item, kind, answer_text(prompt, item, item.gold)) for item in items]
    found = strict.score(kind, items, answers, settings=FEW)
    assert {row["value"] for row in found.values() if "not_run" not in row} == {1.0}
