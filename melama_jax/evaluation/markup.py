"""Entities of a sentence: as BIO tags, and as HTML that a model writes, `<span class="problem">chest pain</span>`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_SPAN = re.compile(r"<\s*(/?)\s*span\b\s*(?:class\s*=\s*[\"']?([^\"'>]*)[\"']?)?[^>]*>", re.IGNORECASE)
_WORDS = re.compile(r"\w+|[^\w\s]")


def entity_spans(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The entities of BIO tags: type, first token, and the token after the last.

    An I that follows nothing of its type starts an entity, as seqeval reads it.
    """
    spans: list[tuple[str, int, int]] = []
    before = "O"
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if mark == "I" and before.partition("-")[2] == kind:
            spans[-1] = (kind, spans[-1][1], place + 1)
        elif mark in ("B", "I"):
            spans.append((kind, place, place + 1))
        before = tag
    return spans


def mark_up(tokens: Sequence[str], tags: Sequence[str]) -> str:
    """A sentence, its tokens parted by spaces, with an HTML span around each entity."""
    words = list(tokens)
    for kind, start, end in entity_spans(tags):
        words[start] = f'<span class="{kind}">{words[start]}'
        words[end - 1] += "</span>"
    return " ".join(words)


def tags_of(text: str, tokens: Sequence[str], types: Sequence[str]) -> tuple[str, ...] | None:
    """BIO tags of a sentence, read from its text with HTML spans.

    Words and punctuation of the text are matched with those of the sentence by their longest common runs, so changed
    spaces, words left out and words put in cost no more than the entities they touch. An entity is what a span's
    matched tokens are; a gap in them parts it. Spans of unknown classes are not entities.

    Args:
        text: What a model wrote.
        tokens: The sentence.
        types: The entity types; the case of a class does not matter.

    Returns:
        A tag a token, or None where nothing of the sentence is found in the text.
    """
    known = {kind.lower(): kind for kind in types}
    written: list[str] = []
    owner: list[tuple[int, str | None]] = []  # of each word: number of its span, and the type
    open_spans: list[tuple[int, str | None]] = []
    end = 0
    for number, span in enumerate([*_SPAN.finditer(text), None]):
        for word in _WORDS.findall(text[end : span.start() if span else None]):
            written.append(word.lower())
            owner.append(open_spans[-1] if open_spans else (-1, None))
        if span is None:
            break
        end = span.end()
        if not span[1]:
            open_spans.append((number, known.get((span[2] or "").strip().lower())))
        elif open_spans:
            open_spans.pop()
    words = [(word.lower(), place) for place, token in enumerate(tokens) for word in _WORDS.findall(token)]
    matcher = difflib.SequenceMatcher(None, [word for word, _ in words], written, autojunk=False)
    owners: dict[int, tuple[int, str | None]] = {}
    for ours, theirs, length in matcher.get_matching_blocks():
        for step in range(length):
            owners.setdefault(words[ours + step][1], owner[theirs + step])
    if not owners:
        return None
    tags = ["O"] * len(tokens)
    for place, (number, kind) in owners.items():
        if kind is not None:
            going_on = owners.get(place - 1, (-1, None))[0] == number
            tags[place] = f"{'I' if going_on else 'B'}-{kind}"
    return tuple(tags)
