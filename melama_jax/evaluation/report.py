"""The report of an evaluation: what was measured, how, and beside what was published."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from melama_jax.config.published import Certainty, Figure, Published, PublishedTable, RelatedFigure, load_published
from melama_jax.evaluation.plots import Bar, plot_confusion, plot_intervals, plot_scores
from melama_jax.evaluation.report_pages import Block, Document, Example, Section, Table, Text, to_html, to_markdown
from melama_jax.evaluation.suites import SPECIAL

CERTAINTY_MARKS: dict[Certainty, str] = {"primary": "", "secondary": "†", "recollected": "‡"}
_UNITS = {"bartscore": "nats"}
"""Of metrics that are no shares and do not say so themselves."""
_MOST_LABELS = 40
"""Of a confusion matrix that is drawn."""
_MOST_ROWS = 24
"""Of a suite's table that is shown without a click."""
_LONGEST_TEXT = 3000
"""Characters of a prompt or an output that are shown."""
SCALE = (
    "Scores, chance and published figures are multiplied by 100; brackets hold 95% intervals. In `strict` an answer "
    "has to be given as asked; `paper` scores as the published scorers do, defects included; a likelihood is taken as "
    "it is (`raw`) or by length (`normalized`); diagnoses have the name of their judge instead. An answer that cannot "
    "be read counts as wrong."
)
_MARKS = "Published figures: † read in another paper than the original; ‡ recollected, not checked."


def write_report(run: Path, report: Mapping[str, Any]) -> list[Path]:
    """Write report.json, report.md, report.html (which needs nothing else) and the plots, each at once.

    Args:
        run: Folder of the evaluation.
        report: `model`, `versions`, `tasks` (see docs/reports.md) and what else is to be stated.

    Returns:
        The files, the page first.
    """
    document = _document(report, load_published())
    (run / "plots").mkdir(exist_ok=True)
    contents = {
        "report.html": to_html(document).encode(),
        "report.md": to_markdown(document).encode(),
        "report.json": (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode(),
    } | {f"plots/{plot.name}.png": plot.png for plot in document.plots()}
    for name, content in contents.items():
        write_whole(run / name, content)
    return [run / name for name in contents]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file by a temporary name, so that it is never half there."""
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(content)
    os.replace(beside, path)


def print_table(console: Console, report: Mapping[str, Any]) -> None:
    """Print the main table, no wider than 100 columns."""
    published = load_published()
    table = RichTable(
        box=box.SIMPLE_HEAD, title="scores x 100, 95% intervals", title_justify="left", padding=(0, 1, 0, 0)
    )
    table.add_column("dataset", max_width=22, overflow="fold")
    table.add_column("answering", no_wrap=True)
    shown = _shown(published) if _any_published(report, published) else []
    for heading in ("score", "unread", "chance", *(f"{_kind(one)}:\n" + "\n".join(one.shown) for one in shown)):
        table.add_column(heading, justify="right", no_wrap=True)
    tasks = list(benchmarks(report))
    for task in tasks:
        metric = primary_metric(task, published)
        names = (task["title"], f"{metric}, n {task['n']:,}")
        figures = [_published_cells(one, task["task"], metric) for one in shown]
        for number in range(max(len(task["scores"]), 2)):
            cells = ["", "", "", _percent(_chance(task, metric)) if number == 0 else ""]
            if number < len(task["scores"]):
                score = task["scores"][number]
                cells[:3] = [_way(score), _value(metric, score["metrics"].get(metric)), _unread(score, task)]
            cells += [one[number] if number < len(one) else "" for one in figures]
            table.add_row(names[number] if number < 2 else "", *cells)
        table.add_section()
    if tasks:
        console.print(table)
    if shown:
        console.print(_MARKS)
    suites = suite_table(report)
    if suites.rows:
        shown_suites = RichTable(*suites.columns, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for row in suites.rows:
            shown_suites.add_row(*row)
        console.print(shown_suites)
    for task in report["tasks"]:
        if task.get("not_run"):
            console.print(f"not run: {task['title']}: {task['not_run']}")


def primary_metric(task: Mapping[str, Any], published: Published) -> str:
    """The metric that a task is shown by: the first that was published, else its own first."""
    own = list(task["scores"][0]["metrics"])
    return next((metric for metric in published.metrics(task["task"]) if metric in own), own[0])


def _document(report: Mapping[str, Any], published: Published) -> Document:
    model, scored = report["model"], list(_scored(report))
    for task in report["tasks"]:
        assert not (task.get("protected") and task.get("failures")), f"{task['task']}: records of a protected dataset"
    sections = [Section("Model", [Table(("", ""), pairs(model))])]
    tasks = list(benchmarks(report))
    if tasks:
        plots = _score_plots(tasks, published)
        sections.append(Section("Scores", [main_table(report, published), Text(SCALE), *plots]))
    related = [figure for figure in published.related if any(t["task"] == figure.task for t in report["tasks"])]
    if related:
        sections.append(Section("Other published rows", [_related_table(related, scored)]))
    run = (task for task in report["tasks"] if not task.get("not_run"))
    sections += [Section(task["title"], list(_task_blocks(task, published))) for task in run]
    missing = [(task["title"], task["not_run"]) for task in report["tasks"] if task.get("not_run")]
    if missing:
        sections.append(Section("Not run", [Table(("dataset", "reason"), missing)]))
    rest = {key: value for key, value in report.items() if key not in ("model", "tasks", "versions")}
    made = [*pairs(rest), *pairs(report.get("versions", {}))]
    sections.append(Section("How it was made", [Table(("", ""), made)]))
    name = Path(str(model.get("path", ""))).name or "a model"
    return Document(f"Evaluation of {model.get('name') or name}", sections)


def _scored(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The tasks that have scores; others may have tables of their own, or were not run."""
    return (task for task in report["tasks"] if task["scores"])


def benchmarks(report: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those whose first metric is a share of right answers: the suites of other questions have their sections alone."""
    return (task for task in _scored(report) if task["task"] not in SPECIAL)


def _chance(task: Mapping[str, Any], metric: str) -> float | None:
    """Guessing evenly has a known accuracy; what it gives in another metric depends on the labels."""
    return task.get("chance") if metric == "accuracy" else None


def main_table(report: Mapping[str, Any], published: Published) -> Table:
    """A row a way of answering of every benchmark, beside what was published."""
    shown = _shown(published) if _any_published(report, published) else []
    contaminated = any(task.get("contamination") is not None for task in report["tasks"])
    columns = ["dataset", "n", "metric", "answered by", "score", "unread", "chance"]
    for table in shown:
        columns += [f"{_kind(table)} {name}" for name in table.shown]
    rows = []
    for task in benchmarks(report):
        metric = primary_metric(task, published)
        for number, score in enumerate(task["scores"]):
            first = number == 0
            row = [task["title"], f"{task['n']:,}", metric] if first else ["", "", ""]
            row += [_way(score), _value(metric, score["metrics"].get(metric)), _unread(score, task)]
            row.append(_percent(_chance(task, metric)) if first else "")
            for table in shown:
                row += _published_cells(table, task["task"], metric) if first else [""] * len(table.shown)
            if contaminated:
                row.append(_overlap(task.get("contamination")) if first else "")
            rows.append(tuple(row))
    title = f"Columns of {published.title}: zero-shot and tuned for each task. {_MARKS}" if shown else ""
    return Table((*columns, *(["items met in training"] if contaminated else [])), rows, title)


def suite_table(report: Mapping[str, Any]) -> Table:
    """A row a metric of the suites that are no benchmarks."""
    rows = [
        (task["task"], _way(score), name, _value(name, found))
        for task in _scored(report)
        if task["task"] in SPECIAL
        for score in task["scores"]
        for name, found in score["metrics"].items()
    ]
    return Table(("suite", "answered by", "metric", "value"), rows)


def _shown(published: Published) -> list[PublishedTable]:
    return [table for table in published.tables if table.shown]


def _any_published(report: Mapping[str, Any], published: Published) -> bool:
    return any(published.metrics(task["task"]) for task in benchmarks(report))


def _kind(table: PublishedTable) -> str:
    return "tuned" if table.name == "supervised" else "zero-shot"


def _published_cells(table: PublishedTable, task: str, metric: str) -> list[str]:
    figures = table.figures(task, metric)
    return [_figure(figures.get(model)) for model in table.shown.values()]


def _score_plots(tasks: Sequence[Mapping[str, Any]], published: Published) -> Iterator[Block]:
    bars, groups = [], []
    for task in tasks:
        metric = primary_metric(task, published)
        label = f"{task['title']}\n{metric}"
        chance = _chance(task, metric)
        points = tuple(
            (model, 100 * table.figures(task["task"], metric)[model].value)
            for table in _shown(published)
            for model in table.shown.values()
            if model in table.figures(task["task"], metric)
        )
        values = [(_way(score), score["metrics"].get(metric, {})) for score in task["scores"]]
        found = [(way, value) for way, value in values if value.get("value") is not None]
        if not found:
            continue
        groups.append((label, [_bar(way, value) for way, value in found]))
        first = _bar(f"{label}, {found[0][0]}", found[0][1])
        bars.append(dataclasses.replace(first, chance=None if chance is None else 100 * chance, published=points))
    if bars:
        yield plot_scores(bars)
        yield plot_intervals(groups)


def _bar(label: str, found: Mapping[str, Any]) -> Bar:
    low, high = (None if found.get(end) is None else 100 * found[end] for end in ("low", "high"))
    return Bar(label, 100 * found["value"], low, high)


def _related_table(related: Iterable[RelatedFigure], tasks: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for figure in related:
        scores = [score for task in tasks if task["task"] == figure.task for score in task["scores"]]
        found = next((score for score in scores if figure.metric in score["metrics"]), None)
        ours = "" if found is None else _value(figure.metric, found["metrics"][figure.metric])
        share = figure.unit == "fraction"
        theirs = f"{figure.value * (100 if share else 1):g}{CERTAINTY_MARKS[figure.certainty]}"
        unit = "%" if share else figure.unit
        way = "not measured" if found is None else _way(found)
        rows.append((figure.title, ours, theirs, unit, way, figure.model, figure.source, figure.note))
    columns = ("row", "ours", "published", "unit", "ours answered by", "published of", "source", "note")
    return Table(columns, rows, f"Other papers' protocols are not ours. {_MARKS}")


def _task_blocks(task: Mapping[str, Any], published: Published) -> Iterator[Block]:
    if task["scores"]:
        yield _scores_table(task)
    if note := published.notes.get(task["task"]):
        yield Text(note)
    if (found := task.get("contamination")) is not None:
        yield Text(
            f"Overlap with the training rows, in {found['n']}-grams of words: {len(found['touched']):,} of "
            f"{found['checked']:,} items have one there, {len(found['covered']):,} more than half of theirs "
            f"({found['too_short']:,} items are too short to say)."
        )
    for table in task.get("extra", {}).get("tables", ()):
        rows = [tuple(map(_show, row)) for row in table["rows"]]
        title = table["title"]
        long = f"{title}: {len(rows)} rows" if len(rows) > _MOST_ROWS else ""
        yield Table(tuple(map(_show, table["columns"])), rows, title, folded=long)
    yield from _confusion(task)
    facts = {key: task[key] for key in ("kind", "licence", "seconds", "left_out") if task.get(key) not in (None, {})}
    yield Table(("protocol", ""), [*pairs(task.get("protocol", {})), *pairs(facts)], folded="protocol")
    metrics = published.metrics(task["task"])
    if metrics:
        rows = _published_rows(task["task"], metrics, published)
        yield Table(("published", "model", *metrics, "note"), rows, _MARKS, folded="published figures")
    if task.get("protected"):
        yield Text("No examples: the records are protected. Outputs lie in files that their owner alone can read.")
    elif task.get("failures"):
        keys = ("id", "prompt", "output", "gold", "answer")
        yield Example(tuple({key: _cut(one.get(key)) for key in keys} for one in task["failures"]))


def _scores_table(task: Mapping[str, Any]) -> Table:
    """A row a way of answering; or, of many metrics, a row a metric."""
    metrics = list(dict.fromkeys(metric for score in task["scores"] for metric in score["metrics"]))
    rows = []
    for score in task["scores"]:
        values = (_value(metric, score["metrics"].get(metric)) for metric in metrics)
        rows.append((_way(score), _unread(score, task), *values))
    missing = {m: v["not_run"] for s in task["scores"] for m, v in s["metrics"].items() if v.get("not_run")}
    reasons = ". ".join(f"Not run: {metric}, {reason}" for metric, reason in missing.items())
    return Table(("answered by", "unread", *metrics), rows, reasons)


def _published_rows(task: str, metrics: Sequence[str], published: Published) -> list[tuple[str, ...]]:
    rows = []
    for table in published.tables:
        found = [table.figures(task, metric) for metric in metrics]
        for model in table.models:
            figures = [of.get(model) for of in found]
            notes = dict.fromkeys(figure.note for figure in figures if figure is not None and figure.note)
            if any(figures):
                rows.append((table.title, model, *map(_figure, figures), "; ".join(notes)))
    return rows


def _figure(figure: Figure | None) -> str:
    return "" if figure is None else f"{100 * figure.value:.1f}{CERTAINTY_MARKS[figure.certainty]}"


def _confusion(task: Mapping[str, Any]) -> Iterator[Block]:
    confusion = task.get("confusion")
    if not confusion:
        return
    labels = [str(label) for label in confusion["labels"]]
    columns = [str(label) for label in confusion["columns"]]
    if len(columns) > _MOST_LABELS + 1:
        yield Text(f"The confusion matrix of {len(labels)} labels stands in report.json alone.")
        return
    matrix = np.asarray(confusion["matrix"])
    if not matrix[:, :-1].any():
        yield Text("None of the answers could be read, so there is no confusion to show.")
        return
    title = f"Confusion in {task['title']} ({confusion['answered_by']})"
    yield plot_confusion(f"confusion_{task['task']}", title, labels, columns, matrix)


def pairs(mapping: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A mapping as rows, those of inner mappings named by both keys; what is not known is left out."""
    rows: list[tuple[str, str]] = []
    for key, value in mapping.items():
        name = f"{prefix}{str(key).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += pairs(value, f"{name}: ")
        elif value not in (None, [], ()):
            rows.append((name, _show(value)))
    return rows


def _show(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g}"
    if isinstance(value, (int, float)):
        value = int(value)
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return "; ".join(map(_show, value)) if isinstance(value, (list, tuple)) else str(value)


def _cut(value: Any) -> str:
    text = _show(value)
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]} [cut here: {len(text):,} characters in all]"


def _way(score: Mapping[str, Any]) -> str:
    return f"{score['answering']} {score['scorer']}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f}"


def _value(metric: str, found: Mapping[str, Any] | None) -> str:
    """A value with its interval: shares x 100, others in their unit."""
    if found is None:
        return ""
    if found["value"] is None:
        return "not run" if found.get("not_run") else "none"
    unit = found.get("unit") or _UNITS.get(metric)
    ends = [found["low"], found["high"]] if found.get("low") is not None and found.get("high") is not None else []
    value, *interval = (f"{100 * one:.1f}" if unit is None else _quantity(one) for one in (found["value"], *ends))
    return " ".join([value, *([f"[{', '.join(interval)}]"] if interval else []), *([unit] if unit else [])])


def _quantity(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.4g}"


def _unread(score: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    """Share of the answers that could not be read; of a suite that asks an item more than once, their number."""
    failures = score.get("parse_failures")
    if failures is None or not task["n"] or score["answering"] != "generate":
        return ""
    return f"{failures:,}" if task["task"] in SPECIAL else f"{_percent(failures / task['n'])}%"


def _overlap(found: Mapping[str, Any] | None) -> str:
    """Share of the checked items with an n-gram in the training rows."""
    share = found["touched_share"] if found else None
    return "" if share is None else f"{_percent(share)}%"
