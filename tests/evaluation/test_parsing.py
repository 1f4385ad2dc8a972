"""What is an answer, and what is not."""

import time

import pytest

from melama_jax.evaluation import parsing
from melama_jax.evaluation.markup import mark_up, tags_of

OPTIONS = {
    "A": "Aspirin",
    "B": "Hepatitis B vaccine",
    "C": "Vitamin C",
    "D": "E. coli infection",
    "E": "Group A streptococcus",
}


@pytest.mark.parametrize(
    "output", ["B", " (B)", "B.", "b", "**B**", "Answer: B", "The answer is B.", "option B", "B: x"]
)
@pytest.mark.parametrize("after", ["", "\n\nExplanation: Answer A is wrong, as is a dose of vitamin C."])
def test_letter_is_read_in_its_usual_forms(output: str, after: str) -> None:
    assert parsing.parse_choice(output + after, OPTIONS) == "B"


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        ("Option A is wrong. Option B is wrong. The answer is C.", "C"),
        ("The answer is not A. The answer is B", "B"),
        ("Option D is correct", "D"),
        ("The correct option is (E).", "E"),
        (r"$\boxed{\text{D}}$", "D"),
        ("The answer is A because it thins the blood", "A"),
        ("C. Vitamin C", "C"),
        ("vitamin c", "C"),
        ("I would give aspirin to this patient.", "A"),
        ("Group A streptococcus causes it", "E"),
        ("E. coli infection", "D"),  # the letter E is part of a name
        ("The answer is E. coli infection", "D"),
    ],
)
def test_answer_is_found_within_a_text(output: str, letter: str) -> None:
    assert parsing.parse_choice(output, OPTIONS) == letter


@pytest.mark.parametrize(
    "output",
    [
        "",
        "A patient with fever",
        "A 45-year-old man",
        "The answer is A patient",
        "A and B",
        "A, B",
        "Answer: A or C",
        "The answer is B. The answer is C.",
        "A. Aspirin\nB. Hepatitis B vaccine",
        "A. Aspirin B. Hepatitis B vaccine",
        "F",
        "Aspirin or vitamin C",
        "hepatitis B",
        "not aspirin",
        "Amoxicillin",
    ],
)
def test_no_letter_is_made_up(output: str) -> None:
    assert parsing.parse_choice(output, OPTIONS) is None


def test_number_is_not_found_within_another() -> None:
    options = {"A": "5 mg", "B": "0.5 mg"}
    assert parsing.parse_choice("Give 0.5 mg of it", options) == "B"
    assert parsing.parse_choice("Give 10.5 mg of it", options) is None


def test_options_of_the_same_words_are_told_apart_by_their_signs_alone() -> None:
    options = {"A": "LOD < 3", "B": "LOD > 3"}
    assert parsing.parse_choice("LOD > 3", options) == "B"
    assert parsing.parse_choice("I think that LOD > 3", options) is None


@pytest.mark.parametrize(
    ("output", "label"),
    [
        ("Yes, no doubt", "yes"),
        ("no\nThere may be more, maybe yes", "no"),
        ("The answer is maybe", "maybe"),
        ("Answer: Yes. It is not no.", "yes"),
        ("I do not know", None),
        ("nothing is known", None),
        ("There is no evidence", None),
        ("It is not yes", None),
        ("yes, no, or maybe", None),
        ("yes/no", None),
        ("Answer: yes\nAnswer: no", None),
        ("yesterday", None),
    ],
)
def test_yes_no_maybe_are_whole_words(output: str, label: str | None) -> None:
    assert parsing.parse_label(output, ("yes", "no", "maybe")) == label


@pytest.mark.parametrize(
    ("output", "label"),
    [
        ("neurosurgery", "Neurosurgery"),
        ("This is Neurology.", "Neurology"),
        ("cosmetic/plastic surgery", "Cosmetic / Plastic Surgery"),
        ("not surgery but neurosurgery", "Neurosurgery"),
        ("The relation is ddi_effect", "DDI-effect"),
        ("Surgery, Neurosurgery", None),
        ("surgical", None),
    ],
)
def test_longest_label_is_taken_and_whole(output: str, label: str | None) -> None:
    labels = ("Surgery", "Neurosurgery", "Urology", "Neurology", "Cosmetic / Plastic Surgery", "DDI-effect")
    assert parsing.parse_label(output, labels) == label


def test_labels_are_given_in_their_own_order_or_none_is_said() -> None:
    labels = ("Imaging", "Lab", "Other")
    assert parsing.parse_labels("lab; Imaging", labels) == ("Imaging", "Lab")
    assert parsing.parse_labels("none", labels) == ()
    assert parsing.parse_labels("collaboration", labels) is None


@pytest.mark.parametrize(
    ("output", "ranking"),
    [
        (
            "Here:\n1. **Gout**: it swells\n   - note\n2) Septic arthritis - fever\n3. Lyme disease (late)",
            ("Gout", "Septic arthritis", "Lyme disease (late)"),
        ),
        ("1. Gout 2. Pseudogout 3. Sepsis", ("Gout", "Pseudogout", "Sepsis")),
        ("* **Gout**\n* Sepsis", ("Gout", "Sepsis")),
        ("Gout.", ("Gout",)),
        ("It may be\nmany things", None),
        ("", None),
    ],
)
def test_ranking_is_that_of_the_list(output: str, ranking: tuple[str, ...] | None) -> None:
    assert parsing.parse_ranking(output) == ranking


TOKENS = ["No", "chest", "pain", ",", "on", "beta-blockers", "for", "chest", "pain"]
TAGS = ("O", "B-problem", "I-problem", "O", "O", "B-treatment", "O", "B-problem", "I-problem")
TYPES = ("problem", "treatment")


def test_markup_and_tags_are_the_same_entities() -> None:
    assert tags_of(mark_up(TOKENS, TAGS), TOKENS, TYPES) == TAGS


def test_adjacent_entities_stay_apart() -> None:
    tags = ("B-problem", "B-problem", "I-problem")
    assert tags_of(mark_up(TOKENS[:3], tags), TOKENS[:3], TYPES) == tags


def test_entities_are_aligned_despite_other_spaces_case_and_missing_words() -> None:
    output = (
        "Sure: no <span class='PROBLEM'>Chest  pain</span>, <SPAN class=treatment>beta - blockers</SPAN> for chest pain"
    )
    assert tags_of(output, TOKENS, TYPES) == (*TAGS[:7], "O", "O")


def test_span_of_an_unknown_class_or_without_an_end_is_no_harm() -> None:
    assert tags_of('No <span class="dose">chest</span> pain', TOKENS[:3], TYPES) == ("O", "O", "O")
    assert tags_of('No <span class="problem">chest pain', TOKENS[:3], TYPES) == ("O", "B-problem", "I-problem")


def test_text_that_is_not_the_sentence_holds_no_answer() -> None:
    assert tags_of('<span class="problem">fever</span>', TOKENS, TYPES) is None


@pytest.mark.parametrize(
    "ramble", ["answer" + "\n" * 3000, "answer" + ": " * 3000, "A , " * 3000, '"' * 3000, "no " * 3000]
)
def test_rambling_is_read_in_time(ramble: str) -> None:
    started = time.monotonic()
    parsing.parse_choice(ramble + "@", OPTIONS)
    parsing.parse_label(ramble + "@", ("yes", "no"))
    assert time.monotonic() - started < 20  # a pattern that backtracks would take longer than the universe has
