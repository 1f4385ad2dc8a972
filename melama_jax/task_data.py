"""python -m melama_jax.task_data --task medqa: a benchmark's training and validation splits as conversations.

The user asks what `melama_jax.evaluate` asks, the assistant gives the gold answer as its prompt file writes it. The
test split is never read.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from melama_jax.config import CommandParser, EvaluationConfig
from melama_jax.config.prompt import PromptConfig, load_prompt
from melama_jax.errors import ConfigError, DataError, run_command
from melama_jax.evaluation.datasets import DATASETS, RESPLIT, Dataset, MissingData, resplit
from melama_jax.evaluation.example import Example, Loaded
from melama_jax.evaluation.prompts import answer_text, choose_shots, render

_NO_VALIDATION = {"i2b2_2010": r"-\d+$", "ddi2013": r"\.s\d+(\.p\d+)?$"}
"""Benchmarks whose official files have a training and a test split only, and some of whose copies have all three; and
what of an item's id is not the document's, which stays on one side. (Copies of i2b2 as tagged lines know no documents.)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write train.jsonl and validation.jsonl; protected datasets' for their owner alone."""
    parser = CommandParser(prog="python -m melama_jax.task_data", description=__doc__)
    parser.add_argument("--task", required=True, metavar="NAME", help="a dataset of docs/benchmarks_data.md")
    parser.add_argument("--data-root", default="benchmarks", metavar="DIR", help="folder of all benchmarks")
    parser.add_argument("--output", required=True, type=Path, metavar="DIR", help="folder of the two files")
    parser.add_argument("--seed", type=int, default=42, help="of new splits and of the draw of examples")
    parser.add_argument("--shots", type=int, default=0, metavar="K", help="worked examples in each question")
    parser.add_argument("--prompt", metavar="NAME", help="another prompt: a name of configs/prompts, or a file")
    arguments = parser.parse_args(sys.argv[1:] if argv is None else argv)
    if arguments.task not in DATASETS:
        raise ConfigError(f"--task {arguments.task!r}: no such dataset; there are {', '.join(DATASETS)}")
    if arguments.shots < 0 or arguments.seed < 0:
        raise ConfigError(f"--shots {arguments.shots} and --seed {arguments.seed} must be 0 or more")
    write_task(DATASETS[arguments.task], arguments)
    return 0


def write_task(dataset: Dataset, arguments: argparse.Namespace) -> None:
    """Read, word and write both splits, and say what there was."""
    prompt = load_prompt(arguments.prompt or dataset.prompt)
    if prompt.kind != dataset.kind:
        raise ConfigError(
            f"--prompt {prompt.name}: is for answers of kind {prompt.kind}; {dataset.name} is {dataset.kind}"
        )
    folder = Path(arguments.data_root).expanduser() / dataset.folder
    train, validation, how = read_splits(dataset, folder, seed=arguments.seed)
    print(f"{dataset.name} ({dataset.licence}): {how}; prompt {prompt.name}, version {prompt.version}")
    for name, split in (("train", train), ("validation", validation)):
        path = arguments.output / f"{name}.jsonl"
        records = conversations(prompt, split.examples, train.examples, shots=arguments.shots, seed=arguments.seed)
        count = write_lines(path, records, private=dataset.protected)
        left_out = ", ".join(f"{number:,} {reason}" for reason, number in split.left_out.items()) or "none"
        print(f"{path}: {count:,} conversations; records left out: {left_out}")


def read_splits(dataset: Dataset, folder: Path, *, seed: int) -> tuple[Loaded, Loaded, str]:
    """Training and validation split, and where they come from.

    The paper parts the training splits of PubMedQA, MedMCQA and EmrQA anew; so is that of a benchmark whose files have
    no validation split.

    Raises:
        MissingData: Files are not there.
        DataError: A file is broken, or the dataset has no training split.
    """
    train = dataset.load(folder, "train")
    try:
        if dataset.name not in RESPLIT:
            return train, dataset.load(folder, "validation"), "its own training and validation splits"
    except MissingData:
        if dataset.name not in _NO_VALIDATION:
            raise
    inside = _NO_VALIDATION.get(dataset.name)
    if inside is None:
        kept, held_out = resplit(train.examples, seed=seed)
    else:
        kept, held_out = resplit_documents(train.examples, inside, seed=seed)
    if not held_out:
        raise DataError(f"{folder}: {dataset.name} has {len(kept)} training item(s), too few to hold a tenth out")
    of = "" if inside is None else "documents of "
    how = f"{of}its training split parted 90/10 by seed {seed} (what was left out is of both)"
    if inside is None and seed != EvaluationConfig.model_fields["seed"].default:
        how += f"; ask with seed {seed} too (eval.benchmarks.seed), or its validation split holds what was trained on"
    return dataclasses.replace(train, examples=kept), dataclasses.replace(train, examples=held_out), how


def resplit_documents(examples: Sequence[Example], inside: str, *, seed: int) -> tuple[list[Example], list[Example]]:
    """Part a training split as `resplit` does, but by documents: items of one repeat each other's words.

    Args:
        examples: The split.
        inside: Matches the end of an id that is not the document's.
        seed: Decides which.
    """
    documents = [re.sub(inside, "", example.id) for example in examples]
    if len({*documents}) == 1:
        return resplit(examples, seed=seed)
    firsts = dict(zip(reversed(documents), reversed(examples), strict=True))
    kept = {re.sub(inside, "", example.id) for example in resplit([*firsts.values()][::-1], seed=seed)[0]}
    sides: tuple[list[Example], list[Example]] = ([], [])
    for name, example in zip(documents, examples, strict=True):
        sides[name not in kept].append(example)
    return sides


def conversations(
    prompt: PromptConfig, examples: Sequence[Example], train: Sequence[Example], *, shots: int, seed: int
) -> Iterator[dict[str, object]]:
    """Records of `id` and `messages`: the question of the evaluation, and the gold answer without the space before it.

    Args:
        prompt: The wording.
        examples: The items.
        train: The training split, for worked examples.
        shots: How many of them each question shows.
        seed: Of their draw.
    """
    for example in examples:
        asked = render(prompt, example, choose_shots(train, shots, seed, example))
        answer = answer_text(prompt, example, example.gold).strip()
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        yield {"id": example.id, "messages": messages}


def write_lines(path: Path, records: Iterator[dict[str, object]], *, private: bool) -> int:
    """Write records as JSON lines, at once; returns how many.

    Raises:
        ConfigError: The file cannot be written.
    """
    beside, written = path.with_name(f".{path.name}"), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)  # of a run that was killed, perhaps with another mode
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for record in records:
                file.write(json.dumps(record) + "\n")
                written += 1
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"--output {path}: cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
    return written


if __name__ == "__main__":
    run_command(main)
