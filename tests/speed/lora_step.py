"""Our LoRA step against PEFT's on the CPU, in turns within one run: python tests/speed/lora_step.py.

Both train the same adapter (rank 16, alpha 32, dropout .05, all seven matrices) beside the same LLaMA in float32 with
AdamW on the same rows, each from random weights of its own; torch takes sdpa attention and its fused optimizer. Needs
torch, transformers and peft; no test runs it. Figures: docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import peft  # pyright: ignore[reportMissingImports]
import torch  # pyright: ignore[reportMissingImports]
import transformers  # pyright: ignore[reportMissingImports]

from melama_jax.config import from_mapping
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training import state as states
from melama_jax.training.step import batch_sharding, compile_train_step

VOCABULARY, HIDDEN, LAYERS, HEADS, KV_HEADS, MLP = 32000, 512, 8, 8, 4, 1376
RATE, RANK, ALPHA = 1e-4, 16, 32


def ours(rows: np.ndarray, settings: dict[str, Any], dropout: float) -> Callable[[], float]:
    """A function that runs one step of ours and returns its loss."""
    config = from_mapping(
        {
            "model": {
                "preset": "tiny",
                "vocab_size": VOCABULARY,
                "hidden_size": HIDDEN,
                "num_hidden_layers": LAYERS,
                "num_attention_heads": HEADS,
                "num_key_value_heads": KV_HEADS,
                "head_dim": HIDDEN // HEADS,
                "intermediate_size": MLP,
                "max_position_embeddings": rows.shape[1],
                "compute_dtype": "float32",
            },
            "train": {"global_batch_size": rows.shape[0], "sequence_length": rows.shape[1], "steps": 1000, **settings},
            "optimizer": {"learning_rate": RATE, "schedule": "constant", "warmup_ratio": 0.0, "clip_norm": None},
            "data": {"attend_across_documents": True},
            "init": {"from": "drawn"},
            "adapter": {"rank": RANK, "alpha": ALPHA, "dropout": dropout, "base_dtype": "float32"},
        }
    )
    mesh = build_mesh(config.mesh, jax.devices()[:1])
    state = states.initialize_state(config, mesh)
    compiled = compile_train_step(config, mesh, states.abstract_state(config, mesh))
    sharding = batch_sharding(mesh, stacked=True)
    weights = np.ones(rows.shape, np.float32)
    weights[:, -1] = 0
    arrays = {
        "inputs": rows,
        "targets": np.roll(rows, -1, 1),
        "loss_weights": weights,
        "positions": np.broadcast_to(np.arange(rows.shape[1], dtype=np.int32), rows.shape),
    }
    batch = {name: jax.device_put(jnp.asarray(array)[None], sharding) for name, array in arrays.items()}

    def step() -> float:
        nonlocal state
        state, metrics = compiled(state, batch)
        return float(metrics["loss"])

    return step


def theirs(rows: np.ndarray, dropout: float) -> Callable[[], float]:
    """A function that runs one step of PEFT, transformers and torch and returns its loss."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        intermediate_size=MLP,
        max_position_embeddings=rows.shape[1],
        use_cache=False,
    )
    base = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    adapter = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, lora_dropout=dropout, target_modules="all-linear")
    model = peft.get_peft_model(base, adapter).train()
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.95), weight_decay=1e-5, fused=True)
    tokens = torch.from_numpy(rows.astype(np.int64))

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main() -> None:
    """Time both in turns and print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=7, help="timed steps of each; default 7")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--remat", default="none")
    parser.add_argument("--attention", default="auto")
    parser.add_argument("--chunk", type=int, default=1024)
    arguments = parser.parse_args()
    rows = np.random.default_rng(0).integers(3, VOCABULARY, (arguments.batch, arguments.length), np.int32)
    settings = {"remat": arguments.remat, "attention": arguments.attention, "loss_chunk_size": arguments.chunk}
    steps = {"melama_jax": ours(rows, settings, arguments.dropout), "peft": theirs(rows, arguments.dropout)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    losses: dict[str, float] = {}
    for number in range(arguments.steps + 1):
        for name, step in steps.items():
            begun = time.perf_counter()
            losses[name] = step()
            if number:
                seconds[name].append(time.perf_counter() - begun)
    for name, taken in seconds.items():
        median = statistics.median(taken)
        spread = f"{min(taken):.2f} to {max(taken):.2f} s"
        print(
            f"{name:10} {median:.3f} s a step ({spread}), {rows.size / median:,.0f} tokens/s, loss {losses[name]:.4f}"
        )
    pairs = [a / b for a, b in zip(seconds["peft"], seconds["melama_jax"], strict=True)]
    print(
        f"melama_jax runs {statistics.median(pairs):.2f} times as many tokens/s ({min(pairs):.2f} to {max(pairs):.2f})"
    )


if __name__ == "__main__":
    main()
