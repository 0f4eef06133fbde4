"""The product teams' tracker, as answers of Linear's GraphQL interface."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from aether_tui.demo.recording import Recordings
from aether_tui.demo.work import Item
from aether_tui.demo.world import iso_ms

PAGE = 100

STATES = {
    "Triage": "triage", "Backlog": "backlog", "Validating": "started", "Todo": "unstarted", "In Progress": "started",
    "Blocked": "started", "In Review": "started", "Ready to release": "started", "Measuring": "started",
    "Done": "completed", "Canceled": "canceled",
}  # fmt: skip
_PRIORITY = "priorityLabel"


def _uuid(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, ":".join(map(str, parts))))


def _state(name: str) -> dict[str, object]:
    return {"name": name, "type": STATES[name]}


def node(item: Item) -> dict[str, object]:
    """One issue as the interface gives it."""
    started = item.entered(*(name for name, kind in STATES.items() if kind == "started"))
    done = item.moves[-1][0] if STATES[item.state] == "completed" else None
    cancelled = item.moves[-1][0] if STATES[item.state] == "canceled" else None
    key = f"{item.team}-{item.number}"
    spans = [
        {
            "id": _uuid(key, "span", index),
            "stateId": _uuid(item.team, name),
            "startedAt": iso_ms(at),
            "state": _state(name),
        }
        for index, (at, name) in enumerate(item.moves)
    ]
    return {
        "id": _uuid(item.team, item.number), "identifier": key, "title": item.title,
        "createdAt": iso_ms(item.created), "updatedAt": iso_ms(item.updated + timedelta(seconds=1)),
        "startedAt": iso_ms(started) if started else None, "completedAt": iso_ms(done) if done else None,
        "canceledAt": iso_ms(cancelled) if cancelled else None, "archivedAt": None, "trashed": None,
        "estimate": item.estimate, _PRIORITY: item.priority, "url": f"https://linear.example.invalid/northwind/issue/{key}",
        "state": _state(item.state), "team": {"key": item.team}, "project": {"name": item.project} if item.project else None,
        "parent": {"id": _uuid(item.team, item.parent)} if item.parent else None,
        "assignee": {"id": _uuid("user", item.assignee)} if item.assignee else None,
        "labels": {"nodes": [{"name": label} for label in item.labels]},
        "stateHistory": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": spans},
    }  # fmt: skip


def write(items: list[Item], path: Path) -> None:
    """Every page of the issues, newest change first, and who asks."""
    recordings = Recordings()
    ordered = sorted(items, key=lambda one: (one.updated, one.team, one.number), reverse=True)
    starts = range(0, len(ordered), PAGE)
    for page, start in enumerate(starts):
        more = page + 1 < len(starts)
        answer = {"data": {"issues": {
            "pageInfo": {"hasNextPage": more, "endCursor": f"page-{page + 1}"},
            "nodes": [node(item) for item in ordered[start : start + PAGE]],
        }}}  # fmt: skip
        recordings.post(
            "/graphql", answer, {"operationName": "Issues", "variables": {"after": f"page-{page}" if page else None}}
        )
    viewer = {"data": {"viewer": {"name": "aether demo"}, "organization": {"name": "Northwind"}}}
    recordings.post("/graphql", viewer, {"operationName": "Viewer"})
    recordings.write(path)
