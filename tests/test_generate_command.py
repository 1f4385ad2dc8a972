"""The generate command: a prompt, a file of prompts that survives a kill, and a conversation."""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import pytest

from conversion import serving
from conversion.tokenizers import write_hf_tokenizer
from melama_jax import generate
from melama_jax.errors import ConfigError, DataError, MelamaError, run_command
from melama_jax.inference.engine import Engine
from tests.conversion import shaped
from tests.data.corpora import CANARY, train_vocabulary

WEIGHTS = Path(__file__).parents[1].parent / "shared" / "weights"


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 64 positions with a tokenizer of Hugging Face's kind and no chat template."""
    base = tmp_path_factory.mktemp("model")
    made = shaped.write_hf(base / "hf", shaped.sizes(vocab_size=320, max_position_embeddings=64))
    write_hf_tokenizer(train_vocabulary(base / "tokenizer.model"), made)
    return made


@pytest.fixture(scope="module")
def engines() -> Iterator[None]:
    """A model that was opened stays open for the commands that want the same, so that they need not compile again."""
    opened: dict[str, Any] = {}
    original = serving.open_engine

    def open_engine(arguments: argparse.Namespace) -> Any:
        keys = ("checkpoint", "quantize", "cache_dtype", "batch_size", "max_length", "mesh")
        key = repr([len(jax.devices()), *(getattr(arguments, key) for key in keys)])
        if key not in opened:
            opened[key] = original(arguments)
        return opened[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "open_engine", open_engine)
        yield


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str], engines: None) -> Callable[..., tuple[str, str]]:
    """Runs the command on one device; what it prints, and what it says of itself."""
    shown = jax.devices()[:1]

    def run(*arguments: str | Path, checkpoint: Path = folder, devices: list[Any] | None = None) -> tuple[str, str]:
        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jax, "devices", lambda *backend: devices or shown)
            assert generate.main(["--checkpoint", str(checkpoint), *map(str, arguments)]) == 0
        printed = capsys.readouterr()
        return printed.out, printed.err

    return run


Run = Callable[..., tuple[str, str]]


# One prompt.


def test_a_prompt_is_continued_by_a_trained_model(run: Run) -> None:
    stories = WEIGHTS / "stories260K-hf"
    if not stories.is_dir():
        pytest.skip("needs ../shared/weights/stories260K-hf beside the repository")
    with gzip.open(WEIGHTS / "golden.json.gz", "rt") as stream:
        expected = json.load(stream)["greedy_200_text"]
    prompt = "Once upon a time"
    out, told = run("--prompt", prompt, "--max-new-tokens", "60", checkpoint=stories)
    assert expected.startswith(prompt + out.rstrip("\n"))
    assert len(out) > 100
    assert "stories260K-hf: hf, 260,032 parameters in float32, fingerprint" in told
    assert "60 tokens in" in told
    assert "tokens/s" in told
    assert "programs compiled" in told
    assert run("--prompt", "", "--max-new-tokens", "60", checkpoint=stories)[0].startswith(prompt)  # from BOS
    stopped = run("--prompt", prompt, "--max-new-tokens", "60", "--stop", " loved", "--stop", "x", checkpoint=stories)
    assert stopped[0] == out.split(" loved")[0] + "\n"


def test_every_mesh_says_the_same(run: Run) -> None:
    words = ("--prompt", "the patient", "--max-new-tokens", "12", "--temperature", "0.8", "--seed", "3")
    alone = run(*words)[0]
    assert run(*words, "--mesh", "data=2,tensor=2", devices=jax.devices()[:4])[0] == alone
    assert run(*words[:-1], "4")[0] != alone


def test_bos_a_template_and_int8_change_what_is_asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []
    original = Engine.generate

    def spy(self: Engine, requests: Any, **callbacks: Any) -> Any:
        asked.extend([list(request.prompt) for request in requests])
        return original(self, requests, **callbacks)

    monkeypatch.setattr(Engine, "generate", spy)
    words = ("--prompt", "the dose", "--max-new-tokens", "1")
    for more in (
        (),
        ("--no-bos",),
        ("--chat-template", "llama2-chat"),
        ("--quantize", "int8", "--cache-dtype", "int8"),
    ):
        run(*words, *more)
    plain, bare, chat, int8 = asked
    assert plain == [1, *bare] == int8
    assert chat[0] == 1
    assert len(chat) > len(plain)


# A file of prompts.

LINES = [
    {"prompt": "the patient was seen"},
    {"id": "b", "messages": [{"role": "user", "content": "chest pain"}], "max_new_tokens": 3},
    {"id": 7, "prompt": "blood pressure", "temperature": 0.9},
    {"id": "again", "prompt": "blood pressure", "temperature": 0.9},
    {"id": "long", "prompt": "heart rate " * 60, "stop": ["zzz"]},
]
TEMPLATE = ("--chat-template", "me_llama", "--max-new-tokens", "8")


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("prompts") / "prompts.jsonl", [*LINES[:2], "", *LINES[2:]])


@pytest.fixture
def whole(run: Run, prompts: Path, tmp_path: Path) -> bytes:
    """What a run that nothing disturbs writes."""
    run("--prompts", prompts, "--output", tmp_path / "whole.jsonl", *TEMPLATE)
    return (tmp_path / "whole.jsonl").read_bytes()


def killed_after(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is stopped when so many answers are kept."""
    original = Engine.generate

    def generate_some(self: Engine, requests: Any, *, on_complete: Any) -> Any:
        done = 0

        def counted(number: int, completion: Any) -> None:
            nonlocal done
            on_complete(number, completion)
            done += 1
            if done == count:
                raise KeyboardInterrupt

        return original(self, requests, on_complete=counted)

    monkeypatch.setattr(Engine, "generate", generate_some)


def test_answers_are_in_the_order_of_the_prompts_and_say_how_they_ended(whole: bytes, tmp_path: Path) -> None:
    answers = [json.loads(line) for line in whole.decode().splitlines()]
    assert [answer["id"] for answer in answers] == [1, "b", 7, "again", "long"]
    assert {tuple(answer) for answer in answers} == {
        ("id", "text", "finish", "tokens", "prompt_tokens", "dropped_tokens")
    }
    assert [answer["tokens"] for answer in answers] == [8, 3, 8, 8, 8]
    assert answers[2]["text"] != answers[3]["text"]  # each prompt draws by its own seed
    assert [answer["dropped_tokens"] > 0 for answer in answers] == [False, False, False, False, True]
    assert answers[4]["prompt_tokens"] - answers[4]["dropped_tokens"] == 64 - 8
    assert [path.name for path in tmp_path.iterdir()] == ["whole.jsonl"]


def test_a_killed_run_goes_on_and_leaves_what_an_undisturbed_one_leaves(
    run: Run, prompts: Path, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, partial = tmp_path / "out.jsonl", tmp_path / "out.jsonl.partial"
    words = ("--prompts", prompts, "--output", output, *TEMPLATE)
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(KeyboardInterrupt):
            run(*words)
    assert not output.exists()
    with partial.open("ab") as stream:
        stream.write('{"id": "long", "text": "é'.encode()[:-1])  # cut in the middle of a character
    assert "2 of 5 answers are in" in run(*words, "--batch-size", "2")[1]
    assert output.read_bytes() == whole
    assert not partial.exists()
    with pytest.raises(ConfigError, match=r"out\.jsonl is there already; give another file, or --overwrite"):
        run(*words)
    run(*words, "--overwrite")
    assert output.read_bytes() == whole


def test_of_two_commands_that_write_one_file_the_second_ends_at_once(
    run: Run, prompts: Path, whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, original = tmp_path / "out.jsonl", Engine.generate
    words = ("--prompts", str(prompts), "--output", str(output), *TEMPLATE)
    refused = []

    def meanwhile(self: Engine, requests: Any, *, on_complete: Any) -> Any:
        with pytest.raises(ConfigError, match=r"out\.jsonl\.partial: another command is at work here") as caught:
            generate.main(["--checkpoint", "nowhere", *words, "--overwrite"])
        refused.append(caught)
        return original(self, requests, on_complete=on_complete)

    monkeypatch.setattr(Engine, "generate", meanwhile)
    run(*words)
    assert len(refused) == 1
    assert output.read_bytes() == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "whole.jsonl"]


def test_a_prompt_that_is_no_unicode_or_leaves_no_room_is_named_and_nothing_is_left(run: Run, tmp_path: Path) -> None:
    prompts, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    prompts.write_text('{"prompt": "a"}\n{"prompt": "a\\ud800b"}\n')
    with pytest.raises(DataError, match=r"in\.jsonl: line 2: holds half of a surrogate pair"):
        run("--prompts", prompts, "--output", output)
    prompts.write_text('{"id": "y", "prompt": "a", "max_new_tokens": 600}\n')
    with pytest.raises(ConfigError, match=r"the prompt 'y': max_new_tokens 600 leaves no room"):
        run("--prompts", prompts, "--output", output)
    with pytest.raises(ConfigError, match="--prompt: is not UTF-8 text"):
        run("--prompt", "caf\udce9")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_partial_file_of_other_prompts_or_options_is_not_gone_on_with(
    run: Run, prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.jsonl"
    words = ("--prompts", prompts, "--output", output, *TEMPLATE)
    with monkeypatch.context() as patch:
        killed_after(1, patch)
        with pytest.raises(KeyboardInterrupt):
            run(*words)
    before = (tmp_path / "out.jsonl.partial").read_bytes()
    with pytest.raises(ConfigError, match="was not begun with these prompts, options and model; take it away"):
        run(*words, "--max-new-tokens", "9")
    assert (tmp_path / "out.jsonl.partial").read_bytes() == before
    assert "answers are in" not in run(*words, "--max-new-tokens", "9", "--overwrite")[1]
    assert len(output.read_text().splitlines()) == len(LINES)


BROKEN: dict[str, tuple[Any, str]] = {
    "json": ('{"prompt": "' + CANARY, r"line 2: is no JSON \(column 12\)"),
    "list": ('["' + CANARY + '"]', "line 2: input should be a valid dictionary"),
    "key": ({"promt": CANARY}, r"line 2: promt: Extra inputs are not permitted"),
    "both": (
        {"prompt": CANARY, "messages": [{"role": "user", "content": CANARY}]},
        "line 2: give a prompt or messages",
    ),
    "neither": ({"id": CANARY}, "line 2: give a prompt or messages"),
    "none said": ({"messages": []}, "line 2: messages: .* at least 1 item"),
    "role": ({"messages": [{"content": CANARY}]}, r"line 2: messages\.0\.role: Field required"),
    "number": ({"prompt": CANARY, "temperature": "hot"}, "line 2: temperature: .* valid number"),
    "range": ({"prompt": CANARY, "top_p": 0}, r"line 2: top_p 0\.0: give more than 0 and at most 1"),
    "twice": ({"id": 1, "prompt": CANARY}, "line 2: has the id of line 1"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_line_is_named_before_the_model_is_opened(tmp_path: Path, case: str) -> None:
    line, expected = BROKEN[case]
    path = write(tmp_path / "broken.jsonl", [{"prompt": "good"}, line])
    with pytest.raises(DataError, match=r"(?i)broken\.jsonl: " + expected) as caught:
        generate.main(["--checkpoint", "nowhere", "--prompts", str(path), "--output", str(tmp_path / "out.jsonl")])
    assert CANARY not in str(caught.value)
    assert [found.name for found in tmp_path.iterdir()] == ["broken.jsonl"]


EARLY: dict[str, tuple[list[str], dict[str, Any], str]] = {
    "no template": ([], {"messages": [{"role": "user", "content": CANARY}]}, "the model brings no chat template"),
    "system": (["--system", "x"], {"messages": [{"role": "user", "content": CANARY}]}, "brings no chat template"),
    "refused": (
        ["--chat-template", "llama2-chat"],
        {"messages": [{"role": "a user", "content": CANARY}]},
        "the prompt 1: message 1: its role is no word",
    ),
    "other tokens": (
        ["--chat-template", "llama3"],
        {"messages": [{"role": "user", "content": CANARY}]},
        "writes <|begin_of_text|>, but the tokenizer",
    ),
    "no tokens": (["--no-bos"], {"prompt": ""}, "the prompt 1: the prompt has no tokens"),
    "no room": ([], {"prompt": CANARY, "max_new_tokens": 64}, "max_new_tokens 64 leaves no room .* has 64 tokens"),
    "no room asked": (["--max-length", "20"], {"prompt": CANARY}, "max_new_tokens 256 leaves no room"),
    "no slot": (["--batch-size", "0"], {"prompt": CANARY}, "--batch-size 0: give at least"),
}


@pytest.mark.parametrize("case", EARLY)
def test_what_needs_no_weights_is_refused_before_they_are_read(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    def opened(arguments: argparse.Namespace) -> Any:
        raise AssertionError("the weights were read")

    monkeypatch.setattr(serving, "open_engine", opened)
    words, line, expected = EARLY[case]
    prompts = write(tmp_path / "in.jsonl", [line])
    where = ["--checkpoint", str(folder), "--prompts", str(prompts), "--output", str(tmp_path / "out.jsonl")]
    with pytest.raises(MelamaError, match=expected.replace("|", r"\|")) as caught:
        generate.main([*where, *words])
    assert CANARY not in str(caught.value)
    assert [found.name for found in tmp_path.iterdir()] == ["in.jsonl"]
    with pytest.raises(AssertionError, match="the weights were read"):
        generate.main([*where[:2], "--prompt", "the", "--max-new-tokens", "4"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "cannot be read: No such file"),
        (b"", "holds no prompts"),
        (b"\n \n", "holds no prompts"),
        (b"\x1f\x8b\xff", "UTF-8"),
    ],
)
def test_a_file_without_prompts_is_refused(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "prompts.jsonl"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=rf"prompts\.jsonl: .*{expected}"):
        generate.main(["--checkpoint", "nowhere", "--prompts", str(path), "--output", str(tmp_path / "out.jsonl")])


def test_a_byte_order_mark_and_rare_line_breaks_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text('\ufeff{"prompt": "a\u2028b"}\r\n', encoding="utf-8")
    [line] = generate.read_prompts(path)
    assert (line.id, line.prompt) == (1, "a\u2028b")


# A conversation.


def talk(
    run: Run, monkeypatch: pytest.MonkeyPatch, said: str, *arguments: str
) -> tuple[list[str], str, list[list[int]]]:
    """The answers, the remarks, and the prompts as the model saw them."""
    asked: list[list[int]] = []
    original = Engine.generate

    def spy(self: Engine, requests: Any, **callbacks: Any) -> Any:
        asked.extend([list(request.prompt) for request in requests])
        return original(self, requests, **callbacks)

    monkeypatch.setattr(Engine, "generate", spy)
    monkeypatch.setattr("sys.stdin", io.StringIO(said))
    out, told = run("--chat", *arguments)
    return out.split("\n")[:-1], told, asked


CHAT = ("--chat-template", "me_llama", "--max-new-tokens", "6")


def test_a_conversation_remembers_what_was_said_until_it_is_cleared(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, told, asked = talk(run, monkeypatch, "the\n\npain\n/clear\n/what\nthe\n/quit\nnot asked\n", *CHAT)
    assert len(asked) == 3
    assert "".join(answers)
    assert asked[0] == asked[2]  # alone again
    assert len(asked[1]) > len(asked[0]) + 6
    assert asked[1][: len(asked[0])] == asked[0]
    assert "/what is no command; there are /clear and /quit" in told
    assert "18 tokens in" in told


def test_a_conversation_that_no_longer_fits_loses_its_oldest_exchanges(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, told, asked = talk(run, monkeypatch, "the\n" * 4, *CHAT, "--system", "the")
    assert "of the oldest exchanges no longer fit and were left out" in told
    assert all(len(ids) <= 64 - 6 for ids in asked)
    assert len({tuple(ids[:12]) for ids in asked}) == 1  # the system message stays
    assert "tokens of the prompt were left out" not in told


def test_ctrl_c_stops_an_answer_and_not_the_conversation(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    original, interrupted = Engine.generate, []

    def once(self: Engine, requests: Any, *, on_token: Any) -> Any:
        def told(number: int, text: str) -> None:
            on_token(number, text)
            if not interrupted:
                interrupted.append(text)
                raise KeyboardInterrupt

        return original(self, requests, on_token=told)

    monkeypatch.setattr(Engine, "generate", once)
    answers, _, asked = talk(run, monkeypatch, "the\npain\n", *CHAT[:2], "--max-new-tokens", "30")
    assert answers[0] == interrupted[0]
    assert len(asked) == 2


def test_a_models_own_template_is_taken(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"brings no chat template; name one with --chat-template \(alpaca, llama2"):
        talk(run, monkeypatch, "the\n")
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    (own / "chat_template.jinja").write_text("{{ messages[-1].content }}!")
    monkeypatch.setattr("sys.stdin", io.StringIO("the\n"))
    assert "6 tokens in" in run("--chat", "--max-new-tokens", "6", checkpoint=own)[1]


# Mistakes.

MISTAKES = {
    ("--prompt", "a", "--output", "x.jsonl"): "--prompts FILE and --output FILE belong together",
    ("--prompts", "x.jsonl"): "--prompts FILE and --output FILE belong together",
    ("--prompts", "x.jsonl", "--output", "./x.jsonl", "--overwrite"): "x.jsonl: is the file of the prompts",
    ("--prompts", "x.jsonl", "--output", "nosuch/y.jsonl"): "cannot be written: there is no folder nosuch",
    ("--prompt", "a", "--chat"): "not allowed with",
    (): "one of the arguments --prompt --prompts --chat is required",
    ("--prompt", "a", "--temperature", "-1"): r"temperature -1\.0: give 0 \(greedy\)",
    ("--prompt", "a", "--chat-template", "chatml"): "chat template 'chatml': no such file, and no name",
    ("--prompt", "a"): "nowhere: no such folder",
    ("--prompt", "a", "--mesh", "tensr=2"): "--mesh: unknown key mesh.tensr; did you mean mesh.tensor",
    ("--prompt", "a", "--mesh", "tensor"): "--mesh 'tensor': write each axis once",
}


@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_wrong_command_line_ends_in_one_line(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(MelamaError, match=MISTAKES[words]):
        generate.main(["--checkpoint", "nowhere", *words])
    with pytest.raises(SystemExit) as left, contextlib.redirect_stderr(io.StringIO()) as said:
        run_command(lambda: generate.main(["--checkpoint", "nowhere", *words]))
    assert left.value.code == 2
    assert said.getvalue().count("\n") == 1
