"""Askers without a model: functions of the prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from melama_jax.config import EvaluationConfig
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.asking import Interview
from melama_jax.inference.engine import Completion, Score
from melama_jax.inference.sampling import SamplingOptions


class FakeAsker:
    """Answers by functions, and counts what it was asked."""

    def __init__(
        self,
        answer: Callable[[str, SamplingOptions], str] = lambda prompt, options: "",
        likelihood: Callable[[str, str], float] = lambda prompt, text: -float(len(text)),
        engine: Any = None,
    ):
        self.answer, self.likelihood, self.asked = answer, likelihood, 0
        self.engine: Any = engine or SimpleNamespace(max_length=64)

    def encode(self, prompt: str) -> list[int]:
        return list(range(len(prompt.split())))

    def generate(
        self,
        prompts: Sequence[str],
        *,
        options: SamplingOptions | Sequence[SamplingOptions],
        on_complete: Callable[[int, Completion], None] | None = None,
    ) -> list[Completion]:
        each = [options] * len(prompts) if isinstance(options, SamplingOptions) else options
        done = []
        for number, (prompt, option) in enumerate(zip(prompts, each, strict=True)):
            self.asked += 1
            text = self.answer(prompt, option)
            tokens = text.split()
            done.append(Completion(list(range(len(tokens))), text, [0.0] * len(tokens), "stop", 0))
            if on_complete is not None:
                on_complete(number, done[-1])
        return done

    def likelihoods(
        self,
        prompts: Sequence[str],
        labels: Sequence[Sequence[str]],
        *,
        on_complete: Callable[[int, list[Score]], None] | None = None,
    ) -> list[list[Score]]:
        found = []
        for number, (prompt, texts) in enumerate(zip(prompts, labels, strict=True)):
            self.asked += 1
            found.append([Score(self.likelihood(prompt, text), False, 1, 0) for text in texts])
            if on_complete is not None:
                on_complete(number, found[-1])
        return found


def interview(asker: FakeAsker, folder: Path) -> Interview:
    """An interview that keeps its answers in a folder."""
    return Interview(asker, AnswerFile(folder / "outputs.jsonl"))


def config(**sections: Any) -> EvaluationConfig:
    """An evaluation with few resamples."""
    return EvaluationConfig.model_validate({"checkpoint": "none", "metrics": {"resamples": 200}, **sections})


def metrics_of(entry: dict[str, Any], scorer: str) -> dict[str, Any]:
    """The metrics of one scorer of a suite's entry."""
    (found,) = (score["metrics"] for score in entry["scores"] if score["scorer"] == scorer)
    return found
