"""Documents of packed rows on GPUs: what cuDNN is told of them, and JAX's Triton kernel, interpreted."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.errors import ConfigError
from melama_jax.model import attention as module
from melama_jax.model.attention import attention, auto_backend, causal_mask
from melama_jax.model.packed import MOST_DOCUMENTS, document_bounds
from melama_jax.parallel.mesh import build_mesh
from tests.model import attention_inputs as inputs

pytestmark = pytest.mark.usefixtures("quick_compilation")
T = 128
BFLOAT16 = 2e-2
"""As in test_attention.py: a backend rounds the softmax to 8 bits."""


def mask_of(starts: Any, lengths: Any, length: int) -> np.ndarray:
    """Which keys a kernel shows to which queries that computes each described document alone, causally."""
    mask = np.zeros((len(starts), length, length), bool)
    for row, (row_starts, row_lengths) in enumerate(zip(np.asarray(starts), np.asarray(lengths), strict=True)):
        for start, count in zip(row_starts, row_lengths, strict=False):
            if count > 0:
                mask[row, start : start + count, start : start + count] = np.tri(count, dtype=bool)
    return mask


def packings() -> Iterator[tuple[str, np.ndarray, int, bool]]:
    """Name, segment ids, most documents, whether those can be described."""
    yield "one document", np.ones((2, 12), np.int32), 4, True
    yield "padding alone", np.zeros((2, 12), np.int32), 4, True
    yield "every token a document", np.arange(1, 13)[None], 12, True
    yield "one more than the bound", np.arange(1, 13)[None], 11, False
    yield "a full row", np.repeat([[1, 2, 3]], 4, axis=1), 3, True
    yield "then padding", np.asarray([[1, 1, 1, 2, 0, 0], [5, 4, 4, 3, 3, 3]]), 4, True
    yield "rows of one token", np.asarray([[1], [0]]), 4, True
    yield "padding twice", np.asarray([[0, 1, 1, 0]]), 4, False
    yield "an id that comes back", np.asarray([[1, 2, 2, 1], [1, 1, 1, 1]]), 4, False
    random = np.random.default_rng(0)
    for number in range(8):
        cuts = np.sort(random.random((3, 40)) < random.random() * 0.3, axis=0)
        ids = 1 + np.cumsum(cuts, axis=1)
        ids[:, 40 - number :] = 0
        yield f"random {number}", random.permutation(60)[ids] + (ids > 0) * 60, 40, True


@pytest.mark.parametrize(("ids", "most", "fits"), [pytest.param(*case[1:], id=case[0]) for case in packings()])
def test_bounds_say_what_the_mask_says(ids: np.ndarray, most: int, fits: bool) -> None:
    starts, lengths, found = jax.jit(document_bounds, static_argnums=1)(jnp.asarray(ids, jnp.int32), most)
    assert (starts.dtype, lengths.dtype) == (jnp.int32, jnp.int32)  # cuDNN takes no other
    assert (starts.shape, lengths.shape) == ((len(ids), most + 1), (len(ids), most))
    assert bool(found) is fits
    exact = mask_of(starts, lengths, ids.shape[1])
    expected = np.asarray(causal_mask(ids.shape[1], jnp.asarray(ids), None))
    assert (exact == expected).all() == fits
    if fits:
        count = np.asarray([len(set(row)) for row in ids])
        assert ((np.asarray(starts) >= 0).sum(axis=1) == count).all()
        assert ((np.asarray(lengths) > 0).sum(axis=1) == count).all()


@pytest.fixture
def hopper(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """A Hopper GPU's choices; cuDNN's packed call is computed by XLA from the same offsets, and its shapes noted."""
    asked: list[tuple[int, ...]] = []

    def cudnn(q: Any, k: Any, v: Any, **options: Any) -> jax.Array:
        starts, lengths = options["q_offsets"], options["q_seqlen"]
        assert (options["kv_offsets"] is starts, options["kv_seqlen"] is lengths) == (True, True)
        assert options["mask_type"] == "PADDING_CAUSAL"
        asked.append((*q.shape, starts.shape[1]))
        place = jnp.arange(q.shape[1])
        inside = (place >= starts[:, :-1, None]) & (place < starts[:, :-1, None] + lengths[:, :, None])
        inside &= starts[:, :-1, None] >= 0
        mask = jnp.einsum("bmt,bms->bts", inside, inside) & (place[:, None] >= place)
        # What no document holds is never written.
        held = inside.any(1)[..., None, None]
        out = jax.nn.dot_product_attention(
            q, jnp.repeat(k, q.shape[2] // k.shape[2], 2), jnp.repeat(v, q.shape[2] // v.shape[2], 2),
            mask=mask[:, None], scale=options["scale"], implementation="xla",
        )  # fmt: skip
        return jnp.where(held, out, jnp.nan)

    stand_in = SimpleNamespace(dot_product_attention=cudnn, MaskType=SimpleNamespace(PADDING_CAUSAL="PADDING_CAUSAL"))
    monkeypatch.setattr("jax._src.cudnn.fused_attention_stablehlo", stand_in)
    monkeypatch.setattr(module, "_hopper_or_later", lambda: True)
    # The other branch by its formula; the kernel has its own test.
    monkeypatch.setattr("melama_jax.model.packed.triton", lambda q, k, v, ids: module._reference(q, k, v, ids, None))
    return asked


def arrays(**sizes: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    return inputs.draw(**({"length": T, "dtype": jnp.bfloat16, "heads": 2, "kv_heads": 1} | sizes))


def test_hopper_computes_documents_alone(hopper: list[tuple[int, ...]]) -> None:
    given = {"segment_ids": inputs.packed(T)}
    found = inputs.value_and_gradients("cudnn", *arrays(), **given)
    inputs.assert_close(found, inputs.value_and_gradients("reference", *arrays(), **given), BFLOAT16)
    assert {call[:4] for call in hopper} == {(2, T, 2, 8)}
    assert {call[4] for call in hopper} == {MOST_DOCUMENTS + 1}


@pytest.mark.parametrize("kind", ["too many", "comes back"])
def test_beyond_the_bound_the_other_kernel_is_taken(hopper: list[tuple[int, ...]], kind: str) -> None:
    place = np.tile(np.arange(T), (2, 1))
    ids = np.minimum(place, MOST_DOCUMENTS) if kind == "too many" else place // 4 % 5
    given = {"segment_ids": jnp.asarray(ids, jnp.int32)}
    found = inputs.value_and_gradients("cudnn", *arrays(), **given)
    inputs.assert_close(found, inputs.value_and_gradients("reference", *arrays(), **given), BFLOAT16)


def test_each_shard_describes_its_own_rows(hopper: list[tuple[int, ...]]) -> None:
    given = {"segment_ids": inputs.packed(T, batch=2)}
    expected = inputs.value_and_gradients("reference", *arrays(heads=4, kv_heads=2), **given)
    with jax.set_mesh(build_mesh(MeshConfig(fsdp=2, tensor=2), jax.devices()[:4])):
        found = inputs.value_and_gradients("cudnn", *arrays(heads=4, kv_heads=2), **given)
    inputs.assert_close(found, expected, BFLOAT16)
    assert {call[:4] for call in hopper} == {(1, T, 2, 8)}


@pytest.mark.parametrize(("sizes", "segmented"), [(None, False), (None, True), ({"fsdp": 2, "tensor": 2}, True)])
def test_triton_values_and_gradients(segmented: bool, sizes: dict[str, int] | None) -> None:
    drawn = arrays(length=2 * T, heads=4, kv_heads=2)
    given = {"segment_ids": inputs.packed(2 * T)} if segmented else {}
    expected = inputs.value_and_gradients("reference", *drawn, **given)
    if sizes is None:
        found = inputs.value_and_gradients("triton", *drawn, **given)
    else:
        with jax.set_mesh(build_mesh(MeshConfig(**sizes), jax.devices()[:4])):
            found = inputs.value_and_gradients("triton", *drawn, **given)
    inputs.assert_close(found, expected, BFLOAT16)


@pytest.mark.parametrize(
    ("sizes", "given", "problem"),
    [
        ({"length": 100}, {}, "found 100, 1 shards and 8"),
        ({"head_dim": 256}, {}, "found 128, 1 shards and 256"),
        ({}, {"positions": jnp.zeros((2, T), jnp.int32)}, "no positions"),
    ],
)
def test_triton_refuses_what_it_cannot_serve(sizes: dict[str, int], given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        attention(*arrays(**sizes), backend="triton", **given)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("hopper_or_later", "packed", "length", "backend"),
    [
        (False, True, 4096, "triton"),
        (False, True, 4100, "cudnn"),
        (False, False, 4096, "cudnn"),
        (True, True, 4096, "cudnn"),
    ],
)
def test_auto_on_packed_rows(
    hopper_or_later: bool, packed: bool, length: int, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_hopper_or_later", lambda: hopper_or_later)
    assert auto_backend(jnp.dtype("bfloat16"), 128, length, False, "gpu", packed=packed) == backend


@pytest.mark.parametrize("backend", ["reference", "xla", "triton", "splash", "cudnn"])
def test_gradients_do_not_cross_documents(backend: str, hopper: list[tuple[int, ...]]) -> None:
    """Document 1 and its cotangents change; results and gradients of all else stay the same to the bit."""
    sizes = {"heads": 2, "kv_heads": 1, "head_dim": 128 if backend == "splash" else 8}
    q, k, v = inputs.draw(length=T, dtype=jnp.float32 if backend == "splash" else jnp.bfloat16, **sizes)
    ids = inputs.packed(T)
    other = (ids == 1)[..., None, None]

    @jax.jit
    def run(q: jax.Array, k: jax.Array, v: jax.Array, cotangent: jax.Array) -> tuple[jax.Array, ...]:
        out, pull = jax.vjp(lambda *a: attention(*a, segment_ids=ids, backend=backend), q, k, v)
        return out, *pull(cotangent)

    before = run(q, k, v, jnp.ones_like(q))
    after = run(*(jnp.where(other, 3 - 2 * x, x) for x in (q, k, v)), jnp.where(other, -5 * jnp.ones_like(q), 1))
    kept, changed = np.asarray(ids != 1), np.asarray(ids == 1)
    for name, one, two in zip(("result", "dq", "dk", "dv"), before, after, strict=True):
        np.testing.assert_array_equal(np.asarray(one)[kept], np.asarray(two)[kept], err_msg=name)
        assert (np.asarray(one)[changed] != np.asarray(two)[changed]).any(), name
