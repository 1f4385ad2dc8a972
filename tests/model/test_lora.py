"""Low-rank products beside frozen matrices: their start, their scale, their dropout, and their sum with the matrix."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import AdapterConfig, from_mapping
from melama_jax.model import llama, lora
from melama_jax.model.llama_config import LlamaConfig

TINY = LlamaConfig.build(from_mapping({"model": {"preset": "tiny", "compute_dtype": "float32"}}).model)
TOKENS = jax.random.randint(jax.random.key(3), (2, 24), 0, TINY.num_tokens)
BASE = jax.jit(lambda key: llama.initialize(TINY, key))(jax.random.key(0))


def drawn(adapter: AdapterConfig) -> llama.Params:
    """An adapter that does something: both factors are random."""
    leaves, definition = jax.tree.flatten(lora.initialize(TINY, adapter, jax.random.key(1)))
    keys = jax.random.split(jax.random.key(2), len(leaves))
    return definition.unflatten(
        [0.2 * jax.random.normal(key, leaf.shape) for key, leaf in zip(keys, leaves, strict=True)]
    )


@jax.jit
def plain(params: llama.Params) -> jax.Array:
    return llama.forward(TINY, params, TOKENS)


def beside(adapter: AdapterConfig, params: llama.Params, key: jax.Array | None = None) -> jax.Array:
    return jax.jit(
        lambda params, key: llama.forward(TINY, BASE, TOKENS, adapter=lora.attach(TINY, adapter, params, key))
    )(params, key)


def identity(rate: float, seed: int, features: int = 64) -> lora.LowRank:
    """A product that changes nothing but what it drops."""
    bits = jax.random.bits(jax.random.key(seed), (2,))
    axes = (("layers", "embed", "rank"), ("layers", "rank", "mlp"))
    return lora.LowRank(jnp.eye(features), jnp.eye(features), bits, axes, scale=1.0, rate=rate)


def test_a_new_adapter_changes_nothing() -> None:
    adapter = AdapterConfig(rank=4)
    fresh = lora.initialize(TINY, adapter, jax.random.key(1))
    np.testing.assert_array_equal(beside(adapter, fresh), plain(BASE))
    for path, leaf in jax.tree_util.tree_leaves_with_path(fresh):
        name = jax.tree_util.keystr(path)
        bound = 1 / math.sqrt(math.prod(leaf.shape[1:-1])) if name.endswith("['a']") else 0.0
        assert jnp.abs(leaf).max() <= bound
        if bound:  # PEFT's kaiming_uniform_ with a = sqrt(5)
            assert float(leaf.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1), name


def test_a_matrix_starts_alike_whatever_else_is_a_target() -> None:
    some, every = AdapterConfig(targets=("value", "down")), AdapterConfig()
    few = lora.initialize(TINY, some, jax.random.key(1))
    assert {block: set(found) for block, found in few["layers"].items()} == {"attention": {"value"}, "mlp": {"down"}}
    whole = lora.initialize(TINY, every, jax.random.key(1))
    for block, name in (("attention", "value"), ("mlp", "down")):
        np.testing.assert_array_equal(few["layers"][block][name]["a"], whole["layers"][block][name]["a"])
    query, key = (whole["layers"]["attention"][name]["a"] for name in ("query", "key"))
    assert query.shape == key.shape
    assert (query != key).any()


def test_scale_by_rank_or_by_its_root() -> None:
    assert lora.scale(AdapterConfig(rank=16, alpha=32)) == 2.0
    assert lora.scale(AdapterConfig(rank=16, alpha=32, rank_stabilized=True)) == 8.0


@pytest.mark.parametrize(
    "changes", [{}, {"rank_stabilized": True}, {"targets": ("query", "down")}], ids=["all", "rslora", "some"]
)
def test_merged_equals_beside(changes: dict[str, Any]) -> None:
    adapter = AdapterConfig(rank=4, alpha=3.0, dropout=0.1, **changes)
    params = drawn(adapter)
    merged = plain(lora.merge(TINY, adapter, BASE, params))
    assert jnp.abs(merged - plain(BASE)).max() > 0.1  # it does something
    np.testing.assert_allclose(beside(adapter, params), merged, rtol=0, atol=1e-5 * float(jnp.abs(merged).max()))


def test_dropout_takes_its_share_and_keeps_the_mean() -> None:
    x = jnp.ones((4, 512, 64))
    for rate in (0.05, 0.5):
        kept = np.asarray(identity(rate, 0)(x, jnp.float32))
        values = np.unique(kept)
        np.testing.assert_allclose(values, [0, 1 / (1 - rate)], rtol=1e-6)
        deviation = math.sqrt(rate * (1 - rate) / x.size)
        assert (kept == 0).mean() == pytest.approx(rate, abs=5 * deviation)
        for dims in ((0, 1), (0, 2), (1, 2)):  # nothing of a row, token or feature is favoured
            shares = (kept == 0).mean(dims)
            assert np.abs(shares - rate).max() < 6 * deviation * math.sqrt(shares.size)


def test_the_gradient_passes_where_the_input_did() -> None:
    product, x = identity(0.3, 0), jnp.ones((2, 8, 64))
    gradient = jax.grad(lambda x: product(x, jnp.float32).sum())(x)
    np.testing.assert_array_equal(gradient, product(x, jnp.float32))


def test_masks_differ_between_keys_layers_and_matrices() -> None:
    adapter = AdapterConfig(rank=4, dropout=0.1)
    params = drawn(adapter)
    seeds = [
        product.seed
        for key in (0, 1)
        for block in lora.attach(TINY, adapter, params, jax.random.key(key)).values()
        for product in block.values()
    ]
    rows = np.concatenate([np.asarray(seed) for seed in seeds])
    assert len(np.unique(rows, axis=0)) == 2 * 7 * TINY.num_hidden_layers
    x = jnp.ones((2, 64, 64))
    masks = [np.asarray(identity(0.5, seed)(x, jnp.float32)) == 0 for seed in range(4)]
    for n, mask in enumerate(masks[1:], 1):
        assert (mask == masks[0]).mean() == pytest.approx(0.5, abs=0.05), n


def test_the_effect_of_dropout_averages_out() -> None:
    adapter = AdapterConfig(rank=4, dropout=0.1, targets=("down",))
    params = jax.tree.map(lambda x: 0.3 * x, drawn(adapter))
    run = jax.jit(
        lambda key: llama.forward(TINY, BASE, TOKENS, adapter=lora.attach(TINY, adapter, params, key)) - still
    )
    still = beside(adapter, params)
    changes = np.stack([run(jax.random.key(n)) for n in range(64)])
    spread = np.sqrt((changes**2).mean())
    assert spread > 1e-3
    assert np.sqrt((changes.mean(0) ** 2).mean()) < 0.2 * spread  # an eighth, were they independent


def test_no_policy_of_rematerialization_changes_a_gradient() -> None:
    adapter = AdapterConfig(rank=4, dropout=0.1)
    params, found = drawn(adapter), {}
    for remat in ("none", "names", "dots", "full"):
        config = LlamaConfig.build(
            from_mapping({"model": {"preset": "tiny", "compute_dtype": "float32"}, "train": {"remat": remat}}).model,
            from_mapping({"train": {"remat": remat}}).train,
        )
        assert config.remat == remat

        def total(params: llama.Params, config: LlamaConfig = config) -> jax.Array:
            beside = lora.attach(config, adapter, params, jax.random.key(5))
            return jnp.square(llama.forward(config, BASE, TOKENS, adapter=beside)).mean()

        found[remat] = jax.jit(jax.value_and_grad(total))(params)
    for remat, got in found.items():
        for one, want in zip(jax.tree.leaves(got), jax.tree.leaves(found["none"]), strict=True):
            np.testing.assert_allclose(one, want, rtol=1e-5, atol=1e-6 * float(jnp.abs(want).max()), err_msg=remat)
