"""Which way imports run, and how long a module may be; see docs/architecture.md."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "melama_jax"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

BELOW = {
    "errors": set(),
    "config": {"errors"},
    "parallel": {"errors", "config"},
    "data": {"errors", "config"},
    "model": {"errors", "config", "parallel"},
    "training": {"errors", "config", "parallel", "model"},
    "inference": {"errors", "config", "parallel", "model", "data"},
    "planning": {"errors", "config", "parallel", "model", "training", "inference"},
    "evaluation": {"errors", "config", "parallel", "model", "inference", "data", "planning"},
}
"""What each part may import besides itself; the commands beside them (train.py, ...) may import everything."""
WITH_TENSORFLOW = {"data/build.py", "data/tasks.py"}
"""The modules that define and run SeqIO tasks; everything else works where TensorFlow is not installed."""
WITH_CONVERSION = {"train.py", "preflight.py", "generate.py", "evaluate.py", "lm_eval.py", "data/prepare.py"}
"""The commands that read other formats, and the preparation of data, which takes their tokenizer."""
WITH_TORCH = {"evaluation/text_metrics.py"}
"""BARTScore, inside its function and behind an extra."""
LONGEST = 450


def imports(module: str) -> Iterator[str]:
    """Full names of what a module imports anywhere in it, lazily too."""
    yield from imports_of(PACKAGE / module, ["melama_jax", *Path(module).parent.parts])


def imports_of(path: Path, package: list[str]) -> Iterator[str]:
    """The same of any file, given the package that relative imports start from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """Folder of a module inside the package, or its own name at the top."""
    return module.split("/")[0].removesuffix(".py")


def outside(module: str) -> set[str]:
    """Top-level packages a module imports."""
    return {name.split(".")[0] for name in imports(module)}


def test_every_part_is_in_the_table() -> None:
    folders = {part(module) for module in MODULES if "/" in module}
    assert folders <= set(BELOW), "a new folder needs its place in the order of imports"


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in BELOW])
def test_imports_run_downwards(module: str) -> None:
    own = part(module)
    used = {name.split(".")[1] for name in imports(module) if name.startswith("melama_jax.")}
    assert used - {own} <= BELOW[own]


@pytest.mark.parametrize("command", [module for module in MODULES if "/" not in module and part(module) not in BELOW])
def test_nobody_imports_a_command(command: str) -> None:
    name = f"melama_jax.{part(command)}"
    if command == "__init__.py":
        assert list(imports(command)) == []
        return
    assert [m for m in MODULES if any(i == name or i.startswith(f"{name}.") for i in imports(m))] == []


def test_only_commands_import_conversion() -> None:
    assert {module for module in MODULES if "conversion" in outside(module)} <= WITH_CONVERSION


CONVERSION = sorted((PACKAGE.parent / "conversion").glob("*.py"))
CONVERSION_USES = {"config", "data", "errors", "inference", "model", "parallel", "training"}
KEYS = ("q_proj", "down_proj", "embed_tokens", "lm_head", "layernorm", "tok_embeddings", ".wq", ".w1", "ffn_norm")


@pytest.mark.parametrize("module", CONVERSION, ids=lambda path: path.stem)
def test_conversion_imports_no_command_and_no_heavy_package(module: Path) -> None:
    names = list(imports_of(module, ["conversion"]))
    used = {name.split(".")[1] for name in names if name.startswith("melama_jax.")}
    assert used <= CONVERSION_USES | {"__version__"}
    tops = {name.split(".")[0] for name in names}
    assert not tops & {"tensorflow", "seqio", "transformers"}
    assert "torch" not in tops or module.stem == "torch_file"


def test_one_table_knows_the_keys_of_other_formats() -> None:
    modules = [*CONVERSION, *PACKAGE.rglob("*.py")]
    found = {m.name for m in modules if any(key in m.read_text(encoding="utf-8") for key in KEYS)}
    assert found == {"mapping.py"}


@pytest.mark.parametrize("module", CONVERSION, ids=lambda path: path.stem)
def test_conversion_module_can_be_read_in_one_go(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_flax_is_imported_in_model_only() -> None:
    assert {part(module) for module in MODULES if "flax" in outside(module)} == {"model"}


def test_tensorflow_and_seqio_are_imported_where_tasks_are_defined() -> None:
    found = {module for module in MODULES if {"tensorflow", "tensorflow_datasets", "seqio", "t5"} & outside(module)}
    assert found == WITH_TENSORFLOW


@pytest.mark.parametrize("unwanted", [{"torch", "transformers"}, {"pyplot"}], ids=["torch", "pyplot"])
def test_heavy_packages_stay_out(unwanted: set[str]) -> None:
    found = {module for module in MODULES for name in imports(module) if unwanted & set(name.split("."))}
    assert found - WITH_TORCH == set()


def test_yaml_is_read_by_config_only() -> None:
    assert {part(module) for module in MODULES if "yaml" in outside(module)} == {"config"}


def test_importing_the_training_command_needs_no_tensorflow() -> None:
    program = (
        "import sys, melama_jax.train\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} & {'tensorflow', 'seqio', 'torch', 'jax'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["jax"]


@pytest.mark.parametrize("module", MODULES)
def test_module_can_be_read_in_one_go(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) <= LONGEST
