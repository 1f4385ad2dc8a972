"""Questions with lettered options: MedQA, MedMCQA, MMLU, MIRAGE, GPQA."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from pathlib import Path

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets.files import Folder, Record, as_record, exports, read_records, read_rows
from melama_jax.evaluation.datasets.items import Items, add_choice
from melama_jax.evaluation.example import Loaded, Split

MMLU_MEDICAL = (
    "anatomy",
    "clinical_knowledge",
    "college_biology",
    "college_medicine",
    "medical_genetics",
    "professional_medicine",
)
"""The six medical subjects ..."""
MMLU_GENERAL = (
    "abstract_algebra",
    "astronomy",
    "business_ethics",
    "college_chemistry",
    "college_computer_science",
    "college_mathematics",
    "college_physics",
    "computer_security",
    "conceptual_physics",
    "econometrics",
    "electrical_engineering",
    "elementary_mathematics",
    "formal_logic",
    "global_facts",
    "high_school_biology",
    "high_school_chemistry",
    "high_school_computer_science",
    "high_school_european_history",
    "high_school_geography",
    "high_school_government_and_politics",
    "high_school_macroeconomics",
    "high_school_mathematics",
    "high_school_microeconomics",
    "high_school_physics",
    "high_school_psychology",
    "high_school_statistics",
    "high_school_us_history",
    "high_school_world_history",
    "human_aging",
    "human_sexuality",
    "international_law",
    "jurisprudence",
    "logical_fallacies",
    "machine_learning",
    "management",
    "marketing",
    "miscellaneous",
    "moral_disputes",
    "moral_scenarios",
    "nutrition",
    "philosophy",
    "prehistory",
    "professional_accounting",
    "professional_law",
    "professional_psychology",
    "public_relations",
    "security_studies",
    "sociology",
    "us_foreign_policy",
    "virology",
    "world_religions",
)
"""... and the others."""


def medqa(folder: Path, split: Split, *, num_options: int) -> Loaded:
    """MedQA (USMLE) of five or four options.

    Options are a mapping (official) or a list of `key` and `value`; `ending0`, ... with an index is read too.
    """
    source = Folder(folder)
    items = Items(source)
    name = "dev" if split == "validation" else split
    official = f"US/{name}.jsonl" if num_options == 5 else f"phrases_no_exclude_{name}.jsonl"
    letters = string.ascii_uppercase[:num_options]
    for record in source.records(official, *exports(split)):
        if record.has("ending0"):
            options = {letter: record.text(f"ending{index}") for index, letter in enumerate(letters)}
            add_choice(items, record.id("id"), record.text("sent1"), options, _letter(record, "label", 0))
            continue
        options = _options(record)
        if "".join(options) != letters:
            raise record.error(f"'options' are {', '.join(options) or 'none'} where {', '.join(letters)} are expected")
        gold = record.text("answer_idx")
        if gold in options and options[gold] != record.text("answer"):
            items.leave_out("answer and its letter disagree")
        else:
            add_choice(items, record.id("id"), record.text("question"), options, gold)
    return items.loaded()


def _options(record: Record) -> dict[str, str]:
    value = record.value("options")
    if isinstance(value, list):
        value = {pair.text("key"): pair.text("value") for pair in (as_record(v, record.place, "") for v in value)}
    options = as_record(value, f"{record.place}: 'options'", record.key)
    return {letter: options.text(letter) for letter in sorted(options.data)}


def _letter(record: Record, key: str, first: int) -> str | None:
    """The letter of an index that counts from `first`; none for an index that says that there is no answer."""
    try:
        index = int(record.text(key)) - first
    except ValueError:
        raise record.error(f"{key!r} is no whole number") from None
    return string.ascii_uppercase[index] if 0 <= index < 26 else None


def medmcqa(folder: Path, split: Split) -> Loaded:
    """MedMCQA; its development set is the test set, as in the paper, for the official test answers are not public.

    `cop` counts from 1 in the official files and from 0 in the hub's copy. Which, is decided for the file as a whole: a
    0 or a 4 in it tells; a file with neither, or both, is refused.
    """
    source = Folder(folder)
    items = Items(source)
    wanted: Split = "validation" if split == "test" else split
    official = "train.json" if split == "train" else "dev.json"
    records = list(source.records(official, *exports(wanted)))
    values = {record.text("cop") for record in records}
    if ("0" in values) == ("4" in values):
        found = "both 0 and 4" if "0" in values else "neither 0 nor 4"
        files = ", ".join(map(str, source.taken))
        raise DataError(
            f"{files}: 'cop' holds {found}, so whether it counts from 0 or from 1 cannot be told; give the whole file"
        )
    for record in records:
        options = {letter: record.text(f"op{letter.lower()}") for letter in "ABCD"}
        gold = _letter(record, "cop", 0 if "0" in values else 1) if record.text("cop") else None
        add_choice(items, record.id("id"), record.text("question"), options, gold)
    return items.loaded()


def mmlu(folder: Path, split: Split, *, subject: str) -> Loaded:
    """One subject of MMLU; its five development questions are the training split, for few-shot prompts."""
    source = Folder(folder)
    items = Items(source)
    name = {"train": "dev", "validation": "val", "test": "test"}[split]
    hub = {"train": "dev", "validation": "validation", "test": "test"}[split]
    entries = source.find(
        f"{subject}_{name}.csv", *(f"{subject}/{hub}{end}" for end in ("-*.parquet", ".parquet", ".jsonl", ".json"))
    )
    for entry in entries:
        if entry.name.endswith(".csv"):
            for number, (line, row) in enumerate(read_rows(entry)):
                if len(row) != 6:
                    raise DataError(f"{entry.place}:{line}: {len(row)} fields where question, A, B, C, D, answer are 6")
                options = dict(zip("ABCD", (text.strip() for text in row[1:5]), strict=True))
                add_choice(items, f"{subject}-{number:03d}", row[0].strip(), options, row[5].strip())
        else:
            for number, record in enumerate(read_records(entry)):
                options = dict(zip(string.ascii_uppercase, record.texts("choices"), strict=False))
                add_choice(
                    items, f"{subject}-{number:03d}", record.text("question"), options, _letter(record, "answer", 0)
                )
    return items.loaded()


def mirage(folder: Path, split: Split, *, part: str) -> Loaded:
    """One of the five sets of MIRAGE's `benchmark.json`."""
    source = Folder(folder)
    items = Items(source)
    entry = source.find("benchmark.json")[0]
    benchmark = as_record(entry.json(), entry.place, "")
    for key, value in benchmark.mapping(part).data.items():
        record = as_record(value, f"{entry.place}: {part}: {key}", key)
        add_choice(items, key, record.text("question"), _options(record), record.text("answer"))
    return items.loaded()


def gpqa(folder: Path, split: Split, *, part: str = "main", domain: str = "Biology", seed: int = 0) -> Loaded:
    """The questions of one domain of GPQA; the order of the options is a function of the seed and the question's id."""
    source = Folder(folder)
    items = Items(source)
    for record in source.records(f"gpqa_{part}.csv", f"gpqa_{part}/*.parquet", f"gpqa_{part}.jsonl"):
        if record.text("High-level domain") != domain:
            items.leave_out(f"other domain than {domain}")
            continue
        id = record.id("Record ID")
        answers = [record.text("Correct Answer"), *(record.text(f"Incorrect Answer {number}") for number in (1, 2, 3))]
        options, gold = _shuffled(answers, f"{seed}:{id}")
        add_choice(items, id, record.text("Question"), options, gold)
    return items.loaded()


def _shuffled(answers: list[str], seed: str) -> tuple[Mapping[str, str], str]:
    """Lettered options, and the letter of the first answer."""
    order = list(range(len(answers)))
    random.Random(seed).shuffle(order)
    letters = string.ascii_uppercase[: len(order)]
    options = {letter: answers[index] for letter, index in zip(letters, order, strict=True)}
    return options, letters[order.index(0)]
