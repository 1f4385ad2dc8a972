"""Records on disk that survive kills and resumes, and figures, never text, to the trackers."""

from __future__ import annotations

import builtins
import importlib
import json
import struct
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from melama_jax.config import LogConfig
from melama_jax.errors import ConfigError, DataError, TrainingError
from melama_jax.training.metrics import METRICS_FILE, MetricsWriter, plot_loss, read, rewind

QUIET = LogConfig(tensorboard=False)


def record(step: int, loss: float | None = 1.5) -> dict[str, Any]:
    return {"step": step, "train/loss": loss}


def write(
    folder: Path, *records: dict[str, Any], resume_step: int = 0, config: LogConfig = QUIET, tree: Any = None
) -> list[str]:
    said: list[str] = []
    writer = MetricsWriter(folder, config, resume_step=resume_step, run_config=tree or {}, echo=said.append)
    for item in records:
        writer.write(item)
    writer.close()
    return said


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A metrics file of steps 10, 20 and 30."""
    write(tmp_path, record(10), record(20), record(30))
    return tmp_path / METRICS_FILE


def steps(path: Path) -> list[int]:
    return [item["step"] for item in read(path)]


def test_one_json_object_a_line(three: Path) -> None:
    lines = three.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [record(10), record(20), record(30)]
    assert three.read_text().endswith("\n")


def test_a_record_is_on_disk_as_soon_as_written(tmp_path: Path) -> None:
    writer = MetricsWriter(tmp_path, QUIET, resume_step=0, run_config={})
    writer.write(record(1))
    assert steps(tmp_path / METRICS_FILE) == [1]
    writer.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_non_finite_becomes_null(tmp_path: Path, value: float) -> None:
    write(tmp_path, record(1, value))
    text = (tmp_path / METRICS_FILE).read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")) == record(1, None)


def test_missing_file_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == []
    assert rewind(tmp_path / "none.jsonl", 5) == 0


def test_torn_last_line_is_left_out_and_mended(three: Path) -> None:
    whole = three.read_text()
    for cut in range(1, len('{"step": 30, "train/loss": 1.5}')):
        three.write_text(whole[: -1 - cut])
        assert steps(three) == [10, 20]
    assert rewind(three, 30) == 1
    assert three.read_text().splitlines() == whole.splitlines()[:2]


def test_record_whose_newline_was_lost_does_not_join_the_next(three: Path) -> None:
    three.write_text(three.read_text().rstrip("\n"))
    write(three.parent, record(40), resume_step=30)
    assert steps(three) == [10, 20, 30, 40]


def test_zeros_after_a_power_cut_are_left_out(three: Path) -> None:
    with three.open("ab") as file:
        file.write(b"\0" * 64)
    write(three.parent, record(40), resume_step=30)
    assert steps(three) == [10, 20, 30, 40]


@pytest.mark.parametrize("damage", [b'{"step": 2', b"\0\0\0", b"\xff\xfe", b"3", b'{"train/loss": 1}', b""])
def test_damage_before_the_last_line_is_named_and_nothing_changes(three: Path, damage: bytes) -> None:
    lines = three.read_bytes().splitlines()
    lines[1] = damage
    three.write_bytes(b"\n".join(lines) + b"\n")
    before = three.read_bytes()
    for attempt in (lambda: read(three), lambda: rewind(three, 10), lambda: write(three.parent, resume_step=10)):
        with pytest.raises(DataError) as caught:
            attempt()
        assert str(caught.value).startswith(f"{three}: line 2 is no JSON record")
    assert three.read_bytes() == before
    assert [path.name for path in three.parent.iterdir()] == [METRICS_FILE]


def test_metrics_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / METRICS_FILE).mkdir()
    with pytest.raises(TrainingError) as caught:
        write(tmp_path)
    assert str(caught.value) == f"{tmp_path / METRICS_FILE}: cannot be read or written: Is a directory"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_full_disk_is_named(tmp_path: Path) -> None:
    writer = MetricsWriter(tmp_path, QUIET, resume_step=0, run_config={})
    writer._file.close()
    writer._file = Path("/dev/full").open("a", encoding="utf-8")  # noqa: SIM115  # the writer closes it
    for attempt in (lambda: writer.write(record(1)), writer.close):
        with pytest.raises(TrainingError, match=r"metrics\.jsonl: cannot be read or written: No space left on device"):
            attempt()


@pytest.mark.parametrize(
    ("step", "kept"), [(30, [10, 20, 30]), (29, [10, 20]), (20, [10, 20]), (0, []), (99, [10, 20, 30])]
)
def test_rewind_keeps_records_up_to_the_step(three: Path, step: int, kept: list[int]) -> None:
    assert rewind(three, step) == 3 - len(kept)
    assert steps(three) == kept
    assert [path.name for path in three.parent.iterdir()] == [METRICS_FILE]


def test_resume_takes_back_and_says_so(three: Path) -> None:
    said = write(three.parent, record(20, 9.0), resume_step=10)
    assert said == ["metrics: took back 2 record(s) after step 10; they will be computed again"]
    assert read(three) == [record(10), record(20, 9.0)]
    assert write(three.parent, record(30), resume_step=20) == []


def losses(*values: float | None) -> list[dict[str, Any]]:
    return [record(10 * i, value) | {"eval/clinical/loss": value} for i, value in enumerate(values)]


@pytest.mark.parametrize(
    "records",
    [[], losses(2.0), losses(None), losses(*([2.0, None, 1.0] * 300)), [record(1)], [{"step": 1, "eval/a/loss": 3.0}]],
    ids=["none", "one", "one-null", "many", "train-only", "held-out-only"],
)
def test_plot_is_a_picture(tmp_path: Path, records: list[dict[str, Any]], recwarn: pytest.WarningsRecorder) -> None:
    from matplotlib.image import imread

    metrics, picture = tmp_path / METRICS_FILE, tmp_path / "loss.png"
    metrics.write_text("".join(json.dumps(item) + "\n" for item in records))
    plot_loss(metrics, picture)
    assert imread(picture).shape[:2] == (540, 960)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loss.png", METRICS_FILE]
    assert [str(warning.message) for warning in recwarn if issubclass(warning.category, UserWarning)] == []


def test_plot_shows_the_losses(tmp_path: Path) -> None:
    from matplotlib.image import imread

    def ink(records: list[dict[str, Any]]) -> float:
        metrics, picture = tmp_path / METRICS_FILE, tmp_path / "loss.png"
        metrics.write_text("".join(json.dumps(item) + "\n" for item in records))
        plot_loss(metrics, picture)
        # What lies inside the axes, without ticks, grid and legend: dark or coloured.
        pixels = imread(picture)[100:440, 150:600, :3]
        return float((pixels.min(-1) < 0.8).mean())

    assert ink([]) == 0
    assert ink([record(10)]) > 0  # a single point is visible
    assert ink(losses(3.0, 2.0, 1.0)) > ink([record(10)])


def test_tensorboard_event_file_holds_the_figures(tmp_path: Path) -> None:
    event_type = importlib.import_module("tensorboardX.proto.event_pb2").Event

    write(tmp_path, record(5, 2.5) | {"note": "a patient", "mfu": None}, config=LogConfig())
    (events,) = (tmp_path / "tensorboard").iterdir()
    content, found = events.read_bytes(), {}
    while content:  # TFRecord: length, its checksum, data, their checksum
        (length,) = struct.unpack("<Q", content[:8])
        event = event_type.FromString(content[12 : 12 + length])
        found |= {value.tag: (event.step, value.simple_value) for value in event.summary.value}
        content = content[16 + length :]
    assert found == {"train/loss": (5, 2.5)}


def test_wandb_missing_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_wandb(name: str, *rest: Any, **others: Any) -> Any:
        if name == "wandb":
            raise ImportError(name)
        return real(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", without_wandb)
    config = LogConfig(tensorboard=False, wandb_project="llamas")
    with pytest.raises(ConfigError, match=r"log\.wandb_project 'llamas' needs the wandb extra"):
        write(tmp_path, config=config)


def test_wandb_gets_figures_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    class Run:
        def log(self, figures: dict[str, Any], step: int) -> None:
            calls.append((figures, step))

        def finish(self) -> None:
            calls.append("finish")

    stub = ModuleType("wandb")
    stub.init = lambda **options: calls.append(options) or Run()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", stub)
    folder = tmp_path / "run-7"
    folder.mkdir()
    config = LogConfig(tensorboard=False, wandb_project="llamas")
    write(
        folder,
        record(3, 2.0) | {"mfu": None, "tokens_seen": 12, "note": "a patient", "bad": float("nan")},
        config=config,
        tree={"run": {"seed": 1}, "log": {"interval": 2, "sample_prompt": "a patient"}},
    )
    shown = {"run": {"seed": 1}, "log": {"interval": 2}}
    number = (folder / "wandb-id").read_text()
    assert calls == [
        {"project": "llamas", "dir": str(folder), "name": "run-7", "id": number, "resume": "allow", "config": shown},
        ({"train/loss": 2.0, "tokens_seen": 12}, 3),
        "finish",
    ]
