"""The support operations board, as answers of Jira Cloud's REST interface."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from aether_tui.demo.recording import Recordings
from aether_tui.demo.work import Item

PAGE = 40
PROJECT = "SUP"

_STATUSES = {
    "To Do": ("10100", "new"), "In Progress": ("10101", "indeterminate"),
    "Waiting for vendor": ("10102", "indeterminate"), "Done": ("10103", "done"),
}  # fmt: skip
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
    fields: dict[str, object] = {
        "summary": item.title, "issuetype": {"name": _TYPES[item.kind]}, "status": _status(item.state),
        "created": _stamp(item.created), "updated": _stamp(item.updated), "resolutiondate": _stamp(done) if done else None,
        "priority": {"name": item.priority}, "project": {"key": PROJECT, "name": "Support operations"},
        "assignee": {"accountId": f"account-{item.assignee}"} if item.assignee else None,
        "labels": [], "parent": None, "customfield_10016": item.estimate,
    }  # fmt: skip
    return {"id": _id(item), "key": f"{PROJECT}-{item.number}", "fields": fields}


def _log(item: Item) -> dict[str, object]:
    histories = []
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
    field = {"id": "customfield_10016", "name": "Story point estimate", "custom": True}
    recordings.get("/rest/api/3/field", [field])
    recordings.post("/rest/api/3/search/approximate-count", {"count": len(items)})
    recordings.get("/rest/agile/1.0/board", {"isLast": True, "values": [{"id": 9, "name": PROJECT, "type": "kanban"}]})
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
