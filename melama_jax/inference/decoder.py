"""The programs of inference: prefill, decode, and the hidden states of packed rows, over weights laid out for them.

Shapes: N slots, R rows, T tokens, C tokens of a dispatch, D hidden, H query heads, K key/value heads, G = H / K,
E head dim, F mlp, V vocabulary.

Training scans one stack of layers. Here each layer's matrices are arrays of their own and the layers are unrolled: a
scan would copy every layer out of the stack in every step, as much memory traffic again as decoding itself. Matrices
lie by outputs [out, in]; query, key and value are one, [K (G + 2) E, D], the heads of a group together, so that it is
still split over `tensor` by key/value heads.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import qwix
from jaxtyping import Array, Bool, Float, Int

from melama_jax.inference import cache as caches
from melama_jax.inference.quantize import product
from melama_jax.inference.sampling import Draws, draw
from melama_jax.model import rope
from melama_jax.model.attention import attention
from melama_jax.model.llama import Params, rms_norm
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import constrain, gather

Weights = dict[str, Any]
Carry = tuple[Array, Array, Array, list[caches.Store], Array, Array]
"""Of the decode loop: step, last token [N], active [N], what the cache gains, tokens and log-probabilities [C, N]."""
AXES = {
    "qkv": ("kv_heads", "embed"),
    "out": ("embed", "heads"),
    "gate": ("mlp", "embed"),
    "up": ("mlp", "embed"),
    "down": ("embed", "mlp"),
    "attention_norm": ("norm",),
    "mlp_norm": ("norm",),
    "embedding": ("vocab", "embed"),
    "head": ("vocab", "embed"),
    "final_norm": ("norm",),
}
"""Logical axes of the weights as laid out here."""
SOURCES = {
    "attention_norm": ("attention_norm",),
    "qkv": ("attention/query", "attention/key", "attention/value"),
    "out": ("attention/out",),
    "mlp_norm": ("mlp_norm",),
    "gate": ("mlp/gate",),
    "up": ("mlp/up",),
    "down": ("mlp/down",),
}
"""What a layer's weights are made of."""
_QUERY_BLOCK = 256
"""Queries that attend at a time in a packed row, so that keys after them cost nothing and scores stay small."""


def prepare_layer(model: LlamaConfig, layers: Params, index: Int[Array, ""]) -> Weights:
    """One layer of the stack in the layout and dtype that decoding reads."""
    return {name: prepare_part(model, name, sources_of(name, layers), index) for name in SOURCES}


def sources_of(name: str, layers: Params) -> list[Any]:
    """The stacked arrays that one of a layer's weights is made of."""
    return [functools.reduce(operator.getitem, path.split("/"), layers) for path in SOURCES[name]]


def prepare_part(model: LlamaConfig, name: str, sources: Sequence[Any], index: Int[Array, ""]) -> Array | qwix.QArray:
    """One weight of a layer."""
    kv_heads = model.num_key_value_heads

    def of_layer(array: Array) -> Array:
        return jax.lax.dynamic_index_in_dim(array, index, keepdims=False)

    def one(array: Array) -> Array:
        return of_layer(array).astype(model.compute)

    def matrix(join: Callable[..., Array], *parts: Array | qwix.QArray) -> Array | qwix.QArray:
        quantized = [part for part in parts if isinstance(part, qwix.QArray)]
        if not quantized:
            return join(*(one(part) for part in parts if not isinstance(part, qwix.QArray)))
        values, scales = zip(*((of_layer(part.qvalue), of_layer(part.scale)) for part in quantized), strict=True)
        return qwix.QArray(join(*values), join(*scales), None, jnp.int8)

    def heads(query: Array, key: Array, value: Array) -> Array:
        query = query.reshape(query.shape[0], kv_heads, -1, query.shape[-1])
        joined = jnp.concatenate([query, key[:, :, None], value[:, :, None]], axis=2)
        return joined.reshape(joined.shape[0], -1).T

    if name.endswith("norm"):
        return one(sources[0])
    joins = {"qkv": heads, "out": lambda out: out.reshape(-1, out.shape[-1]).T}
    return matrix(joins.get(name, jnp.transpose), *sources)


def prepare_others(model: LlamaConfig, params: Params) -> Weights:
    """What is not in the layers, the same way; the head by rows [V, D]."""
    params = {name: array.astype(model.compute) for name, array in params.items()}
    return params | ({"head": params["head"].T} if "head" in params else {})


def _product(x: Array, weights: Weights, name: str, dtype: Any = None) -> Array:
    matrix: Any = weights[name]
    if isinstance(matrix, qwix.QArray):
        matrix = qwix.QArray(gather(matrix.qvalue, AXES[name]), matrix.scale, None, jnp.int8)
    else:
        matrix = gather(matrix, AXES[name])
    return product(x, matrix, dtype)


def _layer(
    model: LlamaConfig,
    weights: Weights,
    x: Float[Array, "B T D"],
    positions: Int[Array, "B T"],
    attend: Callable[[Array, Array, Array], Array],
    keep: Callable[[Array], Array] = lambda x: x,
) -> Float[Array, "B T D"]:
    """One decoder layer.

    `attend` takes q [B, T, K, G, E] and k, v [B, T, K, E], and gives the shape of q; `keep` picks the tokens whose
    result is wanted, from x and q.
    """
    batch, length, _ = x.shape
    kv_heads, head_dim = model.num_key_value_heads, model.head_dim
    inverse = rope.frequencies(head_dim, model.rope_theta, model.rope_scaling)
    normed = rms_norm(x, weights["attention_norm"], model.rms_norm_eps)
    heads = _product(normed, weights, "qkv").reshape(batch, length, kv_heads, -1, head_dim)
    turned = heads[:, :, :, :-1].reshape(batch, length, -1, head_dim)
    turned = rope.rotate(turned, positions, inverse).reshape(batch, length, kv_heads, -1, head_dim)
    q, k, v = turned[:, :, :, :-1], turned[:, :, :, -1], heads[:, :, :, -1]
    q = constrain(q, "batch", None, "kv_heads", None, None)
    k, v = (constrain(y, "batch", None, "kv_heads", None) for y in (k, v))
    x, q = keep(x), keep(q)
    attended = attend(q, k, v).reshape(*x.shape[:2], -1)
    x = constrain(x + _product(attended, weights, "out"), "batch", None, "hidden")
    normed = rms_norm(x, weights["mlp_norm"], model.rms_norm_eps)
    gate, up = (constrain(_product(normed, weights, name), "batch", None, "mlp") for name in ("gate", "up"))
    return constrain(x + _product(jax.nn.silu(gate) * up, weights, "down"), "batch", None, "hidden")


def _embed(model: LlamaConfig, weights: Weights, tokens: Int[Array, "B T"]) -> Float[Array, "B T D"]:
    return constrain(weights["embedding"][tokens].astype(model.compute), "batch", None, "hidden")


def _logits(model: LlamaConfig, weights: Weights, hidden: Float[Array, "P D"]) -> Float[Array, "P V"]:
    """float32 logits of final hidden states, normed here; those of the vocabulary's padding are -inf."""
    hidden = rms_norm(hidden, weights["final_norm"], model.rms_norm_eps)
    scores = _product(hidden, weights, "embedding" if model.tie_word_embeddings else "head", dtype=jnp.float32)
    if model.vocab_padding:
        scores = jnp.where(jnp.arange(model.vocab_size) < model.num_tokens, scores, -jnp.inf)
    return scores


def _attend_rows(
    q: Float[Array, "R T K G E"],
    k: Float[Array, "R T K E"],
    v: Float[Array, "R T K E"],
    segment_ids: Int[Array, "R T"],
    branches: Int[Array, "R T"],
) -> Float[Array, "R T K G E"]:
    """Causal attention of packed rows over themselves.

    Args:
        q: Queries.
        k: Keys.
        v: Values.
        segment_ids: What of a row belongs together.
        branches: Within it, 0 is what all see, and a token of another branch is seen by its own branch alone.
    """
    length = q.shape[1]
    queries, keys, values = jnp.moveaxis(q, 1, 3), jnp.moveaxis(k, 1, 3), jnp.moveaxis(v, 1, 2)
    out = []
    for start in range(0, length, _QUERY_BLOCK):
        end = min(start + _QUERY_BLOCK, length)
        seen = (jnp.arange(start, end)[:, None] >= jnp.arange(end))[None]
        seen = seen & (segment_ids[:, start:end, None] == segment_ids[:, None, :end])
        seen = seen & ((branches[:, None, :end] == 0) | (branches[:, start:end, None] == branches[:, None, :end]))
        scores = jnp.einsum("rkgte,rkes->rkgts", queries[:, :, :, start:end], keys[..., :end])
        scores = jnp.where(seen[:, None, None], scores.astype(jnp.float32) * q.shape[-1] ** -0.5, -jnp.inf)
        weights = jax.nn.softmax(scores, axis=-1).astype(v.dtype)
        out.append(jnp.einsum("rkgts,rkse->rkgte", weights, values[:, :, :end]))
    return jnp.moveaxis(jnp.concatenate(out, axis=3), 3, 1)


def prefill(
    model: LlamaConfig,
    weights: Weights,
    cache: list[caches.Store],
    tokens: Int[Array, "R T"],
    lengths: Int[Array, " R"],
    place: Int[Array, ""] | Bool[Array, " N"],
    draws: Draws,
) -> tuple[list[caches.Store], Int[Array, " R"], Float[Array, " R"]]:
    """Compute prompts, put their keys and values into the cache, and draw the first token of each.

    Args:
        model: The model.
        weights: Its weights.
        cache: The cache; donate it.
        tokens: Prompts, filled up at the right.
        lengths: Tokens of each, at least 1.
        place: See `caches.insert`.
        draws: How each row draws.

    Returns:
        The cache, the tokens and their log-probabilities.
    """
    rows: list[caches.Store] = []

    def attend(q: Array, k: Array, v: Array) -> Array:
        rows.append(caches.encode(k, v, cache[0]["key"].dtype))
        return attention(q.reshape(*q.shape[:2], -1, q.shape[-1]), k, v, backend=model.attention)

    def attend_last(q: Array, k: Array, v: Array) -> Array:
        rows.append(caches.encode(k, v, cache[0]["key"].dtype))
        return caches.attend(q[:, 0], [caches.encode(k, v, q.dtype)], [jnp.arange(k.shape[1]) < lengths[:, None]])

    def last(x: Array) -> Array:
        return jnp.take_along_axis(x, lengths.reshape(-1, *[1] * (x.ndim - 1)) - 1, axis=1)

    x = _embed(model, weights, tokens)
    positions = jnp.broadcast_to(jnp.arange(tokens.shape[1]), tokens.shape)
    for layer in weights["layers"][:-1]:
        x = _layer(model, layer, x, positions, attend)
    x = _layer(model, weights["layers"][-1], x, positions, attend_last, last)[:, 0]
    token, log_prob = draw(_whole(_logits(model, weights, x)), draws)
    return caches.insert(cache, rows, place), token, log_prob


def _whole(logits: Float[Array, "N V"]) -> Float[Array, "N V"]:
    """With the whole vocabulary of a slot on one device, where the draw sorts it."""
    return constrain(logits, "batch", None)


def decode(
    model: LlamaConfig,
    attended: int,
    weights: Weights,
    cache: list[caches.Store],
    slots: dict[str, Array],
    draws: Draws,
    limit: Int[Array, ""],
    leave: Bool[Array, ""],
    *,
    block: int,
) -> tuple[list[caches.Store], Int[Array, "C N"], Float[Array, "C N"], Int[Array, ""]]:
    """Draw up to `block` tokens for every slot.

    Args:
        model: The model.
        attended: Positions of the cache to look at: no active slot holds more.
        weights: Its weights.
        cache: The cache; donate it.
        slots: token (the last one, not in the cache yet), length (tokens in the cache), remaining (tokens to draw; 0
            for a free slot) [N], and stops [N, M], ids that end a slot's text.
        draws: How each slot draws.
        limit: Steps to take, at most `block`.
        leave: Whether to come back as soon as a slot has ended.
        block: C.

    Returns:
        The cache, tokens, log-probabilities, and the number of steps taken. A slot's tokens after its end mean nothing.
    """
    count = slots["token"].shape[0]
    dtype = cache[0]["key"].dtype
    past = [caches.past(store, attended) for store in cache]
    in_past = jnp.arange(attended) < slots["length"][:, None]

    def going_on(carry: Carry) -> Array:
        step, _, active, *_ = carry
        ended = (slots["remaining"] > 0) & ~active
        return (step < limit) & jnp.any(active) & ~(leave & jnp.any(ended))

    def advance(carry: Carry) -> Carry:
        step, token, active, recent, tokens, log_probs = carry
        x = _embed(model, weights, token[:, None])
        positions = (slots["length"] + step)[:, None]
        seen = [in_past, jnp.broadcast_to(jnp.arange(block) <= step, (count, block))]
        grown: list[caches.Store] = []

        def attend(q: Array, k: Array, v: Array) -> Array:
            layer = len(grown)
            grown.append(caches.write(recent[layer], caches.encode(k, v, dtype), step))
            return caches.attend(q[:, 0], [past[layer], grown[layer]], seen)[:, None]

        for layer in weights["layers"]:
            x = _layer(model, layer, x, positions, attend)
        token, log_prob = draw(_whole(_logits(model, weights, x[:, 0])), draws | {"number": draws["number"] + step})
        tokens = jax.lax.dynamic_update_slice_in_dim(tokens, token[None], step, axis=0)
        log_probs = jax.lax.dynamic_update_slice_in_dim(log_probs, log_prob[None], step, axis=0)
        stopped = jnp.any(token[:, None] == slots["stops"], axis=1)
        active = active & ~stopped & (step + 1 < slots["remaining"])
        return step + 1, token, active, grown, tokens, log_probs

    carry = (
        jnp.int32(0),
        slots["token"],
        slots["remaining"] > 0,
        [caches.room(store, block) for store in cache],
        jnp.zeros((block, count), jnp.int32),
        jnp.zeros((block, count), jnp.float32),
    )
    steps, _, _, recent, tokens, log_probs = jax.lax.while_loop(going_on, advance, carry)
    return caches.merge(cache, recent, slots["length"]), tokens, log_probs, steps


def packed_hidden(
    model: LlamaConfig,
    weights: Weights,
    tokens: Int[Array, "R T"],
    positions: Int[Array, "R T"],
    segment_ids: Int[Array, "R T"],
    branches: Int[Array, "R T"],
) -> Float[Array, "RT D"]:
    """Last hidden states, before the final norm, of packed rows; see `_attend_rows`."""
    x = _embed(model, weights, tokens)
    for layer in weights["layers"]:
        x = _layer(model, layer, x, positions, lambda q, k, v: _attend_rows(q, k, v, segment_ids, branches))
    return x.reshape(-1, x.shape[-1])


def likelihoods(
    model: LlamaConfig,
    weights: Weights,
    hidden: Float[Array, "RT D"],
    index: Int[Array, " P"],
    targets: Int[Array, " P"],
) -> tuple[Float[Array, " P"], Bool[Array, " P"]]:
    """Log-probability of a target after each of some hidden states, and whether it is the most likely token."""
    logits = _logits(model, weights, hidden[index])
    chosen = jnp.take_along_axis(logits, targets[:, None], axis=-1)[:, 0]
    return chosen - jax.nn.logsumexp(logits, axis=-1), jnp.argmax(logits, axis=-1) == targets
