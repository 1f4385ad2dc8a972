"""Which data sheet a device name leads to."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import pytest

from melama_jax.parallel.hardware import accelerator_of, memory_in_use


@pytest.mark.parametrize(
    ("kind", "name", "teraflops", "gigabytes"),
    [
        ("NVIDIA A100-SXM4-80GB", "A100-80GB", 312, 80 * 1.073741824),
        ("NVIDIA A100 80GB PCIe", "A100-80GB", 312, 80 * 1.073741824),
        ("A100-SXM-80GB", "A100-80GB", 312, 80 * 1.073741824),
        ("NVIDIA A100-SXM4-40GB", "A100-40GB", 312, 40 * 1.073741824),
        ("NVIDIA A100-PCIE-40GB", "A100-40GB", 312, 40 * 1.073741824),
        ("NVIDIA H100 80GB HBM3", "H100", 989, 80 * 1.073741824),
        ("NVIDIA H100 PCIe", "H100-PCIe", 756, 80 * 1.073741824),
        ("NVIDIA H100 NVL", "H100-NVL", 835, 94),
        ("NVIDIA H200", "H200", 989, 141),
        ("TPU v4", "TPU v4", 275, 32 * 1.073741824),
        ("TPU v5 lite", "TPU v5e", 197, 16 * 1.073741824),
        ("TPU v5", "TPU v5p", 459, 95 * 1.073741824),
        ("TPU v5p", "TPU v5p", 459, 95 * 1.073741824),
        ("TPU v6 lite", "TPU v6e", 918, 32 * 1.073741824),
    ],
)
def test_data_sheet(kind: str, name: str, teraflops: float, gigabytes: float) -> None:
    sheet = accelerator_of(SimpleNamespace(device_kind=kind))
    assert sheet is not None
    assert sheet.name == name
    assert sheet.peak_flops == teraflops * 1e12
    assert sheet.memory_bytes == pytest.approx(gigabytes * 1e9)


@pytest.mark.parametrize("kind", ["cpu", "NVIDIA GeForce RTX 4090", "NVIDIA GH200 480GB", "NVIDIA GB200", "TPU7x"])
def test_unknown_device_has_no_sheet(kind: str) -> None:
    assert accelerator_of(SimpleNamespace(device_kind=kind)) is None


def test_memory_is_that_of_the_busiest_device() -> None:
    def device(stats: dict[str, int] | None) -> SimpleNamespace:
        return SimpleNamespace(memory_stats=lambda: stats)

    assert memory_in_use([device({"peak_bytes_in_use": 3}), device({"peak_bytes_in_use": 7}), device(None)]) == 7
    assert memory_in_use([device(None), device({})]) is None
    assert memory_in_use(jax.devices()) is None  # the CPU backend counts nothing
