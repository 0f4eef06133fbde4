"""The support operations board, as answers of Jira Cloud's REST interface."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from aether_tui.demo.recording import Recordings
from aether_tui.demo.work import Item

PAGE = 40
PROJECT = "SUP"

_STATUSES = {
    "To Do": ("10100", "new"), "In Progress": ("10101", "indeterminate"),
    "Waiting for vendor": ("10102", "indeterminate"), "Done": ("10103", "done"),
}  # fmt: skip
_BOARD = 9
_SPRINT = "customfield_10020"
_FIRST_MONDAY = datetime(2025, 12, 29)  # noqa: DTZ001  # instants of the story are naive UTC
_TYPES = {"chore": "Task", "bug": "Bug", "feature": "Story"}


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _id(item: Item) -> str:
    return str(20_000 + item.number)


def _status(name: str) -> dict[str, object]:
    identity, category = _STATUSES[name]
    return {"id": identity, "name": name, "statusCategory": {"key": category}}


def _issue(item: Item) -> dict[str, object]:
    done = item.updated if item.state == "Done" else None
    began = item.entered("In Progress")
    fields: dict[str, object] = {
        "summary": item.title, "issuetype": {"name": _TYPES[item.kind]}, "status": _status(item.state),
        "created": _stamp(item.created), "updated": _stamp(item.updated), "resolutiondate": _stamp(done) if done else None,
        "priority": {"name": item.priority}, "project": {"key": PROJECT, "name": "Support operations"},
        "assignee": {"accountId": f"account-{item.assignee}"} if item.assignee else None,
        "labels": [], "parent": None, "customfield_10016": item.estimate, _SPRINT: [{"id": 100 + _sprint_of(began)}] if began else None,
    }  # fmt: skip
    return {"id": _id(item), "key": f"{PROJECT}-{item.number}", "fields": fields}


def _sprint_of(at: datetime) -> int:
    """Fortnights since a Monday long ago."""
    return (at - _FIRST_MONDAY).days // 14


def _sprint(number: int, last: datetime) -> dict[str, object]:
    start = _FIRST_MONDAY + timedelta(days=14 * number)
    end = start + timedelta(days=14)
    return {
        "id": 100 + number, "name": f"{PROJECT} {number}", "state": "closed" if end <= last else "active", "originBoardId": _BOARD,
        "startDate": _stamp(start), "endDate": _stamp(end), "completeDate": _stamp(end) if end <= last else None,
    }  # fmt: skip


def _log(item: Item) -> dict[str, object]:
    histories = []
    if began := item.entered("In Progress"):
        sprint = {"field": "Sprint", "fieldId": _SPRINT, "from": "", "to": str(100 + _sprint_of(began))}
        author = {"accountId": f"account-{item.assignee}"}
        histories.append({"id": f"{_id(item)}99", "author": author, "created": _stamp(began), "items": [sprint]})
    for index, ((_, left), (at, entered)) in enumerate(zip(item.moves, item.moves[1:], strict=False)):
        change = {
            "field": "status", "fieldId": "status", "from": _STATUSES[left][0], "fromString": left,
            "to": _STATUSES[entered][0], "toString": entered,
        }  # fmt: skip
        author = {"accountId": f"account-{item.assignee}"}
        histories.append({"id": f"{_id(item)}{index:02d}", "author": author, "created": _stamp(at), "items": [change]})
    return {"issueId": _id(item), "changeHistories": histories}


def write(items: list[Item], path: Path) -> None:
    """Statuses, fields, and every page of issues with their changelogs, oldest change first."""
    recordings = Recordings()
    recordings.get("/rest/api/3/myself", {"accountId": "account-demo", "displayName": "aether demo"})
    recordings.get("/rest/api/3/status", [_status(name) for name in _STATUSES])
    points = {"id": "customfield_10016", "name": "Story point estimate", "custom": True}
    sprint = {"id": _SPRINT, "name": "Sprint", "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"}}
    recordings.get("/rest/api/3/field", [points, sprint])
    recordings.post("/rest/api/3/search/approximate-count", {"count": len(items)})
    recordings.get(
        "/rest/agile/1.0/board", {"isLast": True, "values": [{"id": _BOARD, "name": PROJECT, "type": "scrum"}]}
    )
    last = max(item.updated for item in items)
    numbers = sorted({_sprint_of(at) for item in items if (at := item.entered("In Progress"))})
    sprints = [_sprint(number, last) for number in numbers]
    recordings.get(f"/rest/agile/1.0/board/{_BOARD}/sprint", {"isLast": True, "values": sprints})
    ordered = sorted(items, key=lambda one: (one.updated, one.number))
    starts = range(0, len(ordered), PAGE)
    for page, start in enumerate(starts):
        issues = ordered[start : start + PAGE]
        answer: dict[str, object] = {"issues": [_issue(item) for item in issues]}
        if page + 1 < len(starts):
            answer["nextPageToken"] = f"page-{page + 1}"
        recordings.post("/rest/api/3/search/jql", answer, {"nextPageToken": f"page-{page}" if page else None})
        asked = {"issueIdsOrKeys": [_id(item) for item in issues]}
        recordings.post("/rest/api/3/changelog/bulkfetch", {"issueChangeLogs": [_log(item) for item in issues]}, asked)
    recordings.write(path)
