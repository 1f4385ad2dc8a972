"""From the raw answers of a task to its entry of the report: parsed twice, scored with intervals, failures shown."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from melama_jax.evaluation import paper, strict
from melama_jax.evaluation.cases import make_judges, score_cases
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.statistics import pick

_LONGEST = 4000
"""Characters of a prompt or an answer that a failure example shows."""
Row = dict[str, Any]


def accuracy(examples: Sequence[Example], rows: Sequence[Mapping[str, Any]], *, normalized: bool) -> float:
    """Share of items whose likeliest answer is right; with `normalized`, likeliest by character."""
    picked = [pick(row["log_likelihoods"], normalized) for row in rows]
    return sum(answer == e.gold for answer, e in zip(picked, examples, strict=True)) / len(examples)


def score_task(question: Question, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    """Score a task whose answers are all there.

    Args:
        question: The task as it was asked.
        rows: By way of answering, the raw answers in the order of the items; what was read from each (`strict`,
            `paper` or `raw`, `normalized`) and its score (`item_scores`) are added to them.

    Returns:
        The task's entry of the report.
    """
    scores: list[dict[str, Any]] = []
    read: dict[str, list[Any]] = {}
    if "generate" in rows:
        scores += _generated(question, rows["generate"])
        read["generate strict"] = [row["strict"] for row in rows["generate"]]
    if "likelihood" in rows:
        scores += _likelihoods(question, rows["likelihood"])
        read["likelihood raw"] = [row["raw"] for row in rows["likelihood"]]
    entry = _entry(question, rows)
    if question.kind in ("choice", "label"):  # of the first way with an answer that could be read
        way = next((way for way, answers in read.items() if any(answers)), next(iter(read)))
        entry["confusion"] = strict.confusion(question.examples, read[way]) | {"answered_by": way}
    return entry | {"scores": scores}


def score_cases_task(question: Question, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    """`score_task` of ranked diagnoses, whose judges may be asked too."""
    generated, config = rows["generate"], question.config
    for row, example in zip(generated, question.examples, strict=True):
        row["strict"] = strict.parse(example, question.kind, row["output"])
        row["item_scores"] = {}  # not those of judges of an earlier run
    judges = make_judges(config, Path(config.output) / question.task.name, protected=question.dataset.protected)
    found = score_cases(question.examples, [row["strict"] for row in generated], judges)
    for name, ranks in found.pop("ranks").items():
        for row, rank in zip(generated, ranks, strict=True):
            row["item_scores"][name] = float(rank is not None)
    return _entry(question, rows) | found


def _entry(question: Question, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
    dataset, shown = question.dataset, next(iter(rows.values()))
    notes = [question.prompt.notes] if question.prompt.notes else []
    cut = [max(row["dropped_tokens"] for row in asked) for asked in zip(*rows.values(), strict=True)]
    cut_prompts = {"items": sum(map(bool, cut)), "most_tokens": max(cut)}
    if cut_prompts["items"]:
        notes.append(
            f"{cut_prompts['items']} of {len(cut)} prompts were longer than the context and lost up to "
            f"{cut_prompts['most_tokens']} tokens."
        )
    return {
        "task": question.task.name,
        "title": dataset.title,
        "suite": question.task.suite,
        "kind": question.kind,
        "n": len(question.examples),
        "left_out": question.loaded.left_out,
        "protected": dataset.protected,
        "licence": dataset.licence,
        "chance": dataset.chance,
        "not_run": None,
        "protocol": question.protocol() | {"notes": notes},
        "cut_prompts": cut_prompts,
        "confusion": None,
        "failures": [] if dataset.protected else _failures(question, shown),
        "contamination": None,
        "extra": {},
    }


def _generated(question: Question, rows: Sequence[Row]) -> list[dict[str, Any]]:
    examples, kind, name = question.examples, question.kind, question.dataset.name
    settings, seed = question.config.metrics, question.config.seed
    found = []
    for row, example in zip(rows, examples, strict=True):
        row["strict"] = strict.parse(example, kind, row["output"])
        row["paper"] = paper.parse(name, kind, example, row["output"])
    items = strict.per_item(kind, examples, [row["strict"] for row in rows])
    published = paper.score(name, kind, examples, [row["paper"] for row in rows], settings=settings, seed=seed)
    for row, item in zip(rows, items, strict=True):
        row["item_scores"] = {"strict": round(float(item), 6)}
    found.append(("strict", strict.score(kind, examples, [r["strict"] for r in rows], settings=settings, seed=seed)))
    if published is not None:
        found.append(("paper", published))
    return [
        {
            "answering": "generate",
            "scorer": scorer,
            "parse_failures": sum(row[scorer] is None for row in rows),
            "metrics": metrics,
        }
        for scorer, metrics in found
    ]


def _likelihoods(question: Question, rows: Sequence[Row]) -> list[dict[str, Any]]:
    settings, seed = question.config.metrics, question.config.seed
    for row in rows:
        row["item_scores"] = {}
    found = []
    for scorer in ("raw", "normalized"):
        for row, example in zip(rows, question.examples, strict=True):
            row[scorer] = pick(row["log_likelihoods"], scorer == "normalized")
            row["item_scores"][scorer] = float(row[scorer] == example.gold)
        answers = [row[scorer] for row in rows]
        metrics = strict.score_answers(question.examples, answers, settings=settings, seed=seed)
        failures = sum(answer is None for answer in answers)
        found.append({"answering": "likelihood", "scorer": scorer, "parse_failures": failures, "metrics": metrics})
    return found


def _failures(question: Question, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A seeded draw of items that no scorer found right, of the first way of answering."""
    wrong = [index for index, row in enumerate(rows) if max(row["item_scores"].values()) < 1]
    count = min(question.config.failure_examples, len(wrong))
    return [
        {
            "id": row["id"],
            "prompt": question.prompts[index][-_LONGEST:],
            "output": row.get("output", "")[:_LONGEST],
            "gold": row["gold"],
            "answer": row["strict"] if "strict" in row else row["raw"],
        }
        for index in sorted(random.Random(question.config.seed).sample(wrong, count))
        for row in (rows[index],)
    ]
