"""The scorer `paper`: the published scorers of Me-LLaMA with their defects, so that numbers can be laid beside theirs.

Every defect is named, with what it does to a score, in docs/scoring.md. What is not known of the published code is
filled in the least surprising way, and marked "our reading" there. Nothing here is a way to score a model well.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from melama_jax.config.evaluation import MetricsConfig
from melama_jax.evaluation import metrics
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.markup import tags_of
from melama_jax.evaluation.metrics import Metrics, item_mean
from melama_jax.evaluation.strict import summaries, summary_metrics
from melama_jax.evaluation.suites import SUITES

PUBLISHED = SUITES["mibe"]
"""The datasets that have a published scorer."""
_CASE_MATTERS = ("medqa", "medmcqa")


def parse(dataset_name: str, kind: str, example: Example, output: str) -> Any:
    """The answer that the published parser finds in an output.

    Args:
        dataset_name: Whose scorer.
        kind: Of the answer.
        example: The item.
        output: What a model wrote.

    Returns:
        An answer in the form of the kind's gold; None where the parser calls it missing, and for a dataset without a
        published scorer.
    """
    if dataset_name not in PUBLISHED:
        return None
    if kind in ("choice", "label"):
        return _first_substring(dataset_name, example.labels, output)
    if kind == "labels":
        return tuple(label for label in example.labels if label.lower() in output.lower())
    if kind == "entities":
        return _tags_before_divergence(output, example)
    return output


def score(
    dataset_name: str,
    kind: str,
    examples: Sequence[Example],
    answers: Sequence[Any],
    *,
    settings: MetricsConfig | None = None,
    seed: int = 0,
) -> Metrics | None:
    """Score as published; None for a dataset without a published scorer.

    Args:
        dataset_name: Whose scorer.
        kind: Of the answers.
        examples: The items, at least one.
        answers: As `parse` gives them.
        settings: Number of resamples, folders of models; None takes the defaults.
        seed: Of the resamples.

    Returns:
        choice and label: `accuracy`, `macro_f1` over the labels that gold has, `weighted_f1`. labels: `macro_f1`,
        `micro_f1`. span: `exact_match`, `f1` of characters. entities: `f1`, which is the
        micro average. summary: ROUGE without stems, `bertscore`, `bartscore`.

    Raises:
        ConfigError: A folder of the settings holds no model.
    """
    if dataset_name not in PUBLISHED:
        return None
    settings = settings or MetricsConfig()
    gold = [example.gold for example in examples]
    missing: Metrics = {}
    if kind == "summary":
        found, missing = summary_metrics(gold, answers, settings, strict=False)
    elif kind == "span":
        pairs = np.asarray([character_squad(*pair) for pair in zip(gold, answers, strict=True)])
        found = {"exact_match": item_mean(pairs[:, 0]), "f1": item_mean(pairs[:, 1])}
    elif kind == "entities":
        found = {"f1": metrics.entities(gold, answers)["f1"]}
    else:
        labels = metrics.all_labels(examples)
        if kind == "labels":
            own = metrics.multi_label(gold, answers, labels)
            found = {"macro_f1": own["macro_f1"], "micro_f1": own["micro_f1"]}
        else:
            own = metrics.single_label(gold, answers, labels)
            found = {"accuracy": own["accuracy"], "macro_f1": own["macro_f1_gold_present"]}
            found["weighted_f1"] = own["weighted_f1"]
    return summaries(found, settings, seed) | missing


def character_squad(accepted: Sequence[str], answer: str | None) -> tuple[float, float]:
    """Exact match and F1 as the scorer of EmrQA computes them: tokens are single characters.

    Punctuation is taken out by joining the characters that stay with spaces, so splitting at spaces gives characters.
    Those in common are counted as a set, and divided by the lengths of the lists.
    """
    given = _characters(answer or "")
    exact = f1 = 0.0
    for right in map(_characters, accepted):
        exact = max(exact, float(right == given))
        common = len(set(right) & set(given))
        if common:
            precision, recall = common / len(given), common / len(right)
            f1 = max(f1, 2 * precision * recall / (precision + recall))
    return exact, f1


def _characters(text: str) -> list[str]:
    text = " ".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def _first_substring(dataset_name: str, labels: Sequence[str], output: str) -> str | None:
    """The first label, in the order of the list, that is anywhere in the output; of DDI, the only one."""
    if dataset_name not in _CASE_MATTERS:
        output = output.lower()
    if dataset_name == "mtsample":
        labels = sorted(labels, key=len)  # the published order is not known; surgery and urology come early in it
    folded = {label: label if dataset_name in _CASE_MATTERS else label.lower() for label in labels}
    found = [label for label in labels if folded[label] in output]
    if dataset_name == "ddi2013" and len(found) != 1:
        return None
    return found[0] if found else None


def _tags_before_divergence(output: str, example: Example) -> tuple[str, ...] | None:
    """Tags of the words up to the first that differs from the sentence's; everything after it holds no entity."""
    tokens = example.fields["tokens"]
    words = re.findall(r"\w+|[^\w\s]", re.sub(r"<[^>]*>", " ", output))
    agreed = 0
    for token in tokens:
        parts = re.findall(r"\w+|[^\w\s]", token)
        if words[: len(parts)] != parts:
            break
        words, agreed = words[len(parts) :], agreed + 1
    tags = tags_of(output, tokens, example.labels) if agreed else None
    return None if tags is None else (*tags[:agreed], *("O" for _ in tokens[agreed:]))
