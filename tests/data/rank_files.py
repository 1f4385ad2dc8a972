"""A small file of ranked byte sequences, as LLaMA 3's tokenizer.model."""

from __future__ import annotations

import base64
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from melama_jax.data import tiktoken

SENTENCES = (
    "The patient was given 500 mg of aspirin daily, and the other patients were given 12345 mg.",
    "She's well; he isn't. They've been seen in the clinic, in the ward and in the clinic again.",
    "    indented    text\n\n\nwith  spaces\tand tabs\r\n",
    "naïve café 診断 診断 診察 🩺🩺 µg/mL °C",
)
NUM_RANKS = 380


def ranked(num_ranks: int = NUM_RANKS) -> list[bytes]:
    """Byte sequences by rank, learned from `SENTENCES`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(tiktoken.SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=num_ranks, initial_alphabet=sorted(alphabet), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES * 3, trainer)
    ids = tokenizer.get_vocab()
    codes = {symbol: byte for byte, symbol in enumerate(tiktoken.byte_symbols())}
    return [bytes([codes[symbol] for symbol in token]) for token in sorted(ids, key=ids.__getitem__)]


def rank_lines(tokens: list[bytes]) -> bytes:
    return b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens))


def write_rank_file(path: Path) -> Path:
    path.write_bytes(rank_lines(ranked()))
    return path
