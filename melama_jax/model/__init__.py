"""LLaMA as Flax NNX modules used functionally."""
