"""Tests of the open questions about the names of the sample corpus."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

from melama_jax.data import samples as corpus
from melama_jax.evaluation.datasets import samples
from tests.sample_corpus import generate, names

SIZES = {"train": 815, "validation": 22, "test": 97}


@pytest.fixture(scope="module")
def shipped() -> dict[str, list[dict[str, Any]]]:
    """The shipped records of each split."""
    files = {split: samples.NAMES / f"{split}.jsonl.gz" for split in SIZES}
    return {split: [json.loads(line) for line in gzip.open(file, "rt")] for split, file in files.items()}


def asked(record: dict[str, Any]) -> str:
    """The name that a question asks about."""
    relation, question = record["meta_info"], record["question"]
    found = [
        (form, re.fullmatch(re.escape(form).replace(r"\{name\}", "(.+)"), question)) for form in names.FORMS[relation]
    ]
    known = dict(names.facts()[relation])
    (name,) = {match[1] for _, match in found if match and known.get(match[1]) == record["answer"]}
    return name


def test_no_name_is_asked_in_two_splits(shipped: dict[str, list[dict[str, Any]]]) -> None:
    by_split = [{asked(record) for record in records} for records in shipped.values()]
    assert len(set().union(*by_split)) == sum(map(len, by_split)) > 200


def test_a_training_name_is_asked_in_every_wording_and_a_held_out_one_in_one(
    shipped: dict[str, list[dict[str, Any]]],
) -> None:
    for split, records in shipped.items():
        facts = {(asked(record), record["meta_info"]) for record in records}
        assert len(records) == len(facts) * (5 if split == "train" else 1)


def test_the_text_holds_every_name(shipped: dict[str, list[dict[str, Any]]]) -> None:
    content = {name: gzip.decompress((corpus.root() / name).read_bytes()) for name in generate.TARGETS}
    documents = [text.lower() for domain in generate.texts(content).values() for text in domain]
    for name in {asked(record) for records in shipped.values() for record in records}:
        assert sum(name.lower() in text for text in documents) >= 3, name


@pytest.mark.parametrize(("split", "size"), SIZES.items())
def test_every_question_is_loaded(split: Any, size: int) -> None:
    loaded = samples.load(samples.NAMES, split)
    assert len(loaded.examples) == len({example.id for example in loaded.examples}) == size
    for example in loaded.examples:
        assert len(set(example.fields["options"].values())) == 4


def test_no_question_shows_its_options(shipped: dict[str, list[dict[str, Any]]]) -> None:
    for records in shipped.values():
        assert all(record["options"][record["answer_idx"]] == record["answer"] for record in records)
        assert not any(f" {record['answer']} " in f" {record['question'].rstrip('?.')} " for record in records)
