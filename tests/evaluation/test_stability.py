"""Spread over draws, orders and wordings: models of known instability."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from melama_jax.config import EvaluationConfig
from melama_jax.errors import ConfigError
from melama_jax.evaluation import stability
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.stability import permuted, spread_metrics, std_interval
from melama_jax.evaluation.statistics import wilson_interval
from melama_jax.inference.sampling import SamplingOptions
from tests.evaluation.fakes import FakeAsker, config, interview, metrics_of

ITEMS = 12


def settings(root: Path, **more: object) -> EvaluationConfig:
    """A dataset of options that say themselves whether they are right."""
    folder = root / "data" / "medqa" / "US"
    folder.mkdir(parents=True)
    with (folder / "test.jsonl").open("w", encoding="utf-8") as file:
        for number in range(ITEMS):
            letter = "ABCDE"[number % 5]
            options = {other: f"{'right' if other == letter else 'wrong'} {other} {number}" for other in "ABCDE"}
            record = {"id": f"q{number}", "question": f"Which one of {number}?", "options": options}
            file.write(json.dumps(record | {"answer": options[letter], "answer_idx": letter}) + "\n")
    return config(data={"root": str(root / "data")}, stability={"datasets": ["medqa"], "runs": 4, **more})


def letter_of(prompt: str, word: str) -> str:
    """The first letter whose option has a word."""
    found = re.search(rf"\(?([A-E])[).:]*\s+{word}", prompt)
    assert found is not None
    return found[1]


def test_a_model_that_knows_is_stable_everywhere(tmp_path: Path) -> None:
    asker = FakeAsker(
        lambda prompt, _: letter_of(prompt, "right"),
        lambda prompt, text: float(text.strip() == letter_of(prompt, "right")),
    )
    found = stability.run(interview(asker, tmp_path), settings(tmp_path))
    assert {(score["answering"], score["scorer"]) for score in found["scores"]} == {
        ("generate", "medqa, draws at 0.7"),
        ("generate", "medqa, option order"),
        ("likelihood", "medqa, option order"),
        ("generate", "medqa, wording"),
        ("likelihood", "medqa, wording"),
    }
    for score in found["scores"]:
        values = {name: value["value"] for name, value in score["metrics"].items()}
        drawn = {"medqa_accuracy_std": 0} if "draws" in score["scorer"] else {}
        assert values == {"accuracy_std": 0, "accuracy": 1, "agreement": 1, "unanimous": 1} | drawn
        # No run differs from another, no item is wrong.
        assert score["metrics"]["accuracy_std"] == {"value": 0, "low": None, "high": None}
        low, high = wilson_interval(ITEMS, ITEMS)
        for name in ("accuracy", "agreement", "unanimous"):
            assert score["metrics"][name] == {"value": 1, "low": low, "high": high}
    assert (found["n"], found["not_run"], found["protected"]) == (ITEMS, None, False)


def test_a_model_that_prefers_a_letter_is_unstable_over_orders_alone(tmp_path: Path) -> None:
    found = stability.run(interview(FakeAsker(lambda prompt, _: "A"), tmp_path), settings(tmp_path, runs=10))
    assert metrics_of(found, "medqa, draws at 0.7")["agreement"]["value"] == 1
    assert metrics_of(found, "medqa, draws at 0.7")["accuracy_std"]["value"] == 0
    orders = next(s for s in found["scores"] if s["scorer"] == "medqa, option order" and s["answering"] == "generate")
    assert orders["metrics"]["accuracy_std"]["value"] > 0.02
    # Decisions are compared by the option, not by its letter.
    assert 0.2 < orders["metrics"]["agreement"]["value"] < 0.6


def test_draws_are_seeded_by_run_and_item(tmp_path: Path) -> None:
    seeds: set[int] = set()

    def answer(prompt: str, options: object) -> str:
        seeds.add(options.seed)  # pyright: ignore[reportAttributeAccessIssue]
        return "A"

    found = stability.run(interview(FakeAsker(answer), tmp_path), settings(tmp_path))
    assert len(seeds) >= 4 * ITEMS
    (table,) = found["extra"]["tables"]
    assert [row[3] for row in table["rows"] if row[1] == "draws at 0.7"] == [0, 1, 2, 3]


def test_absent_files_are_refused_before_a_model_is_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"stability\.datasets: medqa, nejm_medqa: the files are not there"):
        stability.check(config(data={"root": str(tmp_path / "none")}))


def test_absent_files_that_are_allowed_are_reported_as_not_run(tmp_path: Path) -> None:
    none = config(data={"root": str(tmp_path / "none"), "allow_missing": True})
    assert stability.check(none) == {}
    found = stability.run(interview(FakeAsker(), tmp_path), none)
    assert found["scores"] == []
    assert re.match(r"medqa: not run, .*; nejm_medqa: not run, ", found["not_run"])
    some = settings(tmp_path, datasets=["medqa", "nejm_medqa"], runs=2)
    with pytest.raises(ConfigError, match=r"stability\.datasets: nejm_medqa"):
        stability.check(some)
    some = some.model_copy(update={"data": some.data.model_copy(update={"allow_missing": True})})
    found = stability.run(interview(FakeAsker(), tmp_path), some)
    assert (found["not_run"], found["n"]) == (None, ITEMS)
    assert found["protocol"]["notes"][0].startswith("nejm_medqa: not run, ")


def test_hashes_of_all_that_the_answers_depend_on(tmp_path: Path) -> None:
    asked = settings(tmp_path)
    files = stability.check(asked)
    assert {"medqa/test.jsonl", "medqa/prompt", "choice_paraphrase1"} <= files.keys()
    path = tmp_path / "data" / "medqa" / "US" / "test.jsonl"
    path.write_text(path.read_text().replace("Which one of 3?", "Which other of 3?"))
    changed = stability.check(asked)
    assert [name for name in files if files[name] != changed[name]] == ["medqa/test.jsonl"]
    assert stability.run(interview(FakeAsker(), tmp_path), asked)["protocol"]["files"] == changed


def test_the_protocol_says_which_split_of_each_dataset_was_asked(tmp_path: Path) -> None:
    asked = settings(tmp_path, runs=2)
    data = asked.data.model_copy(update={"split": "validation", "splits": {"medqa": "test"}})
    found = stability.run(interview(FakeAsker(), tmp_path), asked.model_copy(update={"data": data}))
    assert found["protocol"]["split"] == {"medqa": "test"}


def test_the_protocol_says_how_items_are_asked(tmp_path: Path) -> None:
    seen = set()

    def answer(prompt: str, options: SamplingOptions) -> str:
        seen.add((options.max_new_tokens, options.top_p))
        return "A"

    asked = settings(tmp_path)

    def with_protocol(**more: object) -> EvaluationConfig:
        return EvaluationConfig.model_validate(asked.model_dump() | {"protocol": more})

    ways = ["generate"]
    found = stability.run(
        interview(FakeAsker(answer), tmp_path / "a"),
        with_protocol(answering=ways, max_new_tokens=2, top_p=0.5, shots=3),
    )
    assert seen == {(2, 0.5)}
    assert {score["answering"] for score in found["scores"]} == {"generate"}
    found = stability.run(interview(FakeAsker(answer), tmp_path / "b"), with_protocol(answering=["likelihood"]))
    assert [score["scorer"] for score in found["scores"]] == ["medqa, option order", "medqa, wording"]
    with pytest.raises(ConfigError, match=r"stability\.datasets: 'hoc'"):
        stability.check(config(stability={"datasets": ["hoc"]}))


def test_a_likelihood_that_is_no_number_is_no_answer(tmp_path: Path) -> None:
    asked = settings(tmp_path)
    asker = FakeAsker(likelihood=lambda prompt, text: float("nan") if "Which one of 3?" in prompt else -1.0)
    found = stability.run(interview(asker, tmp_path), asked)
    orders = next(s for s in found["scores"] if s["scorer"] == "medqa, option order" and s["answering"] == "likelihood")
    assert orders["parse_failures"] == 4


def test_cases_are_judged_by_their_first_diagnosis(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "own_cases"
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").write_text(
        '{"id": "1", "case": "One case.", "diagnosis": "chickenpox"}\n'
        '{"id": "2", "case": "Two cases.", "diagnosis": "gout"}\n'
    )
    asked = config(data={"root": str(tmp_path / "data")}, stability={"datasets": ["own_cases"], "runs": 2})
    found = stability.run(interview(FakeAsker(lambda prompt, _: "1. Varicella\n2. Gout"), tmp_path), asked)
    (score,) = found["scores"]
    assert score["metrics"]["accuracy"]["value"] == 0.5
    assert found["protected"] is True


def test_a_dataset_without_options_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"stability\.datasets: 'hoc'"):
        stability.run(interview(FakeAsker(), Path()), config(stability={"datasets": ["hoc"]}))


def test_a_permuted_item_keeps_its_answer() -> None:
    example = Example("1", {"question": "?", "options": {"A": "a", "B": "b", "C": "c", "D": "d"}}, "C", tuple("ABCD"))
    orders = set()
    for seed in range(20):
        moved, order = permuted(example, seed)
        assert moved.fields["options"][moved.gold] == "c"
        assert order[moved.gold] == "C"
        assert list(moved.fields["options"]) == list("ABCD")
        orders.add(tuple(moved.fields["options"].values()))
    assert len(orders) > 10


def test_spread_of_known_runs() -> None:
    correct = [[True, True, False, False], [True, False, False, False], [True, True, True, False]]
    decisions = [["A", "A", "B", None], ["A", "B", "B", None], ["A", "A", "C", None]]
    found = spread_metrics(correct, decisions, config())
    assert found["accuracy_std"]["value"] == pytest.approx(0.25)
    assert found["accuracy"]["value"] == pytest.approx(0.5)
    assert found["agreement"]["value"] == pytest.approx((1 + 2 / 3 + 2 / 3 + 0) / 4)
    assert found["unanimous"]["value"] == 0.25
    # sqrt(2 s^2 / chi2): quantiles 7.378 and 0.0506 of two degrees of freedom.
    assert found["accuracy_std"]["low"] == pytest.approx(0.25 * math.sqrt(2 / 7.378), rel=1e-3)
    assert found["accuracy_std"]["high"] == pytest.approx(0.25 * math.sqrt(2 / 0.05064), rel=1e-3)


def test_the_interval_of_the_spread_covers_the_truth() -> None:
    rng = np.random.default_rng(0)
    items, runs = 200, 10
    chances = rng.uniform(0.1, 0.9, items)
    truth = math.sqrt((chances * (1 - chances)).sum()) / items
    covered = 0
    for _ in range(400):
        accuracies = (rng.random((runs, items)) < chances).mean(axis=1)
        low, high = std_interval(float(accuracies.std(ddof=1)), runs)
        covered += low <= truth <= high
    assert 0.92 <= covered / 400 <= 0.98
