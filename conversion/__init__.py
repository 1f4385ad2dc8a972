"""Weights in and out: our Orbax checkpoints, Hugging Face folders and Meta LLaMA folders; see docs/conversion.md."""
