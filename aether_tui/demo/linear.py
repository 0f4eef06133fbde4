"""The product teams' tracker, as answers of Linear's GraphQL interface."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
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
    _list(recordings, "IssueIds", "issues", [{"id": node(item)["id"]} for item in ordered])
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
    _write_around(items, recordings)
    viewer = {"data": {"viewer": {"name": "aether demo"}, "organization": {"name": "Northwind"}}}
    recordings.post("/graphql", viewer, {"operationName": "Viewer"})
    recordings.write(path)


def _write_around(items: list[Item], recordings: Recordings) -> None:
    """Cycles of a fortnight with what was in them and what got done, and the projects; of the rest there is nothing."""
    last = max(item.updated for item in items)
    answers = {
        "Cycles": ("cycles", [_cycle(items, team, number, last) for team in sorted({i.team for i in items}) for number in range(6)]),
        "Projects": ("projects", [_project(items, name, last) for name in sorted({i.project for i in items if i.project})]),
        "Initiatives": ("initiatives", []),
        "IssueRelations": ("issueRelations", [_relation(item) for item in items if item.entered("Blocked") and item.number > 1]),
        "CustomerNeeds": ("customerNeeds", [_need(item) for item in items if item.kind == "feature" and item.number % 3 == 0]),
    }  # fmt: skip
    for operation, (field, nodes) in answers.items():
        _list(recordings, operation, field, nodes)
        _list(recordings, f"{operation.removesuffix('s')}Ids", field, [{"id": one["id"]} for one in nodes])


def _list(recordings: Recordings, operation: str, field: str, nodes: list[dict[str, object]]) -> None:
    """The answer with a whole list."""
    answer = {"data": {field: {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": nodes}}}
    recordings.post("/graphql", answer, {"operationName": operation})


def _cycle(items: list[Item], team: str, number: int, last: datetime) -> dict[str, object]:
    """The cycle `number` fortnights before the present one: items begun and not done at its ends."""
    monday = (last - timedelta(days=last.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    start = monday - timedelta(days=14 * number)
    end = start + timedelta(days=14)
    seen = min(end, last)
    begun = [(item, at) for item in items if item.team == team and (at := _entered(item, "started")) is not None]
    first_day = start + timedelta(days=1)
    there = [item for item, at in begun if at < first_day and not _over(item, start)]
    later = [item for item, at in begun if first_day <= at < seen]
    done = [item for item in there + later if _over(item, seen)]
    scopes = [sum(item.estimate or 0 for item in some) for some in (there, there + later, done)]
    return {
        "id": _uuid(team, "cycle", f"{start:%Y-%m-%d}"), "name": None, "number": 40 - number, "team": {"key": team},
        "startsAt": iso_ms(start), "endsAt": iso_ms(end), "completedAt": iso_ms(end) if end <= last else None,
        "updatedAt": iso_ms(seen), "issueCountHistory": [len(there), len(there) + len(later)],
        "completedIssueCountHistory": [0, len(done)], "scopeHistory": scopes[:2], "completedScopeHistory": [0, scopes[2]],
    }  # fmt: skip


def _entered(item: Item, kind: str) -> datetime | None:
    return item.entered(*(name for name, type_ in STATES.items() if type_ == kind))


def _over(item: Item, at: datetime) -> bool:
    """Whether it was done before an instant."""
    done = item.moves[-1][0] if STATES[item.state] == "completed" else None
    return done is not None and done < at


def _project(items: list[Item], name: str, last: datetime) -> dict[str, object]:
    inside = [item for item in items if item.project == name]
    begun = [at for item in inside if (at := _entered(item, "started")) is not None]
    return {
        "id": _uuid("project", name), "name": name, "createdAt": iso_ms(min(item.created for item in inside)),
        "updatedAt": iso_ms(max(item.updated for item in inside)), "startedAt": iso_ms(min(begun)) if begun else None,
        "targetDate": f"{last + timedelta(days=30):%Y-%m-%d}", "completedAt": None, "canceledAt": None, "health": "onTrack",
        "url": f"https://linear.example.invalid/northwind/project/{name.casefold().replace(' ', '-')}",
        "status": {"name": "In Progress"}, "initiatives": {"nodes": []},
    }  # fmt: skip


def _relation(item: Item) -> dict[str, object]:
    """What a blocked item waited for: the one before it."""
    at = iso_ms(item.entered("Blocked") or item.created)
    return {
        "id": _uuid(item.team, item.number, "relation"), "type": "blocks", "createdAt": at, "updatedAt": at,
        "issue": {"id": _uuid(item.team, item.number - 1)}, "relatedIssue": {"id": _uuid(item.team, item.number)},
    }  # fmt: skip


def _need(item: Item) -> dict[str, object]:
    """A customer who asked for it."""
    return {
        "id": _uuid(item.team, item.number, "need"), "createdAt": iso_ms(item.created), "updatedAt": iso_ms(item.created),
        "priority": item.number % 2, "customer": {"id": _uuid("customer", item.number % 11)},
        "issue": {"id": _uuid(item.team, item.number)}, "project": None,
    }  # fmt: skip
