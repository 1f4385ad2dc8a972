"""Formats under licence: relations of the UMLS Metathesaurus, and tasks on the notes of MIMIC-III and MIMIC-IV.

Their files refer to others of the same folder, which are looked up beside them: the names of concepts, the outcome and
the diagnoses of an admission.
"""

from __future__ import annotations

import bisect
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from melama_jax.config import Source
from melama_jax.data.instruct.containers import Unusable, read_records
from melama_jax.data.instruct.records import PASSAGE, Convert, Fields, Format, beside, draw, one_line, text_of, tidy
from melama_jax.errors import DataError


def _beside(path: Path, names: tuple[str, ...], columns: frozenset[str] = frozenset()) -> Iterator[Any]:
    """Records of another file of the folder.

    Args:
        path: The file that needs it.
        names: What it may be called.
        columns: What a record must have, in small letters.

    Raises:
        DataError: It is not there, or it or one of its records cannot be read: what it says of others would be lost.
    """
    found = beside(path, names)
    if found is None:
        raise DataError(f"{path}: needs {names[0]} or {names[0]}.gz in the same folder")
    for record, place in read_records(found, found.name):
        if isinstance(record, Unusable):
            raise DataError(f"{found.with_name(place)}: cannot be read ({record.reason}); mend it")
        lacking = sorted(columns - {key.lower() for key in record}) if columns else []
        if lacking:
            raise DataError(f"{found.with_name(place)}: has no {lacking[0]}; mend it, or fetch the file again")
        yield record


# -- UMLS: columns as in the reference manual, https://www.ncbi.nlm.nih.gov/books/NBK9685

_CONCEPTS = ("MRCONSO.RRF",)
_RELATIONS = {"isa": "is a", "inverse_isa": "includes"}


class _Names:
    """Preferred English names of concepts: two arrays of some 200 MB for the whole Metathesaurus, where a mapping of
    three million texts would take a gigabyte.
    """

    def __init__(self, path: Path) -> None:
        self._text = bytearray(b"\n")
        self._start = array("Q")
        for row in _beside(path, _CONCEPTS):
            # Of the term (TS P), its preferred form (STT PF), of it the preferred atom, and not suppressed.
            if len(row) > 16 and (row[1], row[2], row[4], row[6], row[16]) == ("ENG", "P", "PF", "Y", "N"):
                self._add(_concept(row[0]), row[14])

    def _add(self, concept: int, name: str) -> None:
        if concept:  # Place 0 and the empty name there are those of concepts without one.
            self._start.extend([0] * (concept + 1 - len(self._start)))
            self._start[concept] = len(self._text)
            self._text += one_line(name).encode() + b"\n"

    def __getitem__(self, concept: int) -> str:
        start = self._start[concept] if concept < len(self._start) else 0
        return self._text[start : self._text.index(b"\n", start)].decode()


def _concept(cui: str) -> int:
    return int(cui[1:]) if re.fullmatch(r"C\d{7,8}", cui) else 0


def _umls(source: Source, path: Path) -> Convert:
    names = _Names(path)

    def convert(row: list[str]) -> list[Fields]:
        if len(row) < 15:
            raise Unusable("missing_field")
        # REL and RELA say what the second concept is to the first.
        object_, subject, relation, suppressed = row[0], row[4], row[7], row[14]
        if not relation or subject == object_ or suppressed in ("O", "E", "Y"):
            raise Unusable("unused")
        return [
            {
                "subject": names[_concept(subject)],
                "object": names[_concept(object_)],
                "answer": _RELATIONS.get(relation, relation.replace("_", " ")),
                "concepts": " ".join(sorted((subject, object_))),
            }
        ]

    return convert


# -- MIMIC: columns as PhysioNet documents them, in capitals in MIMIC-III (NOTEEVENTS, ...) and small in MIMIC-IV-Note

_ADMISSIONS = ("admissions.csv", "ADMISSIONS.csv")
_DIAGNOSES = ("diagnoses_icd.csv", "DIAGNOSES_ICD.csv")
_DISCHARGE = ("NOTEEVENTS.csv", "discharge.csv")
_RADIOLOGY = ("NOTEEVENTS.csv", "radiology.csv")
_ASKED = (
    "allergies",
    "chief complaint",
    "major surgical or invasive procedure",
    "past medical history",
    "medications on admission",
    "discharge medications",
    "discharge disposition",
    "discharge diagnosis",
    "discharge condition",
    "discharge instructions",
    "followup instructions",
)
"""Sections of a discharge summary that questions are about."""
_ADMISSION = (
    "chief complaint",
    "history of present illness",
    "past medical history",
    "social history",
    "family history",
    "medications on admission",
    "allergies",
)
"""Sections that were known at admission; not the physical examination, which that of discharge often follows."""
_LATER = (
    r"\bexam|laborator|\blabs?\b|vital|results|studies|imaging|course|summary|"
    r"discharge|disposition|condition|diagnos|procedure|follow|facility|service|addendum"
)
_HEADING = re.compile(
    rf"^[ \t]*(?=[A-Za-z])(?:"
    rf"(?P<known>(?i:{'|'.join(sorted({*_ASKED, *_ADMISSION}))}))"
    rf"|(?i:[^\n:.;]{{0,50}}(?:{_LATER})[^\n:.;]{{0,50}})"  # Whatever else names what came after admission.
    rf"|[A-Z][A-Z0-9 /&,()'-]{{2,60}}"  # In capitals, as MIMIC-III has them.
    rf"|[A-Z][a-z]+(?: (?:[A-Z][a-z]*|of|on|at|and|or|the|to|in|by))+"  # Each Word, as MIMIC-IV has them.
    rf")[ \t]*:",
    re.M,
)
"""A line that begins a section: hospitals name them freely, so a section ends at whatever looks like a heading."""
_TELLS = re.compile(
    r"hospital course|\bexpired (?:on|at)\b|time of death|pronounced dead|"
    r"(?:condition|disposition|diagnos\w+) (?:on|at|upon) discharge|discharge (?:condition|disposition|diagnos)",
    re.I,
)
"""What stands in no text that was written at admission."""
_REPORT = re.compile(
    r"^[ \t]*FINDINGS?:(.*?)^[ \t]*IMPRESSION:(.*?)(?=^[ \t]*(?:NOTIFICATION|RECOMMENDATION|ADDENDUM)|\Z)", re.M | re.S
)
"""Findings hold headings of their own, of organs, but nothing stands between them and the impression."""
_REMOVED = re.compile(r"\[\*\*.*?\*\*\]|_+", re.S)
"""What stands for identifiers in MIMIC-III and in MIMIC-IV."""

_ICD9 = re.findall(
    r"\w+",
    "140 infectious 240 neoplasms 280 endocrine 290 blood 320 mental 390 nervous 460 circulatory 520 respiratory "
    "580 digestive 630 genitourinary 680 pregnancy 710 skin 740 musculoskeletal 760 congenital 780 perinatal "
    "800 symptoms A injury",
)
"""Chapters of ICD-9-CM after the first category that is none of theirs; beside them there are E and V codes."""
_ICD10 = re.findall(
    r"\w+",
    "A infectious C neoplasms D5 blood E endocrine F mental G nervous I circulatory J respiratory K digestive L skin "
    "M musculoskeletal N genitourinary O pregnancy P perinatal Q congenital R symptoms S injury U special V external "
    "Z contacts",
)
"""Chapters of ICD-10-CM after their first codes; those of eyes and ears (H) go with the nervous system, as in ICD-9."""


def chapter(code: str, version: str) -> str:
    """Chapter of a diagnosis, under the names of `labels` in configs/instruct/mimic_classification.yaml.

    Args:
        code: Without a dot, as MIMIC has it.
        version: 9 or 10.

    Returns:
        The name; nothing for what is no code.
    """
    code = code.strip().upper()
    if version == "10":
        return "" if not code[:1].isalpha() else _ICD10[1::2][bisect.bisect_right(_ICD10[::2], code) - 1]
    if code[:1] in ("E", "V"):
        return "external" if code[0] == "E" else "contacts"
    return "" if not code[:3].isdigit() else _ICD9[1::2][bisect.bisect_right(_ICD9[::2], code)]


def _notes(
    make: Callable[[Path], Convert],
    fields: tuple[str, ...],
    *,
    radiology: bool = False,
    companions: tuple[str, ...] = (),
) -> Format:
    """A format of notes of one kind, converted with their columns in small letters. The patient is the identity, so
    that nobody's notes are on both sides of a split.
    """
    category = "radiology" if radiology else "discharge summary"

    def factory(source: Source, path: Path) -> Convert:
        inner = make(path)

        def convert(record: Mapping[str, Any]) -> list[Fields]:
            note = {key.lower(): value for key, value in record.items()}
            if note.get("category", category).strip().lower() != category or note.get("iserror", "").strip() == "1":
                raise Unusable("unused")
            return [{**found, "patient": text_of(note, "subject_id")} for found in inner(note)]

        return convert

    files = _RADIOLOGY if radiology else _DISCHARGE
    return Format(("csv",), factory, fields, identity=("patient",), files=files, companions=companions)


def _sections(note: str) -> list[tuple[str, int, int, int]]:
    """A discharge summary's sections: name (empty of those that are none of ours), start, start of the text, end."""
    found = list(_HEADING.finditer(note))
    ends = [match.start() for match in found[1:]] + [len(note)]
    named = [(match["known"] or "").lower() for match in found]
    return [(name, match.start(), match.end(), end) for name, match, end in zip(named, found, ends, strict=True)]


def _says(text: str) -> bool:
    return any(map(str.isalnum, _REMOVED.sub("", text)))


def _question(path: Path) -> Convert:
    """One section of a summary is asked for, given it and as many of its neighbours as a passage holds."""

    def convert(note: Mapping[str, Any]) -> list[Fields]:
        text, id = text_of(note, "text"), text_of(note, "note_id", "row_id")
        sections = _sections(text)
        asked = [
            place
            for place, (name, _, start, end) in enumerate(sections)
            if name in _ASKED and _says(text[start:end]) and end - start <= PASSAGE // 2
        ]
        if not asked:
            raise Unusable("no_answer")
        place = asked[draw(id, len(asked), "section")]
        first = last = place
        while True:
            if last + 1 < len(sections) and sections[last + 1][3] - sections[first][1] <= PASSAGE:
                last += 1
            elif first and sections[last][3] - sections[first - 1][1] <= PASSAGE:
                first -= 1
            else:
                break
        name, _, start, end = sections[place]
        excerpt = text[sections[first][1] : sections[last][3]]
        return [{"note": tidy(excerpt), "topic": name, "answer": tidy(text[start:end])}]

    return convert


def _impression(path: Path) -> Convert:
    def convert(note: Mapping[str, Any]) -> list[Fields]:
        found = _REPORT.search(text_of(note, "text"))
        return [{"findings": tidy(found[1]), "answer": tidy(found[2])}] if found else []

    return convert


def _of_admission(
    path: Path, names: tuple[str, ...], columns: frozenset[str], value: Callable[[dict[str, str]], str]
) -> Convert:
    """What was known at admission, to something of the admission that another table holds."""
    values: dict[str, str] = {}
    for record in _beside(path, names, columns | {"hadm_id"}):
        row = {key.lower(): text.strip() for key, text in record.items()}
        if row["hadm_id"] and (found := value(row)):
            values[_number(row["hadm_id"])] = found

    def convert(note: Mapping[str, Any]) -> list[Fields]:
        text, admission = text_of(note, "text"), _number(text_of(note, "hadm_id"))
        if admission not in values:
            raise Unusable("no_answer")
        known = "\n\n".join(tidy(text[start:end]) for name, start, _, end in _sections(text) if name in _ADMISSION)
        if _TELLS.search(known):
            raise Unusable("unused")
        return [{"note": known, "label": values[admission]}]

    return convert


def _number(text: str) -> str:
    """An identifier as pandas writes it where some are missing, 30.0, and as it is, 30."""
    return text.removesuffix(".0")


def _mortality(path: Path) -> Convert:
    flag = "hospital_expire_flag"
    return _of_admission(path, _ADMISSIONS, frozenset({flag}), lambda row: row[flag])


def _principal_diagnosis(path: Path) -> Convert:
    def principal(row: dict[str, str]) -> str:
        if row.get("seq_num") != "1":
            return ""
        return chapter(row.get("icd9_code") or row.get("icd_code", ""), row.get("icd_version", "9"))

    return _of_admission(path, _DIAGNOSES, frozenset({"seq_num"}), principal)


RESTRICTED: dict[str, Format] = {
    "umls": Format(
        ("rrf",),
        _umls,
        ("subject", "object", "answer"),
        identity=("concepts",),
        files=("MRREL.RRF",),
        companions=_CONCEPTS,
    ),
    "mimic_qa": _notes(_question, ("note", "topic", "answer")),
    "mimic_summarization": _notes(_impression, ("findings", "answer"), radiology=True),
    "mimic_classification": _notes(_principal_diagnosis, ("note", "label"), companions=_DIAGNOSES),
    "mimic_mortality": _notes(_mortality, ("note", "label"), companions=_ADMISSIONS),
}
"""The formats under licence whose records are put into words."""
