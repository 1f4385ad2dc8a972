"""Two evaluations paired item by item: is one model better, or were the items kind to it?"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from melama_jax.errors import ConfigError
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.report import write_whole
from melama_jax.evaluation.runner import ANSWERS_FILE, SCORES_FILE
from melama_jax.evaluation.statistics import mcnemar, mean, paired_bootstrap

_ENDINGS = (".json", ".md")
_HARMLESS = ("items", "files", "seed", "notes")
_COLUMNS = ("task", "answered by", "items", "A", "B", "B - A", "95%", "only A", "only B", "p", "p (Holm)")


@dataclasses.dataclass(frozen=True)
class Pair:
    """One task, answered in one way and read by one scorer, in both runs.

    Attributes:
        task: Its name.
        way: Way of answering and scorer.
        items: Those that both runs have.
        a: Mean score of the first run's items, from 0 to 1.
        b: The same of the second.
        low: Of the difference b - a, the low end of the 95% interval of a paired bootstrap ...
        high: ... and the high end.
        only_a: Items right in the first run alone; None where scores are no rights and wrongs.
        only_b: Items right in the second run alone.
        p: Of McNemar's exact test; of the bootstrap where scores are no rights and wrongs.
        adjusted: The same after Holm's correction over all pairs.
    """

    task: str
    way: str
    items: int
    a: float
    b: float
    low: float
    high: float
    only_a: int | None
    only_b: int | None
    p: float
    adjusted: float = 1.0


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What two runs have in common.

    Attributes:
        runs: Their folders.
        pairs: By task and way.
        warnings: Where they were asked differently, or do not have the same items.
    """

    runs: tuple[str, str]
    pairs: list[Pair]
    warnings: list[str]


def compare_runs(run_a: Path, run_b: Path, *, seed: int) -> Comparison:
    """Pair the finished tasks of two evaluations.

    Args:
        run_a: Folder of an evaluation.
        run_b: Folder of another.
        seed: Of the resamples.

    Raises:
        ConfigError: A folder holds no evaluation, or the two have no task or no scored item in common.
        DataError: Raw answers are damaged.
    """
    finished = [_finished(run) for run in (run_a, run_b)]
    common = [task for task in finished[0] if task in finished[1]]
    if not common:
        raise ConfigError(
            f"{run_a} has finished {', '.join(finished[0])}, {run_b} {', '.join(finished[1])}: no task in common"
        )
    warnings, pairs = [], []
    for name, own, other in ((run_a, *finished), (run_b, *finished[::-1])):
        if alone := [task for task in own if task not in other]:
            warnings.append(f"only {name} has {', '.join(alone)}")
    for task in common:
        protocols = [tasks[task].get("protocol", {}) for tasks in finished]
        warnings += [f"{task}: {text}" for text in protocol_differences(*protocols)]
        answers = [AnswerFile(run / task / ANSWERS_FILE, read_only=True).rows for run in (run_a, run_b)]
        shared = [key for key in answers[0] if key in answers[1]]
        alone = sum(map(len, answers)) - 2 * len(shared)
        if alone:
            warnings.append(f"{task}: {alone} answers have no counterpart and are left out")
        pairs += _pairs(task, [[rows[key] for key in shared] for rows in answers], seed)
    if not pairs:
        raise ConfigError(f"{run_a} and {run_b} have {', '.join(common)}, but no item that both have a score of")
    return Comparison((str(run_a), str(run_b)), _holm(pairs), warnings)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """Show a table, with what the two runs do not have in common."""
    console.print(f"A: {comparison.runs[0]}\nB: {comparison.runs[1]}")
    table = Table(*_COLUMNS, title="mean score of an item x 100", title_justify="left")
    for pair in comparison.pairs:
        table.add_row(*_cells(pair))
    console.print(table)
    for warning in comparison.warnings:
        console.print(f"not alike: {warning}")


def check_output(path: Path) -> None:
    """Refuse, before the work, a name that `write_comparison` cannot write.

    Raises:
        ConfigError: It ends neither in .json nor in .md.
    """
    if path.suffix not in _ENDINGS:
        raise ConfigError(f"--output {path}: must end in {' or '.join(_ENDINGS)}")


def write_comparison(path: Path, comparison: Comparison) -> None:
    """Write it as JSON, or as Markdown where the name ends in .md.

    Raises:
        ConfigError: It ends in neither.
    """
    check_output(path)
    if path.suffix == ".md":
        rows = [_COLUMNS, ["---"] * len(_COLUMNS), *map(_cells, comparison.pairs)]
        lines = [f"A: `{comparison.runs[0]}`", "", f"B: `{comparison.runs[1]}`", ""]
        lines += [f"| {' | '.join(row)} |" for row in rows] + [""] + [f"- {text}" for text in comparison.warnings]
        text = "\n".join(lines)
    else:
        text = json.dumps(dataclasses.asdict(comparison), indent=2)
    write_whole(path, f"{text}\n".encode())


def _finished(run: Path) -> dict[str, Any]:
    """Entries of the finished tasks of a run that kept raw answers with scores."""
    found = {}
    for path in sorted(run.glob(f"*/{SCORES_FILE}")):
        try:
            found[path.parent.name] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            raise ConfigError(f"{path}: is damaged; evaluate that task again") from None
    if not found:
        raise ConfigError(f"{run}: holds no finished task of an evaluation; give its --output folder")
    return found


def _pairs(task: str, rows: list[list[dict[str, Any]]], seed: int) -> Iterator[Pair]:
    by_way: dict[str, list[tuple[float, float]]] = {}
    for first, second in zip(*rows, strict=True):
        for scorer, score in first.get("item_scores", {}).items():
            other = second.get("item_scores", {}).get(scorer)
            if other is not None:
                by_way.setdefault(f"{first['answering']} {scorer}", []).append((score, other))
    for way, scores in by_way.items():
        a, b = np.asarray(scores, np.float64).T
        found = paired_bootstrap(mean, a, b, seed)
        only_a = only_b = None
        p = found["p"]
        if set(np.unique([a, b])) <= {0.0, 1.0}:
            tested = mcnemar(a == 1, b == 1)
            only_a, only_b, p = int(tested["only_a"]), int(tested["only_b"]), tested["p"]
        yield Pair(task, way, len(a), float(a.mean()), float(b.mean()), found["low"], found["high"], only_a, only_b, p)


def _holm(pairs: list[Pair]) -> list[Pair]:
    """Adjust for as many tests as there are."""
    order = sorted(range(len(pairs)), key=lambda index: pairs[index].p)
    adjusted, highest = dict.fromkeys(order, 1.0), 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(pairs) - rank) * pairs[index].p))
        adjusted[index] = highest
    return [dataclasses.replace(pair, adjusted=adjusted[index]) for index, pair in enumerate(pairs)]


def protocol_differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[str]:
    """Where two protocols ask otherwise, in words."""
    for key in sorted((a.keys() | b.keys()) - set(_HARMLESS)):
        if a.get(key) != b.get(key):
            yield f"{key} is {a.get(key)!r} in A, {b.get(key)!r} in B"
    files = [set((protocol.get("files") or {}).values()) for protocol in (a, b)]
    if files[0] != files[1]:
        yield "the data files are not the same"


def _cells(pair: Pair) -> list[str]:
    rights = ["" if count is None else str(count) for count in (pair.only_a, pair.only_b)]
    return [
        pair.task,
        pair.way,
        str(pair.items),
        f"{100 * pair.a:.1f}",
        f"{100 * pair.b:.1f}",
        f"{100 * (pair.b - pair.a):+.1f}",
        f"[{100 * pair.low:+.1f}, {100 * pair.high:+.1f}]",
        *rights,
        f"{pair.p:.3g}",
        f"{pair.adjusted:.3g}",
    ]
