"""Tokenizers in and out: the files of a folder copied, made for the other side's loader, or given more tokens.

Hugging Face: transformers takes `tokenizer.json` as it is where `tokenizer_config.json` names no class of a model
family; given `tokenizer.model` alone, transformers 5 adds no BOS and no space in front. Meta: the loader reads
`tokenizer.model`, SentencePiece for LLaMA 1 and 2, ranks for LLaMA 3, and adds BOS itself.

One thing stays different: transformers takes text that spells a special token for the token. Called with
`split_special_tokens=True` it encodes such text as text, as Meta's loader and we do.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from conversion import tokenizer_formats as formats
from melama_jax.data import tiktoken
from melama_jax.data.vocabulary import PAD_NAMES, Vocabulary, find_tokenizer, load_vocabulary
from melama_jax.errors import ConversionError

MODEL, LIBRARY, CONFIG, MAP = "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"
ORIGINAL = f"original/{MODEL}"
"""Where LLaMA 3's Hugging Face folders keep Meta's own file."""
_ADDED, _GENERATION = "added_tokens.json", "generation_config.json"
_COMPANIONS = (CONFIG, MAP, _ADDED, "chat_template.jinja", "chat_template.json", "vocab.json", "merges.txt")

_log = logging.getLogger(__name__)


def tokenizer_files(folder: Path) -> list[Path]:
    """The files that make up the tokenizer of a Hugging Face, Meta or checkpoint folder, there or in its `tokenizer/`.

    Args:
        folder: The folder; or a tokenizer's file, which is then alone but for what stands beside a `tokenizer.json`.

    Returns:
        The files there are, none if there is no tokenizer; `original/tokenizer.model` is among them.
    """
    if folder.is_file():
        return [folder, *(_present(folder.parent, _COMPANIONS) if _is_json(folder) else [])]
    for place in (folder, folder / "tokenizer"):
        main = _present(place, (MODEL, LIBRARY, ORIGINAL))
        if main:
            return [*main, *_present(place, _COMPANIONS)]
    return []


def copy_tokenizer(source_files: Sequence[Path], target_dir: Path) -> None:
    """Copy a tokenizer's files, byte for byte; a main file of any other name gets its format's."""
    for path in source_files:
        name = path.name if path.name in (MODEL, LIBRARY, *_COMPANIONS) else (LIBRARY if _is_json(path) else MODEL)
        folder = target_dir / "original" if path.parent.name == "original" and name == MODEL else target_dir
        if (folder / name).resolve() != path.resolve():
            _write(folder / name, _read(path))


def write_hf_tokenizer(source: Path, target_dir: Path, *, model_max_length: int | None = None) -> list[str]:
    """Write what a Hugging Face folder needs for transformers' AutoTokenizer to give the original's ids.

    The files of a `tokenizer.json` are copied. For a `tokenizer.model` alone, SentencePiece or LLaMA 3's, they are
    made, and not written before they encode `formats.PROBES` and every token's text as the original does.

    Args:
        source: The folder or file of the original.
        target_dir: The exported folder.
        model_max_length: The longest text the model takes, in tokens, for a `tokenizer_config.json` that is made.

    Returns:
        What was made, one line each.

    Raises:
        ConversionError: There is no tokenizer, or none with the same ids can be made.
    """
    files = _Files.of(source)
    if files.library is not None and files.config is not None:
        copy_tokenizer(files.all, target_dir)
        return [f"copied {', '.join(path.name for path in files.all)}", *_rebuilt(files.library, files.config)]
    return _make_hf_files(files, target_dir, model_max_length)


def write_meta_tokenizer(source: Path, target_dir: Path) -> list[str]:
    """Write the `tokenizer.model` that Meta's loader reads.

    The original's own is copied. For a `tokenizer.json` alone one is made: ranks for LLaMA 3's byte-level BPE, a
    SentencePiece model for LLaMA 2's BPE with byte fallback, if it encodes all the probes as the original does.

    Returns:
        What was made and what Meta's loader will not know, one line each.

    Raises:
        ConversionError: There is no tokenizer, or its `tokenizer.model` has to be supplied.
    """
    files = _Files.of(source)
    own = files.model or files.original
    if own is not None:
        _write(target_dir / MODEL, _read(own))
        return [f"copied {own}", *(_differences(files.library, own) if files.library else [])]
    assert files.library is not None
    bos, eos = _named(load_vocabulary(files.library))
    content, kind = formats.meta_model(files.library, _read(files.library), bos, eos)
    _write(target_dir / MODEL, content)
    return [f"made {MODEL} from {files.library}: {kind}, with the same ids for every probe"]


def add_tokens(target_dir: Path, tokens: Sequence[str]) -> list[int]:
    """Add control tokens (padding, turns of a chat) to a folder's tokenizer, in every format there.

    Ordinary text is encoded as before, also text that spells a new token. A name like "<pad>" becomes the padding token
    where there is none. Meta's rank file holds no special tokens: a folder with nothing else is given a
    `tokenizer.json` first, and the rank file is kept as `original/tokenizer.model`.

    Args:
        target_dir: The folder, whose files are rewritten.
        tokens: Names; their ids follow the last one there is.

    Returns:
        The new ids, in the order of `tokens`.

    Raises:
        ConversionError: A name is empty, given twice, or there already; or the formats would disagree about an id.
    """
    files = _Files.of(target_dir)
    known = _ids(files)
    for place, name in enumerate(tokens):
        if not name.strip() or name in known or name in tokens[:place]:
            found = "is there already" if name in known else "is given twice" if name.strip() else "is empty"
            raise ConversionError(f"{files.main}: the token {name!r} {found}; leave it out")
    if files.model is not None and tiktoken.is_rank_file(_read(files.model)):
        files = _put_ranks_aside(files)
    vocabulary = load_vocabulary(files.main)
    new = {name: max(known.values()) + 1 + place for place, name in enumerate(tokens)}
    pad = next((name for name in tokens if name in PAD_NAMES), None) if vocabulary.pad_id is None else None
    written: dict[Path, bytes] = {}
    if files.library is not None:
        written[files.library] = _with_tokens_json(files.library, new)
    if files.model is not None:
        written[files.model] = _with_pieces(files.model, known, new, pad)
    for path in files.all:
        if path.name in (CONFIG, MAP, _ADDED):
            written[path] = _dump(_with_declarations(path, new, pad))
    for path, content in written.items():
        _write(path, content)
    return list(new.values())


def special_ids(folder: Path) -> dict[str, int | list[int] | None]:
    """`bos_token_id`, `eos_token_id` and `pad_token_id` of a folder's tokenizer, for the configs of Hugging Face.

    A `generation_config.json` in the folder comes first for EOS: LLaMA 3's chat models end at any of several tokens.
    """
    vocabulary = load_vocabulary(_Files.of(folder).main)
    path = folder / _GENERATION
    declared = _object(path) if path.is_file() else {}
    eos, pad = declared.get("eos_token_id"), declared.get("pad_token_id")
    return {
        "bos_token_id": vocabulary.bos_id,
        "eos_token_id": vocabulary.eos_id if eos is None else eos,
        "pad_token_id": vocabulary.pad_id if pad is None else pad,
    }


@dataclasses.dataclass(frozen=True)
class _Files:
    """A tokenizer's files by what they are; `main` is the one that our reader takes."""

    main: Path
    all: list[Path]
    model: Path | None = None
    library: Path | None = None
    original: Path | None = None
    config: Path | None = None

    @classmethod
    def of(cls, source: Path) -> _Files:
        files = tokenizer_files(source)
        if not files:
            what = f"neither {LIBRARY} nor {MODEL} there or in its tokenizer/" if source.exists() else "is not there"
            raise ConversionError(f"{source}: {what}; give the folder or the file of the model's tokenizer")
        kinds: dict[str, Path] = {}
        for path in files:
            if path.name == CONFIG:
                kinds["config"] = path
            elif path.name not in _COMPANIONS:
                kind = "original" if path.parent.name == "original" else "library" if _is_json(path) else "model"
                kinds[kind] = path
        found = source if source.is_file() else find_tokenizer(files[0].parent)
        return cls(found or files[0], files, **kinds)


def _make_hf_files(files: _Files, target_dir: Path, model_max_length: int | None) -> list[str]:
    """`tokenizer.json` where there is none, and the two files that say how it is meant."""
    vocabulary = load_vocabulary(files.main)
    config = _object(files.config) if files.config else {}
    declared = next((_object(path) for path in files.all if path.name == MAP), {})
    unknown = None
    if files.library is not None:
        made, content = Tokenizer.from_file(str(files.library)), _read(files.library)
        same = "both files have to be of one tokenizer"
        formats.prove(files.library, vocabulary.encode_batch, formats.encoder(made), formats.PROBES, same)
    else:
        made, unknown = _make_library(files.main, vocabulary, config, files)
        content = made.to_str(pretty=True).encode("utf-8")
    bos, eos = _named(vocabulary)
    pad = None if vocabulary.pad_id is None else vocabulary.spelling(vocabulary.pad_id)
    named = {"bos_token": bos, "eos_token": eos, "unk_token": unknown, "pad_token": pad}
    special = {key: name for key, name in named.items() if name is not None}
    ours = {"add_bos_token": bos is not None, "add_eos_token": False, "clean_up_tokenization_spaces": False, **special}
    if unknown is not None:
        ours["legacy"] = True  # a space in front of every stretch of text, not of the first alone
    if model_max_length is not None:
        ours["model_max_length"] = model_max_length
    # Any other class would have transformers 5 build its own normalizer and leave out ours.
    config = ours | config | {"tokenizer_class": "PreTrainedTokenizerFast"}
    copy_tokenizer([path for path in files.all if path.name not in (CONFIG, MAP)], target_dir)
    _write(target_dir / LIBRARY, content)
    _write(target_dir / CONFIG, _dump(config))
    _write(target_dir / MAP, _dump(special | declared))
    return [f"made {LIBRARY if files.library is None else CONFIG} from {files.main}, with the same ids for every probe"]


def _rebuilt(library: Path, config: Path) -> list[str]:
    """A warning where transformers 5 does not take `tokenizer.json` as it is, as it does not in the source's folder."""
    named = str(_object(config).get("tokenizer_class"))
    if named.removesuffix("Fast") != "LlamaTokenizer" or not _object(library).get("normalizer"):
        return []
    return [
        f"tokenizer_class is {named}: transformers 5 then puts no space in front of text that starts with one; "
        f"PreTrainedTokenizerFast in {CONFIG} gives the ids of {LIBRARY}"
    ]


def _make_library(
    main: Path, vocabulary: Vocabulary, config: Mapping[str, Any], files: _Files
) -> tuple[Tokenizer, str | None]:
    """A `tokenizer.json` for a `tokenizer.model`, proven, and the name of its unknown token."""
    content, unknown = _read(main), None
    bos, eos = _named(vocabulary)
    if tiktoken.is_rank_file(content):
        made = tiktoken.build_tokenizer(tiktoken.read_ranks(main, content))
    else:
        made = formats.tokenizer_from_sentencepiece(main, content)
        unknown = formats.unknown_piece(formats.parse_sentencepiece(main, content))
        _add_declared(made, files, config)
    before, after = config.get("add_bos_token", True), config.get("add_eos_token", False)
    formats.add_template(made, bos if before else None, eos if after else None)
    front = [vocabulary.bos_id] if before and vocabulary.bos_id is not None else []
    back = [vocabulary.eos_id] if after and vocabulary.eos_id is not None else []
    formats.prove(
        main,
        lambda texts: [[*front, *ids, *back] for ids in vocabulary.encode_batch(texts)],
        formats.encoder(Tokenizer.from_str(made.to_str()), special=True),
        formats.texts_of(made),
        formats.SUPPLY_JSON,
    )
    return made, unknown


def _add_declared(made: Tokenizer, files: _Files, config: Mapping[str, Any]) -> None:
    """Tokens that folders without a `tokenizer.json` name beside a SentencePiece model, at the ids they name."""
    names = {int(index): entry["content"] for index, entry in config.get("added_tokens_decoder", {}).items()}
    for path in files.all:
        if path.name == _ADDED:
            names |= {index: name for name, index in _object(path).items()}
    size = made.get_vocab_size()
    for index, name in sorted(item for item in names.items() if item[0] >= size):
        made.add_special_tokens([AddedToken(name, special=True, normalized=False)])
        if made.token_to_id(name) != index:
            raise ConversionError(
                f"{files.main}: the added token {name!r} is {index}, but the first free id is "
                f"{made.get_vocab_size() - 1}; {formats.SUPPLY_JSON}"
            )


def _differences(library: Path, model: Path) -> list[str]:
    """What a `tokenizer.json` knows that the `tokenizer.model` beside it does not."""
    kept, original = load_vocabulary(model), load_vocabulary(library)
    added = {name: index for name, index in _library_ids(library).items() if index >= kept.vocab_size}
    notes = []
    if added:
        listed = ", ".join(f"{name} ({index})" for name, index in sorted(added.items(), key=lambda item: item[1]))
        notes.append(f"{model} has no {listed}: text with them cannot be given to Meta's loader")
    try:
        formats.prove(library, original.encode_batch, kept.encode_batch, formats.PROBES, "check which one is meant")
    except ConversionError as difference:
        notes.append(f"{model} and {library} disagree: {difference}")
    return notes


def _put_ranks_aside(files: _Files) -> _Files:
    """Give a folder whose `tokenizer.model` holds ranks a `tokenizer.json`, and keep the ranks as Meta's original."""
    assert files.model is not None
    folder = files.model.parent
    if files.library is None or files.config is None:
        _make_hf_files(files, folder, None)
    (folder / "original").mkdir(exist_ok=True)
    files.model.replace(folder / ORIGINAL)
    _log.warning(f"{files.model}: LLaMA 3's ranks take no further tokens; they go into {LIBRARY}, see {ORIGINAL}")
    return _Files.of(folder)


def _with_tokens_json(path: Path, new: Mapping[str, int]) -> bytes:
    tree = _object(path)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    tree["added_tokens"] = [
        *tree.get("added_tokens", []),
        *({"id": index, "content": name, **flags} for name, index in new.items()),
    ]
    content = _dump(tree)
    before, after = Tokenizer.from_file(str(path)), Tokenizer.from_str(content.decode("utf-8"))
    wrong = next((name for name, index in new.items() if after.token_to_id(name) != index), None)
    if wrong is not None:
        found = after.token_to_id(wrong)
        raise ConversionError(f"{path}: {wrong!r} would be {found}, not {new[wrong]}; its ids must have no gaps")
    formats.prove(path, formats.encoder(before), formats.encoder(after), [*formats.PROBES, *new], "choose other names")
    return content


def _with_pieces(path: Path, known: Mapping[str, int], new: Mapping[str, int], pad: str | None) -> bytes:
    """A SentencePiece model with the tokens that a `tokenizer.json` beside it has more, and the new ones."""
    content = _read(path)
    proto = formats.parse_sentencepiece(path, content)
    size = len(proto.pieces)
    for name, index in sorted({**known, **new}.items(), key=lambda item: item[1]):
        if index < size:
            continue
        if index != len(proto.pieces):
            raise ConversionError(f"{path}: {name!r} should be {index}, but the next free id is {len(proto.pieces)}")
        proto.pieces.append(formats.control_piece(name))
    proto.trainer_spec.vocab_size = len(proto.pieces)
    if pad is not None:
        proto.trainer_spec.pad_id, proto.trainer_spec.pad_piece = new[pad], pad
    made = proto.SerializeToString()
    before, after = formats.sentencepiece_encoder(content), formats.sentencepiece_encoder(made)
    formats.prove(path, before, after, [*formats.PROBES, *new], "choose other names")
    return made


def _with_declarations(path: Path, new: Mapping[str, int], pad: str | None) -> dict[str, Any]:
    tree = _object(path)
    if path.name == _ADDED:
        return tree | dict(new)
    if pad is not None:
        tree["pad_token"] = pad
    if isinstance(tree.get("added_tokens_decoder"), dict):
        flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        tree["added_tokens_decoder"] |= {str(index): {"content": name, **flags} for name, index in new.items()}
    return tree


def _ids(files: _Files) -> dict[str, int]:
    """Every token of a folder's formats; where both have one, they must agree about its id."""
    ids = _library_ids(files.library) if files.library is not None else {}
    content = b"" if files.model is None else _read(files.model)
    if files.model is not None and tiktoken.is_rank_file(content):
        return ids or tiktoken.build_tokenizer(tiktoken.read_ranks(files.model, content)).get_vocab()
    if files.model is not None:
        pieces = formats.parse_sentencepiece(files.model, content).pieces
        for index, piece in enumerate(pieces):
            if ids.setdefault(piece.piece, index) != index:
                raise ConversionError(
                    f"{files.model}: {piece.piece!r} is {index} there and {ids[piece.piece]} in {LIBRARY}; "
                    f"take away the file that is not this model's"
                )
    return ids


def _library_ids(path: Path) -> dict[str, int]:
    return Tokenizer.from_file(str(path)).get_vocab(with_added_tokens=True)


def _named(vocabulary: Vocabulary) -> tuple[str | None, str | None]:
    """Names of BOS and EOS."""
    bos, eos = (
        None if token is None else vocabulary.spelling(token) for token in (vocabulary.bos_id, vocabulary.eos_id)
    )
    return bos, eos


def _present(folder: Path, names: Sequence[str]) -> list[Path]:
    return [folder / name for name in names if (folder / name).is_file()]


def _is_json(path: Path) -> bool:
    return _read(path).lstrip()[:1] == b"{"


def _object(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(_read(path))
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise ConversionError(f"{path}: is no JSON object; mend it or take it away")
    return tree


def _dump(tree: Mapping[str, Any]) -> bytes:
    return (json.dumps(tree, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConversionError(f"{path}: cannot be read: {error.strerror}") from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ConversionError(f"{path}: cannot be written: {error.strerror}") from None
