"""What is computed to score continuations: which tokens lie where in packed rows, and which logits are looked at.

The continuations of one context are branches of one text: the context is computed once, each branch has the positions
it would have alone, and it sees the context and itself.

Shapes: R rows, T tokens, P logits that are looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

Pair = tuple[Sequence[int], Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Score:
    """The likelihood of a continuation.

    Attributes:
        log_likelihood: Sum of the log-probabilities of its tokens, in nats.
        is_greedy: Whether each of its tokens is the most likely one there.
        num_tokens: Tokens of it.
        dropped_tokens: Tokens of the context that were left out because both were too long.
    """

    log_likelihood: float
    is_greedy: bool
    num_tokens: int
    dropped_tokens: int


@dataclasses.dataclass(frozen=True)
class Text:
    """A context and continuations of it (pair number, tokens)."""

    context: tuple[int, ...]
    branches: list[tuple[int, Sequence[int]]]

    @property
    def size(self) -> int:
        """Tokens to compute; a continuation's last token needs no computing."""
        return len(self.context) + sum(len(tokens) - 1 for _, tokens in self.branches)


@dataclasses.dataclass(frozen=True)
class Batch:
    """Packed rows [R, T], and for each logit that is looked at its flat place, its target and its pair [P]."""

    tokens: np.ndarray
    positions: np.ndarray
    segment_ids: np.ndarray
    branches: np.ndarray
    index: np.ndarray
    targets: np.ndarray
    pairs: np.ndarray


def bucket(length: int, smallest: int, largest: int) -> int:
    """The first of the lengths smallest x 1, 1.5, 2, 3, 4, 6, ... that holds `length`, at most `largest`."""
    size = smallest
    while size < length and size * 3 // 2 < length:
        size *= 2
    return min(size if size >= length else size * 3 // 2, largest)


def gather_texts(pairs: Sequence[Pair], max_length: int) -> tuple[list[Text], list[int]]:
    """Continuations by their context, which is cut from the left where both together are too long.

    Of context and continuation at most max_length + 1 tokens are kept, for the last one is never an input. A text of
    more tokens than max_length is split, its context computed again.

    Returns:
        The texts, and for each pair the tokens left out.
    """
    texts: list[Text] = []
    open_texts: dict[tuple[int, ...], Text] = {}
    dropped = []
    for number, (context, tokens) in enumerate(pairs):
        dropped.append(max(0, len(context) + len(tokens) - max_length - 1))
        kept = tuple(context[dropped[-1] :])
        if not tokens:
            continue
        text = open_texts.get(kept)
        if text is None or text.size + len(tokens) - 1 > max_length:
            text = open_texts[kept] = Text(kept, [])
            texts.append(text)
        text.branches.append((number, tokens))
    return texts, dropped


def batches(texts: Sequence[Text], *, shortest: int, longest: int, budget: int, multiple: int) -> Iterator[Batch]:
    """Pack texts, longest first, into rows of a few lengths; shorter ones fill what longer ones leave.

    Args:
        texts: What to compute.
        shortest: Least tokens of a row.
        longest: Most tokens of a row; no text has more.
        budget: Tokens of a batch, unless one row has more.
        multiple: Rows of a batch are a multiple of this.
    """
    left = sorted(texts, key=lambda text: text.size, reverse=True)
    while left:
        length = bucket(left[0].size, shortest, longest)
        most = max(1, budget // length // multiple) * multiple
        rows: list[list[Text]] = []
        room: list[int] = []
        rest = []
        for text in left:
            row = next((i for i, free in enumerate(room) if free >= text.size), None)
            if row is None and len(rows) < most:
                rows.append([])
                room.append(length)
                row = len(rows) - 1
            if row is None:
                rest.append(text)
            else:
                rows[row].append(text)
                room[row] -= text.size
        left = rest
        count = multiple
        while count < len(rows):
            count *= 2
        yield _lay_out(rows, min(count, most), length)


def _lay_out(rows: list[list[Text]], count: int, length: int) -> Batch:
    tokens, positions, segment_ids, branches = np.zeros((4, count, length), np.int32)
    looked_at: list[tuple[int, int, int]] = []
    for row, texts in enumerate(rows):
        place = 0
        for segment, text in enumerate(texts, start=1):
            spans: list[tuple[int, Sequence[int], int]] = [(0, text.context, 0)]
            last = row * length + place + len(text.context) - 1
            for branch, (pair, continuation) in enumerate(text.branches, start=1):
                spans.append((branch, continuation[:-1], len(text.context)))
                begin = row * length + place + sum(len(span) for _, span, _ in spans[:-1])
                where = [last, *range(begin, begin + len(continuation) - 1)]
                looked_at += [(at, target, pair) for at, target in zip(where, continuation, strict=True)]
            for branch, span, position in spans:
                cells = slice(place, place + len(span))
                tokens[row, cells] = span
                positions[row, cells] = np.arange(position, position + len(span))
                segment_ids[row, cells] = segment
                branches[row, cells] = branch
                place += len(span)
    index, targets, pairs = np.array(looked_at, np.int32).T
    return Batch(tokens, positions, segment_ids, branches, index, targets, pairs)


def rolling_windows(tokens: Sequence[int], prefix: int, max_length: int) -> Iterator[Pair]:
    """A text as pairs of context and continuation, in which each token is scored once.

    The first window follows `prefix`; each further one is as full as it can be: one token of context before
    max_length tokens, and more before the last, shorter one. (lm-evaluation-harness's loglikelihood_rolling.)
    """
    for start in range(0, len(tokens), max_length):
        scored = tokens[start : start + max_length]
        before = max_length + 1 - len(scored)
        yield ([prefix] if start == 0 else tokens[start - before : start]), scored
