"""Benchmarks: official files and the hub's copies to items.

`DATASETS` names them. Their loaders live by what an answer is: `choice`, `labels`, `inference_pairs`, `entities`,
`texts`; `files` is what they share.
"""

from melama_jax.evaluation.datasets.files import MissingData
from melama_jax.evaluation.datasets.registry import DATASETS, RESPLIT, Dataset, draw, mmlu_subject, resplit

__all__ = ["DATASETS", "RESPLIT", "Dataset", "MissingData", "draw", "mmlu_subject", "resplit"]
