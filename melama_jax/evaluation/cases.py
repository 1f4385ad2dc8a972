"""Ranked diagnoses of complex cases: how often the confirmed one is among the first 1 to 5, by each judge's word."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from melama_jax.config import EvaluationConfig
from melama_jax.errors import ConfigError
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.asking import metric, table
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.judge import ChatJudge, Judge, NormalizedJudge, SynonymJudge
from melama_jax.evaluation.statistics import wilson_interval

LONGEST = 5
"""Diagnoses of a list that count."""
JUDGEMENTS_FILE = "judgements.jsonl"
_AT_ONCE = 8
"""Cases that a judge is asked about at a time."""


def make_judges(config: EvaluationConfig, folder: Path, *, protected: bool) -> list[Judge]:
    """The judges of a configuration.

    Args:
        config: The evaluation; `judge` adds a model to matching and synonyms.
        folder: The task's folder in the run, for the file of the model's votes.
        protected: Whether the cases may not leave these walls.

    Raises:
        ConfigError: The cases are protected, and `judge.allow_protected` does not say that they may be sent.
    """
    judges: list[Judge] = [NormalizedJudge(), SynonymJudge()]
    if config.judge is not None:
        if protected and not config.judge.allow_protected:
            raise ConfigError(
                f"judge.url: {folder.name} is protected and would be sent to {config.judge.url}; set "
                f"judge.allow_protected: true where that address is inside your own walls, or take the judge out"
            )
        judges.append(ChatJudge(config.judge, AnswerFile(folder / JUDGEMENTS_FILE)))
    return judges


def score_cases(
    examples: Sequence[Example], ranked: Sequence[Sequence[str] | None], judges: Sequence[Judge]
) -> dict[str, Any]:
    """Score ranked lists.

    Args:
        examples: Cases, whose gold is the confirmed diagnosis.
        ranked: The diagnoses of each, the likeliest first; None where an answer gave none, which counts as a miss.
        judges: Who compares.

    Returns:
        `scores` (top1 to top5 by each judge, with Wilson intervals), `ranks` (by judge, the rank at which each case was
        found, or None) and `extra` with the judges' agreement.
    """
    ranks = {judge.name: _ranks(judge, examples, ranked) for judge in judges}
    unread = sum(not proposals for proposals in ranked)
    scores = []
    for name, (found, silent) in ranks.items():
        metrics = {f"top{k}": _share(found, k) for k in range(1, LONGEST + 1)}
        scores.append({"answering": "generate", "scorer": name, "parse_failures": unread, "metrics": metrics})
        if silent:
            scores[-1]["no_verdict"] = silent
    extra = {"tables": [agreement_table({name: found for name, (found, _) in ranks.items()})]}
    extra["tables"] += [
        _votes_table(judge, examples, ranked, ranks) for judge in judges if isinstance(judge, ChatJudge)
    ]
    return {"scores": scores, "ranks": {name: found for name, (found, _) in ranks.items()}, "extra": extra}


def agreement_table(ranks: dict[str, list[int | None]]) -> dict[str, Any]:
    """How often each two judges agree on whether the first five hold the diagnosis, and Cohen's kappa."""
    from sklearn.metrics import cohen_kappa_score  # pyright: ignore[reportMissingImports]  # of the extra eval

    rows = []
    for first, second in itertools.combinations(ranks, 2):
        found = [[rank is not None for rank in ranks[name]] for name in (first, second)]
        same = sum(a == b for a, b in zip(*found, strict=True))
        mixed = len({*found[0], *found[1]}) > 1
        kappa = round(float(cohen_kappa_score(*found)), 3) if mixed else None  # undefined where nothing varies
        rows.append((first, second, round(same / len(found[0]), 4) if found[0] else None, kappa))
    return table("Agreement of the judges (top 5)", ("judge", "and", "agreement", "kappa"), rows)


def _ranks(
    judge: Judge, examples: Sequence[Example], ranked: Sequence[Sequence[str] | None]
) -> tuple[list[int | None], int]:
    """The rank of the confirmed diagnosis in each list, and how many proposals got no verdict."""

    def rank(case: tuple[Example, Sequence[str] | None]) -> tuple[int | None, int]:
        example, proposals = case
        silent = 0
        for place, proposal in enumerate((proposals or ())[:LONGEST], 1):
            verdict = judge.same(example.gold, proposal)
            if verdict:
                return place, silent
            silent += verdict is None
        return None, silent

    with ThreadPoolExecutor(_AT_ONCE if isinstance(judge, ChatJudge) else 1) as pool:
        found = list(pool.map(rank, zip(examples, ranked, strict=True)))
    return [place for place, _ in found], sum(silent for _, silent in found)


def _share(ranks: Sequence[int | None], k: int) -> dict[str, Any]:
    hits = sum(rank is not None and rank <= k for rank in ranks)
    return metric(hits / len(ranks), wilson_interval(hits, len(ranks))) if ranks else metric(None)


def _votes_table(
    judge: ChatJudge, examples: Sequence[Example], ranked: Sequence[Sequence[str] | None], ranks: dict[str, Any]
) -> dict[str, Any]:
    """How far the model's votes agree among themselves, over all proposals that it was asked about."""
    votes = [
        judge.votes(example.gold, proposal)
        for example, proposals, rank in zip(examples, ranked, ranks[judge.name][0], strict=True)
        for proposal in (proposals or ())[: rank or LONGEST]
    ]
    unanimous = sum(len(set(each)) == 1 for each in votes)
    unread = sum(vote is None for each in votes for vote in each)
    row = (
        len(votes),
        unanimous / len(votes) if votes else None,
        unread,
        judge.prompt.version,
        judge.prompt.sha256[:12],
    )
    return table("Votes of the judge", ("proposals", "unanimous", "unread votes", "prompt version", "prompt"), [row])
