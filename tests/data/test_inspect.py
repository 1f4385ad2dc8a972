"""What a person is shown of records before a run."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console

from melama_jax.data.inspect import show_records


def record(pieces: Any) -> Any:
    return SimpleNamespace(task="dolly", file="a.json", pieces=pieces, tokens=1234, shortened=True)


LENGTHS: Any = SimpleNamespace(
    task="dolly",
    records=200,
    mean=90.4,
    median=80,
    p95=300,
    longest=1000,
    trained_share=0.25,
    shortened=3,
    left_out={"bad_json": 2},
)


def records_shown(pieces: Any, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=200, **options)
    show_records(console, [record(pieces)], [LENGTHS])
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_what_is_trained_on_is_in_brackets_or_in_colour() -> None:
    pieces = (("Human: Is it?", False), ("Yes.", True), ("</s>", True), ("\nHuman: ", False))
    plain = records_shown(pieces)
    assert "--- dolly, a.json: 1,234 tokens, shortened" in plain
    assert "Human: Is it?[[Yes.</s>]]\nHuman: " in plain
    assert [cell.strip() for cell in plain.splitlines()[-2].split("│")[1:-1]] == [
        *("dolly", "200", "90", "80", "300", "1,000", "25.0%", "3", "2 bad_json")
    ]
    coloured = records_shown(pieces, force_terminal=True, color_system="standard")
    assert "[[" not in coloured
    assert "\x1b[1;32mYes.</s>\x1b[0m" in coloured
    assert "\x1b[1;32mtrained on\x1b[0m \x1b[2mnot trained on\x1b[0m" in coloured


def test_a_record_cannot_steer_the_terminal_and_long_ones_are_cut() -> None:
    shown = records_shown((("\x1b[2J" + "a" * 5000 + "end", False),))
    assert "\x1b" not in shown
    assert "\ufffd[2J" in shown
    assert "... 4,207 characters ..." in shown
    assert "end" in shown


def test_of_a_protected_record_only_numbers_are_shown() -> None:
    assert "a.json: 1,234 tokens, shortened, protected: its text is not shown" in records_shown(None)
