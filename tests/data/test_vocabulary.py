from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import tokenizers
from tokenizers import AddedToken, models

from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import DataError
from tests.data.corpora import write_tokenizer_json


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
