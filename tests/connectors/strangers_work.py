"""Trackers written from what vendors publish, as `strangers`: Linear, Jira Cloud with ideas, Jira Data Center.

What they hold is odd and documented; what is to arrive is computed beside it, from the same records, by other code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from graphql.utilities import value_from_ast_untyped

from tests.connectors.server import Reply, Request
from tests.connectors.strangers import NOW, SECRET, ago, basic, same

Row = dict[str, Any]


def at(hours: float) -> datetime:
    return (NOW - timedelta(hours=hours)).replace(tzinfo=None)


def stamp(hours: float, zone: str) -> str:
    """An instant as Jira writes it: an offset without a colon."""
    sign = -1 if zone[0] == "-" else 1
    offset = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:])))
    return (NOW - timedelta(hours=hours)).astimezone(offset).strftime("%Y-%m-%dT%H:%M:%S.000") + zone


# -- Linear: its schema's shapes, walked by the query itself


class Linear:
    """70 issues: archived, trashed, of states that were deleted, with spans of history out of order and over pages; the limit is
    reached in the middle."""

    states = [
        ("Triage", "triage"),
        ("Todo", "unstarted"),
        ("Doing", "started"),
        ("Done", "completed"),
        ("Dup", "duplicate"),
    ]

    def __init__(self) -> None:
        self.issues = [self._issue(n) for n in range(70)]
        self.limited = False
        self.lists: dict[str, list[Row]] = {
            "cycles": [
                {"id": f"c{n}", "name": None, "number": float(n), "startsAt": ago(500 - n), "endsAt": ago(164 - n),
                "team": {"key": "PAY"},
                 "completedAt": ago(160) if n == 1 else None, "updatedAt": ago(100 + n), "issueCountHistory": [3, 4.0] if n == 1 else [],
                 "completedIssueCountHistory": [0, 2] if n == 1 else [], "scopeHistory": [5, 8.5] if n == 1 else [],
                 "completedScopeHistory": [0, 3.5] if n == 1 else []}
                for n in (1, 2)
            ],
            "projects": [
                {"id": "p1", "name": "Checkout \u202e", "createdAt": ago(900), "updatedAt": ago(10), "startedAt": None,
                "targetDate": "2027-01-31",
                 "completedAt": None, "canceledAt": None, "health": None, "url": "https://linear.app/p1", "status": {"name": "Paused"},
                 "initiatives": {"nodes": [{"id": "i1"}, {"id": "i2"}]}},
            ],
            "initiatives": [],
            "issueRelations": [
                {"id": f"r{n}", "type": kind, "createdAt": ago(40 + n), "updatedAt": ago(40 + n), "issue": {"id": "id-1"},
                "relatedIssue": {"id": "id-2"}}
                for n, kind in enumerate(("blocks", "duplicate", "related", "similar"))
            ],
            "customerNeeds": [
                {"id": "n1", "createdAt": ago(30), "updatedAt": ago(30), "priority": 0, "customer": None, "issue": None,
                "project": {"id": "p1"},
                 "body": SECRET},
            ],
        }  # fmt: skip

    def _issue(self, n: int) -> Row:
        reached = [self.states[i % 5] for i in range(40 if n == 9 else n % 4 + 1)]
        hours = [200 - n / 2 - i / 8 for i in range(len(reached))]
        spans: list[Row] = [
            {
                "id": f"{n}-{i}",
                "stateId": name,
                "startedAt": ago(hours[i]),
                "endedAt": None,
                "state": {"name": name, "type": kind},
            }
            for i, (name, kind) in enumerate(reached)
        ]
        if n % 10 == 3:
            spans[0]["state"] = None  # the state was deleted since
        name, kind = reached[-1]
        return {
            "id": f"id-{n}", "identifier": f"PAY-{n}", "title": f"Pay \u001b[31m{n}" if n == 5 else f"Pay {n}", "description": SECRET,
            "createdAt": ago(hours[0]), "updatedAt": ago(150 - n), "startedAt": None,
            "completedAt": ago(150 - n) if kind == "completed" else None,
            "canceledAt": None, "archivedAt": ago(50) if n % 20 == 7 else None, "trashed": True if n % 20 == 7 else None,
            "estimate": (None, 0, 2.5)[n % 3], "priorityLabel": "No priority", "url": f"https://linear.app/acme/issue/PAY-{n}",
            "state": {"name": name, "type": kind}, "team": {"key": "PAY"}, "project": {"name": "Checkout"} if n % 2 else None,
            "parent": {"id": "id-0"} if n == 4 else None, "assignee": {"id": f"person-{n % 7}"} if n % 5 else None,
            "labels": {"nodes": [{"name": "bug"}]}, "stateHistory": {"nodes": list(reversed(spans))},
        }  # fmt: skip

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "lin_stranger":
            refused = {"message": "Authentication required", "extensions": {"code": "AUTHENTICATION_ERROR"}}
            return Reply({"errors": [refused]}, 401)
        asked, values = request.json, request.json["variables"]
        if values.get("after") == "cursor:50" and not self.limited:
            self.limited = True
            error = {"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED", "type": "ratelimited"}}
            soon = str(int(datetime.now(UTC).timestamp() * 1000) + 900)
            headers = {"X-RateLimit-Requests-Remaining": "0", "X-RateLimit-Requests-Reset": soon}
            return Reply({"errors": [error]}, 400, headers)
        document = parse(asked["query"])
        parts = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        (operation,) = [
            one
            for one in document.definitions
            if isinstance(one, OperationDefinitionNode) and one.name and one.name.value == asked["operationName"]
        ]
        data = self._select({}, operation.selection_set, values, parts)
        return Reply({"data": data}, headers={"X-Complexity": "4890"})

    def _select(self, node: Row, chosen: SelectionSetNode, values: Row, parts: Mapping[str, Any]) -> Row:
        told: Row = {}
        for one in chosen.selections:
            if isinstance(one, FragmentSpreadNode):
                told |= self._select(node, parts[one.name.value].selection_set, values, parts)
            elif isinstance(one, FieldNode):
                name = one.name.value
                given = {part.name.value: value_from_ast_untyped(part.value, values) for part in one.arguments or ()}
                found = self._field(node, name, given)
                if one.selection_set is not None and isinstance(found, dict):
                    found = self._select(found, one.selection_set, values, parts)
                elif one.selection_set is not None and isinstance(found, list):
                    found = [self._select(each, one.selection_set, values, parts) for each in found]
                told[name] = found
        return told

    def _field(self, node: Row, name: str, given: Row) -> object:
        if name == "issue" and not node:
            return next(one for one in self.issues if one["id"] == given["id"])
        listed = self.issues if name == "issues" else self.lists.get(name) if not node else None
        if listed is not None:
            bounds = given.get("filter", {})
            bounds = bounds.get("or", [bounds])[0].get("updatedAt", {})
            low, high = bounds.get("gte"), bounds.get("lte")
            found = [
                one
                for one in listed
                if (not low or same(one["updatedAt"]) >= same(low))
                and (not high or same(one["updatedAt"]) <= same(high))
            ]
            if given.get("orderBy") == "updatedAt":
                found.sort(key=lambda one: same(one["updatedAt"]), reverse=True)
            return self._connection(found, given)
        found = node.get(name)
        return self._connection(found["nodes"], given) if isinstance(found, dict) and "nodes" in found else found

    @staticmethod
    def _connection(nodes: list[Row], given: Row) -> Row:
        begin = int(str(given.get("after") or "cursor:0").removeprefix("cursor:"))
        end = begin + given.get("first", 50)
        more = end < len(nodes)
        return {
            "nodes": nodes[begin:end],
            "pageInfo": {"hasNextPage": more, "endCursor": f"cursor:{end}" if more else None},
        }

    def transitions(self) -> list[tuple[Any, ...]]:
        """Item, instant, state, and the one before it: what the spans say when they are read in order."""
        rows: list[tuple[Any, ...]] = []
        for issue in self.issues:
            before = None
            for span in reversed(issue["stateHistory"]["nodes"]):
                moved = same(span["startedAt"]).astimezone(UTC).replace(tzinfo=None)
                rows.append((issue["id"], moved, span["stateId"], before))
                before = span["stateId"]
        return sorted(rows)


# -- Jira Cloud: the OpenAPI of REST v3 and of Jira Software


class JiraCloud:
    """130 issues over pages smaller than asked for, `isLast` wrong, changelogs newest first and cut anywhere, a burst limit in the
    middle; boards of which one has no sprints and one may not be seen into; ideas."""

    statuses = [
        {"id": "10000", "name": "Zu erledigen", "statusCategory": {"id": 2, "key": "new", "name": "Zu erledigen"}},
        {"id": "3", "name": "In Arbeit", "statusCategory": {"id": 4, "key": "indeterminate", "name": "In Arbeit"}},
        {"id": "10002", "name": "Fertig", "statusCategory": {"id": 3, "key": "done", "name": "Fertig"}},
        {"id": "7", "name": "Alt", "statusCategory": {"id": 1, "key": "undefined", "name": "No Category"}},
    ]  # fmt: skip
    fields = [
        {"id": "summary", "key": "summary", "name": "Zusammenfassung", "custom": False, "schema": {"type": "string",
        "system": "summary"}},
        {"id": "customfield_10016", "name": "Story point estimate", "schema": {"type": "number",
        "custom": "com.pyxis.greenhopper.jira:jsw-story-points"}},
        {"id": "customfield_10020", "name": "Etappe", "schema": {"type": "array", "custom": "com.pyxis.greenhopper.jira:gh-sprint"}},
        {"id": "customfield_10777", "name": "Impact", "schema": {"type": "number", "custom": "jira.polaris:rating"}},
        {"id": "thumbnail", "name": "Bilder"},
    ]  # fmt: skip

    def __init__(self) -> None:
        self.issues = [self._issue(n) for n in range(130)]
        self.limited = False

    def _moves(self, n: int) -> list[tuple[float, int, int]]:
        """Hours ago, from and to, by place in the table of statuses; some go back and forth often."""
        steps = [(0, 1), (1, 2)] if n % 3 else [(0, 1)] + [(1, 2), (2, 1)] * 6
        return [(250 - n + 50 - i, *step) for i, step in enumerate(steps if n % 7 else [])]

    def _issue(self, n: int) -> Row:
        moves = self._moves(n)
        status = self.statuses[moves[-1][2] if moves else 0]
        idea = n % 50 == 0
        fields: Row = {
            "summary": f"Zahlung {n}", "description": {"type": "doc", "content": [SECRET]}, "created": stamp(310 - n, "+0530"),
            "updated": stamp(250 - n, "-0330"), "resolutiondate": stamp(251 - n, "+0000") if status["id"] == "10002" else None,
            "status": {**status, "statusCategory": {"key": "new"}} if n == 11 else status,
            "priority": None if n % 2 else {"name": "Hoch"},
            "issuetype": {"name": "Idea" if idea else "Aufgabe"}, "project": {"id": "1", "key": "ZA", "name": "Zahlung"},
            "assignee": None if n % 4 else {"accountId": f"712020:{n % 9}", "displayName": "Ada", "emailAddress": "ada@example.com"},
            "labels": ["kunde"] if n % 5 == 0 else [], "issuelinks": [], "customfield_10016": None if n % 2 else 3.0,
            "customfield_10020": [{"id": 71, "name": "E 1", "state": "active"}] if n % 6 == 0 else None,
            "customfield_10777": {"value": 8} if idea else None,
        }  # fmt: skip
        if n in (21, 22):
            blocks = {"id": "1", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
            side, other = ("outwardIssue", 22) if n == 21 else ("inwardIssue", 21)
            fields["issuelinks"] = [
                {"id": "900", "type": blocks, side: {"id": str(100_000 + other), "key": f"ZA-{other}"}}
            ]
        if n == 23:
            fields["parent"] = {"id": "100022", "key": "ZA-22"}
            del fields["labels"], fields["issuelinks"], fields["customfield_10020"]
        return {"expand": "x", "id": str(100_000 + n), "key": f"ZA-{n}", "self": "https://x", "fields": fields}

    def _histories(self, issue: str) -> list[Row]:
        n = int(issue) - 100_000
        told: list[Row] = [
            {
                "id": f"{n}{i}", "created": int((NOW - timedelta(hours=hours)).timestamp() * 1000),
                **({"author": {"accountId": "557058:x"}} if n % 2 else {}),
                "items": [
                    {"field": "resolution", "fieldId": "resolution", "from": None, "to": "1", "toString": "Done"},
                    {"field": "Status", "fieldId": "status", "from": self.statuses[before]["id"],
                    "fromString": self.statuses[before]["name"],
                     "to": self.statuses[after]["id"], "toString": self.statuses[after]["name"]},
                ],
            }
            for i, (hours, before, after) in enumerate(self._moves(n))
        ]  # fmt: skip
        if n % 6 == 0:
            item = {
                "field": "Sprint",
                "fieldId": "customfield_10020",
                "from": "70",
                "fromString": "E 0",
                "to": "70, 71",
                "toString": "E 0, E 1",
            }
            told.append({"id": f"{n}s", "created": stamp(270, "+0800"), "items": [item]})
        return told[::-1]

    def __call__(self, request: Request) -> Reply:
        if not basic(request, "ada@example.com", "atatt"):
            return Reply(b"<html><title>Unauthorized (401)</title></html>", 401, {"Content-Type": "text/html"})
        body = request.json or {}
        match request.path.removeprefix("/rest/").split("/"):
            case ["api", "3", "status"]:
                return Reply(self.statuses)
            case ["api", "3", "field"]:
                return Reply(self.fields)
            case ["api", "3", "search", "approximate-count"]:
                return Reply({"count": len(self._found(body["jql"]))})
            case ["api", "3", "search", "jql"]:
                return self._search(body)
            case ["api", "3", "changelog", "bulkfetch"]:
                logs = [(key, one) for key in body["issueIdsOrKeys"] for one in self._histories(key)]
                begin = int(body.get("nextPageToken", "0"))
                page = [{"issueId": key, "changeHistories": [one]} for key, one in logs[begin : begin + 90]]
                return Reply(
                    {"issueChangeLogs": page, "nextPageToken": str(begin + 90) if begin + 90 < len(logs) else None}
                )
            case ["agile", "1.0", "board"]:
                boards = [
                    {"id": 1, "name": "ZA", "type": "scrum"},
                    {"id": 2, "name": "Team", "type": "simple"},
                    {"id": 3, "type": "kanban"},
                ]
                begin = int(request.query["startAt"])
                return Reply(
                    {
                        "maxResults": 2,
                        "startAt": begin,
                        "total": 3,
                        "isLast": begin == 2,
                        "values": boards[begin : begin + 2],
                    }
                )
            case ["agile", "1.0", "board", "1", "sprint"]:
                sprints = [
                    {"id": 71, "state": "active", "name": "E 1", "startDate": "2026-11-09T10:00:00.000+01:00",
                    "endDate": "2026-11-23T10:00:00.000+01:00",
                     "originBoardId": 1, "goal": SECRET},
                    {"id": 72, "state": "future", "name": "E 2", "originBoardId": 1},
                ]  # fmt: skip
                return Reply({"maxResults": 50, "startAt": 0, "isLast": True, "values": sprints})
            case ["agile", "1.0", "board", "2", "sprint"]:
                return Reply({"errorMessages": ["The board does not support sprints"], "errors": {}}, 400)
        return Reply({"errorMessages": ["no"], "errors": {}}, 404)

    def _found(self, jql: str) -> list[Row]:
        bound = re.search(r'^project in \("ZA"\) AND (updated|created) >= (\d+)', jql)
        assert bound, jql
        since = datetime.fromtimestamp(int(bound[2]) / 1000, UTC)
        found = [one for one in self.issues if same(one["fields"][bound[1]]) >= since]
        return sorted(found, key=lambda one: same(one["fields"][bound[1]]))

    def _search(self, body: Row) -> Reply:
        token = str(body.get("nextPageToken", "tok:0"))
        if token == "tok:40" and not self.limited:
            self.limited = True
            return Reply(b"", 429, {"Retry-After": "1", "RateLimit-Reason": "jira-burst-based"})
        found, begin = self._found(body["jql"]), int(token.removeprefix("tok:"))
        end = begin + min(40, body["maxResults"])
        named = set(body["fields"])
        page = [
            {**one, "fields": {name: value for name, value in one["fields"].items() if name in named}}
            for one in found[begin:end]
        ]
        more = {"nextPageToken": f"tok:{end}"} if end < len(found) else {"nextPageToken": None}
        return Reply({"issues": page, "isLast": True, **more})

    def transitions(self) -> list[tuple[Any, ...]]:
        """Item, instant, state, and the one before it; the first is the creation."""
        rows: list[tuple[Any, ...]] = []
        for n, issue in enumerate(self.issues):
            moves = self._moves(n)
            rows.append((issue["id"], at(310 - n), self.statuses[moves[0][1] if moves else 0]["name"], None))
            rows += [(issue["id"], at(h), self.statuses[b]["name"], self.statuses[a]["name"]) for h, a, b in moves]
        return sorted(rows, key=str)


# -- Jira Data Center: docs.atlassian.com, REST 2; sprints as text, people by key, ids without fieldId


class JiraDataCenter:
    """37 issues behind a context path, 20 at most a page, ten of them changed within one second."""

    statuses = [
        {**one, "name": name} for one, name in zip(JiraCloud.statuses, ("Open", "WIP", "Closed", "Old"), strict=True)
    ]

    def __init__(self) -> None:
        self.issues = [self._issue(n) for n in range(37)]

    def _issue(self, n: int) -> Row:
        changed = stamp(100 if 20 <= n < 30 else 120 - n, "+0800")
        who = {"name": f"ada{n % 3}", "key": f"JIRAUSER1000{n % 3}", "emailAddress": "ada@example.com", "active": False}
        item = {
            "field": "status",
            "fieldtype": "jira",
            "from": "10000",
            "fromString": "Open",
            "to": "3",
            "toString": "WIP",
        }
        history = {"id": f"{n}", "author": who, "created": stamp(130 - n / 10, "+0800"), "items": [item]}
        kind = "com.atlassian.greenhopper.service.sprint.Sprint"
        sprint = f"{kind}@1f[id={n % 2 + 5},rapidViewId=4,state=CLOSED,name=S, [x],startDate=<null>]"
        return {
            "id": str(20_000 + n), "key": f"DC-{n}",
            "fields": {
                "summary": f"Old {n}", "created": stamp(200, "+0800"), "updated": changed, "resolutiondate": None,
                "status": self.statuses[1],
                "issuetype": {"name": "Bug"}, "project": {"key": "DC", "name": "Old"}, "assignee": who if n % 2 else None, "labels": [],
                "priority": {"name": "Major"}, "customfield_10100": [sprint] if n % 3 == 0 else None,
                "customfield_10200": "5" if n == 1 else 8.0,
            },
            "changelog": {"startAt": 0, "maxResults": 1, "total": 1, "histories": [history]},
        }  # fmt: skip

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != "Bearer pat":
            return Reply({"message": "Client must be authenticated to access this resource.", "status-code": 401}, 401)
        query = request.query
        match request.path.removeprefix("/jira/rest/").split("/"):
            case ["api", "2", "status"]:
                return Reply(self.statuses)
            case ["api", "2", "field"]:
                custom = {"type": "array", "custom": "com.pyxis.greenhopper.jira:gh-sprint", "customId": 10100}
                return Reply(
                    [
                        {"id": "customfield_10100", "name": "Sprint", "schema": custom},
                        {"id": "customfield_10200", "name": "Story Points"},
                    ]
                )
            case ["api", "2", "search"]:
                bound = re.search(
                    r"^(updated|created) >= (-?\d+) ORDER BY (updated|created) ASC, key ASC$", query["jql"]
                )
                assert bound, query["jql"]
                since = datetime.fromtimestamp(int(bound[2]) / 1000, UTC)
                found = [one for one in self.issues if same(one["fields"][bound[1]]) >= since]
                found.sort(key=lambda one: (same(one["fields"][bound[1]]), one["key"]))
                begin = int(query["startAt"])
                page = found[begin : begin + min(20, int(query["maxResults"]))]
                if query.get("expand") != "changelog":
                    page = [{key: value for key, value in one.items() if key != "changelog"} for one in page]
                return Reply({"startAt": begin, "maxResults": 20, "total": len(found), "issues": page})
            case ["agile", "1.0", "board"]:
                return Reply({"maxResults": 50, "startAt": 0, "total": 0, "isLast": True, "values": []})
        return Reply(b"<html><title>Oops</title></html>", 404, {"Content-Type": "text/html"})


TOML = """
[sources.linear]
url = "{linear}"
[sources.jira]
url = "{jira}"
email = "ada@example.com"
projects = ["ZA"]
discovery = {{ impact = "Impact" }}
[sources.old]
kind = "jira_dc"
url = "{jira_dc}/jira"
"""
KEYS = {"AETHER_LINEAR_API_KEY": "lin_stranger", "AETHER_JIRA_TOKEN": "atatt", "AETHER_OLD_TOKEN": "pat"}
