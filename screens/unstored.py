"""What was said to a form that its document cannot take yet, kept for the next time the form is opened."""

from __future__ import annotations

import contextlib
from pathlib import Path

from msgspec import MsgspecError, Struct, json

from aether_tui.workspace.folder import Workspace


class Unstored(Struct, frozen=True, omit_defaults=True):
    """Values by their paths in the order they were said, and the text that was being typed `at` a path."""

    kind: str
    identity: str | None = None
    sets: tuple[tuple[tuple[str | int, ...], object], ...] = ()
    at: tuple[str | int, ...] = ()
    typed: str = ""


def keep(workspace: Workspace, left: Unstored) -> None:
    """Keep it for its document, or for the next new one of its kind. Raises OSError."""
    from aether_tui.workspace.store import write_whole

    path = _path(workspace, left.kind, left.identity)
    workspace.private()
    path.touch(mode=0o600)
    write_whole(path, json.encode(left))


def taken(workspace: Workspace, kind: str, identity: str | None) -> Unstored | None:
    """What was kept for a document, or for a new one of that kind: whoever takes it keeps it again. What is damaged counts as absent."""
    path = _path(workspace, kind, identity)
    found = _read(path)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return found


def newest(workspace: Workspace) -> Unstored | None:
    """What was kept last."""
    found: dict[Path, float] = {}
    with contextlib.suppress(OSError):
        found = {path: path.stat().st_mtime for path in workspace.state.glob("form-*.json")}
    return _read(max(found, key=found.__getitem__)) if found else None


def _path(workspace: Workspace, kind: str, identity: str | None) -> Path:
    return workspace.state / f"form-{identity or kind}.json"


def _read(path: Path) -> Unstored | None:
    try:
        return json.decode(path.read_bytes(), type=Unstored)
    except (OSError, MsgspecError):
        return None
