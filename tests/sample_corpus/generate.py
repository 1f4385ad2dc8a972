"""Writes the sample corpus: ``python -m tests.sample_corpus.generate --output DIR --seed 0``.

The same seed gives the same bytes. The files are gzip-compressed without time stamp or file name, so that a
regenerated corpus can be compared with the shipped one byte by byte.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import pathlib
from collections.abc import Sequence

from tests.sample_corpus import biomedical_text, clinical_text, general_text, names, questions, train_tokenizer

BIOMEDICAL = "biomedical/biomedical.jsonl.gz"
CLINICAL = "clinical/clinical.csv.gz"
GENERAL = "general/general.txt.gz"
QUESTIONS = {split: f"questions/{split}.jsonl.gz" for split in questions.SPLITS}
NAMES = {split: f"names/{split}.jsonl.gz" for split in names.SPLITS}
TOKENIZER = "tokenizer.model"

# Characters of text per domain, before the overhead of the file formats.
TARGETS = {BIOMEDICAL: 735_000, CLINICAL: 268_000, GENERAL: 428_000}
_COMPRESSION_LEVEL = 9


def biomedical_bytes(seed: int) -> bytes:
    """Returns the biomedical documents as JSON lines with the field ``text``."""
    documents = biomedical_text.documents(seed, TARGETS[BIOMEDICAL])
    return "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in documents).encode()


def clinical_bytes(seed: int) -> bytes:
    """Returns the clinical notes as CSV with the columns ``text`` and ``note_type``."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("text", "note_type"))
    for note in clinical_text.notes(seed, TARGETS[CLINICAL]):
        writer.writerow((note.text, note.note_type))
    return buffer.getvalue().encode()


def general_bytes(seed: int) -> bytes:
    """Returns the general documents separated by empty lines."""
    return ("\n\n".join(general_text.documents(seed, TARGETS[GENERAL])) + "\n").encode()


def build(seed: int) -> dict[str, bytes]:
    """Returns the uncompressed content of every corpus file, keyed by its path below the samples folder."""
    return {
        BIOMEDICAL: biomedical_bytes(seed),
        CLINICAL: clinical_bytes(seed),
        GENERAL: general_bytes(seed),
    }


def build_questions(seed: int, content: dict[str, bytes]) -> dict[str, bytes]:
    """Returns the uncompressed questions about the corpus that ``build`` returns, keyed in the same way."""
    documents = [text for domain in texts(content).values() for text in domain]
    asked = {QUESTIONS[split]: data for split, data in questions.build(seed, documents).items()}
    return asked | {NAMES[split]: data for split, data in names.build(seed, documents).items()}


def compress(content: bytes) -> bytes:
    """Compresses with gzip so that equal content gives equal bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", compresslevel=_COMPRESSION_LEVEL, fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def texts(content: dict[str, bytes]) -> dict[str, list[str]]:
    """Returns the documents of each domain from the content that ``build`` returns."""
    rows = csv.DictReader(io.StringIO(content[CLINICAL].decode(), newline=""))
    return {
        "biomedical": [json.loads(line)["text"] for line in content[BIOMEDICAL].decode().splitlines()],
        "clinical": [row["text"] for row in rows],
        "general": content[GENERAL].decode().strip("\n").split("\n\n"),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command line.

    Args:
        argv: Arguments without the program name; the process arguments if None.
    """
    parser = argparse.ArgumentParser(description="Write the synthetic sample corpus.")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder to write into")
    parser.add_argument("--seed", type=int, default=0, help="seed of the corpus (the shipped one has 0)")
    parser.add_argument("--tokenizer", action="store_true", help="also train tokenizer.model on the corpus")
    arguments = parser.parse_args(argv)
    content = build(arguments.seed)
    content |= build_questions(arguments.seed, content)
    for name, data in content.items():
        path = arguments.output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(compress(data))
        print(f"{name}: {len(data)} bytes of text, {path.stat().st_size} compressed")
    documents = texts(content)
    if arguments.tokenizer:
        model = train_tokenizer.train(text for domain in documents.values() for text in domain)
        (arguments.output / TOKENIZER).write_bytes(model)
        for domain, rate in train_tokenizer.bytes_per_token(model, documents).items():
            print(f"{TOKENIZER}: {rate:.2f} bytes per token on {len(documents[domain])} {domain} documents")


if __name__ == "__main__":
    main()
