"""The frozen weights beside an adapter, taken in one array at a time, and told apart by a hash."""

from __future__ import annotations

import functools
import operator
from typing import Any

import jax
from jax.sharding import Mesh

from melama_jax.config import Config
from melama_jax.errors import CheckpointError
from melama_jax.model import frozen, llama
from melama_jax.training import state
from melama_jax.training.checkpoint import CheckpointMeta, find_checkpoint
from melama_jax.training.fingerprint import digest, fingerprint


class BaseIntake:
    """Quantizes the arrays of `init.from` as they come, and remembers what they were."""

    def __init__(self, config: Config, mesh: Mesh):
        """Prepare for the base of a run with an adapter."""
        assert config.adapter is not None
        self._from = None if config.init.from_ is None else _read_from(config.init.from_)
        self._dtype, self._model = config.adapter.base_dtype, state.model_of(config)
        self._kept = state.abstract_base(config, mesh)
        self._prints: dict[str, int] = {}

    def __call__(self, path: str, value: jax.Array) -> frozen.Stored:
        """Take an array, in the dtype of `state.abstract_weights`, as the base has it; it is not there afterwards."""
        axes = llama.declaration(self._model)[path][1]
        self._prints[path] = int(_identified(value, axes, self._model.num_tokens))
        kept = functools.reduce(operator.getitem, path.split("/"), self._kept)
        if isinstance(kept, jax.ShapeDtypeStruct):
            return value
        shardings = jax.tree.map(lambda part: part.sharding, kept)
        made = jax.jit(frozen.quantize, static_argnums=(1, 2), out_shardings=shardings)(value, axes, self._dtype)
        jax.block_until_ready(made)
        value.delete()
        return made

    @property
    def meta(self) -> dict[str, Any]:
        """`CheckpointMeta.base`, once all arrays are taken.

        The fingerprint is the same on any mesh, from any format, and whatever the padding of the vocabulary.
        """
        return {"from": self._from, "fingerprint": digest(self._prints)}


def check_base(meta: CheckpointMeta, base: dict[str, Any], *, checkpoint: str) -> None:
    """Refuse an adapter that was trained beside other weights.

    Args:
        meta: Of its checkpoint.
        base: `BaseIntake.meta` of the weights at hand; empty without an adapter.
        checkpoint: For the message.

    Raises:
        CheckpointError: Naming both.
    """
    stored, now = meta.base.get("fingerprint"), base.get("fingerprint")
    if stored != now:
        raise CheckpointError(
            f"{checkpoint}: its adapter was trained beside the weights of {meta.base.get('from')} (fingerprint "
            f"{str(stored)[:12]}), but init.from {base.get('from')} holds others ({str(now)[:12]}); give those, or "
            f"start in another run.dir"
        )


def _read_from(path: str) -> str:
    """The step of a run that is read, as the run may train on; any other folder as it is given."""
    try:
        return str(find_checkpoint(path))
    except CheckpointError:
        return path


@functools.partial(jax.jit, static_argnums=(1, 2))
def _identified(value: jax.Array, axes: frozen.Axes, num_tokens: int) -> jax.Array:
    real = tuple(slice(num_tokens if axis == "vocab" else None) for axis in axes)
    return fingerprint({"": value[real]})[""]
