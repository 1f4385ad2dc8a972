"""Sample corpus of biomedical, clinical and general text with a tokenizer, shipped inside the package.

The corpus is synthetic, composed from facts written for this project (by `tests/sample_corpus`), so that the quickstart
can train with nothing downloaded. The functions here only say where the files lie.
"""

from __future__ import annotations

import pathlib


def root() -> pathlib.Path:
    """Returns the folder that holds the sample files of the three domains."""
    return pathlib.Path(__file__).resolve().parent


def tokenizer_path() -> pathlib.Path:
    """Returns the path of the SentencePiece model trained on the samples."""
    return root() / "tokenizer.model"
