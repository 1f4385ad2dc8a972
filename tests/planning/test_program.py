"""Compiled programs as read from their text: how often, over which axes, how many bytes and FLOPs."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from melama_jax.planning import cost
from melama_jax.planning.groups import group_of
from melama_jax.planning.op_class import ProgramClasses
from melama_jax.planning.program import Collective, Program, collectives, parse, wire_bytes

AXES = [("data", 2), ("fsdp", 2), ("context", 1), ("tensor", 2)]


def mesh() -> Mesh:
    return jax.make_mesh(
        tuple(size for _, size in AXES), tuple(name for name, _ in AXES), axis_types=(AxisType.Auto,) * len(AXES)
    )


REPLICATED = PartitionSpec()


def compiled(function: Any, *shapes: tuple[tuple[int, ...], PartitionSpec], out: PartitionSpec = REPLICATED) -> Program:
    here = mesh()
    arguments = [jax.ShapeDtypeStruct(shape, jnp.float32, sharding=NamedSharding(here, spec)) for shape, spec in shapes]
    return parse(jax.jit(function, out_shardings=NamedSharding(here, out)).lower(*arguments).compile().as_text() or "")


def found(program: Program) -> list[Collective]:
    return collectives(program, AXES)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("replica_groups={{0,1},{2,3},{4,5},{6,7}}", (0, 1)),
        ("replica_groups={{0,4},{1,5},{2,6},{3,7}}", (0, 4)),
        ("replica_groups=[4,2]<=[8]", (0, 1)),
        ("replica_groups=[2,4]<=[2,2,2]T(1,0,2)", (0, 1, 4, 5)),
        ("replica_groups=[4,2]<=[2,4]T(1,0)", (0, 4)),
        ("replica_groups=mesh['axis_0'=2,'axis_1'=4] {'axis_1'}", (0, 1, 2, 3)),
        ("replica_groups=mesh['axis_0'=2,'axis_1'=4], device_ids=([4,2]T(1,0)) {'axis_0'}", (0, 1)),
        ("source_target_pairs={{0,2},{2,0},{1,3},{3,1}}", (0, 2)),
        ("channel_id=1", tuple(range(8))),
    ],
)
def test_groups_in_every_notation(text: str, group: tuple[int, ...]) -> None:
    assert group_of(text, 8) == group


@pytest.mark.parametrize(("axis", "dim"), [("data", 0), ("fsdp", 0), ("tensor", 1)])
def test_a_gather_is_counted_with_its_axis_and_bytes(axis: str, dim: int) -> None:
    spec: list[str | None] = [None, None]
    spec[dim] = axis
    (one,) = found(compiled(lambda x: x, ((8, 6), PartitionSpec(*spec))))
    assert (one.kind, one.axes, one.group, one.count) == ("all-gather", axis, 2, 1)
    assert (one.payload_bytes, one.wire_bytes) == (8 * 6 * 4, 8 * 6 * 4 // 2)


def test_a_sum_over_two_axes() -> None:
    program = compiled(lambda x: x.sum(0), ((8, 6), PartitionSpec(("data", "tensor"))))
    (one,) = found(program)
    assert (one.kind, one.axes, one.group) == ("all-reduce", "data+tensor", 4)
    assert one.wire_bytes == 2 * 6 * 4 * 3 // 4


def test_what_a_loop_holds_is_counted_as_often_as_it_runs() -> None:
    def five(x: jax.Array, w: jax.Array) -> jax.Array:
        def body(x: jax.Array, _: None) -> tuple[jax.Array, None]:
            return jnp.tanh(x @ w), None

        return jax.lax.scan(body, x, None, length=5)[0]

    program = compiled(five, ((8, 16), PartitionSpec()), ((16, 16), PartitionSpec()))
    total, _ = cost.step_cost(program, cost.Rates(1.0, 1e30), lambda instruction: 0.0)
    assert total.flops == 5 * 2 * 8 * 16 * 16
    assert total.compute_seconds == pytest.approx(total.flops)
    assert found(program) == []
    program = compiled(
        five, ((8, 16), PartitionSpec("fsdp")), ((16, 16), PartitionSpec("tensor")), out=PartitionSpec("fsdp")
    )
    inside = [one for one in found(program) if "while" in one.operation]
    assert inside
    assert {one.count for one in inside} == {5}


LOOP = """HloModule m, is_scheduled=true

%body (p: (s32[], f32[4])) -> (s32[], f32[4]) {
  %p = (s32[], f32[4]{0}) parameter(0)
  ROOT %t = (s32[], f32[4]{0}) tuple(%p)
}

%condition (p: (s32[], f32[4])) -> pred[] {
  %p = (s32[], f32[4]{0}) parameter(0)
  %limit = s32[]{:T(128)} constant(80)
  %i = s32[]{:T(128)} get-tuple-element(%p), index=0
  ROOT %lt = pred[]{:T(512)} compare(%i, %limit), direction=LT
}

ENTRY %main (a: (s32[], f32[4])) -> (s32[], f32[4]) {
  %a = (s32[], f32[4]{0}) parameter(0)
  ROOT %w = (s32[], f32[4]{0}) while(%a), condition=%condition, body=%body
}
"""


def test_a_loop_whose_length_only_its_condition_tells() -> None:
    """As the compiler for TPUs writes them."""
    assert parse(LOOP).executions() == {"main": 1, "body": 80}
    stated = LOOP.replace("body=%body", 'body=%body, backend_config={"known_trip_count":{"n":"7"}}')
    assert parse(stated).executions()["body"] == 7


def test_an_unrolled_loop_counts_by_more_than_one() -> None:
    body = """  %i = s32[] get-tuple-element(%p), index=0
  %x = f32[4]{0} get-tuple-element(%p), index=1
  %two = s32[] constant(2)
  %next = s32[] add(%i, %two)
  %turned = s32[] copy(%next)
  ROOT %t = (s32[], f32[4]{0}) tuple(%turned, %x)"""
    text = LOOP.replace("  ROOT %t = (s32[], f32[4]{0}) tuple(%p)", body)
    assert parse(text).executions()["body"] == 40


def test_a_condition_that_is_a_fusion() -> None:
    """As XLA for GPUs writes the loops that it has pipelined."""
    fused = """%fused (q: s32[]) -> pred[] {
  %q = s32[] parameter(0)
  %limit = s32[] constant(80)
  ROOT %lt = pred[] compare(%q, %limit), direction=LT
}

%condition"""
    test = LOOP.replace("%condition (p", f"{fused} (p").replace("  %limit = s32[]{:T(128)} constant(80)\n", "")
    test = test.replace("compare(%i, %limit), direction=LT", "fusion(%i), kind=kLoop, calls=%fused")
    assert parse(test).executions()["body"] == 80


def test_a_loop_of_unknown_length() -> None:
    program = parse(LOOP.replace("constant(80)", "copy(%p)"))
    assert program.unknown_loops() == ["w"]
    assert program.executions()["body"] == 1
    assert not parse(LOOP).unknown_loops()
    assert not ProgramClasses(program).flops


def test_an_attribute_with_line_breaks() -> None:
    """As kernels written in Pallas carry them; a brace that ends such a line ends no computation."""
    text = LOOP.replace("index=0\n", 'index=0, frontend_attributes={kernel={\n"a":"b"\n}}, metadata={}\n')
    program = parse(text)
    assert [i.name for i in program.computations["condition"].instructions] == ["p", "limit", "i", "lt"]
    assert program.executions() == {"main": 1, "body": 80}


def test_products_of_a_batch() -> None:
    program = compiled(
        partial(jnp.einsum, "bij,bjk->bik"), ((4, 8, 16), PartitionSpec()), ((4, 16, 3), PartitionSpec())
    )
    total, _ = cost.step_cost(program, cost.Rates(1.0, 1.0), lambda instruction: 0.0)
    assert total.flops == 2 * 4 * 8 * 16 * 3
    assert total.memory_bytes >= 4 * (4 * 8 * 16 + 4 * 16 * 3 + 4 * 8 * 3)


TIMELINE = """HloModule m, is_scheduled=true

ENTRY %main (a: f32[64,64]) -> f32[64,64] {
  %a = f32[64,64]{1,0} parameter(0)
  %s = (f32[64,64]{1,0}, f32[128,64]{1,0}) all-gather-start(%a), replica_groups={{0,1}}, dimensions={0}
  %d = f32[64,64]{1,0} dot(%a, %a), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  %e = f32[128,64]{1,0} all-gather-done(%s)
  ROOT %r = f32[64,64]{1,0} copy(%d)
}
"""


@pytest.mark.parametrize(("seconds", "exposed"), [(0.5, 0.0), (1.0, 0.0), (3.0, 2.0)])
def test_a_collective_is_hidden_behind_what_is_scheduled_beside_it(seconds: float, exposed: float) -> None:
    flops = 2 * 64**3
    total, waits = cost.step_cost(parse(TIMELINE), cost.Rates(flops, 1e30), lambda instruction: seconds)
    assert (total.compute_seconds, total.collective_seconds) == (pytest.approx(1.0), seconds)
    assert total.exposed_seconds == pytest.approx(exposed)
    assert waits == {"s": pytest.approx(exposed)}


def test_what_is_never_awaited_is_awaited_at_the_end() -> None:
    text = "\n".join(line for line in TIMELINE.splitlines() if "-done" not in line)
    total, waits = cost.step_cost(parse(text), cost.Rates(2 * 64**3, 1e30), lambda instruction: 3.0)
    assert total.exposed_seconds == pytest.approx(2.0)
    assert waits == {"s": pytest.approx(2.0)}


def test_waiting_behind_another_collective_is_the_others() -> None:
    """The link is held for 3 s by the first, of which 1 s is hidden; then for 3 s by the second."""
    second = "  %f = f32[128,64]{1,0} all-gather(%d), replica_groups={{0,1}}, dimensions={0}\n"
    text = TIMELINE.replace("  %e =", f"{second}  %e =")
    total, waits = cost.step_cost(parse(text), cost.Rates(2 * 64**3, 1e30), lambda instruction: 3.0)
    assert waits == {"s": pytest.approx(2.0), "f": pytest.approx(3.0)}
    assert total.exposed_seconds == pytest.approx(5.0)


def test_a_synchronous_collective_is_exposed() -> None:
    text = TIMELINE.replace("all-gather-start", "all-gather").replace(
        "(f32[64,64]{1,0}, f32[128,64]{1,0})", "f32[128,64]{1,0}"
    )
    text = "\n".join(line for line in text.splitlines() if "-done" not in line)
    total, _ = cost.step_cost(parse(text), cost.Rates(1e30, 1e30), lambda instruction: 3.0)
    assert total.exposed_seconds == pytest.approx(3.0)


def test_a_slice_of_a_stack_is_not_the_stack() -> None:
    def layers(x: jax.Array, w: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda x, w: (x * w, None), x, w)[0]

    program = compiled(layers, ((1024,), PartitionSpec()), ((50, 1024), PartitionSpec()))
    total, _ = cost.step_cost(program, cost.Rates(1.0, 1.0), lambda instruction: 0.0)
    assert total.memory_bytes < 50 * 1024 * 4 * 8, "a layer's slice was counted as the whole stack"


@pytest.mark.parametrize(
    ("kind", "bytes_"),
    [
        ("all-gather", 750),
        ("reduce-scatter", 750),
        ("all-reduce", 1500),
        ("all-to-all", 750),
        ("collective-permute", 1000),
    ],
)
def test_ring_bytes(kind: str, bytes_: int) -> None:
    assert wire_bytes(kind, 1000, 4) == bytes_
    assert wire_bytes(kind, 1000, 1) == 0


def test_a_text_without_a_program() -> None:
    with pytest.raises(ValueError, match="no ENTRY"):
        parse("HloModule nothing")


def total(text: str, seconds: float = 0.0, flops: float = 1.0, memory: float = 1e30) -> cost.Cost:
    return cost.step_cost(parse(text), cost.Rates(flops, memory), lambda instruction: seconds)[0]


CHAIN = """HloModule m, is_scheduled=true

%start (p0: bf16[8,64]) -> (bf16[8,64], bf16[64,64], u32[]) {
  %p0 = bf16[8,64]{1,0:T(8,128)} parameter(0)
  %g0 = bf16[64,64]{1,0:T(8,128)} all-gather(%p0), replica_groups=[1,8]<=[8], frontend_attributes={chain_id="3"}
  ROOT %c0 = (bf16[8,64]{1,0}, bf16[64,64]{1,0}, u32[]) custom-call(%g0), custom_call_target="AsyncCollectiveStart"
}

%beside (p1: bf16[8,64], p2: bf16[64,64], p3: f32[16,64], p4: f32[64,64]) -> (f32[16,64], bf16[64,64]) {
  %p1 = bf16[8,64]{1,0:T(8,128)} parameter(0)
  %p2 = bf16[64,64]{1,0:T(8,128)} parameter(1)
  %p3 = f32[16,64]{1,0:T(8,128)} parameter(2)
  %p4 = f32[64,64]{1,0:T(8,128)} parameter(3)
  %x = f32[16,64]{1,0:T(8,128)} convolution(%p3, %p4), dim_labels=bf_io->bf
  %g1 = bf16[64,64]{1,0:T(8,128)} all-gather(%p1), replica_groups=[1,8]<=[8], frontend_attributes={chain_id="3"}
  ROOT %t = (f32[16,64]{1,0}, bf16[64,64]{1,0}) tuple(%x, %p2)
}

%finish (p5: bf16[8,64], p6: bf16[64,64]) -> bf16[64,64] {
  %p5 = bf16[8,64]{1,0:T(8,128)} parameter(0)
  %p6 = bf16[64,64]{1,0:T(8,128)} parameter(1)
  %g2 = bf16[64,64]{1,0:T(8,128)} all-gather(%p5), replica_groups=[1,8]<=[8], frontend_attributes={chain_id="3"}
  ROOT %c2 = bf16[64,64]{1,0:T(8,128)} custom-call(%p5, %p6, %g2), custom_call_target="AsyncCollectiveDone"
}

ENTRY %main (a: bf16[8,64], b: f32[16,64], c: f32[64,64]) -> bf16[64,64] {
  %a = bf16[8,64]{1,0:T(8,128)} parameter(0)
  %b = f32[16,64]{1,0:T(8,128)} parameter(1)
  %c = f32[64,64]{1,0:T(8,128)} parameter(2)
  %s = (bf16[8,64]{1,0}, bf16[64,64]{1,0}, u32[]) fusion(%a), kind=kCustom, calls=%start
  %s0 = bf16[8,64]{1,0:T(8,128)} get-tuple-element(%s), index=0
  %s1 = bf16[64,64]{1,0:T(8,128)} get-tuple-element(%s), index=1
  %w = (f32[16,64]{1,0}, bf16[64,64]{1,0}) fusion(%s0, %s1, %b, %c), kind=kOutput, calls=%beside
  %w1 = bf16[64,64]{1,0:T(8,128)} get-tuple-element(%w), index=1
  ROOT %d = bf16[64,64]{1,0:T(8,128)} fusion(%s0, %w1), kind=kCustom, calls=%finish
}
"""


def test_a_chain_of_fusions_is_one_collective_that_runs_beside_their_products() -> None:
    """As the compiler for TPUs writes them: each part names the collective again."""
    (one,) = found(parse(CHAIN))
    assert (one.kind, one.count, one.asynchronous, one.payload_bytes) == ("all-gather", 1, True, 64 * 64 * 2)
    flops = 2 * 16 * 64 * 64
    for seconds, exposed in ((0.5, 0.0), (3.0, 2.0)):
        cost_ = total(CHAIN, seconds, flops)
        assert (cost_.flops, cost_.exposed_seconds) == (flops, pytest.approx(exposed))
    # The product reads b and c and writes its result; the gathered array is only handed on.
    assert total(CHAIN).memory_bytes == 4 * (16 * 64 + 64 * 64 + 16 * 64)


def test_a_sum_of_which_a_slice_is_kept_is_a_reduce_scatter() -> None:
    text = """HloModule m, is_scheduled=true

%all-reduce-scatter (p: f32[64]) -> f32[8] {
  %p = f32[64]{0} parameter(0)
  %s = f32[64]{0} all-reduce(%p), replica_groups=[1,8]<=[8]
  %i = s32[] constant(0)
  ROOT %r = f32[8]{0} dynamic-slice(%s, %i), dynamic_slice_sizes={8}
}

ENTRY %main (a: f32[64]) -> f32[8] {
  %a = f32[64]{0} parameter(0)
  ROOT %f = f32[8]{0} fusion(%a), kind=kCustom, calls=%all-reduce-scatter
}
"""
    (one,) = found(parse(text))
    assert (one.kind, one.payload_bytes, one.wire_bytes) == ("reduce-scatter", 256, 224)


def single(line: str, *operands: str) -> str:
    given = "\n".join(f"  %o{n} = {shape} parameter({n})" for n, shape in enumerate(operands))
    return f"HloModule m\n\nENTRY %main (a: f32[]) -> f32[] {{\n{given}\n  ROOT %r = {line}\n}}\n"


@pytest.mark.parametrize(
    ("line", "data", "kernel", "flops"),
    [
        (
            "f32[4,8]{1,0} convolution(%o0, %o1), dim_labels=bf_io->bf",
            "f32[4,16]{1,0}",
            "f32[16,8]{1,0}",
            2 * 4 * 16 * 8,
        ),
        # [B, T, D] x [D, H, E]: the heads are a window of 4 over padding, of which one place meets data.
        (
            "f32[2,32,4,8]{3,2,1,0} convolution(%o0, %o1), window={size=1x4 pad=0_0x3_3 rhs_reversal=0x1}, "
            "dim_labels=0bf1_i1o0->0b1f",
            "f32[2,32,16,1]{3,2,1,0}",
            "f32[16,4,8,1]{3,2,1,0}",
            2 * 2 * 32 * 16 * 4 * 8,
        ),
        # [B, T, H, E] x [H, E, D]: the heads are summed over, a window without padding.
        (
            "f32[2,32,16,1]{3,2,1,0} convolution(%o0, %o1), window={size=1x4}, dim_labels=0b1f_1io0->0bf1",
            "f32[2,32,4,8]{3,2,1,0}",
            "f32[4,8,16,1]{3,2,1,0}",
            2 * 2 * 32 * 4 * 8 * 16,
        ),
        # A batch of 3 products as a strided window over dilated data.
        (
            "f32[3,5,7]{2,1,0} convolution(%o0, %o1), window={size=3 stride=2 pad=2_2 lhs_dilate=3}, "
            "dim_labels=0bf_0io->0bf",
            "f32[3,5,11]{2,1,0}",
            "f32[3,11,7]{2,1,0}",
            2 * 5 * 11 * 7 * 3,
        ),
    ],
)
def test_products_spelled_as_convolutions(line: str, data: str, kernel: str, flops: int) -> None:
    assert total(single(line, data, kernel)).flops == flops


QKV = ("bf16[2,4,256,128]{3,2,1,0}",) * 3


@pytest.mark.parametrize(("kernel", "products"), [("splash_mha_fwd", 2), ("splash_mha_dkv", 4), ("splash_mha_dq", 3)])
def test_attention_kernels_of_tpus(kernel: str, products: int) -> None:
    """Causal: half of [T, T]; the mask's blocks in front of the queries are no queries."""
    call = f'custom-call(%o0, %o1, %o2, %o3), custom_call_target="tpu_custom_call", metadata={{op_name="x/{kernel}/y"}}'
    text = single(f"bf16[2,4,256,128]{{3,2,1,0}} {call}", "s8[1,4,4]{2,1,0}", *QKV)
    assert total(text).flops == products * 2 * 2 * 4 * 256 * 256 * 128 / 2
    other = text.replace("tpu_custom_call", "ConcatBitcast")
    assert total(other).flops == 0


@pytest.mark.parametrize(
    ("target", "attributes", "products"),
    [
        ("__cudnn$fmhaSoftmax", 'backend_config={"mask_type":"CAUSAL"}', 2 / 2),
        ("__cudnn$fmhaSoftmaxBackward", 'backend_config={"mask_type":"PADDING_CAUSAL"}', 5 / 2),
        ("__cudnn$fmhaScaleBiasSoftmax", 'backend_config={"mask_type":"NO_MASK"}', 2),  # the mask is an operand
        ("__gpu$xla.gpu.triton", 'metadata={op_name="attention/jit(mha)/mha_forward/pallas_call"}', 2 / 2),
        ("__gpu$xla.gpu.triton", 'metadata={op_name="attention/mha_backward/pallas_call"}', 7 / 2),
        ("__gpu$xla.gpu.triton", 'metadata={op_name="attention/mha_preprocess_backward/pallas_call"}', 0),
    ],
)
def test_attention_kernels_of_gpus(target: str, attributes: str, products: float) -> None:
    call = f'custom-call(%o0, %o1, %o2), custom_call_target="{target}", {attributes}'
    operands = ("bf16[2,256,4,128]{3,2,1,0}", "bf16[2,512,2,128]{3,2,1,0}", "bf16[2,512,2,128]{3,2,1,0}")
    text = single(f"bf16[2,256,4,128]{{3,2,1,0}} {call}", *operands)
    assert total(text).flops == products * 2 * 2 * 4 * 256 * 512 * 128


@pytest.mark.parametrize(
    "branches", ["branch_computations={%small, %large}", "true_computation=%large, false_computation=%small"]
)
def test_of_two_branches_the_longer_one_counts(branches: str) -> None:
    def product(name: str, size: int) -> str:
        return f"""%{name} (p{size}: f32[{size},{size}]) -> f32[{size},{size}] {{
  %p{size} = f32[{size},{size}]{{1,0}} parameter(0)
  ROOT %d = f32[{size},{size}]{{1,0}} dot(%p{size}, %p{size}), lhs_contracting_dims={{1}}, rhs_contracting_dims={{0}}
}}
"""

    text = f"""HloModule m

{product("small", 8)}
{product("large", 16)}
ENTRY %main (c: pred[], a: f32[8,8], b: f32[16,16]) -> f32[] {{
  %c = pred[] parameter(0)
  %a = f32[8,8]{{1,0}} parameter(1)
  %b = f32[16,16]{{1,0}} parameter(2)
  ROOT %r = f32[] conditional(%c, %a, %b), {branches}
}}
"""
    assert total(text).flops == 2 * 16**3
    assert ProgramClasses(parse(text)).flops["matmul"] == 2 * 16**3
    attends = '  %k = f32[8]{0} custom-call(%p8), custom_call_target="__cudnn$fmhaSoftmax"\n'
    with_kernel = parse(text.replace("  ROOT %d = f32[8,8]", f"{attends}  ROOT %d = f32[8,8]"))
    assert with_kernel.executions() == {"main": 1, "small": 1}


def test_a_copy_to_a_cores_own_memory_runs_beside_work() -> None:
    text = """HloModule m, is_scheduled=true

ENTRY %main (a: f32[256], b: f32[64,64]) -> f32[64,64] {
  %a = f32[256]{0:T(256)} parameter(0)
  %b = f32[64,64]{1,0:T(8,128)S(1)} parameter(1)
  %s = (f32[256]{0:T(256)S(1)}, f32[256]{0:T(256)}, u32[]{:S(2)}) copy-start(%a)
  %x = f32[64,64]{1,0:T(8,128)S(1)} dot(%b, %b), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  %d = f32[256]{0:T(256)S(1)} copy-done(%s)
  ROOT %r = f32[64,64]{1,0:T(8,128)S(1)} negate(%x)
}
"""
    flops = 2 * 64**3
    assert total(text).memory_bytes == 1024, "only the copy reads device memory"
    assert total(text, flops=flops, memory=1024).compute_seconds == pytest.approx(1.0)
    assert total(text, flops=flops, memory=256).compute_seconds == pytest.approx(4.0)


@pytest.mark.parametrize(("is_sync", "asynchronous"), [("true", False), ("false", True)])
def test_a_start_that_xla_calls_synchronous(is_sync: str, asynchronous: bool) -> None:
    text = TIMELINE.replace("dimensions={0}", f'dimensions={{0}}, backend_config={{"is_sync":{is_sync}}}')
    assert [one.asynchronous for one in found(parse(text))] == [asynchronous]


def test_a_slice_inside_a_fusion_inside_a_fusion_is_not_the_stack() -> None:
    """As the compiler for TPUs reads what the layers kept."""
    text = """HloModule m, is_scheduled=true

%slice (p: f32[50,64], i: s32[]) -> f32[1,64] {
  %p = f32[50,64]{1,0} parameter(0)
  %i = s32[] parameter(1)
  ROOT %r = f32[1,64]{1,0} dynamic-slice(%p, %i, %i), dynamic_slice_sizes={1,64}
}

%outer (j: s32[], q: f32[50,64]) -> f32[1,64] {
  %j = s32[] parameter(0)
  %q = f32[50,64]{1,0} parameter(1)
  %f = f32[1,64]{1,0} fusion(%q, %j), kind=kLoop, calls=%slice
  ROOT %n = f32[1,64]{1,0} negate(%f)
}

ENTRY %main (a: s32[], b: f32[50,64]) -> f32[1,64] {
  %a = s32[] parameter(0)
  %b = f32[50,64]{1,0} parameter(1)
  ROOT %x = f32[1,64]{1,0} fusion(%a, %b), kind=kLoop, calls=%outer
}
"""
    assert total(text).memory_bytes == pytest.approx(2 * 256, abs=8)
