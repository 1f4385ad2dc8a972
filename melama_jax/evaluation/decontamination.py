"""How much of each benchmark stands in the training text: n-grams of words that both have.

An item's n-grams are looked up in rows of the training cache, decoded to text. Texts are compared by their words: runs
of letters and digits, in lower case, so that punctuation, markup and tokens do not matter. Only the benchmark's words
and n-grams are held in memory, whatever the size of the cache.

Two limits. A row is decoded by itself, so an n-gram over the border of two rows or documents is not seen: fewer
than n in each row. And texts that were reworded, or benchmarks of fewer than n words an item, leave no n-gram to find.

Shapes: W words, N distinct n-grams of all items.
"""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from melama_jax.data.packing import RowLayout
from melama_jax.data.prepared import PreparedData
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import DataError
from melama_jax.evaluation.example import Example

GPT3_N = 13
"""Words of an n-gram, as in the GPT-3 paper; 8 finds more, and more by chance."""

_WORD = re.compile(r"[^\W_]+|\0")
_BREAK = "\0"  # Between texts: a word that no benchmark has.
_ROWS_AT_A_TIME = 32
_FILTER_BITS = 22
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclasses.dataclass(frozen=True)
class Contamination:
    """What was found of one benchmark.

    Attributes:
        n: Words of an n-gram.
        checked: Items with at least one n-gram.
        too_short: Items without, of which nothing can be said.
        touched: Ids of items with an n-gram in the training text.
        covered: Ids of items with more than half of their n-grams there.
    """

    n: int
    checked: int
    too_short: int
    touched: tuple[str, ...]
    covered: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For a report: counts, shares of the checked items (null without any), and the ids."""
        shares = {
            f"{name}_share": len(ids) / self.checked if self.checked else None
            for name, ids in (("touched", self.touched), ("covered", self.covered))
        }
        return dataclasses.asdict(self) | shares


def contamination(
    tasks: Mapping[str, Sequence[Example]], rows: Iterable[np.ndarray], vocabulary: Vocabulary, *, n: int = GPT3_N
) -> dict[str, Contamination]:
    """Look benchmarks up in training rows.

    Args:
        tasks: Items by benchmark; every text that a prompt may show is compared, each by itself.
        rows: Token ids [T] of training rows, in any order; BOS and EOS part documents.
        vocabulary: What the rows were made with.
        n: Words of an n-gram.
    """
    index = _Index.of(tasks, n)
    return index.report(index.look_up(rows, vocabulary))


def cache_contamination(
    tasks: Mapping[str, Sequence[Example]],
    prepared: PreparedData,
    vocabulary: Vocabulary,
    *,
    n: int = GPT3_N,
    workers: int = 1,
) -> dict[str, Contamination]:
    """The same for all training rows of a cache.

    Args:
        tasks: Items by benchmark.
        prepared: The cache, as training reads it.
        vocabulary: What the cache was made with.
        n: Words of an n-gram.
        workers: Processes, each with a shard at a time; one works in this process.

    Raises:
        DataError: The cache was made with another vocabulary, or a shard cannot be read.
    """
    for name, task in prepared.tasks.items():
        if task.manifest["identity"]["vocabulary"]["sha256"] != vocabulary.sha256:
            raise DataError(
                f"{task.folder}: the rows of {name} were made with another vocabulary than {vocabulary.path}"
            )
    index = _Index.of(tasks, n)
    paths = [path for task in prepared.tasks.values() for path in task.train.paths]
    jobs = [(path, prepared.layout, vocabulary) for path in paths]
    if workers > 1:
        context = multiprocessing.get_context("spawn")  # A process that runs JAX must not be forked.
        with ProcessPoolExecutor(min(workers, len(jobs) or 1), context, _keep, (index,)) as pool:
            found = list(pool.map(_look_up_kept, jobs))
    else:
        found = [index.look_up(cached_rows(path, layout), vocabulary) for path, layout, vocabulary in jobs]
    return index.report(np.logical_or.reduce([np.zeros(len(index.hashes), bool), *found]))


def cached_rows(path: Path, layout: RowLayout) -> Iterator[np.ndarray]:
    """Token ids of the rows of one shard, without padding.

    Raises:
        DataError: The shard cannot be read.
    """
    from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]  # made at run time

    try:
        reader = array_record_module.ArrayRecordReader(str(path))
        count = reader.num_records()
        for start in range(0, count, _ROWS_AT_A_TIME):
            for record in reader.read(start, min(start + _ROWS_AT_A_TIME, count)):
                tokens = np.frombuffer(record, layout.token_dtype, count=layout.sequence_length + 1)
                segments = np.frombuffer(record, layout.segment_dtype, offset=layout.token_bytes)
                yield tokens[segments > 0]
        reader.close()
    except (RuntimeError, ValueError, IndexError) as error:
        raise DataError(
            f"{path}: cannot be read ({type(error).__name__}); delete it and prepare the rows anew"
        ) from None


@dataclasses.dataclass(frozen=True)
class _Index:
    """The n-grams of all items.

    Attributes:
        n: Words of an n-gram.
        words: Number of each word of the benchmarks, from 1.
        keys: A random number for each word; [0] is for any other.
        hashes: The n-grams, ascending, [N].
        filter: Whether an n-gram begins with these `_FILTER_BITS` bits.
        items: By benchmark, ids with the places of their n-grams in `hashes`.
    """

    n: int
    words: dict[str, int]
    keys: np.ndarray
    hashes: np.ndarray
    filter: np.ndarray
    items: dict[str, list[tuple[str, np.ndarray]]]

    @classmethod
    def of(cls, tasks: Mapping[str, Sequence[Example]], n: int) -> _Index:
        split = {
            name: [(example.id, _words(_BREAK.join(_texts(example)))) for example in examples]
            for name, examples in tasks.items()
        }
        vocabulary = sorted({word for items in split.values() for _, words in items for word in words} - {_BREAK})
        words = {word: number for number, word in enumerate(vocabulary, 1)}
        keys = np.random.default_rng(0).integers(2**64, size=len(words) + 1, dtype=np.uint64)
        grams = {
            name: [(id, np.unique(_hashes(_numbers(found, words), keys, n))) for id, found in items]
            for name, items in split.items()
        }
        every = [hashes for items in grams.values() for _, hashes in items]
        hashes = np.unique(np.concatenate([np.zeros(0, np.uint64), *every]))
        prefixes = np.zeros(2**_FILTER_BITS, bool)
        prefixes[hashes >> np.uint64(64 - _FILTER_BITS)] = True
        places = {name: [(id, np.searchsorted(hashes, own)) for id, own in items] for name, items in grams.items()}
        return cls(n, words, keys, hashes, prefixes, places)

    def look_up(self, rows: Iterable[np.ndarray], vocabulary: Vocabulary) -> np.ndarray:
        """Which of the n-grams the rows hold, bool [N]."""
        found = np.zeros(len(self.hashes), bool)
        rows = iter(rows)
        while len(self.hashes) and (chunk := list(itertools.islice(rows, _ROWS_AT_A_TIME))):
            text = _BREAK.join(text for row in chunk for text in _documents(row, vocabulary))
            hashes = _hashes(_numbers(_words(text), self.words), self.keys, self.n)
            hashes = hashes[self.filter[hashes >> np.uint64(64 - _FILTER_BITS)]]
            places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
            found[places[self.hashes[places] == hashes]] = True
        return found

    def report(self, found: np.ndarray) -> dict[str, Contamination]:
        """What was found, by benchmark."""
        results = {}
        for name, items in self.items.items():
            shares = [(id, found[places].mean()) for id, places in items if len(places)]
            touched = tuple(id for id, share in shares if share > 0)
            covered = tuple(id for id, share in shares if share > 0.5)
            results[name] = Contamination(self.n, len(shares), len(items) - len(shares), touched, covered)
        return results


def _texts(example: Example) -> Iterator[str]:
    for value in example.fields.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            yield from (text for text in value.values() if isinstance(text, str))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _numbers(words: Sequence[str], known: Mapping[str, int]) -> np.ndarray:
    get = known.get
    return np.fromiter((get(word, 0) for word in words), np.int64, len(words))


def _hashes(numbers: np.ndarray, keys: np.ndarray, n: int) -> np.ndarray:
    """Hashes of the n-grams whose words are all known, uint64, from word numbers [W]."""
    count = len(numbers) - n + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    unknown = np.concatenate([[0], np.cumsum(numbers == 0)])
    whole = np.flatnonzero(unknown[n:] == unknown[:count])
    values = keys[numbers]
    total = np.zeros(len(whole), np.uint64)
    for place in range(n):
        total = (total ^ values[whole + place]) * _MULTIPLIER
        total ^= total >> np.uint64(29)
    return total


def _documents(row: np.ndarray, vocabulary: Vocabulary) -> Iterator[str]:
    """Texts of a row's documents, or of the parts that it holds."""
    ends = np.flatnonzero(
        np.isin(row, [token for token in (vocabulary.bos_id, vocabulary.eos_id) if token is not None])
    )
    return (vocabulary.decode(part.tolist()) for part in np.split(row, ends) if len(part))


_kept: list[_Index] = []


def _keep(index: _Index) -> None:
    _kept.append(index)


def _look_up_kept(job: tuple[Path, RowLayout, Vocabulary]) -> np.ndarray:
    path, layout, vocabulary = job
    return _kept[0].look_up(cached_rows(path, layout), vocabulary)
