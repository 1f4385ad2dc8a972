"""Compiled programs as read from their text: how often, over which axes, how many bytes and FLOPs."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from melama_jax.planning import cost
from melama_jax.planning.program import Collective, Program, _group, collectives, parse, wire_bytes

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
    assert _group(text, 8) == group


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
