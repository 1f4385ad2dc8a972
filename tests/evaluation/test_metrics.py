"""What is resampled gives the value that the library gives; definitions at their edges; texts against references."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from melama_jax.errors import ConfigError
from melama_jax.evaluation import text_metrics
from melama_jax.evaluation.statistics import wilson_interval

pytest.importorskip("sklearn")
pytest.importorskip("seqeval")

from melama_jax.evaluation import metrics

LABELS = ("a", "b", "c", "d", "never")
RNG = np.random.default_rng(0)


def holds(found: Mapping[str, metrics.Metric]) -> None:
    """The counts of all items give the library's value, and those of a draw give that of the drawn items."""
    for name, metric in found.items():
        assert metric.score(metric.counts.mean(axis=0)) == pytest.approx(metric.value, abs=1e-12), name


def draws(size: int) -> list[list[int]]:
    return [list(range(size)), *(RNG.integers(0, size, size).tolist() for _ in range(5)), [0], [0, 0, 1]]


def test_scores_of_single_labels_agree_with_scikit_learn_on_any_draw() -> None:
    gold = RNG.choice(LABELS[:4], 60, p=[0.6, 0.3, 0.08, 0.02]).tolist()
    answers: list[Any] = [g if RNG.random() < 0.5 else RNG.choice([*LABELS[:4], ""]) or None for g in gold]
    whole = metrics.single_label(gold, answers, LABELS, negative="a")
    for draw in draws(60):
        drawn = metrics.single_label([gold[i] for i in draw], [answers[i] for i in draw], LABELS, negative="a")
        holds(drawn)
        for name, metric in whole.items():
            assert metric.score(metric.counts[draw].mean(axis=0)) == pytest.approx(drawn[name].value), name


def test_scores_of_several_labels_agree_with_scikit_learn_on_any_draw() -> None:
    gold = [tuple(label for label in LABELS[:4] if RNG.random() < 0.3) for _ in range(40)]
    answers = [None if RNG.random() < 0.1 else tuple(x for x in LABELS[:4] if RNG.random() < 0.4) for _ in range(40)]
    whole = metrics.multi_label(gold, answers, LABELS)
    for draw in draws(40):
        drawn = metrics.multi_label([gold[i] for i in draw], [answers[i] for i in draw], LABELS)
        holds(drawn)
        for name, metric in whole.items():
            assert metric.score(metric.counts[draw].mean(axis=0)) == pytest.approx(drawn[name].value), name


def test_scores_of_entities_agree_with_seqeval() -> None:
    tags = ["O", "B-x", "I-x", "B-y", "I-y"]
    gold = [RNG.choice(tags, 12).tolist() for _ in range(30)]
    answers = [[t if RNG.random() < 0.8 else "O" for t in sentence] for sentence in gold]
    found = metrics.entities(gold, [*answers[:-1], None])
    assert 0.3 < found["macro_f1"].value < 1
    holds(found)


def test_label_that_nobody_has_does_not_lower_macro_f1_but_one_that_is_answered_wrongly_does() -> None:
    perfect = metrics.single_label(["a", "b"], ["a", "b"], LABELS)
    assert perfect["macro_f1"].value == 1
    found = metrics.single_label(["a", "b"], ["a", "c"], LABELS)
    assert found["macro_f1"].value == pytest.approx(1 / 3)
    assert found["macro_f1_gold_present"].value == pytest.approx(1 / 2)


def test_positive_f1_leaves_the_negative_label_out() -> None:
    found = metrics.single_label(["none", "none", "x"], ["none", "none", None], ("none", "x"), negative="none")
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert found["macro_f1_positive"].value == found["micro_f1_positive"].value == 0


@pytest.mark.parametrize(
    ("accepted", "answer", "expected"),
    [
        (("metoprolol 25 mg",), "Metoprolol, 25 mg.", (1, 1)),
        (("the chest pain",), "chest pain", (1, 1)),
        (("chest pain",), "pain", (0, 2 / 3)),
        (("fever", "high fever"), "high fever", (1, 1)),
        (("fever",), "twice daily", (0, 0)),
        (("fever fever",), "fever", (0, 2 / 3)),
        (("fever",), None, (0, 0)),
        (("...",), "the", (1, 1)),
    ],
)
def test_span_is_scored_as_squad_does(accepted: tuple[str, ...], answer: str, expected: tuple[float, float]) -> None:
    assert metrics.squad(accepted, answer) == pytest.approx(expected)


def test_rouge_compares_stems_where_it_is_told_to() -> None:
    pytest.importorskip("rouge_score")
    stemmed = text_metrics.rouge(["no effusions"], ["no effusion"], stemmer=True)
    plain = text_metrics.rouge(["no effusions"], ["no effusion"], stemmer=False)
    assert stemmed["rougeL"].tolist() == [1.0]
    assert plain["rougeL"].tolist() == [0.5]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("torch")
    words = ["<pad>", "<s>", "</s>", "<unk>", "no", "chest", "pain", "fever", "effusion"]
    tokenizers = pytest.importorskip("tokenizers")
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(words)}, "<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    inner.post_processor = tokenizers.processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 1), ("</s>", 2)])
    special = {"pad_token": "<pad>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=32, **special)


def test_bertscore_of_a_local_encoder_is_highest_for_the_reference_itself(tmp_path: Path, tokenizer: Any) -> None:
    pytest.importorskip("bert_score")
    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"vocab_size": 9, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.BertConfig(**sizes, intermediate_size=16, max_position_embeddings=32)
    transformers.BertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    found = text_metrics.bertscore(["no chest pain", "fever", " "], ["no chest pain"] * 3, str(tmp_path))
    assert found[0] == pytest.approx(1, abs=1e-5)
    assert found[1] < 0.999
    assert found[2] == 0


def test_bartscore_is_the_mean_log_likelihood_of_the_reference_given_the_answer(tmp_path: Path, tokenizer: Any) -> None:
    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "encoder_layers": 1,
        "decoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
    }
    ids: dict[str, Any] = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    config = transformers.BartConfig(
        vocab_size=9, d_model=16, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=32, **sizes, **ids
    )
    model = transformers.BartForConditionalGeneration(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    answers, references = ["fever", "no chest pain"], ["no effusion", "pain"]
    found = text_metrics.bartscore(answers, references, str(tmp_path))
    for answer, reference, value in zip(answers, references, found, strict=True):
        source, target = (tokenizer([text], return_tensors="pt") for text in (answer, reference))
        with torch.no_grad():
            loss = model(input_ids=source.input_ids, labels=target.input_ids).loss
        assert value == pytest.approx(-loss.item(), abs=1e-5)


def test_folder_without_a_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}))
    with pytest.raises(ConfigError, match=r"metrics.bertscore_model: .*absent holds no readable config.json"):
        text_metrics._config(str(tmp_path / "absent"), "metrics.bertscore_model")


def test_a_macro_f1_that_is_the_same_on_every_draw_has_no_interval() -> None:
    perfect = metrics.single_label(["a"] * 9, ["a"] * 9, LABELS)
    assert perfect["macro_f1"].summary(resamples=50, seed=0) == {"value": 1, "low": None, "high": None}
    accuracy = perfect["accuracy"].summary(resamples=50, seed=0)
    assert (accuracy["low"], accuracy["high"]) == wilson_interval(9, 9)
    even = metrics.item_mean([0.5] * 9).summary(resamples=50, seed=0)
    assert even == {"value": 0.5, "low": None, "high": None}
