"""The scorer `strict`: whole-word, longest-match parsing that refuses what is ambiguous, and the usual metrics."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from melama_jax.config.evaluation import MetricsConfig
from melama_jax.evaluation import metrics, text_metrics
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.markup import entity_spans
from melama_jax.evaluation.metrics import NO_ANSWER, Metric, Metrics, item_mean
from melama_jax.evaluation.parsing import PARSERS

_NEGATIVE = "DDI-false"
"""The label of DDI 2013 that says that there is no interaction."""


def parse(example: Example, kind: str, output: str) -> Any:
    """The answer in an output, in the form of the kind's gold (case: a tuple of diagnoses), or None if it has none."""
    return PARSERS[kind](example, output)


def score(
    kind: str,
    examples: Sequence[Example],
    answers: Sequence[Any],
    *,
    settings: MetricsConfig | None = None,
    seed: int = 0,
) -> Metrics:
    """Score parsed answers; None counts as wrong.

    Args:
        kind: Of the answers; cases are scored by judges (`cases`).
        examples: The items, at least one.
        answers: As `parse` gives them.
        settings: Number of resamples, folders of models; None takes the defaults.
        seed: Of the resamples.

    Returns:
        The metrics that docs/scoring.md defines for the kind; `value` is on the scale from 0 to 1 (bartscore: a mean
        log-likelihood), and None where `not_run` says why.

    Raises:
        ConfigError: A folder of the settings holds no model.
    """
    settings = settings or MetricsConfig()
    gold = [example.gold for example in examples]
    if kind == "summary":
        found, missing = summary_metrics(gold, answers, settings, strict=True)
    else:
        missing = {}
        if kind in ("choice", "label"):
            labels = metrics.all_labels(examples)
            found = metrics.single_label(gold, answers, labels, negative=_NEGATIVE if _NEGATIVE in labels else None)
        elif kind == "labels":
            found = metrics.multi_label(gold, answers, metrics.all_labels(examples))
        elif kind == "span":
            pairs = np.asarray([metrics.squad(*pair) for pair in zip(gold, answers, strict=True)])
            found = {"exact_match": item_mean(pairs[:, 0]), "f1": item_mean(pairs[:, 1])}
        elif kind == "entities":
            found = metrics.entities(gold, answers)
        else:
            raise ValueError(f"{kind}: is not scored here")
    return summaries(found, settings, seed) | missing


def score_answers(
    examples: Sequence[Example],
    answers: Sequence[str | None],
    *,
    settings: MetricsConfig | None = None,
    seed: int = 0,
) -> Metrics:
    """`accuracy` and `macro_f1` of labels picked by likelihood."""
    found = score("label", examples, answers, settings=settings, seed=seed)
    return {name: found[name] for name in ("accuracy", "macro_f1")}


def per_item(kind: str, examples: Sequence[Example], answers: Sequence[Any]) -> Float[np.ndarray, " N"]:
    """One number an item, from 0 to 1, by which two models are paired.

    Choice and label: right or wrong. Labels: F1 of the item's labels, 1 where there are none on either side. Span: F1
    of tokens. Entities: F1 of the sentence's entities, 1 where there are none on either side. Summary: ROUGE-L.
    """
    gold = [example.gold for example in examples]
    if kind == "summary":
        return text_metrics.rouge([answer or "" for answer in answers], gold, stemmer=True)["rougeL"]
    one: Callable[[Any, Any], float] = {
        "labels": _set_f1,
        "span": lambda right, given: metrics.squad(right, given)[1],
        "entities": lambda right, given: _set_f1(entity_spans(right), None if given is None else entity_spans(given)),
    }.get(kind, lambda right, given: float(right == given))
    return np.asarray([one(right, given) for right, given in zip(gold, answers, strict=True)], np.float64)


def confusion(examples: Sequence[Example], answers: Sequence[str | None]) -> dict[str, Any]:
    """How often each label was answered by each.

    Returns:
        `labels`, of the rows (gold); `columns`, the same and one for no answer; `matrix` of counts.
    """
    from sklearn.metrics import confusion_matrix  # pyright: ignore[reportMissingImports]

    labels = metrics.all_labels(examples)
    columns = [*labels, NO_ANSWER]
    given = [NO_ANSWER if answer is None else answer for answer in answers]
    matrix = confusion_matrix([example.gold for example in examples], given, labels=columns)
    return {"labels": labels, "columns": columns, "matrix": matrix[:-1].tolist()}


def summary_metrics(
    references: Sequence[str], answers: Sequence[str | None], settings: MetricsConfig, *, strict: bool
) -> tuple[dict[str, Metric], Metrics]:
    """ROUGE, BERTScore and BARTScore, and what of them could not run.

    Strictly, words are compared by their stems, and a text that equals its reference scores 1 even where it has no two
    words for ROUGE-2.
    """
    texts = [answer or "" for answer in answers]
    items = text_metrics.rouge(texts, references, stemmer=strict)
    if strict:
        same = np.asarray([text.split() == right.split() for text, right in zip(texts, references, strict=True)])
        items = {name: np.where(same, 1.0, values) for name, values in items.items()}
    missing: Metrics = {}
    for name, folder, package, function in (
        ("bertscore", settings.bertscore_model, "bert_score", text_metrics.bertscore),
        ("bartscore", settings.bartscore_model, "transformers", text_metrics.bartscore),
    ):
        reason = f"metrics.{name}_model names no folder" if folder is None else f"{package} is not installed"
        if folder is not None and importlib.util.find_spec(package) is not None:
            items[name] = function(texts, references, folder)
        else:
            missing[name] = {"value": None, "low": None, "high": None, "not_run": reason}
    return {name: item_mean(values) for name, values in items.items()}, missing


def summaries(found: dict[str, Metric], settings: MetricsConfig, seed: int) -> Metrics:
    """Values and intervals."""
    return {name: metric.summary(resamples=settings.resamples, seed=seed) for name, metric in found.items()}


def _set_f1(right: Sequence[Any], given: Sequence[Any] | None) -> float:
    if given is None:
        return 0.0
    total = len(right) + len(given)
    return 2 * len(set(right) & set(given)) / total if total else 1.0
