"""The same losses and gradients as PEFT on transformers' LLaMA, over steps of AdamW on both sides."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import from_mapping
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state, step
from tests.conversion import starts

MODULES = {
    "attention": {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"},
    "mlp": {"gate": "gate_proj", "up": "up_proj", "down": "down_proj"},
}
RATE, DECAY, ROWS, LENGTH = 1e-3, 1e-2, 4, 32


@pytest.mark.parametrize("stabilized", [False, True], ids=["lora", "rslora"])
def test_five_steps_are_those_of_peft(stabilized: bool, tmp_path: Any) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    sizes = LlamaConfig.build(from_mapping({"model": {"preset": "tiny", "compute_dtype": "float32"}}).model)
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    base = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **{name: getattr(sizes, name) for name in (*names, "num_key_value_heads", "rms_norm_eps")},
            max_position_embeddings=2048,
            rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_theta},
            initializer_range=0.1,
            attn_implementation="eager",
        )
    )
    base.save_pretrained(tmp_path)
    loaded = starts.load(tmp_path)
    assert loaded.config == sizes
    model = peft.get_peft_model(
        base,
        peft.LoraConfig(
            r=4,
            lora_alpha=8,
            lora_dropout=0.0,
            use_rslora=stabilized,
            target_modules=[name for block in MODULES.values() for name in block.values()],
            init_lora_weights=False,  # B is random too, so that every gradient is there from the first step
        ),
    ).train()

    config = from_mapping(
        {
            "model": {"preset": "tiny", "compute_dtype": "float32"},
            "train": {"steps": 100, "global_batch_size": ROWS, "sequence_length": LENGTH, "loss_chunk_size": 48},
            "optimizer": {
                "learning_rate": RATE,
                "schedule": "constant",
                "warmup_ratio": 0.0,
                "weight_decay": DECAY,
                "clip_norm": None,
            },
            "init": {"from": str(tmp_path)},
            "adapter": {"rank": 4, "alpha": 8, "dropout": 0.0, "rank_stabilized": stabilized, "base_dtype": "float32"},
        }
    )
    mesh = meshes.build_mesh(config.mesh, jax.devices()[:1])
    abstract = state.abstract_state(config, mesh)
    found = state.initialize_state(config, mesh, loaded.params)
    params = in_our_layout(model, abstract.params, lambda weight: weight.detach())
    found = dataclasses.replace(found, params=params)
    compiled = step.compile_train_step(config, mesh, abstract)
    gradients = jax.jit(functools.partial(step.gradients, config))

    tokens = np.random.default_rng(0).integers(0, sizes.vocab_size, (ROWS, LENGTH + 1))
    arrays = {
        "inputs": tokens[:, :-1],
        "targets": tokens[:, 1:],
        "loss_weights": np.ones((ROWS, LENGTH)),
        "positions": np.broadcast_to(np.arange(LENGTH), (ROWS, LENGTH)),
        "segment_ids": np.ones((ROWS, LENGTH)),
    }
    batch = {
        key: jax.device_put(arrays[key].reshape(leaf.shape).astype(leaf.dtype), leaf.sharding)
        for key, leaf in step.abstract_batch(config, mesh).items()
    }
    optimizer = torch.optim.AdamW(
        [weight for weight in model.parameters() if weight.requires_grad],
        lr=RATE,
        betas=(config.optimizer.b1, config.optimizer.b2),
        eps=config.optimizer.eps,
        weight_decay=DECAY,
    )
    losses = []
    for number in range(5):
        optimizer.zero_grad()
        logits = model(torch.from_numpy(arrays["inputs"])).logits
        loss = torch.nn.functional.cross_entropy(
            logits.reshape(-1, logits.shape[-1]), torch.from_numpy(arrays["targets"]).reshape(-1)
        )
        loss.backward()
        expected = in_our_layout(model, abstract.params, lambda weight: weight.grad)
        optimizer.step()
        with jax.set_mesh(mesh):
            grads, _ = gradients(found.params, batch, base=found.base)
        for (path, got), want in zip(
            jax.tree_util.tree_leaves_with_path(grads), jax.tree.leaves(expected), strict=True
        ):
            size = float(jnp.abs(want).max())
            assert size > 0
            where = f"step {number}: {jax.tree_util.keystr(path)}"
            np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * size, err_msg=where)
        found, metrics = compiled(found, batch)
        losses.append(float(metrics["loss"]))
        assert losses[-1] == pytest.approx(loss.item(), rel=1e-4)
    assert losses[-1] < losses[0] - 0.01


def in_our_layout(model: Any, abstract: Any, read: Any) -> Any:
    """PEFT's lora_A [r, in] and lora_B [out, r] of every layer, or their gradients, as `lora.declaration` has them."""
    tree: dict[str, Any] = {"layers": {}}
    layers = model.base_model.model.model.layers
    for block, matrices in MODULES.items():
        tree["layers"][block] = {}
        for name, module in matrices.items():
            own = [getattr(layer.self_attn if block == "attention" else layer.mlp, module) for layer in layers]
            for factor, leaf in abstract["layers"][block][name].items():
                weights = [getattr(one, f"lora_{factor.upper()}")["default"].weight for one in own]
                stack = np.stack([read(weight).numpy().T for weight in weights])
                tree["layers"][block].setdefault(name, {})[factor] = jax.device_put(
                    stack.reshape(leaf.shape), leaf.sharding
                )
    return tree
