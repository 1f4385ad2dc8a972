"""Synthetic clinical notes; every note is composed from the record of one condition."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from tests.sample_corpus import knowledge
from tests.sample_corpus.patients import Patient, admit
from tests.sample_corpus.records import Condition, Prescription
from tests.sample_corpus.wording import (
    Chooser,
    NearCopyGuard,
    cap,
    fill_numbers,
    infinitive,
    listed,
    sentence,
    uncap,
)

# Notes are short and follow fixed habits of wording, so they may share a little more than articles do.
SHARED_LIMIT = 0.6


@dataclasses.dataclass(frozen=True)
class Note:
    """A clinical note with the facts about its patient that the text must agree with."""

    text: str
    note_type: str
    condition: str
    sex: str
    age: int


def _for_patient(c: Condition, p: Patient) -> Condition:
    """Leaves out what a record says about other patients, such as pregnancy in the note of a man."""

    def suits(item: str) -> bool:
        if p.sex == "male" and any(w in item for w in ("ovarian", "pelvic inflammatory", "adnexa")):
            return False
        return "pregnan" not in item or c.field == "obstetrics" or (p.sex == "female" and 18 <= p.age <= 45)

    def kept(items: tuple[str, ...]) -> tuple[str, ...]:
        shown = (i.removesuffix(" in female patients").removesuffix(" in women") for i in items if suits(i))
        return tuple(shown)

    return dataclasses.replace(
        c,
        differentials=kept(c.differentials),
        first_line=kept(c.first_line),
        second_line=kept(c.second_line),
        follow_up=kept(c.follow_up),
        advice=kept(c.advice),
        warnings=kept(c.warnings),
        symptoms=kept(c.symptoms),
        negatives=kept(c.negatives),
    )


def _signs(c: Condition, ch: Chooser, low: int, high: int) -> str:
    """Lists findings with the normal ones at the end, as an examiner would dictate them."""
    normal = ("a normal", "an otherwise normal", "an unremarkable", "no ")
    return listed(sorted(ch.some(c.signs, low, high), key=lambda s: s.startswith(normal)))


def _complaints(c: Condition, ch: Chooser) -> tuple[str, list[str]]:
    return c.symptoms[0], ch.some(c.symptoms[1:], 2, 4)


def _history(c: Condition, p: Patient, ch: Chooser) -> str:
    main, others = _complaints(c, ch)
    onset = ch.pick(c.onsets)
    teller = {"self": p.subject, "parent": f"{p.possessive} {ch.pick(('mother', 'father'))}"}.get(
        c.informant, f"{p.possessive} {ch.pick(('daughter', 'son', 'spouse'))}"
    )
    verb = ch.pick(("reports", "describes", "mentions"))
    opening = ch.pick(
        (
            f"{cap(p.described)} presents with {main}.",
            f"{cap(p.described)} comes for assessment of {main}.",
            f"{cap(p.described)} is seen because of {main}.",
        )
    )
    time = ch.pick(
        (
            f"The problem began {onset} ago.",
            f"Symptoms have been present for {onset}.",
            f"Duration is {onset}.",
        )
    )
    denied = listed(ch.some(c.negatives, 2, 3), "or")
    denial = ch.pick((f"{cap(teller)} has not noticed {denied}.", f"No {denied}."))
    if c.informant == "self":
        denial = ch.pick((f"{cap(p.subject)} denies {denied}.", f"No {denied}."))
    return f"{opening} {time} {cap(teller)} also {verb} {listed(others)}. {denial}"


def _results(c: Condition, ch: Chooser, most: int = 4) -> list[str]:
    chosen = ch.some(c.tests, min(2, len(c.tests)), most)
    return [f"{cap(t.name)}: {fill_numbers(t.noted, ch)}" for t in chosen]


def _ordered(c: Condition, names: tuple[str, ...]) -> list[Prescription]:
    return [p for p in c.prescriptions if p.drug in names]


def _chosen(c: Condition, ch: Chooser) -> list[Prescription]:
    """Returns the drugs of one plan; ``pick`` says how many of the listed alternatives belong together."""
    kept = set(ch.some(range(len(c.prescriptions)), c.pick, c.pick))
    return [p for i, p in enumerate(c.prescriptions) if i in kept]


def _measures(c: Condition) -> list[str]:
    """Returns the first-line measures that name no drug and no drug class, fit to be listed as options."""
    lexicon = knowledge.drug_lexicon()
    return [
        m
        for m in c.first_line
        if not any(drug in m.lower() for drug in lexicon) and not m.startswith(("a ", "an ", "intravenous"))
    ]


def _advice(c: Condition, p: Patient, ch: Chooser) -> str:
    items = [
        infinitive(a).replace("yourself", p.reflexive).replace("your ", f"{p.possessive} ")
        for a in ch.some(c.advice, 2, 3)
    ]
    who = "The family" if c.informant != "self" else ch.pick(("The patient", cap(p.subject)))
    return f"{who} was advised {listed(items)}."


def _return(c: Condition, ch: Chooser) -> str:
    items = listed(ch.some(c.warnings, 2, 3), "or")
    return ch.pick((f"Return at once for {items}.", f"Urgent review in case of {items}."))


def _assessment(c: Condition, ch: Chooser) -> str:
    other = ch.pick(c.differentials)
    return ch.pick(
        (
            f"{cap(c.name)}. {cap(other)} was considered but is less likely.",
            f"Findings are consistent with {c.name}.",
            f"History, examination and results support {c.name}; the differential includes {other}.",
            f"{cap(c.name)}, based on history and results.",
        )
    )


def visit_note(c: Condition, p: Patient, ch: Chooser) -> str:
    """An outpatient or emergency visit note."""
    urgent = bool(c.course)
    drugs = _ordered(c, c.acute) if urgent else _chosen(c, ch)
    start = ch.pick(("Start", "Begin")) if drugs else ""
    plan = [f"{start} {d.drug} {d.dose}" for d in drugs]
    measures = _measures(c)
    if measures:
        lead = "Also planned" if urgent else "Options discussed"
        plan.append(f"{lead}: {listed(ch.some(measures, 1, 2))}")
    if urgent:
        plan.append(ch.pick(("Admit to hospital for treatment and monitoring", "Admission arranged")))
    else:
        plan.append(f"Follow-up: {listed(ch.some(c.follow_up, 1, 2))}")
    history = _history(c, p, ch)
    findings = cap(_signs(c, ch, 2, 3))
    results = _results(c, ch)
    closing = "" if urgent else f"{_advice(c, p, ch)} {_return(c, ch)}"
    style = ch.below(3)
    if style == 0:
        numbered = "\n".join(f"{i}. {item}." for i, item in enumerate(plan, 1))
        lines = [
            f"{'EMERGENCY DEPARTMENT NOTE' if urgent else 'CLINIC VISIT NOTE'} - {c.field.upper()}",
            f"Chief complaint: {cap(c.symptoms[0])}.",
            f"History of present illness: {history}",
            f"Background: {p.background}",
            f"Vital signs: {p.vitals}",
            f"Examination: {findings}.",
            f"Results: {'; '.join(results)}.",
            f"Assessment: {_assessment(c, ch)}",
            f"Plan:\n{numbered}",
            closing,
        ]
        return "\n".join(line for line in lines if line)
    if style == 1:
        lines = [
            f"S: {history} {p.background}",
            f"O: {p.vitals} {findings}. {'. '.join(results)}.",
            f"A: {_assessment(c, ch)}",
            f"P: {'; '.join([plan[0], *map(uncap, plan[1:])])}. {closing}".rstrip(),
        ]
        return "\n".join(lines)
    return (
        f"{history} {p.background}\n\nOn examination: {p.vitals} {findings}. {'. '.join(results)}.\n\n"
        f"{_assessment(c, ch)} {'. '.join(cap(item) for item in plan)}. {closing}".rstrip()
    )


def discharge_summary(c: Condition, p: Patient, ch: Chooser) -> str:
    """A discharge summary (only for conditions with a hospital course)."""
    days = ch.between(2, 4) if c.field in ("general surgery", "obstetrics") else ch.between(4, 8)
    main, others = _complaints(c, ch)
    home = _ordered(c, c.home)
    medication = "; ".join(f"{d.drug} {d.dose}" for d in home) if home else "none, since the course was completed"
    course = [s if i == 0 or ch.chance(0.8) else "" for i, s in enumerate(c.course)]
    presentation = (
        f"{cap(p.described)} was admitted after {ch.pick(c.onsets)} of {main}, together with "
        f"{listed(others[:3])}. Examination on arrival showed {_signs(c, ch, 2, 2)}."
    )
    close = ch.pick(
        (
            "Condition at discharge: stable and improved.",
            "Condition at discharge: good.",
            "Discharged home in stable condition.",
        )
    )
    lines = [
        ch.pick(("DISCHARGE SUMMARY", f"DISCHARGE SUMMARY - {c.field.upper()}")),
        f"Principal diagnosis: {cap(c.name)}.",
        f"Length of stay: {days} days.",
        f"{ch.pick(('Presentation', 'History'))}: {presentation}",
        f"Background: {p.background}" if ch.chance(0.6) else "",
        f"Key results: {'; '.join(_results(c, ch))}.",
        f"Hospital course: {' '.join(s for s in course if s)}",
        f"Discharge medications: {medication}.",
        f"Follow-up: {cap(listed(ch.some(c.follow_up, 2, 3)))}.",
        f"Instructions: {_advice(c, p, ch)} {_return(c, ch)}",
        close,
    ]
    return "\n".join(line for line in lines if line)


# Remarks of a report that fit every finding of that kind of image.
_EXTRA_FINDINGS = {
    "Chest radiograph": (
        "The trachea is midline",
        "The visible bones show no acute fracture",
        "No free air is seen beneath the diaphragm",
        "Image quality is adequate",
    ),
    "CT": (
        "No aggressive bone lesion is seen",
        "The study is of good technical quality",
        "The visible soft tissues of the body wall are unremarkable",
    ),
    "MRI": (
        "The paranasal sinuses are clear",
        "There is no extra-axial collection",
        "The study is of good technical quality",
    ),
    "Ultrasound": (
        "Image quality is adequate",
        "The examination was well tolerated",
        "Views were partly limited by bowel gas",
    ),
    "": (
        "Image quality is adequate",
        "The examination was well tolerated",
        "No previous images are available",
    ),
}


def radiology_report(c: Condition, p: Patient, ch: Chooser) -> str:
    """A radiology report (only for conditions with an imaging record)."""
    assert c.imaging is not None
    extra = next(more for start, more in _EXTRA_FINDINGS.items() if c.imaging.modality.startswith(start))
    findings = [*c.imaging.findings, *ch.some(extra, 1, 2)]
    if ch.chance(0.5):
        findings = [findings[-1], *findings[:-1]]
    main, others = _complaints(c, ch)
    reason = ch.pick(
        (
            f"{cap(p.described)} with {main} and {others[0]}. Suspected {c.name}.",
            f"{cap(main)} for {ch.pick(c.onsets)} in {p.described}.",
            f"{cap(p.described)}; {main}, {listed(others[:2])}.",
        )
    )
    technique = ch.pick(
        (
            "Technique: Standard departmental protocol.",
            "Comparison: None available.",
            "Comparison: No relevant earlier study. Technique: Routine protocol.",
        )
    )
    closing = ch.pick(
        (
            f"Clinical correlation is recommended; the differential includes {ch.pick(c.differentials)}.",
            "The result was communicated to the treating team.",
            f"Suggested next steps: {listed(ch.some(c.follow_up, 1, 2))}.",
            "",
        )
    )
    return "\n".join(
        line
        for line in (
            "RADIOLOGY REPORT",
            f"Examination: {c.imaging.modality}.",
            f"Clinical information: {reason}",
            technique,
            f"Findings: {' '.join(sentence(f) for f in findings)}",
            f"Impression: {c.imaging.impression}.",
            closing,
        )
        if line
    )


def nursing_note(c: Condition, p: Patient, ch: Chooser) -> str:
    """A nursing note from the ward (only for conditions with nursing observations)."""
    shift = ch.pick(("Day shift", "Evening shift", "Night shift"))
    observed = ch.some(c.nursing, 3, 4)
    day = ch.between(2, 4)
    # By then only those drugs are still given that continue at home, unless treatment ends in hospital.
    continued = tuple(name for name in c.acute if name in c.home) if c.home else c.acute
    drugs = _ordered(c, continued)
    given = f"Given as ordered: {listed([d.drug for d in drugs])}. " if drugs and ch.chance(0.7) else ""
    advice = _advice(c, p, ch).replace("was advised", "was taught")
    plan = ch.pick(
        (
            "Call light is within reach and the bed is in low position.",
            "Handover was given to the next nurse at the bedside.",
            "Will continue to monitor and report any change.",
            f"Will call the physician in case of {listed(ch.some(c.warnings, 2, 2), 'or')}.",
        )
    )
    lead = ch.pick(("Patient", "Care summary: patient"))
    return (
        f"NURSING NOTE - {shift}, hospital day {day}\n"
        f"{lead} is {p.described} admitted with {c.name}. {p.stable_vitals(ch)}\n"
        f"{' '.join(sentence(o) for o in observed)} {given}\n{advice} {plan}"
    ).replace(" \n", "\n")


def referral_letter(c: Condition, p: Patient, ch: Chooser) -> str:
    """A letter from one clinician to another."""
    main, others = _complaints(c, ch)
    drugs = [] if c.course else _chosen(c, ch)
    treatment = f"I have started {listed([f'{d.drug} {d.dose}' for d in drugs])}. " if drugs else ""
    request = ch.pick(
        (
            "I would be grateful for your opinion on further management.",
            "Please advise on further tests and treatment.",
            f"In particular, I would value your view on {ch.pick(c.second_line)}.",
        )
    )
    test = ch.pick(c.tests)
    return (
        f"REFERRAL LETTER\nTo: Department of {c.field}.\n"
        f"Dear colleague,\nThank you for seeing {p.described} with "
        f"{ch.pick(('suspected', 'a clinical picture of'))} {c.name}. {cap(p.subject)} has had {main} for "
        f"{ch.pick(c.onsets)}, with {listed(others[:3])}. {p.background} "
        f"Examination showed {_signs(c, ch, 1, 2)}. {cap(test.name)}: {fill_numbers(test.noted, ch)}. "
        f"{treatment}{request}\nWith kind regards."
    )


def telephone_note(c: Condition, p: Patient, ch: Chooser) -> str:
    """A follow-up telephone call after a visit."""
    caller = {"self": "patient", "parent": "parent"}.get(c.informant, "family caregiver")
    better = ch.pick(c.symptoms)
    drugs = [] if c.course else _chosen(c, ch)
    taking = (
        f"{'The patient is' if c.informant != 'self' else cap(p.subject) + ' is'} taking "
        f"{listed([d.drug for d in drugs])} as prescribed and reports no side effects. "
        if drugs
        else ""
    ).replace("and reports", "and there are" if c.informant != "self" else "and reports")
    return (
        f"TELEPHONE NOTE\nCall with the {caller}. Patient: {p.described}, known {c.name}.\n"
        f"{ch.pick(('Reason for call', 'Topic'))}: review after the recent visit. "
        f"{ch.pick(('A leading complaint had been', 'The complaints had included'))} {better}; "
        f"{ch.pick(('this has improved', 'this is now easing', 'this is unchanged so far'))}. "
        f"{taking}{_advice(c, p, ch)} {_return(c, ch)} "
        f"{ch.pick(('Next step', 'Planned'))}: {listed(ch.some(c.follow_up, 1, 2))}."
    )


def _kinds(c: Condition) -> list:
    kinds = [(visit_note, "visit note")] * 3
    if c.course:
        kinds += [(discharge_summary, "discharge summary")] * 2 + [(nursing_note, "nursing note")] * 2
    else:
        kinds += [(telephone_note, "telephone note")]
        # An illness of hours is sent to hospital, not referred by letter.
        if not any("hour" in onset for onset in c.onsets):
            kinds += [(referral_letter, "referral letter")]
    if c.imaging:
        kinds += [(radiology_report, "radiology report")] * 2
    return kinds


def notes(seed: int, target: int) -> Iterator[Note]:
    """Yields different notes until they add up to about ``target`` characters.

    Args:
        seed: Seed of the corpus.
        target: Number of characters after which no further note is started.

    Yields:
        Notes on all conditions in turn.
    """
    ch = Chooser(f"clinical-{seed}")
    guard = NearCopyGuard(SHARED_LIMIT)
    conditions = knowledge.load_conditions()
    kinds = {c.name: ch.shuffled(_kinds(c)) for c in conditions}
    written = 0
    for turn in range(1000):
        for c in ch.shuffled(conditions):
            make, note_type = kinds[c.name][turn % len(kinds[c.name])]
            for _ in range(4):
                patient = admit(c, ch)
                text = make(_for_patient(c, patient), patient, ch)
                if guard.accept(text):
                    written += len(text)
                    yield Note(text, note_type, c.name, patient.sex, patient.age)
                    break
            if written >= target:
                return
    raise RuntimeError(f"the facts do not suffice for {target} characters of different notes")
