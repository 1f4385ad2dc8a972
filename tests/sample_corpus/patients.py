"""Fictional patients whose age, sex, vital signs and background fit a condition."""

from __future__ import annotations

import dataclasses

from tests.sample_corpus.records import Condition
from tests.sample_corpus.wording import Chooser, cap, listed, number_article


@dataclasses.dataclass(frozen=True)
class Patient:
    """A patient without a name; ``vitals`` and ``background`` are finished sentences."""

    age: int
    sex: str
    described: str
    vitals: str
    background: str

    @property
    def subject(self) -> str:
        """Returns "she" or "he"."""
        return "she" if self.sex == "female" else "he"

    @property
    def possessive(self) -> str:
        """Returns "her" or "his"."""
        return "her" if self.sex == "female" else "his"

    @property
    def reflexive(self) -> str:
        """Returns "herself" or "himself"."""
        return "herself" if self.sex == "female" else "himself"

    def stable_vitals(self, ch: Chooser) -> str:
        """Returns vital signs of a patient who is getting better in hospital."""
        low, high = (92, 112) if self.age < 9 else (66, 92)
        systolic = ch.between(94, 106) if self.age < 9 else ch.between(112, 134)
        return ch.pick(("Vital signs are stable: ", "Observations: ")) + (
            f"temperature {ch.between(365, 374) / 10:.1f} C, heart rate {ch.between(low, high)}, "
            f"blood pressure {systolic}/{ch.between(58, 66) if self.age < 9 else ch.between(66, 82)} mmHg."
        )


def _vitals(c: Condition, age: int, ch: Chooser) -> str:
    tags = set(c.vitals)
    child = age < 10
    temperature = ch.between(364, 371)
    if "febrile" in tags:
        temperature = ch.between(384, 394)
    elif "lowfever" in tags:
        temperature = ch.between(376, 382)
    rate = ch.between(64, 86)
    if "tachycardic" in tags or ("febrile" in tags and child):
        rate = ch.between(98, 118)
    elif "fast" in tags:
        rate = ch.between(104, 132)
    elif "slow" in tags:
        rate = ch.between(50, 60)
    systolic, diastolic = ch.between(112, 136), ch.between(66, 84)
    if "severe_hypertensive" in tags:
        systolic, diastolic = ch.between(154, 172), ch.between(98, 110)
    elif "hypertensive" in tags:
        systolic, diastolic = ch.between(146, 168), ch.between(88, 100)
    elif "hypotensive" in tags:
        systolic, diastolic = ch.between(88, 98), ch.between(54, 62)
    elif "dry" in tags:
        systolic, diastolic = ch.between(98, 110), ch.between(58, 68)
    breaths = ch.between(21, 26) if "tachypneic" in tags else ch.between(12, 18)
    saturation = ch.between(88, 93) if "hypoxic" in tags else ch.between(95, 99)
    if child:
        small = age < 4
        rate = ch.between(112, 138) if small else ch.between(86, 112)
        if "febrile" in tags:
            rate += 10
        systolic, diastolic = ch.between(86, 102), ch.between(50, 64)
        breaths = ch.between(24, 32) if small else ch.between(18, 24)
    celsius = f"{temperature / 10:.1f}"
    pressure = f"{systolic}/{diastolic}"
    return ch.pick(
        (
            f"Temperature {celsius} C, heart rate {rate} per minute, blood pressure {pressure} mmHg, "
            f"respiratory rate {breaths} per minute, oxygen saturation {saturation}% on room air.",
            f"BP {pressure}, HR {rate}, RR {breaths}, temperature {celsius} C, SpO2 {saturation}%.",
            f"Blood pressure {pressure} mmHg, pulse {rate}, temperature {celsius} C, "
            f"respirations {breaths}, saturation {saturation}% breathing room air.",
        )
    )


def _background(c: Condition, age: int, sex: str, ch: Chooser) -> str:
    allergies = ch.pick(("No known drug allergies.", "No drug allergies are known.", "Allergies: none known."))
    if age < 13:
        home = ch.pick(("Vaccinations are up to date.", "Growth and development are normal for age."))
        return f"{home} {allergies}"
    # Only risks that read well as history and fit any adult are quoted from the record.
    quotable = ("obesity", "hypertension", "diabetes mellitus", "family history", "hyperlipidemia")
    risks = [r for r in c.risks if r.startswith(quotable) or "family history" in r]
    subject = "She" if sex == "female" else "He"
    smokes = any("stop smoking" in a for a in c.advice) and age >= 18
    mentioned = any("smoking" in r or "smoke" in r for r in c.risks)
    if smokes:
        tobacco = ch.pick(
            (
                f"{subject} smokes about {ch.between(5, 20)} cigarettes a day.",
                f"{subject} is a current smoker.",
            )
        )
    elif not mentioned:
        tobacco = ch.pick((f"{subject} does not smoke.", f"{subject} has never smoked."))
    else:
        tobacco = ""
    history = f"History includes {listed(ch.some(risks, 1, 2))}." if risks and ch.chance(0.7) else ""
    living = ""
    if age >= 70 and ch.chance(0.4):
        living = ch.pick((f"{subject} lives with family.", f"{subject} lives alone with help from neighbors."))
    elif 22 <= age < 62 and ch.chance(0.35):
        work = ch.pick(("an office", "a shop", "a school", "a workshop", "a warehouse", "a bakery", "a garden center"))
        living = f"{subject} works in {work}."
    return " ".join(part for part in (history, tobacco, living, allergies) if part)


def admit(c: Condition, ch: Chooser) -> Patient:
    """Returns a new fictional patient with condition ``c``."""
    age = ch.between(*c.ages)
    sex = c.sex if c.sex != "any" else ch.pick(("female", "male"))
    nouns = {"female": ("girl", "woman"), "male": ("boy", "man")}[sex]
    noun = nouns[0] if age < 18 else nouns[1]
    return Patient(
        age=age,
        sex=sex,
        described=f"{number_article(age)} {age}-year-old {noun}",
        vitals=_vitals(c, age, ch),
        background=cap(_background(c, age, sex, ch)),
    )
