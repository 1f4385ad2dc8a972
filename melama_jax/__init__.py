"""melama_jax: continued pre-training of LLaMA on medical text in JAX and Flax."""

__version__ = "0.1.0"
