"""Instruction data: which formats are read, what the published mixture holds, and how records become conversations."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from melama_jax.config.section import Section

ME_LLAMA_INSTRUCT = {
    # general conversation: 20,000 of three sources together; how many of each is not published, here equally many
    "alpaca": 6_667,
    "dolly": 6_667,
    "sharegpt": 6_666,
    # medical conversation: 20,000 of two together, here all that iCliniq has and the rest of the other
    "healthcaremagic": 12_679,
    "icliniq": 7_321,
    "medinstruct": 52_000,
    "flash_cards": 34_000,
    "mediqa": 2_220,
    "medicationqa": 690,
    "liveqa": 634,
    "wikidoc_patient": 5_490,
    "guidelineqa": 2_000,
    "pmc_summarization": 10_000,
    "pmc_continuation": 20_000,
    "pmc_mesh": 10_000,
    "health_advice": 2_450,
    "umls": 10_000,
    # clinical notes: 30,000 together, here equally many
    "mimic_qa": 7_500,
    "mimic_summarization": 7_500,
    "mimic_classification": 7_500,
    "mimic_mortality": 7_500,
}
"""Training records of each task of the published mixture (Me-LLaMA, npj Digital Medicine 2025, table 5)."""
INSTRUCT_TASKS = (*ME_LLAMA_INSTRUCT, "wikidoc", "medquad")
"""All instruction tasks that are known; the last two are open companions that the published mixture lacks."""
Format = Literal[
    "text",
    "messages",
    "conversations",
    "instruction",
    "alpaca",
    "dolly",
    "sharegpt",
    "healthcaremagic",
    "icliniq",
    "medinstruct",
    "flash_cards",
    "mediqa",
    "medicationqa",
    "liveqa",
    "wikidoc_patient",
    "guidelineqa",
    "pmc_summarization",
    "pmc_continuation",
    "pmc_mesh",
    "health_advice",
    "umls",
    "mimic_qa",
    "mimic_summarization",
    "mimic_classification",
    "mimic_mortality",
    "wikidoc",
    "medquad",
]
"""How a file's records are read: as plain text, as conversations of any origin, or as the files that a task of that
name is published in."""


class ConversationsConfig(Section):
    """How instruction records become rows."""

    template: str = "me_llama"
    """Chat template: a name of configs/chat, a Jinja file, or a tokenizer's folder."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Of the choice of wordings, and of the records that are drawn."""
    records: dict[str, PositiveInt] | None = None
    """Training records that are drawn of each task; null takes the mixture's own numbers, or all there are."""
    too_long: Literal["shorten", "drop"] = "shorten"
    """A conversation longer than a row: leave out its last exchanges, then text in the middle of its longest message of
    the user, never of an answer; or drop it. What cannot be shortened is dropped. Both are counted."""
    allow_absent: bool = False
    """Go on without the tasks of the mixture that have no files, instead of refusing."""
