"""Open questions about what the names of the sample corpus stand for; a name is asked in one split only.

These are facts that every document about a name shows, so a model of very few weights learns them from the corpus. A
training name is asked in every wording, a held-out one in one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from tests.sample_corpus import knowledge
from tests.sample_corpus.wording import Chooser

SPLITS = ("train", "validation", "test")
_SHARES = {"validation": 0.08, "test": 0.35}
_LETTERS = "ABCD"
_DOCUMENTS = 3
"""In so many documents a name must stand."""
FORMS = {
    "kind": (
        "What is meant by {name}?",
        "What does the name {name} stand for?",
        "What kind of thing is meant by {name}?",
        "A text is about {name}. What is its subject?",
        "Somebody tells you about {name}. What is it that they speak of?",
    ),
    "group": (
        "What kind of animals are {name}?",
        "To which group of animals do {name} belong?",
        "Which group of animals includes {name}?",
        "A text tells about {name}. What animals are they?",
        "How does a zoologist class {name}?",
    ),
}
"""Wordings by relation."""


def facts() -> dict[str, list[tuple[str, str]]]:
    """Names and what they stand for, by relation."""
    kinds = {
        "drug": knowledge.load_drugs(),
        "disease": knowledge.load_conditions(),
        "laboratory test": knowledge.load_labs(),
        "animal": knowledge.load_animals(),
        "country": knowledge.load_countries(),
    }
    return {
        "kind": [(record.name, kind) for kind, records in kinds.items() for record in records],
        "group": [(animal.name, animal.group) for animal in knowledge.load_animals()],
    }


def split(names: Sequence[str], ch: Chooser) -> dict[str, str]:
    """The split of each name."""
    rest, parts = ch.shuffled(names), {}
    for part, share in _SHARES.items():
        for _ in range(round(share * len(names))):
            parts[rest.pop()] = part
    return parts | dict.fromkeys(rest, "train")


def build(seed: int, documents: Sequence[str]) -> dict[str, bytes]:
    """Returns the questions of each split as JSON lines in MedQA's layout.

    Args:
        seed: Seed of the choice of splits, wordings and options.
        documents: The corpus; a name that stands in few of them, or that holds its answer, is not asked.
    """
    ch, known = Chooser(f"names-{seed}"), facts()
    lowered = [text.lower() for text in documents]
    names = [
        name
        for name, kind in known["kind"]
        if kind not in name.lower() and sum(name.lower() in text for text in lowered) >= _DOCUMENTS
    ]
    parts = split(names, ch)
    records: dict[str, list[dict[str, object]]] = {part: [] for part in SPLITS}
    for relation, pairs in known.items():
        answers = list(dict.fromkeys(answer for _, answer in pairs))
        for name, answer in pairs:
            if name in parts:
                part = parts[name]
                for form in FORMS[relation] if part == "train" else (ch.pick(FORMS[relation]),):
                    wrong = ch.shuffled(other for other in answers if other != answer)[: len(_LETTERS) - 1]
                    options = dict(zip(_LETTERS, ch.shuffled([answer, *wrong]), strict=True))
                    letter = next(letter for letter, text in options.items() if text == answer)
                    asked = {"question": form.format(name=name), "options": options, "answer": answer}
                    records[part].append({**asked, "answer_idx": letter, "meta_info": relation})
    return {part: _lines(part, ch.shuffled(asked)) for part, asked in records.items()}


def _lines(part: str, records: Sequence[dict[str, object]]) -> bytes:
    numbered = ({"id": f"{part}-{number:03d}", **record} for number, record in enumerate(records))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in numbered).encode()
