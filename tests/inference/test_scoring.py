"""The likelihood of continuations: as by a plain forward pass over each text, however texts share rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import DataError
from melama_jax.inference import scoring
from melama_jax.inference.engine import Engine
from melama_jax.inference.scoring import Score
from tests.inference.small import PADDED, log_probs, random_params, texts

MAX_LENGTH = 80


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    return random_params(PADDED)


@pytest.fixture(scope="module")
def engine(params: dict[str, Any], vocabulary: Vocabulary) -> Engine:
    return Engine(PADDED, params, vocabulary, max_length=MAX_LENGTH)


def naive(params: dict[str, Any], context: list[int], tokens: list[int]) -> Score:
    """One text by itself; only the last MAX_LENGTH + 1 tokens count."""
    dropped = max(0, len(context) + len(tokens) - MAX_LENGTH - 1)
    context = context[dropped:]
    found = log_probs(PADDED, params, [*context, *tokens])[len(context) - 1 : -1]
    value = float(found[np.arange(len(tokens)), tokens].sum())
    return Score(value, found.argmax(-1).tolist() == list(tokens), len(tokens), dropped)


def assert_same(found: list[Score], expected: list[Score]) -> None:
    for got, wanted in zip(found, expected, strict=True):
        assert got == Score(got.log_likelihood, wanted.is_greedy, wanted.num_tokens, wanted.dropped_tokens)
        assert got.log_likelihood == pytest.approx(wanted.log_likelihood, rel=1e-5, abs=1e-5)


def test_scores_of_many_lengths_are_those_of_each_text_alone(engine: Engine, params: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    whole = texts(*rng.integers(2, MAX_LENGTH + 2, 24).tolist())
    cuts = [int(rng.integers(1, len(text))) for text in whole]
    pairs = [(text[:cut], text[cut:]) for text, cut in zip(whole, cuts, strict=True)]
    done: dict[int, Score] = {}
    found = engine.score(pairs, on_complete=done.__setitem__)
    assert_same(found, [naive(params, *pair) for pair in pairs])
    assert [done[number] for number in range(len(pairs))] == found


def test_continuations_of_one_context_do_not_see_each_other(engine: Engine, params: dict[str, Any]) -> None:
    first, second, *options = texts(40, 40, 6, 1, 12, 6, 2, seed=3)
    options.append([*options[0][:3], *options[1]])  # begins as another one does
    pairs = [(context, option) for option in options for context in (first, second, first[:-1])]
    pairs.append(pairs[0])  # the same pair twice
    expected = [naive(params, *pair) for pair in pairs]
    assert_same(engine.score(pairs), expected)
    assert_same([engine.score([pair])[0] for pair in pairs[:4]], expected[:4])
    assert_same(engine.score(pairs[::-1]), expected[::-1])


def test_more_continuations_than_a_row_holds(engine: Engine, params: dict[str, Any]) -> None:
    context, *options = texts(50, *[9] * 40, seed=4)
    pairs = [(context, option) for option in options]
    assert_same(engine.score(pairs), [naive(params, *pair) for pair in pairs])


def test_a_context_that_is_too_long_loses_its_left(engine: Engine, params: dict[str, Any]) -> None:
    text = texts(150)[0]
    pairs = [(text[:140], text[140:]), (text[:71], text[140:]), (text[:72], text[140:]), (text[:70], text[70:150])]
    found = engine.score(pairs)
    assert [score.dropped_tokens for score in found] == [69, 0, 1, 69]
    assert_same(found, [naive(params, *pair) for pair in pairs])


def test_the_most_likely_continuation_is_greedy_and_another_is_not(engine: Engine, params: dict[str, Any]) -> None:
    context = texts(30, seed=5)[0]
    tokens: list[int] = []
    for _ in range(4):
        tokens.append(int(log_probs(PADDED, params, [*context, *tokens])[-1].argmax()))
    wrong_end, wrong_start = [*tokens[:-1], (tokens[-1] + 1) % 320], [(tokens[0] + 1) % 320, *tokens[1:]]
    found = engine.score([(context, option) for option in (tokens, wrong_end, wrong_start, tokens[:1])])
    assert [score.is_greedy for score in found] == [True, False, False, True]


def test_an_empty_context_is_bos_and_an_empty_continuation_is_certain(engine: Engine, params: dict[str, Any]) -> None:
    text = texts(20)[0]
    done: list[int] = []
    found = engine.score(
        [([], text), ([1], text), ([], []), (text, [])], on_complete=lambda number, score: done.append(number)
    )
    assert found[0].log_likelihood == pytest.approx(found[1].log_likelihood, rel=1e-5)
    assert_same(found[:2], [naive(params, [1], text)] * 2)
    assert found[2:] == [Score(0.0, True, 0, 0)] * 2
    assert sorted(done) == [0, 1, 2, 3]
    assert engine.score([]) == []


def test_a_continuation_longer_than_max_length_is_refused(engine: Engine) -> None:
    text = texts(MAX_LENGTH + 1)[0]
    with pytest.raises(DataError, match=r"^pair 1: a continuation of 81 tokens; max_length is 80$"):
        engine.score([([1], [2]), ([1], text)])
    assert engine.score([([1], text[1:])])[0].num_tokens == MAX_LENGTH


@pytest.mark.parametrize("length", [1, MAX_LENGTH, MAX_LENGTH + 1, 2 * MAX_LENGTH, 2 * MAX_LENGTH + 25])
def test_windows_score_every_token_once_after_what_came_before(length: int) -> None:
    text = list(range(100, 100 + length))
    windows = list(scoring.rolling_windows(text, 7, MAX_LENGTH))
    assert [token for _, scored in windows for token in scored] == text
    (first, scored), *others = windows
    assert (first, scored) == ([7], text[:MAX_LENGTH])
    for context, scored in others:
        assert len(context) + len(scored) == MAX_LENGTH + 1
        assert [*context, *scored] == list(range(scored[-1] - MAX_LENGTH, scored[-1] + 1))


def test_whole_texts_are_scored_in_windows(engine: Engine, params: dict[str, Any]) -> None:
    whole = [text[1:] for text in texts(2, 40, MAX_LENGTH + 1, MAX_LENGTH + 2, 200, 171)]
    whole.insert(2, [])
    expected = []
    for text in whole:
        parts = [naive(params, list(c), list(t)) for c, t in scoring.rolling_windows(text, 1, MAX_LENGTH)]
        expected.append(Score(sum(part.log_likelihood for part in parts), not text, len(text), 0))
    done: dict[int, Score] = {}
    found = engine.score_rolling(whole, on_complete=done.__setitem__)
    assert_same(found, expected)
    assert [done[number] for number in range(len(whole))] == found
    assert engine.score_rolling([]) == []
    assert engine.score_rolling([[]]) == [Score(0.0, True, 0, 0)]


def test_few_programs_are_compiled_over_many_lengths(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    engine = Engine(PADDED, params, vocabulary, max_length=MAX_LENGTH)
    whole = texts(*range(2, MAX_LENGTH))
    engine.score([(text[: 1 + len(text) // 2], text[1 + len(text) // 2 :]) for text in whole])
    engine.score([(text[:-1], text[-1:]) for text in whole])
    engine.score([(text[:1], text[1:]) for text in whole[:9]])
    # Rows of one length in batches of 1, 2, 4 and 8, each with a few numbers of logits.
    assert engine.compilations <= 4 + 4 * 7


@pytest.mark.parametrize(
    ("length", "expected"), [(1, 32), (32, 32), (33, 48), (49, 64), (65, 96), (97, 100), (100, 100)], ids=str
)
def test_lengths_come_in_few_sizes(length: int, expected: int) -> None:
    assert scoring.bucket(length, 32, 100) == expected
