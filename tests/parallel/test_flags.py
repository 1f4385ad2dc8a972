"""The settings of launch/env: XLA knows them, a shell reads them as the code does, and who is told of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from melama_jax.parallel import flags

FILES = sorted(flags.FOLDER.glob("*.env"))


def device(kind: str) -> SimpleNamespace:
    return SimpleNamespace(device_kind=kind)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shell_reads_the_same(path: Path) -> None:
    settings = flags.read_settings(path)
    assert settings
    shell = f"set -aeu; source {path}; exec env -0"
    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, check=True, env={"PATH": "/bin:/usr/bin"}
    )
    sourced = done.stdout.split("\0")
    assert {f"{key}={value}" for key, value in settings.items()} <= set(sourced)


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "tpu"], ids=lambda path: path.stem)
def test_xla_knows_every_flag(path: Path) -> None:
    """It aborts on one that it does not know; a libtpu has its own."""
    environment = os.environ | flags.read_settings(path) | {"JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", "import jax; jax.devices()"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("NVIDIA A100-SXM4-40GB", "a100"),
        ("NVIDIA H100 PCIe", "h100"),
        ("NVIDIA H200", "h200"),
        ("TPU v5 lite", "tpu"),
        ("NVIDIA B200", None),
        ("NVIDIA GeForce RTX 4090", None),
        ("cpu", None),
    ],
)
def test_file_by_kind(kind: str, name: str | None) -> None:
    path = flags.settings_of(device(kind))
    assert (path.stem if path else None) == name


def test_advice_names_the_file_and_what_is_missing() -> None:
    text = flags.advice(
        device("NVIDIA A100-SXM4-80GB"), {"XLA_FLAGS": "--xla_gpu_enable_latency_hiding_scheduler=false"}
    )
    assert text is not None
    assert "NVIDIA A100-SXM4-80GB without 3 of the settings of launch/env/a100.env: --xla_gpu_enable_analytical" in text
    assert "NCCL_DEBUG=WARN" in text
    assert "--xla_gpu_enable_latency_hiding_scheduler" not in text  # given another value on purpose
    assert text.endswith("set -a; source launch/env/a100.env")


@pytest.mark.parametrize("older", [False, True])
def test_no_advice_where_all_is_set(older: bool) -> None:
    path = flags.FOLDER / "h100.env"
    settings = flags.read_settings(path)
    if older:
        settings["XLA_PYTHON_CLIENT_MEM_FRACTION"] = settings.pop("XLA_CLIENT_MEM_FRACTION")
    assert flags.advice(device("NVIDIA H100 80GB HBM3"), settings) is None


def test_none_where_the_files_are_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(flags, "FOLDER", tmp_path)
    assert flags.advice(device("NVIDIA H100 80GB HBM3"), {}) is None
