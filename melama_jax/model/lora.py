"""LoRA (arXiv 2106.09685): y = x W + scale * dropout(x) A B, where W is frozen and A [in, r], B [r, out] are trained.

Shapes: L layers, D hidden, H query heads, K key/value heads, E head dim, F mlp, r rank, B batch, T tokens.

An adapter is a plain tree of float32 arrays beside the model's parameters, its stacks scanned with the layers:
{"layers": {"attention": {"query": {"a": [L, D, r], "b": [L, r, H, E]}, ...}, "mlp": {...}}}, targets only.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, Bool, Float, UInt32

from melama_jax.config import AdapterConfig
from melama_jax.model import linear, llama
from melama_jax.model.frozen import Axes, Stored, dequantize, num_inputs
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import constrain, gather

Seed = UInt32[Array, "... 2"]


@functools.partial(
    jax.tree_util.register_dataclass,
    data_fields=["a", "b", "seed"],
    meta_fields=["axes", "scale", "rate"],
)
@dataclasses.dataclass(frozen=True)
class LowRank:
    """The product beside one matrix, of all layers or, inside their scan, of one.

    Attributes:
        a: [(L,) in ..., r].
        b: [(L,) r, out ...].
        seed: Of the dropout of each layer; None drops nothing.
        axes: Logical axes of `a` and of `b`.
        scale: Factor of the product.
        rate: Share of the inputs that are dropped.
    """

    a: Float[Array, "... r"]
    b: Float[Array, "*_"]
    seed: Seed | None
    axes: tuple[Axes, Axes]
    scale: float
    rate: float

    def __call__(self, x: Float[Array, "B T ..."], dtype: DTypeLike) -> Float[Array, "B T ..."]:
        """What is added to the frozen matrix's product with `x`, both factors used in `dtype`."""
        scale = self.scale
        if self.seed is not None:
            x, scale = _drop(self.rate, x, self.seed), scale / (1 - self.rate)
        a, b = (
            gather(factor.astype(dtype), axes[1:])
            for factor, axes in zip((self.a, scale * self.b), self.axes, strict=True)
        )
        inner = constrain(linear.product(x, a, a.ndim - 1), "batch", "sequence", None)
        # Laid out as the matrix's own product, and so is its gradient, which the partitioner would else cut otherwise.
        outputs = (None if axis == "embed" else axis for axis in self.axes[1][2:])
        return constrain(linear.product(inner, b), "batch", "sequence", *outputs)


def declaration(model: LlamaConfig, adapter: AdapterConfig) -> dict[str, tuple[tuple[int, ...], Axes]]:
    """Every array of an adapter as slash-separated path -> (shape, logical axes)."""
    declared = {}
    for path, (shape, axes) in _targets(model, adapter).items():
        split = 1 + num_inputs(axes)
        declared[f"{path}/a"] = (*shape[:split], adapter.rank), (*axes[:split], "rank")
        declared[f"{path}/b"] = (shape[0], adapter.rank, *shape[split:]), ("layers", "rank", *axes[split:])
    return declared


def initialize(model: LlamaConfig, adapter: AdapterConfig, key: jax.Array) -> llama.Params:
    """A new adapter, which changes nothing yet: A uniform within 1 / sqrt(in), as PEFT draws it, and B zero.

    An array's values do not depend on which other matrices are targets, nor on the mesh.
    """
    names = list(_matrices(model))
    tree: llama.Params = {}
    for path, (shape, _) in declaration(model, adapter).items():
        *parents, name = path.split("/")
        values = jnp.zeros(shape)
        if name == "a":
            bound = math.prod(shape[1:-1]) ** -0.5
            own = jax.random.fold_in(key, names.index("/".join(parents)))
            values = jax.random.uniform(own, shape, minval=-bound, maxval=bound)
        _node(tree, parents)[name] = values
    return tree


def scale(adapter: AdapterConfig) -> float:
    """Factor of the low-rank product."""
    return adapter.alpha / (math.sqrt(adapter.rank) if adapter.rank_stabilized else adapter.rank)


def attach(
    model: LlamaConfig, adapter: AdapterConfig, params: llama.Params, key: jax.Array | None = None
) -> dict[str, dict[str, LowRank]]:
    """The adapter in the form that `llama.forward` takes.

    Args:
        model: The model that it is for.
        adapter: Its configuration.
        params: Its arrays.
        key: Of the dropout masks, which are independent between matrices, layers and keys; None drops nothing.
    """
    tree: dict[str, dict[str, LowRank]] = {"attention": {}, "mlp": {}}
    names = list(_matrices(model))
    seeds = None
    if key is not None and adapter.dropout:
        seeds = jax.random.bits(key, (len(names), model.num_hidden_layers, 2))
    declared = declaration(model, adapter)
    for path in _targets(model, adapter):
        _, block, name = path.split("/")
        tree[block][name] = LowRank(
            **params["layers"][block][name],
            seed=None if seeds is None else seeds[names.index(path)],
            axes=(declared[f"{path}/a"][1], declared[f"{path}/b"][1]),
            scale=scale(adapter),
            rate=adapter.dropout,
        )
    return tree


def merge(model: LlamaConfig, adapter: AdapterConfig, base: llama.Params, params: llama.Params) -> llama.Params:
    """The whole model's parameters, W + scale * A B, in the dtype of the base's embedding, dequantized."""
    dtype = base["embedding"].dtype
    merged = jax.tree.map(lambda x: x, base, is_leaf=lambda x: isinstance(x, Stored))
    for path in _matrices(model):
        _, block, name = path.split("/")
        factors = params["layers"].get(block, {}).get(name)
        merged["layers"][block][name] = merge_matrix(base["layers"][block][name], factors, scale(adapter), dtype)
    return merged


def merge_matrix(stored: Stored, factors: llama.Params | None, scale: float, dtype: DTypeLike) -> Array:
    """One matrix of all layers with its product added in float32, in `dtype`; as it is without factors."""
    if factors is None:
        return dequantize(stored, dtype)
    a, b = (factor.astype(jnp.float32) for factor in (factors["a"], factors["b"]))
    added = lax.dot_general(a, b, (((a.ndim - 1,), (1,)), ((0,), (0,))), precision=lax.Precision.HIGHEST)
    return (dequantize(stored, jnp.float32) + scale * added).astype(dtype)


def _matrices(model: LlamaConfig) -> dict[str, tuple[tuple[int, ...], Axes]]:
    """Shape and logical axes of every matrix of the layers by path."""
    declared = llama.declaration(model).items()
    return {path: (shape, axes) for path, (shape, axes, _) in declared if axes[0] == "layers" and "embed" in axes}


def _targets(model: LlamaConfig, adapter: AdapterConfig) -> dict[str, tuple[tuple[int, ...], Axes]]:
    return {path: found for path, found in _matrices(model).items() if path.rsplit("/", 1)[1] in adapter.targets}


def _node(tree: llama.Params, parents: list[str]) -> llama.Params:
    for parent in parents:
        tree = tree.setdefault(parent, {})
    return tree


def _drop(rate: float, x: Float[Array, "B T ..."], seed: Seed) -> Float[Array, "B T ..."]:
    """Zero in a share of the entries; the mask is computed again for the gradient, not kept."""
    return _masked(rate, x, seed)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _masked(rate: float, x: jax.Array, seed: jax.Array) -> jax.Array:
    return jnp.where(_kept(x.shape, seed, rate), x, 0)


def _masked_forward(rate: float, x: jax.Array, seed: jax.Array) -> tuple[jax.Array, jax.Array]:
    return _drop(rate, x, seed), seed


def _masked_backward(rate: float, seed: jax.Array, gradient: jax.Array) -> tuple[jax.Array, None]:
    return _drop(rate, gradient, seed), None


_masked.defvjp(_masked_forward, _masked_backward)


def _kept(shape: tuple[int, ...], seed: Seed, rate: float) -> Bool[Array, "B T ..."]:
    """A mask by hashing each entry's place: the same on any mesh, and a fifth of the work of a block cipher."""
    token, entry = (_places(shape, dims) for dims in (range(2), range(2, len(shape))))
    bits = _mixed(_mixed(token ^ seed[0]) + entry * jnp.uint32(0x9E3779B9) ^ seed[1])
    return bits >= jnp.uint32(round(rate * 2**32))


def _places(shape: tuple[int, ...], dims: range) -> UInt32[Array, "*_"]:
    """Place of each entry in the array that these dimensions are; 1 in the others, to broadcast."""
    own = [size if dim in dims else 1 for dim, size in enumerate(shape)]
    count = jnp.zeros(own, jnp.uint32)
    for dim in dims:
        count = count * own[dim] + lax.broadcasted_iota(jnp.uint32, own, dim)
    return count


def _mixed(x: UInt32[Array, "*_"]) -> UInt32[Array, "*_"]:
    """Every bit of the result depends on every bit (MurmurHash3's finalizer)."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = (x ^ x >> shift) * jnp.uint32(factor)
    return x ^ x >> 16
