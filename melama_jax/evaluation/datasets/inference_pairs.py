"""A premise and a hypothesis: BioNLI, MedNLI, NLI4CT, MEDIQA's entailment of questions."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from melama_jax.evaluation.datasets.files import SPLIT_NAMES, Folder, Record, as_record, exports
from melama_jax.evaluation.datasets.items import Items, strip_lines
from melama_jax.evaluation.example import Loaded, Split

BIONLI = ("entailment", "contradiction")
MEDNLI = ("entailment", "contradiction", "neutral")
NLI4CT = ("Entailment", "Contradiction")
RQE = ("true", "false")
PERTURBATIONS = {
    "generation",
    "generation_nd",
    "generation_nd_SEN",
    "generation_nd_SRE",
    "SRE",
    "SREO",
    "SEP",
    "SEN",
    "SET",
    "LPR",
} | {"posToNeg", "negToPos", "swap_number"}
"""How BioNLI's wrong conclusions were made, as its `label_cat` says."""


def bionli(folder: Path, split: Split) -> Loaded:
    """BioNLI: an abstract without its conclusion, and the conclusion or a perturbed one.

    Official columns `supp_set`, `conclusion`, `label_cat` (`pos` is entailment), or `premise`, `hypothesis`, `label`.
    """
    source = Folder(folder)
    items = Items(source)
    own = [
        f"{name}{end}.csv" for name in SPLIT_NAMES[split] for end in ("_df_lrg_*", "_full", "_df_blnc_*", "_balanced")
    ]
    for record in source.records(*own, *exports(split)):
        fields = {
            "premise": record.text("supp_set", "premise", "sentence1"),
            "hypothesis": record.text("conclusion", "hypothesis", "sentence2"),
        }
        items.add(record.id("index", "id"), fields, _bionli_label(record), BIONLI)
    return items.loaded()


def _bionli_label(record: Record) -> str:
    if "label_cat" not in record.data:
        return record.label(BIONLI, "label", "gold_label")
    kind = record.text("label_cat")
    if kind != "pos" and kind not in PERTURBATIONS:
        raise record.error(f"'label_cat' is neither pos nor one of {', '.join(sorted(PERTURBATIONS))}")
    return "entailment" if kind == "pos" else "contradiction"


def mednli(folder: Path, split: Split) -> Loaded:
    """MedNLI: `mli_test_v1.jsonl` and the like."""
    source = Folder(folder)
    items = Items(source)
    official = [f"mli_{name}_v1.jsonl" for name in SPLIT_NAMES[split]]
    for record in source.records(*official, *exports(split)):
        fields = {
            "premise": record.text("sentence1", "premise"),
            "hypothesis": record.text("sentence2", "hypothesis"),
        }
        labelled = record.text("gold_label", "label") != "-"  # The annotators did not agree.
        gold = record.label(MEDNLI, "gold_label", "label") if labelled else None
        items.add(record.id("pairID", "id"), fields, gold, MEDNLI)
    return items.loaded()


def nli4ct(folder: Path, split: Split) -> Loaded:
    """NLI4CT: a statement, and the section of one clinical trial's record, or two's, that it speaks of."""
    source = Folder(folder)
    items = Items(source)
    names = SPLIT_NAMES[split]
    entry = source.find(*(f"{gold}{name}.json" for gold in ("gold_", "Gold_", "") for name in names))[0]
    # Read in order and once, for members of a .tar.gz are slow to come back to.
    trials = {PurePosixPath(trial.name).stem: trial.json() for trial in source.find("NCT*.json")}
    for id, value in as_record(entry.json(), entry.place, "").data.items():
        record = as_record(value, f"{entry.place}: {id}", id)
        used = {side: record.text(f"{side}_id") for side in ("Primary", "Secondary") if record.has(f"{side}_id")}
        if not trials.keys() >= set(used.values()):
            items.leave_out("trial record missing")
            continue
        sections = []
        for side, trial in used.items():
            section = as_record(trials[trial], trial, trial).texts(record.text("Section_id"))
            sections.append(f"{side} trial:\n{strip_lines(section)}")
        premise = "\n\n".join(sections)
        gold = record.label(NLI4CT, "Label")
        items.add(id, {"premise": premise, "hypothesis": record.text("Statement")}, gold, NLI4CT)
    return items.loaded()


def mediqa_rqe(folder: Path, split: Split) -> Loaded:
    """MEDIQA 2019 task 2: whether answers to a shorter question answer a consumer's health question."""
    source = Folder(folder)
    items = Items(source)
    name = {"train": "Train", "validation": "Validation", "test": "Test"}[split]
    for entry in source.find(f"*RQE*{name}*.xml"):
        for number, pair in enumerate(entry.xml().iter("pair"), 1):
            texts = {"premise": pair.findtext("chq", "").strip(), "hypothesis": pair.findtext("faq", "").strip()}
            id = pair.get("pid", str(number))
            record = Record(f"{entry.place}: pair {id}", pair.attrib, id)
            items.add(id, texts, record.label(RQE, "value"), RQE)
    return items.loaded()
