"""A decided experiment becomes a playbook entry, with the budget that keeps it won: one stroke, taken back as one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aether_tui.errors import AetherError
from aether_tui.workspace import trials
from aether_tui.workspace.edits import change, checked, create, take_back
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.experiment import Experiment
from aether_tui.workspace.kinds.playbook import PlaybookEntry
from aether_tui.workspace.store import Store
from aether_tui.workspace.written import Edit, together


def codify(
    workspace: Workspace, identity: str, entry: Callable[[str, Experiment], PlaybookEntry], owner: str, now: datetime,
    keep: Callable[[], Edit] | None = None,
) -> Edit:  # fmt: skip
    """Write the entry, the budget (`keep`) and the experiment's last step; the edit is about the entry.

    Nothing of it stays when one of them cannot be written. Raises as they do.
    """
    one = Store(workspace).get(Experiment, identity).document
    checked(entry("PLAY-1", one))  # before anything is written
    made: list[Edit] = []
    try:
        made.append(create(workspace, PlaybookEntry, lambda given: entry(given, one), now))
        if keep is not None:
            made.append(keep())
        link = made[0].identity
        update = lambda old: trials.codify(old, owner, now.date(), link)  # noqa: E731
        last = change(workspace, Experiment, identity, update, now)
    except AetherError:
        for edit in reversed(made):
            take_back(workspace, edit, now)
        raise
    kept = f", {made[1].what}" if len(made) > 1 else ""
    return together([*made, last], f"{identity} codified as {link}{kept}", link)
