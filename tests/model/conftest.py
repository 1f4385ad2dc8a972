"""Programs of this folder's tests are compiled cheaply."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every module of this folder."""
