"""AdamW: warm-up and decay of the learning rate, groups without weight decay, clipping by the global norm."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from melama_jax.config import OptimizerConfig


def learning_rate(config: OptimizerConfig, steps: int) -> optax.Schedule:
    """Learning rate by optimizer step, from 0.

    Step s of the warm-up takes peak * (s + 1) / warm-up steps, so that the first update already moves; after it the
    schedule falls from the peak towards its floor, which it would reach at `steps`.
    """
    warmup = round(config.warmup_ratio * steps)
    peak, floor = config.learning_rate, config.learning_rate * config.min_learning_rate_ratio
    rest = max(steps - warmup, 1)
    if config.schedule == "cosine":
        decay = optax.cosine_decay_schedule(peak, rest, alpha=config.min_learning_rate_ratio)
    elif config.schedule == "linear":
        decay = optax.linear_schedule(peak, floor, rest)
    else:
        decay = optax.constant_schedule(peak)
    if warmup == 0:
        return decay
    ramp = optax.linear_schedule(peak / warmup, peak + peak / warmup, warmup)
    return optax.join_schedules([ramp, decay], [warmup])


def build_optimizer(config: OptimizerConfig) -> optax.GradientTransformation:
    """Clipping, Adam and decoupled weight decay; the caller multiplies by minus the learning rate."""
    clip = optax.clip_by_global_norm(config.clip_norm) if config.clip_norm is not None else optax.identity()
    return optax.chain(
        clip,
        _scale_by_adam(config),
        optax.add_decayed_weights(config.weight_decay, mask=lambda params: decay_mask(config, params)),
    )


def decay_mask(config: OptimizerConfig, params: Any) -> Any:
    """True for every parameter that weight decay applies to."""
    return jax.tree_util.tree_map_with_path(
        lambda path, _: parameter_group(jax.tree_util.keystr(path, simple=True, separator="/")) not in config.no_decay,
        params,
    )


def parameter_group(path: str) -> str:
    """Group of a parameter by its path: norm, embedding, head or matrix."""
    if path.endswith("norm"):
        return "norm"
    return path if path in ("embedding", "head") else "matrix"


def _scale_by_adam(config: OptimizerConfig) -> optax.GradientTransformation:
    """`optax.scale_by_adam`, which stores only the first moment in a dtype of choice, with both so."""
    inner = optax.scale_by_adam(b1=config.b1, b2=config.b2, eps=config.eps, mu_dtype=config.mu_dtype)
    stored = jnp.dtype(config.nu_dtype)

    def cast(state: optax.ScaleByAdamState, dtype: jnp.dtype) -> optax.ScaleByAdamState:
        return state._replace(nu=jax.tree.map(lambda x: x.astype(dtype), state.nu))

    def init(params: optax.Params) -> optax.ScaleByAdamState:
        return cast(inner.init(params), stored)  # type: ignore[arg-type]  # optax types its states as any tree

    def update(updates: optax.Updates, state: Any, params: Any = None) -> tuple[optax.Updates, Any]:
        updates, state = inner.update(updates, cast(state, jnp.dtype(jnp.float32)), params)
        return updates, cast(state, stored)

    return optax.GradientTransformation(init, update)
