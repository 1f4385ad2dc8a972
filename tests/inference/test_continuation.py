"""Where a request's text ends, and which of its text is shown when."""

from __future__ import annotations

from pathlib import Path

import pytest

from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.inference.continuation import Completion, Continuation
from melama_jax.inference.sampling import SamplingOptions
from tests.data.corpora import write_tokenizer_json

TEXT = "aspirin für 3 € täglich 💊 and fluids"


@pytest.fixture(params=["sentencepiece", "byte-level"])
def tokenizer(request: pytest.FixtureRequest, vocabulary: Vocabulary, tmp_path: Path) -> Vocabulary:
    """Both write a character that they have no token for as its bytes, a token each."""
    return vocabulary if request.param == "sentencepiece" else load_vocabulary(write_tokenizer_json(tmp_path))


def told(
    vocabulary: Vocabulary, tokens: list[int], step: int, **options: object
) -> tuple[Completion, list[str], Continuation]:
    """A continuation that gets `step` tokens at a time until it ends, with the pieces of text it showed."""
    found = Continuation(vocabulary, SamplingOptions(**options), [2])  # pyright: ignore[reportArgumentType]
    pieces = []
    for start in range(0, len(tokens), step):
        part = tokens[start : start + step]
        found.take(part, [-float(start + i) for i in range(len(part))])
        pieces.append(found.news())
        if found.finish:
            break
    return found.completion(0), pieces, found


@pytest.mark.parametrize("step", [1, 3, 64])
def test_pieces_join_to_the_text_and_never_hold_half_a_character(tokenizer: Vocabulary, step: int) -> None:
    tokens = tokenizer.encode(TEXT)
    completion, pieces, _ = told(tokenizer, tokens, step, max_new_tokens=len(tokens))
    assert completion.text == "".join(pieces) == TEXT
    assert completion.finish == "length"
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)
    if step == 1:
        assert len([piece for piece in pieces if piece]) > len(TEXT.split())  # it was shown as it came


def test_a_character_that_stays_incomplete_is_shown_at_the_end(tokenizer: Vocabulary) -> None:
    tokens = tokenizer.encode("x €")[:-1]
    completion, pieces, _ = told(tokenizer, tokens, 1, max_new_tokens=len(tokens))
    assert "".join(pieces) == completion.text == tokenizer.decode(tokens)
    assert completion.text.startswith("x \N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("step", [1, 2, 64])
@pytest.mark.parametrize(
    "stops", [("3 €",), ("€ t", "nowhere"), ("💊",), ("fluids", " and"), ("glich", "täglich")], ids=str
)
def test_text_is_cut_before_the_first_stop_string(tokenizer: Vocabulary, stops: tuple[str, ...], step: int) -> None:
    """Across borders of tokens, and of the tokens of one character."""
    tokens = tokenizer.encode(TEXT)
    completion, pieces, found = told(tokenizer, tokens, step, stop_strings=stops)
    expected = min((TEXT.split(stop)[0] for stop in stops), key=len)
    assert (completion.text, "".join(pieces), completion.finish) == (expected, expected, "stop")
    assert found.finish == "stop"
    # The tokens end with the one that completed the stop string.
    assert completion.tokens == tokens[: len(completion.tokens)]
    assert any(stop in tokenizer.decode(completion.tokens) for stop in stops)
    assert not any(stop in tokenizer.decode(completion.tokens[:-1]) for stop in stops)
    assert len(completion.log_probs) == len(completion.tokens)


def test_what_may_become_a_stop_string_is_held_back_until_it_does_not(tokenizer: Vocabulary) -> None:
    stop, text = "fluids now", "take fluids at night"
    found = Continuation(tokenizer, SamplingOptions(stop_strings=(stop,)), [])
    shown = ""
    for token in tokenizer.encode(text):
        found.take([token], [0.0])
        shown += found.news()
        assert not any(shown.endswith(stop[:length]) for length in range(1, len(stop)))
    assert (shown, found.finish) == (text, None)


def test_a_stop_token_ends_the_text_and_is_not_of_it(tokenizer: Vocabulary) -> None:
    tokens = [*tokenizer.encode("chest pain"), 2, *tokenizer.encode("never")]
    completion, _, _ = told(tokenizer, tokens, 64)
    assert completion.tokens == tokenizer.encode("chest pain")
    assert (completion.text, completion.finish) == ("chest pain", "stop")


def test_the_limit_ends_the_text_and_a_stop_string_in_its_last_token_still_counts(tokenizer: Vocabulary) -> None:
    tokens = tokenizer.encode("chest pain and more")
    completion, _, _ = told(tokenizer, tokens, 64, max_new_tokens=3)
    assert (completion.tokens, completion.finish) == (tokens[:3], "length")
    assert completion.log_probs == [0.0, -1.0, -2.0]
    *before, last = tokenizer.decode(tokens[:3])
    assert last not in before
    completion, _, _ = told(tokenizer, tokens, 64, max_new_tokens=3, stop_strings=(last,))
    assert (completion.text, completion.finish) == ("".join(before), "stop")


def test_nothing_to_draw_is_an_empty_text() -> None:
    assert Continuation(None, SamplingOptions(max_new_tokens=0), []).finish == "length"  # pyright: ignore[reportArgumentType]
