"""A small dataset in MedQA's layout, and a model that answers by rule."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from melama_jax.inference.engine import Completion, Score
from melama_jax.inference.sampling import SamplingOptions

LETTERS = "ABCD"


def write_medqa(root: Path, *, count: int = 8) -> Path:
    """`count` questions whose right answers go round A, B, C, D; returns the folder of all benchmarks."""
    path = root / "medqa" / "US" / "4_options" / "phrases_no_exclude_test.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "question": f"What is sign {number} of?",
            "options": {letter: f"disease {number}{letter}" for letter in LETTERS},
            "answer": f"disease {number}{LETTERS[number % 4]}",
            "answer_idx": LETTERS[number % 4],
            "meta_info": "step1",
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


class RuleAsker:
    """Answers B to everything, and is the surer of a label the later it comes; ends after so many answers."""

    engine: Any = None
    answer = "B."

    def __init__(self, *, stops_after: int | None = None):
        self.asked: list[str] = []
        self._left = stops_after

    def encode(self, prompt: str) -> list[int]:
        return [ord(letter) for letter in prompt]

    def _count(self, prompt: str) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise KeyboardInterrupt
        self.asked.append(prompt)

    def generate(
        self,
        prompts: Sequence[str],
        *,
        options: SamplingOptions | Sequence[SamplingOptions],
        on_complete: Callable[[int, Completion], None] | None = None,
    ) -> list[Completion]:
        done = []
        for number, prompt in enumerate(prompts):
            self._count(prompt)
            done.append(Completion([5, 6], self.answer, [-0.1, -0.2], "stop", 0))
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
        done = []
        for number, (prompt, answers) in enumerate(zip(prompts, labels, strict=True)):
            self._count(prompt)
            done.append([Score(float(place - 9), False, 1, 0) for place in range(len(answers))])
            if on_complete is not None:
                on_complete(number, done[-1])
        return done
