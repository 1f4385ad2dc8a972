"""Requests through slots: the same tokens as without a cache, whatever else is in the batch."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.inference.engine import Completion, Engine, Request, SamplingOptions
from tests.inference.small import PADDED, assert_greedy, log_probs, random_params, texts

MAX_LENGTH = 64
PROMPTS = texts(3, 40, 31, 1, 38, 12, 33, 5, 20)
"""More of them than slots, of lengths that take two prefill programs."""
GREEDY = SamplingOptions(max_new_tokens=24)


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    return random_params(PADDED)


@pytest.fixture(scope="module")
def engine(params: dict[str, Any], vocabulary: Vocabulary) -> Engine:
    return Engine(PADDED, params, vocabulary, max_length=MAX_LENGTH, batch_size=4)


@pytest.fixture(scope="module")
def completions(engine: Engine) -> list[Completion]:
    """The prompts' greedy continuations, all at once."""
    return engine.generate([Request(prompt, GREEDY) for prompt in PROMPTS])


def test_greedy_tokens_and_log_probabilities_are_those_of_whole_rows(
    params: dict[str, Any], vocabulary: Vocabulary, completions: list[Completion]
) -> None:
    for prompt, completion in zip(PROMPTS, completions, strict=True):
        assert completion.finish == "stop" or len(completion.tokens) == GREEDY.max_new_tokens
        assert completion.text == vocabulary.decode(completion.tokens)
        assert_greedy(PADDED, params, prompt, completion)
    assert len({token for completion in completions for token in completion.tokens}) > 50  # no model of one token


def test_a_request_alone_is_continued_as_in_a_batch(engine: Engine, completions: list[Completion]) -> None:
    for number in (0, 2, 5):
        (alone,) = engine.generate([Request(PROMPTS[number], GREEDY)])
        assert alone.tokens == completions[number].tokens
        np.testing.assert_allclose(alone.log_probs, completions[number].log_probs, atol=1e-4)


def test_requests_of_every_length_share_a_batch(engine: Engine, params: dict[str, Any]) -> None:
    """Some end at once, some long after others entered their slots."""
    counts = [1, 30, 2, 17, 0, 33, 16, 5, 60]
    done: list[int] = []
    requests = [
        Request(prompt[: MAX_LENGTH - n], SamplingOptions(max_new_tokens=n))
        for prompt, n in zip(PROMPTS, counts, strict=True)
    ]
    found = engine.generate(requests, on_complete=lambda number, completion: done.append(number))
    assert sorted(done) == list(range(len(requests)))
    assert done != sorted(done)
    for request, completion, count in zip(requests, found, counts, strict=True):
        assert completion.finish == "stop" or len(completion.tokens) == count
        assert_greedy(PADDED, params, request.prompt, completion)


def sampled(seed: int, **options: Any) -> SamplingOptions:
    return SamplingOptions(max_new_tokens=20, temperature=1.0, seed=seed, **options)


def test_draws_depend_on_the_requests_seed_alone(engine: Engine, completions: list[Completion]) -> None:
    options = [sampled(0), sampled(1), sampled(0), sampled(2, top_k=5), GREEDY, sampled(3, top_p=0.5), sampled(4)]
    requests = [Request(PROMPTS[5], option) for option in options]
    together = [completion.tokens for completion in engine.generate(requests)]
    assert [engine.generate([request])[0].tokens for request in requests] == together
    order = [3, 6, 0, 5, 2, 4, 1]
    assert [completion.tokens for completion in engine.generate([requests[i] for i in order])] == [
        together[i] for i in order
    ]
    shown = engine.generate(requests, on_token=lambda number, text: None)  # shorter dispatches
    assert [completion.tokens for completion in shown] == together
    assert together[0] == together[2]
    assert together[4] == completions[5].tokens
    assert len({tuple(tokens) for tokens in together}) == len(options) - 1


def test_drawn_tokens_follow_the_models_distribution(engine: Engine, params: dict[str, Any]) -> None:
    prompt, count = PROMPTS[7], 400
    options = [SamplingOptions(max_new_tokens=2, temperature=1.5, top_k=4, seed=seed) for seed in range(count)]
    found = engine.generate([Request(prompt, option) for option in options])
    for place, before in ((0, prompt), (1, [*prompt, int(log_probs(PADDED, params, prompt)[-1].argmax())])):
        expected = log_probs(PADDED, params, before)[-1] / 1.5
        allowed = np.argsort(expected)[-4:]
        drawn = [completion.tokens[place] for completion in found if completion.tokens[:place] == before[len(prompt) :]]
        weights = np.exp(expected[allowed] - expected.max())
        wanted = len(drawn) * weights / weights.sum()
        counts = np.array([drawn.count(token) for token in allowed])
        assert counts.sum() == len(drawn) > 50
        assert ((counts - wanted) ** 2 / wanted).sum() < 22  # 3 degrees of freedom: 1 in 15,000


def test_log_probabilities_of_drawn_tokens_are_at_temperature_one(engine: Engine, params: dict[str, Any]) -> None:
    prompt = PROMPTS[8]
    (found,) = engine.generate([Request(prompt, SamplingOptions(20, 2.0, 40, 0.95, 9))])
    expected = log_probs(PADDED, params, [*prompt, *found.tokens])[len(prompt) - 1 : -1]
    np.testing.assert_allclose(found.log_probs, expected[np.arange(len(found.tokens)), found.tokens], atol=1e-4)


def test_padding_of_the_vocabulary_is_never_drawn(engine: Engine) -> None:
    """Its rows would win every softmax, and at such a temperature all tokens are about as likely."""
    options = [SamplingOptions(max_new_tokens=40, temperature=1e4, seed=seed) for seed in range(16)]
    found = [completion.tokens for completion in engine.generate([Request([1], option) for option in options])]
    drawn = [token for tokens in found for token in tokens]
    assert max(drawn) < PADDED.num_tokens
    assert len(set(drawn)) > 200
    # Each token is drawn anew, also the second one, which another program draws.
    for start in range(3):
        assert sum(tokens[start : start + 1] == tokens[start + 1 : start + 2] for tokens in found) < 4


def test_a_stop_token_ends_its_own_request_alone(engine: Engine, completions: list[Completion]) -> None:
    whole = completions[2].tokens
    place = next(i for i in range(5, len(whole)) if whole[i] not in whole[:i])
    options = dataclasses.replace(GREEDY, stop_tokens=(319, whole[place]))
    first, found, last = engine.generate(
        [Request(PROMPTS[0], GREEDY), Request(PROMPTS[2], options), Request(PROMPTS[4], GREEDY)]
    )
    assert (found.tokens, found.finish) == (whole[:place], "stop")
    np.testing.assert_allclose(found.log_probs, completions[2].log_probs[:place], atol=1e-4)
    assert (first.tokens, last.tokens) == (completions[0].tokens, completions[4].tokens)


def test_a_stop_token_at_once_leaves_nothing(engine: Engine, completions: list[Completion]) -> None:
    options = dataclasses.replace(GREEDY, stop_tokens=(completions[0].tokens[0],))
    (found,) = engine.generate([Request(PROMPTS[0], options)])
    assert (found.tokens, found.text, found.log_probs, found.finish) == ([], "", [], "stop")


def test_the_end_of_text_token_ends_it(
    engine: Engine, completions: list[Completion], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = completions[8].tokens
    monkeypatch.setattr(engine.vocabulary, "eos_id", whole[4])
    (found,) = engine.generate([Request(PROMPTS[8], GREEDY)])
    assert (found.tokens, found.finish) == (whole[: whole.index(whole[4])], "stop")


def test_a_stop_string_across_tokens_ends_its_own_request_alone(
    engine: Engine, vocabulary: Vocabulary, completions: list[Completion]
) -> None:
    whole = completions[4]
    ends = [len(vocabulary.decode(whole.tokens[:count])) for count in range(len(whole.tokens) + 1)]
    stop = next(
        whole.text[end - 1 : end + 1]
        for end in ends[4:-4]
        if whole.text[end - 1 : end + 1].isprintable() and whole.text.find(whole.text[end - 1 : end + 1]) == end - 1
    )
    options = dataclasses.replace(GREEDY, stop_strings=("nowhere", stop))
    pieces: dict[int, str] = dict.fromkeys(range(3), "")

    def shown(number: int, text: str) -> None:
        pieces[number] += text

    requests = [Request(PROMPTS[0], GREEDY), Request(PROMPTS[4], options), Request(PROMPTS[5], GREEDY)]
    first, found, last = engine.generate(requests, on_token=shown)
    assert (found.text, found.finish) == (whole.text.split(stop)[0], "stop")
    assert stop in vocabulary.decode(found.tokens)
    assert found.tokens == whole.tokens[: len(found.tokens)]
    assert (first.tokens, last.tokens) == (completions[0].tokens, completions[5].tokens)
    assert pieces == {0: first.text, 1: found.text, 2: last.text}
    assert engine.generate(requests)[1] == found


def test_pieces_shown_join_to_the_texts(engine: Engine, completions: list[Completion]) -> None:
    pieces: list[list[str]] = [[] for _ in PROMPTS]
    found = engine.generate(
        [Request(prompt, GREEDY) for prompt in PROMPTS], on_token=lambda number, text: pieces[number].append(text)
    )
    assert ["".join(texts) for texts in pieces] == [completion.text for completion in found]
    assert [completion.tokens for completion in found] == [completion.tokens for completion in completions]
    assert max(len(texts) for texts in pieces) > 3  # while it was drawn
    assert all(text for texts in pieces for text in texts)


def test_nothing_to_do_is_done(engine: Engine) -> None:
    assert engine.generate([]) == []
    shown: list[str] = []
    found = engine.generate(
        [Request(PROMPTS[0], SamplingOptions(max_new_tokens=0))] * 6, on_token=lambda number, text: shown.append(text)
    )
    assert found == [Completion([], "", [], "length", 0)] * 6
    assert shown == []


def test_a_text_may_fill_max_length(engine: Engine, params: dict[str, Any]) -> None:
    (found,) = engine.generate([Request([5], SamplingOptions(max_new_tokens=MAX_LENGTH - 1))])
    assert found.finish == "stop" or len(found.tokens) == MAX_LENGTH - 1
    assert_greedy(PADDED, params, [5], found)


@pytest.mark.parametrize("count", [MAX_LENGTH, MAX_LENGTH + 5])
def test_more_new_tokens_than_room_are_refused_before_anything_is_drawn(engine: Engine, count: int) -> None:
    done: list[int] = []
    requests = [Request([1], SamplingOptions(max_new_tokens=0)), Request([1], SamplingOptions(max_new_tokens=count))]
    with pytest.raises(ConfigError, match=f"^request 1: max_new_tokens {count} .* at most {MAX_LENGTH - 1} work$"):
        engine.generate(requests, on_complete=lambda number, completion: done.append(number))
    assert done == []


@pytest.mark.parametrize("first", [1, 7], ids=["bos", "no-bos"])
def test_a_prompt_that_is_too_long_loses_its_left_but_not_bos(
    engine: Engine, params: dict[str, Any], first: int
) -> None:
    prompt = [first, *texts(150)[0][1:]]
    options = SamplingOptions(max_new_tokens=24)
    kept = [1, *prompt[-39:]] if first == 1 else prompt[-40:]
    found, exact, less = engine.generate([Request(tokens, options) for tokens in (prompt, kept, kept[-39:])])
    assert [completion.dropped_tokens for completion in (found, exact, less)] == [110, 0, 0]
    assert found.tokens == exact.tokens
    assert_greedy(PADDED, params, kept, found)


def test_texts_may_outgrow_the_first_stretch_of_the_cache(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    """A dispatch looks at 128 positions while no text is longer, and then at more."""
    engine = Engine(PADDED, params, vocabulary, max_length=180, batch_size=1)
    (prompt,) = texts(110)
    (found,) = engine.generate([Request(prompt, SamplingOptions(max_new_tokens=60))])
    assert len(found.tokens) > 40
    assert_greedy(PADDED, params, prompt, found)


def test_an_empty_prompt_starts_from_bos_or_eos(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    options = SamplingOptions(max_new_tokens=8)
    empty, bos, eos = engine.generate([Request(prompt, options) for prompt in ([], [1], [2])])
    assert empty == bos != eos
    monkeypatch.setattr(engine.vocabulary, "bos_id", None)
    assert engine.generate([Request([], options)])[0].tokens == eos.tokens
    monkeypatch.setattr(engine.vocabulary, "eos_id", None)
    with pytest.raises(DataError, match=r"^request 1: empty, and .* has no BOS or EOS"):
        engine.generate([Request([3], options), Request([], options)])


@pytest.mark.parametrize("token", [-1, PADDED.num_tokens, 10**6])
def test_ids_that_are_not_of_the_model_are_refused(engine: Engine, token: int) -> None:
    with pytest.raises(DataError, match=f"^request 1: token id {token}; .* 0 to 319$"):
        engine.generate([Request([1], GREEDY), Request([1, token], GREEDY)])
    with pytest.raises(DataError, match=f"^pair 1: token id {token}; "):
        engine.score([([1], [2]), ([1], [token])])
    with pytest.raises(DataError, match=f"^pair 0: token id {token}; "):
        engine.score([([token], [2])])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_length": 1}, "max_length 1 and batch_size 8"),
        ({"batch_size": 0}, "batch_size 0"),
        ({"cache_dtype": "int4"}, "cache_dtype 'int4'"),
        ({"weights": "int4"}, "weights 'int4'"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(
    params: dict[str, Any], vocabulary: Vocabulary, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Engine(PADDED, params, vocabulary, **changes)


def test_a_vocabulary_larger_than_the_model_is_refused(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    with pytest.raises(ConfigError, match="has 320 tokens, the model 319"):
        Engine(dataclasses.replace(PADDED, vocab_padding=9), params, vocabulary)


def test_few_programs_are_compiled_over_many_lengths(engine: Engine) -> None:
    compiled: list[float] = []

    def heard(event: str, duration_secs: float, **kwargs: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(duration_secs)

    rng = np.random.default_rng(0)
    requests = [
        Request(
            texts(length)[0],
            SamplingOptions(
                max_new_tokens=int(rng.integers(1, 7)),
                temperature=float(rng.random() < 0.5),
                top_k=int(rng.integers(0, 3)),
                seed=length,
                stop_tokens=tuple(range(3, 3 + length % 3)),
            ),
        )
        for length in range(1, 46)
    ]
    engine.generate(requests)
    # Of 1, 2 and 4 slots: the cache, a decode, and a prefill of 32 and of 48 tokens, alone or of all slots.
    assert engine.compilations <= 3 * (1 + 1 + 2 + 2)
    before = engine.compilations
    jax.monitoring.register_event_duration_secs_listener(heard)
    try:
        engine.generate([requests[i] for i in rng.permutation(len(requests))])
        engine.generate(requests[::-1])
    finally:
        jax.monitoring.unregister_event_duration_listener(heard)
    assert len(compiled) == engine.compilations - before <= 1


def test_donated_weights_are_gone_and_the_engine_says_the_same(
    params: dict[str, Any], engine: Engine, vocabulary: Vocabulary
) -> None:
    own = jax.tree.map(lambda x: x.copy(), params)
    donated = Engine(engine.model, own, vocabulary, max_length=engine.max_length, donate=True)
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(own["layers"]))
    requests = [Request(prompt, GREEDY) for prompt in PROMPTS[:2]]
    assert [d.tokens for d in donated.generate(requests)] == [d.tokens for d in engine.generate(requests)]
