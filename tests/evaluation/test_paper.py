"""The published scorers' defects, held as such: each is what their numbers were made with."""

import pytest

from melama_jax.config.evaluation import MetricsConfig
from melama_jax.evaluation.datasets import DATASETS
from melama_jax.evaluation.example import Example

pytest.importorskip("sklearn")
pytest.importorskip("seqeval")
pytest.importorskip("rouge_score")

from melama_jax.evaluation import paper, strict

FEW = MetricsConfig(resamples=20)


def parse(name: str, output: str) -> str | None:
    labels = DATASETS[name].labels
    return paper.parse(name, DATASETS[name].kind, Example("1", {}, labels[0], labels), output)


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        ("B. Aspirin", "A"),  # a capital A anywhere is an answer
        ("The correct Answer is C", "A"),
        ("D", "D"),
        ("d", None),
        ("B or C", "B"),
        ("", None),
    ],
)
def test_choice_is_the_first_letter_in_the_order_of_the_list_that_is_anywhere(output: str, letter: str | None) -> None:
    assert parse("medqa", output) == letter
    assert parse("medmcqa", output) == letter


@pytest.mark.parametrize(
    ("output", "label"),
    [("Maybe not", "no"), ("I do not know", "no"), ("Maybe", "maybe"), ("no, or rather yes", "yes"), ("unclear", None)],
)
def test_pubmedqa_finds_no_in_other_words(output: str, label: str | None) -> None:
    assert parse("pubmedqa", output) == label


@pytest.mark.parametrize(
    ("label", "read_as"),
    [("Neurosurgery", "Surgery"), ("Cosmetic / Plastic Surgery", "Surgery"), ("Neurology", "Urology")],
)
def test_three_specialties_of_mtsample_can_never_be_right(label: str, read_as: str) -> None:
    assert parse("mtsample", label) == read_as


def test_all_other_specialties_can_be_right_and_perfect_answers_score_below_one() -> None:
    labels = DATASETS["mtsample"].labels
    items = [Example(label, {}, label, labels) for label in labels]
    answers = [paper.parse("mtsample", "label", item, item.gold) for item in items]
    assert sum(answer == item.gold for answer, item in zip(answers, items, strict=True)) == 37
    found = paper.score("mtsample", "label", items, answers, settings=FEW)
    assert found is not None
    assert found["accuracy"]["value"] == 37 / 40
    assert found["macro_f1"]["value"] == pytest.approx((35 + 1 / 2 + 2 / 3) / 40)


@pytest.mark.parametrize(
    ("output", "label"),
    [("ddi-effect", "DDI-effect"), ("DDI-effect, not DDI-false", None), ("effect", None), ("DDI-intense", "DDI-int")],
)
def test_ddi_wants_exactly_one_option(output: str, label: str | None) -> None:
    assert parse("ddi2013", output) == label


def test_topics_of_hoc_are_substrings_whether_or_not_they_are_denied() -> None:
    assert parse("hoc", "Not cellular energetics.") == ("Cellular energetics",)


def test_macro_f1_leaves_out_labels_that_gold_has_not() -> None:
    items = [Example(str(n), {}, label, DATASETS["mednli"].labels) for n, label in enumerate(("entailment", "neutral"))]
    answers = ["entailment", "contradiction"]
    published, ours = (
        module.score(*name, "label", items, answers, settings=FEW)
        for module, name in ((paper, ["mednli"]), (strict, []))
    )
    assert published["macro_f1"]["value"] == pytest.approx(1 / 2)
    assert ours["macro_f1"]["value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("accepted", "answer", "f1"),
    [
        ("metoprolol 25 mg", "metoprolol 25 mg", 0.714),
        ("his long the with two chronic lisinopril new ulcer type control post",) * 2 + (0.263,),  # 68 characters
        ("dizziness lisinopril", "hypertension of type", 0.378),
    ],
)
def test_f1_of_emrqa_is_over_characters(accepted: str, answer: str, f1: float) -> None:
    exact, found = paper.character_squad((accepted,), answer)
    assert exact == (accepted == answer)
    assert found == pytest.approx(f1, abs=5e-4)


def test_right_answer_of_emrqa_can_have_an_f1_below_its_exact_match() -> None:
    items = [Example("1", {}, ("metoprolol 25 mg",))]
    found = paper.score("emrqa", "span", items, ["metoprolol 25 mg"], settings=FEW)
    assert found is not None
    assert found["f1"]["value"] < found["exact_match"]["value"] == 1


def test_f1_of_i2b2_is_the_micro_average() -> None:
    types = DATASETS["i2b2_2010"].labels
    gold = ("B-problem", "B-problem", "B-problem", "B-test")
    items = [Example("1", {"tokens": list("abcd")}, gold, types)]
    found = paper.score("i2b2_2010", "entities", items, [(*gold[:3], "O")], settings=FEW)
    assert found is not None
    assert found["f1"]["value"] == pytest.approx(6 / 7)


def test_entities_after_a_word_that_differs_are_lost() -> None:
    item = Example("1", {"tokens": ["No", "chest", "pain", "nor", "fever"]}, (), DATASETS["i2b2_2010"].labels)
    output = 'No <span class="problem">chest pain</span> or <span class="problem">fever</span>'
    assert paper.parse("i2b2_2010", "entities", item, output) == ("O", "B-problem", "I-problem", "O", "O")
    assert strict.parse(item, "entities", output) == ("O", "B-problem", "I-problem", "O", "B-problem")


def test_rouge_is_without_stems() -> None:
    items = [Example("1", {}, "no effusion")]
    found = paper.score("mimic_cxr", "summary", items, ["no effusions"], settings=FEW)
    assert found is not None
    assert found["rougeL"]["value"] == 0.5
    assert found["bertscore"]["not_run"]


def test_dataset_without_a_published_scorer_has_none() -> None:
    item = Example("1", {}, "A", ("A", "B"))
    assert paper.parse("mmlu_anatomy", "choice", item, "A") is None
    assert paper.score("mmlu_anatomy", "choice", [item], ["A"]) is None
