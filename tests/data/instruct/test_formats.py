"""Every open format: records as they are published, become a question and an answer."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest

from melama_jax.config import Source
from melama_jax.config.conversations import ME_LLAMA_INSTRUCT, Format
from melama_jax.config.wordings import load_wordings
from melama_jax.data.instruct import endings, is_protected
from melama_jax.data.instruct.reader import SPOKEN, WORDED
from tests.data.instruct.reading import read, said, write, write_archive, write_lines

TABLES: list[tuple[str, dict[str, Any], str, str]] = [
    ("instruction", {"instruction": "Add.", "input": "1 2", "output": "3"}, "Add.\n\n1 2", "3"),
    ("alpaca", {"instruction": "Sing.", "input": "", "output": "La."}, "Sing.", "La."),
    ("dolly", {"instruction": "Who?", "context": "Ann.", "response": "Ann", "category": "qa"}, "Who?", "Ann"),
    ("dolly", {"instruction": "Who?", "context": "Ann.", "response": "Ann"}, "Ann.", "Ann"),
    ("medinstruct", {"instruction": "Name it.", "input": "<noinput>", "output": "Flu"}, "Name it.", "Flu"),
    ("medinstruct", {"instruction": "Name it.", "gpt-4-answer": "Flu", "id": 3}, "Name it.", "Flu"),
    ("healthcaremagic", {"instruction": "Reply.", "input": "I cough.", "output": "Rest."}, "I cough.", "Rest."),
    ("icliniq", {"input": "It itches.", "answer_icliniq": "a", "answer_chatdoctor": "b"}, "It itches.", "b"),
    ("icliniq", {"input": "It itches.", "answer_icliniq": "a"}, "It itches.", "a"),
    ("flash_cards", {"instruction": "Answer.", "input": "Cause of gout?", "output": "Urate."}, "gout?", "Urate."),
    ("wikidoc", {"instruction": "Answer.", "input": "What is HIV?", "output": "A virus."}, "HIV?", "A virus."),
    ("wikidoc_patient", {"instruction": "", "input": "Why rest?", "output": "To heal."}, "Why rest?", "To heal."),
    ("medicationqa", {"Question": "How much?", "Focus (Drug)": "X", "Answer": 5}, "How much?", "5"),
    ("mediqa", {"instruction": "Why rest?", "input": "On rest.", "output": "To heal."}, "On rest.", "To heal."),
    ("mediqa", {"instruction": "Why rest?", "output": "To heal."}, "Why rest?", "To heal."),
    ("guidelineqa", {"question": "First line?", "answer": "Metformin."}, "First line?", "Metformin."),
    ("pmc_summarization", {"title": "On rats", "abstract": "Rats ran."}, "Rats ran.", "On rats"),
    ("pmc_mesh", {"abstract": "Rats ran.", "keywords": ["Rats", " Running ", "Rats"]}, "Rats ran.", "Rats; Running"),
    ("pmc_mesh", {"abstract": "Rats ran.", "mesh_terms": "Rats; Mice", "keywords": ["x"]}, "Rats ran.", "Rats; Mice"),
    ("pmc_continuation", {"clean_text": "One is. Two is. Three is."}, "One is.", "Two is. Three is."),
    ("health_advice", {"label": 2, "sentence": "Stop now.", "pmid": 1}, "Stop now.", "strong advice"),
    ("health_advice", {"input": "It rose.", "output": "This is no advice"}, "It rose.", "no advice"),
]


@pytest.mark.parametrize(("format", "record", "asked", "answer"), TABLES, ids=[row[0] for row in TABLES])
@pytest.mark.parametrize("ending", [".jsonl", ".json.gz"])
def test_a_record_becomes_question_and_answer(
    tmp_path: Path, format: str, record: dict[str, Any], asked: str, answer: str, ending: str
) -> None:
    path = tmp_path / f"a{ending}"
    write_lines(path, record) if ending == ".jsonl" else write(path, json.dumps([record]))
    (conversation,), report = read(path, format)
    assert asked in said(conversation)[0]
    assert "<noinput>" not in said(conversation)[0]
    assert said(conversation)[1] == answer
    assert (report.records, report.skipped) == (1, {})


def test_every_format_of_the_configuration_is_read_and_worded() -> None:
    assert {*SPOKEN, *WORDED, "text"} == {*get_args(Format)}
    for format in WORDED:
        wordings = load_wordings(format)
        assert wordings.name == format
        assert len(set(wordings.user)) >= (1 if format == "instruction" else 4)


def test_the_documentation_names_every_format_with_its_records() -> None:
    text = (Path(__file__).parents[3] / "docs" / "instruct.md").read_text(encoding="utf-8")
    counts = {name: int(count.replace(",", "")) for name, count in re.findall(r"(?m)^\| `(\w+)` \| ([\d,]+) \|", text)}
    assert counts == ME_LLAMA_INSTRUCT
    assert {*re.findall(r"(?m)^\| `(\w+)` \|", text)} >= {*WORDED, *SPOKEN}


def test_blank_and_missing_texts_are_counted_by_reason(tmp_path: Path) -> None:
    good = {"instruction": "Do.", "input": "", "output": "Done."}
    changes: list[dict[str, Any]] = [
        {"instruction": " "},
        {"output": None},
        {"output": float("nan")},
        {"output": ["x"]},
        {"output": True},
        {"input": None},
        {"output": "\udc80"},
    ]
    records = [good, *({**good, **change} for change in changes), {"instruction": "Do."}]
    conversations, report = read(write_lines(tmp_path / "a.jsonl", *records), "alpaca")
    assert (len(conversations), report.records) == (2, 9)
    assert report.skipped == {"empty": 1, "no_answer": 2, "not_text": 2, "bad_utf8": 1, "missing_field": 1}
    assert report.first_locations == {
        "empty": "a.jsonl:2",
        "no_answer": "a.jsonl:3",
        "not_text": "a.jsonl:5",
        "bad_utf8": "a.jsonl:8",
        "missing_field": "a.jsonl:9",
    }


def test_the_field_of_a_source_names_another_answer(tmp_path: Path) -> None:
    record = {"input": "It itches.", "answer_icliniq": "a", "answer_chatdoctor": "b"}
    path = write_lines(tmp_path / "a.jsonl", record, {"input": "x", "answer_chatdoctor": "b"})
    (conversation,), report = read(path, "icliniq", field="answer_icliniq")
    assert said(conversation)[1] == "a"
    assert report.skipped == {"missing_field": 1}
    texts = write_lines(tmp_path / "b.jsonl", {"text": "No. No.", "notes": "Yes. Indeed."})
    assert said(read(texts, "pmc_continuation", field="notes")[0][0])[1] == "Indeed."


def test_the_identity_is_the_question_whatever_the_answer_and_the_wording(tmp_path: Path) -> None:
    records = [{"input": f"q{number % 2}", "output": f"a{number}"} for number in range(3)]
    path = write_lines(tmp_path / "a.jsonl", *records)
    identities = [c.identity for c in read(path, "flash_cards")[0]]
    assert identities[0] == identities[2] != identities[1]
    assert identities == [c.identity for c in read(path, "flash_cards", seed=7)[0]]


def test_the_seed_draws_the_wordings_evenly_and_again_the_same(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", *({"input": f"q{n}", "output": "a"} for n in range(400)))
    first, second = ([said(c)[0] for c in read(path, "wikidoc", seed=seed)[0]] for seed in (0, 1))
    assert first == [said(c)[0] for c in read(path, "wikidoc", seed=0)[0]]
    assert 200 < sum(a != b for a, b in zip(first, second, strict=True)) < 400
    assert 60 < sum(text.startswith("q") for text in first) < 140


def test_guideline_pairs_are_taken_out_of_a_response(tmp_path: Path) -> None:
    text = "Sure!\n**Question 1:** Which\ntest?\nAnswer: PCR.\n\nQuestion: When? Answer: At once.\nAs soon as you can."
    path = write_lines(tmp_path / "a.jsonl", {"response": text}, {"response": "I cannot."})
    conversations, report = read(path, "guidelineqa")
    assert [said(c)[1] for c in conversations] == ["PCR.", "At once.\nAs soon as you can."]
    open_question = (
        "Question 1: Why?\nAnswer 1: The open question: does it? Yes.\n\nQuestion 2: So?\nAnswer 2: Good answer: no."
    )
    running, _ = read(write_lines(tmp_path / "b.jsonl", {"response": open_question}), "guidelineqa")
    assert [said(c)[1] for c in running] == ["The open question: does it? Yes.", "Good answer: no."]
    assert conversations[0].identity == b"Which\ntest?"
    assert (report.records, report.skipped) == (2, {"no_answer": 1})


def test_health_advice_is_read_from_the_official_table(tmp_path: Path) -> None:
    rows = 'label,pmid,sentence,design\n0,1,"It rose, then fell.",RCT\n1,2,It may help.,RCT\n7,3,What?,RCT\n'
    conversations, report = read(write(tmp_path / "a.csv.gz", rows), "health_advice")
    assert [said(c)[1] for c in conversations] == ["no advice", "weak advice"]
    assert "It rose, then fell." in said(conversations[0])[0]
    assert (report.records, report.skipped) == (3, {"unknown_label": 1})
    assert report.first_locations == {"unknown_label": "a.csv.gz:4"}


def test_medicationqa_is_read_from_the_official_workbook(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    for row in (
        ["Question", "Focus (Drug)", "Answer", "URL"],
        ["Dose?", "aspirin", 75, "u"],
        ["Why?", None, None, "u"],
    ):
        sheet.append(row)
    workbook.save(tmp_path / "a.xlsx")
    (conversation,), report = read(tmp_path / "a.xlsx", "medicationqa")
    assert said(conversation)[1] == "75"
    assert (report.records, report.skipped) == (2, {"no_answer": 1})
    assert report.first_locations == {"no_answer": "a.xlsx: row 3"}


def test_a_workbook_that_states_wrong_dimensions_is_read_whole(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (["Question", "Answer"], ["Dose?", "One."], ["Why?", "So."]):
        workbook.worksheets[0].append(row)
    workbook.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as whole, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as wrong:
        for name in whole.namelist():
            wrong.writestr(name, whole.read(name).replace(b'ref="A1:B3"', b'ref="A1:A1"'))
    assert [said(c)[1] for c in read(tmp_path / "b.xlsx", "medicationqa")[0]] == ["One.", "So."]


LIVEQA_TEST = """<?xml version="1.0"?>
<Set><NLM-QUESTION qid="TQ1">
 <Original-Question qfile="1"><SUBJECT>gluten</SUBJECT><MESSAGE>Is it in
     this &amp; that?</MESSAGE></Original-Question>
 <NLM-Summary>unused</NLM-Summary>
 <ReferenceAnswers>
  <RefAnswer aid="1"><ANSWER>No,
     it is not.</ANSWER><COMMENT>c</COMMENT></RefAnswer>
  <ReferenceAnswer aid="2"><ANSWER>Hardly.</ANSWER></ReferenceAnswer>
  <ReferenceAnswer aid="3"><ANSWER> </ANSWER></ReferenceAnswer>
 </ReferenceAnswers>
</NLM-QUESTION>
<NLM-QUESTION qid="TQ2"><Original-Question><SUBJECT/><MESSAGE>And?</MESSAGE></Original-Question></NLM-QUESTION></Set>
"""
LIVEQA_TRAIN = """<Set><NLM-QUESTION questionid="Q1"><SUBJECT>No</SUBJECT><MESSAGE>Itch at night?</MESSAGE>
<SUB-QUESTIONS><SUB-QUESTION><ANNOTATIONS><FOCUS>itch</FOCUS></ANNOTATIONS>
<ANSWERS><ANSWER pairid="1">Cool it.</ANSWER><ANSWER pairid="2">See a doctor.</ANSWER></ANSWERS></SUB-QUESTION>
</SUB-QUESTIONS></NLM-QUESTION></Set>"""


def test_liveqa_has_a_conversation_for_each_reference_answer(tmp_path: Path) -> None:
    conversations, report = read(write(tmp_path / "a.xml.gz", LIVEQA_TEST), "liveqa")
    assert [said(c)[1] for c in conversations] == ["No, it is not.", "Hardly."]
    assert all("gluten\nIs it in this & that?" in said(c)[0] for c in conversations)
    assert (report.records, report.skipped) == (2, {"no_answer": 2})
    assert report.first_locations == {"no_answer": "a.xml.gz:2"}
    conversations, report = read(write(tmp_path / "b.xml", LIVEQA_TRAIN), "liveqa")
    assert [said(c)[1] for c in conversations] == ["Cool it.", "See a doctor."]
    assert {c.identity for c in conversations} == {b"Itch at night?"}


def test_mediqa_takes_the_answers_that_experts_found_good(tmp_path: Path) -> None:
    scores = [("1", "bad"), ("3", "fair"), ("4", "best"), ("2", "poor")]
    answers = "".join(
        f'<Answer SystemRank="1" ReferenceRank="1" ReferenceScore="{score}"><AnswerText>{text}</AnswerText></Answer>'
        for score, text in scores
    )
    question = (
        f"<Question QID='1'><QuestionText>What is flu?</QuestionText><AnswerList>{answers}</AnswerList></Question>"
    )
    nobody = "<Question QID='2'><QuestionText>Why?</QuestionText><AnswerList/></Question>"
    conversations, report = read(write(tmp_path / "a.xml", f"<Set>{question}{nobody}</Set>"), "mediqa")
    assert [said(c)[1] for c in conversations] == ["fair", "best"]
    assert (report.records, report.skipped) == (2, {"no_answer": 1})


def document(root: str, *pairs: tuple[str, str]) -> str:
    texts = "".join(f"<QAPair><Question>{q}</Question><Answer>{a}</Answer></QAPair>" for q, a in pairs)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} id="1"><Focus>Gout</Focus><QAPairs>{texts}</QAPairs></{root}>'
    )


def test_medquad_is_read_from_its_archive_and_from_files(tmp_path: Path) -> None:
    whole = document("Document", ("What is (are) Gout ?", "A\n      disease.\n\n\n\n   - painful   "), ("Why?", ""))
    members = {"a/1.xml": whole, "b/2.xml": document("DiseaseFile", ("When?", "Later.")), "readme.txt": "none"}
    conversations, report = read(write_archive(tmp_path / "a.tar.gz", members), "medquad")
    assert [said(c)[1] for c in conversations] == ["A\ndisease.\n\n- painful", "Later."]
    assert conversations[0].identity == b"What is (are) Gout?"
    assert (report.records, report.skipped) == (2, {"no_answer": 1})
    assert report.first_locations == {"no_answer": "a.tar.gz: a/1.xml:1"}
    assert len(read(write(tmp_path / "1.xml", whole), "medquad")[0]) == 1


JATS = """<!DOCTYPE article PUBLIC "-//NLM//DTD" "archivearticle.dtd">
<article><front><article-meta><title-group><article-title>Of <italic>rats</italic></article-title></title-group>
<abstract><sec><title>Aim</title><p>To see<xref>1</xref> rats [<xref>2</xref>, <xref>3</xref>].</p></sec></abstract>
<kwd-group><kwd>Rats</kwd><kwd>Mice</kwd></kwd-group></article-meta></front>
<body><sec><title>Start</title><p>They run. <fig><p>no</p></fig>They sit.</p>
<fig><caption><p>no</p></caption></fig></sec></body></article>"""
PUBMED = """<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "pubmed.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><Article><ArticleTitle>On mice.</ArticleTitle>
<Abstract><AbstractText Label="AIMS">To see.</AbstractText><AbstractText>Seen.</AbstractText></Abstract></Article>
<MeshHeadingList><MeshHeading><DescriptorName>Mice</DescriptorName><QualifierName>x</QualifierName></MeshHeading>
</MeshHeadingList></MedlineCitation></PubmedArticle></PubmedArticleSet>"""


def test_articles_are_read_from_their_xml(tmp_path: Path) -> None:
    jats = write_archive(tmp_path / "pmc.tar.gz", {"PMC1.nxml": JATS})
    pubmed = write(tmp_path / "pubmed.xml.gz", PUBMED)
    question, answer = said(read(jats, "pmc_summarization")[0][0])
    assert "Aim\nTo see rats." in question
    assert answer == "Of rats"
    assert said(read(jats, "pmc_mesh")[0][0])[1] == "Rats; Mice"
    question, answer = said(read(jats, "pmc_continuation")[0][0])
    assert "Start" in question
    assert (answer, "no" in answer) == ("They run. They sit.", False)
    question, answer = said(read(pubmed, "pmc_mesh")[0][0])
    assert "Aims: To see.\nSeen." in question
    assert answer == "Mice"


def test_a_passage_of_a_long_text_is_continued(tmp_path: Path) -> None:
    texts = [" ".join(f"T{text} sentence {number} is here." for number in range(2_000)) for text in range(8)]
    conversations, _ = read(write_lines(tmp_path / "a.jsonl", *({"text": text} for text in texts)), "pmc_continuation")
    starts = set()
    for text, conversation in zip(texts, conversations, strict=True):
        question, answer = said(conversation)
        first = conversation.identity.decode().lstrip("\0")
        assert first in question
        assert f"{first} {answer}" in text
        assert 5_000 < len(first) + len(answer) <= 6_000
        starts.add(text.index(first))
    assert len(starts) > 3


def test_a_text_of_one_sentence_cannot_be_continued(tmp_path: Path) -> None:
    conversations, report = read(write_lines(tmp_path / "a.jsonl", {"text": "Only this."}), "pmc_continuation")
    assert (conversations, report.skipped) == ([], {"no_answer": 1})


def test_endings_are_those_of_the_published_files() -> None:
    assert endings("sharegpt") == (".json", ".json.gz", ".jsonl", ".jsonl.gz")
    assert {".xlsx", ".csv.gz"} < {*endings("medicationqa")}
    assert {".xml", ".xml.gz", ".tar.gz"} < {*endings("medquad")}
    assert endings("umls") == (".rrf", ".rrf.gz")
    assert not any(".xlsx.gz" in endings(format) or ".tar.gz.gz" in endings(format) for format in WORDED)


def test_notes_of_mimic_are_protected_without_asking() -> None:
    assert is_protected(Source(glob="*", format="mimic_qa"))
    assert is_protected(Source(glob="*", format="messages", protected=True))
    assert not is_protected(Source(glob="*", format="messages"))
