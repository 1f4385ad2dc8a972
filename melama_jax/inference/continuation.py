"""One request's text as it grows: where it ends, and what of it can be shown already."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from melama_jax.data.vocabulary import Vocabulary
from melama_jax.inference.sampling import SamplingOptions

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"
"""What a tokenizer writes for bytes that are not a whole character yet."""


@dataclasses.dataclass(frozen=True)
class Completion:
    """What a request was continued with.

    Attributes:
        tokens: The new token ids, without the token that stopped them; after a stop string they end with the token
            that completed it.
        text: Their text alone (without the prompt), cut before the first stop string.
        log_probs: Log-probability of each token under the model at temperature 1.
        finish: stop (EOS, a stop token or a stop string), or length.
        dropped_tokens: Tokens of the prompt that were left out because it was too long.
    """

    tokens: list[int]
    text: str
    log_probs: list[float]
    finish: Literal["stop", "length"]
    dropped_tokens: int


class Continuation:
    """Collects a request's tokens until it ends.

    Attributes:
        tokens: What was drawn.
        finish: Why it ended, or None.
    """

    def __init__(self, vocabulary: Vocabulary, options: SamplingOptions, stops: Sequence[int]) -> None:
        self.tokens: list[int] = []
        self.finish: Literal["stop", "length"] | None = None if options.max_new_tokens else "length"
        self._log_probs: list[float] = []
        self._vocabulary, self._options, self._stops = vocabulary, options, frozenset(stops)
        self._text = self._shown = ""

    def take(self, tokens: Sequence[int], log_probs: Sequence[float]) -> None:
        """Add tokens; what comes after the text's end is left out."""
        before = len(self.tokens)
        for token, log_prob in zip(tokens, log_probs, strict=True):
            if token in self._stops:
                self.finish = "stop"
                break
            self.tokens.append(token)
            self._log_probs.append(log_prob)
            if len(self.tokens) == self._options.max_new_tokens:
                self.finish = "length"
                break
        self._text = self._decode(len(self.tokens))
        if self._cut(self._text) is not None:
            for count in range(before + 1, len(self.tokens) + 1):
                text = self._decode(count)
                cut = self._cut(text)
                if cut is not None:
                    del self.tokens[count:], self._log_probs[count:]
                    self._text, self.finish = text[:cut], "stop"
                    break

    def news(self) -> str:
        """Text that was not shown yet and cannot change any more: no part of a character or of a stop string."""
        text = self._text
        if self.finish is None:
            text = text.rstrip(_INCOMPLETE)
            longest = max(
                (n for stop in self._options.stop_strings for n in range(1, len(stop)) if text.endswith(stop[:n])),
                default=0,
            )
            text = text[: len(text) - longest]
        new = text[len(self._shown) :]
        self._shown += new
        return new

    def completion(self, dropped_tokens: int) -> Completion:
        """The result, once it has ended."""
        return Completion(self.tokens, self._text, self._log_probs, self.finish or "length", dropped_tokens)

    def _decode(self, count: int) -> str:
        known = self._vocabulary.vocab_size
        return self._vocabulary.decode([token for token in self.tokens[:count] if token < known])

    def _cut(self, text: str) -> int | None:
        """Where the first stop string begins."""
        found = [text.find(stop) for stop in self._options.stop_strings]
        return min((place for place in found if place >= 0), default=None)
