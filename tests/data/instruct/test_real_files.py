"""Records of the published files, where they lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.instruct.reading import read

DATA = Path(__file__).parents[3].parent / "shared" / "data"
FILES = [
    # format, file, records, conversations
    ("alpaca", "instruct/alpaca_en_demo.json.gz", 612, 612),
    ("alpaca", "noncommercial/alpaca_data.json.gz", 479, 479),
    ("dolly", "instruct/databricks-dolly-sample.jsonl.gz", 84, 84),
    ("healthcaremagic", "instruct/chatdoctor5k.json.gz", 795, 795),
    ("medinstruct", "noncommercial/MedInstruct-test.jsonl.gz", 107, 107),
    ("medinstruct", "noncommercial/med_seed.json.gz", 167, 0),  # seeds have no output
    ("wikidoc_patient", "instruct/medical_meadow_wikidoc_patient_information.json.gz", 717, 717),
    ("medquad", "instruct/medquad_xml.tar.gz", 315, 931),
    ("mediqa", "unstated/mediqa2019/MEDIQA2019-Task3-QA-TrainingSet2-Alexa.xml.gz", 104, 405),
    ("mediqa", "unstated/mediqa2019/MEDIQA2019-Task3-QA-ValidationSet.xml.gz", 25, 94),
    ("medicationqa", "unstated/medicationqa/MedInfo2019-QA-Medications.xlsx", 350, 350),
    ("liveqa", "unstated/liveqa/TREC-2017-LiveQA-Medical-Test-Questions-w-summaries.xml.gz", 56, 90),
    ("health_advice", "unstated/health_advice/annotations_structured_abstract.csv.gz", 870, 870),
    ("pmc_summarization", "pretrain/biomedical/pubmed_abstracts.jsonl.gz", 581, 581),
    ("pmc_mesh", "pretrain/biomedical/pubmed_abstracts.jsonl.gz", 581, 349),
    ("pmc_continuation", "pretrain/biomedical/guidelines_nstg.jsonl.gz", 184, 184),
    ("pmc_continuation", "pretrain/biomedical/pmc_oa_fulltext.jsonl.gz", 654, 654),
    ("pmc_summarization", "pretrain/biomedical/pmc_oa_jats_sample.tar.gz", 40, 40),
    ("pmc_mesh", "pretrain/biomedical/pmc_oa_jats_sample.tar.gz", 40, 4),
    ("pmc_continuation", "pretrain/biomedical/pmc_oa_jats_sample.tar.gz", 40, 40),
]


@pytest.mark.parametrize(("format", "name", "records", "conversations"), FILES)
def test_all_records_of_a_published_file_are_read(format: str, name: str, records: int, conversations: int) -> None:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"../shared/data/{name} is not here")
    found, report = read(path, format)
    assert (report.records, len(found)) == (records, conversations)
    lost = {"missing_field": 167} if "med_seed" in name else {"no_answer": report.skipped["no_answer"]}
    assert report.skipped == {reason: count for reason, count in lost.items() if count} or not conversations
    assert all(message["content"].strip() for conversation in found for message in conversation.messages)
