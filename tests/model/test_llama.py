"""The model as a program: one scan, float32 where it matters, rematerialization, declaration, sharding."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import MeshConfig, from_mapping
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import LOGICAL_AXES, build_mesh
from melama_jax.training.state import abstract_params

TINY = LlamaConfig.build(from_mapping({"model": {"compute_dtype": "float32"}}).model)
POLICIES = ("none", "full", "dots", "names", "offload")


def named(tree: Any) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    return jax.jit(llama.initialize, static_argnums=0)(TINY, jax.random.key(1))


@pytest.fixture(scope="module")
def tokens() -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).integers(0, 256, (2, 16)))


def run(params: Any, tokens: jax.Array, config: LlamaConfig = TINY, **options: Any) -> np.ndarray:
    return np.asarray(
        jax.jit(lambda p, t: llama.logits(config, p, llama.forward(config, p, t, **options)))(params, tokens)
    )


@pytest.fixture(scope="module")
def plain_logits(params: dict[str, Any], tokens: jax.Array) -> np.ndarray:
    return run(params, tokens)


def test_packed_documents_are_as_if_alone(params: dict[str, Any], tokens: jax.Array, plain_logits: np.ndarray) -> None:
    joined = jnp.concatenate([tokens[:1], tokens[1:]], axis=1)
    ids = jnp.repeat(jnp.asarray([[1, 2]]), 16, axis=1)
    positions = jnp.tile(jnp.arange(16), (1, 2))
    found = run(params, joined, segment_ids=ids, positions=positions)
    np.testing.assert_allclose(found.reshape(2, 16, -1), plain_logits, atol=2e-6)


def test_nothing_later_reaches_a_token(params: dict[str, Any], tokens: jax.Array, plain_logits: np.ndarray) -> None:
    found = run(params, tokens.at[:, 10].add(1) % 256)
    np.testing.assert_array_equal(found[:, :10], plain_logits[:, :10])
    assert (found[:, 10:] != plain_logits[:, 10:]).any(axis=-1).all()


def test_positions_count_from_zero_unless_given(
    params: dict[str, Any], tokens: jax.Array, plain_logits: np.ndarray
) -> None:
    positions = jnp.tile(jnp.arange(16), (2, 1))
    np.testing.assert_array_equal(run(params, tokens, positions=positions), plain_logits)
    # Rotary attention knows distances alone, so moving a row changes nothing but rounding; stretching it does.
    np.testing.assert_allclose(run(params, tokens, positions=positions + 100), plain_logits, atol=1e-5)
    assert np.abs(run(params, tokens, positions=3 * positions) - plain_logits).max() > 1e-3


def test_same_logits_on_a_mesh(params: dict[str, Any], tokens: jax.Array, plain_logits: np.ndarray) -> None:
    mesh = build_mesh(MeshConfig(fsdp=2, context=2, tensor=2))
    shardings = jax.tree.map(lambda leaf: leaf.sharding, abstract_params(TINY, mesh))
    with jax.set_mesh(mesh):
        found = run(jax.device_put(params, shardings), tokens)
    np.testing.assert_allclose(found, plain_logits, atol=2e-6)


@pytest.mark.parametrize("tied", [False, True])
def test_padding_of_the_vocabulary_has_no_probability(params: dict[str, Any], tokens: jax.Array, tied: bool) -> None:
    config = dataclasses.replace(TINY, tie_word_embeddings=tied)
    params = {name: leaf for name, leaf in params.items() if name != "head" or not tied}
    padded = dataclasses.replace(config, vocab_padding=252)
    plain, found = run(params, tokens % 4, config), run(params, tokens % 4, padded)
    np.testing.assert_array_equal(found[..., :4], plain[..., :4])
    assert (found[..., 4:] == -np.inf).all()


@pytest.mark.parametrize("tied", [False, True])
def test_declaration_is_every_parameter(tied: bool) -> None:
    config = dataclasses.replace(TINY, tie_word_embeddings=tied, param_dtype="bfloat16")
    declared = llama.declaration(config)
    drawn = named(jax.eval_shape(lambda: llama.initialize(config, jax.random.key(0))))
    assert {path: (leaf.shape, str(leaf.dtype)) for path, leaf in drawn.items()} == {
        path: (shape, dtype) for path, (shape, _, dtype) in declared.items()
    }
    assert all(len(axes) == len(shape) and set(axes) <= set(LOGICAL_AXES) for shape, axes, _ in declared.values())
    assert ("head" in declared) is not tied
    stacked = {path for path, (_, axes, _) in declared.items() if axes[0] == "layers"}
    assert stacked == {path for path in declared if path.startswith("layers/")}


def test_initial_values_are_those_of_the_declaration(params: dict[str, Any]) -> None:
    for path, leaf in named(params).items():
        values = np.asarray(leaf)
        if path.endswith("norm"):
            assert (values == 1).all(), path
        else:
            # A normal distribution cut off at two deviations keeps 0.8796 of its deviation.
            assert values.std() == pytest.approx(0.8796 * 0.02, rel=0.03), path
            assert 0.039 < np.abs(values).max() <= 0.04, path
    layers = np.asarray(params["layers"]["mlp"]["gate"])
    assert not np.array_equal(layers[0], layers[1])


@pytest.mark.parametrize("sizes", [{"fsdp": 4, "tensor": 2}, {"data": 2, "fsdp": 2, "context": 2}])
def test_initial_values_do_not_depend_on_the_mesh(params: dict[str, Any], sizes: dict[str, int]) -> None:
    mesh = build_mesh(MeshConfig(**sizes))
    shardings = jax.tree.map(lambda leaf: leaf.sharding, abstract_params(TINY, mesh))
    with jax.set_mesh(mesh):
        found = jax.jit(llama.initialize, static_argnums=0, out_shardings=shardings)(TINY, jax.random.key(1))
    assert found["head"].sharding == shardings["head"]
    jax.tree.map(np.testing.assert_array_equal, found, params)


@pytest.fixture(scope="module")
def by_policy() -> dict[str, Any]:
    """Loss, gradients and temporary bytes of the compiled gradient, by rematerialization policy."""
    config = dataclasses.replace(TINY, num_hidden_layers=6)
    params = llama.initialize(config, jax.random.key(0))
    tokens = jnp.asarray(np.random.default_rng(1).integers(0, 256, (4, 64)))
    results = {}
    for policy in POLICIES:
        own = dataclasses.replace(config, remat=policy)

        def loss(params: Any, own: LlamaConfig = own) -> jax.Array:
            return jnp.sin(3.0 * llama.forward(own, params, tokens)).sum()

        compiled = jax.jit(jax.value_and_grad(loss)).lower(params).compile()
        memory: Any = compiled.memory_analysis()
        results[policy] = *compiled(params), memory.temp_size_in_bytes
    return results


@pytest.mark.parametrize("policy", POLICIES[1:])
def test_rematerialization_changes_no_number(by_policy: dict[str, Any], policy: str) -> None:
    loss, gradients, _ = by_policy[policy]
    expected_loss, expected, _ = by_policy["none"]
    assert float(loss) == pytest.approx(float(expected_loss), abs=1e-8 * 4 * 64 * 64)  # its terms nearly cancel
    for path, gradient in named(gradients).items():
        other = np.asarray(named(expected)[path])
        np.testing.assert_allclose(gradient, other, rtol=0, atol=2e-6 * np.abs(other).max(), err_msg=path)


def test_rematerialization_saves_memory(by_policy: dict[str, Any]) -> None:
    temporary = {policy: result[2] for policy, result in by_policy.items()}
    assert temporary["full"] < 0.5 * temporary["none"]
    assert temporary["full"] < temporary["names"] < temporary["none"]
    assert temporary["full"] < temporary["dots"] < temporary["none"]


def test_unknown_policy_is_refused() -> None:
    with pytest.raises(KeyError):
        llama.rematerialized(lambda x: x, "some")


def equations(jaxpr: Any) -> Iterator[Any]:
    """Every equation of a jaxpr and of those inside it."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(inner, "jaxpr", inner)
                if hasattr(inner, "eqns"):
                    yield from equations(inner)


@pytest.fixture(scope="module")
def program() -> list[Any]:
    """Equations of the forward pass to the logits, in bfloat16 over 7 layers."""
    config = dataclasses.replace(TINY, compute_dtype="bfloat16", num_hidden_layers=7)
    params = jax.eval_shape(lambda: llama.initialize(config, jax.random.key(0)))

    def logits(params: Any, tokens: jax.Array) -> jax.Array:
        return llama.logits(config, params, llama.forward(config, params, tokens))

    return list(equations(jax.make_jaxpr(logits)(params, jax.ShapeDtypeStruct((2, 24), jnp.int32)).jaxpr))


def test_layers_are_one_scan_over_stacked_parameters(program: list[Any]) -> None:
    scan, *rows = [equation for equation in program if equation.primitive.name == "scan"]
    assert scan.params["length"] == 7
    assert [equation.params["length"] for equation in rows] == [2]  # attention, a row of the batch at a time
    inputs = [variable.aval for variable in scan.invars]
    assert sum(aval.shape[:1] == (7,) for aval in inputs) == 9
    (kept,) = [variable.aval for variable in scan.outvars]
    assert (kept.shape, kept.dtype) == ((2, 24, 64), jnp.bfloat16)


def test_softmax_norms_and_logits_are_float32_under_bfloat16(program: list[Any]) -> None:
    def dtypes(primitive: str) -> set[str]:
        return {str(e.invars[0].aval.dtype) for e in program if e.primitive.name == primitive}

    assert dtypes("exp") == {"float32"}
    assert dtypes("rsqrt") == {"float32"}
    assert dtypes("cos") == {"float32"}
    products = [e for e in program if e.primitive.name == "dot_general"]
    assert {str(e.invars[0].aval.dtype) for e in products} == {"bfloat16"}
    (head,) = [e for e in products if e.outvars[0].aval.shape == (2, 24, 256)]
    groups = TINY.num_attention_heads // TINY.num_key_value_heads
    (scores,) = [e for e in products if e.outvars[0].aval.shape[-2:] == (groups * 24, 24)]
    assert {str(e.outvars[0].aval.dtype) for e in (head, scores)} == {"float32"}


def test_hidden_states_are_in_the_compute_dtype(params: dict[str, Any]) -> None:
    config = dataclasses.replace(TINY, compute_dtype="bfloat16")
    tokens = jax.ShapeDtypeStruct((2, 16), jnp.int32)
    assert jax.eval_shape(lambda p, t: llama.forward(config, p, t), params, tokens).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("preset", "length", "expected"),
    [
        # 6 x 6,607,077,376 + 6 x 32 x 4096 x 32 x 128
        ("llama2-7b", 4096, 6 * 6_607_077_376 + 6 * 32 * 4096 * 4096),
        ("llama3-8b", 8192, 6 * (8_030_261_248 - 128256 * 4096 - 65 * 4096) + 6 * 32 * 8192 * 4096),
    ],
)
def test_flops_convention(preset: str, length: int, expected: int) -> None:
    config = LlamaConfig.build(from_mapping({"model": {"preset": preset}}).model)
    assert config.flops_per_token(length) == expected


def test_description_carries_every_choice() -> None:
    tree = {"model": {"preset": "llama3.1-8b", "vocab_padding": 5}, "train": {"attention": "xla", "remat": "dots"}}
    config = from_mapping(tree)
    built = LlamaConfig.build(config.model, config.train)
    assert (built.attention, built.remat) == ("xla", "dots")
    assert (built.vocab_padding, built.num_tokens) == (5, 128256 - 5)
    assert built.rope_scaling is not None
    assert built.rope_scaling.original_max_position_embeddings == 8192
    assert (LlamaConfig.build(config.model).remat, LlamaConfig.build(config.model).attention) == ("none", "auto")
    assert hash(built) == hash(LlamaConfig.build(config.model, config.train))
