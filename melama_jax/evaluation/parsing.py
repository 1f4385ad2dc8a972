"""Answers out of what a model wrote, by kind; None where it gives none, or several. The rules: docs/scoring.md."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from melama_jax.evaluation.example import Example
from melama_jax.evaluation.markup import tags_of

_TYPED = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-", 0x2212: "-"}
_BE = r"(?:[^\S\n]+(?:is|was|are|would\s+be|should\s+be|must\s+be|will\s+be))"
_STATED = (
    rf"\banswer(?:{_BE}|[^\S\n]*[:=\-\n])+\s*(?:(?:therefore|thus|clearly|probably|the)\s+)*"
    r"(?:(?:correct\s+|best\s+)?(?:option|choice|answer|letter)\s*:?\s*)?"
)
"""What comes before an answer that a text states: "answer: ", "the answer is option "."""
_CHOSEN = rf"\b(?:option|choice|letter)(?:{_BE}\s*:?|\s*[:=])\s*(?:option\s+)?"
"""The same for choices only: "the correct option is "."""
_OPEN, _CLOSE = r"[\"'(\[{]*", r"[\"')\]}]*"
_ENDS = (
    r"(?=\s*$|\s*\n|\s*[)\]}:;!?\"'](?!\w)|\s*[,/]|\.(?!\w)|\s+[-(]"
    r"|\s+(?:because|since|as|for|which|that|is|with|and|or)\b)"
)
"""After a letter that is an answer: not an article's noun ("A patient"), nor the rest of a word ("B-cell")."""
_IS_RIGHT = r"\s+(?:is|seems|would\s+be)\s+(?:the\s+)?(?:most\s+)?(?:correct|right|best|likely|appropriate)\b"
_STATED_LETTERS = [re.compile(rf"(?i:{lead}){_OPEN}\b([A-Za-z])\b{_ENDS}") for lead in (_STATED, _CHOSEN)] + [
    re.compile(rf"(?m:^\s*{_OPEN}|(?i:\b(?:option|choice|answer)\s+){_OPEN}|[(\[{{])([A-Z])\b{_CLOSE}(?i:{_IS_RIGHT})")
]
_LEADING_LETTERS = [
    re.compile(r"\A\W*([A-Za-z])[^\w\n]*(?:\n|\Z)"),
    re.compile(rf"^[^\S\n]*{_OPEN}([A-Z])(?:[^\S\n]*$|[)\]}}:,;\"'.](?!\w)|[^\S\n]+-[^\S\n])", re.MULTILINE),
]
_IS_WRONG = r"(?![)\]}]?\s+(?:is|are|was|seems)\s+(?:not|wrong|incorrect|false|unlikely)\b)"
_MENTIONED_LETTERS = [
    re.compile(rf"[(\[{{]([A-Z])(?=[)\]}}]){_IS_WRONG}"),
    re.compile(rf"(?i:\b(?:option|choice|answer)\s+){_OPEN}([A-Z])\b(?!['-]){_IS_WRONG}"),
]
_ANOTHER = re.compile(
    rf"[)\]}}.\"']*(?:\s*(?:,|/|&|\band\b|\bor\b))+\s*(?:option\s+)?{_OPEN}(A(?!\s+[a-z])|[B-Z])\b(?!['-])"
)
"""After a letter: a list goes on with one more."""


_NEGATED = re.compile(
    r"(?:\b(?:not|no|non|neither|nor|never|without|rather\s+than|instead\s+of|cannot(?:\s+be)?)|n't)[\s-]+"
    r"(?:(?:a|an|the|any|to|be)\s+)*$",
    re.IGNORECASE,
)


def plain(output: str) -> str:
    """An output without emphasis (Markdown, HTML), LaTeX's box and runs of white space; quotes and dashes as typed."""
    text = re.sub(r"</?(?:b|i|em|strong|p)>|\\(?:boxed|text)|[*`$]|(?<!\w)_+|_+(?!\w)", "", output.translate(_TYPED))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in text.splitlines())).strip()


def parse_choice(output: str, options: Mapping[str, str]) -> str | None:
    """The letter that an output chooses.

    The first of these that is there decides, and fails if it names several letters: an option's text and nothing else;
    letters stated as the answer; letters that a line starts with or consists of; "(B)" or "option B"; options given by
    their text, as labels are.
    """
    text = plain(output)
    alone = [
        letter for letter, option in options.items() if plain(option).strip(" .").lower() == text.strip(" .").lower()
    ]
    if len(alone) == 1 and not re.fullmatch(r"\W*[A-Za-z]\W*", text):
        return alone[0]
    for patterns in (_STATED_LETTERS, _LEADING_LETTERS, _MENTIONED_LETTERS):
        found: set[str] = set()
        for match in (match for pattern in patterns for match in pattern.finditer(text)):
            letter, end = match[1].upper(), match.end(1)
            if letter in options and not _is_abbreviation(text[end:], options[letter]):
                found.add(letter)
                another = _ANOTHER.match(text, end)
                found.update({another[1]} & options.keys() if another else ())
        if found and patterns is _LEADING_LETTERS:  # the options may be told one after another
            found.update(x for x, option in options.items() if re.search(rf"\b{x}[.):]\s*{re.escape(option)}", text))
        if found:
            return found.pop() if len(found) == 1 else None
    by_text = {_words(option): letter for letter, option in options.items()}
    named = parse_label(output, tuple(options.values())) if len(by_text) == len(options) else None
    return None if named is None else by_text[_words(named)]


def parse_label(output: str, labels: Sequence[str]) -> str | None:
    """The one label that an output gives.

    The first of these that is there decides: labels stated as the answer ("answer: no"), a label that the output
    starts with and that ends its line or clause, all labels in the output. Several different ones fail.
    """
    text = plain(output)
    label = _pattern(tuple(labels))
    lead = rf"(?:{_STATED}|\b(?:label|class|relation(?:ship)?|category|specialty)(?:{_BE}|\s*:)+\s*){_OPEN}"
    stated = {_canonical(match[1], labels) for match in re.finditer(rf"(?i:{lead}{label})", text)}
    if stated:
        return stated.pop() if len(stated) == 1 else None
    first = re.match(rf"(?i:{_OPEN}{label}){_CLOSE}\s*(?:$|\n|[.,;:!(]|-\s)", text)
    if first and not re.match(rf"(?i:{_CLOSE}\s*[,;/]\s*(?:or\s+|and\s+)?{label})", text[first.end(1) :]):
        return _canonical(first[1], labels)
    found = _mentions(text, tuple(labels))
    return found.pop() if len(found) == 1 else None


def parse_labels(output: str, labels: Sequence[str]) -> tuple[str, ...] | None:
    """All labels that an output gives, in the order of `labels`; () where it says that there are none."""
    text = plain(output)
    found = _mentions(text, tuple(labels))
    if found:
        return tuple(label for label in labels if label in found)
    none = re.match(r"(?i)\W*(?:(?:answer|labels?|topics?)\s*:\s*)?(?:none|nothing|null|n/a|no\s+\w+)\b", text)
    return () if none else None


def parse_span(output: str) -> str | None:
    """The text itself, without quotes around it or "Answer:" before it; None where nothing is left."""
    text = re.sub(r"(?i)^\s*answer\s*:\s*", "", output).strip().strip("\"'“”").strip()
    return text or None


def parse_ranking(output: str) -> tuple[str, ...] | None:
    """Diagnoses in the order of a numbered list, or of one with dashes: of each its head, before a colon or a dash.

    An output of one line without a mark is one diagnosis.
    """
    text = plain(re.sub(r"(?m)^(\s*)\*\s", r"\1- ", output))
    text = re.sub(r"(?<=[^\s\d])\s+(?=\(?\d{1,2}[.)]\s+[A-Za-z])", "\n", text)
    for mark in (r"(?m)^[#\s]*\(?\d{1,2}[.):]\s+(.*)$", r"(?m)^\s*[-•]\s+(.*)$", r"\A(.*)\Z"):
        heads = (re.split(r"\s-+\s|:\s|:$", line)[0].strip(" \t.;,\"'") for line in re.findall(mark, text))
        ranking = tuple(head for head in heads if head)
        if ranking:
            return ranking
    return None


def parse_entities(output: str, example: Example) -> tuple[str, ...] | None:
    """BIO tags of the item's tokens from the sentence with HTML spans."""
    return tags_of(output, example.fields["tokens"], example.labels)


def normalize_answer(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces: the normalization of the SQuAD evaluation."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(word for word in text.split() if word not in ("a", "an", "the"))


def _is_abbreviation(after: str, option: str) -> bool:
    """Whether a letter and what is after it are one name, as "E. coli", and not a letter and its option's text."""
    name = re.match(r"\.\s+([a-z].*)", after)
    return name is not None and not _words(name[1]).startswith(_words(option)[:12])


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _canonical(text: str, labels: Sequence[str]) -> str:
    return next(label for label in labels if _words(label) == _words(text))


@functools.lru_cache(maxsize=256)
def _pattern(labels: tuple[str, ...]) -> str:
    """A group of any of the labels, whole words, the longest first; what stands between the words of one may differ.

    "no" before a noun is no answer, and "5" is not in "2.5".
    """
    forms = []
    for words in sorted((_words(label).split() for label in labels), key=lambda words: -len(" ".join(words))):
        if words:
            before = r"(?<!\d[.,])" if words[0][0].isdigit() else ""
            after = r"(?![.,]\d)" if words[-1][-1].isdigit() else ""
            forms.append(before + r"[\W_]+".join(map(re.escape, words)) + after)
            forms[-1] += r"(?=\s*(?:[^\w\s]|\n|$))" if words == ["no"] else ""
    return rf"(?<!\w)(?<!\w-)({'|'.join(forms) or '(?!)'})(?!\w|-\w)"


def _mentions(text: str, labels: tuple[str, ...]) -> set[str]:
    """The labels that a text names and does not negate."""
    return {
        _canonical(match[1], labels)
        for match in re.finditer(f"(?i:{_pattern(labels)})", text)
        if not _NEGATED.search(text[max(0, match.start() - 40) : match.start()])
    }


PARSERS: dict[str, Any] = {
    "choice": lambda example, output: parse_choice(output, example.fields["options"]),
    "label": lambda example, output: parse_label(output, example.labels),
    "labels": lambda example, output: parse_labels(output, example.labels),
    "span": lambda example, output: parse_span(output),
    "entities": lambda example, output: parse_entities(output, example),
    "summary": lambda example, output: output.strip() or None,
    "case": lambda example, output: parse_ranking(output),
}
"""The parser of each kind."""
