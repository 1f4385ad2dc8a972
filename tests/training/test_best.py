"""The best figure: what is better, when to stop, and what a resumed run still knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config import BestConfig
from melama_jax.errors import ConfigError, TrainingError
from melama_jax.training.best import Best, check_metric

LOSS = "eval/medqa/loss"


def best(folder: Path, metric: str = LOSS, stored: dict[str, Any] | None = None, **more: Any) -> Best:
    return Best(BestConfig(metric=metric, **more), folder, stored)


def feed(subject: Best, values: list[float]) -> list[bool]:
    return [subject.consider(step, {subject.metric: value}) for step, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("metric", "larger", "better"),
    [
        (LOSS, None, [True, False, True]),
        ("eval/medqa/perplexity", None, [True, False, True]),
        ("eval/medqa/accuracy", None, [True, True, False]),
        (LOSS, True, [True, True, False]),
        ("eval/medqa/accuracy", False, [True, False, True]),
    ],
)
def test_losses_should_fall_and_accuracies_rise_unless_told(
    metric: str, larger: bool | None, better: list[bool], tmp_path: Path
) -> None:
    assert feed(best(tmp_path, metric, larger_is_better=larger), [2.0, 3.0, 1.0]) == better


def test_equal_and_non_finite_figures_are_no_better(tmp_path: Path) -> None:
    subject = best(tmp_path, patience=3)
    assert feed(subject, [float("nan"), 2.0, 2.0, float("-inf"), float("nan")]) == [False, True, False, False, False]
    assert (subject.step, subject.value, subject.exhausted) == (2, 2.0, True)


def test_patience_counts_evaluations_in_a_row(tmp_path: Path) -> None:
    subject = best(tmp_path, patience=2)
    seen = []
    for value in (3.0, 4.0, 2.0, 2.5, 2.6):
        feed(subject, [value])
        seen.append(subject.exhausted)
    assert seen == [False, False, False, False, True]
    patient = best(tmp_path)
    feed(patient, [1.0] * 50)
    assert not patient.exhausted


def test_a_record_without_the_figure_is_no_evaluation(tmp_path: Path) -> None:
    subject = best(tmp_path, patience=1)
    assert not subject.consider(1, {"eval/other/loss": 1.0})
    assert not subject.exhausted


def test_a_resumed_run_goes_on_counting(tmp_path: Path) -> None:
    before = best(tmp_path, patience=3)
    feed(before, [2.0, 3.0])
    stored = json.loads(json.dumps(before.state()))
    after = best(tmp_path, patience=3, stored=stored)
    assert after.state() == before.state()
    feed(after, [2.5, 2.5])
    assert after.exhausted
    assert best(tmp_path, metric="eval/medqa/accuracy", stored=stored).step is None
    assert best(tmp_path, larger_is_better=True, stored=stored).step is None


def test_what_is_public_is_one_whole_file(tmp_path: Path) -> None:
    subject = best(tmp_path)
    subject.publish(subject.state())
    assert not list(tmp_path.iterdir())
    feed(subject, [2.0])
    subject.publish(subject.state())
    assert [path.name for path in tmp_path.iterdir()] == ["best.json"]
    assert json.loads((tmp_path / "best.json").read_text()) == {"metric": LOSS, "step": 1, "value": 2.0}
    with pytest.raises(TrainingError, match=r"best\.json: cannot be written"):
        best(tmp_path / "gone", stored=subject.state()).publish(subject.state())


def test_a_metric_that_nothing_measures_is_refused_with_those_there_are() -> None:
    check_metric(BestConfig(metric=LOSS), ["medqa"], [])
    check_metric(BestConfig(metric="eval/medqa/accuracy"), [], ["medqa"])
    with pytest.raises(ConfigError, match=r"choose one of eval/medqa/loss, .*, eval/hoc/accuracy_normalized"):
        check_metric(BestConfig(metric="eval/medqa/f1"), ["medqa"], ["hoc"])
    with pytest.raises(ConfigError, match=r"set eval\.interval"):
        check_metric(BestConfig(metric=LOSS), [], [])
