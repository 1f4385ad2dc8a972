"""Divergence between populations: known differences give known rates."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest

from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation import equitymedqa, fairness
from melama_jax.evaluation.asking import file_sha256
from melama_jax.evaluation.fairness import Variant, Vignettes, divergence_metrics, pairs_of
from melama_jax.evaluation.judge import ChatJudge
from melama_jax.evaluation.statistics import wilson_interval
from melama_jax.inference.sampling import SamplingOptions
from tests.evaluation.fakes import FakeAsker, config, interview, metrics_of


@functools.cache
def gold() -> dict[str, str]:
    """The right letter of each prompt."""
    return {variant.prompt: variant.gold for variant in Vignettes.read().variants}


def case_of(prompt: str) -> str:
    """The sentence with race and gender."""
    return prompt.split("Case: ")[1].split("\n")[0]


def test_vignettes_differ_in_race_and_gender_alone() -> None:
    found = Vignettes.read()
    names = {variant.vignette for variant in found.variants}
    assert len(names) >= 24
    assert len(found.variants) == 8 * len(names)
    by_name = {name: [v for v in found.variants if v.vignette == name] for name in names}
    words = r"\b(?:Black|White|Hispanic|Asian|man|woman|[Hh]e|[Ss]he|[Hh]is|[Hh]er|[Hh]im)\b"
    for variants in by_name.values():
        assert len({re.sub(words, "#", variant.prompt) for variant in variants}) == 1
        assert all("{" not in variant.prompt for variant in variants)


def test_gold_letters_are_not_all_the_same() -> None:
    golds = [variant.gold for variant in Vignettes.read().variants]
    assert max(golds.count(letter) for letter in set(golds)) < 0.4 * len(golds)


def test_pairs_change_one_attribute() -> None:
    variants = [v for v in Vignettes.read().variants if v.vignette == "kidney-stone"]
    assert len(pairs_of(variants, "race")) == 2 * 6
    assert len(pairs_of(variants, "gender")) == 4
    for a, b in pairs_of(variants, "race"):
        assert (variants[a].gender, variants[a].race == variants[b].race) == (variants[b].gender, False)


def variants_of(*names: str) -> list[Variant]:
    return [
        Variant(name, race, gender, f"{name} {race} {gender}", {"A": "yes", "B": "no"}, "A")
        for name in names
        for race in ("Black", "White", "Asian")
        for gender in ("man", "woman")
    ]


def test_divergence_of_known_decisions() -> None:
    variants = variants_of("one", "two")
    # In the first vignette the woman gets another decision, in the second one race of three does.
    chosen = [
        "B" if (v.vignette, v.gender) == ("one", "woman") or (v.vignette, v.race) == ("two", "Asian") else "A"
        for v in variants
    ]
    found = divergence_metrics(variants, chosen, chosen, config())
    assert found["cdr_gender"]["value"] == pytest.approx(3 / 6)
    assert found["cdr_race"]["value"] == pytest.approx(4 / 12)
    assert found["cdr"]["value"] == pytest.approx((3 / 6 + 4 / 12) / 2)
    assert found["noise"]["value"] == 0
    assert found["accuracy"]["value"] == pytest.approx(7 / 12)
    assert (found["cdr_gender"]["low"], found["cdr_gender"]["high"]) == (0, 1)
    # Nothing differs in either of two vignettes: Wilson's interval of 0 of 2.
    assert (found["noise"]["low"], found["noise"]["high"]) == pytest.approx(wilson_interval(0, 2))


def test_pairs_that_cannot_be_read_are_left_out() -> None:
    variants = variants_of("one")
    chosen = [None if v.race == "Asian" else "B" if v.gender == "woman" else "A" for v in variants]
    found = divergence_metrics(variants, chosen, chosen, config())
    assert found["cdr_gender"]["value"] == 1
    assert found["cdr_race"]["value"] == 0
    nothing = divergence_metrics(variants, [None] * 6, [None] * 6, config())
    assert nothing["cdr"] == {"value": None, "low": None, "high": None}
    assert nothing["accuracy"]["value"] == 0


def test_a_fair_model_diverges_nowhere_and_a_biased_one_where_it_is_biased(tmp_path: Path) -> None:
    fair = fairness.run(interview(FakeAsker(lambda prompt, _: gold()[prompt]), tmp_path / "a"), config())
    names = {variant.vignette for variant in Vignettes.read().variants}
    low, high = wilson_interval(0, len(names))
    for name in ("cdr", "cdr_race", "cdr_gender"):
        assert metrics_of(fair, "greedy")[name] == {"value": 0, "low": pytest.approx(low), "high": pytest.approx(high)}
    low, high = wilson_interval(len(names), len(names))
    assert metrics_of(fair, "greedy")["accuracy"] == {"value": 1, "low": low, "high": high}
    # Likelihoods that never move say nothing of how far they might.
    assert metrics_of(fair, "raw")["shift_race"] == {"value": 0, "low": None, "high": None}

    def biased(prompt: str, options: object) -> str:
        return "A" if " woman " in case_of(prompt) else "B"

    found = fairness.run(
        interview(FakeAsker(biased, lambda prompt, text: float(text == f" {biased(prompt, None)}")), tmp_path / "b"),
        config(),
    )
    for scorer in ("greedy", "raw"):
        assert metrics_of(found, scorer)["cdr_gender"]["value"] == 1
        assert metrics_of(found, scorer)["cdr_race"]["value"] == 0
    # Two options at 1 : e among 3 or 4 of the same odds: |p_a - p_b| of the two moves alone.
    assert 0.2 < metrics_of(found, "raw")["shift_gender"]["value"] < 0.4
    assert metrics_of(found, "raw")["shift_race"]["value"] == 0


def test_the_protocol_says_how_the_vignettes_are_asked(tmp_path: Path) -> None:
    seen = set()

    def answer(prompt: str, options: SamplingOptions) -> str:
        seen.add((options.max_new_tokens, options.top_p))
        return "A"

    asked = config(protocol={"answering": ["generate"], "max_new_tokens": 3, "top_p": 0.5})
    found = fairness.run(interview(FakeAsker(answer), tmp_path / "a"), asked)
    assert seen == {(3, 0.5)}
    assert [score["answering"] for score in found["scores"]] == ["generate", "generate"]
    assert (found["protocol"]["max_new_tokens"], found["protocol"]["top_p"]) == (3, 0.5)
    asker = FakeAsker(lambda prompt, text: pytest.fail("was asked for a text"))
    asked = config(protocol={"answering": ["likelihood"]}, fairness={"equitymedqa": str(tmp_path / "nowhere")})
    assert fairness.check(asked).keys() == {"vignettes.yaml"}
    found = fairness.run(interview(asker, tmp_path / "b"), asked)
    assert [score["answering"] for score in found["scores"]] == ["likelihood"]
    assert "protocol.answering has no generate" in found["protocol"]["notes"][-1]


def test_a_likelihood_that_is_no_number_is_no_answer(tmp_path: Path) -> None:
    first = Vignettes.read().variants[0].prompt

    def likelihood(prompt: str, text: str) -> float:
        return float("nan") if prompt == first else -1.0

    asked = config(protocol={"answering": ["likelihood"]})
    found = fairness.run(interview(FakeAsker(likelihood=likelihood), tmp_path), asked)
    assert found["scores"][0]["parse_failures"] == 1
    assert metrics_of(found, "raw")["shift_race"]["value"] == 0


def test_what_the_suite_needs_is_checked_before_a_model_is_there(tmp_path: Path) -> None:
    assert fairness.check(config()) == {"vignettes.yaml": file_sha256(fairness.VIGNETTES)}
    asked = config(fairness={"equitymedqa": str(tmp_path / "official")})
    with pytest.raises(DataError, match=r"fairness\.equitymedqa: .*official holds none of"):
        fairness.check(asked)
    write_pairs(tmp_path / "official", equitymedqa.FILES[0], "Rest for men?,Rest for women?\n")
    files = fairness.check(asked)
    assert files.keys() == {"vignettes.yaml", "equitymedqa_cc_manual.csv", "equitymedqa.yaml"}
    write_pairs(tmp_path / "official", equitymedqa.FILES[0], "Tea for men?,Tea for women?\n")
    changed = fairness.check(asked)
    assert [name for name in files if files[name] != changed[name]] == ["equitymedqa_cc_manual.csv"]
    bad = config(fairness={"equitymedqa": str(tmp_path / "official")}, judge={"url": "file:///x", "model": "m"})
    with pytest.raises(ConfigError, match=r"judge\.url"):
        fairness.check(bad)


def test_noise_of_sampling_is_measured_apart(tmp_path: Path) -> None:
    found = fairness.run(
        interview(FakeAsker(lambda prompt, options: "AB"[options.seed % 2] if options.temperature else "A"), tmp_path),
        config(),
    )
    assert metrics_of(found, "greedy")["noise"]["value"] == 0
    assert 0.35 < metrics_of(found, "sampled at 0.7")["noise"]["value"] < 0.65
    assert 0.35 < metrics_of(found, "sampled at 0.7")["cdr"]["value"] < 0.65


def test_an_interrupted_suite_asks_only_what_is_missing(tmp_path: Path) -> None:
    first = FakeAsker(lambda prompt, _: "A")
    fairness.run(interview(first, tmp_path), config())
    lines = (tmp_path / "outputs.jsonl").read_text().splitlines()
    (tmp_path / "outputs.jsonl").write_text("".join(f"{line}\n" for line in lines[:-5]))
    second = FakeAsker(lambda prompt, _: "A")
    fairness.run(interview(second, tmp_path), config())
    assert (first.asked, second.asked) == (len(lines), 5)
    assert json.loads(lines[0])["output"] == "A"


def write_pairs(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_official_files_have_no_header_and_lose_no_line(tmp_path: Path) -> None:
    write_pairs(
        tmp_path,
        equitymedqa.FILES[0],
        "What helps a cough?,What helps a cough of a Black woman?\n"
        '"Is, say, 5 mg enough for a man?","Is, say, 5 mg enough for a woman?"\n\n'
        "Is it safe for White adults?,Is it safe for Asian adults?\n",
    )
    pairs, left_out, files = equitymedqa.read_pairs(tmp_path)
    assert [(pair.id, pair.attribute) for pair in pairs] == [
        ("equitymedqa_cc_manual:1", "both"),
        ("equitymedqa_cc_manual:2", "gender"),
        ("equitymedqa_cc_manual:4", "race"),
    ]
    assert (left_out, [file.name for file in files]) == ({}, ["equitymedqa_cc_manual.csv"])


def test_a_header_and_pairs_that_say_nothing_are_counted(tmp_path: Path) -> None:
    write_pairs(tmp_path, equitymedqa.FILES[1], "\ufeffquestion_1,question_2\nIs A?,Is A?\nIs A?,Is B?\nIs A?,Is B?\n")
    pairs, left_out, _ = equitymedqa.read_pairs(tmp_path)
    assert len(pairs) == 1
    assert left_out == {"header": 1, "both questions the same": 1, "pair given twice": 1}


@pytest.mark.parametrize(
    ("text", "says"),
    [("Is this one?\n", "line 1: expected two questions, found 1 of 1"), ("a?,b?\nc?,\n", "line 2"), ("", "no pair")],
)
def test_damaged_official_files_are_refused(tmp_path: Path, text: str, says: str) -> None:
    write_pairs(tmp_path, equitymedqa.FILES[0], text)
    with pytest.raises(DataError, match=says):
        equitymedqa.read_pairs(tmp_path)
    with pytest.raises(DataError, match="holds none of"):
        equitymedqa.read_pairs(tmp_path / "elsewhere")


def test_official_pairs_are_compared_by_their_words(tmp_path: Path) -> None:
    write_pairs(
        tmp_path / "official",
        equitymedqa.FILES[0],
        "Rest for men?,Rest for women?\nTea for men?,Tea for women?\nTea for White men?,Tea for Asian men?\n",
    )

    def answer(prompt: str, _: object) -> str:
        return "Call a doctor" if "Rest for women" in prompt else "Rest, at home." if "men?" in prompt else "A"

    found = fairness.run(
        interview(FakeAsker(answer), tmp_path / "run"), config(fairness={"equitymedqa": str(tmp_path / "official")})
    )
    metrics = metrics_of(found, "EquityMedQA, greedy, normalized")
    assert (metrics["cdr_gender"]["value"], metrics["cdr_race"]["value"], metrics["noise"]["value"]) == (0.5, 0, 0)


def test_vignettes_without_a_place_for_race_are_refused(tmp_path: Path) -> None:
    text = fairness.VIGNETTES.read_text(encoding="utf-8")
    (tmp_path / "v.yaml").write_text(text.replace("A 41-year-old {race} {person}", "A 41-year-old {person}"))
    with pytest.raises(ConfigError, match=r"needs \{race\}"):
        Vignettes.read(tmp_path / "v.yaml")
    (tmp_path / "v.yaml").write_text(text.replace("max_new_tokens: 16\n", ""))
    with pytest.raises(ConfigError, match="max_new_tokens"):
        Vignettes.read(tmp_path / "v.yaml")


def test_a_judge_says_which_official_answers_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pairs(
        tmp_path / "official",
        equitymedqa.FILES[0],
        "Rest for men?,Rest for women?\nTea for White men?,Tea for Asian men?\n",
    )

    def votes(judge: ChatJudge, first: str, second: str) -> list[bool | None]:
        assert judge.prompt.sha256 == file_sha256(equitymedqa.PROMPTS)
        return [first.split()[0] == second.split()[0]]

    monkeypatch.setattr(ChatJudge, "votes", votes)
    asked = config(
        fairness={"equitymedqa": str(tmp_path / "official")}, judge={"url": "http://127.0.0.1:1/v1", "model": "m"}
    )
    answers = {"Rest for men": "Rest now", "Rest for women": "Rest then walk", "White": "Tea helps", "Asian": "No tea"}

    def answer(prompt: str, _: object) -> str:
        return next((text for part, text in answers.items() if f"{part} men?" in prompt or f"{part}?" in prompt), "A")

    found = fairness.run(interview(FakeAsker(answer), tmp_path / "run"), asked)
    by_words, judged = (metrics_of(found, f"EquityMedQA, greedy, {name}") for name in ("normalized", "judge"))
    assert (by_words["cdr_gender"]["value"], by_words["cdr_race"]["value"]) == (1, 1)
    assert (judged["cdr_gender"]["value"], judged["cdr_race"]["value"]) == (0, 1)
