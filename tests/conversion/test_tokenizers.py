"""Tokenizers made, copied and enlarged give the ids of the originals: SentencePiece itself, the ranks' own rule."""

from __future__ import annotations

import io
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, models

from conversion import tokenizer_formats as formats
from conversion.tokenizers import (
    add_tokens,
    copy_tokenizer,
    special_ids,
    tokenizer_files,
    write_hf_tokenizer,
    write_meta_tokenizer,
)
from melama_jax.data import samples
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConversionError
from tests.data.corpora import WORDS, train_vocabulary, words, write_tokenizer_json
from tests.data.rank_files import NUM_RANKS, SENTENCES, write_rank_file

STORIES = Path(__file__).parents[3] / "shared" / "weights" / "stories260K-hf"
SPELLED = ["a <s> b", "</s>", "x</s>y <unk>", "<|begin_of_text|>a<|eot_id|>"]
"""Text that spells control tokens: transformers takes it for the tokens unless told otherwise, we never do."""
PLAIN = [text for text in [*formats.PROBES, *SENTENCES] if "<s>" not in text]
TEXTS = [*PLAIN, *SPELLED, formats.PROBES[-3]]


def train(path: Path, **settings: Any) -> Path:
    rng = random.Random(0)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([words(rng, 12) for _ in range(300)]),
        model_writer=model,
        minloglevel=2,
        **settings,
    )
    path.write_bytes(model.getvalue())
    return path


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("originals")
    return {
        "samples": samples.tokenizer_path(),
        "stories": STORIES / "tokenizer.model",
        "unigram": train(folder / "unigram.model", model_type="unigram", vocab_size=315, byte_fallback=True),
        "letters": train(folder / "letters.model", model_type="bpe", vocab_size=120),
        "ranks": write_rank_file(folder / "ranks.model"),
    }


def present(originals: dict[str, Path], name: str) -> Path:
    if not originals[name].is_file():
        pytest.skip("needs ../shared/weights/stories260K-hf beside the repository")
    return originals[name]


@pytest.fixture(params=["samples", "stories", "unigram", "letters", "ranks"])
def original(request: pytest.FixtureRequest, originals: dict[str, Path]) -> Path:
    return present(originals, request.param)


@pytest.fixture(params=["samples", "stories", "unigram", "letters"])
def original_pieces(request: pytest.FixtureRequest, originals: dict[str, Path]) -> Path:
    return present(originals, request.param)


@pytest.fixture(params=["samples", "stories", "ranks"])
def original_of_meta(request: pytest.FixtureRequest, originals: dict[str, Path]) -> Path:
    return present(originals, request.param)


@pytest.fixture(scope="module")
def from_transformers() -> Callable[[Path], Any]:
    """AutoTokenizer as a user calls it, in a folder with a LLaMA config as exported models have."""
    transformers = pytest.importorskip("transformers", reason="compares with transformers where it is installed")

    def load(folder: Path) -> Any:
        (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
        return transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)

    return load


def library_only(source: Path, folder: Path) -> Path:
    """A Hugging Face folder of a tokenizer, without its tokenizer.model."""
    write_hf_tokenizer(source, folder)
    (folder / "tokenizer.model").unlink()
    return folder


def test_made_json_gives_the_ids_of_sentencepiece(original_pieces: Path, tmp_path: Path) -> None:
    processor = sentencepiece.SentencePieceProcessor(model_file=str(original_pieces))
    write_hf_tokenizer(original_pieces, tmp_path)
    made, reader = Tokenizer.from_file(str(tmp_path / "tokenizer.json")), load_vocabulary(tmp_path)
    made.encode_special_tokens = True
    rng = random.Random(0)
    letters = "ab cdeth  \n\t.,0123é診😀▁<>/s"
    noise = ["".join(rng.choices(letters, k=rng.randint(1, 60))) for _ in range(500)]
    for text in [*TEXTS, *noise]:
        expected = processor.encode(text)
        assert made.encode(text).ids == [processor.bos_id(), *expected]
        assert reader.encode(text) == expected
    for ids in map(processor.encode, SENTENCES):
        known = [token for token in ids if token != processor.unk_id()]  # SentencePiece shows others as a sign
        assert reader.decode(known) == processor.decode(known)
    assert (reader.bos_id, reader.eos_id, reader.vocab_size) == (1, 2, processor.vocab_size())


def test_made_json_gives_the_ids_of_the_ranks(originals: dict[str, Path], tmp_path: Path) -> None:
    vocabulary = load_vocabulary(originals["ranks"])
    write_hf_tokenizer(originals["ranks"], tmp_path)
    made = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    made.encode_special_tokens = True
    for text in TEXTS:
        assert made.encode(text).ids == [NUM_RANKS, *vocabulary.encode(text)]


def test_autotokenizer_gives_the_ids_of_the_original(
    original: Path, tmp_path: Path, from_transformers: Callable[[Path], Any]
) -> None:
    vocabulary = load_vocabulary(original)
    write_hf_tokenizer(original, tmp_path, model_max_length=77)
    tokenizer = from_transformers(tmp_path)
    assert len(PLAIN) >= 30
    for text in PLAIN:
        expected = [vocabulary.bos_id, *vocabulary.encode(text)]
        assert tokenizer(text)["input_ids"] == expected
        known = [token for token in expected if token != tokenizer.unk_token_id]
        assert tokenizer.decode(known, skip_special_tokens=True) == vocabulary.decode(known)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (vocabulary.bos_id, vocabulary.eos_id)
    assert (tokenizer.pad_token_id, len(tokenizer)) == (vocabulary.pad_id, vocabulary.vocab_size)
    assert tokenizer.model_max_length == 77


def test_autotokenizer_takes_spelled_tokens_for_tokens_and_we_do_not(
    original: Path, tmp_path: Path, from_transformers: Callable[[Path], Any]
) -> None:
    """The one difference: `split_special_tokens=True` makes transformers encode such text as we and Meta do."""
    vocabulary = load_vocabulary(original)
    write_hf_tokenizer(original, tmp_path)
    tokenizer = from_transformers(tmp_path)
    text = f"a{vocabulary.spelling(vocabulary.eos_id or 0)}b"
    assert vocabulary.eos_id not in vocabulary.encode(text)
    assert vocabulary.eos_id in tokenizer(text)["input_ids"]
    for spelled in [text, *SPELLED]:
        assert tokenizer(spelled, split_special_tokens=True)["input_ids"] == [
            vocabulary.bos_id,
            *vocabulary.encode(spelled),
        ]


def test_files_of_a_json_tokenizer_are_copied_byte_for_byte(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "original").mkdir(parents=True)
    write_tokenizer_json(source)
    for name in ("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.json"):
        (source / name).write_text('{ "odd":   "layout"}')
    (source / "chat_template.jinja").write_text("{{ messages }}")
    write_rank_file(source / "original" / "tokenizer.model")
    (source / "config.json").write_text("{}")
    files = tokenizer_files(source)
    write_hf_tokenizer(source, target)
    assert sorted(path.relative_to(target) for path in target.rglob("*.*")) == sorted(
        path.relative_to(source) for path in files
    )
    assert len(files) == 7
    assert all((target / path.relative_to(source)).read_bytes() == path.read_bytes() for path in files)


def test_a_checkpoint_folder_gives_the_tokenizer_it_was_given(originals: dict[str, Path], tmp_path: Path) -> None:
    checkpoint = tmp_path / "step_10"
    copy_tokenizer(tokenizer_files(originals["samples"]), checkpoint / "tokenizer")
    assert tokenizer_files(checkpoint) == [checkpoint / "tokenizer" / "tokenizer.model"]
    assert (checkpoint / "tokenizer" / "tokenizer.model").read_bytes() == originals["samples"].read_bytes()
    write_meta_tokenizer(checkpoint, tmp_path / "meta")
    assert (tmp_path / "meta" / "tokenizer.model").read_bytes() == originals["samples"].read_bytes()


def test_a_copied_llama_tokenizer_is_said_to_be_rebuilt_by_transformers(
    originals: dict[str, Path], tmp_path: Path, from_transformers: Callable[[Path], Any]
) -> None:
    source = tmp_path / "source"
    write_hf_tokenizer(originals["samples"], source)
    config = json.loads((source / "tokenizer_config.json").read_text())
    (source / "tokenizer_config.json").write_text(json.dumps(config | {"tokenizer_class": "LlamaTokenizer"}))
    notes = write_hf_tokenizer(source, tmp_path / "target")
    assert any("tokenizer_class is LlamaTokenizer" in note for note in notes)
    vocabulary, rebuilt = load_vocabulary(source), from_transformers(tmp_path / "target")
    assert rebuilt("the")["input_ids"] == [1, *vocabulary.encode("the")]
    assert rebuilt(" the")["input_ids"] != [1, *vocabulary.encode(" the")]  # when this fails, the note can go


def test_declarations_of_a_folder_without_json_are_kept(originals: dict[str, Path], tmp_path: Path) -> None:
    """As transformers 4 wrote LLaMA 2: tokenizer.model, what it adds, and a template."""
    source = tmp_path / "source"
    copy_tokenizer([originals["samples"]], source)
    (source / "added_tokens.json").write_text(json.dumps({"<|user|>": 4097, "<pad>": 4096}))
    (source / "special_tokens_map.json").write_text(json.dumps({"pad_token": "<pad>"}))
    settings = {
        "add_bos_token": False,
        "add_eos_token": True,
        "tokenizer_class": "LlamaTokenizer",
        "pad_token": "<pad>",
    }
    (source / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 5}))
    write_hf_tokenizer(source, tmp_path / "target")
    vocabulary = load_vocabulary(tmp_path / "target")
    made = Tokenizer.from_file(str(tmp_path / "target" / "tokenizer.json"))
    assert made.encode("the heart").ids == [*load_vocabulary(None).encode("the heart"), 2]
    assert (vocabulary.pad_id, vocabulary.vocab_size, made.token_to_id("<|user|>")) == (4096, 4098, 4097)
    config = json.loads((tmp_path / "target" / "tokenizer_config.json").read_text())
    assert config == config | settings | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 5}
    assert json.loads((tmp_path / "target" / "special_tokens_map.json").read_text())["pad_token"] == "<pad>"


def test_json_to_meta_and_back_gives_the_same_ids(original_of_meta: Path, tmp_path: Path) -> None:
    hf = library_only(original_of_meta, tmp_path / "hf")
    write_meta_tokenizer(hf, tmp_path / "meta")
    write_hf_tokenizer(tmp_path / "meta", tmp_path / "back")
    folders = (original_of_meta, hf, tmp_path / "meta", tmp_path / "back")
    first, *others = [load_vocabulary(folder) for folder in folders]
    for other in others:
        assert other.encode_batch(TEXTS) == first.encode_batch(TEXTS)
        assert (other.bos_id, other.eos_id, other.vocab_size) == (first.bos_id, first.eos_id, first.vocab_size)


def test_made_ranks_are_the_original_file(originals: dict[str, Path], tmp_path: Path) -> None:
    hf = library_only(originals["ranks"], tmp_path / "hf")
    write_meta_tokenizer(hf, tmp_path / "meta")
    assert (tmp_path / "meta" / "tokenizer.model").read_bytes() == originals["ranks"].read_bytes()


def test_metas_own_file_beside_json_is_copied(originals: dict[str, Path], tmp_path: Path) -> None:
    hf = library_only(originals["ranks"], tmp_path / "hf")
    (hf / "original").mkdir()
    own = b"\n" + originals["ranks"].read_bytes()  # other bytes than would be made
    (hf / "original" / "tokenizer.model").write_bytes(own.lstrip() + b"\n")
    notes = write_meta_tokenizer(hf, tmp_path / "meta")
    assert (tmp_path / "meta" / "tokenizer.model").read_bytes() == own.lstrip() + b"\n"
    assert len(notes) == 1


def test_meta_is_told_of_tokens_it_will_not_know(originals: dict[str, Path], tmp_path: Path) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path / "hf")
    add_tokens(tmp_path / "hf", ["<pad>"])
    copy_tokenizer([originals["samples"]], tmp_path / "hf" / "original")
    (tmp_path / "hf" / "tokenizer.model").unlink()
    notes = write_meta_tokenizer(tmp_path / "hf", tmp_path / "meta")
    assert any("<pad> (4096)" in note for note in notes)


def test_added_tokens_get_the_next_ids_in_every_format(
    original_pieces: Path, tmp_path: Path, from_transformers: Callable[[Path], Any]
) -> None:
    before = load_vocabulary(original_pieces)
    write_hf_tokenizer(original_pieces, tmp_path)
    assert add_tokens(tmp_path, ["<|user|>", "<pad>"]) == [before.vocab_size, before.vocab_size + 1]
    texts = [*TEXTS, "a <|user|> b <pad>"]
    for path in (tmp_path / "tokenizer.model", tmp_path / "tokenizer.json"):
        vocabulary = load_vocabulary(path)
        assert vocabulary.encode_batch(texts) == before.encode_batch(texts)
        assert (vocabulary.vocab_size, vocabulary.pad_id) == (before.vocab_size + 2, before.vocab_size + 1)
        assert vocabulary.spelling(before.vocab_size) == "<|user|>"
    tokenizer = from_transformers(tmp_path)
    assert (tokenizer.pad_token, tokenizer.pad_token_id) == ("<pad>", before.vocab_size + 1)
    assert tokenizer("<|user|>a")["input_ids"] == [1, before.vocab_size, *before.encode("a")]
    assert tokenizer.decode(tokenizer("<|user|>a")["input_ids"], skip_special_tokens=True) == "a"


def test_a_second_padding_token_is_no_padding(originals: dict[str, Path], tmp_path: Path) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path)
    add_tokens(tmp_path, ["[PAD]"])
    assert load_vocabulary(tmp_path).pad_id == 4096
    assert add_tokens(tmp_path, ["<|pad|>"]) == [4097]
    assert load_vocabulary(tmp_path).pad_id == load_vocabulary(tmp_path / "tokenizer.model").pad_id == 4096


def test_tokens_that_json_alone_has_are_brought_into_the_model(originals: dict[str, Path], tmp_path: Path) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path)
    add_tokens(tmp_path, ["<pad>"])
    copy_tokenizer([originals["samples"]], tmp_path / "aside")
    (tmp_path / "aside" / "tokenizer.model").replace(tmp_path / "tokenizer.model")
    assert add_tokens(tmp_path, ["<|user|>"]) == [4097]
    vocabulary = load_vocabulary(tmp_path / "tokenizer.model")
    assert [vocabulary.spelling(token) for token in (4096, 4097)] == ["<pad>", "<|user|>"]


def test_added_tokens_are_declared_where_tokens_are_declared(originals: dict[str, Path], tmp_path: Path) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config | {"added_tokens_decoder": {}}))
    (tmp_path / "added_tokens.json").write_text("{}")
    add_tokens(tmp_path, ["<pad>"])
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["pad_token"] == json.loads((tmp_path / "special_tokens_map.json").read_text())["pad_token"] == "<pad>"
    assert config["added_tokens_decoder"]["4096"]["content"] == "<pad>"
    assert json.loads((tmp_path / "added_tokens.json").read_text()) == {"<pad>": 4096}


def test_tokens_for_a_rank_file_go_into_json(
    originals: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = load_vocabulary(originals["ranks"])
    copy_tokenizer([originals["ranks"]], tmp_path)
    assert add_tokens(tmp_path, ["<|note|>"]) == [before.vocab_size]
    assert not (tmp_path / "tokenizer.model").exists()
    assert (tmp_path / "original" / "tokenizer.model").read_bytes() == originals["ranks"].read_bytes()
    after = load_vocabulary(tmp_path)
    assert (after.path.name, after.vocab_size, after.pad_id) == ("tokenizer.json", before.vocab_size + 1, before.pad_id)
    assert after.encode_batch(TEXTS) == before.encode_batch(TEXTS)
    assert "take no further tokens" in caplog.text


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["<x>", "</s>"], "'</s>' is there already"),
        (["▁the"], "'▁the' is there already"),
        (["<x>", "<x>"], "'<x>' is given twice"),
        ([""], "'' is empty"),
    ],
)
def test_a_token_that_cannot_be_added_is_named_and_nothing_changes(
    originals: dict[str, Path], tmp_path: Path, tokens: list[str], message: str
) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ConversionError, match=message):
        add_tokens(tmp_path, tokens)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_rank_file_stays_where_no_token_can_be_added(originals: dict[str, Path], tmp_path: Path) -> None:
    copy_tokenizer([originals["ranks"]], tmp_path)
    with pytest.raises(ConversionError, match=r"'<\|eot_id\|>' is there already"):
        add_tokens(tmp_path, ["<|eot_id|>"])
    assert [path.name for path in tmp_path.iterdir()] == ["tokenizer.model"]


def test_formats_that_disagree_are_not_enlarged(originals: dict[str, Path], tmp_path: Path) -> None:
    write_hf_tokenizer(originals["samples"], tmp_path)
    train_vocabulary(tmp_path / "tokenizer.model")
    with pytest.raises(ConversionError, match=r"tokenizer\.model: .* there and .* in tokenizer\.json"):
        add_tokens(tmp_path, ["<x>"])


def test_special_ids_take_several_ends_from_generation_config(originals: dict[str, Path], tmp_path: Path) -> None:
    copy_tokenizer([originals["ranks"]], tmp_path)
    start = {"bos_token_id": NUM_RANKS, "pad_token_id": NUM_RANKS + 4}
    assert special_ids(tmp_path) == start | {"eos_token_id": NUM_RANKS + 1}
    ends = [NUM_RANKS + 1, NUM_RANKS + 9]
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    assert special_ids(tmp_path) == start | {"eos_token_id": ends}


def test_special_ids_of_a_tokenizer_without_padding(originals: dict[str, Path], tmp_path: Path) -> None:
    copy_tokenizer([originals["samples"]], tmp_path)
    assert special_ids(tmp_path) == {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": None}


def change(source: Path, target: Path, edit: Callable[[Any], None]) -> Path:
    """A SentencePiece model that was tampered with."""
    proto: Any = sentencepiece_model_pb2.ModelProto()  # pyright: ignore[reportAttributeAccessIssue]
    proto.ParseFromString(source.read_bytes())
    edit(proto)
    target.write_bytes(proto.SerializeToString())
    return target


@pytest.mark.parametrize("lengths", [(2, 3), (2, 3, 5), (2, 4, 8, 3, 5, 6, 7)])
def test_pieces_of_equal_score_grow_from_the_left(
    originals: dict[str, Path], tmp_path: Path, lengths: tuple[int, ...]
) -> None:
    """As the runs of spaces of LLaMA's models, which share one score."""

    def add_runs(proto: Any) -> None:
        for length in lengths:
            proto.pieces.add(piece="▁" * length, score=-1e9, type=1)

    source = change(originals["samples"], tmp_path / "tokenizer.model", add_runs)
    write_hf_tokenizer(source, tmp_path / "hf")
    processor, reader = load_vocabulary(source), load_vocabulary(tmp_path / "hf")
    texts = [" " * count + end for count in range(40) for end in ("", "the", "\n")]
    assert processor.encode_batch(texts) == reader.encode_batch(texts)
    longest = max(lengths)
    assert len(processor.encode(" " * (2 * longest - 1))) == 2


def test_a_model_that_json_cannot_express_is_found_by_the_probes(originals: dict[str, Path], tmp_path: Path) -> None:
    """SentencePiece joins letters that are no pieces themselves, the library does not."""

    def rename(proto: Any) -> None:
        next(piece for piece in proto.pieces if piece.piece == "h").piece = "ĦĦĦ"

    source = change(originals["samples"], tmp_path / "tokenizer.model", rename)
    with pytest.raises(ConversionError, match=r"tokenizer\.model: .* probe \d+ .*; put the tokenizer\.json"):
        write_hf_tokenizer(source, tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_user_defined_pieces_are_refused(originals: dict[str, Path], tmp_path: Path) -> None:
    def declare(proto: Any) -> None:
        proto.pieces[-1].type = 4

    source = change(originals["samples"], tmp_path / "tokenizer.model", declare)
    with pytest.raises(ConversionError, match="user-defined or unused pieces"):
        write_hf_tokenizer(source, tmp_path / "target")


def test_a_json_that_meta_cannot_express_asks_for_tokenizer_model(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(dict.fromkeys(WORDS))}, "the"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ConversionError, match=r"a WordLevel model .*; put the tokenizer\.model"):
        write_meta_tokenizer(tmp_path, tmp_path / "meta")


def test_other_byte_level_rules_are_not_taken_for_llama3(tmp_path: Path) -> None:
    write_tokenizer_json(tmp_path)  # GPT-2's way to cut text
    with pytest.raises(ConversionError, match=r"tokenizer\.json: .* probe \d+ "):
        write_meta_tokenizer(tmp_path, tmp_path / "meta")
    assert not (tmp_path / "meta").exists()


def test_a_bos_that_metas_loader_would_not_find_is_refused(originals: dict[str, Path], tmp_path: Path) -> None:
    hf = library_only(originals["ranks"], tmp_path / "hf")
    config = json.loads((hf / "tokenizer_config.json").read_text())
    (hf / "tokenizer_config.json").write_text(json.dumps(config | {"bos_token": "<|eot_id|>"}))
    with pytest.raises(ConversionError, match=f"BOS is {NUM_RANKS + 9}, Meta's loader would take {NUM_RANKS}"):
        write_meta_tokenizer(hf, tmp_path / "meta")


@pytest.mark.parametrize("use", [write_hf_tokenizer, write_meta_tokenizer])
def test_a_folder_without_a_tokenizer_is_refused_by_path(tmp_path: Path, use: Callable[..., Any]) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConversionError, match=r"empty: neither tokenizer\.json nor tokenizer\.model there"):
        use(tmp_path / "empty", tmp_path / "target")
    with pytest.raises(ConversionError, match="missing: is not there"):
        use(tmp_path / "missing", tmp_path / "target")


def test_importing_needs_neither_torch_nor_transformers_nor_tensorflow() -> None:
    program = (
        "import sys, conversion.tokenizers\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'torch', 'transformers'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
