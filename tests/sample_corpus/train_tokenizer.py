"""Trains the SentencePiece model of the samples with the settings of the LLaMA 2 tokenizer."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

VOCABULARY_SIZE = 4096


def train(documents: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> bytes:
    """Trains a byte-fallback BPE model.

    The lines of the documents are passed through an iterator and the model comes back in memory: with file
    arguments SentencePiece would store their paths in the model.

    Args:
        documents: Training texts. They are split at line ends, which the model leaves to byte fallback.
        vocabulary_size: Number of pieces, with the three special ones and the 256 bytes.

    Returns:
        The serialized model.
    """
    # Imported here so that the corpus can be written where SentencePiece is not installed.
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in documents for line in text.split("\n") if line]),
        model_writer=model,
        vocab_size=vocabulary_size,
        model_type="bpe",
        byte_fallback=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        character_coverage=0.99995,
        max_sentence_length=16384,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def bytes_per_token(model: bytes, documents: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Returns the mean number of UTF-8 bytes that one token covers, for each domain.

    Args:
        model: A serialized SentencePiece model.
        documents: Texts by domain.

    Returns:
        The rate of each domain.
    """
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return {
        domain: sum(len(text.encode()) for text in texts) / sum(len(ids) for ids in processor.encode(list(texts)))
        for domain, texts in documents.items()
    }
