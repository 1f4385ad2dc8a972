"""Names of clusters, and what compiling for them needs."""

from __future__ import annotations

import pytest

from melama_jax.errors import ConfigError
from melama_jax.planning.targets import parse_target


@pytest.mark.parametrize(
    ("text", "devices", "per_node", "name"),
    [
        ("a100-80gb:20x8", 160, 8, "A100-80GB"),
        ("a100-40gb:1x4", 4, 4, "A100-40GB"),
        ("h100:16x8", 128, 8, "H100"),
        ("H200:1x1", 1, 1, "H200"),
        ("b200:2x8", 16, 8, "B200"),
        ("v5p:4x4x8", 128, 128, "TPU v5p"),
        ("v5e:16x16", 256, 256, "TPU v5e"),
        ("v6e:4x4", 16, 16, "TPU v6e"),
        ("v4:2x2x4", 16, 16, "TPU v4"),
    ],
)
def test_known_targets(text: str, devices: int, per_node: int, name: str) -> None:
    target = parse_target(text)
    assert (target.num_devices, target.per_node) == (devices, per_node)
    assert target.accelerator is not None
    assert target.accelerator.name == name


def test_cpus_have_no_data_sheet() -> None:
    assert parse_target("cpu:8").accelerator is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a100:20x8", "choose one of a100-80gb"),
        ("v4:4x4", "3 dimensions"),
        ("a100-80gb", "expected KIND:EXTENT"),
        ("a100-80gb:160", "expected nodes x GPUs"),
        ("a100-80gb:0x8", "expected KIND:EXTENT"),
        ("v5p:4x4", "3 dimensions"),
        ("v5e:4x4x4", "2 dimensions"),
        ("cpu:2x4", "a number of devices"),
        ("h100:x8", "expected KIND:EXTENT"),
    ],
)
def test_unknown_targets(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse_target(text)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("v5p:4x4x8", (True, True, True)),
        ("v5p:2x4x4", (False, False, False)),
        ("v5e:16x16", (True, True)),
        ("v5e:8x16", (False, True)),
    ],
)
def test_which_dimensions_of_a_slice_are_rings(text: str, closed: tuple[bool, ...]) -> None:
    assert parse_target(text).closed == closed
