from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melama_jax.config import Config, dump_yaml
from melama_jax.data.loader import Batch, training_batches, training_rows, validation_batches
from melama_jax.data.mixtures import integer_rates
from melama_jax.data.prepare import ensure_prepared
from melama_jax.data.prepared import PreparedData
from melama_jax.errors import DataError
from tests.data.corpora import MakeConfig

REPOSITORY = Path(__file__).resolve().parents[2]


def rows_of(prepared: PreparedData, *, seed: int = 0, attend: bool = True) -> Any:
    return training_rows(prepared, seed=seed, attend_across_documents=attend)


def take(prepared: PreparedData, count: int, *, first_row: int = 0, local_rows: range | list[int] = range(8)) -> list[Batch]:  # fmt: skip # noqa: E501
    batches = training_batches(
        rows_of(prepared), first_row=first_row, global_rows=8, local_rows=local_rows, num_threads=2, prefetch=3
    )
    taken = list(itertools.islice(batches, count))
    batches.close()
    return taken


def assert_equal(a: Batch, b: Batch) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def owners(prepared: PreparedData, count: int) -> list[str]:
    """Which task each of the first rows comes from."""
    known = {
        row["inputs"].tobytes(): name
        for name, task in prepared.tasks.items()
        for row in (single(prepared, name)[index] for index in range(task.train.rows))
    }
    rows = rows_of(prepared)
    return [known[rows[index]["inputs"].tobytes()] for index in range(count)]


def single(prepared: PreparedData, task: str) -> Any:
    return rows_of(PreparedData({task: prepared.tasks[task]}, prepared.layout, prepared.vocabulary_path, 0, ""))


def test_mixing_holds_the_rates_in_every_prefix(prepared: PreparedData) -> None:
    drawn = owners(prepared, 2000)
    counts = dict.fromkeys(prepared.rates, 0)
    for number, task in enumerate(drawn, 1):
        counts[task] += 1
        for name, rate in prepared.rates.items():
            assert abs(counts[name] - number * rate / 20) < 2
    assert counts == {"biomedical": 1500, "clinical": 100, "general": 400}


def test_any_rates_are_exact_over_a_period() -> None:
    from melama_jax.data.loader import _ExactMixture

    rates = list(integer_rates({"a": 0.3, "b": 0.123, "c": 7.0}).values())
    mixture = _ExactMixture(rates)
    seen = [mixture[index] for index in range(sum(rates))]
    for dataset, rate in enumerate(rates):
        assert [index for chosen, index in seen if chosen == dataset] == list(range(rate))
    assert mixture[10**15 + 1] == mixture[10**15 + 1]


def test_an_epoch_reads_every_row_once_and_the_next_in_another_order(prepared: PreparedData) -> None:
    rows = single(prepared, "general")
    count = prepared.tasks["general"].train.rows
    epochs = [[rows[epoch * count + index]["inputs"].tobytes() for index in range(count)] for epoch in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1])
    assert len(set(epochs[0])) == count
    assert epochs[0] != epochs[1]


def test_the_seed_decides_the_order(prepared: PreparedData) -> None:
    def first(seed: int) -> list[bytes]:
        rows = rows_of(prepared, seed=seed)
        return [rows[index]["inputs"].tobytes() for index in range(40)]

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert first(2**40) != first(0)


@pytest.mark.parametrize("readers", [1, 2, 4])
def test_any_number_of_readers_sees_the_same_global_batches(prepared: PreparedData, readers: int) -> None:
    whole = take(prepared, 5)
    parts = [take(prepared, 5, local_rows=list(range(reader, 8, readers))) for reader in range(readers)]
    for step, batch in enumerate(whole):
        joined = {name: np.empty_like(values) for name, values in batch.items()}
        for reader in range(readers):
            for name, values in parts[reader][step].items():
                joined[name][reader::readers] = values
        assert_equal(joined, batch)


def test_batches_are_the_rows_in_order(prepared: PreparedData) -> None:
    rows = rows_of(prepared)
    for step, batch in enumerate(take(prepared, 3, first_row=4)):
        for place in range(8):
            for name, values in rows[4 + 8 * step + place].items():
                np.testing.assert_array_equal(batch[name][place], values)


def test_starting_late_equals_going_on(prepared: PreparedData) -> None:
    for a, b in zip(take(prepared, 6)[4:], take(prepared, 2, first_row=32), strict=True):
        assert_equal(a, b)
    start = time.monotonic()
    take(prepared, 1, first_row=10**12)
    assert time.monotonic() - start < 2


def test_closing_ends_the_threads(prepared: PreparedData) -> None:
    before = threading.active_count()
    batches = training_batches(
        rows_of(prepared), first_row=0, global_rows=8, local_rows=range(8), num_threads=3, prefetch=5
    )
    next(batches)
    assert threading.active_count() > before
    batches.close()
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before


@pytest.mark.parametrize("local_rows", [[], [1, 0], [0, 0], [-1], [8]])
def test_wrong_local_rows_are_refused(prepared: PreparedData, local_rows: list[int]) -> None:
    with pytest.raises(ValueError, match="must ascend within"):
        take(prepared, 1, local_rows=local_rows)


def test_documents_apart_weigh_less(prepared: PreparedData) -> None:
    weights, segments = {}, {}
    for attend in (True, False):
        rows = rows_of(prepared, attend=attend)
        weights[attend] = sum(rows[index]["loss_weights"].sum() for index in range(40))
        segments[attend] = max(rows[index]["segment_ids"].max() for index in range(40))
    assert weights[False] < weights[True]
    assert segments[False] > segments[True] == 1


def held_out(prepared: PreparedData, local_rows: range, *, max_rows: int = 7) -> list[Batch]:
    return list(
        validation_batches(
            prepared,
            "biomedical",
            max_rows=max_rows,
            batch_rows=4,
            local_rows=local_rows,
            attend_across_documents=True,
        )
    )


def test_validation_rows_are_the_same_every_time_and_padded(prepared: PreparedData) -> None:
    batches = held_out(prepared, range(4))
    for a, b in zip(batches, held_out(prepared, range(4)), strict=True):
        assert_equal(a, b)
    assert len(batches) == 2
    inputs = np.concatenate([batch["inputs"] for batch in batches])[:7]
    assert len({row.tobytes() for row in inputs}) == 7
    assert batches[1]["loss_weights"][2].any()
    assert not batches[1]["loss_weights"][3].any()
    assert not batches[1]["segment_ids"][3].any()
    for a, b in zip(batches, held_out(prepared, range(2, 4)), strict=True):
        np.testing.assert_array_equal(a["targets"][2:], b["targets"])


def test_validation_takes_no_more_rows_than_there_are(prepared: PreparedData) -> None:
    rows = prepared.tasks["biomedical"].validation.rows
    batches = held_out(prepared, range(4), max_rows=10**6)
    assert len(batches) == -(-rows // 4)
    weighed = sum(int(batch["loss_weights"].any(axis=1).sum()) for batch in batches)
    assert weighed == rows
    assert sum(batch["loss_weights"].sum() for batch in batches) == prepared.tasks["biomedical"].validation.tokens - 1


def test_a_split_without_rows_gives_no_batches(prepared: PreparedData) -> None:
    task = prepared.tasks["clinical"]
    empty = type(task.validation)((), (), 0, 0, 0)
    none = type(task)(task.task, task.folder, task.rate, task.train, empty, task.manifest)
    data = PreparedData({"clinical": none}, prepared.layout, prepared.vocabulary_path, 0, "")
    batches = validation_batches(
        data, "clinical", max_rows=4, batch_rows=2, local_rows=[0], attend_across_documents=True
    )
    assert list(batches) == []


def test_a_damaged_row_names_its_shard_and_index(prepared: PreparedData, tmp_path: Path) -> None:
    task = prepared.tasks["general"]
    wrong = type(prepared.layout)(prepared.sequence_length + 1, "uint16", "uint16")
    data = PreparedData({"general": task}, wrong, prepared.vocabulary_path, 0, "")
    with pytest.raises(DataError, match=r"train-00000-of-00001\.array_record, row \d+: a row has 132 bytes"):
        rows_of(data)[0]
    copy = Path(shutil.copy(task.train.paths[0], tmp_path / "train.array_record"))
    content = bytearray(copy.read_bytes())
    content[200:-65536] = b"\x55" * (len(content) - 65536 - 200)
    content[200 : len(content) // 3] = os.urandom(len(content) // 3 - 200)
    copy.write_bytes(content)
    train = type(task.train)((copy,), task.train.shard_rows, task.train.rows, 0, 0)
    damaged = type(task)(task.task, task.folder, 1.0, train, task.validation, task.manifest)
    data = PreparedData({"general": damaged}, prepared.layout, prepared.vocabulary_path, 0, "")
    rows = rows_of(data)
    with pytest.raises(DataError, match=r"train\.array_record, row \d+: .*delete the file"):
        [rows[index] for index in range(train.rows)]


WITHOUT_TENSORFLOW = """
import sys
from melama_jax.config import load
from melama_jax.data import cache, loader, mixtures, packing, prepare, prepared, sources, vocabulary
config = load(sys.argv[1])
data = prepare.ensure_prepared(config)
rows = loader.training_rows(data, seed=0, attend_across_documents=False)
batches = loader.training_batches(rows, first_row=0, global_rows=4, local_rows=range(4), num_threads=2, prefetch=2)
next(batches)
batches.close()
rows = dict(max_rows=2, batch_rows=2, local_rows=[0, 1])
loader.validation_batches(data, "clinical", attend_across_documents=True, **rows)[0]
vocabulary.load_vocabulary(config.data.vocabulary).encode("text")
forbidden = {"tensorflow", "tensorflow_text", "tensorflow_datasets", "seqio"}
loaded = forbidden & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
"""


def test_training_never_imports_tensorflow(prepared: PreparedData, prepared_config: Config, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(dump_yaml(prepared_config))
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path / "config.yaml")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_one_row_is_a_corpus(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one short document")
    config = make_config(
        root=str(tmp_path),
        mixture="general",
        sources={"general": [{"glob": "*.txt", "split": "train"}]},
        validation_fraction=0,
    )
    from melama_jax.data.prepare import prepare

    prepare(config, workers=1)
    rows = rows_of(ensure_prepared(config))
    for index in (0, 1, 10**9):
        np.testing.assert_array_equal(rows[index]["inputs"], rows[0]["inputs"])
