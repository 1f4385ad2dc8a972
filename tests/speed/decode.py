"""Our prefill and decode against transformers' on the CPU, in turns within one run: python tests/speed/decode.py.

Both continue the same random LLaMA greedily in float32, a prompt of 128 tokens by 64; transformers by `generate` with
its cache and sdpa attention. Ours in bfloat16 and with int8 weights is timed beside them. Prefill is the time to the
first token, decode the time of all further ones. Needs torch and transformers; no test runs it. Figures:
docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch  # pyright: ignore[reportMissingImports]
import transformers  # pyright: ignore[reportMissingImports]

from melama_jax.config import from_mapping
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.inference.engine import Engine, Request, SamplingOptions
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig

SIZES: dict[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "intermediate_size": 1376,
    "max_position_embeddings": 256,
}
Run = Callable[[int], Any]
"""Continues all prompts by so many tokens."""


def theirs(prompts: np.ndarray) -> Run:
    """Greedy continuation by transformers."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**SIZES, tie_word_embeddings=False)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval()
    tokens = torch.from_numpy(prompts.astype(np.int64))
    mask = torch.ones_like(tokens)
    options = {"do_sample": False, "eos_token_id": None, "pad_token_id": 0}

    @torch.inference_mode()
    def run(count: int) -> Any:
        return model.generate(tokens, attention_mask=mask, min_new_tokens=count, max_new_tokens=count, **options)

    return run


def ours(prompts: np.ndarray, dtype: str = "float32", weights: Any = None) -> Run:
    """Greedy continuation by the engine."""
    model = LlamaConfig.build(from_mapping({"model": {"preset": "tiny", **SIZES, "head_dim": 64}}).model)
    model = dataclasses.replace(model, compute_dtype=dtype)
    params = jax.jit(llama.initialize, static_argnums=0)(model, jax.random.key(0))
    vocabulary = load_vocabulary(None)
    vocabulary.eos_id = None  # nothing ends early
    engine = Engine(model, params, vocabulary, batch_size=len(prompts), max_length=256, weights=weights)

    def run(count: int) -> Any:
        options = SamplingOptions(max_new_tokens=count)
        return engine.generate([Request(prompt, options) for prompt in prompts.tolist()])

    return run


def main() -> None:
    """Time all in turns and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="timed runs of each; default 7")
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--float32-only", action="store_true")
    arguments = parser.parse_args()
    for batch in arguments.batches:
        prompts = np.random.default_rng(0).integers(3, SIZES["vocab_size"], (batch, arguments.prompt))
        runs = {"transformers": theirs(prompts), "float32": ours(prompts)}
        if not arguments.float32_only:
            runs |= {"bfloat16": ours(prompts, "bfloat16"), "int8": ours(prompts, "float32", "int8")}
        first: dict[str, list[float]] = {name: [] for name in runs}
        rest: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(arguments.rounds + 1):
            for name, run in runs.items():
                begun = time.perf_counter()
                run(1)
                middle = time.perf_counter()
                run(arguments.new)
                end = time.perf_counter()
                if number:  # the first one compiles
                    first[name].append(middle - begun)
                    rest[name].append(end - middle - (middle - begun))
        for name in runs:
            parts = []
            for label, taken, tokens in (
                ("prefill", first, batch * arguments.prompt),
                ("decode", rest, batch * (arguments.new - 1)),
            ):
                ratios = [a / b for a, b in zip(taken["transformers"], taken[name], strict=True)]
                rate = tokens / statistics.median(taken[name])
                spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
                parts.append(f"{label} {rate:7,.0f} tokens/s, {statistics.median(ratios):.2f} times ({spread})")
            print(f"batch {batch}  {name:12}  {'   '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
