"""Entities in sentences, one BIO tag a token: i2b2 2010, NCBI disease, BC5CDR."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets.files import SPLIT_NAMES, Entry, Folder, exports, read_records
from melama_jax.evaluation.datasets.items import Items
from melama_jax.evaluation.example import Loaded, Split

I2B2 = ("problem", "treatment", "test")
DISEASE = ("Disease",)
CHEMICAL_DISEASE = ("Chemical", "Disease")

_CONCEPT = re.compile(r'c="(?P<text>.*)" (?P<start>\d+:\d+) (?P<end>\d+:\d+)\|\|t="(?P<type>[a-z]+)"')
_WORD = re.compile(r"\w+|[^\w\s]")


def tagged(folder: Path, split: Split, *, types: Sequence[str], codes: Sequence[str], inside: str = "") -> Loaded:
    """Sentences of tokens and tags: a token and its tag a line with a blank line between sentences, or the hub's table.

    Args:
        folder: Where the files lie.
        split: Which to read.
        types: The entity types.
        codes: The tags that the hub's numbers stand for.
        inside: A subfolder whose files come first.
    """
    source = Folder(folder)
    items = Items(source)
    names = [f"{part}{name}.{end}" for part in (inside, "") for name in SPLIT_NAMES[split] for end in ("tsv", "conll")]
    for entry in source.find(*names, *exports(split)):
        sentences = _lines(entry) if entry.name.endswith((".tsv", ".conll")) else _table(entry, codes)
        for number, (place, tokens, tags) in enumerate(sentences, 1):
            _add(items, f"{PurePosixPath(entry.name).stem}-{number}", tokens, _bio(tags, types, place), types)
    return items.loaded()


def _add(items: Items, id: str, tokens: Sequence[str], tags: Sequence[str], types: Sequence[str]) -> None:
    items.add(id, {"tokens": list(tokens), "sentence": " ".join(tokens)}, tuple(tags), tuple(types))


def _lines(entry: Entry) -> Iterator[tuple[str, list[str], list[str]]]:
    tokens: list[str] = []
    tags: list[str] = []
    start = 1
    for number, line in enumerate([*entry.text().split("\n"), ""], 1):
        fields = line.strip().split("\t")
        if not line.strip() or fields[0] == "-DOCSTART-":
            if tokens:
                yield f"{entry.place}:{start}", tokens, tags
            tokens, tags, start = [], [], number + 1
        elif len(fields) < 2:
            raise DataError(f"{entry.place}:{number}: a token, a tabulator and a tag are expected")
        else:
            tokens.append(fields[0])
            tags.append(fields[-1])


def _table(entry: Entry, codes: Sequence[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    for record in read_records(entry):
        tokens, tags = record.texts("tokens"), record.value("ner_tags", "tags")
        if not isinstance(tags, list) or len(tags) != len(tokens):
            raise record.error(f"{len(tokens)} tokens but not as many tags")
        names = dict(enumerate(codes))
        if any(not isinstance(tag, str) and tag not in names for tag in tags):
            raise record.error(f"a tag is neither a name nor a number below {len(codes)}")
        if tokens:
            yield record.place, tokens, [str(names.get(tag, tag)) for tag in tags]


def _bio(tags: Sequence[str], types: Sequence[str], place: str) -> list[str]:
    """Tags with the types spelled as given; an `I-` that continues nothing begins an entity, as in IOB1."""
    known = {kind.lower(): kind for kind in types}
    result: list[str] = []
    for number, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if tag == "O":
            result.append("O")
            continue
        if prefix not in ("B", "I") or kind.lower() not in known:
            raise DataError(f"{place}: tag {number + 1} is neither O nor B- or I- with {', '.join(types)}")
        kind = known[kind.lower()]
        continues = prefix == "I" and result and result[-1][1:] == f"-{kind}"
        result.append(f"{'I' if continues else 'B'}-{kind}")
    return result


def ncbi_disease(folder: Path, split: Split) -> Loaded:
    """NCBI disease: sentences of `conll/`, or whole abstracts of the PubTator corpus where only that is there."""
    source = Folder(folder)
    name = {"train": "train", "validation": "develop", "test": "test"}[split]
    corpus = source.find(f"NCBI{name}set_corpus.txt", required=False)
    names = [f"{name}.tsv" for name in SPLIT_NAMES[split]]
    if not corpus or source.find(*names, required=False):
        codes = ("O", "B-Disease", "I-Disease")
        return tagged(folder, split, types=DISEASE, codes=codes, inside="conll/")
    items = Items(source)
    for id, text, mentions in _pubtator(corpus[0]):
        tokens, tags = _tokens(text, [(start, end, "Disease") for start, end in mentions])
        _add(items, id, tokens, tags, DISEASE)
    return items.loaded()


def _pubtator(entry: Entry) -> Iterator[tuple[str, str, list[tuple[int, int]]]]:
    """PMID, title and abstract with a blank between, and where the mentions start and end."""
    for block in re.split(r"\n\s*\n", entry.text().strip()):
        title, *rows = block.strip().split("\n")
        abstract = rows.pop(0) if rows else ""
        head, body = title.split("|", 2), abstract.split("|", 2)
        if len(head) < 3 or len(body) < 3 or (head[1], body[1]) != ("t", "a") or head[0] != body[0]:
            raise DataError(f"{entry.place}: {head[0][:20]}: a line with |t| and one with |a| are expected")
        text = f"{head[2]} {body[2]}"
        mentions = []
        for row in rows:
            fields = row.split("\t")
            if len(fields) < 5 or not (fields[1].isdigit() and fields[2].isdigit()) or int(fields[2]) > len(text):
                raise DataError(
                    f"{entry.place}: {head[0]}: a mention is no PMID, start, end, text, type of the abstract"
                )
            mentions.append((int(fields[1]), int(fields[2])))
        yield head[0], text, mentions


def _tokens(text: str, mentions: Sequence[tuple[int, int, str]]) -> tuple[list[str], list[str]]:
    """Words and signs of a text, cut at the mentions' ends too; of mentions that overlap the longest counts."""
    tokens, tags = [], []
    place = 0
    chosen: list[tuple[int, int, str]] = []
    for mention in sorted(mentions, key=lambda item: (item[0] - item[1], item[0])):
        if all(mention[1] <= start or end <= mention[0] for start, end, _ in chosen):
            chosen.append(mention)
    for start, end, kind in [*sorted(chosen), (len(text), len(text), "")]:
        outside, within = _WORD.findall(text[place:start]), _WORD.findall(text[start:end])
        tokens += outside + within
        tags += ["O"] * len(outside) + [f"{'I' if number else 'B'}-{kind}" for number in range(len(within))]
        place = end
    return tokens, tags


def i2b2_2010(folder: Path, split: Split) -> Loaded:
    """i2b2/VA 2010 concepts: a line of a note is a sentence, its blank-separated parts the tokens.

    Official `.con` files beside `.txt` files of the same name; those under a folder whose name holds `test` are the
    test set. Or a token and its tag a line.
    """
    source = Folder(folder)
    if not source.find("*.con", required=False):
        codes = ("O", *(f"{prefix}-{kind}" for kind in I2B2 for prefix in "BI"))
        return tagged(folder, split, types=I2B2, codes=codes)
    items = Items(source)
    if split == "validation":
        raise DataError(f"{folder}: the official files have no validation split; split the training set")
    notes = {_note(entry): entry for entry in source.find("*.txt")}
    for entry in source.find("*.con"):
        is_test, name = _note(entry)
        if is_test != (split == "test"):
            continue
        if (is_test, name) not in notes:
            raise DataError(f"{entry.place}: has no {name}.txt in the same split")
        lines = [line.split() for line in notes[is_test, name].text().split("\n")]
        tags = [["O"] * len(line) for line in lines]
        for line, start, end, kind in _concepts(entry, lines, items):
            tags[line][start : end + 1] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start)
        for number, (tokens, found) in enumerate(zip(lines, tags, strict=True), 1):
            if tokens:
                _add(items, f"{name}-{number}", tokens, found, I2B2)
    return items.loaded()


def _note(entry: Entry) -> tuple[bool, str]:
    path = PurePosixPath(entry.name)
    return any("test" in part.lower() for part in path.parts[:-1]), path.stem


def _concepts(entry: Entry, lines: list[list[str]], items: Items) -> Iterator[tuple[int, int, int, str]]:
    """Line, first token, last token, all from 0, and type."""
    for number, row in enumerate(entry.text().splitlines(), 1):
        if not row.strip():
            continue
        match = _CONCEPT.fullmatch(row.strip())
        if match is None or match["type"] not in I2B2:
            raise DataError(f'{entry.place}:{number}: is not like c="..." 1:0 1:2||t="problem" (or treatment, test)')
        (first, start), (last, end) = (map(int, match[key].split(":")) for key in ("start", "end"))
        if first != last:
            items.leave_out("concept over a line break")  # Its sentences stay, without it.
        elif not (1 <= first <= len(lines) and start <= end < len(lines[first - 1])):
            raise DataError(f"{entry.place}:{number}: the note has no such line or token")
        else:
            yield first - 1, start, end, match["type"]


def bc5cdr(folder: Path, split: Split) -> Loaded:
    """BC5CDR: chemicals and diseases."""
    codes = ("O", "B-Chemical", "B-Disease", "I-Disease", "I-Chemical")
    return tagged(folder, split, types=CHEMICAL_DISEASE, codes=codes, inside="BC5CDR-IOB/")
