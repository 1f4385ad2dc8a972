"""The SeqIO side: every domain and every set of instructions a `seqio.Task`, their mixtures `seqio.Mixture`s.

Importing this module registers the tasks over the samples shipped in the package, so that
`seqio.get_mixture_or_task("me_llama_pretrain")` works in any SeqIO program; `register` puts a configuration's own
sources in their place, as those of `me_llama_instruct` need. Imports TensorFlow: only the preparation of rows does so,
never training.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import seqio
import tensorflow as tf
from seqio import utils

from melama_jax.config import DataConfig
from melama_jax.data import conversations
from melama_jax.data.mixtures import MIXTURES, records_by_task, resolve_mixture
from melama_jax.data.sources import (
    ScanReport,
    SourceFile,
    assign_shards,
    data_root,
    find_files,
    is_validation,
    read_documents,
)
from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import ConfigError, MelamaError

BOTH_SPLITS = "both"
"""Split of `DocumentSource` that yields every document once, with a feature `validation` that tells its side."""

# A step from TensorFlow into Python costs 0.4 ms, as much as tokenizing a paragraph, so documents cross in groups.
_READ_GROUP_DOCUMENTS, _READ_GROUP_BYTES = 256, 2**18
_ENCODE_GROUP_DOCUMENTS, _ENCODE_GROUPS_IN_FLIGHT = 16, 2


class SeqioVocabulary(seqio.Vocabulary):
    """Our vocabulary behind SeqIO's interface; the file is read at first use."""

    def __init__(self, path: str | None) -> None:
        super().__init__()
        self._path = path

    @functools.cached_property
    def wrapped(self) -> Vocabulary:
        """The vocabulary itself."""
        return load_vocabulary(self._path)

    @property
    def bos_id(self) -> int | None:
        """Id of the begin-of-text token."""
        return self.wrapped.bos_id

    @property
    def eos_id(self) -> int | None:
        """Id of the end-of-text token."""
        return self.wrapped.eos_id

    @property
    def unk_id(self) -> int | None:
        """None: the tokenizers fall back to bytes."""
        return None

    @property
    def _base_vocab_size(self) -> int:
        return self.wrapped.vocab_size

    def _encode(self, s: str) -> Sequence[int]:
        return self.wrapped.encode(s)

    def _decode(self, ids: Sequence[int]) -> str:
        return self.wrapped.decode(ids)

    def encode_group_tf(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Token ids of several texts [n], one ragged row each."""
        wrapped = self.wrapped

        def encode(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            rows = wrapped.encode_batch([text.decode("utf-8") for text in group])
            lengths = np.asarray([len(row) for row in rows], np.int64)
            return np.fromiter(itertools.chain.from_iterable(rows), np.int32, count=int(lengths.sum())), lengths

        ids, lengths = tf.numpy_function(encode, [texts], [tf.int32, tf.int64], stateful=False)
        ids.set_shape([None])
        lengths.set_shape([None])
        return tf.RaggedTensor.from_row_lengths(  # pyright: ignore[reportAttributeAccessIssue]
            ids, lengths, validate=False
        )

    def _encode_tf(self, s: tf.Tensor) -> tf.Tensor:
        return self.encode_group_tf(tf.expand_dims(s, 0)).values

    def _decode_tf(self, ids: tf.Tensor) -> tf.Tensor:
        text = tf.numpy_function(lambda row: self.wrapped.decode(row.tolist()).encode(), [ids], tf.string)
        text.set_shape([])
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeqioVocabulary) and self._path == other._path

    def __hash__(self) -> int:
        return hash(self._path)

    def __str__(self) -> str:
        return f"SeqioVocabulary({self._path or 'samples'})"


@dataclasses.dataclass
class Observer:
    """Follows one pass over a `DocumentSource`.

    With an observer a file's error ends the pass and is left in `error`, because TensorFlow would rewrite it.
    """

    report: ScanReport = dataclasses.field(default_factory=ScanReport)
    on_progress: Callable[[int], None] | None = None
    """Called with the source bytes consumed so far."""
    error: MelamaError | None = None


class DocumentSource(seqio.DataSource):
    """Documents of one task's files, as `{"targets": text}`.

    Splits `train` and `validation`; `BOTH_SPLITS` is not listed and is what the preparation reads. Shards are whole
    files, shared out by size.
    """

    def __init__(self, task: str, data: DataConfig, *, files: Sequence[SourceFile] | None = None) -> None:
        super().__init__(splits=("train", "validation"))
        self._task, self._data = task, data
        self._given_files = files
        self.observer: Observer | None = None

    @functools.cached_property
    def files(self) -> Sequence[SourceFile]:
        """The task's files."""
        if self._given_files is not None:
            return self._given_files
        return find_files(self._task, self._data.sources[self._task], data_root(self._data))[0]

    @property
    def supports_arbitrary_sharding(self) -> bool:
        """False: a file is the smallest shard."""
        return False

    def list_shards(self, split: str) -> Sequence[str]:
        """Names of the files."""
        return [file.name for file in self.files]

    def get_dataset(
        self,
        split: str = "train",
        shuffle: bool = True,
        seed: int | None = None,
        shard_info: seqio.ShardInfo | None = None,
        *,
        sequence_length: Mapping[str, int] | None = None,
        use_cached: bool = False,
        num_epochs: int | None = 1,
    ) -> tf.data.Dataset:
        """Documents of a split, or of one shard of it; `shuffle` orders the files, the task's buffer the documents."""
        if split not in (*self.splits, BOTH_SPLITS):
            raise ValueError(f"task {self._task} has no split {split!r}; valid: {', '.join(self.splits)}")
        files = list(self.files)
        if shard_info is not None:
            files = assign_shards(files, shard_info.num_shards)[shard_info.index]
        if shuffle:
            random.Random(seed).shuffle(files)
        both = split == BOTH_SPLITS
        signature: dict[str, Any] = {"targets": tf.TensorSpec([None], tf.string)}
        if both:
            signature["validation"] = tf.TensorSpec([None], tf.bool)

        def generate() -> Iterator[dict[str, Any]]:
            texts, sides, size = [], [], 0
            for text, held_out in self._read(files):
                if not both and held_out != (split == "validation"):
                    continue
                texts.append(text)
                sides.append(held_out)
                size += len(text)
                if len(texts) >= _READ_GROUP_DOCUMENTS or size >= _READ_GROUP_BYTES:
                    yield {"targets": texts, "validation": sides} if both else {"targets": texts}
                    texts, sides, size = [], [], 0
            if texts:
                yield {"targets": texts, "validation": sides} if both else {"targets": texts}

        return tf.data.Dataset.from_generator(generate, output_signature=signature).unbatch()

    def _read(self, files: Sequence[SourceFile]) -> Iterator[tuple[bytes, bool]]:
        observer = self.observer
        report = observer.report if observer else ScanReport()
        before = 0
        try:
            for file in files:

                def on_progress(position: int, before: int = before) -> None:
                    if observer and observer.on_progress:
                        observer.on_progress(before + position)

                yield from self._documents(file, report, on_progress)
                before += file.size
        except MelamaError as error:
            if observer is None:
                raise
            observer.error = error

    def _documents(
        self, file: SourceFile, report: ScanReport, on_progress: Callable[[int], None]
    ) -> Iterator[tuple[bytes, bool]]:
        for text in read_documents(file, report, on_progress=on_progress):
            yield text, is_validation(text, file.source, self._data.validation_fraction)


class ConversationSource(DocumentSource):
    """Conversations of one task's files, as `{"targets": JSON of the messages and of where the record stands}`.

    Of a task with a number of records the training split has only the drawn ones. An observer also gets the counts of
    training records that were `available` and `drawn`.
    """

    def __init__(
        self,
        task: str,
        data: DataConfig,
        *,
        files: Sequence[SourceFile] | None = None,
        drawn: conversations.Draw | None = None,
    ) -> None:
        super().__init__(task, data, files=files)
        self._drawn = drawn

    @functools.cached_property
    def drawn(self) -> conversations.Draw | None:
        """The training records that are drawn; None for all of them. Reads every file unless it was given."""
        count = (records_by_task(self._data) or {}).get(self._task)
        if self._drawn is not None or count is None:
            return self._drawn
        return conversations.draw(conversations.lowest(self.files, self.files, self._data, count), self.files, count)

    def _documents(
        self, file: SourceFile, report: ScanReport, on_progress: Callable[[int], None]
    ) -> Iterator[tuple[bytes, bool]]:
        drawn = None if self.drawn is None else self.drawn[file]
        for place, (conversation, held_out, where) in enumerate(
            conversations.read_sides(file, report, self._data, on_progress)
        ):
            taken = held_out or drawn is None or place in drawn
            report.counts.update(available=int(not held_out), drawn=int(taken and not held_out))
            if taken:
                yield json.dumps([conversation.messages, where]).encode(), held_out


def build_task(
    task: str,
    data: DataConfig,
    *,
    files: Sequence[SourceFile] | None = None,
    drawn: conversations.Draw | None = None,
) -> seqio.Task:
    """The task over a configuration's sources, not registered; `files` and `drawn` spare finding them again.

    Feature `targets` holds a document's token ids, with BOS and EOS as configured. With a `sequence_length` longer
    documents are split into pieces of it, so that nothing is trimmed away; without one they stay whole.

    Of a conversation `targets` holds what the chat template writes, shortened to the `sequence_length` as configured,
    and `loss_mask` 1 on what is learned from; conversations that cannot be used are left out.
    """
    vocabulary = SeqioVocabulary(data.vocabulary)
    if conversations.are_conversations(task, data.sources[task]):
        source = ConversationSource(task, data, files=files, drawn=drawn)
        return seqio.Task(
            task,
            source=source,
            preprocessors=[functools.partial(_lay_out, source=source, data=data)],
            output_features={
                "targets": utils.Feature(vocabulary, add_eos=False),
                "loss_mask": utils.Feature(seqio.PassThroughVocabulary(2), add_eos=False),
            },
        )
    preprocessors: list[Callable[..., tf.data.Dataset]] = [_encode]
    if data.add_bos:
        preprocessors.append(_prepend_bos)
    preprocessors += [seqio.preprocessors.append_eos, _split_to_length]
    return seqio.Task(
        task,
        source=DocumentSource(task, data, files=files),
        preprocessors=preprocessors,
        output_features={"targets": utils.Feature(vocabulary, add_eos=data.add_eos)},
    )


def register(data: DataConfig) -> None:
    """Put every task of `data.sources` and the named mixtures into SeqIO's registries, replacing our earlier ones.

    Raises:
        ConfigError: A task's name is taken by somebody else's task, or the mixture cannot be resolved.
    """
    resolved = resolve_mixture(data)
    instructions = DataConfig.model_validate({"mixture": "me_llama_instruct", "attend_across_documents": False})
    for task, config in {
        **dict.fromkeys(instructions.sources, instructions),
        **dict.fromkeys(data.sources, data),
    }.items():
        if task in seqio.TaskRegistry.names():
            if not isinstance(seqio.TaskRegistry.get(task).source, DocumentSource):
                raise ConfigError(f"data.sources.{task}: another program registered a SeqIO task of this name")
            seqio.TaskRegistry.remove(task)
        seqio.TaskRegistry.add_provider(task, build_task(task, config))
    for mixture, usual in MIXTURES.items():
        rates = resolved if mixture == data.mixture else usual
        seqio.MixtureRegistry.remove(mixture)
        seqio.MixtureRegistry.add(mixture, list(rates.items()))


def _encode(dataset: tf.data.Dataset, output_features: Mapping[str, utils.Feature]) -> tf.data.Dataset:
    # As seqio.preprocessors.tokenize, but by groups and with few documents in flight: it holds 256, perhaps books.
    vocabulary = output_features["targets"].vocabulary
    assert isinstance(vocabulary, SeqioVocabulary)
    return (
        dataset.batch(_ENCODE_GROUP_DOCUMENTS)
        .map(
            lambda group: group | {"targets": vocabulary.encode_group_tf(group["targets"])},
            num_parallel_calls=_ENCODE_GROUPS_IN_FLIGHT,
            deterministic=True,
        )
        .unbatch()
    )


def _lay_out(
    dataset: tf.data.Dataset,
    output_features: Mapping[str, utils.Feature],
    sequence_length: Mapping[str, int] | None = None,
    *,
    source: ConversationSource,
    data: DataConfig,
) -> tf.data.Dataset:
    vocabulary = output_features["targets"].vocabulary
    assert isinstance(vocabulary, SeqioVocabulary)
    encoder = conversations.ConversationEncoder(data, vocabulary.wrapped, (sequence_length or {}).get("targets"))

    def encode(group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        report = source.observer.report if source.observer else ScanReport()
        ids: list[int] = []
        mask: list[bool] = []
        lengths = []
        for payload in group:
            messages, where = json.loads(payload)
            encoded = encoder.encode(messages)
            if encoded.left_out:
                report.skip(encoded.left_out, where)
            report.counts["shortened"] += encoded.shortened
            ids += encoded.ids
            mask += encoded.mask
            lengths.append(len(encoded.ids))
        return np.asarray(ids, np.int32), np.asarray(mask, np.int32), np.asarray(lengths, np.int64)

    def lay_out(group: dict[str, tf.Tensor]) -> dict[str, Any]:
        ids, mask, lengths = tf.numpy_function(
            encode, [group["targets"]], [tf.int32, tf.int32, tf.int64], stateful=True
        )
        for tensor in (ids, mask, lengths):
            tensor.set_shape([None])
        ragged = tf.RaggedTensor.from_row_lengths  # pyright: ignore[reportAttributeAccessIssue]
        return group | {
            "targets": ragged(ids, lengths, validate=False),
            "loss_mask": ragged(mask, lengths, validate=False),
        }

    # One group after the other, so that what is counted first comes first in the files.
    examples = dataset.batch(_ENCODE_GROUP_DOCUMENTS).map(lay_out).unbatch()
    return examples.filter(lambda example: tf.size(example["targets"]) > 0)


def _prepend_bos(dataset: tf.data.Dataset, output_features: Mapping[str, utils.Feature]) -> tf.data.Dataset:
    token = output_features["targets"].vocabulary.bos_id
    assert token is not None
    bos = tf.constant([token], tf.int32)
    return dataset.map(lambda example: example | {"targets": tf.concat([bos, example["targets"]], 0)})


def _split_to_length(dataset: tf.data.Dataset, sequence_length: Mapping[str, int] | None = None) -> tf.data.Dataset:
    length = (sequence_length or {}).get("targets")
    if length is None:
        return dataset

    def split(example: dict[str, tf.Tensor]) -> tf.data.Dataset:
        starts = tf.data.Dataset.range(0, tf.size(example["targets"], tf.int64), length)
        return starts.map(lambda start: example | {"targets": example["targets"][start : start + length]})

    return dataset.flat_map(split)


register(DataConfig())
