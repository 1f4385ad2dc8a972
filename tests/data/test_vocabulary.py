from __future__ import annotations

import hashlib
import json
import pickle
import random
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
import tokenizers
from tokenizers import AddedToken, models, pre_tokenizers

from melama_jax.data import tiktoken
from melama_jax.data.vocabulary import find_tokenizer, load_vocabulary
from melama_jax.errors import DataError
from tests.data.corpora import write_tokenizer_json
from tests.data.rank_files import NUM_RANKS, SENTENCES, rank_lines, ranked, write_rank_file


def test_sentencepiece_round_trip(vocabulary_path: Path) -> None:
    vocabulary = load_vocabulary(str(vocabulary_path))
    text = "the patient was seen é 診 \x00 end"
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert (vocabulary.bos_id, vocabulary.eos_id, vocabulary.pad_id) == (1, 2, None)
    assert vocabulary.sha256 == hashlib.sha256(vocabulary_path.read_bytes()).hexdigest()
    assert vocabulary.path == vocabulary_path


def test_hugging_face_encodes_whole_text_without_bos(tmp_path: Path) -> None:
    vocabulary = load_vocabulary(write_tokenizer_json(tmp_path))
    text = "the other patients were the same"
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids[0] == 257
    assert (vocabulary.vocab_size, vocabulary.bos_id, vocabulary.eos_id) == (261, 258, 259)


@pytest.mark.parametrize("names", [("<|begin_of_text|>", "<|end_of_text|>"), ("<s>", "</s>")])
def test_hugging_face_text_that_spells_a_control_token_stays_text(tmp_path: Path, names: tuple[str, str]) -> None:
    vocabulary = load_vocabulary(write_tokenizer_json(tmp_path, bos=names[0], eos=names[1]))
    text = f"note {names[0]} and {names[1]} and <|eot_id|> end"
    for ids in (
        vocabulary.encode(text),
        vocabulary.encode_batch([text])[0],
        pickle.loads(pickle.dumps(vocabulary)).encode(text),
    ):
        assert max(ids) <= 257
        assert vocabulary.decode(ids) == text


def test_sentencepiece_text_that_spells_a_control_token_stays_text(vocabulary_path: Path) -> None:
    vocabulary = load_vocabulary(vocabulary_path)
    text = "note <s> and </s> and <unk> and <0x0A> end"
    ids = vocabulary.encode(text)
    assert not {0, 1, 2} & set(ids)
    assert vocabulary.decode(ids) == text


def test_tokenizer_config_beside_the_file_decides_eos(tmp_path: Path) -> None:
    path = write_tokenizer_json(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": {"content": "<|eot_id|>"}}))
    vocabulary = load_vocabulary(path)
    assert (vocabulary.bos_id, vocabulary.eos_id) == (258, 260)


def test_encode_batch_equals_encode(tmp_path: Path, vocabulary_path: Path) -> None:
    texts = ["", "the", "the heart rate", "x" * 300]
    for vocabulary in (load_vocabulary(vocabulary_path), load_vocabulary(write_tokenizer_json(tmp_path))):
        assert vocabulary.encode_batch(texts) == [vocabulary.encode(text) for text in texts]


@pytest.mark.parametrize("content", [b"", b"not a tokenizer", b"{}", b'{"version": "1.0"}', b"{" * 9000])
def test_a_file_of_neither_format_is_refused_by_path(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"tokenizer\.bin.*tokenizer\.model or.*tokenizer\.json"):
        load_vocabulary(path)


@pytest.mark.parametrize("name", ["missing.model", "."])
def test_a_missing_file_or_a_folder_is_refused_by_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"data\.vocabulary: .*give a SentencePiece"):
        load_vocabulary(tmp_path / name)


def test_a_vocabulary_that_takes_text_for_eos_is_refused(tmp_path: Path) -> None:
    tokenizer = tokenizers.Tokenizer(models.WordLevel(vocab={"</s>": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.add_special_tokens([AddedToken("</s>", special=True)])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(DataError, match="ordinary text that spells the EOS token"):
        load_vocabulary(tmp_path / "tokenizer.json")


@pytest.fixture(scope="module")
def rank_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rank_file(tmp_path_factory.mktemp("llama3") / "tokenizer.model")


def joined_by_rank(word: bytes, ranks: dict[bytes, int]) -> list[int]:
    """The rule itself: a ranked word is one token, else join the leftmost pair of lowest rank until none is left."""
    parts = [word] if word in ranks else [bytes([byte]) for byte in word]
    while True:
        pairs = [(ranks.get(left + right, len(ranks)), at) for at, (left, right) in enumerate(pairwise(parts))]
        if not pairs or min(pairs)[0] == len(ranks):
            return [ranks[part] for part in parts]
        at = min(pairs)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def test_ranks_give_the_ids_of_the_rule(rank_file: Path) -> None:
    vocabulary = load_vocabulary(rank_file)
    ranks = {token: rank for rank, token in enumerate(ranked())}
    cut = pre_tokenizers.Split(tokenizers.Regex(tiktoken.SPLIT_PATTERN), behavior="isolated")
    rng = random.Random(0)
    texts = ["".join(rng.choices("aehtgiv  n\n.5é診🩺", k=rng.randint(0, 40))) for _ in range(300)]
    for text in [*SENTENCES, *texts, "the " * 40, " " * 90, "aaaa" * 20]:
        words = [word for word, _ in cut.pre_tokenize_str(text)]
        expected = [token for word in words for token in joined_by_rank(word.encode(), ranks)]
        assert vocabulary.encode(text) == expected
        assert vocabulary.decode(expected) == text


@pytest.mark.parametrize("seed", range(20))
def test_any_cut_of_a_ranked_sequence_may_be_joined(seed: int) -> None:
    """Ranks that no training gives: many ways to join the same letters."""
    rng = random.Random(seed)
    tokens = [bytes([byte]) for byte in range(256)]
    while len(tokens) < 270:
        both = rng.choice([b"a", b"b", *tokens[256:]]) + rng.choice([b"a", b"b", *tokens[256:]])
        if both not in tokens:
            tokens.append(both)
    tokenizer = tiktoken.build_tokenizer(tokens)
    ranks = {token: rank for rank, token in enumerate(tokens)}
    for _ in range(50):
        text = "".join(rng.choices("aab", k=rng.randint(1, 30)))
        assert tokenizer.encode(text, add_special_tokens=False).ids == joined_by_rank(text.encode(), ranks)


def test_text_is_cut_as_llama3_cuts_it() -> None:
    cut = pre_tokenizers.Split(tokenizers.Regex(tiktoken.SPLIT_PATTERN), behavior="isolated")
    words = [word for word, _ in cut.pre_tokenize_str("He'LL take 12345 mg/dL...\n\n  2% (ok)  \tend ")]
    assert words == [
        *("He", "'LL", " take", " ", "123", "45", " mg", "/dL", "...\n\n", " ", " ", "2", "%", " (", "ok", ")"),
        *("  ", "\tend", " "),
    ]


def test_llama3_special_tokens_follow_the_ranks(rank_file: Path) -> None:
    vocabulary = load_vocabulary(rank_file)
    assert (vocabulary.bos_id, vocabulary.eos_id, vocabulary.pad_id) == (NUM_RANKS, NUM_RANKS + 1, NUM_RANKS + 4)
    assert vocabulary.vocab_size == NUM_RANKS + 256
    names = tiktoken.special_tokens()
    assert len(set(names)) == 256
    published = {0: "begin_of_text", 1: "end_of_text", 2: "reserved_special_token_0", 3: "reserved_special_token_1"}
    published |= {4: "finetune_right_pad_id", 5: "reserved_special_token_2", 6: "start_header_id", 7: "end_header_id"}
    published |= {8: "eom_id", 9: "eot_id", 10: "python_tag", 11: "reserved_special_token_3"}
    published |= {255: "reserved_special_token_247"}
    assert {place: names[place] for place in published} == {place: f"<|{name}|>" for place, name in published.items()}


def test_llama3_text_that_spells_a_control_token_stays_text(rank_file: Path) -> None:
    vocabulary = pickle.loads(pickle.dumps(load_vocabulary(rank_file)))
    text = " ".join(tiktoken.special_tokens())
    assert max(vocabulary.encode(text)) < NUM_RANKS
    assert vocabulary.decode([NUM_RANKS, *vocabulary.encode(text), NUM_RANKS + 9]) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rank_lines(ranked(300)) + b"YQ==\n", "line 301 is not"),
        (b"!" + rank_lines(ranked(300)), "no tokenizer that can be read"),
        (rank_lines(ranked(300)) + b"abcde 300\n", "line 301 holds no base64"),
        (rank_lines(ranked(300)) + b"YWFhYWFhYWE= 301\n", "301 ranks are not 0 to 300"),
        (rank_lines(ranked(300)[1:]), "byte 0x[0-9A-F]{2} has no rank"),
    ],
    ids=["line", "start", "base64", "gap", "byte"],
)
def test_a_damaged_rank_file_is_refused_by_path(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tokenizer.model"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"tokenizer\.model.*{message}"):
        load_vocabulary(path)


@pytest.mark.parametrize("place", [".", "tokenizer"])
@pytest.mark.parametrize(
    ("names", "taken"),
    [
        (["tokenizer.model"], "tokenizer.model"),
        (["tokenizer.json"], "tokenizer.json"),
        (["tokenizer.model", "tokenizer.json"], "tokenizer.model"),
        (["tokenizer.model", "tokenizer.json", "tokenizer_config.json"], "tokenizer.json"),
        (["tokenizer.model", "tokenizer_config.json"], "tokenizer.model"),
    ],
)
def test_a_folder_is_read_by_its_tokenizer(
    tmp_path: Path, rank_file: Path, place: str, names: list, taken: str
) -> None:
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    for name in names:
        {
            "tokenizer.model": lambda: shutil.copy(rank_file, folder),
            "tokenizer.json": lambda: write_tokenizer_json(folder),
            "tokenizer_config.json": lambda: (folder / "tokenizer_config.json").write_text("{}"),
        }[name]()
    assert find_tokenizer(tmp_path) == folder / taken
    vocabulary = load_vocabulary(tmp_path)
    assert vocabulary.path == folder / taken
    assert vocabulary.encode_batch(["the"]) == load_vocabulary(folder / taken).encode_batch(["the"])


def test_a_folder_without_a_tokenizer_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer_config.json").write_text("{}")
    assert find_tokenizer(tmp_path) is None
    with pytest.raises(DataError, match=r"its tokenizer/ hold neither tokenizer\.json nor tokenizer\.model"):
        load_vocabulary(tmp_path)
