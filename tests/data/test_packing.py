from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from melama_jax.data import packing
from melama_jax.data.packing import ConversationPacker, RowLayout, empty_row, unpack_row
from melama_jax.errors import DataError
from tests.data.corpora import pack


def slow_rows(documents: list[np.ndarray], length: int) -> list[tuple[list[int], list[int]]]:
    """Tokens and segments of every row, one token at a time."""
    stream = [(int(token), owner) for owner, document in enumerate(documents) for token in document]
    rows = []
    start = 0
    while start + 1 < len(stream):
        window = stream[start : start + length + 1]
        owners = [owner for _, owner in window]
        order = [owner for place, owner in enumerate(owners) if owner not in owners[:place]]
        tokens = [token for token, _ in window]
        segments = [order.index(owner) + 1 for owner in owners]
        pad = [0] * (length + 1 - len(window))
        rows.append((tokens + pad, segments + pad))
        start += length
    return rows


def random_documents(rng: random.Random, length: int) -> list[np.ndarray]:
    sizes = [rng.choice([0, 1, 2, length - 1, length, length + 1, rng.randint(1, 5 * length)]) for _ in range(12)]
    return [np.asarray([rng.randint(1, 299) for _ in range(size)], np.int32) for size in sizes]


def split_record(record: bytes, layout: RowLayout) -> tuple[list[int], list[int]]:
    tokens = np.frombuffer(record[: layout.token_bytes], layout.token_dtype)
    return tokens.tolist(), np.frombuffer(record[layout.token_bytes :], layout.segment_dtype).tolist()


@pytest.mark.parametrize("at_a_time", [1, 50, 2**18])
def test_rows_equal_a_slow_reference(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_TOKENS_AT_A_TIME", at_a_time)
    for seed in range(40):
        rng = random.Random(seed)
        length = rng.choice([1, 2, 3, 7, 16])
        documents = random_documents(rng, length)[: rng.randint(0, 12)]
        layout = RowLayout.of(sequence_length=length, vocab_size=300)
        rows = [split_record(record, layout) for record in pack(iter(documents), layout)]
        assert rows == slow_rows(documents, length)


def test_every_token_but_the_first_is_predicted_exactly_once() -> None:
    for seed in range(20):
        rng = random.Random(seed)
        length = rng.choice([1, 4, 9])
        documents = random_documents(rng, length)
        layout = RowLayout.of(sequence_length=length, vocab_size=300)
        predicted: list[int] = []
        for record in pack(iter(documents), layout):
            row = unpack_row(record, layout, attend_across_documents=True)
            predicted += row["targets"][row["loss_weights"] > 0].tolist()
        assert predicted == np.concatenate(documents).tolist()[1:]


def test_documents_apart_weigh_all_but_first_tokens() -> None:
    length = 8
    documents = random_documents(random.Random(5), length)
    layout = RowLayout.of(sequence_length=length, vocab_size=300)
    predicted: list[int] = []
    for record in pack(iter(documents), layout):
        row = unpack_row(record, layout, attend_across_documents=False)
        predicted += row["targets"][row["loss_weights"] > 0].tolist()
    assert predicted == [int(token) for document in documents for token in document[1:]]


def test_both_views_of_a_row_in_full() -> None:
    layout = RowLayout.of(sequence_length=8, vocab_size=300)
    (record,) = pack(iter([np.asarray([5, 6, 2]), np.asarray([7, 2]), np.asarray([8])]), layout)
    together = unpack_row(record, layout, attend_across_documents=True)
    apart = unpack_row(record, layout, attend_across_documents=False)
    for row in (together, apart):
        assert row["inputs"].tolist() == [5, 6, 2, 7, 2, 8, 0, 0]
        assert row["targets"].tolist() == [6, 2, 7, 2, 8, 0, 0, 0]
        assert [row[name].dtype for name in ("inputs", "targets", "segment_ids", "positions")] == [np.int32] * 4
        assert row["loss_weights"].dtype == np.float32
    assert together["segment_ids"].tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert together["positions"].tolist() == list(range(8))
    assert together["loss_weights"].tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert apart["segment_ids"].tolist() == [1, 1, 1, 2, 2, 3, 0, 0]
    assert apart["positions"].tolist() == [0, 1, 2, 0, 1, 0, 0, 1]
    assert apart["loss_weights"].tolist() == [1, 1, 0, 1, 0, 0, 0, 0]


def test_a_stream_without_a_target_gives_no_row() -> None:
    layout = RowLayout.of(sequence_length=4, vocab_size=300)
    assert list(pack(iter([]), layout)) == []
    assert list(pack(iter([np.asarray([], np.int32)]), layout)) == []
    assert list(pack(iter([np.asarray([3])]), layout)) == []


def test_dtypes_grow_with_the_vocabulary_and_the_row() -> None:
    assert RowLayout.of(sequence_length=8, vocab_size=65536) == RowLayout(8, "uint16", "uint16")
    assert RowLayout.of(sequence_length=65535, vocab_size=65537) == RowLayout(65535, "uint32", "uint32")
    layout = RowLayout.of(sequence_length=2, vocab_size=128256)
    (record,) = pack(iter([np.asarray([128000, 70000, 128001])]), layout)
    row = unpack_row(record, layout, attend_across_documents=True)
    assert row["inputs"].tolist() == [128000, 70000]
    assert row["targets"].tolist() == [70000, 128001]


def test_a_record_of_another_length_is_refused() -> None:
    layout = RowLayout.of(sequence_length=4, vocab_size=300)
    with pytest.raises(DataError, match="19 bytes where 20 are expected"):
        unpack_row(b"x" * 19, layout, attend_across_documents=True)


def test_an_empty_row_looks_like_any_other() -> None:
    layout = RowLayout.of(sequence_length=4, vocab_size=300)
    (record,) = pack(iter([np.asarray([1, 2])]), layout)
    usual, empty = unpack_row(record, layout, attend_across_documents=True), empty_row(4)
    assert {k: (v.shape, v.dtype) for k, v in usual.items()} == {k: (v.shape, v.dtype) for k, v in empty.items()}
    assert not any(values.any() for values in empty.values())


def random_conversations(rng: random.Random, length: int, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    sizes = [rng.choice([1, 2, length, length + 1, rng.randint(1, length + 1)]) for _ in range(count)]
    tokens = [np.asarray([rng.randint(1, 299) for _ in range(size)], np.int32) for size in sizes]
    return [(ids, np.asarray([rng.randint(0, 1) for _ in ids], np.int32)) for ids in tokens]


def pack_conversations(found: list[tuple[np.ndarray, np.ndarray]], layout: RowLayout) -> list[bytes]:
    packer = ConversationPacker(layout)
    records = [record for tokens, mask in found for record in packer.add(tokens, mask)] + packer.finish()
    assert packer.rows == len(records)
    return records


@pytest.mark.parametrize("at_a_time", [1, 200, 2**20])
def test_each_conversation_stands_once_in_one_row_and_alone(at_a_time: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_PLACED_AT_A_TIME", at_a_time)
    for seed in range(20):
        rng = random.Random(seed)
        length = rng.choice([1, 5, 16])
        layout = RowLayout(length, "uint16", "uint16", masked=True)
        given = random_conversations(rng, length, 60)
        weighed = 0
        found: Counter[tuple[int, ...]] = Counter()
        for record in pack_conversations(given, layout):
            ids = np.frombuffer(record, "uint16", length + 1)
            owners = np.frombuffer(record, "uint16", length + 1, layout.token_bytes)
            found.update(tuple(ids[owners == owner].tolist()) for owner in range(1, owners.max() + 1))
            row = unpack_row(record, layout, attend_across_documents=False)
            together = unpack_row(record, layout, attend_across_documents=True)  # conversations are apart either way
            assert all((row[name] == together[name]).all() for name in row)
            weighed += int(row["loss_weights"].sum())
            assert (row["segment_ids"] == owners[:-1]).all()
            for owner in range(1, owners.max() + 1):
                here = np.flatnonzero(row["segment_ids"] == owner)
                assert row["positions"][here].tolist() == list(range(len(here)))
            assert not row["loss_weights"][owners[1:] != owners[:-1]].any()
        assert found == Counter(tuple(tokens.tolist()) for tokens, _ in given)
        assert weighed == sum(int(mask[1:].sum()) for _, mask in given)


def test_a_packed_row_in_full() -> None:
    layout = RowLayout(7, "uint16", "uint16", masked=True)
    given = [([3, 2], [0, 1]), ([5, 6, 2], [1, 1, 1]), ([7, 8, 9, 4, 2], [1, 0, 0, 0, 1])]
    first, second = pack_conversations([(np.asarray(ids), np.asarray(mask)) for ids, mask in given], layout)
    row = unpack_row(first, layout, attend_across_documents=False)
    assert row["inputs"].tolist() == [7, 8, 9, 4, 2, 5, 6]
    assert row["targets"].tolist() == [8, 9, 4, 2, 5, 6, 2]
    assert row["segment_ids"].tolist() == [1, 1, 1, 1, 1, 2, 2]
    assert row["positions"].tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert row["loss_weights"].tolist() == [0, 0, 0, 1, 0, 1, 1]  # the 5 is no answer to the 2 before it
    row = unpack_row(second, layout, attend_across_documents=False)
    assert row["inputs"].tolist() == [3, 2, 0, 0, 0, 0, 0]
    assert row["loss_weights"].tolist() == [1, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="9 tokens does not fit a row of 8"):
        ConversationPacker(layout).add(np.ones(9, int), np.ones(9, int))


def test_rows_of_conversations_are_full() -> None:
    """Lengths as instruction data has them: most short, some as long as a row."""
    rng = np.random.default_rng(0)
    for median, spread in ((150, 0.9), (400, 1.0), (1200, 0.3)):
        lengths = np.clip(rng.lognormal(np.log(median), spread, 4000), 20, 4097).astype(int)
        layout = RowLayout(4096, "uint16", "uint16", masked=True)
        rows = pack_conversations([(np.ones(length, int), np.ones(length, int)) for length in lengths], layout)
        assert lengths.sum() > 0.96 * 4097 * len(rows), (median, lengths.sum() / (4097 * len(rows)))
