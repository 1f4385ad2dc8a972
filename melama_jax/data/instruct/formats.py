"""Formats that are published openly: how each one's records become the fields of a wording."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from melama_jax.config import Source
from melama_jax.data.instruct.containers import Unusable
from melama_jax.data.instruct.records import PASSAGE, Convert, Fields, Format, draw, one_line, text_of, tidy

_JSON = ("json", "jsonl")
_TABLES = (*_JSON, "csv", "tsv")
_ARCHIVED_XML = ("xml", "nxml", "tar.gz", "tgz", "tar")
_ADVICE = {"no": "0", "weak": "1", "strong": "2"}
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s)|\n|\Z)\s*", re.S)
_PAIR = re.compile(
    r"^\W*question\s*(?:\d+\s*)?:(.*?)(?:^\W*|(?<=[.?!])\s+)answer\s*(?:\d+\s*)?:(.*?)"
    r"(?=^\W*question\s*(?:\d+\s*)?:|\Z)",
    re.I | re.S | re.M,
)
"""The words count at the beginning of a line, or an answer's after a sentence, as both occur in running text."""
_NO_INPUT = ("<noinput>", "<nan>")


def _chosen(source: Source, *keys: str) -> tuple[str, ...]:
    """The keys of a field that the source's `field` can name instead; its default names none."""
    return keys if source.field == "text" else (source.field,)


def _table(
    *,
    optional: tuple[str, ...] = (),
    endings: tuple[str, ...] = _TABLES,
    identity: tuple[str, ...] | None = None,
    **keys: tuple[str, ...],
) -> Format:
    """A format whose fields are columns, each with the names it goes by; all but the answer are its identity."""

    def make(source: Source, path: Path) -> Convert:
        columns = {**keys, "answer": _chosen(source, *keys["answer"])}

        def convert(record: Mapping[str, Any]) -> list[Fields]:
            found = {name: text_of(record, *columns[name], required=name not in optional) for name in columns}
            return [{name: "" if name in optional and text in _NO_INPUT else text for name, text in found.items()}]

        return convert

    identity = identity or tuple(name for name in keys if name != "answer")
    return Format(endings, make, tuple(keys), identity, optional)


def _plain(convert: Convert, fields: tuple[str, ...], *, identity: str = "question", **more: Any) -> Format:
    """A format whose records a function converts."""
    return Format(make=lambda source, path: convert, fields=fields, identity=(identity,), **more)


def _instructed(answer: tuple[str, ...], given: str = "input") -> Format:
    return _table(instruction=("instruction",), input=(given,), answer=answer, optional=("input",))


def _asked(*answer: str) -> Format:
    """The instruction of these files is the same for all records, so that the wordings take its place."""
    return _table(question=("input", "question"), answer=(*answer, "output", "answer"))


def _guideline_pairs(record: Mapping[str, Any]) -> list[Fields]:
    """Plain pairs, or all pairs that a model's response holds after the words Question and Answer."""
    if "question" in record:
        return [{"question": text_of(record, "question"), "answer": text_of(record, "answer")}]
    response = text_of(record, "response", "output", "text").replace("**", "")
    return [{"question": question.strip(), "answer": answer.strip()} for question, answer in _PAIR.findall(response)]


def _advice(record: Mapping[str, Any]) -> list[Fields]:
    """The authors' table with labels 0, 1, 2, or the copy of medAlpaca, whose output says the label."""
    label = text_of(record, "label", "output")
    found = re.search(r"\b(no|weak|strong)\b", label.lower())
    sentence = text_of(record, "sentence", "input")
    return [{"sentence": sentence, "label": _ADVICE[found[1]] if found else label}]


def _live_question(question: Element) -> list[Fields]:
    """A consumer's message to each of its reference answers, in the test and the training files' nesting."""
    original = question.find("Original-Question")
    asked = question if original is None else original
    subject, message = (one_line(asked.findtext(tag) or "") for tag in ("SUBJECT", "MESSAGE"))
    said = subject.lower() == "no" or message.lower().startswith(subject.lower())  # "No" is put where there is none
    text = message if said else f"{subject}\n{message}"
    return [{"question": text, "answer": one_line(_all_text(answer))} for answer in question.iter("ANSWER")]


def _ranked_question(question: Mapping[str, Any] | Element) -> list[Fields]:
    """A question to each answer that experts scored 4 (excellent) or 3 (correct, but incomplete), or of medAlpaca's
    copy, a question with an article to its answer.
    """
    if not isinstance(question, Element):
        keys = {"question": "instruction", "context": "input", "answer": "output"}
        return [{name: text_of(question, key, required=name != "context") for name, key in keys.items()}]
    good = [answer for answer in question.iter("Answer") if answer.get("ReferenceScore") in ("3", "4")]
    asked = one_line(question.findtext("QuestionText") or "")
    answers = [one_line(answer.findtext("AnswerText") or "") for answer in good]
    return [{"question": asked, "context": "", "answer": answer} for answer in answers]


def _medquad_pairs(document: Element) -> list[Fields]:
    focus = one_line(document.findtext("Focus") or "")
    return [
        {
            "question": re.sub(r"[\s?]*\?$", "?", one_line(pair.findtext("Question") or "")),
            "focus": focus,
            "answer": tidy(pair.findtext("Answer") or ""),
        }
        for pair in document.iter("QAPair")
    ]


def _all_text(element: Element | None) -> str:
    return "" if element is None else "".join(element.itertext())


_DROPPED = {"xref", "table-wrap", "fig", "label", "disp-formula", "tex-math", "ref-list", "supplementary-material"}


def _article(record: Mapping[str, Any] | Element) -> Mapping[str, Any]:
    """Title, abstract, keywords and text of an article: as JSON has them, of a JATS file, or of PubMed's baseline."""
    if not isinstance(record, Element):
        return record
    if record.tag == "PubmedArticle":
        parts = [(part.get("Label"), _all_text(part)) for part in record.iterfind(".//Abstract/AbstractText")]
        return {
            "title": one_line(_all_text(record.find(".//ArticleTitle"))),
            "abstract": "\n".join(f"{label.capitalize()}: {text}" if label else text for label, text in parts),
            "keywords": [_all_text(name) for name in record.iterfind(".//MeshHeading/DescriptorName")],
        }
    front = record.find("front/article-meta")
    front = Element("article-meta") if front is None else front
    return {
        "title": _spoken(front.find("title-group/article-title")),
        "abstract": "\n".join(_paragraphs(front.find("abstract"))),
        "keywords": [_spoken(word) for word in front.iterfind("kwd-group/kwd")],
        "text": "\n".join(_paragraphs(record.find("body"))),
    }


def _paragraphs(element: Element | None) -> Iterator[str]:
    for child in () if element is None else element:
        if child.tag in ("p", "title"):
            yield _spoken(child)
        elif child.tag not in _DROPPED:
            yield from _paragraphs(child)


def _spoken(element: Element | None) -> str:
    """An element's text without what a reader would skip: references, tables, figures and source of formulas."""

    def pieces(parent: Element) -> Iterator[str]:
        yield parent.text or ""
        for child in parent:
            if child.tag not in _DROPPED:
                yield from pieces(child)
            yield child.tail or ""

    text = "" if element is None else one_line("".join(pieces(element)))
    return re.sub(r"\s*[\[(][\s,;\u2013-]*[\])]", "", text)


def _title_of_abstract(record: Any) -> list[Fields]:
    article = _article(record)
    return [{"abstract": text_of(article, "abstract"), "answer": text_of(article, "title")}]


def _keywords_of_abstract(record: Any) -> list[Fields]:
    article = _article(record)
    key = next((key for key in ("mesh_terms", "mesh", "keywords") if key in article), "mesh_terms")
    words = article.get(key)
    if isinstance(words, list):
        if not all(isinstance(word, str) for word in words):
            raise Unusable("not_text")
        words = "; ".join(dict.fromkeys(word.strip() for word in words if word.strip()))
    return [{"abstract": text_of(article, "abstract"), "answer": text_of({**article, key: words}, key)}]


def _continuation(source: Source, path: Path) -> Convert:
    """The first half of a passage's sentences to the others; of a long text, one passage of `PASSAGE` characters."""
    keys = _chosen(source, "clean_text", "text", "body")

    def convert(record: Any) -> list[Fields]:
        article = _article(record)
        title, text = text_of(article, "title", required=False), text_of(article, *keys)
        passages = _passages(_SENTENCE.findall(text))
        sentences = passages[draw(text, len(passages), "passage")]
        middle = len(sentences) // 2
        first, second = ("".join(part).strip() for part in (sentences[:middle], sentences[middle:]))
        if text and not first:
            raise Unusable("no_answer")
        return [{"title": title, "text": first, "answer": second}]

    return convert


def _passages(sentences: list[str]) -> list[list[str]]:
    passages: list[list[str]] = [[]]
    size = 0
    for sentence in sentences:
        if passages[-1] and size + len(sentence) > PASSAGE:
            passages.append([])
            size = 0
        passages[-1].append(sentence)
        size += len(sentence)
    # A short remainder would be a passage of a sentence or two.
    return passages[:-1] if len(passages) > 1 and size < PASSAGE // 2 else passages


_article_format = functools.partial(_plain, endings=(*_TABLES, *_ARCHIVED_XML), tags=("article", "PubmedArticle"))

FORMATS: dict[str, Format] = {
    "instruction": _instructed(("output",)),
    "alpaca": _instructed(("output",)),
    "medinstruct": _instructed(("output", "gpt-4-answer")),
    "dolly": _instructed(("response",), given="context"),
    "healthcaremagic": _asked(),
    "icliniq": _asked("answer_chatdoctor", "answer_icliniq"),
    "flash_cards": _asked(),
    "wikidoc": _asked(),
    "wikidoc_patient": _asked(),
    "medicationqa": _table(
        question=("Question", "question"),
        drug=("Focus (Drug)", "focus"),
        answer=("Answer", "answer"),
        optional=("drug",),
        endings=("xlsx", *_TABLES),
        identity=("question",),
    ),
    "guidelineqa": _plain(_guideline_pairs, ("question", "answer"), endings=_TABLES),
    "health_advice": _plain(_advice, ("sentence", "label"), identity="sentence", endings=_TABLES),
    "liveqa": _plain(_live_question, ("question", "answer"), endings=("xml",), tags=("NLM-QUESTION",)),
    "mediqa": _plain(
        _ranked_question,
        ("question", "context", "answer"),
        optional=("context",),
        endings=("xml", *_JSON),
        tags=("Question",),
    ),
    "medquad": _plain(
        _medquad_pairs,
        ("question", "focus", "answer"),
        optional=("focus",),
        endings=_ARCHIVED_XML,
        tags=("Document", "DiseaseFile"),
    ),
    "pmc_summarization": _article_format(_title_of_abstract, ("abstract", "answer"), identity="abstract"),
    "pmc_mesh": _article_format(_keywords_of_abstract, ("abstract", "answer"), identity="abstract"),
    "pmc_continuation": Format(
        endings=(*_TABLES, *_ARCHIVED_XML),
        make=_continuation,
        fields=("title", "text", "answer"),
        identity=("text",),
        optional=("title",),
        tags=("article",),
    ),
}
"""The formats whose records are put into words, but for those under licence (`restricted`)."""
