"""One optimizer step and one evaluation step, pure functions of state and batch.

A training batch is a dict of arrays [A, B, T] (A micro-batches, B rows each, T tokens); an evaluation batch is [B, T].
Keys: inputs, targets, loss_weights, positions, and segment_ids where documents must not see each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, Mesh, NamedSharding

from melama_jax.config import Config
from melama_jax.errors import ConfigError
from melama_jax.model import llama, lora
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.hardware import has_fp8
from melama_jax.parallel.mesh import check_batch, spec_of
from melama_jax.training.loss import LossSums, cross_entropy
from melama_jax.training.optimizer import build_optimizer, learning_rate
from melama_jax.training.state import TrainState, abstract_state, model_of

Batch = dict[str, jax.Array]
Metrics = dict[str, jax.Array]


def batch_keys(config: Config) -> dict[str, jnp.dtype]:
    """Names and dtypes of a batch's arrays under this configuration."""
    keys = {"inputs": jnp.int32, "targets": jnp.int32, "loss_weights": jnp.float32, "positions": jnp.int32}
    if not config.data.attend_across_documents:
        keys["segment_ids"] = jnp.int32
    return {key: jnp.dtype(dtype) for key, dtype in keys.items()}


def batch_sharding(mesh: Mesh | AbstractMesh, *, stacked: bool) -> NamedSharding:
    """Layout of a batch's arrays: rows over data and fsdp, tokens over context."""
    axes = ("batch", "sequence")
    return NamedSharding(mesh, spec_of((None, *axes) if stacked else axes))


def abstract_batch(config: Config, mesh: Mesh | AbstractMesh) -> dict[str, jax.ShapeDtypeStruct]:
    """Shapes and shardings of a training batch."""
    train = config.train
    micro = train.global_batch_size // train.gradient_accumulation_steps
    shape = (train.gradient_accumulation_steps, micro, train.sequence_length)
    sharding = batch_sharding(mesh, stacked=True)
    return {key: jax.ShapeDtypeStruct(shape, dtype, sharding=sharding) for key, dtype in batch_keys(config).items()}


def check_layout(config: Config, mesh: Mesh | AbstractMesh) -> None:
    """Refuse what the mesh, its devices or the kernels cannot do, before anything is compiled or written.

    Raises:
        MeshError: The mesh cannot split the batches; names the setting and values that work.
        ConfigError: The devices lack fp8, or an attention backend cannot serve this model.
    """
    train = config.train
    if config.model.matmul_dtype == "fp8" and isinstance(mesh, Mesh) and not has_fp8(mesh.devices.flat[0]):
        raise ConfigError(
            f"model.matmul_dtype fp8 needs a GPU of compute capability 8.9 or later (H100, H200, B200), or a CPU, "
            f"which emulates it; found {mesh.devices.flat[0].device_kind}; set model.matmul_dtype: null"
        )
    micro = train.global_batch_size // train.gradient_accumulation_steps
    check_batch(mesh, rows=micro, sequence_length=train.sequence_length)
    if config.eval.interval is not None and config.eval.batch_size is not None:
        check_batch(mesh, rows=config.eval.batch_size, sequence_length=train.sequence_length, name="eval.batch_size")
    # Kernels refuse what they cannot do when they are traced.
    batch, state = abstract_batch(config, mesh), abstract_state(config, mesh)
    rows = {key: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype) for key, leaf in batch.items()}
    with jax.sharding.use_abstract_mesh(mesh if isinstance(mesh, AbstractMesh) else mesh.abstract_mesh):
        jax.eval_shape(make_eval_step(config), state.params, state.base, rows)


def loss_sums(
    config: Config,
    model: LlamaConfig,
    params: llama.Params,
    batch: Batch,
    *,
    base: llama.Params | None = None,
    key: jax.Array | None = None,
) -> LossSums:
    """Forward pass and summed loss of one micro-batch [B, T].

    Args:
        config: The resolved configuration.
        model: Its model.
        params: What is trained: all weights, or an adapter.
        batch: The micro-batch.
        base: The frozen weights beside an adapter.
        key: Of an adapter's dropout; None drops nothing.
    """
    weights, adapter = params, None
    if base is not None:
        assert config.adapter is not None
        weights, adapter = base, lora.attach(model, config.adapter, params, key)
    hidden = llama.forward(
        model,
        weights,
        batch["inputs"],
        positions=batch["positions"],
        segment_ids=batch.get("segment_ids"),
        adapter=adapter,
    )
    return cross_entropy(
        hidden,
        llama.head_matrix(model, weights),
        batch["targets"],
        batch["loss_weights"],
        z_loss=config.train.z_loss,
        chunk_size=config.train.loss_chunk_size,
        compute_dtype=model.compute,
        vocab_padding=model.vocab_padding,
        frozen_head=base is not None,
    )


def gradients(
    config: Config,
    params: llama.Params,
    batch: Batch,
    *,
    base: llama.Params | None = None,
    key: jax.Array | None = None,
) -> tuple[llama.Params, LossSums]:
    """Float32 gradients of the mean loss over all target tokens of a stacked batch [A, B, T], and the loss sums.

    Micro-batches are summed and divided once by the global count of target tokens, so accumulation is exact in tokens.
    Arguments are those of `loss_sums`; every micro-batch has a dropout key of its own.
    """
    model, accumulated = model_of(config), config.train.gradient_accumulation_steps

    def total(params: llama.Params, micro: Batch, key: jax.Array | None) -> tuple[jax.Array, LossSums]:
        sums = loss_sums(config, model, params, micro, base=base, key=key)
        return sums.total, sums

    def one(micro: tuple[Batch, jax.Array | None]) -> tuple[llama.Params, LossSums]:
        grads, sums = jax.grad(total, has_aux=True)(params, *micro)
        return jax.tree.map(lambda g: g.astype(jnp.float32), grads), sums

    micros = batch, None if key is None else jax.random.split(key, accumulated)
    if accumulated == 1:
        grads, sums = one(jax.tree.map(lambda x: x[0], micros))
    else:
        zeros = jax.tree.map(lambda p: jnp.zeros_like(p, jnp.float32), params)
        none = LossSums(*(jnp.zeros((), jnp.float32) for _ in LossSums._fields))

        def add(carry: Any, micro: Any) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, carry, one(micro)), None

        (grads, sums), _ = jax.lax.scan(add, (zeros, none), micros)
    scale = 1.0 / jnp.maximum(sums.weight, 1.0)
    return jax.tree.map(lambda g: g * scale, grads), sums


def make_train_step(config: Config) -> Callable[[TrainState, Batch], tuple[TrainState, Metrics]]:
    """The pure training step of a configuration; jit it with the state donated."""
    optimizer = build_optimizer(config.optimizer)
    schedule = learning_rate(config.optimizer, config.train.steps)

    def train_step(state: TrainState, batch: Batch) -> tuple[TrainState, Metrics]:
        key = None
        if config.adapter is not None:
            key = jax.random.fold_in(jax.random.wrap_key_data(state.rng), state.step)
        grads, sums = gradients(config, state.params, batch, base=state.base, key=key)
        grad_norm = optax.tree.norm(grads)
        finite = jnp.isfinite(sums.total) & jnp.isfinite(grad_norm)
        with jax.named_scope("optimizer"):
            updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
            rate = schedule(state.step)
            params = jax.tree.map(lambda p, u: (p - rate * u).astype(p.dtype), state.params, updates)

        # A select fuses into the update; a branch would hold the old and the new state at once.
        def keep(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(finite, new, old)

        skipped = jnp.where(finite, 0, 1).astype(jnp.int32)
        in_a_row = jnp.where(finite, 0, state.skipped_in_a_row + 1)
        next_state = dataclasses.replace(
            state,
            step=state.step + 1,
            params=jax.tree.map(keep, params, state.params),
            opt_state=jax.tree.map(keep, opt_state, state.opt_state),
            skipped_in_a_row=in_a_row,
            skipped_longest=jnp.maximum(state.skipped_longest, in_a_row),
            skipped_total=state.skipped_total + skipped,
        )
        metrics = {
            "loss": sums.cross_entropy / jnp.maximum(sums.weight, 1.0),
            "grad_norm": grad_norm,
            "learning_rate": jnp.asarray(rate, jnp.float32),
            "target_tokens": sums.weight,
            "skipped_longest": next_state.skipped_longest,
            "skipped_total": next_state.skipped_total,
        }
        if config.train.z_loss:
            metrics["z_loss"] = (sums.total - sums.cross_entropy) / jnp.maximum(sums.weight, 1.0)
        return next_state, metrics

    return train_step


def make_eval_step(config: Config) -> Callable[[llama.Params, llama.Params | None, Batch], LossSums]:
    """The pure evaluation step: loss sums of one batch [B, T] from a state's `params` and `base`."""
    model = model_of(config)
    return lambda params, base, batch: loss_sums(config, model, params, batch, base=base)


def compile_train_step(config: Config, mesh: Mesh, state: TrainState) -> jax.stages.Compiled:
    """Compile the training step ahead of time for a state's shapes and shardings, the state donated."""
    with jax.set_mesh(mesh):
        step = jax.jit(make_train_step(config), donate_argnums=0, out_shardings=(_shardings(state), None))
        return step.lower(state, abstract_batch(config, mesh)).compile()


def _shardings(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.sharding, tree)
