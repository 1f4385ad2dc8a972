"""How good is a model? Benchmarks, prompts, scorers and reports."""
