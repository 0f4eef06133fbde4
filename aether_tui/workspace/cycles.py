"""From one cycle to the next."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise

from aether_tui.errors import CheckFailed
from aether_tui.problems import Problem
from aether_tui.workspace.edits import change, create
from aether_tui.workspace.folder import Workspace
from aether_tui.workspace.kinds.cycle import Cycle
from aether_tui.workspace.store import Store
from aether_tui.workspace.written import Edit, together


def running(workspace: Workspace) -> Cycle | None:
    """The cycle that has begun and not ended."""
    found = [each.document for each in Store(workspace).all(Cycle)[0] if each.document.ended is None]
    return found[-1] if found else None


def at_once(workspace: Workspace) -> list[Problem]:
    """Cycles that run while another one does, as when two people opened the next one in two clones."""
    store = Store(workspace)
    found = sorted(store.all(Cycle)[0], key=lambda one: (one.document.started, one.document.ended or date.max))
    return [
        Problem(
            one.path.relative_to(workspace.root).as_posix(),
            f"runs while {before.document.id} does",
            "started",
            fix=f"set `ended` of {before.document.id} to that day or before, or keep one of the two",
        )
        for before, one in pairwise(found)
        if before.document.ended is None or before.document.ended > one.document.started
    ]


def open_next(workspace: Workspace, constraint: str, goal: str, now: datetime) -> Edit:
    """Close the running cycle today and open the next on its constraint, in one stroke.

    Raises CheckFailed when the running one began only today, or begins later.
    """
    today, before = now.date(), running(workspace)
    if before is not None and before.started > today:
        raise CheckFailed(
            f"{before.id} starts on {before.started}, and today is {today}",
            where="next cycle",
            next_step=f"set the clock, or mend `started` of {before.id}",
        )
    if before is not None and before.started == today:
        raise CheckFailed(f"{before.id} started only today", where="next cycle", next_step="work on it first")

    def make(identity: str) -> Cycle:
        return Cycle(id=identity, started=today, constraint=constraint, goal=goal)

    if before is None:
        on = f"on: {constraint[:60]}" if constraint else "with phase 0; what it works on is found on the way"
        return create(workspace, Cycle, make, now, f"{{id}} opens {on}")
    closed = change(workspace, Cycle, before.id, lambda one: one.model_copy(update={"ended": today}), now)
    opened = create(workspace, Cycle, make, now)
    told = f"{before.id} is closed, {opened.identity} opens on: {constraint[:60]}"
    return together([closed, opened], told, opened.identity)
