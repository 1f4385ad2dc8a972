"""The table of benchmarks, and the seeded ways to split and draw from one."""

from __future__ import annotations

import dataclasses
import functools
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets import choice, entities, inference_pairs, labels, samples, texts
from melama_jax.evaluation.example import Example, Kind, Loaded, Split

_ALL: tuple[Split, ...] = ("train", "validation", "test")
_TEST: tuple[Split, ...] = ("test",)
_LETTERS = ("A", "B", "C", "D")
_N2C2 = "n2c2 data use agreement"
_PHYSIONET = "PhysioNet credentialed health data licence 1.5.0"
_MIT = "MIT"
_CC_BY_4 = "CC BY 4.0"


@dataclasses.dataclass(frozen=True)
class Dataset:
    """A benchmark.

    Attributes:
        name: What users call it; never changes.
        title: What reports call it.
        kind: What an answer is.
        read: Reads one of `splits` from a folder; `load` is the way to it.
        labels: The answers there are, or the entity types; () where items bring their own or answers are text.
        protected: Whether its texts must stay with those who may see them.
        licence: Under which it is given out.
        splits: Those that there are, in one of the set's layouts at least.
        chance: Accuracy of guessing evenly, where accuracy is the measure.
        folder: Usual name of its folder under the folder of all benchmarks.
        prompt: The prompt that asks it: a file of `configs/prompts`.
    """

    name: str
    title: str
    kind: Kind
    read: Callable[[Path, Split], Loaded]
    labels: tuple[str, ...]
    protected: bool
    licence: str
    splits: tuple[Split, ...]
    chance: float | None
    folder: str
    prompt: str

    def load(self, folder: Path, split: Split) -> Loaded:
        """Read a split from a folder.

        Raises:
            MissingData: Its files are not there.
            DataError: The benchmark has no such split, or a file is broken; names the file and the place.
        """
        if split not in self.splits:
            names = " and ".join(self.splits)
            have = f"{names} splits" if len(self.splits) > 1 else f"a {names} split"
            raise DataError(
                f"{self.name} has {have} only; {split} is asked for (as the split, or for few-shot examples)"
            )
        return self.read(folder, split)


def _dataset(
    name: str,
    title: str,
    kind: Kind,
    read: Callable[[Path, Split], Loaded],
    licence: str,
    answers: Sequence[str] = (),
    splits: tuple[Split, ...] = _ALL,
    *,
    protected: bool = False,
    folder: str = "",
    prompt: str = "",
    options: int = 0,
) -> Dataset:
    guesses = options or (len(answers) if kind in ("choice", "label") else 0)
    chance = 1 / guesses if guesses else None
    own = (folder or name, prompt or name)
    return Dataset(name, title, kind, read, tuple(answers), protected, licence, splits, chance, *own)


def mmlu_subject(subject: str) -> Dataset:
    """The benchmark of any subject of MMLU, such as `virology`."""
    title = f"MMLU {subject.replace('_', ' ')}"
    read = functools.partial(choice.mmlu, subject=subject)
    return _dataset(f"mmlu_{subject}", title, "choice", read, _MIT, _LETTERS, folder="mmlu", prompt="mmlu")


def _mirage(part: str, title: str, options: int, licence: str = _MIT) -> Dataset:
    name, read = f"mirage_{part}", functools.partial(choice.mirage, part=part)
    title = f"MIRAGE {title}"
    return _dataset(name, title, "choice", read, licence, (), _TEST, options=options, folder="mirage", prompt="mirage")


def _gpqa(part: str, name: str, title: str) -> Dataset:
    read = functools.partial(choice.gpqa, part=part)
    return _dataset(name, title, "choice", read, _CC_BY_4, _LETTERS, _TEST, folder="gpqa", prompt="gpqa")


def _case(name: str, title: str, read: Callable[[Path, Split], Loaded], licence: str, *, folder: str = "") -> Dataset:
    prompt = "nejm_medqa" if name == "nejm_medqa" else "cases"
    return _dataset(
        name, title, "case", read, licence, (), _TEST, folder=folder, prompt=prompt, protected=name == "own_cases"
    )


_MEDQA_5 = functools.partial(choice.medqa, num_options=5)
_MEDQA_4 = functools.partial(choice.medqa, num_options=4)

_DATASETS = (
    _dataset("pubmedqa", "PubMedQA", "label", labels.pubmedqa, _MIT, labels.YES_NO_MAYBE),
    _dataset("medqa", "MedQA (USMLE)", "choice", _MEDQA_5, _MIT, (*_LETTERS, "E")),
    _dataset("medqa_4options", "MedQA, 4 options", "choice", _MEDQA_4, _MIT, _LETTERS, folder="medqa", prompt="medqa"),
    _dataset("medmcqa", "MedMCQA", "choice", choice.medmcqa, _MIT, _LETTERS, ("train", "test")),
    _dataset("emrqa", "EmrQA", "span", texts.emrqa, _N2C2, protected=True),
    _dataset("i2b2_2010", "i2b2 2010", "entities", entities.i2b2_2010, _N2C2, entities.I2B2, protected=True),
    _dataset("ddi2013", "DDI 2013", "label", labels.ddi2013, "CC BY-NC 4.0", labels.DDI),
    _dataset("hoc", "Hallmarks of Cancer", "labels", labels.hoc, "GPL-3.0", labels.HALLMARKS),
    _dataset("mtsample", "MTSamples", "label", labels.mtsample, "CC0", labels.SPECIALTIES),
    _dataset("pubmed_summarization", "PubMed summarization", "summary", texts.pubmed_summarization, "per article"),
    _dataset("mimic_cxr", "MIMIC-CXR", "summary", texts.mimic_cxr, _PHYSIONET, protected=True),
    _dataset("bionli", "BioNLI", "label", inference_pairs.bionli, _CC_BY_4, inference_pairs.BIONLI),
    _dataset("mednli", "MedNLI", "label", inference_pairs.mednli, _PHYSIONET, inference_pairs.MEDNLI, protected=True),
    _dataset("ncbi_disease", "NCBI disease", "entities", entities.ncbi_disease, "public domain", entities.DISEASE),
    _dataset("bc5cdr", "BC5CDR", "entities", entities.bc5cdr, _CC_BY_4, entities.CHEMICAL_DISEASE),
    _dataset("nli4ct", "NLI4CT", "label", inference_pairs.nli4ct, "not stated", inference_pairs.NLI4CT),
    _dataset("mediqa_rqe", "MEDIQA RQE", "label", inference_pairs.mediqa_rqe, "not stated", inference_pairs.RQE),
    _dataset("meqsum", "MeQSum", "summary", texts.meqsum, _CC_BY_4, (), _TEST),
    _dataset("bioasq", "BioASQ yes/no", "label", labels.bioasq, "CC BY 2.5", labels.YES_NO, ("train", "test")),
    *(mmlu_subject(subject) for subject in (*choice.MMLU_MEDICAL, *choice.MMLU_GENERAL)),
    _mirage("mmlu", "MMLU", 4),
    _mirage("medqa", "MedQA", 4),
    _mirage("medmcqa", "MedMCQA", 4),
    _mirage("pubmedqa", "PubMedQA", 3),
    _mirage("bioasq", "BioASQ", 2, "CC BY 2.5"),
    _gpqa("main", "gpqa_bio", "GPQA biology"),
    _gpqa("diamond", "gpqa_bio_diamond", "GPQA biology, diamond"),
    _gpqa("extended", "gpqa_bio_extended", "GPQA biology, extended"),
    _dataset("clip", "CLIP", "labels", labels.clip, _PHYSIONET, tuple(labels.FOLLOW_UPS.values()), protected=True),
    _case("nejm_medqa", "NEJM-MedQA", texts.nejm_medqa, "CC BY 4.0, texts of NEJM"),
    _case("agentclinic_cases", "AgentClinic cases", texts.agentclinic, _MIT, folder="case_diagnosis"),
    _case("craft_md_cases", "CRAFT-MD cases", texts.craft_md, _MIT, folder="case_diagnosis"),
    _case("own_cases", "Own cases", texts.own_cases, "the owner's"),
    _dataset("samples", "Sample corpus", "choice", samples.load, "Apache-2.0", _LETTERS, folder=str(samples.FOLDER)),
    _dataset("sample_names", "Sample names", "choice", samples.load, "Apache-2.0", _LETTERS, folder=str(samples.NAMES)),
)

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _DATASETS}
"""Every benchmark by name."""


RESPLIT = ("pubmedqa", "medmcqa", "emrqa")
"""Benchmarks whose training split the paper parts anew."""


def resplit(examples: Sequence[Example], *, fraction: float = 0.9, seed: int) -> tuple[list[Example], list[Example]]:
    """Part a training split at random, as the paper does for PubMedQA, MedMCQA and EmrQA.

    Args:
        examples: The split.
        fraction: Share that stays for training, rounded up.
        seed: Decides which.

    Returns:
        Training and validation, each in the order given.
    """
    number = math.ceil(round(fraction * len(examples), 6))
    kept = set(random.Random(seed).sample(range(len(examples)), number))
    return (
        [example for index, example in enumerate(examples) if index in kept],
        [example for index, example in enumerate(examples) if index not in kept],
    )


def draw(examples: Sequence[Example], n: int, seed: int) -> list[Example]:
    """A seeded draw of `n` items without repetition, in the order given; all of them where there are no more."""
    chosen = sorted(random.Random(seed).sample(range(len(examples)), min(n, len(examples))))
    return [examples[index] for index in chosen]
