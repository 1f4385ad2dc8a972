"""The two tokenizer files of LLaMA, read without TensorFlow: SentencePiece models and Hugging Face `tokenizer.json`.

Control tokens (BOS, EOS, turn markers) come from code only: text that happens to spell one is encoded as ordinary text,
so a clinical note holding "</s>" cannot end a document early.
"""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from melama_jax.errors import DataError

_BOS_NAMES = ("<|begin_of_text|>", "<s>")
_EOS_NAMES = ("<|end_of_text|>", "</s>")
_PAD_NAMES = ("<|finetune_right_pad_id|>", "<pad>", "[PAD]")
_ACCEPTED = "give a SentencePiece tokenizer.model or a Hugging Face tokenizer.json"


class Vocabulary(abc.ABC):
    """Text to token ids and back; picklable by path.

    Attributes:
        path: The tokenizer's file.
        sha256: Hash of the file's bytes, in hexadecimal.
        vocab_size: One more than the largest token id.
        bos_id: Id of the begin-of-text token, or None.
        eos_id: Id of the end-of-text token, or None.
        pad_id: Id of the padding token, or None.
    """

    path: Path
    sha256: str
    vocab_size: int
    bos_id: int | None
    eos_id: int | None
    pad_id: int | None

    @abc.abstractmethod
    def encode(self, text: str) -> list[int]:
        """Token ids of ordinary text, without BOS or EOS."""

    @abc.abstractmethod
    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of several texts, each as `encode` gives them."""

    @abc.abstractmethod
    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids; control tokens are left out."""

    def __reduce__(self) -> tuple[Any, ...]:
        return load_vocabulary, (str(self.path),)

    def _refuse_control_tokens_in_text(self) -> None:
        for name, control in (("BOS", self.bos_id), ("EOS", self.eos_id)):
            if control is not None and control in self.encode(self._spelling(control)):
                raise DataError(
                    f"{self.path}: ordinary text that spells the {name} token {self._spelling(control)!r} would become "
                    f"that token; make it a control (special) token of the tokenizer"
                )

    @abc.abstractmethod
    def _spelling(self, token: int) -> str: ...


def load_vocabulary(path: str | Path | None) -> Vocabulary:
    """Read a tokenizer; the content tells the format, not the name.

    Args:
        path: A SentencePiece model or a Hugging Face `tokenizer.json`; None takes the vocabulary of the samples. A
            `tokenizer_config.json` beside a `tokenizer.json` decides which of its tokens are BOS, EOS and padding.

    Raises:
        DataError: The file is missing or neither of the two formats.
    """
    if path is None:
        from melama_jax.data import samples

        path = samples.tokenizer_path()
    path = Path(path)
    try:
        content = path.read_bytes()
    except IsADirectoryError:
        raise DataError(f"data.vocabulary: {path} is a folder; {_ACCEPTED}") from None
    except OSError as error:
        raise DataError(f"data.vocabulary: cannot read {path}: {error.strerror}; {_ACCEPTED}") from None
    if content.lstrip()[:1] == b"{":
        return _HuggingFaceVocabulary(path, content)
    return _SentencePieceVocabulary(path, content)


class _SentencePieceVocabulary(Vocabulary):
    def __init__(self, path: Path, content: bytes) -> None:
        import sentencepiece

        self.path, self.sha256 = path, hashlib.sha256(content).hexdigest()
        unreadable = DataError(f"data.vocabulary: {path} is no tokenizer that can be read; {_ACCEPTED}")
        if not content:
            raise unreadable
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=content)
        except RuntimeError:
            raise unreadable from None
        self.vocab_size = self._processor.vocab_size()
        self.bos_id, self.eos_id, self.pad_id = (
            token if token >= 0 else None
            for token in (self._processor.bos_id(), self._processor.eos_id(), self._processor.pad_id())
        )
        self._refuse_control_tokens_in_text()

    def encode(self, text: str) -> list[int]:
        return self._processor.encode(text)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._processor.encode(text) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        return self._processor.decode([int(token) for token in ids])

    def _spelling(self, token: int) -> str:
        return self._processor.id_to_piece(token)


class _HuggingFaceVocabulary(Vocabulary):
    def __init__(self, path: Path, content: bytes) -> None:
        import tokenizers

        self.path, self.sha256 = path, hashlib.sha256(content).hexdigest()
        try:
            self._tokenizer = tokenizers.Tokenizer.from_buffer(content)
        except Exception:  # The library raises plain Exception for anything it cannot parse.
            raise DataError(f"data.vocabulary: {path} is no tokenizer that can be read; {_ACCEPTED}") from None
        # A saved tokenizer may cut or pad every text, and by default turns the text "</s>" into the token.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        ids = self._tokenizer.get_vocab(with_added_tokens=True)
        if not ids:
            raise DataError(f"data.vocabulary: {path} holds no tokens; {_ACCEPTED}")
        self.vocab_size = max(ids.values()) + 1
        added = {token.content: index for index, token in self._tokenizer.get_added_tokens_decoder().items()}
        declared = _declared_tokens(path.with_name("tokenizer_config.json"))

        def find(key: str, names: Sequence[str]) -> int | None:
            if declared.get(key) in ids:
                return ids[declared[key]]
            return next((added[name] for name in names if name in added), None)

        self.bos_id = find("bos_token", _BOS_NAMES)
        self.eos_id = find("eos_token", _EOS_NAMES)
        self.pad_id = find("pad_token", _PAD_NAMES)
        self._refuse_control_tokens_in_text()

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [item.ids for item in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        return self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=True)

    def _spelling(self, token: int) -> str:
        return self._tokenizer.id_to_token(token) or ""


def _declared_tokens(path: Path) -> dict[str, str]:
    """The `*_token` texts of a `tokenizer_config.json`; empty when there is none."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise DataError(f"{path}: cannot be read as JSON; mend it or take it away") from None
    if not isinstance(tree, dict):
        raise DataError(f"{path}: expected a JSON object, found {type(tree).__name__}")
    texts = {key: value.get("content") if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: text for key, text in texts.items() if isinstance(text, str)}
