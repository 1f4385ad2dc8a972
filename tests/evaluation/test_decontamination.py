from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from melama_jax.data.prepare import prepare
from melama_jax.data.prepared import PreparedData
from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import DataError
from melama_jax.evaluation.decontamination import Contamination, cache_contamination, contamination
from melama_jax.evaluation.example import Example
from tests.data.corpora import MakeConfig, train_vocabulary, words

PASSAGE = (
    "An elderly farmer reports three weeks of burning feet, worse at night, after starting a second tablet for "
    "tuberculosis; examination shows lost ankle jerks and reduced vibration sense in both great toes."
)
QUOTED = " ".join(PASSAGE.split()[4:22])


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return load_vocabulary(train_vocabulary(tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"))


def item(id: str, text: str, **options: str) -> Example:
    return Example(id, {"question": text} | ({"options": options} if options else {}), "A")


def rows(vocabulary: Vocabulary, *documents: str) -> list[np.ndarray]:
    bos, eos = vocabulary.bos_id, vocabulary.eos_id
    assert bos is not None
    assert eos is not None
    return [np.array([bos, *vocabulary.encode(document), eos], np.uint16) for document in documents]


TASKS = {
    "planted": [
        item("whole", PASSAGE),
        item("part", f"{QUOTED} {words(random.Random(1), 60)}"),
        item("clean", words(random.Random(2), 40)),
        item("short", "Which nerve is it?"),
    ],
    "options": [item("option", "Which one fits?", A="No", B=PASSAGE), item("empty", "")],
}


def test_planted_items_are_found_in_other_case_and_punctuation(vocabulary: Vocabulary) -> None:
    document = f"before {PASSAGE.upper().replace(',', ' --').replace(' ', '  ')} after"
    found = contamination(TASKS, rows(vocabulary, words(random.Random(3), 200), document), vocabulary)
    assert found["planted"] == Contamination(13, 3, 1, ("whole", "part"), ("whole",))
    assert found["options"] == Contamination(13, 1, 1, ("option",), ("option",))
    assert found["planted"].as_dict()["touched_share"] == pytest.approx(2 / 3)
    assert found["planted"].as_dict()["covered_share"] == pytest.approx(1 / 3)


def test_text_that_shares_no_thirteen_words_in_a_row_is_clean(vocabulary: Vocabulary) -> None:
    halves = PASSAGE.split()
    apart = " ".join(" ".join(halves[start : start + 12]) + " indeed" for start in range(0, len(halves), 12))
    found = contamination(TASKS, rows(vocabulary, apart), vocabulary)
    assert (found["planted"].touched, found["options"].touched) == ((), ())
    assert contamination(TASKS, rows(vocabulary, apart), vocabulary, n=8)["planted"].touched == ("whole", "part")


def test_documents_of_a_row_are_not_joined(vocabulary: Vocabulary) -> None:
    parts = PASSAGE.split()
    first, second = rows(vocabulary, " ".join(parts[:12]), " ".join(parts[12:24]))
    assert contamination(TASKS, [np.concatenate([first, second])], vocabulary)["planted"].touched == ()
    assert contamination(TASKS, rows(vocabulary, " ".join(parts[:24])), vocabulary)["planted"].touched[0] == "whole"


def test_nothing_to_compare(vocabulary: Vocabulary) -> None:
    assert contamination({}, [], vocabulary) == {}
    found = contamination({"t": [item("short", "one two")]}, rows(vocabulary, PASSAGE), vocabulary)["t"]
    assert found == Contamination(13, 0, 1, (), ())
    assert found.as_dict()["touched_share"] is None


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, vocabulary: Vocabulary) -> PreparedData:
    root = tmp_path_factory.mktemp("corpus")
    rng = random.Random(0)
    for domain in ("clinical", "general"):
        (root / domain).mkdir()
    notes = [words(rng, 30), QUOTED, words(rng, 30)]
    (root / "clinical" / "notes.csv").write_text("text\n" + "".join(f'"{note}"\n' for note in notes))
    (root / "general" / "book.txt").write_text("\n\n".join(words(rng, 40) for _ in range(8)))
    make = MakeConfig(root, vocabulary.path, root / "cache")
    config = make(sequence_length=512, rates={"clinical": 1, "general": 1}, validation_fraction=0.0)
    return prepare(config, workers=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_cache_is_read_whole_by_any_number_of_workers(
    prepared: PreparedData, vocabulary: Vocabulary, workers: int
) -> None:
    found = cache_contamination(TASKS, prepared, vocabulary, workers=workers)
    assert found["planted"].touched == ("whole", "part")
    assert found["options"].touched == ("option",)


def test_rows_of_another_vocabulary_are_refused(prepared: PreparedData, tmp_path: Path) -> None:
    other = load_vocabulary(train_vocabulary(tmp_path / "tokenizer.model", seed=1))
    with pytest.raises(DataError, match="were made with another vocabulary than"):
        cache_contamination(TASKS, prepared, other)


def test_a_damaged_shard_is_named(prepared: PreparedData, vocabulary: Vocabulary) -> None:
    path = prepared.tasks["clinical"].train.paths[0]
    content = path.read_bytes()
    try:
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(DataError, match=f"{path.name}: cannot be read"):
            cache_contamination(TASKS, prepared, vocabulary)
    finally:
        path.write_bytes(content)
