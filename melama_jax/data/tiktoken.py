"""LLaMA 3's own tokenizer file: byte sequences by rank, one "base64 rank" a line, as tiktoken reads them.

A piece of text that is itself a ranked sequence is one token; any other is built up from its bytes, joining the
neighbours whose concatenation has the lowest rank, the leftmost first. The special tokens are not in the file: Meta's
loader appends 256 of them. Their ids are those of every LLaMA 3; their names here are LLaMA 3.1's, as published in its
`tokenizer.json` (LLaMA 3 calls the ones it does not use reserved).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from melama_jax.errors import DataError

if TYPE_CHECKING:
    import tokenizers

NUM_SPECIAL_TOKENS = 256
"""How many ids Meta's loader puts after the ranks."""
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where LLaMA 3 cuts text before it looks for tokens: contractions, words, up to three digits, signs, white space."""

_NAMED = {
    0: "<|begin_of_text|>",
    1: "<|end_of_text|>",
    4: "<|finetune_right_pad_id|>",
    6: "<|start_header_id|>",
    7: "<|end_header_id|>",
    8: "<|eom_id|>",
    9: "<|eot_id|>",
    10: "<|python_tag|>",
}
_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2} [0-9]+")


def special_tokens() -> list[str]:
    """Names of the special tokens, in the order of their ids."""
    free = (f"<|reserved_special_token_{index}|>" for index in range(NUM_SPECIAL_TOKENS))
    return [_NAMED.get(place) or next(free) for place in range(NUM_SPECIAL_TOKENS)]


def byte_symbols() -> list[str]:
    """The visible character that stands for each byte in byte-level vocabularies (GPT-2's table).

    Printable Latin-1 characters stand for themselves; the others, in order, for code points from 256 on.
    """
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    stand_ins = iter(range(256, 512))
    return [chr(byte if byte in visible else next(stand_ins)) for byte in range(256)]


def is_rank_file(content: bytes) -> bool:
    """Whether a file starts as a rank file does; a SentencePiece model starts with a line break."""
    return _LINE.fullmatch(content[:4096].split(b"\n", 1)[0].rstrip()) is not None


def read_ranks(path: Path, content: bytes) -> list[bytes]:
    """The byte sequences of a rank file, by rank.

    Raises:
        DataError: A line is not "base64 rank", the ranks are not 0, 1, 2, ..., or a single byte has no rank.
    """
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        if not _LINE.fullmatch(line.rstrip()):
            raise DataError(f"{path}: line {number} is not 'base64 rank'; fetch the tokenizer.model again")
        token, rank = line.split()
        try:
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except ValueError:
            raise DataError(f"{path}: line {number} holds no base64; fetch the tokenizer.model again") from None
    tokens = sorted(ranks, key=ranks.__getitem__)
    if [ranks[token] for token in tokens] != list(range(len(tokens))):
        raise DataError(f"{path}: its {len(tokens)} ranks are not 0 to {len(tokens) - 1}; fetch the file again")
    missing = next((byte for byte in range(256) if bytes([byte]) not in ranks), None)
    if missing is not None:
        raise DataError(f"{path}: byte 0x{missing:02X} has no rank, so not every text can be encoded; fetch it again")
    return tokens


def build_tokenizer(tokens: Sequence[bytes]) -> tokenizers.Tokenizer:
    """LLaMA 3's tokenizer over ranked byte sequences; it adds BOS where special tokens are asked for.

    Any two neighbours that spell a ranked sequence may be joined, so every cut of every token is a merge, at the
    token's rank; a few hundred thousand for LLaMA 3.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors

    symbols = byte_symbols()
    spelled = {token: "".join([symbols[byte] for byte in token]) for token in tokens}
    merges = [
        (spelled[token[:cut]], spelled[token[cut:]])
        for token in tokens
        for cut in range(len(token) - 1, 0, -1)
        if token[:cut] in spelled and token[cut:] in spelled
    ]
    vocabulary = {spelled[token]: rank for rank, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    names = special_tokens()
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in names])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{names[0]} $A",
        pair=f"{names[0]} $A {names[0]}:1 $B:1",
        special_tokens=[(names[0], len(tokens))],
    )
    return tokenizer
