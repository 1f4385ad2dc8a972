"""The counterfactual pairs of EquityMedQA (arXiv 2403.12025), asked openly: do both questions get the same advice?

The official files have no header: every line holds two related questions. There is no key, and for some pairs different
advice is right, so that 0 is no target here.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from melama_jax.config import EvaluationConfig
from melama_jax.config.loading import read_mapping
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.asking import CONFIGS, Interview, Query, file_sha256, seed_of, table
from melama_jax.evaluation.divergence import Tally
from melama_jax.evaluation.judge import ChatJudge, JudgePrompt, check_address
from melama_jax.evaluation.parsing import normalize_answer
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.parallel.agreement import together

PROMPTS = CONFIGS / "fairness" / "equitymedqa.yaml"
FILES = ("equitymedqa_cc_manual.csv", "equitymedqa_cc_llm.csv")
JUDGEMENTS_FILE = "judgements.jsonl"
_AT_ONCE = 8
"""Pairs that a judge is asked about at a time."""
_RACE = (
    r"african[- ]american|african|black|white|caucasian|asian|hispanic|latin(?:o|a|x|e)|native american|"
    r"american indian|indigenous|aboriginal|alaska native|pacific islander|hawaiian|middle eastern|arab|"
    r"multiracial|biracial"
)
_GENDER = r"(?:wo)?m[ae]n|(?:fe)?male|boy|girl|trans(?:gender)?|non-?binary|intersex|cis(?:gender)?|genderqueer"
_TERMS = {name: re.compile(rf"(?i)\b({words})s?\b") for name, words in (("race", _RACE), ("gender", _GENDER))}


@dataclasses.dataclass(frozen=True)
class Pair:
    """Two related questions.

    Attributes:
        id: File and line.
        questions: Both.
        attribute: race or gender, by the words that only one of them has; both; other.
    """

    id: str
    questions: tuple[str, str]
    attribute: str


def draws(temperature: float) -> list[tuple[str, float, int]]:
    """How a prompt is asked: name, temperature, number of the draw."""
    return [("greedy", 0.0, 0), ("sampled", temperature, 1), ("again", temperature, 2)]


def read_pairs(folder: Path) -> tuple[list[Pair], dict[str, int], list[Path]]:
    """The pairs of the official files, how many lines were left out and why, and the files.

    Raises:
        DataError: No such file is there, or a line does not hold two questions.
    """
    files = [folder / name for name in FILES if (folder / name).is_file()]
    if not files:
        raise DataError(f"fairness.equitymedqa: {folder} holds none of {', '.join(FILES)}")
    pairs, left_out, seen = [], Counter[str](), set[tuple[str, str]]()
    for file in files:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = [(number, [cell.strip() for cell in row]) for number, row in enumerate(csv.reader(stream), 1)]
        except (OSError, ValueError, csv.Error):
            raise DataError(f"{file}: cannot be read as CSV in UTF-8") from None
        for number, cells in rows:
            if not any(cells):
                continue
            if len(cells) != 2 or not all(cells):
                raise DataError(
                    f"{file}: line {number}: expected two questions, found {sum(map(bool, cells))} of {len(cells)}"
                )
            first, second = cells
            if number == 1 and all(len(cell.split()) <= 3 and not cell.endswith("?") for cell in cells):
                left_out["header"] += 1
            elif first == second:
                left_out["both questions the same"] += 1
            elif (first, second) in seen:
                left_out["pair given twice"] += 1
            else:
                seen.add((first, second))
                pairs.append(Pair(f"{file.stem}:{number}", (first, second), attribute_of(first, second)))
    if not pairs:
        raise DataError(f"{files[0]}: holds no pair of questions")
    return pairs, dict(left_out), files


def attribute_of(first: str, second: str) -> str:
    """What tells the people of two questions apart: race, gender, both, or something else (other)."""
    differing = [name for name, terms in _TERMS.items() if _said(terms, first) != _said(terms, second)]
    return "both" if len(differing) > 1 else differing[0] if differing else "other"


def check(config: EvaluationConfig) -> dict[str, str]:
    """Read the pairs and the prompts; hashes of their files.

    Raises:
        ConfigError: The prompts lack a key, or the judge's address is none.
        DataError: The pairs cannot be read.
    """
    _, _, files = read_pairs(_folder(config))
    _prompts()
    if config.judge is not None:
        check_address(config.judge)
    return {file.name: file_sha256(file) for file in (*files, PROMPTS)}


def run(interview: Interview, config: EvaluationConfig) -> dict[str, Any]:
    """Ask every question greedily and twice by sampling, and compare each pair's answers."""
    pairs, left_out, files = read_pairs(_folder(config))
    prompts, asked = _prompts(), config.protocol
    most = asked.max_new_tokens or prompts["max_new_tokens"]
    answers: dict[str, list[tuple[str, str]]] = {}
    for name, temperature, draw in draws(config.fairness.temperature):
        named = [(f"{pair.id}/{side}", pair.questions[side]) for pair in pairs for side in (0, 1)]
        queries = [Query(f"{id}/{name}", prompts["template"].replace("{question}", text)) for id, text in named]
        options = [
            SamplingOptions(most, temperature, top_p=asked.top_p, seed=seed_of(config.seed, id, draw))
            for id, _ in named
        ]
        texts = interview.generate(queries, options)
        answers[name] = list(zip(texts[::2], texts[1::2], strict=True))

    def compare() -> list[dict[str, Any]]:
        same: dict[str, Callable[[str, str], bool | None]] = {"normalized": _same_words}
        judge = _judge(interview, config, prompts["judge"])
        if judge is not None:
            same["judge"] = judge.same
        return [
            _score(pairs, answers[name], answers[again], same[scorer], f"EquityMedQA, {name}, {scorer}", config)
            for scorer in same
            for name, again in (("greedy", "greedy"), ("sampled", "again"))
        ]

    scores = together("comparing the answers to EquityMedQA", compare, only_first=True) or []
    kinds = Counter((pair.id.split(":")[0], pair.attribute) for pair in pairs)
    return {
        "scores": scores,
        "tables": [
            table("EquityMedQA pairs", ("file", "attribute", "pairs"), [(*k, n) for k, n in sorted(kinds.items())])
        ],
        "notes": [
            f"EquityMedQA: open answers, prompt version {prompts['version']} ({file_sha256(PROMPTS)[:12]}). normalized "
            "calls any difference in words another decision: an upper bound, of use beside its noise alone; judge asks "
            "the configured model. Pairs that differ in race and gender count in neither."
        ],
        "left_out": left_out,
        "files": {file.name: file_sha256(file) for file in (*files, PROMPTS)},
    }


def _folder(config: EvaluationConfig) -> Path:
    assert config.fairness.equitymedqa is not None
    return Path(config.fairness.equitymedqa).expanduser()


def _prompts() -> dict[str, Any]:
    """What is asked: version, template, max_new_tokens, and the judge's prompt."""
    tree = read_mapping(PROMPTS)
    missing = {"version", "template", "max_new_tokens", "judge"} - tree.keys()
    if missing or "{question}" not in tree["template"]:
        raise ConfigError(f"{PROMPTS}: {', '.join(sorted(missing)) or 'the place {question}'} is missing")
    try:
        return tree | {"judge": JudgePrompt(**tree["judge"], sha256=file_sha256(PROMPTS))}
    except TypeError:
        raise ConfigError(f"{PROMPTS}: judge: expected version, system, question and parameters") from None


def _same_words(first: str, second: str) -> bool:
    return normalize_answer(first) == normalize_answer(second)


def _judge(interview: Interview, config: EvaluationConfig, prompt: JudgePrompt) -> ChatJudge | None:
    if config.judge is None or interview.answers is None:
        return None
    return ChatJudge(config.judge, AnswerFile(interview.answers.path.with_name(JUDGEMENTS_FILE)), prompt)


def _score(
    pairs: list[Pair],
    answers: list[tuple[str, str]],
    again: list[tuple[str, str]],
    same: Callable[[str, str], bool | None],
    name: str,
    config: EvaluationConfig,
) -> dict[str, Any]:
    """CDR by attribute and the noise; pairs that share their first question are resampled together."""
    tally = Tally((pair.questions[0] for pair in pairs), ("cdr_race", "cdr_gender", "noise"))
    compared: list[tuple[Pair, str, str, str]] = []
    for pair, (first, second), others in zip(pairs, answers, again, strict=True):
        if pair.attribute in ("race", "gender"):
            compared.append((pair, f"cdr_{pair.attribute}", first, second))
        compared += [(pair, "noise", *texts) for texts in zip((first, second), others, strict=True)]

    def verdict(one: tuple[Pair, str, str, str]) -> bool | None:
        *_, first, second = one
        if not first.strip() or not second.strip():
            return None
        return True if first == second else same(first, second)

    silent = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for (pair, column, *_), agree in zip(compared, pool.map(verdict, compared), strict=True):
            silent += agree is None and column != "noise"
            if agree is not None:
                tally.add(pair.questions[0], column, not agree)
    metrics = tally.metrics(config, {"cdr": ("cdr_race", "cdr_gender")})
    return {"answering": "generate", "scorer": name, "parse_failures": silent, "metrics": metrics}


def _said(terms: re.Pattern[str], text: str) -> frozenset[str]:
    """The groups that a text names; man and men are the same."""
    return frozenset(word.lower().replace("men", "man").replace("-", " ") for word in terms.findall(text))
