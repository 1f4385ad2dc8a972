"""Texts with one label or several: research questions, relations, topics, specialties, follow-ups."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets.files import SPLIT_NAMES, Entry, Folder, MissingData, Record, as_record, exports
from melama_jax.evaluation.datasets.items import Items, strip_lines
from melama_jax.evaluation.example import Loaded, Split

YES_NO_MAYBE = ("yes", "no", "maybe")
YES_NO = ("yes", "no")
DDI = ("DDI-effect", "DDI-mechanism", "DDI-advise", "DDI-int", "DDI-false")
HALLMARKS = (
    "Sustaining proliferative signaling",
    "Evading growth suppressors",
    "Resisting cell death",
    "Enabling replicative immortality",
    "Inducing angiogenesis",
    "Activating invasion and metastasis",
    "Genomic instability and mutation",
    "Tumor promoting inflammation",
    "Cellular energetics",
    "Avoiding immune destruction",
)
SPECIALTIES = (
    "Allergy / Immunology",
    "Autopsy",
    "Bariatrics",
    "Cardiovascular / Pulmonary",
    "Chiropractic",
    "Consult - History and Phy.",
    "Cosmetic / Plastic Surgery",
    "Dentistry",
    "Dermatology",
    "Diets and Nutritions",
    "Discharge Summary",
    "ENT - Otolaryngology",
    "Emergency Room Reports",
    "Endocrinology",
    "Gastroenterology",
    "General Medicine",
    "Hematology - Oncology",
    "Hospice - Palliative Care",
    "IME-QME-Work Comp etc.",
    "Lab Medicine - Pathology",
    "Letters",
    "Nephrology",
    "Neurology",
    "Neurosurgery",
    "Obstetrics / Gynecology",
    "Office Notes",
    "Ophthalmology",
    "Orthopedic",
    "Pain Management",
    "Pediatrics - Neonatal",
    "Physical Medicine - Rehab",
    "Podiatry",
    "Psychiatry / Psychology",
    "Radiology",
    "Rheumatology",
    "SOAP / Chart / Progress Notes",
    "Sleep Medicine",
    "Speech - Language",
    "Surgery",
    "Urology",
)
FOLLOW_UPS = {
    "I-Imaging-related followup": "Imaging",
    "I-Appointment-related followup": "Appointment",
    "I-Medication-related followups": "Medication",
    "I-Procedure-related followup": "Procedure",
    "I-Lab-related followup": "Lab",
    "I-Case-specific instructions for patient": "Patient instructions",
    "I-Other helpful contextual information": "Other",
}
"""CLIP's labels as its files spell them, and as answers."""

_HUB_HALLMARKS = (
    *(HALLMARKS[index] for index in (1, 7, 3, 8, 2, 5, 6)),
    None,
    *(HALLMARKS[index] for index in (4, 0, 9)),
)
_BLUE_HALLMARKS = sorted(HALLMARKS)
_SPLIT_SEED = 42


def split_by_hash(text: str) -> Split:
    """The split of a text in a set without official ones: 70% training, 10% validation, 20% test, by a seeded hash."""
    digest = hashlib.blake2b(f"{_SPLIT_SEED}:{text}".encode(errors="surrogatepass"), digest_size=8).digest()
    share = int.from_bytes(digest, "big") / 2**64
    return "test" if share < 0.2 else "validation" if share < 0.3 else "train"


def pubmedqa(folder: Path, split: Split) -> Loaded:
    """PubMedQA: test is what `test_ground_truth.json` lists, validation the other labelled questions, train PQA-A."""
    source = Folder(folder)
    items = Items(source)
    truth: dict[str, Any] | None = None
    if split == "train":
        patterns = ("ori_pqaa.json", "pqa_artificial/*.parquet", *exports(split))
        if any("pqa_labeled" in entry.name for entry in source.find(*patterns)):  # The hub calls all of it `train`.
            raise MissingData(
                f"{folder}: has PQA-L only, which is no training set; add ori_pqaa.json or pqa_artificial/"
            )
    else:
        patterns = ("ori_pqal.json", "pqa_labeled/*.parquet", "pqa_labeled.jsonl", "pqa_labeled.json", *exports(split))
        listed = source.find("test_ground_truth.json", required=False)
        truth = listed[0].json() if listed else None
        if truth is None:  # PQA-L as a whole is no split.
            patterns = exports(split)
            if not source.find(*patterns, required=False):
                source.find("test_ground_truth.json")
    seen = set()
    for record in source.records(*patterns):
        id = record.id("pubid", "PMID", "pmid", "id")
        if truth is not None and (id in truth) != (split == "test"):
            continue
        seen.add(id)
        gold = record.label(YES_NO_MAYBE, "final_decision")
        if truth is not None and split == "test" and truth[id] != gold:
            raise record.error("'final_decision' differs from test_ground_truth.json")
        contexts = record.texts("CONTEXTS") if record.has("CONTEXTS") else record.mapping("context").texts("contexts")
        question = record.text("QUESTION", "question")
        items.add(id, {"context": strip_lines(contexts), "question": question}, gold, YES_NO_MAYBE)
    for _ in set(truth or ()) - seen if split == "test" else ():
        items.leave_out("in test_ground_truth.json but not among the questions")
    return items.loaded()


def bioasq(folder: Path, split: Split) -> Loaded:
    """Yes/no questions of BioASQ: the golden files are the test set, a training file the training set."""
    source = Folder(folder)
    items = Items(source)
    patterns = ("*golden*.json",) if split == "test" else ("*training*.json", "*train*.json")
    for entry in source.find(*patterns):
        questions = entry.json()
        if not isinstance(questions, dict) or not isinstance(questions.get("questions"), list):
            raise DataError(f"{entry.place}: no 'questions' list")
        for number, question in enumerate(questions["questions"], 1):
            record = as_record(question, f"{entry.place}: question {number}", str(number))
            if record.text("type") != "yesno":
                items.leave_out("no yes/no question")
                continue
            answer = record.value("exact_answer")
            gold = next((str(item).lower() for item in (answer if isinstance(answer, list) else [answer]) if item), "")
            if gold not in (*YES_NO, ""):
                raise record.error("'exact_answer' is neither yes nor no")
            snippets = record.data.get("snippets") or []
            context = strip_lines(str(snippet.get("text", "")) for snippet in snippets)
            fields = {"context": context, "question": record.text("body")}
            items.add(record.id("id"), fields, gold, YES_NO, may_be_empty="context")
    return items.loaded()


def ddi2013(folder: Path, split: Split) -> Loaded:
    """Drug-drug interactions: a pair of drugs a record, both masked as `@DRUG$`.

    Official XML under folders (or in archives) named `Train...` and `Test...`, or tables `index`, `sentence`, `label`.
    A drug of several pieces is masked at its first; drugs that overlap are masked together as `@DRUG-DRUG$`.
    """
    source = Folder(folder)
    items = Items(source)
    if source.find(*exports(split), required=False):
        for record in source.records(*exports(split)):
            gold = record.label(DDI, "label")
            items.add(record.id("index", "id"), {"sentence": record.text("sentence")}, gold, DDI)
        return items.loaded()
    documents = [entry for entry in source.find("*.xml") if _split_of_path(entry) == split]
    for entry in documents:
        for sentence in entry.xml().iter("sentence"):
            places = {
                entity.get("id"): _first_piece(entity.get("charOffset"), entry) for entity in sentence.iter("entity")
            }
            for pair in sentence.iter("pair"):
                id, kind = pair.get("id", ""), pair.get("type")
                if pair.get("e1") not in places or pair.get("e2") not in places:
                    raise DataError(f"{entry.place}: {id}: 'e1' or 'e2' is no entity of the sentence")
                if pair.get("ddi") == "true" and kind is None:
                    items.leave_out("interaction without a type")
                    continue
                gold = f"DDI-{kind}" if pair.get("ddi") == "true" else "DDI-false"
                if gold not in DDI:
                    raise DataError(f"{entry.place}: {id}: 'type' is none of {', '.join(DDI)}")
                text = _masked(sentence.get("text", ""), places[pair.get("e1")], places[pair.get("e2")])
                items.add(id, {"sentence": text}, gold, DDI)
    if not documents:
        raise MissingData(f"{folder}: has neither {split}.tsv nor an .xml file under a folder named {split}...")
    return items.loaded()


def _split_of_path(entry: Entry) -> Split | None:
    """The split that the folders or the archive of a file are named after."""
    if "drugner" in entry.name.lower():  # The official test set of another task.
        return None
    for part in PurePosixPath(entry.name).parts[:-1]:
        for split in ("train", "test"):
            if part.lower().startswith(split):
                return split
    return None


def _first_piece(offsets: str | None, entry: Entry) -> tuple[int, int]:
    match = re.match(r"(\d+)-(\d+)", offsets or "")
    if match is None:
        raise DataError(f"{entry.place}: an entity's 'charOffset' is not like 3-9")
    return int(match[1]), int(match[2]) + 1


def _masked(text: str, first: tuple[int, int], second: tuple[int, int]) -> str:
    first, second = sorted((first, second))
    if second[0] < first[1]:
        masked = f"{text[: first[0]]}@DRUG-DRUG${text[max(first[1], second[1]) :]}"
    else:
        masked = f"{text[: first[0]]}@DRUG${text[first[1] : second[0]]}@DRUG${text[second[1] :]}"
    return " ".join(masked.split())


def hoc(folder: Path, split: Split) -> Loaded:
    """Hallmarks of Cancer: an abstract's labels are those of its sentences.

    Official `text/` and `labels/` (levels by `--`, several by `AND`, one sentence after each `<`) with the published
    lists of documents (`test_pmid.tsv` or `test_docid.txt`), else split by a hash of the PMID; or a table of sentences.
    """
    source = Folder(folder)
    items = Items(source)
    texts: dict[str, list[str]] = {}
    labels: dict[str, set[str]] = {}
    if source.find("labels/*.txt", required=False):
        wanted = _listed(source, split)
        for entry in source.find("text/*.txt"):
            texts[PurePosixPath(entry.name).stem] = entry.text().splitlines()
        for entry in source.find("labels/*.txt"):
            document = PurePosixPath(entry.name).stem
            if document not in texts:
                raise DataError(f"{entry.place}: has no text/{document}.txt")
            if document in wanted if wanted is not None else split_by_hash(document) == split:
                names = [name.split("--")[0] for part in entry.text().split("<") for name in part.split("AND")]
                labels[document] = {_hallmark(name, entry.place) for name in names if name.strip() not in ("", "NULL")}
        for _ in (wanted or set()) - set(labels):
            items.leave_out("in the split's list but not in labels/")
    else:
        for record in source.records(*exports(split)):
            document = re.sub(r"_s?\d+$", "", record.id("index", "document_id"))
            texts.setdefault(document, []).append(record.text("sentence", "sentence1", "text"))
            labels.setdefault(document, set()).update(_sentence_labels(record))
    for document, found in labels.items():
        gold = tuple(label for label in HALLMARKS if label in found)
        items.add(document, {"text": strip_lines(texts[document])}, gold, HALLMARKS)
    return items.loaded()


def _listed(source: Folder, split: Split) -> set[str] | None:
    """Documents of a split by the published lists; None where there is no list at all, and a hash decides."""
    lists = {
        key: source.find(*(f"{name}_{end}" for name in names for end in ("pmid.tsv", "docid.txt")), required=False)
        for key, names in SPLIT_NAMES.items()
    }
    if not any(lists.values()):
        return None
    if not lists[split]:
        raise MissingData(f"{source.path}: has lists of documents, but none of {split}, and a hash would mix them")
    return {name.removesuffix(".txt") for name in re.split(r"[,\s]+", lists[split][0].text()) if name}


def _hallmark(name: str, place: str) -> str:
    known = {label.lower(): label for label in HALLMARKS}
    if name.strip().lower() not in known:
        raise DataError(f"{place}: a label is none of {', '.join(HALLMARKS)}")
    return known[name.strip().lower()]


def _sentence_labels(record: Record) -> Iterator[str]:
    """Labels of a sentence: numbers of the hub's classes, names, or BLUE's `0_1,1_0,...`."""
    value = record.value("labels", "label", "sentence2")
    names = value if isinstance(value, list) else str(value or "").split(",")
    for name in names:
        flag = re.fullmatch(r"(\d)_([01])", name) if isinstance(name, str) else None
        if flag:
            if flag[2] == "1":
                yield _BLUE_HALLMARKS[int(flag[1])]
        elif isinstance(name, int):
            if not 0 <= name < len(_HUB_HALLMARKS):
                raise record.error("a label is no class of the set")
            if hallmark := _HUB_HALLMARKS[name]:
                yield hallmark
        elif name.strip().lower() not in ("", "none"):
            yield _hallmark(name, record.place)


def mtsample(folder: Path, split: Split) -> Loaded:
    """MTSamples: transcription to specialty, split by a hash of the transcription, which no source splits.

    A transcription under several specialties stays one item for each, all in the same split; under the same one twice,
    it is taken once.
    """
    source = Folder(folder)
    items = Items(source)
    seen = set()
    for record in source.records("mtsamples.csv", "mtsamples.jsonl", "mtsamples.json", "mtsamples.parquet"):
        text, gold = record.text("transcription"), record.label(SPECIALTIES, "medical_specialty")
        if split_by_hash(text) == split:
            if text and (text, gold) in seen:
                items.leave_out("duplicate transcription")
            else:
                seen.add((text, gold))
                items.add(record.id("", "Unnamed: 0", "id"), {"text": text}, gold, SPECIALTIES)
    return items.loaded()


def clip(folder: Path, split: Split) -> Loaded:
    """CLIP: the follow-ups that a sentence of a discharge note asks for, of seven kinds.

    A table a split, or `sentence_level.csv` with `train_ids.csv`, `val_ids.csv` and `test_ids.csv`.
    """
    source = Folder(folder)
    items = Items(source)
    listed = source.find(*exports(split), *(f"{name}_ids.csv" for name in SPLIT_NAMES[split]))[0]
    wanted = set(re.split(r"[,\s]+", listed.text())) if listed.name.endswith("_ids.csv") else None
    for record in source.records(*exports(split)) if wanted is None else source.records("sentence_level.csv"):
        document = record.text("doc_id")
        if wanted is None or document in wanted:
            found = set()
            for name in _list(record, "labels"):
                if name not in FOLLOW_UPS:
                    raise record.error(f"'labels' holds one that is none of {', '.join(FOLLOW_UPS)}")
                found.add(FOLLOW_UPS[name])
            labels = tuple(FOLLOW_UPS.values())
            gold = tuple(label for label in labels if label in found)
            sentence = " ".join(_list(record, "sentence"))
            items.add(f"{document}-{record.text('sent_index')}", {"sentence": sentence}, gold, labels)
    return items.loaded()


def _list(record: Record, key: str) -> list[str]:
    """A list of texts, or one as Python writes it."""
    value = record.value(key)
    if isinstance(value, str):
        try:
            value = ast.literal_eval(value or "[]")
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise record.error(f"{key!r} is not a list of texts")
    return value
