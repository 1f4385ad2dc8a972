"""The one table of LLaMA's weights: where each lives in our tree, in a Hugging Face folder and in a Meta folder.

Shapes: L layers, D hidden, H query heads, K key/value heads, E head dim, F mlp, V vocabulary.

Between formats every weight of a layer is a matrix [rows, columns] = [out, in] with its rotary rows in Hugging Face's
order; a norm is a vector of rows. Readers and writers turn their own form into that one. Nothing else knows a key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

ROWS, COLUMNS = "rows", "columns"


@dataclasses.dataclass(frozen=True)
class Weight:
    """One weight of the model, or one of each layer.

    Attributes:
        ours: Path in our parameter tree; layers are stacked [L, ...] there.
        hf: Key in a Hugging Face folder; {layer} where there is one per layer.
        meta: Key in a Meta folder.
        rows: Logical axes of the output dimension, as `llama.declaration` names them.
        columns: Logical axes of the input dimension; none for a norm.
        transposed: Whether our array has the columns first.
        rotary: Whether the rows of a head are pairs that the rotary embedding turns: Meta keeps a pair together
            (0, 1), (2, 3), ..., Hugging Face and we keep halves (0, E/2), (1, E/2 + 1), ...
        split: Which dimension Meta's model parallelism cuts; None for copies in every shard.
        split_llama3: The same in LLaMA 3's code, where it differs.
    """

    ours: str
    hf: str
    meta: str
    rows: tuple[str, ...]
    columns: tuple[str, ...] = ()
    transposed: bool = False
    rotary: bool = False
    split: str | None = None
    split_llama3: str | None = None

    @property
    def module(self) -> str:
        """The module of a Hugging Face model that holds it, by the last part of its name."""
        return self.hf.split(".")[-2]

    @property
    def stacked(self) -> bool:
        """Whether there is one per layer."""
        return "{layer}" in self.hf

    def shape(self, sizes: Mapping[str, Any]) -> tuple[int, ...]:
        """[rows, columns], or [rows] for a norm, of a model of these sizes."""
        extents = _extents(sizes)
        dims = (self.rows, self.columns) if self.columns else (self.rows,)
        return tuple(int(np.prod([extents[axis] for axis in group])) for group in dims)

    def our_shape(self, sizes: Mapping[str, Any]) -> tuple[int, ...]:
        """Shape in our tree, layers included."""
        extents = _extents(sizes)
        groups = (self.columns, self.rows) if self.transposed else (self.rows, self.columns)
        stack = (extents["layers"],) if self.stacked else ()
        return (*stack, *(extents[axis] for group in groups for axis in group))

    def row_multiple(self, sizes: Mapping[str, Any]) -> int:
        """Rows that must stay together, because they are one head."""
        return int(sizes["head_dim"]) if self.rows[-1] == "head_dim" else 1

    def meta_split(self, *, llama3: bool) -> str | None:
        """The dimension that Meta's model parallelism cuts."""
        return (self.split_llama3 or self.split) if llama3 else self.split


_HF, _META = "model.layers.{layer}.", "layers.{layer}."
_HEADS, _KV_HEADS = ("heads", "head_dim"), ("kv_heads", "head_dim")
_EMBED, _MLP, _VOCAB, _NORM = ("embed",), ("mlp",), ("vocab",), ("norm",)

WEIGHTS: tuple[Weight, ...] = (
    Weight(
        "embedding",
        "model.embed_tokens.weight",
        "tok_embeddings.weight",
        _VOCAB,
        _EMBED,
        split=COLUMNS,
        split_llama3=ROWS,
    ),
    Weight(
        "layers/attention_norm",
        f"{_HF}input_layernorm.weight",
        f"{_META}attention_norm.weight",
        _NORM,
    ),
    Weight(
        "layers/attention/query",
        f"{_HF}self_attn.q_proj.weight",
        f"{_META}attention.wq.weight",
        _HEADS,
        _EMBED,
        transposed=True,
        rotary=True,
        split=ROWS,
    ),
    Weight(
        "layers/attention/key",
        f"{_HF}self_attn.k_proj.weight",
        f"{_META}attention.wk.weight",
        _KV_HEADS,
        _EMBED,
        transposed=True,
        rotary=True,
        split=ROWS,
    ),
    Weight(
        "layers/attention/value",
        f"{_HF}self_attn.v_proj.weight",
        f"{_META}attention.wv.weight",
        _KV_HEADS,
        _EMBED,
        transposed=True,
        split=ROWS,
    ),
    Weight(
        "layers/attention/out",
        f"{_HF}self_attn.o_proj.weight",
        f"{_META}attention.wo.weight",
        _EMBED,
        _HEADS,
        transposed=True,
        split=COLUMNS,
    ),
    Weight(
        "layers/mlp_norm",
        f"{_HF}post_attention_layernorm.weight",
        f"{_META}ffn_norm.weight",
        _NORM,
    ),
    Weight(
        "layers/mlp/gate",
        f"{_HF}mlp.gate_proj.weight",
        f"{_META}feed_forward.w1.weight",
        _MLP,
        _EMBED,
        transposed=True,
        split=ROWS,
    ),
    Weight(
        "layers/mlp/up",
        f"{_HF}mlp.up_proj.weight",
        f"{_META}feed_forward.w3.weight",
        _MLP,
        _EMBED,
        transposed=True,
        split=ROWS,
    ),
    Weight(
        "layers/mlp/down",
        f"{_HF}mlp.down_proj.weight",
        f"{_META}feed_forward.w2.weight",
        _EMBED,
        _MLP,
        transposed=True,
        split=COLUMNS,
    ),
    Weight("final_norm", "model.norm.weight", "norm.weight", _NORM),
    Weight("head", "lm_head.weight", "output.weight", _VOCAB, _EMBED, transposed=True, split=ROWS),
)
_BY_PATH = {weight.ours: weight for weight in WEIGHTS}
EMBEDDING, HEAD = _BY_PATH["embedding"], _BY_PATH["head"]
QUERY, GATE = _BY_PATH["layers/attention/query"], _BY_PATH["layers/mlp/gate"]
ADAPTED = {weight.ours.rsplit("/", 1)[-1]: weight for weight in WEIGHTS if weight.stacked and weight.columns}
"""The matrices of a layer, which adapters stand beside, by the names of `adapter.targets`."""
META_DERIVED = "rope.freqs"
"""In LLaMA 1 and 2 files: the rotary frequencies, which follow from the head dim and theta."""
HF_DERIVED = ".rotary_emb.inv_freq"
"""Ending of the same in old Hugging Face files."""


class Item(NamedTuple):
    """A weight of one layer (None for those that are not in a layer)."""

    weight: Weight
    layer: int | None

    @property
    def hf(self) -> str:
        """Key in a Hugging Face folder."""
        return self.weight.hf.format(layer=self.layer)

    @property
    def meta(self) -> str:
        """Key in a Meta folder."""
        return self.weight.meta.format(layer=self.layer)

    def peft(self, factor: str) -> str:
        """Key of a factor of its adapter, A or B, in a PEFT folder."""
        return f"base_model.model.{self.hf.removesuffix('weight')}lora_{factor}.weight"


def weights_of(sizes: Mapping[str, Any]) -> tuple[Weight, ...]:
    """The table's rows that a model of these sizes has: all, without the head where it is tied to the embedding."""
    return tuple(weight for weight in WEIGHTS if weight is not HEAD or not sizes["tie_word_embeddings"])


def items(sizes: Mapping[str, Any]) -> Iterator[Item]:
    """Every matrix and vector of a model, layer by layer: the order in which files are written."""
    present = weights_of(sizes)
    yield Item(EMBEDDING, None)
    for layer in range(int(sizes["num_hidden_layers"])):
        yield from (Item(weight, layer) for weight in present if weight.stacked)
    yield from (Item(weight, None) for weight in present if not weight.stacked and weight is not EMBEDDING)


def rotary_from_meta(rows: np.ndarray, head_dim: int) -> np.ndarray:
    """Reorder the rows [n E, D] of whole heads from Meta's adjacent pairs to halves."""
    return _swap(rows, head_dim // 2, 2)


def rotary_to_meta(rows: np.ndarray, head_dim: int) -> np.ndarray:
    """Reorder the rows [n E, D] of whole heads from halves to Meta's adjacent pairs."""
    return _swap(rows, 2, head_dim // 2)


def _swap(rows: np.ndarray, outer: int, inner: int) -> np.ndarray:
    heads = rows.reshape(-1, outer, inner, rows.shape[-1])
    return np.ascontiguousarray(heads.swapaxes(1, 2)).reshape(rows.shape)


def _extents(sizes: Mapping[str, Any]) -> dict[str, int]:
    return {
        "layers": int(sizes["num_hidden_layers"]),
        "vocab": int(sizes["vocab_size"]),
        "embed": int(sizes["hidden_size"]),
        "norm": int(sizes["hidden_size"]),
        "heads": int(sizes["num_attention_heads"]),
        "kv_heads": int(sizes["num_key_value_heads"]),
        "head_dim": int(sizes["head_dim"]),
        "mlp": int(sizes["intermediate_size"]),
    }
