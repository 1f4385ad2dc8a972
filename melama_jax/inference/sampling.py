"""How the next token is drawn: greedy, temperature, top-k and top-p, mixed in one batch.

Shapes: N slots, V vocabulary.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from melama_jax.errors import ConfigError

Draws = dict[str, Array]
"""temperature, top_k, top_p, seed [N, 2] (the two halves of it) and number (how many tokens were drawn before)."""


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """How one request is continued.

    Attributes:
        max_new_tokens: Tokens to draw at the most.
        temperature: Divides the logits; 0 takes the most likely token (greedy).
        top_k: Draw among the k most likely tokens; 0 means all.
        top_p: Draw among the fewest most likely tokens that have this probability together.
        seed: Of the draws, which depend on it and on the token's number alone, not on what is batched with it.
        stop_tokens: Ids that end the text, besides the vocabulary's EOS.
        stop_strings: Texts that end it; the text is cut before the first one.

    Raises:
        ConfigError: A value lies outside its range.
    """

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    stop_tokens: tuple[int, ...] = ()
    stop_strings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rules = {
            "max_new_tokens": (self.max_new_tokens >= 0, "0 or more"),
            "temperature": (0 <= self.temperature < math.inf, "0 (greedy) or a positive number"),
            "top_k": (self.top_k >= 0, "0 (all tokens) or more"),
            "top_p": (0 < self.top_p <= 1, "more than 0 and at most 1"),
            "stop_strings": (all(self.stop_strings), "texts of at least one character"),
        }
        for name, (good, wanted) in rules.items():
            if not good:
                raise ConfigError(f"{name} {getattr(self, name)!r}: give {wanted}")

    def draws(self, number: int) -> dict[str, np.ndarray | np.generic]:
        """One slot's part of the arrays that `draw` takes; `number` tokens were drawn before."""
        seed = self.seed % 2**64
        return {
            "temperature": np.float32(self.temperature),
            "top_k": np.int32(min(self.top_k, 2**31 - 1)),
            "top_p": np.float32(self.top_p),
            "seed": np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32),
            "number": np.int32(number),
        }


def draw(logits: Float[Array, "N V"], draws: Draws) -> tuple[Int[Array, " N"], Float[Array, " N"]]:
    """The next token of every slot and its log-probability at temperature 1.

    Args:
        logits: float32; -inf where there is no token.
        draws: How each slot draws; see `Draws`.
    """
    # jnp.argmax reduces pairs, several times slower on a CPU than two plain reductions
    size = logits.shape[-1]
    best = logits == jnp.max(logits, axis=-1, keepdims=True)
    greedy = jnp.min(jnp.where(best, jnp.arange(size, dtype=jnp.int32), size - 1), axis=-1)

    def drawn(logits: Array) -> Array:
        kept = filtered(logits, draws)
        keys = jax.vmap(lambda seed, number: jax.random.fold_in(jax.random.wrap_key_data(seed), number))(
            draws["seed"], draws["number"]
        )
        noise = jax.vmap(lambda key: jax.random.gumbel(key, logits.shape[-1:]))(keys)
        token = jnp.argmax(kept + noise, axis=-1).astype(jnp.int32)
        return jnp.where(draws["temperature"] > 0, token, greedy)

    token = jax.lax.cond(jnp.any(draws["temperature"] > 0), drawn, lambda _: greedy, logits)
    chosen = jnp.take_along_axis(logits, token[:, None], axis=-1)[:, 0]
    return token, chosen - jax.nn.logsumexp(logits, axis=-1)


def filtered(logits: Float[Array, "N V"], draws: Draws) -> Float[Array, "N V"]:
    """Logits over temperature, -inf for what top-k and then top-p leave out; equals of the last one kept stay."""
    scaled = logits / jnp.where(draws["temperature"] > 0, draws["temperature"], 1.0)[:, None]

    def cut(scaled: Array) -> Array:
        falling = jnp.sort(scaled, axis=-1, descending=True)
        size = scaled.shape[-1]
        among = jnp.arange(size) < jnp.where(draws["top_k"] > 0, draws["top_k"], size)[:, None]
        probabilities = jax.nn.softmax(jnp.where(among, falling, -jnp.inf), axis=-1)
        before = jnp.cumsum(probabilities, axis=-1) - probabilities
        kept = among & ((before < draws["top_p"][:, None]) | (draws["top_p"][:, None] >= 1))
        lowest = jnp.min(jnp.where(kept, falling, jnp.inf), axis=-1, keepdims=True)
        return jnp.where(scaled >= lowest, scaled, -jnp.inf)

    wanted = (draws["temperature"] > 0) & ((draws["top_k"] > 0) | (draws["top_p"] < 1))
    return jax.lax.cond(jnp.any(wanted), cut, lambda scaled: scaled, scaled)
