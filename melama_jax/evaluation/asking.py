"""How a suite asks a model: in text, every answer kept as it comes, none asked twice."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from melama_jax.config import EvaluationConfig
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.inference.engine import Completion, Engine, Score
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.parallel.agreement import gather

CONFIGS = Path(__file__).parents[2] / "configs"
"""Where the suites' questions lie: prompts, vignettes, synonyms."""


class Asker(Protocol):
    """A model that is asked in text; `melama_jax.evaluation.asker.ModelAsker` is the real one.

    Attributes:
        engine: What runs it.
    """

    engine: Engine

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt, with all that comes before the answer."""
        ...

    def generate(
        self,
        prompts: Sequence[str],
        *,
        options: SamplingOptions | Sequence[SamplingOptions],
        on_complete: Callable[[int, Completion], None] | None = None,
    ) -> list[Completion]:
        """An answer to each prompt; `on_complete` is told of each by its index."""
        ...

    def likelihoods(
        self,
        prompts: Sequence[str],
        labels: Sequence[Sequence[str]],
        *,
        on_complete: Callable[[int, list[Score]], None] | None = None,
    ) -> list[list[Score]]:
        """The log-likelihood of each of a prompt's answers, whose texts begin with the space before them."""
        ...


@dataclasses.dataclass(frozen=True)
class Query:
    """A prompt with a name that is its own in the suite."""

    id: str
    prompt: str


class Interview:
    """An asker that keeps every raw answer in a file, and takes from it what an interrupted run has already asked.

    In a job of several processes the first one keeps the file; all ask the same, and the others get blank answers.
    """

    def __init__(
        self,
        asker: Asker,
        answers: AnswerFile | None,
        *,
        track: Callable[[str, int], Callable[[], None]] = lambda way, total: lambda: None,
    ):
        """Begin.

        Args:
            asker: The model.
            answers: Where answers are kept; None in all processes but the first.
            track: From a way of answering and a number of questions, a function that reports one answer.
        """
        self.asker, self.answers, self._track = asker, answers, track

    def generate(self, queries: Sequence[Query], options: Sequence[SamplingOptions]) -> list[str]:
        """The text of the answer to each query, asked with its own options."""
        how = [
            {"sampling": {"temperature": o.temperature, "top_p": o.top_p, "seed": o.seed, "tokens": o.max_new_tokens}}
            for o in options
        ]

        def ask(left: list[int], keep: Callable[[int, dict[str, Any]], None]) -> None:
            prompts = [queries[index].prompt for index in left]
            self.asker.generate(
                prompts,
                options=[options[index] for index in left],
                on_complete=lambda number, done: keep(number, _kept(done)),
            )

        return [row.get("output", "") for row in self._answered("generate", queries, how, ask)]

    def likelihoods(self, queries: Sequence[Query], labels: Sequence[Mapping[str, str]]) -> list[dict[str, float]]:
        """The log-likelihood of each of a query's answers.

        Args:
            queries: What is asked.
            labels: Of each query: answer -> its text, with the space that comes before it.
        """
        how = [{"answers": dict(answers)} for answers in labels]

        def ask(left: list[int], keep: Callable[[int, dict[str, Any]], None]) -> None:
            def kept(number: int, scores: list[Score]) -> None:
                keep(number, likelihood_row(labels[left[number]], scores))

            texts = [list(labels[index].values()) for index in left]
            self.asker.likelihoods([queries[index].prompt for index in left], texts, on_complete=kept)

        rows = self._answered("likelihood", queries, how, ask)
        return [
            {label: row["log_likelihoods"][label][0] if row else 0.0 for label in answers}
            for row, answers in zip(rows, labels, strict=True)
        ]

    def rolling(self, texts: Sequence[Query]) -> list[tuple[float, int, int]]:
        """Of each text: nats that the model needs for it, its tokens, and its bytes of UTF-8."""
        engine = self.asker.engine
        how = [{"bytes": len(text.prompt.encode())} for text in texts]

        def ask(left: list[int], keep: Callable[[int, dict[str, Any]], None]) -> None:
            tokens = engine.vocabulary.encode_batch([texts[index].prompt for index in left])
            engine.score_rolling(
                tokens,
                on_complete=lambda number, score: keep(
                    number, {"log_likelihood": score.log_likelihood, "num_tokens": score.num_tokens}
                ),
            )

        rows = self._answered("rolling", texts, how, ask)
        return [(-row["log_likelihood"], row["num_tokens"], row["bytes"]) if row else (1.0, 1, 1) for row in rows]

    def keep(self, queries: Sequence[Query], done: Sequence[Completion]) -> None:
        """Keep answers that were got without the interview."""
        if self.answers is not None:
            with self.answers.open() as file:
                for query, one in zip(queries, done, strict=True):
                    self.answers.add(file, _asked(query, "generate") | _kept(one))

    def _answered(
        self,
        way: str,
        queries: Sequence[Query],
        how: Sequence[Mapping[str, Any]],
        ask: Callable[[list[int], Callable[[int, dict[str, Any]], None]], None],
    ) -> list[dict[str, Any]]:
        """The rows of the queries, after those were asked that have no row, or were asked otherwise."""
        assert len({query.id for query in queries}) == len(queries), "two queries of one name would share an answer"
        rows = [
            {
                "id": query.id,
                "answering": way,
                "prompt_sha256": hashlib.sha256(query.prompt.encode()).hexdigest(),
                **one,
            }
            for query, one in zip(queries, how, strict=True)
        ]
        answers = self.answers
        stored = answers.rows if answers is not None else {}
        missing = [i for i, row in enumerate(rows) if not row.items() <= stored.get((way, row["id"]), {}).items()]
        left: list[int] = json.loads(gather("unanswered", json.dumps(missing))[0])
        if left:
            step = self._track(way, len(left))
            with contextlib.nullcontext() if answers is None else answers.open() as file:

                def keep(number: int, answer: dict[str, Any]) -> None:
                    if answers is not None and file is not None:
                        answers.add(file, rows[left[number]] | answer)
                    step()

                ask(left, keep)
        return [stored.get((way, row["id"]), {}) for row in rows]


def _asked(query: Query, way: str) -> dict[str, Any]:
    return {"id": query.id, "answering": way, "prompt_sha256": hashlib.sha256(query.prompt.encode()).hexdigest()}


def _kept(done: Completion) -> dict[str, Any]:
    answer = {"output": done.text, "finish": done.finish, "num_tokens": len(done.tokens)}
    return answer | {"dropped_tokens": done.dropped_tokens}


def likelihood_row(answers: Mapping[str, str], scores: Sequence[Score]) -> dict[str, Any]:
    """What is kept of the likelihoods of answers (label -> text): sum, tokens and characters of each."""
    found = zip(answers.items(), scores, strict=True)
    return {
        "log_likelihoods": {label: [s.log_likelihood, s.num_tokens, len(text.strip())] for (label, text), s in found},
        "dropped_tokens": max(score.dropped_tokens for score in scores),
    }


def seed_of(*parts: object) -> int:
    """A seed from 0 to 2^31 of its own for whatever these parts name; the same on every machine."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:4], "big") >> 1


def metric(value: float | None, interval: tuple[float, float] | None = None, unit: str | None = None) -> dict[str, Any]:
    """A metric as reports take it; without a unit, a share from 0 to 1."""
    low, high = interval or (None, None)
    return {"value": value, "low": low, "high": high} | ({"unit": unit} if unit else {})


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """A table of `extra["tables"]`."""
    return {"title": title, "columns": list(columns), "rows": [list(row) for row in rows]}


def suite_entry(
    name: str,
    title: str,
    kind: str,
    config: EvaluationConfig,
    *,
    n: int,
    protocol: Mapping[str, Any],
    scores: Sequence[Mapping[str, Any]],
    tables: Sequence[Mapping[str, Any]],
    **other: Any,
) -> dict[str, Any]:
    """The entry of a suite in a report, with what all suites have in common."""
    asked = {"shots": 0, "seed": config.seed, "chat_template": config.protocol.chat_template, "files": {}}
    return {
        "task": name,
        "title": title,
        "suite": name,
        "kind": kind,
        "n": n,
        "left_out": {},
        "protected": False,
        "licence": "of the project",
        "chance": None,
        "not_run": None,
        "protocol": {**asked, **protocol},
        "scores": list(scores),
        "failures": [],
        "contamination": None,
        "extra": {"tables": list(tables)},
        **other,
    }


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
