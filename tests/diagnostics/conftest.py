"""The small world, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from aether_tui.workspace.folder import Workspace
from tests.diagnostics import world


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with data (read only: tests that write make their own)."""
    made = world.workspace(tmp_path_factory.mktemp("filled"))
    world.fill(made)
    made.budgets_path.parent.mkdir()
    made.budgets_path.write_text(world.BUDGETS)
    world.READ_ONLY.add(made.root)
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    """A workspace with nothing in it."""
    return world.workspace(tmp_path / "empty")
