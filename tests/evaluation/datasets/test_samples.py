"""Tests of the questions about the sample corpus, of their generator and of their loader."""

from __future__ import annotations

import collections
import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from melama_jax.data import samples as corpus
from melama_jax.evaluation.datasets import samples
from tests.sample_corpus import generate, knowledge, question_tables, questions
from tests.sample_corpus.wording import Chooser, cap

SIZES = {"train": 298, "validation": 60, "test": 148}
Questions = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def content() -> dict[str, bytes]:
    names = (generate.BIOMEDICAL, generate.CLINICAL, generate.GENERAL)
    return {name: gzip.decompress((corpus.root() / name).read_bytes()) for name in names}


@pytest.fixture(scope="module")
def facts(content: dict[str, bytes]) -> list[questions.Fact]:
    return questions.facts([text for domain in generate.texts(content).values() for text in domain])


@pytest.fixture(scope="module")
def shipped() -> Questions:
    """The shipped records of each split."""
    files = {split: samples.FOLDER / f"{split}.jsonl.gz" for split in SIZES}
    return {split: [json.loads(line) for line in gzip.open(file, "rt")] for split, file in files.items()}


def _asked(record: Mapping[str, Any], facts: list[questions.Fact]) -> questions.Fact:
    """The one fact whose question, in one of the wordings, has this text and this answer."""
    relation = record["meta_info"]
    found = [
        fact
        for fact in facts
        if fact.relation == relation
        and record["answer"] in (cap(fact.subject), cap(fact.object))
        and record["question"]
        in [cap(form.format(subject=fact.subject, object=fact.object)) for form in questions.RELATIONS[relation].forms]
    ]
    assert len(found) == 1, record["id"]
    return found[0]


def test_seed_zero_regenerates_the_shipped_questions(content: dict[str, bytes]) -> None:
    built = generate.build_questions(0, content)
    for name, data in built.items():
        assert gzip.decompress((corpus.root() / name).read_bytes()) == data
    assert generate.build_questions(1, content) != built


def test_the_files_are_small_and_carry_neither_time_nor_name() -> None:
    files = sorted(samples.FOLDER.iterdir())
    assert [file.name for file in files] == ["test.jsonl.gz", "train.jsonl.gz", "validation.jsonl.gz"]
    assert sum(file.stat().st_size for file in files) < 40_000
    assert {file.read_bytes()[3:8] for file in files} == {bytes(5)}


@pytest.mark.parametrize(("split", "size"), SIZES.items())
def test_every_question_is_loaded(split: Any, size: int) -> None:
    loaded = samples.load(samples.FOLDER, split)
    assert len(loaded.examples) == len({example.id for example in loaded.examples}) == size
    assert not loaded.left_out
    assert loaded.files == [samples.FOLDER / f"{split}.jsonl.gz"]
    for example in loaded.examples:
        assert example.labels == tuple("ABCD") == tuple(example.fields["options"])
        assert len({option.lower() for option in example.fields["options"].values()}) == 4


def test_every_letter_answers_equally_often(shipped: Questions) -> None:
    for records in shipped.values():
        counts = collections.Counter(record["answer_idx"] for record in records)
        assert max(counts.values()) - min(counts.values()) <= 1
        assert all(record["options"][record["answer_idx"]] == record["answer"] for record in records)


def test_the_length_of_an_option_does_not_tell_the_answer(shipped: Questions) -> None:
    records = [record for part in shipped.values() for record in part]
    for choose in (max, min):
        right = [choose(record["options"].values(), key=len) == record["answer"] for record in records]
        assert 0.2 < sum(right) / len(right) < 0.3


def test_answers_of_training_tell_nothing_about_the_test(shipped: Questions) -> None:
    known = {record["answer"] for record in shipped["train"]}
    for records in (shipped["test"], shipped["validation"]):
        answers = [record["answer"] in known for record in records]
        wrong = [option in known for r in records for option in r["options"].values() if option != r["answer"]]
        assert abs(sum(answers) / len(answers) - sum(wrong) / len(wrong)) < 0.1


def test_no_fact_is_asked_twice(shipped: Questions, facts: list[questions.Fact]) -> None:
    asked = [_asked(record, facts) for records in shipped.values() for record in records]
    assert len(set(asked)) == len(asked) == len(facts)
    assert {fact.relation for fact in asked} == set(questions.RELATIONS)


def test_a_document_of_the_corpus_states_each_fact(content: dict[str, bytes], facts: list[questions.Fact]) -> None:
    documents = [re.sub(r"\s+", " ", text).lower() for texts in generate.texts(content).values() for text in texts]
    for fact in facts:
        for part in fact.evidence:
            assert any(fact.subject.lower() in text and part.lower() in text for text in documents), fact


def test_no_other_option_is_right(shipped: Questions, facts: list[questions.Fact]) -> None:
    drugs = {drug.name: drug for drug in knowledge.load_drugs()}
    conditions = {condition.name: condition for condition in knowledge.load_conditions()}

    def true(relation: str, subject: str, object: str) -> bool:
        if relation in ("class", "mechanism", "use", "side effect"):
            drug = drugs[subject]
            uses, effects = set(drug.uses), {*drug.common_effects, *drug.serious_effects}
            return object in {drug.drug_class, drug.mechanism, *uses, *effects}
        if relation == "symptoms":
            return any(symptom in object for symptom in conditions[subject].symptoms)
        return any((subject, object) == (fact.subject, fact.object) for fact in facts if fact.relation == relation)

    names = {cap(text): text for fact in facts for text in (fact.subject, fact.object)}
    for record in (record for records in shipped.values() for record in records):
        fact = _asked(record, facts)
        for option in record["options"].values():
            text = names[option]
            subject, object = (text, fact.object) if record["answer"] == cap(fact.subject) else (fact.subject, text)
            assert true(fact.relation, subject, object) == (option == record["answer"]), record["id"]


def test_drugs_of_the_same_area_never_compete(shipped: Questions, facts: list[questions.Fact]) -> None:
    drugs = {cap(drug.name): drug.name for drug in knowledge.load_drugs()}
    assert set().union(*question_tables.AREAS.values()) == set(drugs.values())
    compared = 0
    for record in (record for records in shipped.values() for record in records):
        if record["answer"] in drugs:
            for option in set(record["options"].values()) - {record["answer"]}:
                pair = {drugs[option], drugs[record["answer"]]}
                assert not any(pair <= area for area in question_tables.AREAS.values()), record["id"]
                compared += 1
    assert compared > 300


def test_too_few_distant_facts_are_an_error(facts: list[questions.Fact]) -> None:
    near = [fact for fact in facts if fact.relation == "class" and fact.subject in ("lisinopril", "losartan")]
    with pytest.raises(ValueError, match="class of lisinopril: only 0 wrong options"):
        questions.ask(near[0], near, "A", Chooser("any"))
