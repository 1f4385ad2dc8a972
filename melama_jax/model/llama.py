"""LLaMA 1, 2, 3 and 3.1 (arXiv 2302.13971, 2307.09288, 2407.21783): one declaration of parameters, one pure forward.

Shapes: B batch, T tokens, D hidden, H query heads, K key/value heads, E head dim, F mlp, V vocabulary, L layers.

The modules are Flax NNX and are used functionally: `split` once into a graph definition and a plain nested dict of
arrays, then `forward` is a pure function of that dict. The layers are one stack [L, ...], scanned. Each parameter is
declared once, with its logical axes; shardings, checkpoints and reports are all derived from that declaration.

An adapter (`melama_jax.model.lora`) comes beside the parameters, which then are frozen, and adds to their products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Int

from melama_jax.model import fp8, frozen, linear, rope
from melama_jax.model.attention import attention
from melama_jax.model.embedding import embed
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import constrain, gather

Params = dict[str, Any]
Hidden = Float[Array, "B T D"]
Tokens = Int[Array, "B T"]
Adapter = Mapping[str, Any]
"""Low-rank products by name, of a block or by block, as `lora.attach` gives them; empty where a block has none."""


def _parameter(config: LlamaConfig, rngs: nnx.Rngs, *dims: tuple[str, int]) -> nnx.Param:
    """A matrix (truncated normal) declared by its (logical axis, size) pairs."""
    axes, shape = zip(*dims, strict=True)
    draw = jax.nn.initializers.truncated_normal(config.initializer_range)
    return nnx.Param(draw(rngs.params(), shape, jnp.dtype(config.param_dtype)), logical_axes=axes)


def _scale(config: LlamaConfig, *dims: tuple[str, int]) -> nnx.Param:
    """A norm's scale, from ones."""
    axes, shape = zip(*dims, strict=True)
    return nnx.Param(jnp.ones(shape, jnp.dtype(config.param_dtype)), logical_axes=axes)


def _product(block: Any, name: str, x: Float[Array, "B T ..."], adapter: Adapter | None) -> jax.Array:
    """The product with a matrix of a block; with an adapter the matrix is frozen, and may be quantized."""
    config, param = block.config, getattr(block, name)
    stored, axes = param.get_value(), param.get_metadata("logical_axes")
    if config.matmul_dtype == "fp8":
        y = fp8.product(x, frozen.use(stored, axes, config.compute), frozen.num_inputs(axes))
    elif adapter is None:
        y = linear.product(x, frozen.use(stored, axes, config.compute), frozen.num_inputs(axes))
    else:
        y = frozen.product(x, stored, axes, config.compute)
    return y if adapter is None or name not in adapter else y + adapter[name](x, config.compute)


def rms_norm(x: Hidden, scale: Float[Array, " D"], eps: float) -> Hidden:
    """Root-mean-square norm (arXiv 1910.07467), computed in float32, returned in the dtype of `x`."""
    wide = x.astype(jnp.float32)
    wide = wide * jax.lax.rsqrt(jnp.mean(wide * wide, axis=-1, keepdims=True) + eps)
    return (wide * scale.astype(jnp.float32)).astype(x.dtype)


def _gathered(normed: Hidden) -> Hidden:
    """A norm's result with the tokens of all tensor shards; split first, else it would be gathered before its cast."""
    return constrain(constrain(normed, "batch", "residual_sequence", "hidden"), "batch", "sequence", "hidden")


class Attention(nnx.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, config: LlamaConfig, rngs: nnx.Rngs, *stack: tuple[str, int]):
        self.config = config
        embed, head = ("embed", config.hidden_size), ("head_dim", config.head_dim)
        heads, kv_heads = ("heads", config.num_attention_heads), ("kv_heads", config.num_key_value_heads)
        self.query = _parameter(config, rngs, *stack, embed, heads, head)
        self.key = _parameter(config, rngs, *stack, embed, kv_heads, head)
        self.value = _parameter(config, rngs, *stack, embed, kv_heads, head)
        self.out = _parameter(config, rngs, *stack, heads, head, embed)

    def __call__(
        self, x: Hidden, positions: Tokens, segment_ids: Tokens | None, adapter: Adapter | None = None
    ) -> Hidden:
        """Attend within the sequence; `positions` turn the heads, causality is by index."""
        config = self.config
        inverse = rope.frequencies(config.head_dim, config.rope_theta, config.rope_scaling)
        q, k, v = (_product(self, name, x, adapter) for name in ("query", "key", "value"))
        q = constrain(rope.rotate(q, positions, inverse), "batch", "sequence", "heads", None)
        k = constrain(rope.rotate(k, positions, inverse), "batch", "sequence", "kv_heads", None)
        v = constrain(v, "batch", "sequence", "kv_heads", None)
        heads = attention(q, k, v, segment_ids=segment_ids, backend=config.attention)
        heads = checkpoint_name(heads, "attention")
        return _product(self, "out", heads, adapter)


class MLP(nnx.Module):
    """SwiGLU (arXiv 2002.05202)."""

    def __init__(self, config: LlamaConfig, rngs: nnx.Rngs, *stack: tuple[str, int]):
        self.config = config
        embed, mlp = ("embed", config.hidden_size), ("mlp", config.intermediate_size)
        self.gate = _parameter(config, rngs, *stack, embed, mlp)
        self.up = _parameter(config, rngs, *stack, embed, mlp)
        self.down = _parameter(config, rngs, *stack, mlp, embed)

    @jax.named_scope("mlp")
    def __call__(self, x: Hidden, adapter: Adapter | None = None) -> Hidden:
        """silu(x gate) * (x up), projected down."""
        gate = constrain(_product(self, "gate", x, adapter), "batch", "sequence", "mlp")
        up = constrain(_product(self, "up", x, adapter), "batch", "sequence", "mlp")
        gate, up = checkpoint_name(gate, "mlp"), checkpoint_name(up, "mlp")
        return _product(self, "down", jax.nn.silu(gate) * up, adapter)


class DecoderLayer(nnx.Module):
    """Pre-norm attention and SwiGLU, each added to the residual stream."""

    def __init__(self, config: LlamaConfig, rngs: nnx.Rngs, *stack: tuple[str, int]):
        self.config = config
        norm = ("norm", config.hidden_size)
        self.attention_norm = _scale(config, *stack, norm)
        self.attention = Attention(config, rngs, *stack)
        self.mlp_norm = _scale(config, *stack, norm)
        self.mlp = MLP(config, rngs, *stack)

    def __call__(
        self, x: Hidden, positions: Tokens, segment_ids: Tokens | None, adapter: Adapter | None = None
    ) -> Hidden:
        """One decoder layer. Between blocks the tokens are split over context and tensor (sequence parallelism)."""
        eps, adapter = self.config.rms_norm_eps, adapter or {}
        normed = _gathered(rms_norm(x, self.attention_norm[...], eps))
        attended = self.attention(normed, positions, segment_ids, adapter.get("attention"))
        x = x + constrain(attended, "batch", "residual_sequence", "hidden")
        normed = _gathered(rms_norm(x, self.mlp_norm[...], eps))
        return x + constrain(self.mlp(normed, adapter.get("mlp")), "batch", "residual_sequence", "hidden")


class Llama(nnx.Module):
    """Token embedding, a scanned stack of decoder layers, a final norm, and the head's matrix."""

    def __init__(self, config: LlamaConfig, rngs: nnx.Rngs):
        self.config = config
        vocab, embed = ("vocab", config.vocab_size), ("embed", config.hidden_size)
        self.embedding = _parameter(config, rngs, vocab, embed)
        self.layers = DecoderLayer(config, rngs, ("layers", config.num_hidden_layers))
        self.final_norm = _scale(config, ("norm", config.hidden_size))
        if not config.tie_word_embeddings:
            self.head = _parameter(config, rngs, embed, vocab)

    def __call__(
        self,
        tokens: Tokens,
        positions: Tokens | None = None,
        segment_ids: Tokens | None = None,
        adapter: Adapter | None = None,
    ) -> Hidden:
        """Final hidden states, in the compute dtype.

        Args:
            tokens: Token ids below `config.num_tokens`.
            positions: Rotary positions; None counts from 0 in every row.
            segment_ids: Documents of packed rows; None lets a row see all of its past.
            adapter: Low-rank products by block, of all layers; the parameters then take no gradient.
        """
        config = self.config
        if positions is None:
            positions = jnp.broadcast_to(jnp.arange(tokens.shape[1]), tokens.shape)
        x = embed(self.embedding[...], tokens, config.compute)
        layer_definition, stacked = nnx.split(self.layers)

        def layer(x: Hidden, own: tuple[nnx.State, Adapter | None]) -> tuple[Hidden, None]:
            x = checkpoint_name(x, "layer_input")
            return nnx.merge(layer_definition, own[0])(x, positions, segment_ids, own[1]), None

        x, _ = jax.lax.scan(rematerialized(layer, config.remat), x, (stacked, adapter))
        x = rms_norm(x, self.final_norm[...], config.rms_norm_eps)
        return constrain(x, "batch", "sequence", "hidden")


def rematerialized(layer: Callable, policy: str) -> Callable:
    """Wrap a scanned layer so that its backward pass keeps only what the policy says.

    none keeps every intermediate; full keeps the layer's input; dots keeps products with weights; names keeps the
    attention result and both SwiGLU products; offload moves the layer's input to host memory.
    """
    policies = jax.checkpoint_policies
    if policy == "none":
        return layer
    chosen = {
        "full": policies.nothing_saveable,
        "dots": policies.dots_with_no_batch_dims_saveable,
        "names": policies.save_only_these_names("attention", "mlp"),
        "offload": policies.save_and_offload_only_these_names(
            names_which_can_be_saved=[],
            names_which_can_be_offloaded=["layer_input"],
            offload_src="device",
            offload_dst="pinned_host",
        ),
    }[policy]
    # Inside a scan nothing can be shared between forward and backward, so the CSE barrier is only a cost.
    return jax.checkpoint(layer, policy=chosen, prevent_cse=False)


@functools.cache
def definition(config: LlamaConfig) -> nnx.GraphDef:
    """The static part of the model, for `forward`."""
    return nnx.split(_abstract(config))[0]


@functools.cache
def declaration(config: LlamaConfig) -> dict[str, tuple[tuple[int, ...], tuple[str, ...], str]]:
    """Every parameter as slash-separated path -> (shape, logical axes, dtype name); allocates nothing."""
    state = nnx.state(_abstract(config))
    return {
        "/".join(map(str, path)): (
            tuple(param.get_value().shape),
            param.get_metadata("logical_axes"),
            config.param_dtype,
        )
        for path, param in nnx.to_flat_state(state)
    }


def initialize(config: LlamaConfig, key: jax.Array) -> Params:
    """Draw the parameters; the values depend on the key alone, not on the mesh. Meant to run under `jax.jit`."""
    return nnx.to_pure_dict(nnx.state(Llama(config, nnx.Rngs(params=key))))


def forward(
    config: LlamaConfig,
    params: Params,
    tokens: Tokens,
    *,
    positions: Tokens | None = None,
    segment_ids: Tokens | None = None,
    adapter: Adapter | None = None,
) -> Hidden:
    """Pure forward pass to the final hidden states; see `Llama.__call__`."""
    return nnx.merge(definition(config), nnx.State(params))(tokens, positions, segment_ids, adapter)


def head_matrix(config: LlamaConfig, params: Params) -> Float[Array, "D V"]:
    """The head as stored (or the tied embedding transposed), in the parameters' dtype and layout."""
    return params["embedding"].T if config.tie_word_embeddings else params["head"]


def logits(config: LlamaConfig, params: Params, hidden: Hidden) -> Float[Array, "B T V"]:
    """Whole float32 logits, for generation and small inputs; training uses `melama_jax.training.loss` instead.

    Those of the vocabulary's padding are -inf.
    """
    head = gather(head_matrix(config, params).astype(config.compute), ("embed", "vocab"))
    scores = jnp.einsum("btd,dv->btv", hidden, head, preferred_element_type=jnp.float32)
    if config.vocab_padding:
        scores = jnp.where(jnp.arange(config.vocab_size) < config.num_tokens, scores, -jnp.inf)
    return scores


def _abstract(config: LlamaConfig) -> Llama:
    return nnx.eval_shape(lambda: Llama(config, nnx.Rngs(params=0)))
