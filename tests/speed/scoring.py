"""Our lm-evaluation-harness model against its own `hf` on the CPU: one folder, the same questions, in turns in one run.

python tests/speed/scoring.py [--folder DIR] [--questions 300]

Each question of MedQA and MMLU is asked twice: for the letter of its answer, and for the answer's text. Prints the
questions a second of both, how often both choose the same, and how far a log-likelihood is off at the most. Without a
folder the model is a LLaMA of 56M random weights in float32. Needs the lm-eval extra, torch, transformers, accelerate
and the data in ../shared; no test runs it. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import transformers  # pyright: ignore[reportMissingImports]
from lm_eval.api.instance import Instance  # pyright: ignore[reportMissingImports]
from lm_eval.models.huggingface import HFLM  # pyright: ignore[reportMissingImports]
from rich.console import Console
from rich.table import Table

from conversion.tokenizers import write_hf_tokenizer
from melama_jax.lm_eval import OpenedModel

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SIZES: dict[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "intermediate_size": 1376,
    "max_position_embeddings": 2048,
}
LETTERS = "ABCDE"
Question = tuple[str, list[str]]


def medqa() -> Iterator[Question]:
    """Question and options."""
    with gzip.open(DATA / "eval/medqa/US/test.jsonl.gz", "rt") as stream:
        for line in stream:
            row = json.loads(line)
            yield row["question"], list(row["options"].values())


def mmlu() -> Iterator[Question]:
    """The same of MMLU's medical subjects."""
    for path in sorted((DATA / "eval/mmlu/test").glob("*.csv.gz")):
        with gzip.open(path, "rt", newline="") as stream:
            for question, *options, _ in csv.reader(stream):
                yield question, options


def pairs(question: Question, *, letters: bool) -> list[tuple[str, str]]:
    """Context and continuation of each option."""
    text, options = question
    if not letters:
        return [(f"Question: {text}\nAnswer:", f" {option}") for option in options]
    listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return [(f"Question: {text}\n{listed}\nAnswer:", f" {letter}") for letter in LETTERS[: len(options)]]


def ask(model: Any, questions: list[Question], *, letters: bool) -> tuple[list[list[float]], float]:
    """The log-likelihood of each option of each question, and the seconds it took."""
    asked = [pairs(question, letters=letters) for question in questions]
    flat = [Instance("loglikelihood", {}, pair, index) for index, pair in enumerate(itertools.chain(*asked))]
    started = time.monotonic()
    answers = iter(model.loglikelihood(flat, disable_tqdm=True))
    seconds = time.monotonic() - started
    return [[next(answers)[0] for _ in options] for options in asked], seconds


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="Hugging Face folder; random weights without one")
    parser.add_argument("--questions", type=int, default=300, help="of each of MedQA and MMLU")
    parser.add_argument("--turn", type=int, default=50, help="questions that each asks before it is the other's turn")
    parser.add_argument("--batch-size", type=int, default=4, help="of the hf model")
    parser.add_argument("--texts", type=int, default=8, help="questions that are also continued, by 32 tokens")
    arguments = parser.parse_args()
    folder = arguments.folder
    if folder is None:
        folder = Path(tempfile.mkdtemp()) / "hf"
        transformers.set_seed(0)
        transformers.LlamaForCausalLM(transformers.LlamaConfig(**SIZES)).save_pretrained(folder)
        write_hf_tokenizer(DATA / "tokenizer/mistral_v1.model", folder)
    models: dict[str, Any] = {
        "hf": HFLM(pretrained=str(folder), device="cpu", batch_size=arguments.batch_size, dtype="float32"),
        "ours": OpenedModel(str(folder), dtype="float32", batch_size=8),
    }
    table = Table("questions", "asked for", "hf, questions/s", "ours, questions/s", "ratio", "same choice", "apart by")
    for name, source in (("MedQA", medqa), ("MMLU", mmlu)):
        questions = list(source())[: arguments.questions]
        for letters in (True, False):
            seconds, found = dict.fromkeys(models, 0.0), {key: [] for key in models}
            for start in range(0, len(questions), arguments.turn):
                turn = questions[start : start + arguments.turn]
                for key, model in models.items():
                    if start == 0:
                        ask(model, turn, letters=letters)  # compilation, and the first touch of everything
                    answers, took = ask(model, turn, letters=letters)
                    found[key] += answers
                    seconds[key] += took
            speed = {key: len(questions) / value for key, value in seconds.items()}
            same = sum(np.argmax(a) == np.argmax(b) for a, b in zip(*found.values(), strict=True))
            apart = max(abs(x - y) for a, b in zip(*found.values(), strict=True) for x, y in zip(a, b, strict=True))
            table.add_row(
                f"{name}, {len(questions)}",
                "letter" if letters else "text",
                f"{speed['hf']:.2f}",
                f"{speed['ours']:.2f}",
                f"{speed['ours'] / speed['hf']:.2f}",
                f"{same} of {len(questions)}",
                f"{apart:.1e}",
            )
    Console().print(table)
    settings = {"until": ["\n\n"], "max_gen_toks": 32}
    asked = [
        Instance("generate_until", {}, (q, settings), n) for n, (q, _) in enumerate(list(medqa())[: arguments.texts])
    ]
    texts = [model.generate_until(asked, disable_tqdm=True) for model in models.values()]
    print(f"texts of 32 tokens that are equal: {sum(a == b for a, b in zip(*texts, strict=True))} of {len(asked)}")


if __name__ == "__main__":
    main()
