"""What a model lost of the general and won of the medical: held-out perplexity, and scores before and after training.

Perplexity is a token's, so that only models of one tokenizer compare; bits per byte of the text compare any.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melama_jax.config import EvaluationConfig, Source
from melama_jax.data.cache import MANIFEST_NAME, read_manifest
from melama_jax.data.packing import RowLayout
from melama_jax.data.sources import ScanReport, find_files, read_documents
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.asking import Interview, Query, metric, suite_entry, table
from melama_jax.evaluation.decontamination import cached_rows
from melama_jax.evaluation.statistics import bootstrap_interval
from melama_jax.evaluation.suites import SUITES

_LOWER_IS_BETTER = ("perplexity", "bits_per_byte")


def run(interview: Interview, config: EvaluationConfig) -> dict[str, Any]:
    """Measure the held-out texts of each domain, and compare with the evaluation of the model before training."""
    settings = config.forgetting
    scores, left_out, notes, count = [], Counter[str](), [], 0
    for domain, path in settings.texts.items():
        texts, skipped = read_texts(domain, Path(path).expanduser(), interview.asker.engine.vocabulary)
        left_out.update(skipped)
        count += len(texts)
        scores.append({"answering": "likelihood", "scorer": domain, "parse_failures": 0})
        scores[-1]["metrics"] = perplexity_metrics(interview, texts, config)
    if not settings.texts:
        notes.append("No held-out texts: forgetting.texts is empty.")
    entry = suite_entry(
        "forgetting",
        "Forgetting",
        "perplexity",
        config,
        n=count,
        protocol={"prompt": None, "notes": notes},
        scores=scores,
        tables=[],
        left_out=dict(left_out),
        licence="of the texts",
        protected=True,
    )
    notes.append(
        f"Texts are scored in windows of {interview.asker.engine.max_length} tokens, each token once; intervals "
        "resample documents. Perplexity compares models of one tokenizer only, bits per byte any."
    )
    if settings.before is not None:
        before = read_report(Path(settings.before).expanduser())
        after = {"tasks": [*finished(Path(config.output)), entry]}
        entry["extra"]["tables"].append(forgetting(before, after))
        notes.append("Compared are the tasks of this evaluation that had finished before this suite ran.")
    elif not scores:
        entry["not_run"] = "forgetting.texts and forgetting.before are both empty"
    return entry


def read_texts(domain: str, path: Path, vocabulary: Vocabulary) -> tuple[list[Query], dict[str, int]]:
    """The documents of a file, of a folder's files, or of the held-out rows of a training cache.

    Returns:
        The texts, and how many records gave none, by reason.

    Raises:
        DataError: There is nothing to read, or a cache was made with another tokenizer.
    """
    if (path / MANIFEST_NAME).is_file():
        texts = [Query(f"{domain}/{place}", text) for place, text in _held_out(path, vocabulary)]
        skipped: dict[str, int] = {}
    else:
        report = ScanReport()
        root, pattern = (path, "**/*") if path.is_dir() else (path.parent, path.name)
        files, others = find_files(domain, [Source(glob=pattern)], root)
        texts = [
            Query(f"{domain}/{file.name}:{number}", text.decode())
            for file in files
            for number, text in enumerate(read_documents(file, report), 1)
        ]
        skipped = dict(report.skipped) | ({"files of other endings": len(others)} if others else {})
    if not texts:
        raise DataError(f"forgetting.texts.{domain}: {path} holds no text")
    return texts, skipped


def perplexity_metrics(interview: Interview, texts: Sequence[Query], config: EvaluationConfig) -> dict[str, Any]:
    """The perplexity and bits_per_byte over all documents together, with intervals that resample documents."""
    rows = np.array(interview.rolling(texts))  # nats, tokens, bytes of each

    def perplexity(means: np.ndarray) -> np.ndarray:
        return np.exp(means[..., 0] / means[..., 1])

    def bits_per_byte(means: np.ndarray) -> np.ndarray:
        return means[..., 0] / means[..., 2] / math.log(2)

    measures = {"perplexity": (perplexity, "per token"), "bits_per_byte": (bits_per_byte, "bits")}
    return {
        name: metric(
            float(score(rows.mean(axis=0))),
            bootstrap_interval(score, rows, resamples=config.metrics.resamples, seed=config.seed),
            unit,
        )
        for name, (score, unit) in measures.items()
    }


def forgetting(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """A table of what both evaluations measured: before, after, before - after.

    Args:
        before: `report.json` of the model before training.
        after: That of the model after it.
    """
    first, second = _measured(before), _measured(after)
    rows = []
    for key in (key for key in first if key in second):
        task, way, scorer, name = key
        (old, unit, asked), (new, _, asked_after) = first[key], second[key]
        scale = 1 if unit else 100
        lost = (new - old if name in _LOWER_IS_BETTER else old - new) > 0
        field = scorer if task == "forgetting" else "medical" if _is_medical(task) else "general"
        same = "yes" if asked == asked_after else "no"
        figures = (round(scale * value, 4) for value in (old, new, old - new))
        rows.append(
            (field, task, way, scorer, name, *figures, "lost" if lost else "kept" if new == old else "won", same)
        )
    columns = (
        "field",
        "task",
        "answering",
        "scorer",
        "metric",
        "before",
        "after",
        "before - after",
        "",
        "same protocol",
    )
    return table("Before and after training (scores x 100)", columns, sorted(rows, key=lambda row: row[0] != "general"))


def read_report(run: Path) -> dict[str, Any]:
    """The report of an evaluation's folder.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    try:
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(f"forgetting.before: {run} holds no report.json; give the folder of an evaluation") from None
    return report


def finished(run: Path) -> list[dict[str, Any]]:
    """The tasks of a folder that have scores."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(run.glob("*/scores.json"))]


def _measured(report: Mapping[str, Any]) -> dict[tuple[str, str, str, str], tuple[float, str | None, Any]]:
    """(task, answering, scorer, metric) -> value, unit and prompt: of each scorer the first metric, of texts both."""
    found = {}
    for task in report["tasks"]:
        asked = {key: task.get("protocol", {}).get(key) for key in ("prompt_sha256", "shots", "split", "files")}
        for score in task["scores"]:
            names = list(score["metrics"]) if task["task"] == "forgetting" else list(score["metrics"])[:1]
            for name in names:
                value = score["metrics"][name]["value"]
                if value is not None:
                    key = (task["task"], score["answering"], score["scorer"], name)
                    found[key] = (value, score["metrics"][name].get("unit"), (task["n"], asked))
    return found


def _is_medical(task: str) -> bool:
    return not task.startswith("mmlu_") or task in SUITES["mmlu_medical"]


def _held_out(folder: Path, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """The validation rows of one task's cache as text; what parts documents is left out."""
    manifest = read_manifest(folder)
    identity = manifest["identity"] if manifest else {}
    if not manifest or identity["vocabulary"]["sha256"] != vocabulary.sha256:
        raise DataError(
            f"{folder}: its rows were made with another tokenizer than {vocabulary.path}; give texts instead"
        )
    layout = RowLayout.of(sequence_length=identity["sequence_length"], vocab_size=vocabulary.vocab_size)
    for shard in manifest["splits"]["validation"]["shards"]:
        if shard["rows"]:
            for number, row in enumerate(cached_rows(folder / shard["file"], layout), 1):
                yield (
                    f"{shard['file']}:{number}",
                    vocabulary.decode(row[:-1].tolist()),
                )  # the next row begins with the last
