"""Shared fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def contracts() -> Path:
    """The folder of real schemas and payloads; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("AETHER_CONTRACTS", ROOT.parent / "shared" / "contracts"))
    if not folder.is_dir():
        pytest.skip(f"contract data absent: {folder} (set AETHER_CONTRACTS)")
    return folder
