"""Scores of a text against a reference, an item at a time: ROUGE, BERTScore, BARTScore.

The last two need a model in a local folder; nothing is fetched. A text that is empty scores 0 (BARTScore: is scored as
an empty text). BARTScore is a mean log-likelihood, so it is negative and has no upper bound but 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from melama_jax.errors import ConfigError

_BERTSCORE_LAYERS = {12: 9, 24: 17}
"""Of encoders by depth, the layer that bert-score takes where its own table has no entry for the folder's name."""
_BATCH = 16


def rouge(answers: Sequence[str], references: Sequence[str], *, stemmer: bool) -> dict[str, Float[np.ndarray, " N"]]:
    """ROUGE-1, ROUGE-2 and ROUGE-L (F-measure) of each answer.

    Args:
        answers: The texts.
        references: What they are compared with.
        stemmer: Compare words by their Porter stems.
    """
    from rouge_score.rouge_scorer import RougeScorer  # pyright: ignore[reportMissingImports]

    names = ["rouge1", "rouge2", "rougeL"]
    scorer = RougeScorer(names, use_stemmer=stemmer)
    scores = [scorer.score(reference, answer) for reference, answer in zip(references, answers, strict=True)]
    return {name: np.asarray([score[name].fmeasure for score in scores]) for name in names}


def bertscore(answers: Sequence[str], references: Sequence[str], folder: str) -> Float[np.ndarray, " N"]:
    """BERTScore's F1 of each answer, without rescaling or idf.

    Args:
        answers: The texts.
        references: What they are compared with.
        folder: Of the encoder and its tokenizer; the layer is that which bert-score lists for the folder's name.

    Raises:
        ConfigError: The folder holds no encoder.
    """
    from bert_score import score  # pyright: ignore[reportMissingImports]
    from bert_score.utils import model2layers  # pyright: ignore[reportMissingImports]

    depth = _config(folder, "metrics.bertscore_model").get("num_hidden_layers", 12)
    layer = model2layers.get(Path(folder).name) or _BERTSCORE_LAYERS.get(depth, depth)
    found = np.zeros(len(answers))
    written = [place for place, answer in enumerate(answers) if answer.strip()]
    if written:
        texts, right = [answers[place] for place in written], [references[place] for place in written]
        scores: Any = score(texts, right, model_type=folder, num_layers=layer, batch_size=_BATCH)
        found[written] = scores[2].numpy()
    return found


def bartscore(answers: Sequence[str], references: Sequence[str], folder: str) -> Float[np.ndarray, " N"]:
    """BARTScore of each answer: mean log-likelihood of the reference's tokens given the answer.

    Args:
        answers: The texts.
        references: What they are compared with.
        folder: Of the BART model and its tokenizer; a `bart_score.pth` in it (the weights trained on paraphrases) takes
            the place of the model's own.

    Raises:
        ConfigError: The folder holds no BART model.
    """
    import torch  # pyright: ignore[reportMissingImports]
    from transformers import AutoTokenizer, BartForConditionalGeneration  # pyright: ignore[reportMissingImports]

    limit = _config(folder, "metrics.bartscore_model").get("max_position_embeddings", 1024)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = BartForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()
    paraphrases = Path(folder) / "bart_score.pth"
    if paraphrases.exists():
        model.load_state_dict(torch.load(paraphrases, map_location="cpu", weights_only=True))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    found: list[float] = []
    for start in range(0, len(answers), _BATCH):
        source, target = (
            tokenizer(
                list(texts[start : start + _BATCH]),
                padding=True,
                truncation=True,
                max_length=limit,
                return_tensors="pt",
            ).to(device)
            for texts in (answers, references)
        )
        with torch.no_grad():
            logits = model(**source, labels=target["input_ids"]).logits
        log_probs = logits.log_softmax(-1).gather(-1, target["input_ids"][..., None])[..., 0]
        mask = target["attention_mask"]
        found += ((log_probs * mask).sum(-1) / mask.sum(-1).clamp(min=1)).tolist()
    return np.asarray(found)


def _config(folder: str, key: str) -> dict[str, int]:
    """What the folder of a model says of it."""
    try:
        return json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{key}: {folder} holds no readable config.json of a model: {error}") from None
