"""Changes to authored documents, made from a screen: each is on disk before the next key, each can be taken back.

These run in a thread. The store refuses to overwrite what somebody else changed meanwhile, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from aether_tui.errors import ConfigurationError
from aether_tui.workspace.folder import Workspace

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.cycle import Cycle
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Stored

Field = Literal["impact", "confidence", "reversibility", "effort_weeks"]


@dataclass(frozen=True, slots=True)
class Undo:
    """How an opportunity was before a change; `created` marks one that was not there."""

    before: Opportunity
    created: bool = False


def rate(workspace: Workspace, identity: str, field: Field, value: float, now: datetime) -> Undo:
    """Set one number of an opportunity; raises ConfigurationError when it is out of its range."""
    from pydantic import ValidationError

    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    stored = store.get(Opportunity, identity)
    try:
        changed = Opportunity.model_validate({**stored.document.model_dump(), field: value})
    except ValidationError as error:
        raise ConfigurationError(
            error.errors()[0]["msg"].removeprefix("Value error, "), where=f"{identity} {field.replace('_', ' ')}"
        ) from error
    store.save(changed, stored.revision, now)
    return Undo(stored.document)


def add(workspace: Workspace, title: str, now: datetime) -> tuple[str, Undo]:
    """A new opportunity with middling numbers, to be rated; returns its id."""
    from aether_tui.text import one_line
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    def make(identity: str) -> Opportunity:
        return Opportunity(
            id=identity,
            title=one_line(title, 300),
            impact=5,
            confidence=5,
            reversibility=5,
            effort_weeks=4,
            created=now.date(),
        )

    document = Store(workspace).add(Opportunity, make).document
    return document.id, Undo(document, created=True)


def take_back(workspace: Workspace, undo: Undo, now: datetime) -> str:
    """Restore an opportunity as it was; one that was added becomes dropped. Returns what was done."""
    from aether_tui.workspace.kinds.opportunity import Opportunity
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    stored = store.get(Opportunity, undo.before.id)
    if undo.created:
        store.save(stored.document.model_copy(update={"status": "dropped"}), stored.revision, now)
        return f"{undo.before.id} dropped"
    store.save(undo.before, stored.revision, now)
    return f"{undo.before.id} as it was"


def tick(workspace: Workspace, item: str, who: str, note: str, now: datetime) -> str:
    """Tick a checklist item of the running cycle; a first cycle is begun when there is none. Returns what was done."""
    from aether_tui.text import one_line
    from aether_tui.workspace.kinds.cycle import Cycle, Tick
    from aether_tui.workspace.store import Store

    mark = Tick(who=one_line(who, 300), when=now.date(), note=one_line(note, 2000))
    store = Store(workspace)
    running = _running(store.all(Cycle)[0])
    if running is None:
        cycle = store.add(Cycle, lambda identity: Cycle(id=identity, started=now.date(), items={item: mark})).document
        return f"{cycle.id} begun, {item} ticked by {mark.who}"
    stored = store.get(Cycle, running.id)
    items = {**stored.document.items, item: mark}
    store.save(stored.document.model_copy(update={"items": items}), stored.revision, now)
    return f"{item} ticked by {mark.who}"


def untick(workspace: Workspace, item: str, now: datetime) -> str:
    """Take a tick back. Returns what was done."""
    from aether_tui.workspace.kinds.cycle import Cycle
    from aether_tui.workspace.store import Store

    store = Store(workspace)
    running = _running(store.all(Cycle)[0])
    if running is None or item not in running.items:
        return f"{item} was not ticked"
    stored = store.get(Cycle, running.id)
    items = {key: mark for key, mark in stored.document.items.items() if key != item}
    store.save(stored.document.model_copy(update={"items": items}), stored.revision, now)
    return f"{item} is open again"


def _running(stored: list[Stored[Cycle]]) -> Cycle | None:
    return next((each.document for each in reversed(stored) if each.document.ended is None), None)
