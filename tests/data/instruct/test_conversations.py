"""Conversations as they come: your own must be whole, ShareGPT's are mended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from melama_jax.errors import ConfigError
from tests.data.instruct.reading import read, write, write_lines

H, G, S = ({"from": name, "value": f"{name} says"} for name in ("human", "gpt", "system"))


def roles(conversation: Any) -> str:
    return "".join(message["role"][0] for message in conversation.messages)


@pytest.mark.parametrize("format", ["conversations", "sharegpt"])
@pytest.mark.parametrize(("turns", "expected"), [([H, G], "ua"), ([S, H, G, H, G], "suaua")])
def test_whole_conversations_are_taken_as_they_are(tmp_path: Path, format: str, turns: list, expected: str) -> None:
    path = write(tmp_path / "a.json", json.dumps([{"id": "x", "conversations": turns}]))
    (conversation,), report = read(path, format)
    assert roles(conversation) == expected
    assert conversation.messages[-1]["content"] == "gpt says"
    assert (report.records, report.skipped) == (1, {})


def test_messages_keep_their_words(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": " a \n"}, {"role": "assistant", "content": "b", "weight": 1}]
    (conversation,), _ = read(write_lines(tmp_path / "a.jsonl.gz", {"messages": messages, "system": "s"}), "messages")
    assert [message["content"] for message in conversation.messages] == ["s", " a \n", "b"]
    assert conversation.identity == b" a \n"


BAD: dict[str, Any] = {
    "no list": "text",
    "empty": [],
    "no answer": [H],
    "ends with the user": [H, G, H],
    "two of a kind": [H, H, G],
    "leading answer": [G, H, G],
    "system in the middle": [H, G, S, H, G],
    "unknown role": [H, {"from": "tool", "value": "x"}],
    "blank turn": [H, {"from": "gpt", "value": " "}],
    "no text": [H, {"from": "gpt", "value": None}],
    "no mapping": [H, "x"],
}


@pytest.mark.parametrize("turns", BAD.values(), ids=BAD)
def test_your_own_conversations_must_be_whole(tmp_path: Path, turns: Any) -> None:
    conversations, report = read(write_lines(tmp_path / "a.jsonl", {"conversations": turns}), "conversations")
    assert (conversations, report.skipped) == ([], {"bad_conversation": 1})
    assert report.first_locations == {"bad_conversation": "a.jsonl:1"}


MENDED: dict[str, tuple[list, str]] = {
    "leading answers": ([G, G, H, G], "ua"),
    "ends with the user": ([S, H, G, H], "sua"),
    "breaks off at a blank turn": ([H, G, H, {"from": "gpt", "value": ""}, H, G], "ua"),
    "breaks off at an unknown role": ([H, G, {"from": "tool", "value": "x"}, G], "ua"),
    "breaks off at a second question": ([H, G, H, H, G], "ua"),
}


@pytest.mark.parametrize(("turns", "expected"), MENDED.values(), ids=MENDED)
def test_whole_exchanges_of_sharegpt_are_taken_and_the_loss_counted(tmp_path: Path, turns: list, expected: str) -> None:
    (conversation,), report = read(write_lines(tmp_path / "a.jsonl", {"conversations": turns}), "sharegpt")
    assert roles(conversation) == expected
    assert (report.records, report.skipped) == (1, {"turns_left_out": 1})


@pytest.mark.parametrize("turns", [[], [G], [H], [G, H], [{"from": "human", "value": ""}, G], "x"])
def test_sharegpt_without_an_exchange_is_no_error_but_counted(tmp_path: Path, turns: Any) -> None:
    conversations, report = read(write_lines(tmp_path / "a.jsonl", {"conversations": turns}), "sharegpt")
    assert (conversations, report.skipped) == ([], {"bad_turns": 1})


def test_missing_turns_and_lone_surrogates_are_counted(tmp_path: Path) -> None:
    bad = [{"role": "user", "content": "\udc80"}, {"role": "assistant", "content": "b"}]
    _, report = read(write_lines(tmp_path / "a.jsonl", {"text": "x"}, {"messages": bad}), "messages")
    assert report.skipped == {"missing_field": 1, "bad_utf8": 1}


def test_wordings_for_what_is_already_said_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="format messages has its own words; remove prompts"):
        read(write_lines(tmp_path / "a.jsonl", {}), "messages", prompts="alpaca")
