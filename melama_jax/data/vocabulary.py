"""The tokenizer files of LLaMA, read without TensorFlow: SentencePiece, LLaMA 3's ranks, Hugging Face `tokenizer.json`.

Control tokens (BOS, EOS, turn markers) come from code only: text that happens to spell one is encoded as ordinary text,
so a clinical note holding "</s>" cannot end a document early.
"""

from __future__ import annotations

import abc
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melama_jax.data import tiktoken
from melama_jax.errors import DataError

if TYPE_CHECKING:
    import tokenizers

_BOS_NAMES = ("<|begin_of_text|>", "<s>")
_EOS_NAMES = ("<|end_of_text|>", "</s>")
PAD_NAMES = ("<|finetune_right_pad_id|>", "<pad>", "[PAD]", "<|pad|>")
"""What padding is called where a tokenizer does not declare it."""
_ACCEPTED = "give a SentencePiece or LLaMA 3 tokenizer.model or a Hugging Face tokenizer.json"


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
    def encode_starts(self, text: str) -> tuple[list[int], list[int]]:
        """Token ids as `encode` gives them, and the character of the text at which each token starts."""

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
            if control is not None and control in self.encode(self.spelling(control)):
                raise DataError(
                    f"{self.path}: ordinary text that spells the {name} token {self.spelling(control)!r} would become "
                    f"that token; make it a control (special) token of the tokenizer"
                )

    @abc.abstractmethod
    def spelling(self, token: int) -> str:
        """Name of a token, as its file has it."""


def load_vocabulary(path: str | Path | None) -> Vocabulary:
    """Read a tokenizer; the content tells the format, not the name.

    Args:
        path: A SentencePiece model, LLaMA 3's `tokenizer.model` or a Hugging Face `tokenizer.json`, or a folder with
            one (see `find_tokenizer`); None takes the vocabulary of the samples. A `tokenizer_config.json` beside a
            `tokenizer.json` decides which of its tokens are BOS, EOS and padding.

    Raises:
        DataError: The file is missing or of none of the formats, or the folder holds no tokenizer.
    """
    if path is None:
        from melama_jax.data import samples

        path = samples.tokenizer_path()
    path = Path(path)
    if path.is_dir():
        found = find_tokenizer(path)
        if found is None:
            raise DataError(
                f"data.vocabulary: the folder {path} and its tokenizer/ hold neither tokenizer.json nor "
                f"tokenizer.model; {_ACCEPTED}"
            )
        path = found
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"data.vocabulary: cannot read {path}: {error.strerror}; {_ACCEPTED}") from None
    return parse_vocabulary(path, content)


def parse_vocabulary(path: Path, content: bytes) -> Vocabulary:
    """A vocabulary of a file's content, perhaps changed, and of what stands beside the file; see `load_vocabulary`."""
    if content.lstrip()[:1] == b"{":
        declared = _declared_tokens(path.with_name("tokenizer_config.json"))
        return _TokenizersVocabulary(path, content, _parse_tokenizer(path, content), declared)
    if tiktoken.is_rank_file(content):
        ranked = tiktoken.read_ranks(path, content)
        return _TokenizersVocabulary(path, content, tiktoken.build_tokenizer(ranked), {})
    return _SentencePieceVocabulary(path, content)


def find_tokenizer(folder: str | Path) -> Path | None:
    """The tokenizer of a Hugging Face, Meta or checkpoint folder, there or in its `tokenizer/`; None without one.

    `tokenizer.json` comes first where a `tokenizer_config.json` says how it is meant, for it knows of tokens added
    later; then `tokenizer.model`; then a `tokenizer.json` that stands alone.
    """
    for place in (Path(folder), Path(folder, "tokenizer")):
        library, model = place / "tokenizer.json", place / "tokenizer.model"
        if library.is_file() and ((place / "tokenizer_config.json").is_file() or not model.is_file()):
            return library
        if model.is_file():
            return model
    return None


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

    def encode_starts(self, text: str) -> tuple[list[int], list[int]]:
        found = self._processor.encode(text, return_type="offset_mapping")
        return found["ids"], [start for start, _ in found["offsets"]]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._processor.encode(text) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        return self._processor.decode([int(token) for token in ids])

    def spelling(self, token: int) -> str:
        return self._processor.id_to_piece(token)


class _TokenizersVocabulary(Vocabulary):
    def __init__(self, path: Path, content: bytes, tokenizer: tokenizers.Tokenizer, declared: dict[str, str]) -> None:
        self.path, self.sha256, self._tokenizer = path, hashlib.sha256(content).hexdigest(), tokenizer
        # A saved tokenizer may cut or pad every text, and by default turns the text "</s>" into the token. What it does
        # afterwards adds BOS and moves the starts of words behind their spaces.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.post_processor = None  # pyright: ignore[reportAttributeAccessIssue]
        self._tokenizer.encode_special_tokens = True
        ids = self._tokenizer.get_vocab(with_added_tokens=True)
        if not ids:
            raise DataError(f"data.vocabulary: {path} holds no tokens; {_ACCEPTED}")
        self.vocab_size = max(ids.values()) + 1
        added = {token.content: index for index, token in self._tokenizer.get_added_tokens_decoder().items()}

        def find(key: str, names: Sequence[str]) -> int | None:
            if declared.get(key) in ids:
                return ids[declared[key]]
            return next((added[name] for name in names if name in added), None)

        self.bos_id = find("bos_token", _BOS_NAMES)
        self.eos_id = find("eos_token", _EOS_NAMES)
        self.pad_id = find("pad_token", PAD_NAMES)
        self._refuse_control_tokens_in_text()

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_starts(self, text: str) -> tuple[list[int], list[int]]:
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        return encoding.ids, [start for start, _ in encoding.offsets]

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [item.ids for item in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        return self._tokenizer.decode([int(token) for token in ids], skip_special_tokens=True)

    def spelling(self, token: int) -> str:
        return self._tokenizer.id_to_token(token) or ""


def _parse_tokenizer(path: Path, content: bytes) -> tokenizers.Tokenizer:
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_buffer(content)
    except Exception:  # The library raises plain Exception for anything it cannot parse.
        raise DataError(f"data.vocabulary: {path} is no tokenizer that can be read; {_ACCEPTED}") from None


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
