"""A look at records before a run: how the first of every source is laid out, and how long records are. No TensorFlow.

Nothing of a protected source is shown but numbers.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from melama_jax.config import Config, DataConfig, Source
from melama_jax.data import conversations, instruct
from melama_jax.data.cache import check_inputs
from melama_jax.data.conversations import ConversationEncoder, Encoded
from melama_jax.data.sources import ScanReport, SourceFile, read_documents
from melama_jax.data.vocabulary import Vocabulary

SAMPLE = 200
"""Records of a task that are measured at most: the first of its sources, the same number of each."""
_LONGEST_PIECE = 800
"""Characters of a piece of a record that are shown; of a longer one the beginning and the end."""


@dataclasses.dataclass(frozen=True)
class FirstRecord:
    """The first record of a source that can be used, as a row holds it.

    Attributes:
        task: The source's task.
        file: Name of the file it stands in.
        pieces: Its text, control tokens spelled out, and whether each piece is learned from; None where the source is
            protected.
        tokens: Token ids of it.
        shortened: Whether something was left out to make it fit.
    """

    task: str
    file: str
    pieces: tuple[tuple[str, bool], ...] | None
    tokens: int
    shortened: bool


@dataclasses.dataclass(frozen=True)
class TokenStatistics:
    """Lengths of the sampled records of a task that can be used, shortened where they are too long for a row.

    Attributes:
        task: Its name.
        records: Records in the sample; the figures that follow are of those not left out.
        mean: Tokens of a record.
        median: Half of the records have no more tokens.
        p95: 95% of the records have no more tokens.
        longest: The most tokens.
        trained_share: Share of the tokens that is learned from.
        shortened: Records of which something was left out.
        left_out: Records that cannot be used, by reason.
    """

    task: str
    records: int
    mean: float
    median: float
    p95: float
    longest: int
    trained_share: float
    shortened: int
    left_out: dict[str, int]


def first_records(config: Config) -> tuple[list[FirstRecord], list[TokenStatistics]]:
    """Read the beginning of every source.

    Args:
        config: The whole tree; what it asks for is checked first, as preparation does.

    Returns:
        The first record of every source that has one, in the order of the tasks; figures of every task.

    Raises:
        ConfigError, DataError: As preparation raises for what stands in the way of reading.
    """
    _, vocabulary, found = check_inputs(config)
    first, statistics = [], []
    for task, (files, _) in found.items():
        by_source: dict[Source, list[SourceFile]] = {}
        for file in files:
            by_source.setdefault(file.source, []).append(file)
        report, sample = ScanReport(), []
        for source, own in by_source.items():
            records = itertools.islice(_encoded(own, config, vocabulary, report), -(-SAMPLE // len(by_source)))
            some = list(records)
            sample += [encoded for _, encoded in some]
            usable = next(((file, encoded) for file, encoded in some if not encoded.left_out), None)
            if usable is not None:
                first.append(_describe(task, *usable, vocabulary, show=not instruct.is_protected(source)))
        statistics.append(_measure(task, sample, report))
    return first, statistics


def show_records(console: Console, records: Iterable[FirstRecord], lengths: Iterable[TokenStatistics]) -> None:
    """Print records as they are trained on, and how long records are.

    What is trained on is green and bold, and stands between [[ and ]] where there are no colours.
    """
    coloured = console.color_system is not None
    trained_on = "trained on" if coloured else "[[trained on]]"
    marks = Text.assemble((trained_on, "bold green"), " ", ("not trained on", "dim"))
    for number, record in enumerate(records):
        if number == 0:
            console.print(Text("The first record of each source; ").append_text(marks))
        about = f"{record.task}, {record.file}: {record.tokens:,} tokens{', shortened' if record.shortened else ''}"
        console.print(f"--- {about}{', protected: its text is not shown' if record.pieces is None else ''}")
        if record.pieces is not None:
            console.print(_rendered(record.pieces, coloured=coloured))
    table = Table(title="Tokens of a record, in a sample of each task", title_justify="left")
    for title in ("task", "records", "mean", "median", "95%", "longest", "trained on", "shortened", "left out"):
        table.add_column(title, justify="left" if title in ("task", "left out") else "right")
    for task in lengths:
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in task.left_out.items()) or "none"
        figures = (f"{value:,.0f}" for value in (task.mean, task.median, task.p95, task.longest))
        counts = (f"{task.trained_share:.1%}", f"{task.shortened:,}", left_out)
        table.add_row(task.task, f"{task.records:,}", *figures, *counts)
    console.print(table)


def _encoded(
    files: Sequence[SourceFile], config: Config, vocabulary: Vocabulary, report: ScanReport
) -> Iterator[tuple[SourceFile, Encoded]]:
    data = config.data
    if files[0].source.format == "text":
        for file in files:
            for text in read_documents(file, report):
                yield file, _as_text(text.decode("utf-8"), data, vocabulary, config.train.sequence_length)
        return
    encoder = ConversationEncoder(data, vocabulary, config.train.sequence_length + 1)
    for file in files:
        for conversation, _, _ in conversations.read_sides(file, report, data):
            yield file, encoder.encode(conversation.messages)


def _as_text(text: str, data: DataConfig, vocabulary: Vocabulary, shown: int) -> Encoded:
    """A document between its control tokens, all of it learned from; its parts are what stands in its first row."""
    ids, starts = vocabulary.encode_starts(text)
    before = [vocabulary.bos_id] if data.add_bos and vocabulary.bos_id is not None else []
    after = [vocabulary.eos_id] if data.add_eos and vocabulary.eos_id is not None else []
    parts = (*before, text, *after) if len(ids) <= shown else (*before, text[: starts[shown]])
    ids = [*before, *ids, *after]
    return Encoded([(part, True) for part in parts], ids, [True] * len(ids))


def _describe(task: str, file: SourceFile, encoded: Encoded, vocabulary: Vocabulary, *, show: bool) -> FirstRecord:
    pieces = tuple(
        (part if isinstance(part, str) else vocabulary.spelling(part), trained) for part, trained in encoded.parts
    )
    return FirstRecord(task, file.name, pieces if show else None, len(encoded.ids), encoded.shortened)


def _measure(task: str, sample: Sequence[Encoded], report: ScanReport) -> TokenStatistics:
    usable = [encoded for encoded in sample if not encoded.left_out]
    lengths = np.asarray([len(encoded.ids) for encoded in usable] or [0])
    median, p95 = np.percentile(lengths, [50, 95])
    for encoded in sample:
        if encoded.left_out:
            report.skipped[encoded.left_out] += 1
    return TokenStatistics(
        task,
        len(sample),
        float(lengths.mean()),
        float(median),
        float(p95),
        int(lengths.max()),
        sum(sum(encoded.mask) for encoded in usable) / max(1, int(lengths.sum())),
        sum(encoded.shortened for encoded in usable),
        dict(report.skipped),
    )


def _rendered(pieces: Sequence[tuple[str, bool]], *, coloured: bool) -> Text:
    text = Text()
    for trained, group in itertools.groupby(pieces, key=lambda piece: piece[1]):
        said = "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for part, _ in group for char in part)
        if len(said) > _LONGEST_PIECE:
            half = _LONGEST_PIECE // 2
            said = f"{said[:half]} ... {len(said) - 2 * half:,} characters ... {said[-half:]}"
        said = f"[[{said}]]" if trained and not coloured else said
        text.append(said, "bold green" if trained else "dim")
    return text
