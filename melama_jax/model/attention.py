"""One contract for causal attention, and its backends: reference, XLA, cuDNN flash and Triton (GPU), splash (TPU).

Shapes: B batch, T query tokens, S key tokens, H query heads, K key/value heads (H divisible by K), E head dim.

The contract: query i sees key j if j is not later than i and, where segment ids are given, both have the same one.
"Later" is by index, or by `positions` where those are given (they must rise within a segment). A backend that
cannot honour what it is given raises; none ever attends across documents silently.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from melama_jax.errors import ConfigError
from melama_jax.model.blockwise import Layout, Marks, blockwise
from melama_jax.model.packed import TRITON_BLOCK, cudnn_packed, triton
from melama_jax.parallel.hardware import compute_capability
from melama_jax.parallel.mesh import spec_of

Query = Float[Array, "B T H E"]
KeyValue = Float[Array, "B S K E"]
Ids = Int[Array, "B T"]

_SPLASH_BLOCK = 512


@jax.named_scope("attention")
def attention(
    q: Query,
    k: KeyValue,
    v: KeyValue,
    *,
    segment_ids: Ids | None = None,
    positions: Ids | None = None,
    backend: str = "auto",
) -> Query:
    """Scaled dot-product causal attention of a sequence over itself, softmax in float32.

    Under a mesh the batch lies on data and fsdp, heads on tensor, and the sequence on context: keys and values are then
    gathered over context, so the result is exact.

    Args:
        q: Queries.
        k: Keys; S = T.
        v: Values.
        segment_ids: Documents of a packed row; 0 is padding, which only sees padding. None: one document.
        positions: Where given, causality follows them instead of the index; splash refuses them.
        backend: reference, xla, cudnn, triton, splash, or auto (by the devices of the mesh, or the default device).

    Raises:
        ConfigError: The backend cannot serve this dtype, head dim, length or `positions`.
    """
    if q.shape[2] % k.shape[2]:
        raise ConfigError(f"attention: {k.shape[2]} key/value heads do not divide {q.shape[2]} query heads")
    if backend == "auto":
        shards = _context_shards()
        backend = auto_backend(
            q.dtype,
            q.shape[-1],
            q.shape[1] // shards,
            positions is not None,
            packed=segment_ids is not None and shards == 1,
        )
    return _BACKENDS[backend](q, k, v, segment_ids, positions)


def auto_backend(
    dtype: jnp.dtype,
    head_dim: int,
    length: int,
    has_positions: bool,
    platform: str | None = None,
    *,
    packed: bool = False,
) -> str:
    """The fastest backend that can serve such an input, of this length per context shard, on the platform.

    `packed` rows carry segment ids and are whole on each device: cuDNN would need a mask for them before Hopper.
    """
    platform = platform or _platform()
    if platform in ("gpu", "cuda") and _on_cudnn(dtype, head_dim):
        masked = packed and not _hopper_or_later()
        return "triton" if masked and not has_positions and length % TRITON_BLOCK == 0 else "cudnn"
    if platform == "tpu" and head_dim % 128 == 0 and length % 128 == 0 and not has_positions:
        return "splash"
    return "xla"


def causal_mask(length: int, segment_ids: Ids | None, positions: Ids | None) -> Bool[Array, "#B T T"]:
    """True where query (second dimension) may see key (third)."""
    order = jnp.arange(length)[None] if positions is None else positions
    mask = order[:, :, None] >= order[:, None, :]
    if segment_ids is not None:
        mask = mask & (segment_ids[:, :, None] == segment_ids[:, None, :])
    return mask


def _reference(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
    """The plain formula, one line a step; slow, and what the others are tested against."""
    batch, length, heads, head_dim = q.shape
    groups = heads // k.shape[2]
    q = q.reshape(batch, length, k.shape[2], groups, head_dim).astype(jnp.float32)
    scores = jnp.einsum("btkge,bske->bkgts", q, k.astype(jnp.float32), precision="highest") * head_dim**-0.5
    mask = causal_mask(length, segment_ids, positions)
    weights = jax.nn.softmax(jnp.where(mask[:, None, None], scores, -jnp.inf), axis=-1)
    out = jnp.einsum("bkgts,bske->btkge", weights, v.astype(jnp.float32), precision="highest")
    return out.reshape(batch, length, heads, head_dim).astype(v.dtype)


def _xla(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
    shards = _context_shards()
    layout = Layout(by_index=positions is None and shards == 1, row_by_row=_platform() == "cpu")

    def local(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
        start = jax.lax.axis_index("context") * q.shape[1] if shards > 1 else 0

        def own(x: Ids) -> Ids:
            return x if shards == 1 else jax.lax.dynamic_slice_in_dim(x, start, q.shape[1], 1)

        order = jnp.arange(k.shape[1])[None] if positions is None else positions
        order = jnp.broadcast_to(order, k.shape[:2])
        segments = (None, None) if segment_ids is None else (own(segment_ids), segment_ids)
        return blockwise(layout, q, k, v, Marks(own(order), order, *segments))

    return _per_shard(local, q, k, v, segment_ids, positions)


def _on_cudnn(dtype: Any, head_dim: int) -> bool:
    return jnp.dtype(dtype) in (jnp.bfloat16, jnp.float16) and head_dim <= 128 and head_dim % 8 == 0


def _cudnn(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
    if not _on_cudnn(q.dtype, q.shape[-1]):
        raise ConfigError(
            f"train.attention cudnn takes bfloat16 or float16 and a head_dim of at most 128 divisible by 8; found "
            f"{q.dtype} and {q.shape[-1]}; set model.compute_dtype: bfloat16, or train.attention: xla"
        )
    shards = _context_shards()

    def local(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
        if positions is None and shards == 1:
            if segment_ids is None:
                return jax.nn.dot_product_attention(q, k, v, is_causal=True, implementation="cudnn")
            if _hopper_or_later() and q.shape[1] % TRITON_BLOCK == 0 and q.size < 2**31:  # its offsets are int32
                return cudnn_packed(q, k, v, segment_ids)
        start = jax.lax.axis_index("context") * q.shape[1] if shards > 1 else 0
        length = k.shape[1]
        order = jnp.arange(length)[None] if positions is None else positions
        mask = jax.lax.dynamic_slice_in_dim(order, start, q.shape[1], 1)[:, :, None] >= order[:, None, :]
        if segment_ids is not None:
            own = jax.lax.dynamic_slice_in_dim(segment_ids, start, q.shape[1], 1)
            mask = mask & (own[:, :, None] == segment_ids[:, None, :])
        mask = jnp.broadcast_to(mask[:, None], (q.shape[0], 1, q.shape[1], length))
        return jax.nn.dot_product_attention(q, k, v, mask=mask, implementation="cudnn")

    return _per_shard(local, q, k, v, segment_ids, positions)


def _triton(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
    shards = _context_shards()
    if positions is not None or shards > 1 or q.shape[1] % TRITON_BLOCK or q.shape[-1] > 128:
        raise ConfigError(
            f"train.attention triton takes a sequence divisible by {TRITON_BLOCK} on one context shard, a head_dim of "
            f"at most 128 and no positions; found {q.shape[1]}, {shards} shards and {q.shape[-1]}; use auto"
        )

    def local(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, _: None) -> Query:
        return triton(q, k, v, segment_ids, interpret=_platform() == "cpu")

    return _per_shard(local, q, k, v, segment_ids, None)


def _splash(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, positions: Ids | None) -> Query:
    if positions is not None:
        raise ConfigError("train.attention splash is causal by index and takes no positions; use xla")
    length, heads, head_dim = q.shape[1:]
    shards = _context_shards()
    if head_dim % 128 or (length // shards) % 128:
        raise ConfigError(
            f"train.attention splash takes a head_dim and a sequence per context shard divisible by 128; found "
            f"{head_dim} and {length // shards}; use train.attention: xla"
        )
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_kernel as kernels
    from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask as masks

    mesh = jax.sharding.get_abstract_mesh()
    block = next(size for size in (_SPLASH_BLOCK, 256, 128) if (length // shards) % size == 0)
    kernel = kernels.make_splash_mha(
        masks.MultiHeadMask([masks.CausalMask((length, length)) for _ in range(heads)]),
        block_sizes=kernels.BlockSizes(
            block_q=block,
            block_kv=block,
            block_kv_compute=block,
            block_q_dkv=block,
            block_kv_dkv=block,
            block_kv_dkv_compute=block,
            block_q_dq=block,
            block_kv_dq=block,
        ),
        head_shards=1 if mesh.empty else mesh.shape["tensor"],
        q_seq_shards=shards,
        interpret=_platform() == "cpu",
    )

    def local(
        q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, _: None, kernel: kernels.SplashAttentionKernel
    ) -> Query:
        scaled = (q * head_dim**-0.5).astype(q.dtype)
        q, k, v = (x.transpose(0, 2, 1, 3) for x in (scaled, k, v))
        if segment_ids is None:
            out: Any = jax.vmap(lambda q, k, v: kernel(q, k, v))(q, k, v)
        else:
            start = jax.lax.axis_index("context") * q.shape[2] if shards > 1 else 0
            own = jax.lax.dynamic_slice_in_dim(segment_ids, start, q.shape[2], 1)
            ids = kernels.SegmentIds(q=own, kv=segment_ids)
            out = jax.vmap(lambda q, k, v, ids: kernel(q, k, v, segment_ids=ids))(q, k, v, ids)
        return out.transpose(0, 2, 1, 3)

    if mesh.empty:
        return local(q, k, v, segment_ids, None, kernel)
    kernel_spec = kernel.manual_sharding_spec(NamedSharding(mesh, PartitionSpec("tensor", "context")))
    return _per_shard(local, q, k, v, segment_ids, None, kernel, extra_specs=(kernel_spec,))


def _per_shard(local, q, k, v, segment_ids, positions, *extra, extra_specs=()):
    """Run a kernel on each device's own queries and the keys and values of the whole sequence."""
    if jax.sharding.get_abstract_mesh().empty:
        return local(q, k, v, segment_ids, positions, *extra)
    own = spec_of(("batch", "sequence", "heads", None))
    whole = spec_of(("batch", None, "kv_heads", None))
    rows = spec_of(("batch", None))
    return jax.shard_map(
        local,
        in_specs=(
            own,
            whole,
            whole,
            None if segment_ids is None else rows,
            None if positions is None else rows,
            *extra_specs,
        ),
        out_specs=own,
        check_vma=False,  # the kernels carry no varying-axes annotations
    )(q, k, v, segment_ids, positions, *extra)


def _context_shards() -> int:
    mesh = jax.sharding.get_abstract_mesh()
    return 1 if mesh.empty else mesh.shape["context"]


def _platform() -> str:
    """Platform of the devices a program is being built for, which need not be this machine's."""
    device = jax.sharding.get_abstract_mesh().abstract_device
    return jax.default_backend() if device is None else device.platform


def _hopper_or_later() -> bool:
    """Whether those devices are GPUs with cuDNN's packed layout."""
    device = jax.sharding.get_abstract_mesh().abstract_device
    if device is None or device.platform == jax.default_backend():
        device = jax.local_devices()[0]  # it knows more of itself than its kind tells
    capability = compute_capability(device)
    return capability is not None and capability >= (9, 0)


_BACKENDS = {"reference": _reference, "xla": _xla, "cudnn": _cudnn, "triton": _triton, "splash": _splash}
