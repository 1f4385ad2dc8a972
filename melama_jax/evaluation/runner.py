"""Asks a model the items of a task, keeps every raw answer, and scores them; an interrupted run goes on."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from melama_jax.config import EvaluationConfig
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.answers import AnswerFile, write_private
from melama_jax.evaluation.asking import Asker, Interview, Query, seed_of
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.scoring import score_cases_task, score_task
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.parallel.agreement import gather, together

SCORES_FILE, ANSWERS_FILE, PROTOCOL_FILE = "scores.json", "outputs.jsonl", "protocol.json"


class Runner:
    """Asks and scores one task after another, in one run folder."""

    def __init__(
        self,
        config: EvaluationConfig,
        asker: Asker,
        model: Mapping[str, Any],
        *,
        source: str,
        track: Callable[[str, int], Callable[[], None]],
    ):
        """Set up.

        Args:
            config: The evaluation.
            asker: The model.
            model: What identifies the model; a run folder holds the answers of one.
            source: What identifies the program; another one scores again.
            track: From a title and a number of steps, a function that reports one step done.
        """
        self.config, self._asker, self._model, self._track = config, asker, dict(model), track
        tree = config.model_dump(mode="json")
        self._depends = {key: tree[key] for key in ("metrics", "judge", "failure_examples")}
        self._depends["source"] = source

    def check(self, name: str, protocol: Mapping[str, Any]) -> None:
        """Refuse a task whose folder holds answers that were got in another way; writes nothing."""
        stored = Path(self.config.output) / name / PROTOCOL_FILE
        if stored.exists():
            _compare(stored, {"protocol": dict(protocol), "model": self._model})

    def run(
        self,
        name: str,
        task: Callable[[Interview, AnswerFile | None], dict[str, Any]],
        *,
        protocol: Mapping[str, Any],
        scoring: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A task's entry of the report, asked where that was not finished before.

        Args:
            name: Of the task and its folder.
            task: Asks and scores; process 0 alone has the file of the answers.
            protocol: Every choice that its answers depend on.
            scoring: What its scores depend on besides the metrics and the program; where any of that has changed,
                the answers that are there are scored again.

        Raises:
            ConfigError: The folder holds answers that were got in another way.
        """
        folder = Path(self.config.output) / name
        identity = {"protocol": dict(protocol), "model": self._model}
        depends = self._depends | dict(scoring or {})
        finished = together("opening the answers", lambda: _open(folder, identity), only_first=True)
        if json.loads(gather("finished", json.dumps(bool(finished) and finished["scoring"] == depends))[0]):
            return finished or {}
        started = time.monotonic()
        file = together("reading the answers", lambda: AnswerFile(folder / ANSWERS_FILE), only_first=True)
        interview = Interview(self._asker, file, track=lambda way, total: self._track(f"{name}: {way}", total))
        result = task(interview, file) | {"task": name, "scoring": depends}
        if "protocol" in result:
            result["protocol"] |= {
                key: self._model.get(key) for key in ("chat_template_sha256", "system_sha256", "add_bos")
            }
        result |= {"seconds": round(time.monotonic() - started, 2)}
        if file is not None:
            write_private(folder / SCORES_FILE, json.dumps(result, indent=2, ensure_ascii=False))
        return result


def ask(question: Question, interview: Interview, file: AnswerFile | None) -> dict[str, Any]:
    """Ask a dataset's items in every way, and score the answers."""
    asked, examples = question.config.protocol, question.examples
    queries = [Query(example.id, prompt) for example, prompt in zip(examples, question.prompts, strict=True)]
    for way in question.answering:
        if way == "generate":
            options = SamplingOptions(
                max_new_tokens=question.max_new_tokens,
                temperature=asked.temperature,
                top_p=asked.top_p,
                stop_strings=tuple(question.prompt.stop),
            )
            seeds = [seed_of(question.config.seed, example.id) for example in examples]
            interview.generate(queries, [dataclasses.replace(options, seed=seed) for seed in seeds])
        else:
            interview.likelihoods(queries, [question.answers(example) for example in examples])
    return together(f"scoring {question.task.name}", lambda: _score(question, file), only_first=True) or {}


def _score(question: Question, file: AnswerFile | None) -> dict[str, Any]:
    assert file is not None
    rows = {way: [file.rows[way, e.id] | {"gold": e.gold} for e in question.examples] for way in question.answering}
    result = score_cases_task(question, rows) if question.kind == "case" else score_task(question, rows)
    file.rewrite(row for way in question.answering for row in rows[way])
    return result


def _open(folder: Path, identity: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result, if the task is finished; else its folder is made ready."""
    stored, scores = folder / PROTOCOL_FILE, folder / SCORES_FILE
    if not stored.exists():
        if (folder / ANSWERS_FILE).exists():
            raise ConfigError(f"{folder}: holds answers but no {PROTOCOL_FILE}; remove the folder")
        write_private(stored, json.dumps(identity, indent=2))
        return None
    _compare(stored, identity)
    return _read(scores) if scores.exists() else None


def _compare(stored: Path, identity: Mapping[str, Any]) -> None:
    differing = _differences(_read(stored), json.loads(json.dumps(identity)))
    if differing:
        raise ConfigError(
            f"{stored.parent}: holds answers that were got otherwise ({'; '.join(differing[:3])}); choose another "
            f"output, or remove that folder"
        )


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise DataError(f"{path}: is damaged; remove it") from None


def _differences(before: Any, now: Any, path: str = "") -> list[str]:
    """Where two nested mappings differ, in words."""
    if isinstance(before, dict) and isinstance(now, dict):
        keys = sorted(before.keys() | now.keys())
        return [text for key in keys for text in _differences(before.get(key), now.get(key), f"{path}.{key}")]
    return [] if before == now else [f"{path.removeprefix('.')} was {before!r}, now {now!r}"]
