"""The model card: what the run and the evaluation say, and nothing else."""

from pathlib import Path
from typing import Any

import yaml

from melama_jax.config import Config
from melama_jax.evaluation.model_card import Training, model_card, write_model_card
from tests.evaluation.reports import make_report

RECORDS = [
    {"step": 1, "train/loss": 5.5, "baseline/clinical/loss": 5.6},
    {"step": 10, "train/loss": 4.25, "eval/clinical/loss": 4.5, "tokens_per_second": 1234.5},
]


def _training(**sections: Any) -> Training:
    tree = {"model": {"preset": "tiny"}, "train": {"steps": 20, "global_batch_size": 8, "sequence_length": 100}}
    config = Config.model_validate(tree | sections)
    return Training("small", config, RECORDS, 10, {"jax": "0.10.2"}, {})


def _front_matter(card: str) -> dict[str, Any]:
    return yaml.safe_load(card.split("---\n")[1])


def test_the_front_matter_is_what_the_hub_reads():
    data = {"sources": {"clinical": [{"glob": "clinical/mimic_notes*.jsonl.gz"}, {"glob": "clinical/*"}]}}
    training = _training(data=data, init={"from": "weights/llama2-13b"})
    front = _front_matter(model_card(training, make_report()))
    assert front["language"] == "en"
    assert front["license"] == "other"
    assert front["base_model"] == "llama2-13b"
    assert front["datasets"] == ["biomedical", "mimic_notes", "clinical", "general"]
    assert "continued-pretraining" in front["tags"]
    (model,) = front["model-index"]
    assert model["name"] == "small"
    assert [one["dataset"]["type"] for one in model["results"]] == ["medqa", "mimic_cxr"]
    assert model["results"][0]["metrics"][0] == {
        "type": "accuracy",
        "name": "accuracy (generate, strict)",
        "value": 0.4125,
    }
    assert [one["type"] for one in model["results"][1]["metrics"]] == ["rougeL", "bartscore"]  # bertscore did not run


def test_data_is_stated_with_ratios_and_agreements():
    data = {"sources": {"clinical": [{"glob": "clinical/mimic_notes*.jsonl.gz"}, {"glob": "clinical/open.txt"}]}}
    card = model_card(_training(data=data), None)
    assert "| biomedical | 15 | 75.0% | 6,000 | biomedical/\\* | not recorded |" in card
    assert "| clinical | 1 | 5.0% | 400 | clinical/mimic_notes\\*.jsonl.gz | by its name credentialed: Phys" in card
    assert "|  |  |  |  | clinical/open.txt | not recorded |" in card
    assert "do not share these weights" in card


def test_without_credentialed_names_no_agreement_is_claimed():
    card = model_card(_training(), None)
    assert "do not share these weights" not in card
    assert "credentialed" not in card


def test_an_adapter_that_learned_from_conversations_is_stated_as_one():
    chats = [
        {"glob": "chats/*.jsonl", "format": "messages", "protected": True},
        {"glob": "*.json", "format": "alpaca"},
    ]
    data = {"mixture": "chats", "sources": {"chats": chats}, "attend_across_documents": False}
    adapter = {"rank": 8, "alpha": 16, "targets": ["query", "value"], "base_dtype": "nf4"}
    training = _training(data=data, adapter=adapter, init={"from": "runs/13b/checkpoints/40"})
    card = model_card(training, None)
    front = _front_matter(card)
    assert {"instruction-tuned", "lora"} < set(front["tags"])
    assert (front["base_model"], front["datasets"]) == ("13b", ["chats"])
    assert "| LoRA of rank 8, alpha 16, dropout 0.05, on query, value; the others frozen in nf4 |" in card
    assert "| objective | next token, on the answers alone |" in card
    assert "| chats/\\*.jsonl | marked as protected; the agreement is TO FILL IN |" in card
    assert "|  |  |  |  | \\*.json | not recorded |" in card
    assert "do not share these weights" in card
    assert "plain text" not in card
    assert "| trained weights | all |" in model_card(_training(), None)


def test_training_is_as_recorded_and_the_rest_stays_open():
    card = model_card(_training(), None)
    assert "| tokens seen | 8000 |" in card
    assert "| last training loss | 4.25 |" in card
    assert "| clinical | 5.600 | 4.500 | 10 |" in card
    assert "| kind and number of devices, hours, energy | not recorded. TO FILL IN |" in card
    assert "Trained from random parameters on 8,000 tokens." in card
    assert "It was not evaluated by melama_jax" in card
    assert "base_model" not in _front_matter(card)


def test_scores_stand_with_protocol_intervals_and_the_published_ones():
    card = model_card(None, make_report())
    assert (
        "| MedQA (USMLE) | 200 | accuracy | generate strict | 41.2 [35.0, 47.5] | 5.0% | 20.0 | 42.7 | 52.3 |" in card
    )
    assert "| MedQA (USMLE) | medqa version 1 (3f3f3f3f3f3f) | 0 | test | none | none | 42 |" in card
    assert "| deployment | generate measured | peak_memory | 141.2 GiB |" in card
    assert "Asked for but not run: MedNLI." in card
    assert "| MedQA (USMLE) | 190 | 10 | 19 | 1 |" in card
    assert "No training run was given" in card


def test_no_record_and_no_path_reaches_the_card():
    training = _training(data={"root": "/secret/folder"}, init={"from": "/secret/runs/seven/checkpoints/500"})
    report = make_report()
    report["model"]["path"] = "/secret/runs/seven"
    report["tasks"][-1]["not_run"] = "there is no /secret/mednli"
    card = model_card(training, report)
    assert "secret" not in card
    assert "<script>" not in card
    assert _front_matter(card)["base_model"] == "seven"


def test_a_title_with_quotes_and_colons_keeps_the_front_matter_readable():
    report = make_report()
    report["tasks"][0]["title"] = 'Med: "QA" # 1'
    assert _front_matter(model_card(None, report))["model-index"][0]["results"][0]["dataset"]["name"] == 'Med: "QA" # 1'


def test_it_is_written_whole(tmp_path: Path):
    write_model_card(tmp_path / "MODEL_CARD.md", training=_training(), report=None)
    assert [path.name for path in tmp_path.iterdir()] == ["MODEL_CARD.md"]
