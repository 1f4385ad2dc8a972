"""Prompts as a model reads them, answers as they follow, and the choice of shots."""

from collections import Counter
from typing import Any

import pytest

from melama_jax.config.prompt import PROMPTS, PromptConfig, load_prompt
from melama_jax.errors import ConfigError
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.prompts import answer_text, choose_shots, render

FIELDS = {
    "question": "Which drug?",
    "options": {"A": "Aspirin", "B": "Insulin"},
    "context": "CONTEXT",
    "text": "TEXT",
    "sentence": "no chest pain",
    "premise": "P",
    "hypothesis": "H",
    "case": "CASE",
    "tokens": ["no", "chest", "pain"],
}
GOLD = {
    "choice": "B",
    "label": "B",
    "labels": ("A", "B"),
    "span": ("first", "second"),
    "entities": ("O", "B-A", "I-A"),
    "summary": "short",
    "case": "gout",
}


def example(id: str, gold: Any = "B", **fields: Any) -> Example:
    return Example(id, FIELDS | fields, gold, ("A", "B"))


def test_choice_is_asked_with_its_options_and_ends_where_the_answer_begins() -> None:
    prompt = load_prompt("medqa")
    assert render(prompt, example("1")).endswith("Question: Which drug?\nA. Aspirin\nB. Insulin\nAnswer:")
    assert answer_text(prompt, example("1"), "A") == " A"


def test_shots_come_first_with_their_answers_and_the_instruction_once() -> None:
    prompt = load_prompt("medqa")
    text = render(prompt, example("1"), [example("2", "A", question="Shot?")])
    assert text.count("licensing examination") == 1
    assert text.index("Question: Shot?\nA. Aspirin\nB. Insulin\nAnswer: A\n\nQuestion: Which drug?") > 0


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("hoc", " A; B"),
        ("emrqa", " first"),
        ("i2b2_2010", ' no <span class="A">chest pain</span>'),
        ("meqsum", " short"),
        ("cases", "\n1. gout"),
    ],
)
def test_gold_answer_is_written_as_its_kind_is(name: str, answer: str) -> None:
    prompt = load_prompt(name)
    item = example("1", GOLD[prompt.kind])
    assert answer_text(prompt, item, item.gold) == answer


def test_no_label_at_all_is_written_as_none() -> None:
    assert answer_text(load_prompt("clip"), example("1", ()), ()) == " none"


@pytest.mark.parametrize("name", sorted(path.stem for path in PROMPTS.glob("*.yaml")))
def test_shipped_prompt_renders_the_fields_of_its_kind(name: str) -> None:
    prompt = load_prompt(name)
    item = example("1", GOLD[prompt.kind])
    text = render(prompt, item, [example("2", GOLD[prompt.kind])])
    assert text == text.rstrip()
    assert "{{" not in text
    assert "{%" not in text


def test_missing_field_is_named_without_the_text_of_the_item() -> None:
    item = Example("7", {"text": "SECRET", "context": ""}, "B", ("A", "B"))
    with pytest.raises(ConfigError, match="'question' is undefined; item 7 has context, text") as error:
        render(load_prompt("bioasq"), item)
    assert "SECRET" not in str(error.value)


def test_template_cannot_reach_into_python() -> None:
    template = "{{ ''.__class__.__mro__ }}"
    prompt = PromptConfig(name="x", version=1, kind="label", template=template, answer=" x", max_new_tokens=1)
    with pytest.raises(ConfigError, match="prompt x"):
        render(prompt, example("1"))


def test_text_of_an_item_is_no_template() -> None:
    assert "{{ 1 + 1 }}" in render(load_prompt("medqa"), example("1", question="{{ 1 + 1 }}"))


TRAIN = [example(str(n), "B" if n == 3 else "A", question=f"Q{n}") for n in range(20)]


def test_shots_depend_on_the_seed_and_are_never_the_item_or_its_double() -> None:
    double = example("other", question="Q5")
    for seed in range(20):
        shots = choose_shots(TRAIN, 4, seed, double)
        assert shots == choose_shots(TRAIN, 4, seed, double)
        assert not {"5"} & {shot.id for shot in shots}
        assert not {"7"} & {shot.id for shot in choose_shots(TRAIN, 4, seed, TRAIN[7])}
    assert choose_shots(TRAIN, 4, 0, double) != choose_shots(TRAIN, 4, 1, double)


def test_shots_do_not_all_have_the_commonest_label() -> None:
    for seed in range(10):
        assert Counter(shot.gold for shot in choose_shots(TRAIN, 2, seed, example("x"))) == {"A": 1, "B": 1}


def test_label_is_repeated_where_there_are_too_few_others() -> None:
    assert Counter(shot.gold for shot in choose_shots(TRAIN, 10, 0, example("x"))) == {"A": 9, "B": 1}


def test_too_small_a_training_split_is_refused() -> None:
    with pytest.raises(ConfigError, match="3 asked for, the training split has 2"):
        choose_shots(TRAIN[:3], 3, 0, TRAIN[0])
