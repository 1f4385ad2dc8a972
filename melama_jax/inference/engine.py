"""Continues and scores token sequences: slots that requests enter and leave, a handful of programs."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from jax.sharding import Mesh

from melama_jax.data.chat import control_tokens
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.inference import scoring
from melama_jax.inference.continuation import Completion, Continuation
from melama_jax.inference.programs import Cache, Programs
from melama_jax.inference.quantize import quantize
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.inference.scoring import Pair, Score
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import BATCH_AXES, check_parameters

__all__ = ["Completion", "Engine", "Request", "SamplingOptions", "Score"]

_STREAMED = 4
"""Tokens that a dispatch draws where somebody reads along."""
_SHORTEST_PROMPT, _SHORTEST_PAST, _SHORTEST_ROW = 32, 128, 256
"""Tokens of the smallest programs; larger ones come in steps of 1.5 and 4/3."""


@dataclasses.dataclass(frozen=True)
class Request:
    """A prompt to continue.

    Attributes:
        prompt: Token ids, BOS included where it is wanted; an empty one starts from BOS (or EOS).
        options: How it is continued.
    """

    prompt: Sequence[int]
    options: SamplingOptions = dataclasses.field(default_factory=SamplingOptions)


@dataclasses.dataclass
class _Slot:
    """A request in the cache."""

    number: int
    options: SamplingOptions
    stops: list[int]
    dropped: int
    length: int
    continuation: Continuation


class Engine:
    """A model that continues and scores; every process of a job calls it alike and gets the same results.

    Attributes:
        model: The model.
        vocabulary: Its tokenizer.
        mesh: The devices it lies on, or None.
        max_length: Tokens of a prompt and its continuation together.
        batch_size: Slots.
    """

    def __init__(
        self,
        model: LlamaConfig,
        params: llama.Params,
        vocabulary: Vocabulary,
        mesh: Mesh | None = None,
        *,
        max_length: int | None = None,
        batch_size: int = 8,
        cache_dtype: Literal["auto", "bfloat16", "float32", "int8"] = "auto",
        weights: Literal["int8"] | None = None,
        donate: bool = False,
    ) -> None:
        """Lay the weights out for inference.

        Args:
            model: The model.
            params: Its parameters, or those of `quantize`, on `mesh`.
            vocabulary: Its tokenizer.
            mesh: Slots are split over data and fsdp, heads over tensor; context repeats the work. None for one device.
            max_length: Most tokens of a prompt and its continuation; 2048 without one.
            batch_size: Slots; made a multiple of data x fsdp.
            cache_dtype: Of keys and values; auto takes the compute dtype.
            weights: int8 quantizes the layers' matrices.
            donate: Delete the arrays of the layers as they are laid out, so that the model is never there twice.

        Raises:
            ConfigError: A value cannot work, or the vocabulary is larger than the model's.
            MeshError: The mesh does not divide the model's dimensions.
        """
        self.max_length = 2048 if max_length is None else max_length
        if self.max_length < 2 or batch_size < 1:
            raise ConfigError(
                f"max_length {self.max_length} and batch_size {batch_size}: give at least 2 tokens and 1 slot"
            )
        # A tokenizer may name control tokens that the model was never given; text cannot reach them.
        controls = sum(token >= model.num_tokens for token in control_tokens(vocabulary).values())
        if vocabulary.vocab_size - controls > model.num_tokens:
            raise ConfigError(
                f"{vocabulary.path} has {vocabulary.vocab_size} tokens, the model {model.num_tokens}; give the "
                f"tokenizer that the model was trained with"
            )
        dtypes = {"auto": model.compute_dtype, **{name: name for name in ("bfloat16", "float32", "int8")}}
        if cache_dtype not in dtypes or weights not in (None, "int8"):
            raise ConfigError(
                f"cache_dtype {cache_dtype!r} and weights {weights!r}: give {', '.join(dtypes)}; and int8 or nothing"
            )
        if mesh is not None:
            check_parameters(mesh, {name: x[:2] for name, x in llama.declaration(model).items()})
        self.model, self.vocabulary, self.mesh = model, vocabulary, mesh
        self._shards = 1 if mesh is None else math.prod(mesh.shape[axis] for axis in BATCH_AXES)
        self.batch_size = -(-batch_size // self._shards) * self._shards
        context = 1 if mesh is None else mesh.shape["context"]
        self._step = _SHORTEST_PROMPT if _SHORTEST_PROMPT // 2 % context == 0 else _SHORTEST_PROMPT * context
        self._longest_prompt = -(-self.max_length // self._step) * self._step
        params = quantize(params) if weights == "int8" else params
        self._programs = Programs(model, params, mesh, dtypes[cache_dtype], donated=donate)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return self._programs.compilations

    def load(self, params: llama.Params | None) -> None:
        """Take other parameters of the same model; compiled programs stay. None lets go of the weights until then."""
        self._programs.load(params)

    def generate(
        self,
        requests: Sequence[Request],
        *,
        on_token: Callable[[int, str], None] | None = None,
        on_complete: Callable[[int, Completion], None] | None = None,
    ) -> list[Completion]:
        """Continue every request; a request enters as soon as a slot is free.

        A prompt of more than max_length - max_new_tokens tokens loses tokens from the left, but keeps its first one if
        that is BOS; `Completion.dropped_tokens` counts them.

        Args:
            requests: What to continue.
            on_token: Called with a request's number and new text, which joined give `Completion.text`.
            on_complete: Called with a request's number and its completion, in the order in which they end.

        Raises:
            ConfigError: max_new_tokens leaves no room for a prompt.
            DataError: A token id is not of the model, or a prompt is empty and there is no BOS or EOS.
        """
        waiting = deque(self._entry(number, request) for number, request in enumerate(requests))
        if not waiting:
            return []
        done: dict[int, Completion] = {}
        count = self._shards
        while count < min(len(waiting), self.batch_size):
            count *= 2
        slots: list[_Slot | None] = [None] * min(count, self.batch_size)

        def settle(slot: _Slot) -> bool:
            text = slot.continuation.news() if on_token else ""
            if on_token and text:
                on_token(slot.number, text)
            if slot.continuation.finish is None:
                return False
            done[slot.number] = slot.continuation.completion(slot.dropped)
            if on_complete:
                on_complete(slot.number, done[slot.number])
            return True

        cache = self._programs.allocate(len(slots), max(self._longest_prompt, _SHORTEST_PAST))
        while waiting or any(slots):
            entering: list[tuple[int, _Slot, list[int]]] = []
            for place, slot in enumerate(slots):
                while slot is None and waiting:
                    entry, prompt = waiting.popleft()
                    if entry.continuation.finish is None:
                        entering.append((place, entry, prompt))
                        break
                    settle(entry)
            if entering:
                cache = self._prefill(cache, len(slots), entering)
                for place, entry, _ in entering:
                    slots[place] = None if settle(entry) else entry
            elif any(slots):
                cache = self._decode(cache, slots, _STREAMED if on_token else self._programs.block, leave=bool(waiting))
                slots = [None if slot is None or settle(slot) else slot for slot in slots]
        return [done[number] for number in range(len(requests))]

    def score(self, pairs: Sequence[Pair], *, on_complete: Callable[[int, Score], None] | None = None) -> list[Score]:
        """Log-likelihood of continuations given contexts; pairs of one context are computed together.

        Of a context and a continuation the last max_length + 1 tokens count; an empty context is BOS (or EOS).

        Args:
            pairs: Context and continuation.
            on_complete: Called with a pair's number and its score, in the order in which they are computed.

        Raises:
            DataError: A token id is not of the model, or a continuation is longer than max_length.
        """
        checked: list[Pair] = []
        for number, (context, tokens) in enumerate(pairs):
            name = f"pair {number}"
            if len(tokens) > self.max_length:
                raise DataError(f"{name}: a continuation of {len(tokens)} tokens; max_length is {self.max_length}")
            checked.append((self._ids(context, name) or [self._first(name)], self._ids(tokens, name)))
        texts, dropped = scoring.gather_texts(checked, self.max_length)
        missing = [len(tokens) for _, tokens in checked]
        sums, greedy = [0.0] * len(checked), [True] * len(checked)
        scores: dict[int, Score] = {}

        def settle(number: int) -> None:
            size = len(checked[number][1])
            scores[number] = Score(sums[number], greedy[number], size, dropped[number])
            if on_complete:
                on_complete(number, scores[number])

        for number, count in enumerate(missing):
            if not count:
                settle(number)
        budget = (2048 if self._programs.platform == "cpu" else 16384) * self._shards
        longest = max(self.max_length, _SHORTEST_ROW)
        for batch in scoring.batches(
            texts, shortest=_SHORTEST_ROW, longest=longest, budget=budget, multiple=self._shards
        ):
            values, best = self._programs.likelihoods(batch)
            for pair, value, is_best in zip(batch.pairs.tolist(), values.tolist(), best.tolist(), strict=True):
                sums[pair] += value
                greedy[pair] &= is_best
                missing[pair] -= 1
                if not missing[pair]:
                    settle(pair)
        return [scores[number] for number in range(len(checked))]

    def score_rolling(
        self, texts: Sequence[Sequence[int]], *, on_complete: Callable[[int, Score], None] | None = None
    ) -> list[Score]:
        """Log-likelihood of whole texts after BOS (or EOS), in windows of max_length.

        Args:
            texts: Token ids.
            on_complete: Called with a text's number and its score, once all of its windows are computed.

        Raises:
            DataError: A token id is not of the model.
        """
        pairs: list[Pair] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            text = self._ids(text, f"text {number}")
            windows = list(scoring.rolling_windows(text, self._first(f"text {number}"), self.max_length))
            pairs += windows
            owners += [number] * len(windows)
        left = np.bincount(owners, minlength=len(texts))
        sums = [Score(0.0, True, 0, 0) for _ in texts]

        def add(pair: int, score: Score) -> None:
            owner = owners[pair]
            so_far = sums[owner]
            sums[owner] = Score(
                so_far.log_likelihood + score.log_likelihood,
                so_far.is_greedy and score.is_greedy,
                so_far.num_tokens + score.num_tokens,
                0,
            )
            left[owner] -= 1
            if on_complete and not left[owner]:
                on_complete(owner, sums[owner])

        for number, windows in enumerate(left.tolist()):
            if on_complete and not windows:
                on_complete(number, sums[number])
        self.score(pairs, on_complete=add)
        return sums

    def _entry(self, number: int, request: Request) -> tuple[_Slot, list[int]]:
        options, name = request.options, f"request {number}"
        room = self.max_length - options.max_new_tokens
        if room < 1:
            raise ConfigError(
                f"{name}: max_new_tokens {options.max_new_tokens} leaves no room for a prompt in max_length "
                f"{self.max_length}; at most {self.max_length - 1} work"
            )
        prompt = self._ids(request.prompt, name) or [self._first(name)]
        dropped = max(0, len(prompt) - room)
        if dropped:
            kept = 1 if prompt[0] == self.vocabulary.bos_id and room > 1 else 0
            prompt = prompt[:kept] + prompt[kept + dropped :]
        stops = [*options.stop_tokens]
        if self.vocabulary.eos_id is not None:
            stops.append(self.vocabulary.eos_id)
        continuation = Continuation(self.vocabulary, options, stops)
        return _Slot(number, options, stops, dropped, len(prompt), continuation), prompt

    def _ids(self, tokens: Sequence[int], name: str) -> list[int]:
        found = [int(token) for token in tokens]
        for token in found:
            if not 0 <= token < self.model.num_tokens:
                raise DataError(f"{name}: token id {token}; the model's lie from 0 to {self.model.num_tokens - 1}")
        return found

    def _first(self, name: str) -> int:
        """The token that a text starts after: BOS, else EOS."""
        for token in (self.vocabulary.bos_id, self.vocabulary.eos_id):
            if token is not None and token < self.model.num_tokens:
                return token
        raise DataError(f"{name}: empty, and {self.vocabulary.path} has no BOS or EOS to start from; give a token")

    def _prefill(self, cache: Cache, count: int, entering: list[tuple[int, _Slot, list[int]]]) -> Cache:
        """Bring requests into their slots, together or one by one, whatever computes fewer tokens."""
        lengths = [scoring.bucket(len(prompt), self._step, self._longest_prompt) for _, _, prompt in entering]
        if self._shards > 1 or sum(lengths) >= count * max(lengths):
            return self._prefill_rows(cache, count, max(lengths), entering)
        for length, one in zip(lengths, entering, strict=True):
            cache = self._prefill_rows(cache, 1, length, [one])
        return cache

    def _prefill_rows(
        self, cache: Cache, rows: int, length: int, entering: list[tuple[int, _Slot, list[int]]]
    ) -> Cache:
        tokens, lengths = np.zeros((rows, length), np.int32), np.ones(rows, np.int32)
        draws = [SamplingOptions().draws(0)] * rows
        place = np.array(entering[0][0], np.int32) if rows == 1 else np.zeros(rows, bool)
        for slot, entry, prompt in entering:
            row = 0 if rows == 1 else slot
            tokens[row, : len(prompt)], lengths[row] = prompt, len(prompt)
            draws[row] = entry.options.draws(0)
            if rows > 1:
                place[row] = True
        cache, drawn, log_probs = self._programs.prefill(cache, tokens, lengths, place, _stacked(draws))
        for slot, entry, _ in entering:
            row = 0 if rows == 1 else slot
            entry.continuation.take([drawn[row]], [log_probs[row]])
        return cache

    def _decode(self, cache: Cache, slots: list[_Slot | None], steps: int, *, leave: bool) -> Cache:
        count = len(slots)
        most_stops = max(len(slot.stops) for slot in slots if slot)
        stops = np.full((count, scoring.bucket(most_stops, 4, 1 << 20)), -1, np.int32)
        state: dict[str, np.ndarray] = {name: np.zeros(count, np.int32) for name in ("token", "length", "remaining")}
        draws = [SamplingOptions().draws(0)] * count
        for place, slot in enumerate(slots):
            if slot is not None:
                drawn = len(slot.continuation.tokens)
                state["token"][place] = slot.continuation.tokens[-1]
                state["length"][place] = slot.length
                state["remaining"][place] = slot.options.max_new_tokens - drawn
                stops[place, : len(slot.stops)] = slot.stops
                draws[place] = slot.options.draws(drawn)
        longest = max(self._longest_prompt, _SHORTEST_PAST)
        attended = scoring.bucket(int(state["length"].max()), _SHORTEST_PAST, longest)
        state["stops"] = stops
        cache, tokens, log_probs = self._programs.decode(cache, attended, state, _stacked(draws), steps, leave=leave)
        for place, slot in enumerate(slots):
            if slot is not None:
                slot.length += len(tokens)
                slot.continuation.take(tokens[:, place].tolist(), log_probs[:, place].tolist())
        return cache


def _stacked(draws: Sequence[dict[str, np.ndarray | np.generic]]) -> dict[str, np.ndarray]:
    return {name: np.stack([one[name] for one in draws]) for name in draws[0]}
