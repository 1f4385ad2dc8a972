"""Judges of diagnoses: spelling, synonyms, and a model behind a local server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config.evaluation import JudgeConfig
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation import judge as judges
from melama_jax.evaluation.answers import AnswerFile
from melama_jax.evaluation.judge import ChatJudge, JudgePrompt, NormalizedJudge, SynonymJudge


@pytest.mark.parametrize(
    ("reference", "proposal", "same"),
    [
        ("Crohn's disease", "crohn disease", True),
        ("Crohn\u2019s disease", "Crohn's Disease.", True),
        ("Haemophilia A", "hemophilia A", True),
        ("Behçet's disease", "Behcet disease", True),
        ("carcinoma, renal cell", "renal cell carcinoma", True),
        ("Chronic obstructive pulmonary disease (COPD)", "COPD", True),
        ("Pneumonia (acute)", "Hepatitis (acute)", False),
        ("Pneumonia (acute)", "acute pneumonia", False),
        ("Leprosy (type II)", "Diabetes (type II)", False),
        ("Collagenosis (II)", "Reaction (II)", False),
        ("Grippe (influenza)", "Influenza (flu)", True),
        ("Chronic obstructive lung disease (COPD)", "Obstructive airway disease (COPD)", True),
        ("(mumps)", "mumps", True),
        ("pulmonary embolism", "pulmonary edema", False),
        ("hemophilia A", "hemophilia B", False),
        ("", "", False),
    ],
)
def test_normalized_names(reference: str, proposal: str, same: bool) -> None:
    assert NormalizedJudge().same(reference, proposal) is same


@pytest.mark.parametrize(
    ("reference", "proposal", "same"),
    [
        ("Wegener's granulomatosis", "granulomatosis with polyangiitis", True),
        ("heart attack", "Acute myocardial infarction (AMI)", True),
        ("chickenpox", "Varicella", True),
        ("chickenpox", "shingles", False),
        ("Fever (chickenpox)", "Rash (varicella)", False),
        ("Viral rash (chickenpox)", "varicella", True),
        ("hemophilia A", "factor IX deficiency", False),
        ("a disease of no table", "A disease of no table", True),
    ],
)
def test_synonyms(reference: str, proposal: str, same: bool) -> None:
    judge = SynonymJudge()
    assert judge.same(reference, proposal) is same
    assert judge.same(proposal, reference) is same


def test_a_name_in_two_groups_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "synonyms.yaml"
    path.write_text("version: 1\ngroups:\n  - [mumps, parotitis]\n  - [Parotitis, sialadenitis]\n")
    with pytest.raises(ConfigError, match="'Parotitis' stands in two groups"):
        SynonymJudge(path)
    path.write_text("version: 1\ngroups: [mumps]\n")
    with pytest.raises(ConfigError, match="expected lists of names"):
        SynonymJudge(path)


Reply = Callable[[dict[str, Any], int], tuple[int, Any]]
"""From a request's body and number, status and answer."""


class Server:
    """A chat server that says what a function says."""

    def __init__(self, reply: Reply):
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(body | {"path": self.path})
                outer.keys.append(self.headers.get("Authorization"))
                status, content = reply(body, len(outer.requests))
                if isinstance(content, str):
                    content = {"choices": [{"message": {"role": "assistant", "content": content}}]}
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{outer.url}/elsewhere")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Reply], Server]]:
    monkeypatch.setattr(judges, "_PAUSE", 0.0)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    servers: list[Server] = []

    def start(reply: Reply) -> Server:
        servers.append(Server(reply))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def chat(server: Server, folder: Path, **settings: Any) -> ChatJudge:
    given = {"url": server.url, "model": "some-judge", **settings}
    return ChatJudge(JudgeConfig.model_validate(given), AnswerFile(folder / "judgements.jsonl"))


def test_the_majority_of_the_votes_counts_and_is_kept(
    serve: Callable[[Reply], Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    server = serve(lambda body, number: (200, "No." if body["seed"] == 1 else "Yes"))
    judge = chat(server, tmp_path)
    assert judge.same("mumps {proposal}", "parotitis") is True
    assert judge.votes("mumps {proposal}", "parotitis") == [True, False, True]
    assert len(server.requests) == 3
    assert {request["path"] for request in server.requests} == {"/v1/chat/completions"}
    assert server.requests[0]["model"] == "some-judge"
    question = server.requests[0]["messages"][-1]["content"]
    assert "mumps {proposal}" in question
    assert "Proposed diagnosis: parotitis" in question
    assert set(server.keys) == {"Bearer secret-key"}
    kept = (tmp_path / "judgements.jsonl").read_text()
    assert json.loads(kept)["votes"] == [True, False, True]
    assert json.loads(kept)["prompt_sha256"] == JudgePrompt.read().sha256
    assert "secret-key" not in kept
    assert (tmp_path / "judgements.jsonl").stat().st_mode & 0o077 == 0
    again = chat(server, tmp_path)
    assert again.same("mumps {proposal}", "parotitis") is True
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [(("yes", "no", "perhaps"), None), (("perhaps", "perhaps", "no"), False), (("Yes or no?", "", "well"), None)],
)
def test_votes_that_say_neither_do_not_count(
    serve: Callable[[Reply], Server], tmp_path: Path, replies: tuple[str, ...], verdict: bool | None
) -> None:
    judge = chat(serve(lambda body, number: (200, replies[body["seed"]])), tmp_path)
    assert judge.same("mumps", "parotitis") is verdict


def test_a_busy_server_is_asked_again(serve: Callable[[Reply], Server], tmp_path: Path) -> None:
    server = serve(lambda body, number: (503, {}) if number < 3 else (200, {}) if number == 3 else (200, "yes"))
    assert chat(server, tmp_path, votes=1).same("mumps", "parotitis") is True
    assert len(server.requests) == 4


def test_a_server_that_stays_away_ends_the_run_without_a_word_of_the_case(
    serve: Callable[[Reply], Server], tmp_path: Path
) -> None:
    server = serve(lambda body, number: (500, {"error": body["messages"][-1]["content"]}))
    with pytest.raises(DataError, match="answers 500, 6 times") as caught:
        chat(server, tmp_path, votes=1).same("mumps", "parotitis")
    assert "mumps" not in str(caught.value)
    assert len(server.requests) == 6


@pytest.mark.parametrize("status", [401, 404, 302])
def test_a_refusal_is_not_repeated_and_no_other_address_is_followed(
    serve: Callable[[Reply], Server], tmp_path: Path, status: int
) -> None:
    server = serve(lambda body, number: (status, "yes"))
    with pytest.raises(ConfigError, match=f"answers {status}"):
        chat(server, tmp_path, votes=1).same("mumps", "parotitis")
    assert len(server.requests) == 1


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"judge\.url"):
        ChatJudge(JudgeConfig(url="file:///etc/passwd", model="m"), AnswerFile(tmp_path / "judgements.jsonl"))
