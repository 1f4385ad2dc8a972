"""The step compiled for absent GPUs, where their compiler is installed; and the kernels themselves, where a GPU is."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest

from tests.runs import REPOSITORY

needs_compiler = pytest.mark.skipif(
    importlib.util.find_spec("jax_cuda12_plugin") is None, reason="needs the compiler of the cuda12 extra"
)
COMPILE = """
import sys
from melama_jax.config import from_mapping
from melama_jax.errors import run_command
from melama_jax.parallel.mesh import build_mesh
from melama_jax.planning.targets import devices_of, parse_target, prepare_process
from melama_jax.training import state, step

def main():
    target = parse_target(sys.argv[1])
    prepare_process(target)
    sizes = {"hidden_size": 512, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 512}
    config = from_mapping({
        "model": {"preset": "tiny", **sizes, "max_position_embeddings": 2048, "matmul_dtype": sys.argv[2] or None},
        "train": {"global_batch_size": 2, "sequence_length": 2048},
        "data": {"attend_across_documents": False},
    })
    mesh = build_mesh(config.mesh, devices_of(target))
    step.check_layout(config, mesh)
    print(step.compile_train_step(config, mesh, state.abstract_state(config, mesh)).as_text())

run_command(main)
"""


def program(target: str, matmul_dtype: str = "") -> tuple[int, str]:
    """Exit status, and the compiled program as text or what was wrong."""
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"} | {"PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", COMPILE, target, matmul_dtype]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout + done.stderr


@needs_compiler
@pytest.mark.parametrize(("target", "cudnn"), [("a100-80gb:1x2", False), ("h100:1x2", True)])
def test_packed_rows_without_a_mask(target: str, cudnn: bool) -> None:
    status, text = program(target)
    assert status == 0, text[-500:]
    assert "__gpu$xla.gpu.triton" in text  # on Hopper for rows that cuDNN cannot be told of
    assert ("__cudnn$fmhaSoftmaxBackward" in text) == cudnn
    assert ("PADDING_CAUSAL" in text) == cudnn
    assert not re.search(r"\[[\d,]*2048,2048\]", text)


@needs_compiler
def test_products_in_8_bits() -> None:
    status, text = program("h100:1x2", "fp8")
    assert status == 0, text[-500:]
    operands = {tuple(re.findall(r"f8e\w+", line))[:2] for line in text.splitlines() if line.startswith("%gemm_fusion")}
    assert operands >= {("f8e4m3fn", "f8e4m3fn"), ("f8e5m2", "f8e4m3fn"), ("f8e4m3fn", "f8e5m2")}


@needs_compiler
def test_8_bits_are_refused_on_a100() -> None:
    status, text = program("a100-80gb:1x2", "fp8")
    assert status == 2
    assert "model.matmul_dtype fp8 needs a GPU of compute capability 8.9 or later" in text
    assert "found NVIDIA A100-SXM4-80GB" in text


KERNELS = """
import jax, jax.numpy as jnp, numpy as np
from tests.model import attention_inputs as inputs
arrays = inputs.draw(length=512, heads=8, kv_heads=2, head_dim=128, dtype=jnp.bfloat16)
capability = float(jax.devices("gpu")[0].compute_capability)
ids = {
    "documents": inputs.packed(512),
    "too many": jnp.asarray(np.tile(np.minimum(np.arange(512), 200), (2, 1)), jnp.int32),
    "padding": jnp.zeros((2, 512), jnp.int32),
}
for name, segment_ids in ids.items():
    expected = inputs.value_and_gradients("reference", *arrays, segment_ids=segment_ids)
    for backend in ("cudnn", "triton"):
        found = inputs.value_and_gradients(backend, *arrays, segment_ids=segment_ids)
        inputs.assert_close(found, expected, 2e-2)
        print(name, backend, capability, "ok")
"""


@pytest.mark.gpu
def test_kernels_on_a_gpu() -> None:
    """The only test that runs cuDNN and Triton; in a process of its own, since the others run on fake CPU devices."""
    environment = {k: v for k, v in os.environ.items() if k not in ("XLA_FLAGS", "JAX_PLATFORMS")}
    environment |= {"PYTHONPATH": str(REPOSITORY)}
    look = [sys.executable, "-c", "import jax; print(jax.default_backend())"]
    if subprocess.run(look, capture_output=True, text=True, env=environment, check=False).stdout.strip() != "gpu":
        pytest.skip("needs a GPU")
    done = subprocess.run([sys.executable, "-c", KERNELS], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("ok") == 6
