"""The chunked loss against whole logits: sums, gradients, memory."""

from __future__ import annotations

import contextlib
import functools
import math
import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training.loss import LossSums, cross_entropy, reference

BATCH, LENGTH, HIDDEN, VOCAB = 4, 10, 8, 24


pytestmark = pytest.mark.usefixtures("quick_compilation")


def inputs(dtype: Any = jnp.float32, *, weights: str = "mixed") -> tuple[jax.Array, ...]:
    random = np.random.default_rng(0)
    hidden = jnp.asarray(random.normal(size=(BATCH, LENGTH, HIDDEN)), dtype)
    head = jnp.asarray(random.normal(size=(HIDDEN, VOCAB)), jnp.float32)
    targets = jnp.asarray(random.integers(0, VOCAB, (BATCH, LENGTH)), jnp.int32)
    mixed = random.choice([0.0, 1.0, 0.25], (BATCH, LENGTH))
    chosen = {"mixed": mixed, "ones": np.ones_like(mixed), "zeros": np.zeros_like(mixed)}[weights]
    return hidden, head, targets, jnp.asarray(chosen, jnp.float32)


def with_gradients(loss: Any, arrays: tuple[jax.Array, ...], **options: Any) -> tuple[LossSums, Any]:
    """Sums, and gradients by hidden states and head of a multiple of the total."""
    hidden, head, targets, weights = arrays

    def total(hidden: jax.Array, head: jax.Array) -> tuple[jax.Array, LossSums]:
        sums = loss(hidden, head, targets, weights, **options)
        return 3.0 * sums.total, sums

    (_, sums), gradients = jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))(hidden, head)
    return sums, gradients


def assert_equal(found: tuple[LossSums, Any], expected: tuple[LossSums, Any], tolerance: float) -> None:
    for name, a, b in zip(LossSums._fields, found[0], expected[0], strict=True):
        assert float(a) == pytest.approx(float(b), rel=tolerance), name
    for name, a, b in zip(("hidden", "head"), found[1], expected[1], strict=True):
        b = np.asarray(b, np.float32)
        largest = np.abs(b).max()
        np.testing.assert_allclose(np.asarray(a, np.float32), b, rtol=0, atol=tolerance * largest, err_msg=name)


@pytest.fixture(scope="module", params=[0.0, 0.1], ids=["plain", "z-loss"])
def case(request: pytest.FixtureRequest) -> tuple[float, tuple[LossSums, Any]]:
    return request.param, with_gradients(reference, inputs(), z_loss=request.param)


def test_reference_is_the_formula() -> None:
    hidden, head, targets, weights = (np.asarray(x) for x in inputs())
    total = entropy = 0.0
    for b in range(BATCH):
        for t in range(LENGTH):
            logits = hidden[b, t].astype(np.float64) @ head
            partition = math.log(sum(math.exp(x) for x in logits))
            nll = partition - logits[targets[b, t]]
            entropy += weights[b, t] * nll
            total += weights[b, t] * (nll + 0.1 * partition**2)
    found = reference(*inputs(), z_loss=0.1)
    assert [float(x) for x in found] == pytest.approx([total, entropy, weights.sum()], rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 40, 1024])  # one token; not dividing 40 tokens; all; more than there are
def test_any_chunk_gives_the_reference(case: Any, chunk: int) -> None:
    z_loss, expected = case
    assert_equal(with_gradients(cross_entropy, inputs(), z_loss=z_loss, chunk_size=chunk), expected, 2e-6)


@pytest.mark.parametrize(
    "sizes",
    [{"fsdp": 2, "context": 2, "tensor": 2}, {"data": 2, "fsdp": 2, "tensor": 2}, {"fsdp": 1, "tensor": 8}],
    ids=["context", "data", "vocabulary"],
)
def test_any_mesh_gives_the_reference(case: Any, sizes: dict[str, int]) -> None:
    z_loss, expected = case
    with jax.set_mesh(build_mesh(MeshConfig(**sizes))):
        found = with_gradients(cross_entropy, inputs(), z_loss=z_loss, chunk_size=3)
    assert_equal(found, expected, 2e-6)


PADDING = 8


def padded(arrays: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
    """The same with columns of the head that would win every softmax."""
    hidden, head, *rest = arrays
    columns = 50.0 * np.random.default_rng(1).normal(size=(HIDDEN, PADDING))
    return hidden, jnp.concatenate([head, jnp.asarray(columns, head.dtype)], axis=1), *rest


@pytest.mark.parametrize(
    "sizes",
    [None, {"fsdp": 2, "context": 2, "tensor": 2}, {"data": 2, "fsdp": 1, "tensor": 4}, {"fsdp": 1, "tensor": 8}],
    ids=["one device", "part of a device's columns", "all of one device's", "all of two devices'"],
)
def test_padding_of_the_vocabulary_changes_no_number(case: Any, sizes: dict[str, int] | None) -> None:
    z_loss, expected = case
    options = {"z_loss": z_loss, "chunk_size": 3, "vocab_padding": PADDING}
    with jax.set_mesh(build_mesh(MeshConfig(**sizes))) if sizes else contextlib.nullcontext():
        sums, (hidden, head) = with_gradients(cross_entropy, padded(inputs()), **options)
        evaluated = jax.jit(functools.partial(cross_entropy, **options))(*padded(inputs()))
    assert_equal((sums, (hidden, head[:, :VOCAB])), expected, 2e-6)
    assert (np.asarray(head)[:, VOCAB:] == 0).all()
    assert [float(x) for x in evaluated] == pytest.approx([float(x) for x in expected[0]], rel=2e-6)


def test_reference_knows_the_padding(case: Any) -> None:
    z_loss, expected = case
    sums, (hidden, head) = with_gradients(reference, padded(inputs()), z_loss=z_loss, vocab_padding=PADDING)
    assert_equal((sums, (hidden, head[:, :VOCAB])), expected, 2e-6)
    assert (np.asarray(head)[:, VOCAB:] == 0).all()


def test_vocabulary_without_padding_is_not_masked() -> None:
    def program(**options: Any) -> str:
        gradient = jax.grad(lambda *arrays: cross_entropy(*arrays, **options).total, (0, 1))
        return str(jax.make_jaxpr(gradient)(*inputs()))

    assert "-inf" in program(vocab_padding=1)
    assert "-inf" not in program()
    assert program(vocab_padding=0) == program()


def test_gradient_of_the_head_lies_as_the_head() -> None:
    mesh = build_mesh(MeshConfig(fsdp=4, tensor=2))
    with jax.set_mesh(mesh):
        _, (hidden, head) = with_gradients(cross_entropy, inputs(), chunk_size=8)
    assert head.sharding.shard_shape(head.shape) == (HIDDEN // 4, VOCAB // 2)
    assert hidden.sharding.shard_shape(hidden.shape) == (BATCH // 4, LENGTH, HIDDEN)


def test_evaluation_without_gradients_gives_the_same_sums(case: Any) -> None:
    z_loss, (expected, _) = case
    found = jax.jit(lambda *a: cross_entropy(*a, z_loss=z_loss, chunk_size=7))(*inputs())
    assert [float(x) for x in found] == pytest.approx([float(x) for x in expected], rel=2e-6)


def test_no_target_anywhere_is_zero_and_moves_nothing() -> None:
    sums, gradients = with_gradients(cross_entropy, inputs(weights="zeros"), z_loss=0.1, chunk_size=7)
    assert [float(x) for x in sums] == [0.0, 0.0, 0.0]
    assert all((np.asarray(g) == 0).all() for g in gradients)


def test_bfloat16_products_with_float32_logits() -> None:
    hidden, head, *rest = inputs(jnp.bfloat16)
    expected = with_gradients(
        reference, (hidden.astype(jnp.float32), head.astype(jnp.bfloat16).astype(jnp.float32), *rest)
    )
    found = with_gradients(cross_entropy, (hidden, head, *rest), chunk_size=7)
    # Inputs are the same and logits are float32, so the sums agree as far as float32; gradients are rounded to 8 bits.
    assert [float(x) for x in found[0]] == pytest.approx([float(x) for x in expected[0]], rel=2e-6)
    assert_equal(found, expected, 1e-2)
    assert [g.dtype for g in found[1]] == [jnp.bfloat16, jnp.float32]


def test_compute_dtype_is_that_of_the_products() -> None:
    arrays = inputs()
    exact = float(cross_entropy(*arrays).total)
    rounded = float(cross_entropy(*arrays, compute_dtype=jnp.dtype(jnp.bfloat16)).total)
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=1e-2)


def test_large_logits_do_not_overflow() -> None:
    hidden, head, targets, weights = inputs(weights="ones")
    found = with_gradients(cross_entropy, (1e4 * hidden, head, targets, weights), chunk_size=7)
    assert all(np.isfinite(np.asarray(x)).all() for x in jax.tree.leaves(found))
    assert_equal(found, with_gradients(reference, (1e4 * hidden, head, targets, weights)), 1e-5)


def compiled(loss: Any, vocab: int, *, rows: int = 2, length: int = 1024, hidden: int = 16) -> Any:
    """The gradient program for a real vocabulary; compiled, never run."""
    shapes = (rows, length, hidden), (hidden, vocab), (rows, length), (rows, length)
    dtypes = jnp.float32, jnp.float32, jnp.int32, jnp.float32
    abstract = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
    return jax.jit(jax.grad(lambda *a: loss(*a).total, (0, 1))).lower(*abstract).compile()


def temporary_bytes(program: Any) -> int:
    return program.memory_analysis().temp_size_in_bytes


@pytest.mark.parametrize("vocab", [32_000, 128_256])
def test_memory_falls_with_the_chunk(vocab: int) -> None:
    whole = temporary_bytes(compiled(reference, vocab))
    assert whole > 2048 * vocab * 4  # the logits
    by_chunk = []
    for chunk in (512, 64):
        program = compiled(lambda *a, chunk=chunk: cross_entropy(*a, chunk_size=chunk), vocab)
        by_chunk.append(temporary_bytes(program))
        largest = max(
            math.prod(map(int, dims.split(","))) for dims in re.findall(r"\w\d+\[([\d,]+)\]", program.as_text())
        )
        assert largest <= chunk * vocab  # no array in the program holds the logits of all 2048 tokens
    assert by_chunk[0] < whole / 3
    assert by_chunk[1] < by_chunk[0] / 3
