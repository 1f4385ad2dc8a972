"""A short continuation after training, for a first look at what was learnt."""

from __future__ import annotations

from jax.sharding import Mesh

from melama_jax.config import Config
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.inference.engine import Engine, Request, SamplingOptions
from melama_jax.model.llama import Params
from melama_jax.model.llama_config import LlamaConfig

_TEMPERATURE = 0.7


def sample(config: Config, mesh: Mesh, params: Params) -> str:
    """A prompt (`log.sample_prompt`) with a continuation drawn from the model; every process must call this.

    Prompt and continuation have no more than `train.sequence_length` tokens: a long prompt is cut from the left, and
    leaves less than `log.sample_tokens` to draw, but one token always.
    """
    vocabulary, longest = load_vocabulary(config.data.vocabulary), max(2, config.train.sequence_length)
    prompt = vocabulary.encode(config.log.sample_prompt or "")
    if config.data.add_bos and vocabulary.bos_id is not None:
        prompt = [vocabulary.bos_id, *prompt]
    prompt = prompt or [vocabulary.eos_id or 0]
    new = max(1, min(config.log.sample_tokens, longest - len(prompt)))
    # Made for this alone: the cache is no longer than the text, and attention is chosen anew for another length.
    model, length = LlamaConfig.build(config.model), min(longest, len(prompt) + new)
    engine = Engine(model, params, vocabulary, mesh, max_length=length, batch_size=1)
    options = SamplingOptions(max_new_tokens=new, temperature=_TEMPERATURE, seed=config.run.seed)
    [done] = engine.generate([Request(prompt, options)])
    return vocabulary.decode([token for token in (*prompt, *done.tokens) if token < vocabulary.vocab_size])
