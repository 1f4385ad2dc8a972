from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import seqio

from melama_jax.config import DataConfig
from melama_jax.data import tasks
from melama_jax.data.sources import ScanReport, data_root, find_files, read_documents
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError
from tests.data.corpora import MakeConfig


@pytest.fixture
def registered(make_config: MakeConfig) -> Iterator[DataConfig]:
    data = make_config().data
    tasks.register(data)
    yield data
    tasks.register(DataConfig())


def documents(data: DataConfig, task: str) -> list[str]:
    files, _ = find_files(task, data.sources[task], data_root(data))
    return [text.decode() for file in files for text in read_documents(file, ScanReport())]


def test_importing_the_module_registers_the_names() -> None:
    assert {"biomedical", "clinical", "general"} <= set(seqio.TaskRegistry.names())
    mixture = seqio.get_mixture_or_task("me_llama_pretrain")
    assert isinstance(mixture, seqio.Mixture)
    assert mixture.rate_per_task_name == {"biomedical": 15, "clinical": 1, "general": 4}
    assert {task.splits for task in mixture.tasks} == {("train", "validation")}


def test_the_mixture_yields_examples_of_every_task(registered: DataConfig) -> None:
    vocabulary = load_vocabulary(registered.vocabulary)
    mixture = seqio.MixtureRegistry.get("me_llama_pretrain")
    dataset = mixture.get_dataset(sequence_length={"targets": 16}, split="train", seed=0)
    pieces = {
        task: {piece for text in documents(registered, task) for piece in cut([*vocabulary.encode(text), 2], 16)}
        for task in mixture.rate_per_task_name
    }
    drawn: Counter[str] = Counter()
    for example in itertools.islice(dataset.as_numpy_iterator(), 1000):
        piece = tuple(example["targets"].tolist())
        owners = [task for task, known in pieces.items() if piece in known]
        assert owners
        drawn.update(owners if len(owners) == 1 else [])
    assert 700 < drawn["biomedical"] < 800
    assert 20 < drawn["clinical"] < 80
    assert 150 < drawn["general"] < 250


def cut(ids: list[int], length: int) -> list[tuple[int, ...]]:
    return [tuple(ids[start : start + length]) for start in range(0, len(ids), length)]


def test_the_default_mixture_reads_the_shipped_samples() -> None:
    samples = pytest.importorskip("melama_jax.data.samples")
    if not hasattr(samples, "tokenizer_path"):
        pytest.skip("no samples yet")
    dataset = seqio.get_mixture_or_task("me_llama_pretrain").get_dataset({"targets": 64}, split="train", seed=0)
    vocabulary = load_vocabulary(None)
    for example in itertools.islice(dataset.as_numpy_iterator(), 20):
        assert 0 < len(example["targets"]) <= 64
        assert vocabulary.decode(example["targets"].tolist())


def test_splits_share_out_every_document_whole(registered: DataConfig) -> None:
    vocabulary = load_vocabulary(registered.vocabulary)
    task = seqio.TaskRegistry.get("clinical")
    sides = {
        split: [tuple(e["targets"]) for e in task.get_dataset(None, split, shuffle=False).as_numpy_iterator()]
        for split in task.splits
    }
    assert sides["validation"]
    expected = Counter((*vocabulary.encode(text), 2) for text in documents(registered, "clinical"))
    assert Counter(sides["train"] + sides["validation"]) == expected
    assert not set(sides["train"]) & set(sides["validation"])


def test_shards_are_whole_files(registered: DataConfig) -> None:
    task = seqio.TaskRegistry.get("biomedical")
    assert task.source.list_shards("train") == ["biomedical/a.jsonl.gz", "biomedical/b.jsonl.gz"]

    def read(shard: seqio.ShardInfo | None) -> list[tuple[int, ...]]:
        dataset = task.get_dataset(None, "train", shuffle=False, shard_info=shard)
        return [tuple(example["targets"]) for example in dataset.as_numpy_iterator()]

    shards = [read(seqio.ShardInfo(index, 2)) for index in range(2)]
    assert all(shards)
    assert Counter(shards[0] + shards[1]) == Counter(read(None))


def test_bos_and_eos_follow_the_configuration(make_config: MakeConfig) -> None:
    for add_bos, add_eos in itertools.product([False, True], repeat=2):
        data = make_config(add_bos=add_bos, add_eos=add_eos).data
        task = tasks.build_task("general", data)
        first = next(iter(task.get_dataset(None, "train", shuffle=False).as_numpy_iterator()))["targets"].tolist()
        assert (first[0] == 1, first[-1] == 2) == (add_bos, add_eos)
        assert not {1, 2} & set(first[add_bos : len(first) - add_eos])


def test_packed_batches_of_seqio(registered: DataConfig) -> None:
    dataset = seqio.get_dataset(
        "me_llama_pretrain",
        task_feature_lengths={"targets": 64},
        dataset_split="train",
        feature_converter=seqio.LMFeatureConverter(pack=True),
    )
    example = next(iter(dataset.as_numpy_iterator()))
    assert example["decoder_target_tokens"].shape == (64,)


def test_decoding_through_seqio_gives_the_text(registered: DataConfig) -> None:
    vocabulary = seqio.TaskRegistry.get("general").output_features["targets"].vocabulary
    assert isinstance(vocabulary, seqio.Vocabulary)
    ids = vocabulary.encode_tf("the patient \x00 was seen é\x00")
    assert vocabulary.decode(ids) == "the patient \x00 was seen é\x00"
    assert vocabulary.decode_tf(ids).numpy().decode() == "the patient \x00 was seen é\x00"


def test_a_name_taken_by_another_program_is_an_error(make_config: MakeConfig) -> None:
    seqio.TaskRegistry.add("taken", source=seqio.FunctionDataSource(lambda split, shuffle_files: None, ["train"]), output_features={})  # fmt: skip # pyright: ignore # noqa: E501
    try:
        with pytest.raises(ConfigError, match=r"data\.sources\.taken"):
            tasks.register(make_config(sources={"taken": [{"glob": "general/*"}]}).data)
    finally:
        seqio.TaskRegistry.remove("taken")
        tasks.register(DataConfig())


def test_nul_bytes_survive_the_pipeline(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"one\x00\x00\n")
    task = tasks.build_task("general", make_config(root=str(tmp_path), sources={"general": [{"glob": "*.txt"}]}).data)
    examples = [
        example["targets"].tolist()
        for split in task.splits
        for example in task.get_dataset(None, split, shuffle=False).as_numpy_iterator()
    ]
    vocabulary = load_vocabulary(make_config().data.vocabulary)
    assert [vocabulary.decode(ids) for ids in examples] == ["one\x00\x00"]
