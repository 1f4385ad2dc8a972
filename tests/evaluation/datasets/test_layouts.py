"""Every layout of every dataset on made-up records, and what its table of datasets promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets import DATASETS, MissingData, mmlu_subject
from melama_jax.evaluation.datasets.files import SPLIT_NAMES
from melama_jax.evaluation.datasets.labels import split_by_hash
from melama_jax.evaluation.suites import SUITES
from tests.evaluation.datasets.layouts import GPQA_HEADER, LAYOUTS, Layout, write

REPOSITORY = Path(__file__).parents[3]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.dataset}: {layout.name}")
def test_a_layout_gives_its_items(layout: Layout, tmp_path: Path) -> None:
    dataset = DATASETS[layout.dataset]
    loaded = dataset.load(write(tmp_path, layout.files), layout.split)
    first = loaded.examples[0]
    assert (first.fields, first.gold) == (layout.first, layout.gold)
    assert (len(loaded.examples), loaded.left_out) == (layout.count, layout.left_out)
    assert layout.id in (None, first.id)
    assert len({example.id for example in loaded.examples}) == layout.count
    assert loaded.files
    assert all(path.is_file() and path.is_relative_to(tmp_path) for path in loaded.files)
    assert layout.split in dataset.splits
    for example in loaded.examples:
        assert example.labels == (tuple(example.fields["options"]) if dataset.kind == "choice" else dataset.labels)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.dataset}: {layout.name}")
def test_an_item_of_a_layout_is_in_no_other_split(layout: Layout, tmp_path: Path) -> None:
    dataset = DATASETS[layout.dataset]
    loaded = dataset.load(write(tmp_path, layout.files), layout.split)
    for split in set(SPLIT_NAMES) - {layout.split}:
        try:
            other = dataset.load(tmp_path, split)
        except DataError:
            continue
        shared = {example.id for example in loaded.examples} & {example.id for example in other.examples}
        assert not (shared and set(loaded.files) & set(other.files))


def test_a_split_that_a_dataset_does_not_have_is_refused_and_absent_files_are_told(tmp_path: Path) -> None:
    for name, dataset in DATASETS.items():
        for split in SPLIT_NAMES:
            if split not in dataset.splits:
                with pytest.raises(DataError, match=f"^{name} has .*{dataset.splits[-1]} split.* only; {split} is"):
                    dataset.load(tmp_path, split)
                continue
            for folder in (tmp_path, tmp_path / "none"):
                with pytest.raises(MissingData):
                    dataset.load(folder, split)
    assert [name for name in DATASETS if DATASETS[name].splits == ("train", "test")] == ["medmcqa", "bioasq"]


def test_few_shot_examples_are_never_the_test_items(tmp_path: Path) -> None:
    layout = next(layout for layout in LAYOUTS if layout.dataset.startswith("mirage"))
    write(tmp_path, layout.files)
    with pytest.raises(DataError, match=f"{layout.dataset} has a test split only; train is asked for"):
        DATASETS[layout.dataset].load(tmp_path, "train")
    (tmp_path / "hub").mkdir()
    only_labelled = {"pqa_labeled/train.jsonl": "", "test_ground_truth.json": {}}
    with pytest.raises(MissingData, match="has PQA-L only"):
        DATASETS["pubmedqa"].load(write(tmp_path / "hub", only_labelled), "train")


def test_questions_without_the_list_of_the_test_are_not_taken_for_a_split(tmp_path: Path) -> None:
    (layout,) = (layout for layout in LAYOUTS if (layout.dataset, layout.name) == ("pubmedqa", "official"))
    own = {**layout.files["ori_pqal.json"]["2"], "id": "own"}
    files = {"ori_pqal.json": layout.files["ori_pqal.json"], "test.json": [own]}
    loaded = DATASETS["pubmedqa"].load(write(tmp_path, files), "test")
    assert [example.id for example in loaded.examples] == ["own"]


def test_a_list_of_one_split_does_not_let_a_hash_choose_the_others(tmp_path: Path) -> None:
    (layout,) = (layout for layout in LAYOUTS if (layout.dataset, layout.name) == ("hoc", "official"))
    with pytest.raises(MissingData, match="none of train, and a hash would mix them"):
        DATASETS["hoc"].load(write(tmp_path, layout.files), "train")


def test_no_dataset_has_the_name_of_a_suite() -> None:
    assert DATASETS.keys().isdisjoint(name for name, members in SUITES.items() if members != (name,))


def test_every_dataset_has_a_layout_here() -> None:
    here = {layout.dataset for layout in LAYOUTS} | {"mtsample", "gpqa_bio", "samples", "sample_names"}
    families = {name.split("_")[0] for name in here if name.startswith(("mmlu", "mirage", "gpqa"))}
    assert {name for name in DATASETS if name not in here and name.split("_")[0] not in families} == set()


def test_the_table_is_whole() -> None:
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        assert (dataset.chance is not None) == (dataset.kind in ("choice", "label"))
        assert (REPOSITORY / "configs" / "prompts" / f"{dataset.prompt}.yaml").is_file()
    protected = {name for name, dataset in DATASETS.items() if dataset.protected}
    assert protected == {"emrqa", "i2b2_2010", "mimic_cxr", "mednli", "clip", "own_cases"}
    assert DATASETS["medqa"].chance == 0.2
    assert DATASETS["mirage_pubmedqa"].chance == pytest.approx(1 / 3)


def test_every_dataset_is_described() -> None:
    page = (REPOSITORY / "docs" / "benchmarks_data.md").read_text()
    shown = {name: "mmlu_<subject>" if dataset.folder == "mmlu" else name for name, dataset in DATASETS.items()}
    missing = [name for name in DATASETS if f"`{shown[name]}`" not in page]
    assert missing == []


def test_parquet_as_the_hub_stores_it(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    for part in range(2):
        rows = [
            {"question": f"Q{part}{number}?", "choices": ["a", "b", "c", "d"], "answer": number} for number in range(2)
        ]
        path = tmp_path / "virology" / f"test-0000{part}-of-00002.parquet"
        path.parent.mkdir(exist_ok=True)
        parquet.write_table(arrow.Table.from_pylist(rows), path)
    loaded = mmlu_subject("virology").load(tmp_path, "test")
    assert [example.gold for example in loaded.examples] == ["A", "B", "A", "B"]
    assert loaded.examples[2].fields["question"] == "Q10?"
    assert len(loaded.files) == 2


def test_parquet_rows_hold_lists_as_the_loaders_expect(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"pubid": 5, "question": "Is it?", "context": {"contexts": ["A.", "B."]}, "final_decision": "yes"}]
    (tmp_path / "pqa_artificial").mkdir()
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "pqa_artificial" / "train-00000-of-00001.parquet")
    loaded = DATASETS["pubmedqa"].load(tmp_path, "train")
    assert (loaded.examples[0].id, loaded.examples[0].fields["context"]) == ("5", "A.\nB.")


def test_a_workbook_is_read_by_its_columns(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    for row in (
        ["File", "CHQ", "Summary"],
        ["1.txt", "SUBJECT: iron\nHow much?", "How much iron?"],
        ["2.txt", "Hm", None],
    ):
        workbook.active.append(row)
    workbook.save(tmp_path / "MeQSum_made_up.xlsx")
    loaded = DATASETS["meqsum"].load(tmp_path, "test")
    assert [(item.id, item.gold) for item in loaded.examples] == [("1.txt", "How much iron?")]
    assert loaded.left_out == {"no gold answer": 1}


def gpqa_rows(tmp_path: Path) -> Path:
    rows = [f"r{number},Q{number}?,right,wrong a,wrong b,wrong c,Biology\n" for number in range(12)]
    return write(tmp_path, {"gpqa_main.csv": f"{GPQA_HEADER}\n{''.join(rows)}x,Q?,1,2,3,4,Physics\n"})


def test_gpqa_shuffles_the_options_by_seed_and_keeps_the_answer(tmp_path: Path) -> None:
    loaded = DATASETS["gpqa_bio"].load(gpqa_rows(tmp_path), "test")
    assert loaded.left_out == {"other domain than Biology": 1}
    assert {example.fields["options"][example.gold] for example in loaded.examples} == {"right"}
    assert len({example.gold for example in loaded.examples}) > 1
    assert loaded.examples == DATASETS["gpqa_bio"].load(tmp_path, "test").examples


def test_mtsample_keeps_a_transcription_in_one_split_and_takes_it_once_a_specialty(tmp_path: Path) -> None:
    header = ",description,medical_specialty,sample_name,transcription,keywords\n"
    rows = "".join(
        f'{2 * number + part},d, {specialty} ,s,"Note {number}, line",k\n'
        for number in range(40)
        for part, specialty in enumerate(("Surgery", "Urology"))
    )
    again = '90,d, Surgery ,s,"Note 1, line",k\n91,d,Surgery,s,,k\n'
    write(tmp_path, {"mtsamples.csv": header + rows + again})
    loaded = {split: DATASETS["mtsample"].load(tmp_path, split) for split in DATASETS["mtsample"].splits}
    texts = {split: {example.fields["text"] for example in part.examples} for split, part in loaded.items()}
    assert sum(len(found) for found in texts.values()) == 40
    assert sum(len(part.examples) for part in loaded.values()) == 80
    assert all(split_by_hash(text) == split for split, found in texts.items() for text in found)
    assert len(texts["train"]) > len(texts["test"]) > 0
    reasons = [part.left_out for part in loaded.values()]
    assert sorted(key for reason in reasons for key in reason) == ["duplicate transcription", "empty text"]
    assert next(iter(loaded["train"].examples)).gold in ("Surgery", "Urology")


def test_an_identifier_that_comes_again_is_told_apart(tmp_path: Path) -> None:
    layout = next(layout for layout in LAYOUTS if layout.dataset == "own_cases")
    loaded = DATASETS["own_cases"].load(write(tmp_path, layout.files), "test")
    assert [(example.id, example.gold) for example in loaded.examples] == [("c", "A"), ("c#2", "B")]


def test_drugs_that_overlap_are_masked_together(tmp_path: Path) -> None:
    layout = next(layout for layout in LAYOUTS if layout.dataset == "ddi2013")
    loaded = DATASETS["ddi2013"].load(write(tmp_path, layout.files), "test")
    assert loaded.examples[1].fields["sentence"] == "Aspirin and @DRUG$ or @DRUG$ may interact with warfarin."
    overlapping = layout.files["DDICorpus/Train/DrugBank/a.xml"].replace('"12-15;29-37"', '"12-37"')
    write(tmp_path, {"DDICorpus/Train/DrugBank/a.xml": overlapping})
    train = DATASETS["ddi2013"].load(tmp_path, "train")
    assert train.examples[1].fields["sentence"] == "Aspirin and @DRUG-DRUG$ may interact with warfarin."


def test_concepts_become_tags_of_their_tokens(tmp_path: Path) -> None:
    layout = next(layout for layout in LAYOUTS if layout.dataset == "i2b2_2010")
    loaded = DATASETS["i2b2_2010"].load(write(tmp_path, layout.files), "test")
    assert loaded.examples[1].gold == ("O", "O", "B-problem", "I-problem", "I-problem", "O")
    assert loaded.examples[2].gold == ("B-treatment", "O", "O", "O")
