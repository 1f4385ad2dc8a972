"""The training state, its shapes and shardings without a byte allocated, and its initialization on a mesh."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec

from melama_jax.config import Config
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training.optimizer import build_optimizer


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything a step needs and changes; arrays, or their shapes and shardings.

    Attributes:
        step: Optimizer steps done, skipped ones included; int32.
        params: Nested dict of parameters.
        opt_state: State of the optimizer, sharded like the parameters.
        rng: Raw key data [2] uint32; fold in the step before use.
        skipped_in_a_row: Steps skipped for non-finite values since the last good one.
        skipped_longest: Most steps ever skipped in a row.
        skipped_total: Steps skipped since the start of the run.
    """

    step: Any
    params: llama.Params
    opt_state: Any
    rng: Any
    skipped_in_a_row: Any
    skipped_longest: Any
    skipped_total: Any


def abstract_state(config: Config, mesh: Mesh | AbstractMesh) -> TrainState:
    """Shapes, dtypes and shardings of the state; works on an `AbstractMesh`, in seconds for any size.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    params = abstract_params(LlamaConfig.build(config.model), mesh)
    replicated = NamedSharding(mesh, PartitionSpec())
    optimizer = build_optimizer(config.optimizer)
    opt_state = optax.tree_map_params(
        optimizer,
        lambda leaf, param: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=param.sharding),
        jax.eval_shape(optimizer.init, params),
        params,
        transform_non_params=lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=replicated),
    )
    count = jax.ShapeDtypeStruct((), jnp.int32, sharding=replicated)
    rng = jax.ShapeDtypeStruct((2,), jnp.uint32, sharding=replicated)
    return TrainState(count, params, opt_state, rng, count, count, count)


def abstract_params(model: LlamaConfig, mesh: Mesh | AbstractMesh) -> llama.Params:
    """Shapes, dtypes and shardings of the parameters, from the model's declaration.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    declared = llama.declaration(model)
    meshes.check_parameters(mesh, {path: (shape, axes) for path, (shape, axes, _) in declared.items()})
    tree: llama.Params = {}
    for path, (shape, axes, dtype) in declared.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = jax.ShapeDtypeStruct(shape, jnp.dtype(dtype), sharding=meshes.sharding_of(mesh, axes))
    return tree


def initialize_state(config: Config, mesh: Mesh, params: llama.Params | None = None) -> TrainState:
    """A fresh state on the mesh; parameters from the seed unless given. Values do not depend on the mesh."""
    model = LlamaConfig.build(config.model)
    optimizer = build_optimizer(config.optimizer)
    shardings = jax.tree.map(lambda leaf: leaf.sharding, abstract_state(config, mesh))

    def create(key: jax.Array, params: llama.Params | None) -> TrainState:
        draw, kept = jax.random.split(key)
        if params is None:
            params = llama.initialize(model, draw)
        zero = jnp.zeros((), jnp.int32)
        return TrainState(zero, params, optimizer.init(params), jax.random.key_data(kept), zero, zero, zero)

    with jax.set_mesh(mesh):
        key = jax.random.key(config.run.seed)
        return jax.jit(create, out_shardings=shardings, donate_argnums=1)(key, params)


def shard_bytes(tree: Any) -> int:
    """Bytes of a tree of (abstract) arrays that lie on one device."""
    return sum(
        math.prod(leaf.sharding.shard_shape(leaf.shape)) * jnp.dtype(leaf.dtype).itemsize
        for leaf in jax.tree.leaves(tree)
    )


def num_parameters(tree: Any) -> int:
    """Scalars in a tree of (abstract) arrays."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
