"""Eight fake CPU devices for every test, set before JAX is imported."""

import os

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8".strip()

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepared rows that all tests, and all workers of a parallel run, share."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "row-cache"


@pytest.fixture(scope="module")
def quick_compilation() -> Iterator[None]:
    """XLA's cheapest pipeline: tests of values need no optimized programs, whose compilation takes most of the time.

    It partitions and assigns buffers as the full one does. Module-scoped, so that shared fixtures are compiled alike.
    """
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
