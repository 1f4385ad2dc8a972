"""One tokenizer format made from another, in memory: SentencePiece, Hugging Face `tokenizer.json`, LLaMA 3's ranks.

Nothing here is taken on trust: what is made has to encode `PROBES`, and every token's own text, as the original does.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import sentencepiece
import tokenizers
from google.protobuf.message import DecodeError
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors

from melama_jax.data import tiktoken
from melama_jax.errors import ConversionError

Encode = Callable[[list[str]], list[list[int]]]
"""Token ids of several texts, without BOS or EOS."""

PROBES: tuple[str, ...] = (
    "",
    " ",
    "\n",
    "a",
    "The patient was seen in clinic.",
    " leading space",
    "trailing space ",
    "  two  spaces   three    four  ",
    "\tHR\t72\nBP\t120/80\r\n\r\nTemp\t36.6\n\n\n",
    " \n \t \n  indented\n    more",
    *(" " * count for count in (2, 3, 4, 5, 7, 15, 16, 17, 31, 64)),
    "x" + " " * 23 + "y",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "-----===== ....... !!!??? ((([[[",
    "0 1 12 123 1234 12345 3.14159 1,000,000 2024-02-29 10:45",
    "10 mg/dL, 5 µg/mL, 37 °C, 3×10⁹/L, SpO₂ ≥ 94 %, ½ tablet, p<0.05",
    "I'm we'll they've it's CAN'T won't o'clock",
    "naïve café façade Ångström Ménière Sjögren São Tomé",
    "e\u0301 decomposed, ﬁ ligature, ＦＵＬＬ width, ſ long s, İ dotted",
    "Пациент жалуется на боль в груди. Ασθενής. المريض يشكو. החולה",
    "患者は胸痛を訴えた。診断：急性心筋梗塞。환자는 두통을 호소했다.",
    "🩺 💊 👩🏽‍⚕️ 🇨🇦 ❤️",
    "\u00a0no-break\u2003em\u3000ideographic\u200bzero\ufeffmark\u2028line",
    "\x00\x01\x7f\u0080\ufffd control",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𒀀 𓂀 \U000e0041 \U0010fffd",
    "▁meta▁symbol▁ ▁",
    "Ġbyte Ċlevel <0x0A> <0xE2> symbols",
    "def f(x):\n    return {'a': [1, 2], \"b\": x**2}  # code\n",
    "https://example.org/a?b=c&d=%20#e user@example.org C:\\temp\\x",
    "<s> </s> <unk> <pad> [INST] <<SYS>> <|begin_of_text|> <|eot_id|>",
    "Supercalifragilisticexpialidocious pneumonoultramicroscopicsilicovolcanoconiosis",
    "WARFARIN Warfarin warfarin wArFaRiN",
)
"""Texts that tell tokenizers apart: white space, digits, units, scripts, characters without a piece, spelled tokens."""

_ModelProto = sentencepiece_model_pb2.ModelProto  # pyright: ignore[reportAttributeAccessIssue]
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 1, 2, 3, 4, 6  # SentencePiece's piece types
_UNIGRAM, _BPE = 1, 2  # SentencePiece's model types
_BYTE_PIECE, _BYTE_START = re.compile(r"<0x[0-9A-F]{2}>"), r"<(?=0x[0-9A-F]{2}>)"
SUPPLY_JSON = "put the tokenizer.json and tokenizer_config.json of this tokenizer beside it"
SUPPLY_MODEL = "put the tokenizer.model of this tokenizer beside it"


def prove(path: Path, expected: Encode, found: Encode, texts: Sequence[str], advice: str) -> None:
    """Compare what was made from a file with the file.

    Raises:
        ConversionError: A text is encoded differently; its index is named, never the text.
    """
    pairs = zip(expected(list(texts)), found(list(texts)), strict=True)
    index = next((index for index, (one, other) in enumerate(pairs) if one != other), None)
    if index is not None:
        raise ConversionError(f"{path}: the format asked for would encode probe {index} differently; {advice}")


def encoder(tokenizer: tokenizers.Tokenizer, *, special: bool = False) -> Encode:
    """How a `tokenizer.json` encodes ordinary text; with `special`, BOS and EOS are added as its template says."""
    tokenizer.encode_special_tokens = True
    return lambda texts: [item.ids for item in tokenizer.encode_batch(texts, add_special_tokens=special)]


def parse_sentencepiece(path: Path, content: bytes) -> Any:
    """The `ModelProto` of a SentencePiece model.

    Raises:
        ConversionError: The file is no SentencePiece model.
    """
    proto = _ModelProto()
    try:
        proto.ParseFromString(content)
    except DecodeError:
        proto.Clear()
    if not proto.pieces:
        raise ConversionError(f"{path}: is no SentencePiece model; give a tokenizer.model or tokenizer.json of LLaMA")
    return proto


def sentencepiece_encoder(content: bytes) -> Encode:
    """How a SentencePiece model encodes ordinary text.

    Raises:
        RuntimeError: SentencePiece does not take the model.
    """
    processor = sentencepiece.SentencePieceProcessor(model_proto=content)
    return lambda texts: processor.encode(texts)


def control_piece(name: str) -> Any:
    """A piece that no text is encoded to."""
    return _ModelProto.SentencePiece(piece=name, score=0.0, type=_CONTROL)


def tokenizer_from_sentencepiece(path: Path, content: bytes) -> tokenizers.Tokenizer:
    """A `tokenizer.json` that encodes ordinary text as a SentencePiece BPE or unigram model does, without a template.

    A space is put before every stretch of text, also after a special token in it: Meta's code encodes each turn of a
    chat by itself, and so do we.

    Raises:
        ConversionError: The model has something that the library cannot express.
    """
    proto = parse_sentencepiece(path, content)
    trainer, rules = proto.trainer_spec, proto.normalizer_spec
    kinds = {piece.type for piece in proto.pieces} - {_NORMAL, _UNKNOWN, _CONTROL, _BYTE}
    if kinds or trainer.treat_whitespace_as_suffix or not rules.escape_whitespaces:
        found = "user-defined or unused pieces" if kinds else "its own rule for white space"
        raise ConversionError(f"{path}: has {found}, which tokenizer.json cannot hold exactly; {SUPPLY_JSON}")
    if trainer.model_type not in (_UNIGRAM, _BPE):
        raise ConversionError(f"{path}: is neither a BPE nor a unigram model; {SUPPLY_JSON}")
    tokenizer = tokenizers.Tokenizer(_bpe(proto) if trainer.model_type == _BPE else _unigram(proto))
    if trainer.model_type == _UNIGRAM:
        tokenizer.pre_tokenizer = _apart(proto)
    tokenizer.normalizer = normalizers.Sequence(_normalizers(rules))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    if rules.add_dummy_prefix:
        # Models that drop surplus spaces decode to text without any in front.
        steps.append(decoders.Strip(content=" ", left=1 << 16 if rules.remove_extra_whitespaces else 1))
    tokenizer.decoder = decoders.Sequence(steps)
    special = [piece.piece for piece in proto.pieces if piece.type in (_UNKNOWN, _CONTROL)]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return tokenizer


def _bpe(proto: Any) -> models.BPE:
    """Every cut of a piece into two pieces is a merge; the better the piece's score, the earlier.

    Pieces of equal score (LLaMA's runs of spaces) grow from the left in SentencePiece, so the longest comes first.
    """
    scores = {piece.piece: piece.score for piece in proto.pieces if piece.type == _NORMAL}
    cuts = [
        (piece, cut)
        for piece in scores
        for cut in range(1, len(piece))
        if piece[:cut] in scores and piece[cut:] in scores
    ]
    cuts.sort(key=lambda item: (scores[item[0]], len(item[0]), item[1]), reverse=True)
    return models.BPE(
        vocab={piece.piece: index for index, piece in enumerate(proto.pieces)},
        merges=[(piece[:cut], piece[cut:]) for piece, cut in cuts],
        unk_token=unknown_piece(proto),
        fuse_unk=True,
        byte_fallback=proto.trainer_spec.byte_fallback,
    )


def _unigram(proto: Any) -> models.Unigram:
    return models.Unigram(
        vocab=[(piece.piece, piece.score) for piece in proto.pieces],
        unk_id=[piece.type for piece in proto.pieces].index(_UNKNOWN),
        byte_fallback=proto.trainer_spec.byte_fallback,
    )


def _apart(proto: Any) -> pre_tokenizers.PreTokenizer:
    """Cuts text that spells a control or byte piece after its first character.

    The library's unigram model would take any piece that text spells; a BPE model takes what its merges lead to.
    """
    names = [piece.piece for piece in proto.pieces if piece.type in (_UNKNOWN, _CONTROL)]
    spelled = "|".join([f"{re.escape(name[0])}(?={re.escape(name[1:])})" for name in names] + [_BYTE_START])
    return pre_tokenizers.Split(Regex(spelled), behavior="merged_with_previous")


def unknown_piece(proto: Any) -> str:
    """Name of the token that stands for characters without a piece."""
    return next(piece.piece for piece in proto.pieces if piece.type == _UNKNOWN)


def _normalizers(rules: Any) -> list[Any]:
    """SentencePiece's: the table of characters, runs of spaces, the space in front, and the visible space."""
    steps: list[Any] = []
    if rules.precompiled_charsmap:
        steps.append(normalizers.Precompiled(rules.precompiled_charsmap))
    if rules.remove_extra_whitespaces:
        steps += [normalizers.Replace(Regex(r"\A +|[ ▁]+\z"), ""), normalizers.Replace(Regex(" {2,}"), " ")]
    if rules.add_dummy_prefix:
        steps.append(normalizers.Prepend("▁"))
    return [*steps, normalizers.Replace(" ", "▁")]


def add_template(tokenizer: tokenizers.Tokenizer, bos: str | None, eos: str | None) -> None:
    """Make the tokenizer put BOS before and EOS after a text where special tokens are asked for."""
    before, after = ([bos] if bos else []), ([eos] if eos else [])
    names = {name: tokenizer.token_to_id(name) for name in [*before, *after]}
    first, second = ([*before, "$A", *after], [*before, "$B", *after])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=" ".join(first),
        pair=" ".join([*first, *(f"{part}:1" for part in second)]),
        special_tokens=list(names.items()),
    )


def meta_model(path: Path, content: bytes, bos: str | None, eos: str | None) -> tuple[bytes, str]:
    """Meta's `tokenizer.model` for a `tokenizer.json`.

    Args:
        path: The `tokenizer.json`, for messages.
        content: Its bytes.
        bos: Name of the begin-of-text token.
        eos: Name of the end-of-text token.

    Returns:
        The file's bytes, and what it is.

    Raises:
        ConversionError: Neither format of Meta gives the same ids.
    """
    tree = json.loads(content)
    model = tree.get("model", {})
    original = tokenizers.Tokenizer.from_str(content.decode("utf-8"))
    if model.get("type") != "BPE":
        raise ConversionError(f"{path}: a {model.get('type')} model has no format of Meta's; {SUPPLY_MODEL}")
    if model.get("byte_fallback"):
        return _sentencepiece_model(path, tree, original, bos, eos), "a SentencePiece model"
    return _rank_file(path, original, bos), "LLaMA 3's ranks"


def _rank_file(path: Path, original: tokenizers.Tokenizer, bos: str | None) -> bytes:
    added = {token.content for token in original.get_added_tokens_decoder().values()}
    ids = {token: index for token, index in original.get_vocab(with_added_tokens=True).items() if token not in added}
    tokens = sorted(ids, key=ids.__getitem__)
    codes = {symbol: byte for byte, symbol in enumerate(tiktoken.byte_symbols())}
    if [ids[token] for token in tokens] != list(range(len(ids))) or not set("".join(tokens)) <= codes.keys():
        raise ConversionError(f"{path}: is not LLaMA 3's kind of byte-level BPE with ids from 0 on; {SUPPLY_MODEL}")
    ranked = [bytes([codes[symbol] for symbol in token]) for token in tokens]
    content = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(ranked))
    made = tiktoken.build_tokenizer(tiktoken.read_ranks(path, content))
    if bos is not None and original.token_to_id(bos) != len(ranked):
        found = original.token_to_id(bos)
        raise ConversionError(f"{path}: BOS is {found}, Meta's loader would take {len(ranked)}; {SUPPLY_MODEL}")
    prove(path, encoder(original), encoder(made), texts_of(original), SUPPLY_MODEL)
    return content


def _sentencepiece_model(
    path: Path, tree: dict[str, Any], original: tokenizers.Tokenizer, bos: str | None, eos: str | None
) -> bytes:
    """A SentencePiece BPE whose scores put pieces in the order of their first merges."""
    proto = _ModelProto()
    ids = original.get_vocab(with_added_tokens=True)
    if sorted(ids.values()) != list(range(len(ids))):
        raise ConversionError(f"{path}: its {len(ids)} ids are not 0 to {len(ids) - 1}; {SUPPLY_MODEL}")
    unknown = tree["model"].get("unk_token") or "<unk>"
    special = {token.content: token.special for token in original.get_added_tokens_decoder().values()}
    order: dict[str, int] = {}
    for merge in tree["model"]["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        order.setdefault(left + right, len(order))
    for name in sorted(ids, key=ids.__getitem__):
        if name == unknown:
            kind = _UNKNOWN
        elif name in special:
            kind = _CONTROL if special[name] else _USER_DEFINED
        else:
            kind = _BYTE if _BYTE_PIECE.fullmatch(name) else _NORMAL
        place = order[name] if name in order else len(order) + ids[name]
        proto.pieces.add(piece=name, score=-float(place) if kind == _NORMAL else 0.0, type=kind)
    trainer, rules = proto.trainer_spec, proto.normalizer_spec
    trainer.model_type, trainer.vocab_size, trainer.byte_fallback = _BPE, len(ids), True
    trainer.unk_id, trainer.unk_piece = ids.get(unknown, -1), unknown
    trainer.bos_id, trainer.bos_piece = ids.get(bos or "", -1), bos or "<s>"
    trainer.eos_id, trainer.eos_piece = ids.get(eos or "", -1), eos or "</s>"
    trainer.pad_id = -1
    plain, spaced = original.encode_batch(["a b", "  a  b "], add_special_tokens=False)
    rules.name, rules.escape_whitespaces = "identity", True
    rules.add_dummy_prefix = plain.tokens[0].startswith("▁")
    rules.remove_extra_whitespaces = spaced.ids == plain.ids
    content = proto.SerializeToString()
    try:
        made = sentencepiece_encoder(content)
    except RuntimeError:
        raise ConversionError(f"{path}: SentencePiece cannot hold its tokens; {SUPPLY_MODEL}") from None
    prove(path, encoder(original), made, texts_of(original), SUPPLY_MODEL)
    return content


def texts_of(tokenizer: tokenizers.Tokenizer) -> list[str]:
    """`PROBES`, then what each token of a tokenizer says."""
    size = max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
    return [*PROBES, *tokenizer.decode_batch([[index] for index in range(size)], skip_special_tokens=False)]
