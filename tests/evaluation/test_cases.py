"""Ranked diagnoses: top-k accuracy, intervals, judges that agree and do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from melama_jax.errors import ConfigError
from melama_jax.evaluation.cases import make_judges, score_cases
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.judge import NormalizedJudge, SynonymJudge
from tests.evaluation.fakes import config, metrics_of

GOLDS = ("mumps", "chickenpox", "gout", "lupus")
RANKED = (
    ("measles", "Mumps"),
    ("Varicella", "gout", "shingles"),
    None,
    ("a", "b", "c", "d", "e", "lupus"),
)


def cases() -> list[Example]:
    return [Example(str(number), {"case": "unused"}, gold) for number, gold in enumerate(GOLDS)]


def test_top_k_by_each_judge() -> None:
    pytest.importorskip("sklearn")
    found = score_cases(cases(), RANKED, [NormalizedJudge(), SynonymJudge()])
    assert found["ranks"] == {"normalized": [2, None, None, None], "synonyms": [2, 1, None, None]}
    plain, known = (metrics_of(found, name) for name in ("normalized", "synonyms"))
    assert [plain[f"top{k}"]["value"] for k in range(1, 6)] == [0, 0.25, 0.25, 0.25, 0.25]
    assert [known[f"top{k}"]["value"] for k in range(1, 6)] == [0.25, 0.5, 0.5, 0.5, 0.5]
    assert all(score["parse_failures"] == 1 for score in found["scores"])
    # Wilson's interval of 2 of 4.
    assert known["top5"]["low"] == pytest.approx(0.1500, abs=1e-4)
    assert known["top5"]["high"] == pytest.approx(0.8500, abs=1e-4)
    (agreement,) = found["extra"]["tables"]
    assert agreement["rows"] == [["normalized", "synonyms", 0.75, 0.5]]


def test_protected_cases_are_sent_nowhere_unasked(tmp_path: Path) -> None:
    judge = {"url": "http://127.0.0.1:1/v1", "model": "m"}
    with pytest.raises(ConfigError, match=r"judge\.allow_protected"):
        make_judges(config(judge=judge), tmp_path, protected=True)
    allowed = make_judges(config(judge=judge | {"allow_protected": True}), tmp_path, protected=True)
    assert [one.name for one in allowed] == ["normalized", "synonyms", "judge"]
    assert [one.name for one in make_judges(config(), tmp_path, protected=True)] == ["normalized", "synonyms"]
