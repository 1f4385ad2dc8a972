"""Made-up records in the layouts that the benchmarks are given out in: no text of any real set."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from melama_jax.evaluation.example import Split


@dataclasses.dataclass(frozen=True)
class Layout:
    """A dataset's files and what a loader must make of them."""

    name: str
    dataset: str
    files: Mapping[str, Any]
    first: Mapping[str, Any]
    gold: Any
    count: int
    split: Split = "test"
    left_out: Mapping[str, int] = dataclasses.field(default_factory=dict)
    id: str | None = None


def write(folder: Path, files: Mapping[str, Any]) -> Path:
    """Write files by name: text, JSON for anything else; `.gz` is compressed, a mapping under an archive packed."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith((".tar.gz", ".zip")):
            pack(path, content)
            continue
        data = encoded(content)
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return folder


def encoded(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def pack(path: Path, members: Mapping[str, Any]) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, encoded(content))
        return
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(encoded(content))
            archive.addfile(info, io.BytesIO(encoded(content)))


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def question(number: int, letters: str, **more: Any) -> dict[str, Any]:
    """A MedQA record whose answer is B."""
    options = {letter: f"drug {letter}{number}" for letter in letters}
    return {"question": f"Which drug {number}?", "options": options, "answer_idx": "B", "answer": options["B"]} | more


def entrance(cop: int | None, **more: Any) -> dict[str, Any]:
    """A MedMCQA record."""
    options = {f"op{letter}": f"organ {letter}" for letter in "abcd"}
    return {"id": f"q{cop}", "question": f"Which organ {cop}?", "cop": cop, **options} | more


def abstract(decision: str, **more: Any) -> dict[str, Any]:
    return {"QUESTION": "Does it help?", "CONTEXTS": ["Aim.", "Result."], "final_decision": decision} | more


def squad(*qas: dict[str, Any], context: Any = "Takes aspirin daily.") -> dict[str, Any]:
    return {"data": [{"title": "medication", "paragraphs": [{"context": context, "qas": list(qas)}]}]}


SENTENCE = """<document id="d1">
<sentence id="d1.s0" text="Aspirin and loop or thiazide diuretics may interact with warfarin.">
<entity id="d1.s0.e0" charOffset="0-6" type="drug" text="Aspirin"/>
<entity id="d1.s0.e1" charOffset="12-15;29-37" type="group" text="loop diuretics"/>
<entity id="d1.s0.e2" charOffset="20-37" type="group" text="thiazide diuretics"/>
<entity id="d1.s0.e3" charOffset="57-64" type="drug" text="warfarin"/>
<pair id="d1.s0.p0" e1="d1.s0.e0" e2="d1.s0.e3" ddi="true" type="effect"/>
<pair id="d1.s0.p1" e1="d1.s0.e1" e2="d1.s0.e2" ddi="false"/>
<pair id="d1.s0.p2" e1="d1.s0.e0" e2="d1.s0.e1" ddi="true"/>
</sentence></document>"""
HALLMARK = "Sustaining proliferative signaling--Receptors ANDResisting cell death--Apoptosis"
HOC = {
    "text/11.txt": "First sentence .\nSecond sentence .\n",
    "labels/11.txt": f"< <{HALLMARK}",
    "text/12.txt": "Only sentence .\n",
    "labels/12.txt": "< NULL ",
    "text/13.txt": "Other split .\n",
    "labels/13.txt": "< <",
}
NOTE = "Admission Note\n\nHe has severe chest pain .\nAspirin helped him .\n"
CONCEPTS = 'c="severe chest pain" 3:2 3:4||t="problem"\nc="aspirin" 4:0 4:0||t="treatment"\n'
PUBTATOR = (
    "7|t|Gout in man.\n7|a|Severe gout, or sickle-cell disease.\n7\t0\t4\tGout\tDisease\tD1\n"
    "7\t20\t24\tgout\tDisease\tD1\n7\t29\t48\tsickle-cell disease\tDisease\tD2\n"
)
REPORT = " FINAL REPORT\n FINDINGS:  The lungs are\n clear.\n\n IMPRESSION: \n No acute disease.\n"
TRIAL = {"Clinical Trial ID": "NCT1", "Eligibility": ["Inclusion:", "  Adults only"], "Results": ["none"]}
STATEMENT = {"Type": "Single", "Section_id": "Eligibility", "Primary_id": "NCT1", "Statement": "Adults enter."}
PAIRS = """<root><pair pid="1" value="true"><chq> Long question? </chq><faq>Short?</faq></pair>
<pair pid="2" value="false"><chq>Other?</chq><faq> </faq></pair></root>"""
YES_NO = [
    {"id": "b1", "type": "yesno", "body": "Is it?", "exact_answer": ["yes"], "snippets": [{"text": "It is."}]},
    {"id": "b2", "type": "list", "body": "Which?", "exact_answer": [["a"]], "snippets": []},
    {"id": "b3", "type": "yesno", "body": "Was it?", "exact_answer": "No", "snippets": []},
]
GPQA_HEADER = (
    "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,High-level domain"
)
OSCE = {
    "OSCE_Examination": {
        "Objective_for_Doctor": "Find the gout.",
        "Patient_Actor": {"Demographics": "40-year-old man", "Symptoms": {"Secondary_Symptoms": ["fever", "pain"]}},
        "Physical_Examination_Findings": {"Vital_Signs": {"Heart_Rate": "80"}},
        "Test_Results": {},
        "Correct_Diagnosis": "Gout",
    }
}
CLIP_HEADER = "doc_id,sent_index,sentence,labels\n"
CLIP_ROWS = (
    "9,0,\"['Call', 'the', 'clinic', '.']\",\"['I-Lab-related followup', 'I-Appointment-related followup']\"\n"
    "9,1,\"['Thank', 'you']\",[]\n"
)
BIO = "Severe\tB-Disease\ngout\tI-Disease\n.\tO\n\nNo\tO\npain\tI-Disease\n"

LAYOUTS = [
    Layout(
        "official",
        "pubmedqa",
        {
            "ori_pqal.json": {"1": abstract("yes"), "2": abstract("no"), "3": abstract("maybe")},
            "test_ground_truth.json": {"1": "yes", "3": "maybe", "4": "no"},
        },
        {"context": "Aim.\nResult.", "question": "Does it help?"},
        "yes",
        2,
        left_out={"in test_ground_truth.json but not among the questions": 1},
        id="1",
    ),
    Layout(
        "official artificial",
        "pubmedqa",
        {"ori_pqaa.json.gz": {"1": abstract("no")}},
        {"context": "Aim.\nResult.", "question": "Does it help?"},
        "no",
        1,
        split="train",
    ),
    Layout(
        "hub",
        "pubmedqa",
        {
            "pqa_labeled.jsonl": lines(
                {"pubid": 5, "question": "Is it?", "context": {"contexts": ["A."]}, "final_decision": "no"}
            ),
            "test_ground_truth.json": {"6": "yes"},
        },
        {"context": "A.", "question": "Is it?"},
        "no",
        1,
        split="validation",
        id="5",
    ),
    Layout(
        "official",
        "medqa",
        {
            "US/test.jsonl": lines(
                question(1, "ABCDE"), question(2, "ABCDE", answer="drug C2"), question(1, "ABCDE"), question(4, "ABCDE")
            ),
            "US/4_options/phrases_no_exclude_test.jsonl": lines(question(1, "ABCD")),
            "Mainland/test.jsonl": "",
        },
        {"question": "Which drug 1?", "options": {letter: f"drug {letter}1" for letter in "ABCDE"}},
        "B",
        3,
        left_out={"answer and its letter disagree": 1},
    ),
    Layout(
        "in a zip",
        "medqa",
        {"data_clean.zip": {"data_clean/questions/US/dev.jsonl": lines(question(7, "ABCDE"))}},
        {"question": "Which drug 7?", "options": {letter: f"drug {letter}7" for letter in "ABCDE"}},
        "B",
        1,
        split="validation",
    ),
    Layout(
        "hub, options as a list",
        "medqa_4options",
        {
            "test.jsonl": lines(
                question(1, "ABCD", options=[{"key": key, "value": f"drug {key}1"} for key in "ABCD"]),
                question(2, "ABCD", answer_idx="F"),
            )
        },
        {"question": "Which drug 1?", "options": {letter: f"drug {letter}1" for letter in "ABCD"}},
        "B",
        1,
        left_out={"gold answer not among the options": 1},
    ),
    Layout(
        "hub, endings",
        "medqa_4options",
        {"train.json": [{"id": "x", "sent1": "Which?", "label": 3} | {f"ending{i}": f"drug {i}" for i in range(4)}]},
        {"question": "Which?", "options": {"A": "drug 0", "B": "drug 1", "C": "drug 2", "D": "drug 3"}},
        "D",
        1,
        split="train",
        id="x",
    ),
    Layout(
        "official, from 1",
        "medmcqa",
        {"dev.json.gz": lines(entrance(1), entrance(4), entrance(2, opd=" "), entrance(None))},
        {"question": "Which organ 1?", "options": {letter.upper(): f"organ {letter}" for letter in "abcd"}},
        "A",
        2,
        left_out={"empty option": 1, "no gold answer": 1},
        id="q1",
    ),
    Layout(
        "hub, from 0",
        "medmcqa",
        {"validation.jsonl": lines(entrance(1), entrance(0), entrance(-1))},
        {"question": "Which organ 1?", "options": {letter.upper(): f"organ {letter}" for letter in "abcd"}},
        "B",
        2,
        left_out={"no gold answer": 1},
    ),
    Layout(
        "SQuAD",
        "emrqa",
        {
            "test.json": squad(
                {
                    "id": "e1",
                    "question": ["What dose?", "Which dose?"],
                    "answers": [{"text": "daily"}, {"text": "daily"}],
                },
                {"id": "e2", "question": "Why?", "answers": []},
                context=["Takes aspirin\n", "daily."],
            )
        },
        {"context": "Takes aspirin\ndaily.", "question": "What dose?"},
        ("daily",),
        1,
        left_out={"no gold answer": 1},
        id="e1",
    ),
    Layout(
        "hub",
        "emrqa",
        {
            "train.jsonl": lines(
                {"context": "On iron.", "question": "On what?", "answers": {"text": ["iron", "On iron"]}}
            )
        },
        {"context": "On iron.", "question": "On what?"},
        ("iron", "On iron"),
        1,
        split="train",
    ),
    Layout(
        "official",
        "i2b2_2010",
        {
            "test_data/n1.txt": NOTE,
            "reference_standard_for_test_data/concepts/n1.con": CONCEPTS + 'c="pain ." 3:4 4:0||t="test"\n',
            "concept_assertion_relation_training_data/beth/txt/n1.txt": "Other\n",
            "concept_assertion_relation_training_data/beth/concept/n1.con": "",
        },
        {"tokens": ["Admission", "Note"], "sentence": "Admission Note"},
        ("O", "O"),
        3,
        left_out={"concept over a line break": 1},
        id="n1-1",
    ),
    Layout(
        "tagged",
        "i2b2_2010",
        {"test.tsv": "No\tO\nfever\tB-Problem\n\n"},
        {"tokens": ["No", "fever"], "sentence": "No fever"},
        ("O", "B-problem"),
        1,
    ),
    Layout(
        "official",
        "ddi2013",
        {
            "DDICorpus/Test/Test for DDI Extraction task/DrugBank/a.xml": SENTENCE,
            "DDICorpus/Test/Test for DrugNER task/DrugBank/a.xml": SENTENCE,
            "DDICorpus/Train/DrugBank/a.xml": SENTENCE,
        },
        {"sentence": "@DRUG$ and loop or thiazide diuretics may interact with @DRUG$."},
        "DDI-effect",
        2,
        left_out={"interaction without a type": 1},
        id="d1.s0.p0",
    ),
    Layout(
        "official in an archive",
        "ddi2013",
        {"train_xml.tar.gz": {"Train/MedLine/a.xml": SENTENCE}},
        {"sentence": "@DRUG$ and loop or thiazide diuretics may interact with @DRUG$."},
        "DDI-effect",
        2,
        split="train",
        left_out={"interaction without a type": 1},
    ),
    Layout(
        "BLUE",
        "ddi2013",
        {"dev.tsv": 'index\tsentence\tlabel\np0\t"@DRUG$ a ""b"" @DRUG$"\tDDI-int\np1\t5" @DRUG$ @DRUG$\tDDI-false\n'},
        {"sentence": '@DRUG$ a "b" @DRUG$'},
        "DDI-int",
        2,
        split="validation",
        id="p0",
    ),
    Layout(
        "official",
        "hoc",
        HOC | {"test_pmid.tsv": "11.txt,12.txt,99.txt"},
        {"text": "First sentence .\nSecond sentence ."},
        ("Sustaining proliferative signaling", "Resisting cell death"),
        2,
        left_out={"in the split's list but not in labels/": 1},
        id="11",
    ),
    Layout(
        "official in an archive",
        "hoc",
        {"hoc.tar.gz": HOC | {"dev_docid.txt": "12\n13\n"}},
        {"text": "Only sentence ."},
        (),
        2,
        split="validation",
    ),
    Layout(
        "BLUE",
        "hoc",
        {
            "train.tsv": "index\tsentence\tlabels\n8_s0\tOne .\tcellular energetics,inducing angiogenesis\n"
            "8_s1\tTwo .\t\n9_s0\tThree .\t0_1,1_0,2_0\n"
        },
        {"text": "One .\nTwo ."},
        ("Inducing angiogenesis", "Cellular energetics"),
        2,
        split="train",
        id="8",
    ),
    Layout(
        "hub",
        "hoc",
        {
            "train.jsonl": lines(
                {"document_id": "8_0", "text": "One .", "label": [7]},
                {"document_id": "8_1", "text": "Two .", "label": [9, 0]},
            )
        },
        {"text": "One .\nTwo ."},
        ("Sustaining proliferative signaling", "Evading growth suppressors"),
        1,
        split="train",
    ),
    Layout(
        "official",
        "pubmed_summarization",
        {
            "test.txt": lines(
                {
                    "article_id": "P1",
                    "article_text": ["a b", "c"],
                    "abstract_text": ["<S> short . </S>", "<S> end </S>"],
                },
                {"article_id": "P2", "article_text": [], "abstract_text": ["<S> short . </S>"]},
            )
        },
        {"text": "a b c"},
        "short . end",
        1,
        left_out={"empty text": 1},
        id="P1",
    ),
    Layout(
        "hub",
        "pubmed_summarization",
        {"document/test.jsonl": lines({"article": "a b", "abstract": "c"})},
        {"text": "a b"},
        "c",
        1,
    ),
    Layout(
        "official",
        "mimic_cxr",
        {
            "mimic-cxr-2.0.0-split.csv.gz": "dicom_id,study_id,split\nx,50,test\ny,51,train\nz,52,test\n",
            "mimic-cxr-reports.zip": {
                "files/p10/p10/s50.txt": REPORT,
                "files/p10/p10/s51.txt": REPORT,
                "files/p10/p10/s52.txt": "FINDINGS: None.\n",
            },
        },
        {"text": "The lungs are clear."},
        "No acute disease.",
        1,
        left_out={"no gold answer": 1},
        id="50",
    ),
    Layout(
        "table",
        "mimic_cxr",
        {"validate.csv": "study_id,findings,impression\n50,Clear lungs.,Normal.\n"},
        {"text": "Clear lungs."},
        "Normal.",
        1,
        split="validation",
        id="50",
    ),
    Layout(
        "official",
        "bionli",
        {"test_balanced.csv": "index,supp_set,conclusion,label_cat\n0,Seen.,It binds.,pos\n1,Seen.,It is.,SRE\n"},
        {"premise": "Seen.", "hypothesis": "It binds."},
        "entailment",
        2,
        id="0",
    ),
    Layout(
        "hub",
        "bionli",
        {"test.jsonl": lines({"premise": "p", "hypothesis": "h", "label": "contradiction"})},
        {"premise": "p", "hypothesis": "h"},
        "contradiction",
        1,
    ),
    Layout(
        "official",
        "mednli",
        {
            "mli_test_v1.jsonl": lines(
                {"pairID": "m1", "sentence1": "p", "sentence2": "h", "gold_label": "neutral"},
                {"pairID": "m2", "sentence1": "p", "sentence2": "h", "gold_label": "-"},
            )
        },
        {"premise": "p", "hypothesis": "h"},
        "neutral",
        1,
        left_out={"no gold answer": 1},
        id="m1",
    ),
    Layout(
        "official",
        "nli4ct",
        {
            "nli4ct.tar.gz": {
                "CT json/NCT1.json": TRIAL,
                "dev.json": {
                    "u1": STATEMENT | {"Label": "Entailment"},
                    "u2": STATEMENT | {"Label": "Contradiction", "Secondary_id": "NCT1"},
                    "u3": STATEMENT | {"Label": "Entailment", "Secondary_id": "NCT9"},
                },
            }
        },
        {"premise": "Primary trial:\nInclusion:\nAdults only", "hypothesis": "Adults enter."},
        "Entailment",
        2,
        split="validation",
        left_out={"trial record missing": 1},
        id="u1",
    ),
    Layout(
        "official",
        "mediqa_rqe",
        {"MEDIQA2019-Task2-RQE-TestSet-wLabels.xml": PAIRS},
        {"premise": "Long question?", "hypothesis": "Short?"},
        "true",
        1,
        left_out={"empty hypothesis": 1},
        id="1",
    ),
    Layout(
        "official",
        "bioasq",
        {
            "Task7BGoldenEnriched/7B1_golden.json": {"questions": YES_NO[:2]},
            "Task7BGoldenEnriched/7B2_golden.json": {"questions": YES_NO[2:]},
        },
        {"context": "It is.", "question": "Is it?"},
        "yes",
        2,
        left_out={"no yes/no question": 1},
        id="b1",
    ),
    Layout(
        "PubTator",
        "ncbi_disease",
        {"NCBItestset_corpus.txt": f"\n{PUBTATOR}\n{PUBTATOR}"},
        {
            "tokens": ["Gout", "in", "man", ".", "Severe", "gout", ",", "or", "sickle", "-", "cell", "disease", "."],
            "sentence": "Gout in man . Severe gout , or sickle - cell disease .",
        },
        ("B-Disease", *"OOOO", "B-Disease", *"OO", "B-Disease", *["I-Disease"] * 3, "O"),
        1,
        left_out={"duplicate record": 1},
        id="7",
    ),
    Layout(
        "tagged",
        "ncbi_disease",
        {"conll/devel.tsv": BIO, "NCBIdevelopset_corpus.txt": PUBTATOR},
        {"tokens": ["Severe", "gout", "."], "sentence": "Severe gout ."},
        ("B-Disease", "I-Disease", "O"),
        2,
        split="validation",
        id="devel-1",
    ),
    Layout(
        "hub",
        "ncbi_disease",
        {
            "test.jsonl": lines(
                {"id": "0", "tokens": ["gout", "."], "ner_tags": [1, 0]}, {"id": "1", "tokens": [], "ner_tags": []}
            )
        },
        {"tokens": ["gout", "."], "sentence": "gout ."},
        ("B-Disease", "O"),
        1,
    ),
    Layout(
        "tagged",
        "bc5cdr",
        {"BC5CDR-IOB/test.tsv.gz": "Iron\tB-Chemical\r\n\r\n"},
        {"tokens": ["Iron"], "sentence": "Iron"},
        ("B-Chemical",),
        1,
    ),
    Layout(
        "hub",
        "bc5cdr",
        {"test.json": lines({"tokens": ["Iron", "lack"], "tags": [1, 2]})},
        {"tokens": ["Iron", "lack"], "sentence": "Iron lack"},
        ("B-Chemical", "B-Disease"),
        1,
    ),
    Layout(
        "official",
        "mmlu_anatomy",
        {
            "test/anatomy_test.csv": '"Which, then?","a, b",c,d,e,C\n"Two\nlines?",a,b,c,d,A\n',
            "dev/anatomy_dev.csv": "Few?,a,b,c,d,A\n",
        },
        {"question": "Which, then?", "options": {"A": "a, b", "B": "c", "C": "d", "D": "e"}},
        "C",
        2,
        id="anatomy-000",
    ),
    Layout(
        "hub",
        "mmlu_anatomy",
        {
            "anatomy/dev.jsonl": lines(
                {"question": "Few?", "subject": "anatomy", "choices": ["a", "b", "c", "d"], "answer": 3}
            )
        },
        {"question": "Few?", "options": {"A": "a", "B": "b", "C": "c", "D": "d"}},
        "D",
        1,
        split="train",
    ),
    Layout(
        "official",
        "mirage_bioasq",
        {
            "benchmark.json": {
                "bioasq": {"b1": {"question": "Is it?", "options": {"A": "yes", "B": "no"}, "answer": "B"}}
            }
        },
        {"question": "Is it?", "options": {"A": "yes", "B": "no"}},
        "B",
        1,
        id="b1",
    ),
    Layout(
        "export",
        "meqsum",
        {"test.jsonl": lines({"CHQ": "How, and why?", "Summary": "How?"})},
        {"text": "How, and why?"},
        "How?",
        1,
    ),
    Layout(
        "official",
        "agentclinic_cases",
        {"agentclinic_medqa_extended.jsonl": lines(OSCE)},
        {
            "case": "Patient Actor:\n  Demographics: 40-year-old man\n  Symptoms:\n"
            "    Secondary Symptoms: fever; pain\n"
            "Physical Examination Findings:\n  Vital Signs:\n    Heart Rate: 80\nTest Results:"
        },
        "Gout",
        1,
    ),
    Layout(
        "official",
        "craft_md_cases",
        {
            "usmle_and_derm_dataset.csv": "case_vignette,answer,dataset,case_id\nA rash.,Eczema,usmle,case_0\n"
            "A spot.,Naevus,derm,case_0\n"
        },
        {"case": "A rash."},
        "Eczema",
        2,
        id="usmle-case_0",
    ),
    Layout(
        "hub",
        "nejm_medqa",
        {"nejm_test.jsonl": lines({"question": "A man.", "answer": "Gout"})},
        {"case": "A man."},
        "Gout",
        1,
    ),
    Layout(
        "own",
        "own_cases",
        {
            "cases.jsonl": lines(
                {"id": "c", "case": "One.", "diagnosis": "A"}, {"id": "c", "case": "Two.", "diagnosis": "B"}
            )
        },
        {"case": "One."},
        "A",
        2,
        id="c",
    ),
    Layout(
        "a table a split",
        "clip",
        {"test.csv": CLIP_HEADER + CLIP_ROWS},
        {"sentence": "Call the clinic ."},
        ("Appointment", "Lab"),
        2,
        id="9-0",
    ),
    Layout(
        "official",
        "clip",
        {
            "sentence_level.csv": CLIP_HEADER + CLIP_ROWS + "8,0,\"['x']\",[]\n",
            "val_ids.csv": "9\n",
            "test_ids.csv": "8\n",
        },
        {"sentence": "Call the clinic ."},
        ("Appointment", "Lab"),
        2,
        split="validation",
    ),
]
