"""python -m melama_jax.model_card: what it reads, writes and refuses."""

import json
from pathlib import Path

import pytest

from melama_jax.config import Config, dump_yaml
from melama_jax.errors import ConfigError, DataError
from melama_jax.model_card import main
from tests.evaluation.reports import make_report


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text(dump_yaml(Config.model_validate({"train": {"steps": 20}})))
    (folder / "metrics.jsonl").write_text('{"step": 1, "train/loss": 5.5}\n{"step": 7, "train/loss": 4.5}\n{"st')
    return folder


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(make_report()))
    return folder


def test_run_and_evaluation_make_one_card(run: Path, evaluation: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["--run", str(run), "--evaluation", str(evaluation)]) == 0
    card = (run / "MODEL_CARD.md").read_text()
    assert "| steps | 7 |" in card
    assert "41.2 [35.0, 47.5]" in card
    assert "MODEL_CARD.md: fill in" in capsys.readouterr().out


def test_a_card_that_is_there_stays(run: Path):
    (run / "MODEL_CARD.md").write_text("filled in")
    with pytest.raises(ConfigError, match="is there already"):
        main(["--run", str(run)])
    assert (run / "MODEL_CARD.md").read_text() == "filled in"
    assert main(["--run", str(run), "--overwrite"]) == 0
    assert (run / "MODEL_CARD.md").read_text() != "filled in"


def test_an_evaluation_alone_makes_a_card_where_it_is_asked(evaluation: Path, tmp_path: Path):
    assert main(["--evaluation", str(evaluation), "--output", str(tmp_path / "CARD.md")]) == 0
    assert (tmp_path / "CARD.md").read_text().count("# small") == 1
    assert not (evaluation / "MODEL_CARD.md").exists()


def test_an_evaluation_of_another_model_is_refused(run: Path, evaluation: Path):
    report = make_report()
    report["model"]["sizes"]["hidden_size"] = 128
    (evaluation / "report.json").write_text(json.dumps(report))
    with pytest.raises(ConfigError, match=r"another model than --run .hidden_size 128, the run has 64"):
        main(["--run", str(run), "--evaluation", str(evaluation)])
    assert not (run / "MODEL_CARD.md").exists()


@pytest.mark.parametrize("text", [None, "", "[]", '{"model": {}}', '{"model": null, "tasks": []}'])
def test_a_folder_without_a_report_is_refused(tmp_path: Path, text: str | None):
    if text is not None:
        (tmp_path / "report.json").write_text(text)
    with pytest.raises(ConfigError, match=r"holds no readable report.json"):
        main(["--evaluation", str(tmp_path)])


def test_folders_that_are_no_runs_and_damaged_metrics_are_refused(run: Path, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"give --run RUN, --evaluation RUN or both"):
        main([])
    with pytest.raises(ConfigError, match=r"holds no config.yaml"):
        main(["--run", str(tmp_path)])
    (run / "metrics.jsonl").write_text('{"step": 1}\nnoise\n{"step": 2}\n')
    with pytest.raises(DataError, match=r"metrics.jsonl: line 2 is damaged"):
        main(["--run", str(run)])
