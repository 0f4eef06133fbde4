"""What commands wrote in the engagement, kept so that `doc undo` takes it back, the last one first."""

from __future__ import annotations

import base64
import contextlib
import json
from datetime import datetime
from pathlib import Path

from aether_tui.errors import CheckFailed, NoData
from aether_tui.workspace.edits import take_back
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.store import write_whole
from aether_tui.workspace.written import Edit, Wrote, together

STEPS = 100


def keep(workspace: Workspace, files: list[Wrote], what: str) -> None:
    """Remember files of the engagement that one command wrote; others it wrote are not documents."""
    ours = [one for one in files if one.path.is_relative_to(workspace.engagement) or one.path == workspace.budgets_path]
    if not ours:
        return
    edit = together([Edit((one,), "") for one in ours], what, "")
    folder = workspace.private() / "undo"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = _kept(workspace)
    number = int(kept[-1].stem) + 1 if kept else 1
    write_whole(folder / f"{number:06d}.json", json.dumps(_packed(workspace, edit)).encode())
    for old in kept[: -STEPS + 1]:
        old.unlink(missing_ok=True)


def undo(workspace: Workspace, now: datetime) -> str:
    """Take the last command's edit back and say what was done; what was taken back by other means is passed over.

    Raises NoData when there is none, Conflict or CheckFailed when somebody changed a file since; it is then not tried again.
    """
    for place in reversed(_kept(workspace)):
        edit = _read(workspace, place)
        if all(_now(one.path) == one.before for one in edit.files):
            place.unlink()
            continue
        try:
            told = take_back(workspace, edit, now)
        except CheckFailed:
            place.unlink()
            raise
        place.unlink()
        return told
    raise NoData(
        "no edit of a command is left to take back", next_step="u in the console takes back what was done there"
    )


def _kept(workspace: Workspace) -> list[Path]:
    return sorted((workspace.hidden / "undo").glob("*.json"))


def _packed(workspace: Workspace, edit: Edit) -> dict[str, object]:
    files = [
        {
            "path": one.path.relative_to(workspace.root).as_posix(),
            "before": None if one.before is None else base64.b64encode(one.before).decode(),
            "after": one.after,
        }
        for one in edit.files
    ]
    return {"what": edit.what, "files": files}


def _read(workspace: Workspace, place: Path) -> Edit:
    held = json.loads(place.read_text("utf-8"))
    files = []
    for one in held["files"]:
        before = None if one["before"] is None else base64.b64decode(one["before"])
        files.append(Wrote(workspace.root / one["path"], before, one["after"]))
    return Edit(tuple(files), held["what"])


def _now(path: Path) -> bytes | None:
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    return None
