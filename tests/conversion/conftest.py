"""What several tests of conversion need: torch where it is installed, and the real weights beside the repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WEIGHTS = Path(__file__).parents[2].parent / "shared" / "weights"


@pytest.fixture
def torch() -> Any:
    """PyTorch, which reads and writes Meta's files; the test is skipped without it."""
    return pytest.importorskip("torch", reason="needs torch, which the torch extra installs")


@pytest.fixture(scope="session")
def stories() -> Callable[[str], Path]:
    """A folder of the trained stories260K, by its ending: hf, meta or meta-mp2."""

    def find(layout: str) -> Path:
        folder = WEIGHTS / f"stories260K-{layout}"
        if not folder.is_dir():
            pytest.skip(f"needs ../shared/weights/{folder.name} beside the repository")
        return folder

    return find
