"""The real files, where they lie beside the repository: counts, labels, distributions."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from melama_jax.evaluation.datasets import DATASETS, draw, resplit
from melama_jax.evaluation.example import Example, Split

DATA = Path(__file__).parents[4] / "shared" / "data"
TABLE: list[tuple[str, str, Split, int]] = [
    ("pubmedqa", "eval/pubmedqa", "validation", 500),
    ("pubmedqa", "eval/pubmedqa", "test", 251),
    ("medqa", "eval/medqa", "test", 645),
    ("medqa_4options", "eval/medqa", "test", 645),
    ("medmcqa", "eval/medmcqa", "test", 2107),
    ("bc5cdr", "eval/ner_bc5cdr", "train", 4560),
    ("bc5cdr", "eval/ner_bc5cdr", "validation", 4581),
    ("ncbi_disease", "eval/ner_ncbi_disease", "train", 5432),
    ("ncbi_disease", "eval/ner_ncbi_disease", "validation", 923),
    ("pubmed_summarization", "eval/pubmed_summarization", "train", 100),
    ("pubmed_summarization", "eval/pubmed_summarization", "validation", 80),
    ("meqsum", "eval/meqsum", "test", 496),
    ("bioasq", "eval/bioasq", "test", 309),
    ("agentclinic_cases", "eval/case_diagnosis", "test", 117),
    ("craft_md_cases", "eval/case_diagnosis", "test", 62),
    ("mmlu_anatomy", "eval/mmlu", "test", 61),
    ("mmlu_clinical_knowledge", "eval/mmlu", "test", 130),
    ("mmlu_college_biology", "eval/mmlu", "test", 66),
    ("mmlu_college_medicine", "eval/mmlu", "test", 90),
    ("mmlu_medical_genetics", "eval/mmlu", "test", 51),
    ("mmlu_professional_medicine", "eval/mmlu", "test", 137),
    ("mirage_mmlu", "eval/mirage", "test", 535),
    ("mirage_medqa", "eval/mirage", "test", 645),
    ("mirage_medmcqa", "eval/mirage", "test", 2107),
    ("mirage_pubmedqa", "eval/mirage", "test", 251),
    ("mirage_bioasq", "eval/mirage", "test", 309),
    ("nli4ct", "unstated/nli4ct", "train", 1700),
    ("nli4ct", "unstated/nli4ct", "validation", 200),
    ("mediqa_rqe", "unstated/mediqa2019", "train", 1527),
    ("mediqa_rqe", "unstated/mediqa2019", "validation", 302),
    ("ddi2013", "noncommercial/ddi2013", "train", 27792),
]


def folder(name: str) -> Path:
    path = DATA / name
    if not path.is_dir():
        pytest.skip(f"the real files are not here ({name} beside the repository)")
    return path


def check(name: str, examples: list[Example]) -> None:
    dataset = DATASETS[name]
    for example in examples:
        if dataset.kind in ("choice", "label"):
            assert example.gold in example.labels
        elif dataset.kind == "labels":
            assert set(example.gold) <= set(example.labels)
        elif dataset.kind == "entities":
            assert len(example.gold) == len(example.fields["tokens"])
            assert {tag[2:] for tag in example.gold if tag != "O"} <= set(example.labels)
        else:
            assert example.gold.strip()
            assert "<S>" not in example.gold


@pytest.mark.parametrize(("name", "place", "split", "count"), TABLE, ids=lambda value: str(value))
def test_counts_are_those_of_the_files(name: str, place: str, split: Split, count: int) -> None:
    if name == "meqsum":
        pytest.importorskip("openpyxl")
    loaded = DATASETS[name].load(folder(place), split)
    assert (len(loaded.examples), loaded.left_out) == (count, {})
    check(name, loaded.examples)
    if DATASETS[name].kind == "choice":
        shares = Counter(example.gold for example in loaded.examples)
        assert set(shares) == set(loaded.examples[0].labels)
        assert max(shares.values()) < 0.7 * count


@pytest.mark.parametrize(("name", "place", "count"), [("hoc", "eval/hoc", 1263), ("mtsample", "eval/mtsample", 731)])
def test_sets_without_official_splits_are_parted_whole(name: str, place: str, count: int) -> None:
    parts = {split: DATASETS[name].load(folder(place), split) for split in DATASETS[name].splits}
    assert sum(len(part.examples) + sum(part.left_out.values()) for part in parts.values()) == count
    assert len(parts["train"].examples) > len(parts["test"].examples) > len(parts["validation"].examples)
    for part in parts.values():
        check(name, part.examples)


def test_the_distributions_are_the_published_ones() -> None:
    pubmedqa = DATASETS["pubmedqa"].load(folder("eval/pubmedqa"), "test").examples
    assert Counter(example.gold for example in pubmedqa) == {"yes": 137, "no": 80, "maybe": 34}
    hoc = DATASETS["hoc"].load(folder("eval/hoc"), "train").examples
    labels = Counter(label for example in hoc for label in example.gold)
    assert labels.most_common(1)[0][0] == "Sustaining proliferative signaling"
    assert len(labels) == 10
    relations = DATASETS["ddi2013"].load(folder("noncommercial/ddi2013"), "train").examples
    shares = Counter(example.gold for example in relations)
    assert (shares["DDI-false"], shares["DDI-effect"], shares["DDI-mechanism"]) == (23771, 1687, 1319)


def test_xml_and_tables_of_drug_interactions_agree(tmp_path: Path) -> None:
    place = folder("noncommercial/ddi2013")
    (tmp_path / "test.tsv.gz").symlink_to(place / "test_part1.tsv.gz")
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "train_xml.tar.gz").symlink_to(place / "train_xml.tar.gz")
    from_xml = DATASETS["ddi2013"].load(place, "test").examples
    table = {example.id: example for example in DATASETS["ddi2013"].load(tmp_path, "test").examples}
    assert len(from_xml) == len(table) == 2835
    assert all(example.gold == table[example.id].gold for example in from_xml)
    same = [" ".join(table[item.id].fields["sentence"].split()) == item.fields["sentence"] for item in from_xml]
    assert sum(same) > 0.99 * len(same)  # The table masks drugs of several pieces otherwise.
    train = DATASETS["ddi2013"].load(tmp_path / "xml", "train")
    assert (len(train.examples), train.left_out) == (27791, {"interaction without a type": 1})


def test_whole_abstracts_where_only_they_are_given(tmp_path: Path) -> None:
    place = folder("eval/ner_ncbi_disease")
    for name in ("NCBItrainset_corpus.txt.gz", "NCBIdevelopset_corpus.txt.gz"):
        (tmp_path / name).symlink_to(place / name)
    train = DATASETS["ncbi_disease"].load(tmp_path, "train")
    assert len(train.examples) + sum(train.left_out.values()) == 593
    check("ncbi_disease", train.examples)
    mentions = sum(tag == "B-Disease" for example in train.examples for tag in example.gold)
    lines = gzip.decompress((place / "NCBItrainset_corpus.txt.gz").read_bytes()).decode().splitlines()
    assert mentions == pytest.approx(sum(line.count("\t") >= 4 for line in lines), abs=40)  # A duplicate; overlaps.
    assert len(DATASETS["ncbi_disease"].load(tmp_path, "validation").examples) == 100


def test_mirage_has_the_questions_of_its_sources() -> None:
    medmcqa = {example.id: example for example in DATASETS["medmcqa"].load(folder("eval/medmcqa"), "test").examples}
    for example in DATASETS["mirage_medmcqa"].load(folder("eval/mirage"), "test").examples:
        assert (example.gold, example.fields["options"]) == (
            medmcqa[example.id].gold,
            medmcqa[example.id].fields["options"],
        )


def test_a_resplit_has_the_sizes_of_the_paper_and_loses_nothing() -> None:
    items = [Example(str(number), {}, "A") for number in range(18282 + 164540)]
    train, validation = resplit(items, seed=3)
    assert (len(train), len(validation)) == (164540, 18282)
    assert sorted(train + validation, key=lambda item: int(item.id)) == items
    assert [item.id for item in validation] == sorted((item.id for item in validation), key=int)
    assert resplit(items, seed=3)[1] == validation
    assert resplit(items, seed=4)[1] != validation
    assert [len(part) for part in resplit(items[:211], fraction=0.5, seed=0)] == [106, 105]
    assert resplit([], seed=0) == ([], [])


def test_a_draw_is_seeded_and_without_repetition() -> None:
    items = [Example(str(number), {}, "A") for number in range(500)]
    drawn = draw(items, 200, seed=1)
    assert len({item.id for item in drawn}) == 200
    assert draw(items, 200, seed=1) == drawn
    assert draw(items, 200, seed=2) != drawn
    assert draw(items[:7], 200, seed=1) == items[:7]
