"""What a trace says: time by class on GPUs, TPUs and CPUs, what is hidden, and what is lost against the peak."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from melama_jax import profile
from melama_jax.errors import ConfigError, DataError
from melama_jax.planning.op_class import by_name, is_container
from melama_jax.planning.trace import read_trace
from melama_jax.planning.trace_summary import as_json, device_time, summarize
from tests.planning.traces import Event, write_trace

US = 1e-6
PROGRAM = """HloModule jit_train_step, is_scheduled=true

%fused (a: f32[8,16], b: f32[16,4]) -> f32[8,4] {
  %a = f32[8,16]{1,0} parameter(0)
  %b = f32[16,4]{1,0} parameter(1)
  %dot.1 = f32[8,4] dot(%a, %b), lhs_contracting_dims={1}, rhs_contracting_dims={0}, metadata={op_name="MLP"}
  ROOT %neg = f32[8,4]{1,0} negate(%dot.1), metadata={op_name="jit(f)/neg"}
}

%moved (c: f32[8,4]) -> f32[4,8] {
  %c = f32[8,4]{1,0} parameter(0)
  ROOT %turned = f32[4,8]{1,0} transpose(%c), dimensions={1,0}
}

%scored (d: f32[4,8]) -> f32[4,8] {
  %d = f32[4,8]{1,0} parameter(0)
  ROOT %exp = f32[4,8]{1,0} exponential(%d), metadata={op_name="jit(f)/transpose(jvp(attention))/vmap()/exp"}
}

ENTRY %main (x: f32[8,16], y: f32[16,4]) -> f32[4,8] {
  %x = f32[8,16]{1,0} parameter(0)
  %y = f32[16,4]{1,0} parameter(1)
  %loop_fusion.7 = f32[8,4]{1,0} fusion(%x, %y), calls=%fused, metadata={op_name="jit(f)/neg"}
  %dot.2 = f32[8,4] dot(%x, %y), lhs_contracting_dims={1}, rhs_contracting_dims={0}, metadata={op_name="loss/dot"}
  %gather.3 = f32[16,4]{1,0} all-gather(%dot.2), replica_groups={{0,1}}, dimensions={0}
  %loop_fusion.8 = f32[4,8]{1,0} fusion(%dot.2), kind=kLoop, calls=%moved
  %loop_fusion.9 = f32[4,8]{1,0} fusion(%loop_fusion.8), kind=kLoop, calls=%scored
  ROOT %sum.4 = f32[4,8]{1,0} add(%loop_fusion.9, %loop_fusion.9), metadata={op_name="jit(f)/optimizer/add"}
}
"""
BACKWARD = "jit(f)/transpose(jvp())/while/body/checkpoint/rematted_computation/mlp/dot_general"


def kernel(name: str, start: float, end: float, op: str = "") -> Event:
    return name, start, end, {"hlo_op": op, "hlo_module": "jit_train_step"} if op else {}


def steps(*spans: tuple[float, float]) -> list[Event]:
    return [("train", start, end, {"step_num": number}) for number, (start, end) in enumerate(spans, start=7)]


def write_beside(folder: Path, **about: Any) -> None:
    known = {"program": "jit_train_step", "devices": 2, "device_kind": "NVIDIA H200", "peak_flops": 1e12}
    (folder / "melama.json").write_text(json.dumps(known | about))


def test_gpu_streams(tmp_path: Path) -> None:
    gpu = {
        "Stream #13(Compute)": [
            kernel("nvjet_hsh_256x128_64x4_1x2_h_bz_coopA_NTT", 0, 10, "custom-call.3"),
            kernel("cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16", 12, 20, "custom-call.4"),
            kernel("loop_add_fusion", 25, 30, "loop_add_fusion"),
        ],
        "Stream #20(Compute)": [kernel("ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096>)", 5, 15)],
        "Stream #22(MemcpyH2D)": [kernel("MemcpyH2D", 20, 22)],
        "XLA Ops": [kernel("gemm", 0, 30)],  # repeats the streams
    }
    host = {"python": [*steps((0, 1), (2, 3)), ("input", 22, 24, {}), ("anything", 24, 25, {})]}
    trace = read_trace(write_trace(tmp_path / "h.xplane.pb", {"/device:GPU:0": gpu, "/host:CPU": host}))
    time = device_time(trace.devices[0])
    expected = {"matmul": 10, "collective": 2, "attention": 8, "copy": 2, "host": 2, "idle": 1, "elementwise": 5}
    assert time.classes == pytest.approx({kind: us * US for kind, us in expected.items()})
    assert time.overlapped == pytest.approx(8 * US)
    assert time.window == pytest.approx(30 * US)
    assert summarize(trace).step_seconds == pytest.approx(15 * US)


def test_tpu_lines(tmp_path: Path) -> None:
    tpu = {
        "XLA Modules": [kernel("jit_train_step(12345)", 0, 20), kernel("jit_eval_step(99)", 20, 26)],
        "Steps": [kernel("7", 0, 20)],
        "XLA Ops": [
            kernel("%while.3 = (s32[], bf16[8,128]{1,0}) while(%tuple.1), condition=%c, body=%b", 0, 18),
            kernel("%fusion.1 = bf16[8]{0} fusion(%dot_general.2), kind=kOutput", 0, 4),
            kernel("%convolution_add_fusion.2 = bf16[8]{0} fusion(%p), kind=kOutput", 4, 12),
            kernel("%all-gather-start.1 = (bf16[8]{0}) all-gather-start(%p)", 12, 13),
            kernel("%splash_mha_fwd.4 = bf16[8]{0} custom-call(%q)", 13, 15),
            kernel("%all-gather-done.1 = bf16[8]{0} all-gather-done(%all-gather-start.1)", 15, 18),
            kernel("%copy.9 = bf16[8]{0} copy(%p)", 18, 20),
            kernel("%fusion.1 = bf16[8]{0} fusion(%dot_general.2), kind=kOutput", 20, 26),
        ],
        "Async XLA Ops": [kernel("%all-gather-start.1 = (bf16[8]{0}) all-gather-start(%p)", 12, 18)],
    }
    write_beside(tmp_path)
    write_trace(tmp_path / "h.xplane.pb", {"/device:TPU:0": tpu, "/host:CPU": {"python": steps((0, 1))}})
    time = device_time(read_trace(tmp_path).devices[0])
    expected = {"matmul": 8, "collective": 4, "attention": 2, "copy": 2, "elementwise": 4, "other programs": 6}
    assert time.classes == pytest.approx({kind: us * US for kind, us in expected.items()})
    assert time.overlapped == pytest.approx(2 * US)


def test_the_program_says_what_operations_are(tmp_path: Path) -> None:
    write_beside(tmp_path, model_flops_per_step=2 * 2e6)
    (tmp_path / "train_step.hlo.txt.gz").write_bytes(gzip.compress(PROGRAM.replace("MLP", BACKWARD).encode()))
    stream = [
        kernel("loop_fusion_7", 0, 4),  # as in a CUDA graph: the kernel's name alone
        kernel("triton_gemm", 4, 8, "dot.2"),
        kernel("unheard_of", 8, 9, "gather.3"),
        kernel("k", 9, 10, "loop_fusion.8"),
        kernel("k", 10, 12, "loop_fusion.9"),
        kernel("k", 12, 16, "sum.4"),
    ]
    write_trace(
        tmp_path / "plugins/profile/a/h.xplane.pb",
        {"/device:GPU:0": {"Stream #1": stream}, "/host:CPU": {"python": steps((0, 1))}},
    )
    summary = summarize(read_trace(tmp_path))
    classes = {"matmul": 8, "collective": 1, "copy": 1, "attention": 2, "elementwise": 4}
    assert {k: v for k, v in summary.classes.items() if v} == pytest.approx({k: us * US for k, us in classes.items()})
    parts = {"mlp": 4, "loss": 4, "attention": 2, "optimizer": 4}
    assert {k: v for k, v in summary.parts.items() if v} == pytest.approx({k: us * US for k, us in parts.items()})
    assert summary.trace.flops["matmul"] == 2 * (2 * 8 * 16 * 4)
    assert summary.mfu == pytest.approx(2 / 16)
    gap = {"ideal": 2, "products below the peak": 4 + 2 - 2, "recomputation": 4, "norm, elementwise": 4, "copy": 1}
    gap |= {"collective, exposed": 1, "other programs": 0, "host": 0, "idle": 0}
    assert summary.gap == pytest.approx({name: us / 16 for name, us in gap.items()})
    longest = as_json(summary)["operations"][0]
    assert longest["recomputed"] == (longest["name"] == "loop_fusion_7")


def test_hosts_of_the_newest_moment(tmp_path: Path) -> None:
    def one(name: str, end: float) -> None:
        cpu = [("dot.1", 0, end, {"hlo_op": "dot.1", "hlo_module": "m", "device_ordinal": d}) for d in (0, 1)]
        write_trace(tmp_path / f"plugins/profile/{name}.xplane.pb", {"/host:CPU": {"tf_XLAEigen/1": cpu}})

    one("1/old", 99)
    for host in ("000_a", "001_b"):
        one(f"2/{host}", 3)
    summary = summarize(read_trace(tmp_path))
    assert [device.name for device in summary.devices] == ["000_a CPU 0", "000_a CPU 1", "001_b CPU 0", "001_b CPU 1"]
    assert summary.classes["matmul"] == pytest.approx(3 * US)


def test_operations_at_once_share_the_time(tmp_path: Path) -> None:
    lines = {
        "tf_XLAEigen/1": [("dot.1", 0, 10, {"hlo_op": "dot.1", "hlo_module": "m"})],
        "tf_XLAEigen/2": [("add.1", 4, 10, {"hlo_op": "add.1", "hlo_module": "m"})],
    }
    time = device_time(read_trace(write_trace(tmp_path / "h.xplane.pb", {"/host:CPU": lines})).devices[0])
    assert time.classes == pytest.approx({"matmul": 7 * US, "elementwise": 3 * US})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ampere_bf16_s16816gemm_bf16_128x128_ldg8_f2f_stages_64x3_tn", "matmul"),
        ("sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64", "matmul"),
        ("gemm_fusion_dot_12", "matmul"),
        ("ncclDevKernel_ReduceScatter_Sum_bf16_RING_LL", "collective"),
        ("all-reduce.73", "collective"),
        ("reduce_scatter.22", "collective"),
        ("psum.4", "collective"),
        ("fmha_bwd_sm90", "attention"),
        ("input_reduce_fusion_3", "elementwise"),
        ("wrapped_transpose", "copy"),
        ("MemcpyD2D", "copy"),
        ("loop_convert_fusion", "elementwise"),
    ],
)
def test_names_alone(name: str, kind: str) -> None:
    assert by_name(name).kind == kind


def test_loops_hold_others() -> None:
    assert is_container("while.12")
    assert not is_container("while_thunk_fusion.12")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    write_beside(tmp_path, peak_flops=None, device_kind="cpu", model_flops_per_step=4e6)
    gpu = {f"/device:GPU:{n}": {"Stream #1": [kernel("gemm", 0, 10 + n)]} for n in range(20)}
    write_trace(tmp_path / "h.xplane.pb", {**gpu, "/host:CPU": {"python": steps((0, 1))}})
    out = tmp_path / "out.json"
    assert profile.main(["summarize", str(tmp_path), "--json", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "no data sheet for cpu; give --peak-tflops" in shown
    assert "the slowest 16 of 20" in shown
    assert "h GPU 19" in shown
    assert "h GPU 2 " not in shown
    found = json.loads(out.read_text())
    assert found["mfu"] is None
    assert found["step_seconds"] == pytest.approx((10 + 9.5) * US)
    assert sum(found["seconds_by_class"].values()) == pytest.approx(found["step_seconds"])
    assert profile.main(["summarize", str(tmp_path), "--peak-tflops", "1"]) == 0
    assert re.search(r"MFU \(model FLOPs at the peak\) .* 10\.3%", capsys.readouterr().out)


def test_bad_traces(tmp_path: Path) -> None:
    good = write_trace(tmp_path / "h.xplane.pb", {"/device:GPU:0": {"Stream #1": [kernel("gemm", 0, 10)]}})
    for name, content, says in (
        ("cut", good.read_bytes()[:-9], "cannot be read as a trace"),
        ("empty", b"", "is empty; the trace was not written to its end"),
        ("text", b"no trace at all", "cannot be read as a trace"),
    ):
        path = tmp_path / name / "h.xplane.pb"
        path.parent.mkdir()
        path.write_bytes(content)
        with pytest.raises(DataError, match=says):
            read_trace(path.parent)
    (tmp_path / "none").mkdir()
    for path in (tmp_path / "none", tmp_path / "nowhere"):
        with pytest.raises(DataError, match=r"holds no \*.xplane.pb"):
            read_trace(path)
    for name in ("melama.json", "train_step.hlo.txt.gz"):
        (tmp_path / name).write_bytes(b"{")
        with pytest.raises(DataError, match=f"{name}: cannot be read"):
            read_trace(good)
        (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match="--peak-tflops -1 must be above 0"):
        profile.main(["summarize", str(good), "--peak-tflops", "-1"])
