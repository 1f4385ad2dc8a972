"""Whether a proposed diagnosis is the confirmed one: by its words, by a table of synonyms, or by a model's word."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import itertools
import json
import os
import re
import threading
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO, Any, Protocol

from melama_jax.config.evaluation import JudgeConfig
from melama_jax.config.loading import read_mapping
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.asking import CONFIGS, file_sha256

SYNONYMS, JUDGE_PROMPT = CONFIGS / "diagnoses" / "synonyms.yaml", CONFIGS / "diagnoses" / "judge.yaml"
_ATTEMPTS, _PAUSE, _TIMEOUT = 6, 1.0, 120.0
_TRY_AGAIN = (408, 409, 429, 500, 502, 503, 504)
_BRACKETS = re.compile(r"\(([^()]*)\)")
_ABBREVIATION = re.compile(r"(?![IVX]+$)[A-Z][A-Z0-9-]+")
"""Capitals that are no Roman number of a type or stage."""


class Judge(Protocol):
    """Compares diagnoses."""

    name: str

    def same(self, reference: str, proposal: str) -> bool | None:
        """Whether both name one disease; None where the judge gave no verdict."""
        ...


def normalize_diagnosis(name: str) -> str:
    """A diagnosis without what spelling may vary in: case, accents, punctuation, possessives, British vowels, articles.

    "X, Y" is "Y X"; what stands in brackets is left out.
    """
    text = unicodedata.normalize("NFKD", name.replace("\u2019", "'")).casefold()
    text = "".join(character for character in text if not unicodedata.combining(character))
    text = _BRACKETS.sub(" ", text)
    if text.count(",") == 1:
        text = " ".join(reversed(text.split(",")))
    text = re.sub(r"(?<=\w)'s\b|(?<=s)'(?=\s|$)", "", text)
    text = text.replace("ae", "e").replace("oe", "e").replace("tumour", "tumor")
    return " ".join(word for word in re.findall(r"[a-z0-9]+", text) if word not in ("a", "an", "the"))


def pairs_of_names(reference: str, proposal: str) -> list[tuple[str, str]]:
    """The normalized names of two diagnoses that may be compared, one of each.

    What stands in brackets may be another name or no more than a stage, so it is compared with the other's main name
    alone; two brackets only where both are one abbreviation in capitals.
    """
    (first, beside_first), (second, beside_second) = map(_names_of, (reference, proposal))
    pairs = [(first, second), *((first, name) for name in beside_second), *((name, second) for name in beside_first)]
    pairs += [(name, name) for name in beside_first & beside_second if _ABBREVIATION.fullmatch(name)]
    return [(one, other) for one, other in map(_normalized, pairs) if one and other]


def _names_of(diagnosis: str) -> tuple[str, set[str]]:
    """The main name, and what stands in brackets; a diagnosis all in brackets is its own main name."""
    main = diagnosis if normalize_diagnosis(diagnosis) else diagnosis.replace("(", " ").replace(")", " ")
    return main, {name.strip() for name in _BRACKETS.findall(diagnosis)}


def _normalized(pair: tuple[str, str]) -> tuple[str, str]:
    return normalize_diagnosis(pair[0]), normalize_diagnosis(pair[1])


class NormalizedJudge:
    """Same when the main name of the one is a name of the other, up to spelling."""

    name = "normalized"

    def same(self, reference: str, proposal: str) -> bool | None:
        """Whether two of their names are equal."""
        return any(one == other for one, other in pairs_of_names(reference, proposal))


class SynonymJudge:
    """Same when a table has a name of each in one group, or as `NormalizedJudge` says."""

    name = "synonyms"

    def __init__(self, path: Path = SYNONYMS):
        """Read the table.

        Raises:
            ConfigError: It is no table of groups of names, or a name stands in two groups.
        """
        tree = read_mapping(path)
        groups = tree.get("groups")
        if not isinstance(groups, list) or not all(
            isinstance(g, list) and all(isinstance(n, str) for n in g) for g in groups
        ):
            raise ConfigError(f"{path}: groups: expected lists of names")
        self.version, self.sha256 = tree.get("version"), file_sha256(path)
        self._group: dict[str, int | str] = {}
        for number, group in enumerate(groups):
            for name in group:
                if self._group.setdefault(normalize_diagnosis(name), number) != number:
                    raise ConfigError(f"{path}: groups: {name!r} stands in two groups")

    def same(self, reference: str, proposal: str) -> bool | None:
        """Whether two of their names are equal, or of one group."""
        group = self._group.get
        return any(group(one, one) == group(other, other) for one, other in pairs_of_names(reference, proposal))


@dataclasses.dataclass(frozen=True)
class JudgePrompt:
    """What a model is asked: see configs/diagnoses/judge.yaml."""

    version: int
    system: str
    question: str
    parameters: dict[str, Any]
    sha256: str

    @classmethod
    def read(cls, path: Path = JUDGE_PROMPT) -> JudgePrompt:
        """Read the file.

        Raises:
            ConfigError: A key is missing or unknown, or the question lacks a place to fill in.
        """
        tree = read_mapping(path)
        wanted = {field.name for field in dataclasses.fields(cls)} - {"sha256"}
        if tree.keys() != wanted:
            raise ConfigError(f"{path}: expected the keys {', '.join(sorted(wanted))}, found {', '.join(sorted(tree))}")
        if not all(place in tree["question"] for place in ("{reference}", "{proposal}")):
            raise ConfigError(f"{path}: question: needs {{reference}} and {{proposal}}")
        return cls(**tree, sha256=file_sha256(path))


def check_address(config: JudgeConfig) -> None:
    """Refuse an address that is none.

    Raises:
        ConfigError: It is no http(s) address.
    """
    if urllib.parse.urlsplit(config.url).scheme not in ("http", "https"):
        raise ConfigError(f"judge.url: {config.url!r} is no http(s) address; give one such as http://host:8000/v1")


class ChatJudge:
    """A model behind an OpenAI-compatible address that is asked `votes` times; the majority counts.

    Every prompt with its votes is kept in a file, from which an interrupted run takes what was asked before. The key
    comes from the environment, goes to the one address only, and is written nowhere.
    """

    name = "judge"

    def __init__(self, config: JudgeConfig, answers: AnswerFile, prompt: JudgePrompt | None = None):
        """Asks nothing yet.

        Args:
            config: Address, model, votes.
            answers: The file of the votes.
            prompt: What is asked; None reads the project's.

        Raises:
            ConfigError: The address is none.
        """
        check_address(config)
        self._config, self._answers, self.prompt = config, answers, prompt or JudgePrompt.read()
        self._url = config.url.rstrip("/") + "/chat/completions"
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._lock = threading.Lock()

    def same(self, reference: str, proposal: str) -> bool | None:
        """The majority of the votes; None where as many say yes as no.

        Raises:
            ConfigError: The address refuses the request.
            DataError: It does not answer, again and again.
        """
        votes = self.votes(reference, proposal)
        yes, no = votes.count(True), votes.count(False)
        return None if yes == no else yes > no

    def votes(self, reference: str, proposal: str) -> list[bool | None]:
        """Each vote; None where a reply says neither yes nor no."""
        # One pass: a diagnosis that holds "{proposal}" is left as it is.
        given = {"reference": reference, "proposal": proposal}
        question = re.sub(r"\{(reference|proposal)\}", lambda match: given[match[1]], self.prompt.question)
        asked = json.dumps([self._config.model, self.prompt.sha256, self._config.votes, question])
        key = ("judge", hashlib.sha256(asked.encode()).hexdigest())
        if key not in self._answers.rows:
            replies = [self._ask(question, seed) for seed in range(self._config.votes)]
            row = {"id": key[1], "answering": key[0], "model": self._config.model, "prompt_sha256": self.prompt.sha256}
            row |= {"prompt": question, "replies": replies, "votes": [_vote(reply) for reply in replies]}
            with self._lock, self._answers.open() as file:
                self._answers.add(file, row)
        return self._answers.rows[key]["votes"]

    def _ask(self, question: str, seed: int) -> str:
        messages = [{"role": "system", "content": self.prompt.system}, {"role": "user", "content": question}]
        body = {"model": self._config.model, "messages": messages, "seed": seed, **self.prompt.parameters}
        headers = {"Content-Type": "application/json"}
        key = os.environ.get(self._config.key_variable)
        if key:
            headers["Authorization"] = f"Bearer {key.strip()}"
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")
        for attempt in itertools.count(1):
            try:
                with self._opener.open(request, timeout=_TIMEOUT) as response:
                    reply = json.loads(response.read())
                return str(reply["choices"][0]["message"]["content"] or "")
            except urllib.error.HTTPError as error:
                problem, wait = f"answers {error.code}", error.headers.get("Retry-After", "")
                if error.code not in _TRY_AGAIN:
                    raise ConfigError(
                        f"judge.url: {self._url} {problem}; check the address, judge.model {self._config.model!r} and "
                        f"the key in ${self._config.key_variable}"
                    ) from None
            except (
                OSError,
                http.client.HTTPException,
                ValueError,
                LookupError,
                TypeError,
            ) as error:  # no connection, or no such reply
                problem, wait = type(error).__name__, ""
            if attempt == _ATTEMPTS:
                raise DataError(
                    f"judge.url: {self._url}: {problem}, {attempt} times; the same command goes on from here"
                )
            time.sleep(min(float(wait), 60.0) if re.fullmatch(r"\d+(\.\d+)?", wait) else _PAUSE * 2 ** (attempt - 1))
        raise AssertionError


def _vote(reply: str) -> bool | None:
    said = {word.lower() for word in re.findall(r"(?i)\b(yes|no)\b", reply)}
    return said == {"yes"} if len(said) == 1 else None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Another address would get the key."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        return None
