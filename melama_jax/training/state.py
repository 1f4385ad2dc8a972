"""The training state, its shapes and shardings without a byte allocated, and its initialization on a mesh.

With an adapter the model's own weights are the base: part of the state, but neither trained nor saved.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.sharding import AbstractMesh, Mesh, NamedSharding, PartitionSpec

from melama_jax.config import Config
from melama_jax.model import frozen, llama, lora
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training.fingerprint import leaf_name
from melama_jax.training.optimizer import build_optimizer


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class TrainState:
    """Everything a step needs and changes; arrays, or their shapes and shardings.

    Attributes:
        step: Optimizer steps done, skipped ones included; int32.
        params: Nested dict of the parameters that are trained: all of the model, or an adapter.
        opt_state: State of the optimizer, sharded like the parameters.
        rng: Raw key data [2] uint32; fold in the step before use.
        skipped_in_a_row: Steps skipped for non-finite values since the last good one.
        skipped_longest: Most steps ever skipped in a row.
        skipped_total: Steps skipped since the start of the run.
        base: Beside an adapter the model's frozen weights; else None. No checkpoint holds it.
    """

    step: Any
    params: llama.Params
    opt_state: Any
    rng: Any
    skipped_in_a_row: Any
    skipped_longest: Any
    skipped_total: Any
    base: Any = None


def model_of(config: Config) -> LlamaConfig:
    """The model as trained; its parameters in the dtype that `init.from` is read in."""
    model = LlamaConfig.build(config.model, config.train)
    if config.adapter is None:
        return model
    dtype = "float32" if config.adapter.base_dtype == "float32" else "bfloat16"
    return dataclasses.replace(model, param_dtype=dtype)


def abstract_state(config: Config, mesh: Mesh | AbstractMesh) -> TrainState:
    """Shapes, dtypes and shardings of the state; works on an `AbstractMesh`, in seconds for any size.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    params, base = abstract_weights(config, mesh), None
    if config.adapter is not None:
        params, base = _abstract(lora.declaration(model_of(config), config.adapter), mesh), abstract_base(config, mesh)
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
    return TrainState(count, params, opt_state, rng, count, count, count, base)


def abstract_weights(config: Config, mesh: Mesh | AbstractMesh) -> llama.Params:
    """What `init.from` is read into: all of the model, before any of it is quantized.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    return abstract_params(model_of(config), mesh)


def abstract_base(config: Config, mesh: Mesh | AbstractMesh) -> llama.Params:
    """The frozen weights beside an adapter, as they are kept.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    assert config.adapter is not None
    dtype, declared = config.adapter.base_dtype, llama.declaration(model_of(config))

    def one(path: Any, leaf: jax.ShapeDtypeStruct) -> Any:
        axes = declared[leaf_name(path)][1]
        kept = jax.eval_shape(lambda x: frozen.quantize(x, axes, dtype), leaf)
        return jax.tree.map(
            lambda part: jax.ShapeDtypeStruct(
                part.shape, part.dtype, sharding=meshes.sharding_where_divisible(mesh, part.shape, axes)
            ),
            kept,
        )

    return jax.tree_util.tree_map_with_path(one, abstract_weights(config, mesh))


def abstract_params(model: LlamaConfig, mesh: Mesh | AbstractMesh) -> llama.Params:
    """Shapes, dtypes and shardings of the parameters, from the model's declaration.

    Raises:
        MeshError: A mesh axis does not divide a dimension of the model.
    """
    declared = llama.declaration(model)
    return _abstract({path: found[:2] for path, found in declared.items()}, mesh, model.param_dtype)


def _abstract(
    declared: Mapping[str, tuple[tuple[int, ...], tuple[str, ...]]], mesh: Mesh | AbstractMesh, dtype: str = "float32"
) -> llama.Params:
    meshes.check_parameters(mesh, declared)
    tree: llama.Params = {}
    for path, (shape, axes) in declared.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = jax.ShapeDtypeStruct(shape, jnp.dtype(dtype), sharding=meshes.sharding_of(mesh, axes))
    return tree


def initialize_state(config: Config, mesh: Mesh, params: llama.Params | None = None) -> TrainState:
    """A fresh state on the mesh, whose values do not depend on it.

    Args:
        config: The resolved configuration.
        mesh: The device mesh.
        params: The model's weights; beside an adapter, as `abstract_base` has them. None draws them from the seed.
    """
    model, optimizer = model_of(config), build_optimizer(config.optimizer)
    abstract = dataclasses.replace(abstract_state(config, mesh), base=None)
    key = jax.random.key(config.run.seed)

    def create(key: jax.Array, params: llama.Params | None) -> TrainState:
        draw, kept = jax.random.split(key)
        if config.adapter is not None:
            params = lora.initialize(model, config.adapter, draw)
        elif params is None:
            params = llama.initialize(model, draw)
        zero = jnp.zeros((), jnp.int32)
        return TrainState(zero, params, optimizer.init(params), jax.random.key_data(kept), zero, zero, zero)

    def draw_base(key: jax.Array) -> llama.Params:
        declared, dtype = llama.declaration(model), config.adapter.base_dtype if config.adapter else ""
        weights = llama.initialize(model, key)
        return jax.tree_util.tree_map_with_path(
            lambda path, leaf: frozen.quantize(leaf, declared[leaf_name(path)][1], dtype), weights
        )

    with jax.set_mesh(mesh):
        trained = params if config.adapter is None else None
        state = jax.jit(create, out_shardings=_shardings(abstract), donate_argnums=1)(key, trained)
        if config.adapter is None:
            return state
        if params is None:
            params = jax.jit(draw_base, out_shardings=_shardings(abstract_base(config, mesh)))(key)
    return dataclasses.replace(state, base=params)


def make_whole_params(config: Config, mesh: Mesh) -> Callable[[TrainState], llama.Params]:
    """A function that gives the model's parameters, for what knows no adapters: as they are, or a merged copy.

    The copy is whole, in bfloat16 beside a quantized base; it lies beside the state for as long as it is used.
    """
    adapter = config.adapter
    if adapter is None:
        return lambda state: state.params
    shardings = _shardings(abstract_weights(config, mesh))
    merge = jax.jit(lambda base, params: lora.merge(model_of(config), adapter, base, params), out_shardings=shardings)

    def whole(state: TrainState) -> llama.Params:
        with jax.set_mesh(mesh):
            return merge(state.base, state.params)

    return whole


def flops_per_token(config: Config) -> float:
    """`LlamaConfig.flops_per_token` of a run."""
    model, declared = model_of(config), None
    if config.adapter is not None:
        declared = sum(math.prod(shape) for shape, _ in lora.declaration(model, config.adapter).values())
    return model.flops_per_token(config.train.sequence_length, declared)


def _shardings(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: leaf.sharding, tree)


def shard_bytes(tree: Any) -> int:
    """Bytes of a tree of (abstract) arrays that lie on one device."""
    return sum(
        math.prod(leaf.sharding.shard_shape(leaf.shape)) * jnp.dtype(leaf.dtype).itemsize
        for leaf in jax.tree.leaves(tree)
    )


def num_parameters(tree: Any) -> int:
    """Scalars in a tree of (abstract) arrays."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
