"""Scores that can be computed again on any draw of their items.

The value of each comes from the library that the field uses (scikit-learn, seqeval); its interval from the items' own
counts (`statistics`), a function that gives the same value on all of them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from melama_jax.evaluation.example import Example
from melama_jax.evaluation.markup import entity_spans
from melama_jax.evaluation.parsing import normalize_answer
from melama_jax.evaluation.statistics import Score, bootstrap_interval, mean

NO_ANSWER = "no answer"
"""What stands for an answer that could not be read: a label of its own, never right."""
Metrics = dict[str, dict[str, Any]]
"""By name: `value`, and `low` and `high` of its 95% interval; `not_run` says why a value is missing."""


@dataclasses.dataclass(frozen=True)
class Metric:
    """A score.

    Attributes:
        value: Over all items.
        counts: What each item counts for.
        score: Gives the value from the means of the counts.
    """

    value: float
    counts: Float[np.ndarray, "N C"]
    score: Score

    def summary(self, *, resamples: int, seed: int) -> dict[str, float | None]:
        """`value`, and `low` and `high` of its 95% interval by `bootstrap_interval`; None where there is none."""
        share = self.score is mean
        interval = bootstrap_interval(self.score, self.counts, resamples=resamples, seed=seed, share=share)
        low, high = interval or (None, None)
        return {"value": self.value, "low": low, "high": high}


def item_mean(values: Sequence[float] | np.ndarray) -> Metric:
    """The mean of a number an item."""
    array = np.asarray(values, np.float64)
    return Metric(float(array.mean()), array[:, None], mean)


def all_labels(examples: Sequence[Example]) -> list[str]:
    """Every label that an item has, in the order that they first stand in."""
    return list(dict.fromkeys(label for example in examples for label in example.labels))


def single_label(
    gold: Sequence[str], answers: Sequence[str | None], labels: Sequence[str], *, negative: str | None = None
) -> dict[str, Metric]:
    """Scores of one label an item.

    Args:
        gold: The right labels.
        answers: Those given; None is wrong, and no label of the averages.
        labels: All there are.
        negative: The label that stands for none of the others.

    Returns:
        `accuracy`; `macro_f1`, the mean over all labels but those that neither gold nor an answer has;
        `macro_f1_gold_present`, over those that gold has; `weighted_f1`, weighted by how many have each; with a
        negative label also `macro_f1_positive` and `micro_f1_positive`, over the others.
    """
    given = [NO_ANSWER if answer is None else answer for answer in answers]
    positive = [label for label in labels if label != negative]
    present = [label for label in labels if label in set(gold)]

    def f1(average: str, score: Score, over: Sequence[str], counted: Sequence[str]) -> Metric:
        counts = _outcomes([{label} for label in gold], [{label} for label in given], counted)
        return Metric(_f1_score(gold, given, labels=over, average=average), counts, score)

    metrics = {
        "accuracy": item_mean([right == answer for right, answer in zip(gold, given, strict=True)]),
        "macro_f1": f1("macro", macro_f1, labels, labels),
        "macro_f1_gold_present": f1("macro", macro_f1_gold_present, present, labels),
        "weighted_f1": f1("weighted", weighted_f1, labels, labels),
    }
    if negative in labels:
        metrics["macro_f1_positive"] = f1("macro", macro_f1, positive, positive)
        metrics["micro_f1_positive"] = f1("micro", micro_f1, positive, positive)
    return metrics


def multi_label(
    gold: Sequence[Sequence[str]], answers: Sequence[Sequence[str] | None], labels: Sequence[str]
) -> dict[str, Metric]:
    """Scores of any number of labels an item; an answer that could not be read gives none.

    Returns:
        `macro_f1`, the mean over all labels but those that neither gold nor an answer has; `macro_f1_gold_present`,
        over those that gold has; `micro_f1`; `exact_match`, the share of items whose labels are all right (an answer
        that could not be read is wrong).
    """
    right, given = [set(item) for item in gold], [set(item or ()) for item in answers]
    counts = _outcomes(right, given, labels)
    tables = [np.asarray([[label in item for label in labels] for item in items], int) for items in (right, given)]
    present = [place for place in range(len(labels)) if tables[0][:, place].any()]
    exact = [a is not None and r == g for r, g, a in zip(right, given, answers, strict=True)]
    return {
        "macro_f1": Metric(_f1_score(*tables, average="macro"), counts, macro_f1),
        "macro_f1_gold_present": Metric(
            _f1_score(*tables, labels=present, average="macro") if present else 0.0, counts, macro_f1_gold_present
        ),
        "micro_f1": Metric(_f1_score(*tables, average="micro"), counts, micro_f1),
        "exact_match": item_mean(exact),
    }


def entities(gold: Sequence[Sequence[str]], answers: Sequence[Sequence[str] | None]) -> dict[str, Metric]:
    """Scores of entities, right where type, start and end all are; an answer that could not be read holds none.

    Returns:
        `f1` over all entities (micro), and `macro_f1`, its mean over the types that occur in gold or answers.
    """
    from seqeval.metrics import f1_score  # pyright: ignore[reportMissingImports]

    right = [list(tags) for tags in gold]
    given = [["O"] * len(tags) if answer is None else list(answer) for tags, answer in zip(right, answers, strict=True)]
    right_spans, given_spans = ([set(entity_spans(tags)) for tags in sentences] for sentences in (right, given))
    types = sorted({kind for sentence in [*right_spans, *given_spans] for kind, _, _ in sentence})
    if not types:
        return {"f1": item_mean(np.zeros(len(right))), "macro_f1": item_mean(np.zeros(len(right)))}
    counts = _outcomes(right_spans, given_spans, types, label_of=lambda span: span[0])
    undefined: dict[str, Any] = {"zero_division": 0}
    micro, macro = (np.mean(f1_score(right, given, average=way, **undefined)) for way in ("micro", "macro"))
    return {"f1": Metric(float(micro), counts, micro_f1), "macro_f1": Metric(float(macro), counts, macro_f1)}


def squad(accepted: Sequence[str], answer: str | None) -> tuple[float, float]:
    """Exact match and F1 of tokens after SQuAD's normalization, each the best over the accepted answers."""
    if answer is None:
        return 0.0, 0.0
    given = normalize_answer(answer)
    exact = f1 = 0.0
    for right in map(normalize_answer, accepted):
        exact = max(exact, float(right == given))
        common = sum((Counter(right.split()) & Counter(given.split())).values())
        total = len(right.split()) + len(given.split())
        f1 = max(f1, 2 * common / total if total else 1.0)
    return exact, f1


def macro_f1(means: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
    """Mean of the F1 of the labels that gold or answers have; one that neither has has no F1."""
    hits, given, right = _parts(means)
    return _ratio(_label_f1(hits, given, right).sum(axis=-1), (given + right > 0).sum(axis=-1))


def macro_f1_gold_present(means: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
    """Mean of the F1 of the labels that gold has."""
    hits, given, right = _parts(means)
    return _ratio((_label_f1(hits, given, right) * (right > 0)).sum(axis=-1), (right > 0).sum(axis=-1))


def micro_f1(means: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
    """F1 of all labels together."""
    return _label_f1(*(part.sum(axis=-1) for part in _parts(means)))


def weighted_f1(means: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
    """Mean of the labels' F1, weighted by gold."""
    hits, given, right = _parts(means)
    return _ratio((_label_f1(hits, given, right) * right).sum(axis=-1), right.sum(axis=-1))


def _parts(means: Float[np.ndarray, "*R C"]) -> list[Float[np.ndarray, "*R L"]]:
    """Right answers, answers and gold, by label."""
    return np.split(means, 3, axis=-1)


def _label_f1(hits: np.ndarray, given: np.ndarray, right: np.ndarray) -> np.ndarray:
    return _ratio(2 * hits, given + right)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros(np.shape(above)), where=np.asarray(below) > 0)


def _f1_score(right: Any, given: Any, **options: Any) -> float:
    from sklearn.metrics import f1_score  # pyright: ignore[reportMissingImports]

    # A label that nobody has has no F1 (nan), which the average leaves out.
    return float(np.nan_to_num(f1_score(right, given, **{"zero_division": np.nan, **options})))


def _outcomes(
    gold: Sequence[set[Any]],
    answers: Sequence[set[Any]],
    labels: Sequence[str],
    *,
    label_of: Callable[[Any], str] = lambda answer: answer,
) -> Float[np.ndarray, "N C"]:
    """Of each item and label, how many answers are right, are given, and are gold."""
    places = {label: place for place, label in enumerate(labels)}
    counts = np.zeros((len(gold), 3, len(labels)))
    for item, (right, given) in enumerate(zip(gold, answers, strict=True)):
        for row, found in enumerate((right & given, given, right)):
            for answer in found:
                if (place := places.get(label_of(answer))) is not None:
                    counts[item, row, place] += 1
    return counts.reshape(len(gold), -1)
