"""What a model lost of the general and won of the medical: held-out perplexity, and scores before and after training.

Perplexity is a token's, so that only models of one tokenizer compare; bits per byte of the text compare any.
"""

from __future__ import annotations

import glob
import hashlib
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
from melama_jax.data.sources import ENDINGS, ScanReport, SourceFile, find_files, read_documents
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.asking import Interview, Query, file_sha256, metric, suite_entry, table
from melama_jax.evaluation.compare import protocol_differences
from melama_jax.evaluation.decontamination import cached_rows
from melama_jax.evaluation.runner import SCORES_FILE
from melama_jax.evaluation.statistics import bootstrap_interval
from melama_jax.evaluation.suites import SUITES

_LOWER_IS_BETTER = ("perplexity", "bits_per_byte", "cdr", "accuracy_std", "peak_memory")
_REPORT = "report.json"


def check(config: EvaluationConfig) -> dict[str, str]:
    """Read the held-out texts and the evaluation before training.

    Returns:
        Hashes of what the scores depend on: the files of each domain in one, the report, and the scores of the tasks
        that it is compared with.

    Raises:
        ConfigError: `forgetting.before`, or a task of this evaluation that it is compared with, cannot be read.
        DataError: A domain has no text.
    """
    files = {}
    for domain, path in _paths(config).items():
        if (path / MANIFEST_NAME).is_file():
            _manifest(domain, path)
            hashes = [file_sha256(path / MANIFEST_NAME)]
        else:
            _documents(domain, path)
            hashes = [file_sha256(file.path) for file in _find(domain, path)[0]]
        files[f"texts of {domain}"] = (
            hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
        )
    if config.forgetting.before is not None:
        before = Path(config.forgetting.before).expanduser()
        read_report(before)
        files["report before"] = file_sha256(before / _REPORT)
        after = {task["task"] for task in finished(Path(config.output))} - {"forgetting"}
        files |= {f"scores of {name}": file_sha256(Path(config.output, name, SCORES_FILE)) for name in sorted(after)}
    return files


def run(interview: Interview, config: EvaluationConfig) -> dict[str, Any]:
    """Measure the held-out texts of each domain, and compare with the evaluation of the model before training."""
    settings = config.forgetting
    scores, left_out, notes, count = [], Counter[str](), [], 0
    files = {name: sha256 for name, sha256 in check(config).items() if name.startswith("texts of ")}
    for domain, path in _paths(config).items():
        texts, skipped = read_texts(domain, path, interview.asker.engine.vocabulary)
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
        protocol={
            "prompt": None,
            "answering": ["likelihood"],
            "window": interview.asker.engine.max_length,
            "files": files,
            "notes": notes,
        },
        scores=scores,
        tables=[],
        left_out=dict(left_out),
        licence="of the texts",
        protected=True,
    )
    notes.append(
        f"Texts are scored in windows of {interview.asker.engine.max_length} tokens, each token once; intervals "
        "resample documents. Perplexity compares models of one tokenizer only, bits per byte any. Nothing of the "
        "section protocol applies."
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
        return [Query(f"{domain}/{place}", text) for place, text in _held_out(domain, path, vocabulary)], {}
    return _documents(domain, path)


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
            bootstrap_interval(score, rows, resamples=config.metrics.resamples, seed=config.seed),  # None of one text
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
        same = "yes" if asked[0] == asked_after[0] and not any(protocol_differences(asked[1], asked_after[1])) else "no"
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
        ConfigError: There is none, or it is damaged.
    """
    if not (run / _REPORT).is_file():
        raise ConfigError(f"forgetting.before: {run} holds no {_REPORT}; give the folder of an evaluation")
    report = _read_json(run / _REPORT, "forgetting.before: ")
    if not _can_measure(report):
        raise ConfigError(f"forgetting.before: {run / _REPORT} is damaged; evaluate that model again")
    return report


def finished(run: Path) -> list[dict[str, Any]]:
    """The tasks of a folder that have scores.

    Raises:
        ConfigError: A file of scores is damaged.
    """
    tasks = {file: _read_json(file, "") for file in sorted(run.glob(f"*/{SCORES_FILE}"))}
    for file, task in tasks.items():
        if not _can_measure({"tasks": [task]}):
            raise ConfigError(f"{file}: is damaged; evaluate that task again")
    return list(tasks.values())


def _read_json(file: Path, key: str) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ConfigError(f"{key}{file} is damaged or cannot be read; evaluate again") from None


def _can_measure(report: Any) -> bool:
    try:
        _measured(report)
    except (LookupError, TypeError, AttributeError):
        return False
    return True


def _measured(report: Mapping[str, Any]) -> dict[tuple[str, str, str, str], tuple[float, str | None, Any]]:
    """(task, answering, scorer, metric) -> value, unit and protocol: of each scorer the first metric, of texts both."""
    found = {}
    for task in report["tasks"]:
        asked = {key: value for key, value in task.get("protocol", {}).items() if key != "notes"}
        if task["task"] == "forgetting":  # texts are not asked in a chat
            asked = {key: asked.get(key) for key in ("files", "window")}
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


def _paths(config: EvaluationConfig) -> dict[str, Path]:
    return {domain: Path(path).expanduser() for domain, path in config.forgetting.texts.items()}


def _find(domain: str, path: Path) -> tuple[list[SourceFile], list[str]]:
    """The files of a domain, and those of other endings."""
    if not path.exists():
        raise DataError(f"forgetting.texts.{domain}: {path} is not there; give a file or a folder")
    root, pattern = (path, "**/*") if path.is_dir() else (path.parent, glob.escape(path.name))
    try:
        return find_files(domain, [Source(glob=pattern)], root)
    except DataError:
        raise DataError(
            f"forgetting.texts.{domain}: {path} holds no file that is read; endings read: {', '.join(ENDINGS)}"
        ) from None


def _documents(domain: str, path: Path) -> tuple[list[Query], dict[str, int]]:
    """The documents of a file or a folder, and how many records gave none."""
    files, others = _find(domain, path)
    report = ScanReport()
    try:
        texts = [
            Query(f"{domain}/{file.name}:{number}", text.decode())
            for file in files
            for number, text in enumerate(read_documents(file, report), 1)
        ]
    except DataError as error:
        raise DataError(f"forgetting.texts.{domain}: {error}") from None
    if not texts:
        raise DataError(f"forgetting.texts.{domain}: {path} holds no text")
    return texts, dict(report.skipped) | ({"files of other endings": len(others)} if others else {})


def _manifest(domain: str, folder: Path) -> tuple[str, int, list[str]]:
    """Of one task's cache: hash of its tokenizer, length of its rows, and the files with held-out rows."""
    try:
        manifest = read_manifest(folder) or {}
        identity, shards = manifest["identity"], manifest["splits"]["validation"]["shards"]
        files = [shard["file"] for shard in shards if shard["rows"]]
        found = identity["vocabulary"]["sha256"], identity["sequence_length"], files
    except (LookupError, TypeError):
        raise DataError(f"forgetting.texts.{domain}: {folder / MANIFEST_NAME} is damaged or of no task") from None
    if not files:
        raise DataError(f"forgetting.texts.{domain}: {folder} holds no held-out rows")
    return found


def _held_out(domain: str, folder: Path, vocabulary: Vocabulary) -> Iterator[tuple[str, str]]:
    """The validation rows of one task's cache as text; what parts documents is left out."""
    tokenizer, length, files = _manifest(domain, folder)
    if tokenizer != vocabulary.sha256:
        raise DataError(
            f"forgetting.texts.{domain}: {folder}: its rows were made with another tokenizer than {vocabulary.path}; "
            f"give texts instead"
        )
    layout = RowLayout.of(sequence_length=length, vocab_size=vocabulary.vocab_size)
    for name in files:
        for number, row in enumerate(cached_rows(folder / name, layout), 1):
            yield f"{name}:{number}", vocabulary.decode(row[:-1].tolist())  # the next row begins with the last
