"""What is learned from packed conversations is what is learned from each alone."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import from_mapping
from melama_jax.data.packing import ConversationPacker, Row, RowLayout, unpack_row
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig

LENGTH = 24
TINY = LlamaConfig.build(from_mapping({"model": {"preset": "tiny", "compute_dtype": "float32"}}).model)

pytestmark = pytest.mark.usefixtures("quick_compilation")


def rows_of(conversations: list[tuple[np.ndarray, np.ndarray]]) -> list[Row]:
    layout = RowLayout(LENGTH, "uint16", "uint16", masked=True)
    packer = ConversationPacker(layout)
    records = [record for tokens, mask in conversations for record in packer.add(tokens, mask)] + packer.finish()
    return [unpack_row(record, layout, attend_across_documents=False) for record in records]


def test_the_loss_over_packed_rows_is_that_of_the_conversations_alone() -> None:
    rng = np.random.default_rng(0)
    conversations = [
        (rng.integers(1, TINY.vocab_size, size), rng.integers(0, 2, size)) for size in rng.integers(2, 12, 20)
    ]
    params = jax.jit(llama.initialize, static_argnums=0)(TINY, jax.random.key(0))
    params = jax.tree.map(lambda values: 8 * values, params)  # so that it matters what is seen

    @jax.jit
    def loss(row: dict[str, jax.Array]) -> jax.Array:
        batch = {name: values[None] for name, values in row.items()}
        hidden = llama.forward(
            TINY, params, batch["inputs"], positions=batch["positions"], segment_ids=batch["segment_ids"]
        )
        scores = jax.nn.log_softmax(llama.logits(TINY, params, hidden))
        chosen = jnp.take_along_axis(scores, batch["targets"][..., None], axis=-1)[..., 0]
        return -(chosen * batch["loss_weights"]).sum()

    packed = rows_of(conversations)
    alone = [row for conversation in conversations for row in rows_of([conversation])]
    assert len(packed) < len(alone) / 2
    total, expected = (float(sum(loss(row) for row in rows)) for rows in (packed, alone))
    assert expected > 100
    assert total == pytest.approx(expected, rel=1e-5)
    # It would not be if they saw each other.
    merged = [row | {"segment_ids": np.minimum(row["segment_ids"], 1)} for row in packed]
    assert float(sum(loss(row) for row in merged)) != pytest.approx(expected, rel=1e-2)
