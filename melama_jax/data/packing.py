"""Documents' tokens into fixed rows, and rows into what a model reads. NumPy only.

Documents are joined into one stream a shard. Row k holds the stream's tokens [k T, k T + T]: T + 1 tokens at stride T,
so every token but the stream's first is predicted exactly once. The last partial row is kept and padded. A record on
disk is the T + 1 tokens followed by the T + 1 segment ids: the document's ordinal within the row from 1, and 0 on
padding.

Conversations are not cut: a row holds whole ones, and its record has T + 1 more bytes, 1 on the tokens that are learned
from.

Shapes: T tokens of a row (`train.sequence_length`).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from melama_jax.errors import DataError

_TOKENS_AT_A_TIME = 2**18
_PLACED_AT_A_TIME = 2**20  # Tokens of conversations; the more, the fuller the rows.

Row = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class RowLayout:
    """How a row lies on disk.

    Attributes:
        sequence_length: T.
        token_dtype: `uint16` or `uint32`, little-endian, by the vocabulary's size.
        segment_dtype: The same, by the row's length.
        masked: Whether a mask of what is learned from follows, a byte a token.
    """

    sequence_length: int
    token_dtype: str
    segment_dtype: str
    masked: bool = False

    @classmethod
    def of(cls, *, sequence_length: int, vocab_size: int) -> RowLayout:
        """The smallest layout that holds these ids."""
        return cls(
            sequence_length,
            "uint16" if vocab_size <= 2**16 else "uint32",
            "uint16" if sequence_length + 1 < 2**16 else "uint32",
        )

    @property
    def token_bytes(self) -> int:
        """Bytes of the tokens at the front of a record."""
        return (self.sequence_length + 1) * np.dtype(self.token_dtype).itemsize

    @property
    def record_bytes(self) -> int:
        """Bytes of a record."""
        return self.mask_offset + (self.sequence_length + 1) * self.masked

    @property
    def mask_offset(self) -> int:
        """Bytes of the tokens and segment ids."""
        return self.token_bytes + (self.sequence_length + 1) * np.dtype(self.segment_dtype).itemsize


class Packer:
    """Joins documents and cuts the stream into records.

    `add` takes documents in order and `finish` ends the stream; both return the records that became whole.
    """

    def __init__(self, layout: RowLayout) -> None:
        self.layout = layout
        self.rows = 0
        self._documents: list[np.ndarray] = []
        self._buffered = 0
        # Tokens that belong to a row not yet whole, and the document number of each.
        self._tokens = np.zeros(0, layout.token_dtype)
        self._owners = np.zeros(0, np.int64)
        self._next_owner = 0

    def add(self, tokens: np.ndarray) -> list[bytes]:
        """Append one document: token ids of any integer dtype, shape [n]; an empty one leaves no trace."""
        if len(tokens):
            self._documents.append(tokens)
            self._buffered += len(tokens)
        return self._cut() if self._buffered >= max(_TOKENS_AT_A_TIME, 8 * self.layout.sequence_length) else []

    def finish(self) -> list[bytes]:
        """End the stream; its last partial row is padded."""
        records = self._cut()
        length = self.layout.sequence_length
        if len(self._tokens) > 1:
            pad = length + 1 - len(self._tokens)
            tokens = np.pad(self._tokens, (0, pad))
            segments = np.pad(self._owners - self._owners[0] + 1, (0, pad))
            records += self._records(tokens[None], segments[None])
        self._tokens, self._owners = self._tokens[:0], self._owners[:0]
        return records

    def _cut(self) -> list[bytes]:
        if self._documents:
            lengths = [len(document) for document in self._documents]
            owners = np.repeat(np.arange(self._next_owner, self._next_owner + len(lengths)), lengths)
            tokens = [document.astype(self.layout.token_dtype) for document in self._documents]
            self._tokens = np.concatenate([self._tokens, *tokens])
            self._owners = np.concatenate([self._owners, owners])
            self._next_owner += len(lengths)
            self._documents, self._buffered = [], 0
        length = self.layout.sequence_length
        count = max(0, (len(self._tokens) - 1) // length)
        if not count:
            return []
        windows = np.lib.stride_tricks.sliding_window_view
        tokens = windows(self._tokens, length + 1)[: count * length : length]
        owners = windows(self._owners, length + 1)[: count * length : length]
        records = self._records(tokens, owners - owners[:, :1] + 1)
        self._tokens, self._owners = self._tokens[count * length :].copy(), self._owners[count * length :].copy()
        return records

    def _records(self, tokens: np.ndarray, segments: np.ndarray) -> list[bytes]:
        self.rows += len(tokens)
        segments = segments.astype(self.layout.segment_dtype)
        return [row.tobytes() + owner.tobytes() for row, owner in zip(tokens, segments, strict=True)]


class ConversationPacker:
    """Puts whole conversations into rows: first-fit, the longest first, each into the first row with room for it.

    About a million tokens are placed at a time, so memory is bounded, and the rows depend on the conversations and
    their order alone.
    """

    def __init__(self, layout: RowLayout) -> None:
        self.layout = layout
        self.rows = 0
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._tokens = 0

    def add(self, tokens: np.ndarray, mask: np.ndarray) -> list[bytes]:
        """Take one conversation of at most T + 1 tokens: ids and what is learned from, of any integer dtype, [n]."""
        capacity = self.layout.sequence_length + 1
        if len(tokens) > capacity:
            raise ValueError(f"a conversation of {len(tokens)} tokens does not fit a row of {capacity}")
        self._waiting.append((tokens, mask))
        self._tokens += len(tokens)
        return self.finish() if self._tokens >= max(_PLACED_AT_A_TIME, 8 * capacity) else []

    def finish(self) -> list[bytes]:
        """Place what was taken since the last time."""
        rows: list[list[tuple[np.ndarray, np.ndarray]]] = []
        room: list[int] = []
        for conversation in sorted(self._waiting, key=lambda found: -len(found[0])):
            size = len(conversation[0])
            place = next((place for place, free in enumerate(room) if free >= size), len(room))
            if place == len(room):
                rows.append([])
                room.append(self.layout.sequence_length + 1)
            rows[place].append(conversation)
            room[place] -= size
        self._waiting, self._tokens = [], 0
        self.rows += len(rows)
        return [self._record(row, free) for row, free in zip(rows, room, strict=True)]

    def _record(self, conversations: list[tuple[np.ndarray, np.ndarray]], pad: int) -> bytes:
        segments = np.repeat(np.arange(1, len(conversations) + 1), [len(tokens) for tokens, _ in conversations])
        columns = (
            (np.concatenate([tokens for tokens, _ in conversations]), self.layout.token_dtype),
            (segments, self.layout.segment_dtype),
            (np.concatenate([mask for _, mask in conversations]), "uint8"),
        )
        return b"".join(np.pad(values.astype(dtype), (0, pad)).tobytes() for values, dtype in columns)


def unpack_row(record: bytes, layout: RowLayout, *, attend_across_documents: bool) -> Row:
    """What a model reads of one record.

    Args:
        record: As `Packer` or `ConversationPacker` wrote it.
        layout: The layout it was written in.
        attend_across_documents: True sees the row as one segment, with every target weighted. False keeps the documents
            apart: positions restart in each, and no weight falls on a document's first token, which nothing precedes.
            Conversations are apart either way, and only what is learned from weighs.

    Returns:
        Arrays [T]: `inputs`, `targets`, `segment_ids` (0 on padding) and `positions` int32, `loss_weights` float32.

    Raises:
        DataError: The record has another length than the layout's.
    """
    if len(record) != layout.record_bytes:
        raise DataError(f"a row has {len(record)} bytes where {layout.record_bytes} are expected")
    tokens = np.frombuffer(record, layout.token_dtype, count=layout.sequence_length + 1).astype(np.int32)
    segments = np.frombuffer(
        record, layout.segment_dtype, count=layout.sequence_length + 1, offset=layout.token_bytes
    ).astype(np.int32)
    of_input, of_target = segments[:-1], segments[1:]
    place = np.arange(layout.sequence_length, dtype=np.int32)
    if attend_across_documents and not layout.masked:
        weights = (of_target > 0).astype(np.float32)
        segment_ids = (of_input > 0).astype(np.int32)
        positions = place
    else:
        weights = ((of_target > 0) & (of_target == of_input)).astype(np.float32)
        segment_ids = of_input
        starts = np.concatenate([[True], of_input[1:] != of_input[:-1]])
        positions = place - np.maximum.accumulate(np.where(starts, place, 0))
    if layout.masked:
        weights *= np.frombuffer(record, np.uint8, offset=layout.mask_offset)[1:]
    return {
        "inputs": tokens[:-1],
        "targets": tokens[1:],
        "loss_weights": weights,
        "segment_ids": segment_ids,
        "positions": positions.astype(np.int32, copy=False),
    }


def empty_row(sequence_length: int) -> Row:
    """A row of padding: every array as `unpack_row` gives it, all zero, so that no target counts."""
    row: Row = {name: np.zeros(sequence_length, np.int32) for name in ("inputs", "targets", "segment_ids", "positions")}
    return row | {"loss_weights": np.zeros(sequence_length, np.float32)}
