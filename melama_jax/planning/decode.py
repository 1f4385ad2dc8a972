"""What answering takes on accelerators that are not here: memory of the engine's own programs, and a bound on its time.

Weights and cache are exact for the layout that `melama_jax.inference` uses. What the programs need besides is read from
XLA's compilation for the target of a model with few layers, carried on to all of them; where the compiler for the
target is not installed, it is computed from the shapes that live at once. int4 is arithmetic alone: nothing runs it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding

from melama_jax.config import MeshConfig
from melama_jax.errors import ConfigError, MeshError
from melama_jax.inference import cache as caches
from melama_jax.inference import decoder
from melama_jax.inference.quantize import quantize_leaf
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.planning.estimate import Efficiency
from melama_jax.planning.targets import Target, devices_of, parse_target

WeightDtype = Literal["bfloat16", "int8", "int4"]
_BLOCK, _STOPS = 16, 4  # as the engine dispatches
_INT4_GROUP = 128
"""Inputs that share a bfloat16 scale, as common formats of 4 bits have it."""
_FEW_LAYERS = (2, 4)
_MOST_DEVICES = 8


@dataclasses.dataclass(frozen=True)
class DecodePlan:
    """One model on one kind of accelerator, answering one request at a time; bytes are of all devices together.

    Attributes:
        target: Accelerators, such as h100:1x2.
        weight_dtype: Of the layers' matrices; embedding and head are bfloat16.
        devices: The fewest of a node, split over heads and widths, that hold it.
        fits: Whether those do.
        weights: Bytes of the weights.
        cache: Bytes of keys and values of a whole context.
        workspace: Bytes that the larger one of prefill and decode needs besides.
        compiled: Whether XLA says so, or the shapes.
        token_seconds: Estimate of a token's time: weights and past read once, at the stated share of the memory's
            speed; a lower bound, since links and launches are left out.
        prompt_seconds: Estimate of the prompt's time, by its FLOPs or by reading the weights.
        answer_seconds: Estimate of the whole answer's.
        flops: 2 x parameters x (prompt and new tokens), as the published figure is counted.
    """

    target: str
    weight_dtype: WeightDtype
    devices: int
    fits: bool
    weights: int
    cache: int
    workspace: int
    compiled: bool
    token_seconds: float
    prompt_seconds: float
    answer_seconds: float
    flops: float

    @property
    def total(self) -> int:
        """Bytes at the highest."""
        return self.weights + self.cache + self.workspace


def plan_decode(
    model: LlamaConfig,
    hardware: str,
    weight_dtype: WeightDtype,
    *,
    prompt_tokens: int,
    new_tokens: int,
    max_length: int,
    compile_programs: bool = True,
    efficiency: Efficiency | None = None,
) -> DecodePlan:
    """Plan one request on the fewest GPUs of a node that hold the model.

    Args:
        model: The model; products are in bfloat16.
        hardware: a100-80gb, h100, h200, ...
        weight_dtype: How the layers' matrices are held.
        prompt_tokens: Of the request.
        new_tokens: Of the answer.
        max_length: Tokens that the cache has room for.
        compile_programs: Ask XLA for the workspace; else compute it.
        efficiency: Shares of the data sheet that are reached.

    Raises:
        ConfigError: The hardware is unknown or is no GPU.
    """
    model = dataclasses.replace(model, param_dtype="bfloat16", compute_dtype="bfloat16", matmul_dtype=None)
    efficiency = efficiency or Efficiency()
    held: WeightDtype = "bfloat16" if weight_dtype == "bfloat16" else "int8"  # 4 bits compute as 8
    for count in (2**n for n in range(int(math.log2(_MOST_DEVICES)) + 1)):
        target = parse_target(f"{hardware}:1x{count}")
        sheet = target.accelerator
        if sheet is None or target.platform != "cuda":
            raise ConfigError(f"deployment.hardware: {hardware!r} is no GPU that can be planned for; give a100-80gb")
        weights, read = weight_bytes(model, weight_dtype)
        cache = sum(_nbytes(x) for x in jax.tree.leaves(_abstract_cache(model, max_length)))
        workspace, compiled = _rough_workspace(model, prompt_tokens, cache, count), False
        if weights + cache + workspace > count * sheet.memory_bytes * target.usable and count < _MOST_DEVICES:
            continue
        if compile_programs:
            found = _compiled_workspace(model, target, held, prompt_tokens, max_length)
            if found is not None:
                workspace, compiled = found * count, True
        bandwidth = count * sheet.memory_bandwidth * efficiency.memory
        past = cache * (prompt_tokens + new_tokens / 2) / (max_length + _BLOCK)
        token = (read + past) / bandwidth
        prefill = 2 * model.matmul_parameters * prompt_tokens / (count * sheet.peak_flops * efficiency.matmul)
        plan = DecodePlan(
            target=target.name,
            weight_dtype=weight_dtype,
            devices=count,
            fits=weights + cache + workspace <= count * sheet.memory_bytes * target.usable,
            weights=weights,
            cache=cache,
            workspace=workspace,
            compiled=compiled,
            token_seconds=token,
            prompt_seconds=max(prefill, read / bandwidth),
            answer_seconds=max(prefill, read / bandwidth) + new_tokens * token,
            flops=2.0 * num_parameters(model) * (prompt_tokens + new_tokens),
        )
        if plan.fits or count == _MOST_DEVICES:
            return plan
    raise AssertionError


def num_parameters(model: LlamaConfig) -> int:
    """All parameters, embedding and norms included."""
    return sum(math.prod(shape) for shape, _, _ in llama.declaration(model).values())


def weight_bytes(model: LlamaConfig, weight_dtype: WeightDtype) -> tuple[int, int]:
    """Bytes of the weights as decoding holds them, and of those that every token reads (not the embedding's rows)."""
    held, embedding = 0, 0
    for path, (shape, _, dtype) in llama.declaration(model).items():
        leaf = jax.eval_shape(functools.partial(quantize_leaf, path), jax.ShapeDtypeStruct(shape, dtype))
        whole = jax.ShapeDtypeStruct(shape, dtype)
        if weight_dtype == "bfloat16" or len(jax.tree.leaves(leaf)) == 1:
            size = _nbytes(whole)
        elif weight_dtype == "int8":
            size = sum(_nbytes(x) for x in jax.tree.leaves(leaf))
        else:
            size = math.prod(shape) // 2 + 2 * math.prod(shape) // _INT4_GROUP
        held += size
        embedding += size if path == "embedding" and not model.tie_word_embeddings else 0
    return held, held - embedding


def _rough_workspace(model: LlamaConfig, prompt_tokens: int, cache: int, count: int) -> int:
    """Bytes on all devices, of prefill (one layer's widest arrays and scores) or of decode, whichever needs more.

    Decode copies the past that it looks at, and gathers the embedding where several devices share it.
    """
    d, f, h = model.hidden_size, model.intermediate_size, model.num_attention_heads
    prefill = 2 * prompt_tokens * (4 * d + 3 * f) + 8 * h * prompt_tokens * min(prompt_tokens, 256)
    gathered = 2 * model.vocab_size * d if count > 1 else 0
    return max(prefill * count, cache + gathered * count)


@functools.cache
def _compiled_workspace(
    model: LlamaConfig, target: Target, weight_dtype: WeightDtype, prompt_tokens: int, max_length: int
) -> int | None:
    """Temporary bytes of one device, of all layers; None where the target cannot be compiled for."""
    try:
        mesh = meshes.build_mesh(MeshConfig(fsdp=1, tensor=target.num_devices), devices_of(target))
        meshes.check_parameters(mesh, {name: x[:2] for name, x in llama.declaration(model).items()})
        few = [
            [
                _temporary(dataclasses.replace(model, num_hidden_layers=layers), mesh, weight_dtype, length, max_length)
                for length in (prompt_tokens, 0)
            ]
            for layers in _FEW_LAYERS
        ]
    except (ConfigError, MeshError, jax.errors.JaxRuntimeError):
        return None
    steps = (model.num_hidden_layers - _FEW_LAYERS[1]) / (_FEW_LAYERS[1] - _FEW_LAYERS[0])
    return max(int(more + max(0, more - less) * steps) for less, more in zip(*few, strict=True))


def _temporary(model: LlamaConfig, mesh: Mesh, weight_dtype: WeightDtype, prompt: int, max_length: int) -> int:
    """Temporary bytes of one device of the compiled prefill of a prompt (0: of a decode dispatch)."""

    def placed(x: Any, axes: tuple[str | None, ...]) -> jax.ShapeDtypeStruct:
        axes = tuple(axis if size > 1 else None for axis, size in zip(axes, x.shape, strict=False))
        return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=meshes.sharding_of(mesh, axes))

    def weight(path: tuple[Any, ...], x: Any) -> jax.ShapeDtypeStruct:
        name = next(key.key for key in path if getattr(key, "key", None) in decoder.AXES)
        return placed(x, decoder.AXES[name])

    weights = jax.tree_util.tree_map_with_path(weight, _abstract_weights(model, weight_dtype))
    cache = jax.tree.map(lambda x: placed(x, caches.AXES[: x.ndim]), _abstract_cache(model, max_length))
    draws = {name: np.stack([value]) for name, value in SamplingOptions().draws(0).items()}
    shardings = jax.tree.map(lambda x: x.sharding, cache)
    whole = NamedSharding(mesh, jax.sharding.PartitionSpec())
    with jax.set_mesh(mesh):
        if prompt:
            run, out = functools.partial(decoder.prefill, model), (shardings, whole, whole)
            arguments: tuple[Any, ...] = (np.zeros((1, prompt), np.int32), np.ones(1, np.int32), np.int32(0), draws)
        else:
            run, out = functools.partial(decoder.decode, model, max_length, block=_BLOCK), (shardings, *[whole] * 3)
            state = {name: np.zeros(1, np.int32) for name in ("token", "length", "remaining")}
            state |= {"stops": np.full((1, _STOPS), -1, np.int32)}
            arguments = (state, draws, np.int32(_BLOCK), np.bool_(False))
        compiled = jax.jit(run, donate_argnums=1, out_shardings=out).lower(weights, cache, *arguments).compile()
    analysis: Any = compiled.memory_analysis()
    return int(analysis.temp_size_in_bytes)


def _abstract_weights(model: LlamaConfig, weight_dtype: WeightDtype) -> Any:
    """Shapes of the weights as decoding holds them."""

    def make() -> Any:
        tree: dict[str, Any] = {}
        for path, (shape, _, dtype) in llama.declaration(model).items():
            *folders, name = path.split("/")
            place = tree
            for folder in folders:
                place = place.setdefault(folder, {})
            value = jnp.zeros(shape, dtype)
            place[name] = value if weight_dtype == "bfloat16" else quantize_leaf(path, value)
        layers = tree.pop("layers")
        laid_out = [decoder.prepare_layer(model, layers, jnp.int32(n)) for n in range(model.num_hidden_layers)]
        return {**decoder.prepare_others(model, tree), "layers": laid_out}

    return jax.eval_shape(make)


def _abstract_cache(model: LlamaConfig, max_length: int) -> Any:
    return jax.eval_shape(lambda: caches.allocate(model, 1, max_length + _BLOCK, "bfloat16"))


def _nbytes(x: Any) -> int:
    return math.prod(x.shape) * jnp.dtype(x.dtype).itemsize
