"""Instruction records: which are drawn, and how a conversation becomes token ids with a mask of what is learned from.

Whether a record is held out follows from a hash of its identity, which records that belong together share; whether it
is drawn, from a hash of all that it says. Neither depends on the wording that was chosen or on the number of files.
"""

from __future__ import annotations

import bisect
import dataclasses
import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from melama_jax.config import DataConfig, Source
from melama_jax.data import instruct
from melama_jax.data.chat import ChatTemplate, MarkedPart, Message, encode_marked
from melama_jax.data.mixtures import records_by_task
from melama_jax.data.sources import ScanReport, SourceFile, is_validation
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError

CUT = " [...] "
"""Stands where text was left out of a message that is too long for a row."""

Draw = Mapping[SourceFile, frozenset[int]]
"""Places of the drawn training records among the records of each file."""
Rank = tuple[int, int, int]
"""Of a record in a draw: its hash, the number of its file among the task's, its place in the file."""


@dataclasses.dataclass(frozen=True)
class Encoded:
    """A conversation as a row holds it.

    Attributes:
        parts: What was encoded; empty for one that is left out.
        ids: Token ids.
        mask: Which of them are learned from.
        shortened: Whether something was left out to make it fit.
        left_out: Why it cannot be used, a reason to count it under; or None.
    """

    parts: Sequence[MarkedPart]
    ids: Sequence[int]
    mask: Sequence[bool]
    shortened: bool = False
    left_out: str | None = None


class ConversationEncoder:
    """Lays out conversations by the configured template, no longer than a row holds."""

    def __init__(self, data: DataConfig, vocabulary: Vocabulary, longest: int | None):
        """Read the template.

        Args:
            data: Its `conversations`.
            vocabulary: The tokenizer.
            longest: Tokens that a conversation may have; None for any number.

        Raises:
            ConfigError: There is no such template.
        """
        self.template = ChatTemplate.load(data.conversations.template)
        self._shorten = data.conversations.too_long == "shorten"
        self._vocabulary, self._longest = vocabulary, longest

    def encode(self, messages: Sequence[Message]) -> Encoded:
        """Token ids of a conversation that ends with an answer.

        A conversation that is too long loses its last exchanges, then text in the middle of the user's message, never
        of an answer. One that the template refuses, that stays too long or that holds nothing to learn from is empty.

        Raises:
            ConfigError: The template needs a control token that the vocabulary does not have.
        """
        try:
            encoded = self._encode(messages)
            if self._longest is not None and len(encoded.ids) > self._longest:
                encoded = self._fit(messages, self._longest) if self._shorten else _left_out("dropped_too_long")
        except DataError:  # Of one that is malformed; its text may stand in the message.
            return _left_out("refused_by_template")
        return encoded if encoded.left_out or any(encoded.mask[1:]) else _left_out("nothing_to_learn")

    def _encode(self, messages: Sequence[Message], *, shortened: bool = False) -> Encoded:
        parts = self.template.marked_parts(messages, self._vocabulary)
        return Encoded(parts, *encode_marked(parts, self._vocabulary), shortened)

    def _fit(self, messages: Sequence[Message], longest: int) -> Encoded:
        answered = [number for number, message in enumerate(messages, 1) if message["role"] == "assistant"]
        kept = bisect.bisect_right(answered, longest, key=lambda number: len(self._encode(messages[:number]).ids))
        if kept:
            return self._encode(messages[: answered[kept - 1]], shortened=True)
        first = list(messages[: answered[0]])
        place = max(
            (number for number, message in enumerate(first) if message["role"] == "user"),
            key=lambda number: len(first[number]["content"]),
        )
        content = first[place]["content"]
        starts = self._vocabulary.encode_starts(content)[1]
        keep = len(starts)
        encoded = self._encode(first)
        while len(encoded.ids) > longest:
            keep -= len(encoded.ids) - longest
            if keep < 2:
                return _left_out("dropped_too_long")
            head, tail = starts[(keep + 1) // 2], starts[len(starts) - keep // 2]
            first[place] = {**first[place], "content": content[:head] + CUT + content[tail:]}
            encoded = self._encode(first, shortened=True)
        return encoded


def _left_out(reason: str) -> Encoded:
    return Encoded((), (), (), left_out=reason)


def are_conversations(task: str, sources: Sequence[Source]) -> bool:
    """Whether a task's sources hold conversations.

    Raises:
        ConfigError: Some do and some hold text.
    """
    formats = {source.format != "text" for source in sources}
    if len(formats) > 1:
        raise ConfigError(
            f"data.sources.{task}: has both text and conversations; make two tasks of it, mixed by data.rates"
        )
    return True in formats


def read_sides(
    file: SourceFile, report: ScanReport, data: DataConfig, on_progress: Callable[[int], None] | None = None
) -> Iterator[tuple[instruct.Conversation, bool, str]]:
    """Conversations of one file, whether each is held out, and where it stands; see `instruct.read_conversations`."""
    before = report.records
    for conversation in instruct.read_conversations(
        file, report, seed=data.conversations.seed, on_progress=on_progress
    ):
        held_out = is_validation(conversation.identity, file.source, data.validation_fraction)
        yield conversation, held_out, f"{file.name}, record {report.records - before}"


def lowest(
    files: Sequence[SourceFile],
    among: Sequence[SourceFile],
    data: DataConfig,
    count: int,
    *,
    on_progress: Callable[[int, int], object] = lambda done, records: None,
) -> list[Rank]:
    """The `count` training records with the lowest hashes in some of a task's files.

    Args:
        files: Those to read.
        among: All of the task's.
        data: Seed and held-out share.
        count: Records wanted.
        on_progress: Called now and then with the source bytes consumed and the records read so far.
    """
    key = data.conversations.seed.to_bytes(8, "big")

    def ranks() -> Iterator[Rank]:
        report, before = ScanReport(), 0
        for file in files:

            def note(position: int, before: int = before) -> None:
                on_progress(before + position, report.records)

            for place, (conversation, held_out, _) in enumerate(read_sides(file, report, data, note)):
                if not held_out:
                    drawn = hashlib.blake2b(conversation.record, digest_size=8, key=key, person=b"draw")
                    yield int.from_bytes(drawn.digest(), "big"), numbers[file], place
            before += file.size

    numbers = {file: number for number, file in enumerate(among)}
    return heapq.nsmallest(count, ranks())


def draw(ranks: Iterable[Rank], among: Sequence[SourceFile], count: int) -> Draw:
    """The `count` lowest of what `lowest` found in all of a task's files; fewer if there are fewer."""
    places: list[set[int]] = [set() for _ in among]
    for _, number, place in heapq.nsmallest(count, ranks):
        places[number].add(place)
    return {file: frozenset(drawn) for file, drawn in zip(among, places, strict=True)}


def check_conversations(data: DataConfig, tasks: Iterable[str], vocabulary: Vocabulary) -> None:
    """Find mistakes in how tasks' conversations are worded and laid out, before any is read.

    Raises:
        ConfigError: A template or a file of wordings that is not there or cannot work.
    """
    ChatTemplate.load(data.conversations.template).check_trainable(vocabulary)
    for source in (source for task in tasks for source in data.sources[task]):
        instruct.wordings_of(source)


def identity(data: DataConfig, task: str, files: Sequence[SourceFile]) -> dict[str, Any]:
    """What decides the rows of a task of conversations beyond what decides those of text, ready for JSON."""
    settings = data.conversations
    template = ChatTemplate.load(settings.template)
    wordings = [instruct.wordings_of(file.source) for file in files]
    return {
        "template": hashlib.sha256(template.source.encode()).hexdigest(),
        "formats": [file.source.format for file in files],
        "wordings": [None if found is None else found.sha256 for found in wordings],
        "seed": settings.seed,
        "too_long": settings.too_long,
        "records": (records_by_task(data) or {}).get(task),
    }
