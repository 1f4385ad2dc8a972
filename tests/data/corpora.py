"""A small three-domain corpus and configurations over it."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers, processors

from melama_jax.config import Config, from_mapping
from melama_jax.data.packing import Packer, RowLayout

CANARY = "CANARYPATIENT"
"""Stands in bad records; no message, log or file of ours may hold it."""

VOCAB_SIZE = 320
TEXT = """
the patient was seen for chest pain and given aspirin dose blood pressure heart rate stable no acute distress
history of diabetes kidney function improved after treatment with fluids plan follow up in clinic next week
"""
WORDS = TEXT.split()


def pack(documents: Iterable[np.ndarray], layout: RowLayout) -> Iterator[bytes]:
    """Records of a finite stream of documents."""
    packer = Packer(layout)
    for tokens in documents:
        yield from packer.add(tokens)
    yield from packer.finish()


def words(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(count))


KEEPING_SPACE = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
"""Options of LLaMA's own vocabulary, which changes no character."""


def train_vocabulary(path: Path, *, seed: int = 0, **options: Any) -> Path:
    """A SentencePiece BPE with byte fallback, as LLaMA's."""
    rng = random.Random(seed)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([words(rng, 12) for _ in range(300)]),
        model_writer=model,
        model_type="bpe",
        vocab_size=VOCAB_SIZE,
        byte_fallback=True,
        character_coverage=1.0,
        minloglevel=2,
        **options,
    )
    path.write_bytes(model.getvalue())
    return path


def write_tokenizer_json(folder: Path, *, bos: str = "<|begin_of_text|>", eos: str = "<|end_of_text|>") -> Path:
    """A byte-level BPE as LLaMA 3's, which adds BOS by itself and cuts texts, as saved tokenizers may."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: index for index, symbol in enumerate(alphabet)} | {"th": 256, "the": 257}
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[("t", "h"), ("th", "e")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in (bos, eos, "<|eot_id|>")])
    bos_id = tokenizer.token_to_id(bos)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, bos_id)])
    tokenizer.enable_truncation(max_length=4)
    tokenizer.enable_padding(length=16)
    path = folder / "tokenizer.json"
    tokenizer.save(str(path))
    return path


def write_corpus(root: Path, *, documents: int = 60, seed: int = 0) -> Path:
    """JSONL in two files, CSV, and plain text; one file of another ending."""
    rng = random.Random(seed)
    for domain in ("biomedical", "clinical", "general"):
        (root / domain).mkdir(parents=True)
    for part in ("a", "b"):
        with gzip.open(root / "biomedical" / f"{part}.jsonl.gz", "wt", encoding="utf-8") as stream:
            for _ in range(documents):
                stream.write(json.dumps({"text": words(rng, rng.randint(1, 90))}) + "\n")
    lines = ['"' + words(rng, rng.randint(1, 60)) + '\nsecond line"' for _ in range(documents)]
    (root / "clinical" / "notes.csv").write_text("id,text\n" + "".join(f"{i},{t}\n" for i, t in enumerate(lines)))
    paragraphs = [words(rng, rng.randint(1, 60)) for _ in range(documents)]
    (root / "general" / "book.txt").write_text("\n\n".join(paragraphs))
    (root / "general" / "notes.md").write_text("left out")
    return root


class MakeConfig:
    """Builds a configuration over a corpus; keyword arguments go into the data section."""

    def __init__(self, root: Path, vocabulary: Path, cache_dir: Path) -> None:
        self.defaults = {"root": str(root), "vocabulary": str(vocabulary), "cache_dir": str(cache_dir)}

    def __call__(self, *, sequence_length: int = 32, vocab_size: int = VOCAB_SIZE, **data: Any) -> Config:
        held_out = {"validation_fraction": 0.1}
        return from_mapping(
            {
                "model": {"preset": "tiny", "vocab_size": vocab_size},
                "train": {"sequence_length": sequence_length},
                "data": self.defaults | held_out | data,
            }
        )
