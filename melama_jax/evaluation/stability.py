"""Spread of an accuracy where it should not change: over seeded draws, orders of the options, and wordings.

accuracy_std is the standard deviation (n - 1) of the accuracies of k runs over the same items. Its interval is that of
a normal sample of k accuracies (chi-square, k - 1 degrees of freedom). Resampling items instead would be biased: the
runs' errors on an item are independent, and a bootstrap sample repeats items, which nearly doubles their variance.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from melama_jax.config import EvaluationConfig
from melama_jax.config.prompt import PROMPTS, PromptConfig, load_prompt
from melama_jax.errors import ConfigError
from melama_jax.evaluation.asking import Interview, Query, file_sha256, metric, seed_of, suite_entry, table
from melama_jax.evaluation.datasets import DATASETS, MissingData
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.judge import SYNONYMS, SynonymJudge, normalize_diagnosis
from melama_jax.evaluation.parsing import PARSERS
from melama_jax.evaluation.prompts import answer_text, render
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.statistics import bootstrap_interval, likeliest_of, mean, standard_deviation
from melama_jax.evaluation.suites import Task
from melama_jax.inference.sampling import SamplingOptions


@dataclasses.dataclass(frozen=True)
class Asked:
    """An item as one run asks it.

    Attributes:
        run: Number of the run.
        example: The item, its options perhaps in another order.
        order: Letter of the run -> letter of the item.
        prompt: The wording.
    """

    run: int
    example: Example
    order: dict[str, str]
    prompt: PromptConfig


def check(config: EvaluationConfig) -> dict[str, str]:
    """Read the datasets and the prompts.

    Returns:
        Hashes of the files that the answers depend on.

    Raises:
        ConfigError: A dataset has no options or cases, no way of answering fits it, or it is not there and
            `data.allow_missing` is false.
        DataError: A dataset cannot be read.
    """
    questions, absent = _questions(config)
    if absent and not config.data.allow_missing:
        raise ConfigError(
            f"stability.datasets: {', '.join(absent)}: the files are not there ({next(iter(absent.values()))}); set "
            f"data.root or data.folders, or data.allow_missing: true to report them as not run"
        )
    return _files(questions)


def run(interview: Interview, config: EvaluationConfig) -> dict[str, Any]:
    """Ask each dataset of `stability.datasets` again and again."""
    questions, absent = _questions(config)
    scores, rows = [], []
    for name, question in questions.items():
        for axis, way, correct, decisions in _axes(interview, question, config):
            metrics = spread_metrics(correct, decisions, config)
            if axis.startswith("draws"):
                metrics[f"{name}_accuracy_std"] = metrics["accuracy_std"]  # the name that published figures are under
            failures = sum(decision is None for run in decisions for decision in run)
            scores.append(
                {"answering": way, "scorer": f"{name}, {axis}", "parse_failures": failures, "metrics": metrics}
            )
            rows += [(name, axis, way, number, round(100 * np.mean(run), 2)) for number, run in enumerate(correct)]
    missing = [f"{name}: not run, {reason}" for name, reason in absent.items()]
    notes = [
        *missing,
        "accuracy_std is over runs on the same items; draws at the stated temperature, orders and wordings greedily or "
        "by likelihood. Parse failures are summed over runs and count as wrong. The published figures' definition is "
        "not known.",
        "Of cases, an answer is right when its first diagnosis is the confirmed one by the synonym table.",
        "Of the section protocol, answering, prompts, max_new_tokens, top_p, chat_template, system and add_bos apply; "
        "shots and temperature do not.",
    ]
    protocol = {
        "prompt": "of the datasets",
        "split": {name: question.split for name, question in questions.items()},
        "answering": list(config.protocol.answering),
        "max_new_tokens": config.protocol.max_new_tokens,
        "temperature": config.stability.temperature,
        "top_p": config.protocol.top_p,
        "runs": config.stability.runs,
        "files": _files(questions),
        "notes": notes,
    }
    return suite_entry(
        "stability",
        "Spread of the accuracy",
        "choice",
        config,
        n=sum(len(question.examples) for question in questions.values()),
        protocol=protocol,
        scores=scores,
        tables=[table("Accuracy of each run", ("dataset", "over", "answering", "run", "accuracy x 100"), rows)],
        licence="of the datasets",
        protected=any(question.dataset.protected for question in questions.values()),
        not_run=None if scores else "; ".join(missing),
    )


def spread_metrics(
    correct: Sequence[Sequence[bool]], decisions: Sequence[Sequence[str | None]], config: EvaluationConfig
) -> dict[str, Any]:
    """accuracy_std, accuracy (mean of the runs), agreement and unanimous.

    Args:
        correct: Whether each item was right, [k runs, n items].
        decisions: What was decided; None where it could not be read, which agrees with nothing.
        config: For the seed and the number of resamples.
    """
    right = np.asarray(correct, np.float64)
    read = ([decision for decision in item if decision is not None] for item in zip(*decisions, strict=True))
    modal = np.array([max(collections.Counter(item).values(), default=0) for item in read]) / len(right)

    def mean_of(values: np.ndarray) -> dict[str, Any]:
        interval = bootstrap_interval(mean, values, resamples=config.metrics.resamples, seed=config.seed, share=True)
        return metric(float(values.mean()), interval)

    std = standard_deviation(right.mean(axis=1).tolist())
    return {
        "accuracy_std": metric(std, std_interval(std, len(right)) if std > 1e-12 else None),
        "accuracy": mean_of(right.mean(axis=0)),
        "agreement": mean_of(modal),
        "unanimous": mean_of((modal == 1).astype(np.float64)),
    }


def std_interval(std: float, k: int) -> tuple[float, float]:
    """The 95% interval of a standard deviation estimated from k normal values."""
    from scipy.stats import chi2

    low, high = (std * math.sqrt((k - 1) / chi2.ppf(share, k - 1)) for share in (0.975, 0.025))
    return float(low), float(high)


def permuted(example: Example, seed: int) -> tuple[Example, dict[str, str]]:
    """The item with its options in an order drawn by seed, and new letter -> old letter."""
    letters = list(example.fields["options"])
    order = dict(zip(letters, random.Random(seed).sample(letters, len(letters)), strict=True))
    options = {new: example.fields["options"][old] for new, old in order.items()}
    gold = next(new for new, old in order.items() if old == example.gold)
    return dataclasses.replace(example, fields={**example.fields, "options": options}, gold=gold), order


def _questions(config: EvaluationConfig) -> tuple[dict[str, Question], dict[str, str]]:
    """The datasets' items, and why others are not there."""
    known = [dataset.name for dataset in DATASETS.values() if dataset.kind in ("choice", "case")]
    limit = config.stability.max_examples or config.data.max_examples
    data = config.data.model_copy(update={"max_examples": limit})
    protocol = config.protocol.model_copy(update={"shots": 0})
    asked = config.model_copy(update={"data": data, "protocol": protocol})
    questions, absent = {}, {}
    for name in config.stability.datasets:
        if name not in known:
            raise ConfigError(
                f"stability.datasets: {name!r} is no dataset of options or cases; choose of {', '.join(known)}"
            )
        try:
            questions[name] = Question(Task(name, "stability", DATASETS[name]), asked)
        except MissingData as error:
            absent[name] = str(error)
    return questions, absent


def _wordings() -> list[PromptConfig]:
    """The prompts that ask the same in other words."""
    return [load_prompt(path) for path in sorted(PROMPTS.glob("choice_paraphrase*.yaml"))]


def _files(questions: Mapping[str, Question]) -> dict[str, str]:
    """Hashes of the datasets' files, of the prompts, and of the table of synonyms."""
    files = {}
    for name, question in questions.items():
        files |= {f"{name}/{file}": sha256 for file, sha256 in question.protocol()["files"].items()}
        files[f"{name}/prompt"] = question.prompt.sha256
    kinds = {question.kind for question in questions.values()}
    if "choice" in kinds:
        files |= {prompt.name: prompt.sha256 for prompt in _wordings()}
    return files | ({SYNONYMS.name: file_sha256(SYNONYMS)} if "case" in kinds else {})


def _axes(interview: Interview, question: Question, config: EvaluationConfig):
    """Each way to vary: its name, the way of answering, what was right, and what was decided, [k runs][n items]."""
    settings, examples, base = config.stability, question.examples, question.prompt
    same = {letter: letter for example in examples for letter in example.fields.get("options", {})}
    if "generate" in question.answering:
        draws = [[Asked(run, example, same, base) for example in examples] for run in range(settings.runs)]
        yield f"draws at {settings.temperature:g}", "generate", *_generated(interview, question, draws, "draw", config)
    if question.kind != "choice":
        return
    orders = [
        [Asked(run, *(permuted(e, seed_of(config.seed, e.id, run)) if run else (e, same)), base) for e in examples]
        for run in range(settings.runs)
    ]
    wordings = enumerate([base, *_wordings()])
    worded = [[Asked(run, example, same, prompt) for example in examples] for run, prompt in wordings]
    for axis, name, runs in (("option order", "order", orders), ("wording", "wording", worded)):
        if "generate" in question.answering:
            yield axis, "generate", *_generated(interview, question, runs, name, config)
        if "likelihood" in question.answering:
            yield axis, "likelihood", *_likeliest(interview, question, runs, name)


Outcome = tuple[list[list[bool]], list[list[str | None]]]


def _generated(
    interview: Interview, question: Question, runs: list[list[Asked]], axis: str, config: EvaluationConfig
) -> Outcome:
    """Every run's answers in text; those of draws are sampled, others greedy."""
    flat = [asked for run in runs for asked in run]
    options = [
        SamplingOptions(
            config.protocol.max_new_tokens or asked.prompt.max_new_tokens,
            config.stability.temperature if axis == "draw" else 0.0,
            top_p=config.protocol.top_p,
            seed=seed_of(config.seed, asked.example.id, asked.run),
            stop_strings=tuple(asked.prompt.stop),
        )
        for asked in flat
    ]
    outputs = interview.generate([_query(question, asked, axis) for asked in flat], options)
    parse: Callable[[Example, str], Any] = PARSERS[question.kind]
    answers = [parse(asked.example, output) for asked, output in zip(flat, outputs, strict=True)]
    return _outcome(question, runs, answers)


def _likeliest(interview: Interview, question: Question, runs: list[list[Asked]], axis: str) -> Outcome:
    """Every run's answers by likelihood."""
    flat = [asked for run in runs for asked in run]
    labels = [{letter: answer_text(a.prompt, a.example, letter) for letter in a.example.labels} for a in flat]
    found = interview.likelihoods([_query(question, asked, axis) for asked in flat], labels)
    return _outcome(question, runs, [likeliest_of(row) for row in found])


def _query(question: Question, asked: Asked, axis: str) -> Query:
    name = f"{question.dataset.name}/{asked.example.id}/{axis}-{asked.run}"
    return Query(name, render(asked.prompt, asked.example))


def _outcome(question: Question, runs: list[list[Asked]], answers: Sequence[Any]) -> Outcome:
    """Right or wrong, and the decision in the item's own letters; of cases the first diagnosis."""
    judge = SynonymJudge()
    correct: list[list[bool]] = []
    decisions: list[list[str | None]] = []
    given = iter(answers)
    for run in runs:
        correct.append([])
        decisions.append([])
        for asked, answer in zip(run, given, strict=False):
            if question.kind == "choice":
                correct[-1].append(answer == asked.example.gold)
                decisions[-1].append(asked.order.get(answer))
            else:
                first = answer[0] if answer else None
                correct[-1].append(first is not None and bool(judge.same(asked.example.gold, first)))
                decisions[-1].append(None if first is None else normalize_diagnosis(first))
    return correct, decisions
