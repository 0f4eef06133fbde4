"""The workspace's key: made once, private, the same for everybody."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aether_tui.errors import ConfigurationError
from aether_tui.ingest.people import key_path, workspace_key
from aether_tui.workspace.folder import Workspace


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = workspace_key(workspace)
    assert len(first) == 32
    assert workspace_key(workspace) == first
    if sys.platform != "win32":
        assert stat.S_IMODE(key_path(workspace).stat().st_mode) == 0o600
    assert [path.name for path in workspace.hidden.iterdir() if path.is_file()] == ["person.key"]


def test_many_at_once_get_the_same(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        keys = {task.result() for task in [pool.submit(workspace_key, workspace) for _ in range(16)]}
    assert len(keys) == 1


def test_two_workspaces_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert workspace_key(Workspace(tmp_path / "a")) != workspace_key(Workspace(tmp_path / "b"))


@pytest.mark.parametrize("content", ["", "zz", "ab" * 31, "ab" * 33])
def test_a_damaged_key_is_named(tmp_path: Path, content: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.private()
    key_path(workspace).write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        workspace_key(workspace)
    assert "person.key" in caught.value.where
