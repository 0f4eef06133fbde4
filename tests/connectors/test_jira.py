"""Jira against its published specification and real payloads of a real site (in Chinese, at UTC+8)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from pydantic import ValidationError

from connectors.base import Denied, Malformed, Page, RateLimited
from connectors.jira import Jira, JiraSettings
from connectors.jira_rows import JiraSite, disagrees, estimate_fields, jira_issue_rows, status_categories
from tests.connectors.legal import assert_legal
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving

Real = Callable[[str], list[dict[str, Any]]]
POINTS = {"id": "customfield_10016", "name": "Story point estimate"}
TABLE = [
    {"id": "1", "name": "To Do", "statusCategory": {"key": "new"}},
    {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
    {"id": "6", "name": "Done", "statusCategory": {"key": "done"}},
]


def jira(url: str, *, deadline_s: float = 900, root: Path = Path(), **settings: Any) -> Jira:
    keys = {"url": url, "email": "ada@example.com", **settings}
    return Jira(JiraSettings(**keys), {"token": "canary-token"}, network(deadline_s=deadline_s, root=root))


# -- real payloads


@pytest.fixture(scope="module")
def mapped(real: Real) -> tuple[list[dict[str, Any]], Pulled, JiraSite]:
    issues = real("jira/issues")
    site = JiraSite(status_categories(real("jira/status")), address="https://acme.atlassian.net")
    return issues, Pulled([Page(rows=jira_issue_rows(issue, site)) for issue in issues]), site


def test_real_issues_map_to_the_stated_counts(mapped: tuple[Any, Pulled, JiraSite], facts: dict[str, Any]) -> None:
    _, done, _ = mapped
    fact = facts["jira/issues"]
    rows = done.table("work_items")
    assert sorted(row["key"] for row in rows) == sorted(fact["keys"])
    assert sum(row["completed"] is not None for row in rows) == fact["resolved"]
    hours = sorted(
        (row["completed"] - row["created"]).total_seconds() / 3600 for row in rows if row["completed"] is not None
    )
    lead = fact["lead_time_hours_created_to_resolved"]
    assert (round(sum(hours), 3), round(hours[0], 3), round(hours[-1], 3)) == (lead["sum"], lead["min"], lead["max"])
    assert round(median(hours), 3) == lead["median"]
    created = sorted(row["created"].isoformat() for row in rows)
    assert [f"{at}+00:00" for at in (created[0], created[-1])] == fact["created_range_utc"]
    assert rows[0]["url"] == f"https://acme.atlassian.net/browse/{rows[0]['key']}"


def test_real_changelogs_give_every_status_change_and_the_creation(
    mapped: tuple[Any, Pulled, JiraSite], facts: dict[str, Any]
) -> None:
    _, done, _ = mapped
    rows = done.table("work_transitions")
    changes = [row for row in rows if row["from_state"] is not None]
    assert len(changes) == facts["jira/issues"]["inline_status_items"]
    assert len(rows) - len(changes) == facts["jira/issues"]["rows"]
    by_item: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["at"]):
        by_item.setdefault(row["item_id"], []).append(row)
    for history in by_item.values():
        assert history[0]["from_state"] is None
        assert all(row["from_state"] for row in history[1:])
    assert {row["to_type"] for row in rows} <= {"new", "indeterminate", "done", None}


def test_the_status_table_wins_over_the_category_inside_an_issue(mapped: tuple[Any, Pulled, JiraSite]) -> None:
    issues, done, site = mapped
    odd = [issue for issue in issues if disagrees(issue, site)]
    assert len(odd) == 4
    types = {row["key"]: row["state_type"] for row in done.table("work_items")}
    assert {types[issue["key"]] for issue in odd} == {"done"}
    assert {issue["fields"]["status"]["statusCategory"]["key"] for issue in odd} == {"new"}


def test_data_center_issues_map_too(real: Real, facts: dict[str, Any]) -> None:
    done = Pulled([Page(rows=jira_issue_rows(issue)) for issue in real("jira/data_center_issues")])
    rows = done.table("work_items")
    assert len(rows) == facts["jira/data_center_issues"]["rows"]
    assert rows[0]["assignee"] == "admin"
    assert all(row["created"] for row in rows)


def test_the_estimate_is_found_by_its_fields_name() -> None:
    assert estimate_fields([{"id": "summary", "name": "Summary"}, POINTS]) == ("customfield_10016",)
    issue = {"id": "1", "fields": {"customfield_10016": 5, "created": "2026-01-01T00:00:00.000+0800"}}
    site = JiraSite(estimate_fields=("customfield_1", "customfield_10016"))
    (row,) = Pulled([Page(rows=jira_issue_rows(issue, site))]).table("work_items")
    assert (row["estimate"], row["created"]) == (5.0, datetime.fromisoformat("2025-12-31T16:00"))


# -- requests


class Site:
    """A Jira that pages issues and changelogs by token."""

    def __init__(self, issues: int, histories_each: int = 2) -> None:
        self.issues = [self._issue(n) for n in range(issues)]
        self.histories_each = histories_each

    @staticmethod
    def _issue(n: int) -> dict[str, Any]:
        return {
            "id": str(1000 + n),
            "key": f"EE-{n}",
            "fields": {
                "summary": f"Issue {n}",
                "status": TABLE[2],
                "created": "2026-01-01T08:00:00.000+0800",
                "updated": f"2026-02-{1 + n // 24:02}T{n % 24:02}:00:00.000+0000",
                "project": {"key": "EE", "name": "Enterprise"},
                "customfield_10016": 2,
            },
        }

    def _histories(self, issue: str) -> list[dict[str, Any]]:
        steps = [("1", "To Do", "3", "In Progress"), ("3", "In Progress", "6", "Done")] * self.histories_each
        return [
            {
                "id": f"{issue}-{n}",
                "created": 1767312000000 + n * 3_600_000,
                "author": {"accountId": "a"},
                "items": [
                    {"field": "status", "fieldId": "status", "from": f, "fromString": fs, "to": t, "toString": ts}
                ],
            }
            for n, (f, fs, t, ts) in enumerate(steps[: self.histories_each])
        ]

    def __call__(self, request: Request) -> Reply:
        match request.path:
            case "/rest/api/3/status":
                return Reply(TABLE)
            case "/rest/api/3/field":
                return Reply([POINTS])
            case "/rest/api/3/myself":
                return Reply({"displayName": "Ada"})
            case "/rest/api/3/search/jql":
                begin = int(request.json.get("nextPageToken", "0"))
                end = begin + request.json["maxResults"]
                more = {"nextPageToken": str(end)} if end < len(self.issues) else {}
                return Reply({"issues": self.issues[begin:end], "isLast": False, **more})
            case "/rest/api/3/changelog/bulkfetch":
                logs = [(issue, one) for issue in request.json["issueIdsOrKeys"] for one in self._histories(issue)]
                begin = int(request.json.get("nextPageToken", "0"))
                more = {"nextPageToken": str(begin + 150)} if begin + 150 < len(logs) else {}
                found = [{"issueId": issue, "changeHistories": [one]} for issue, one in logs[begin : begin + 150]]
                return Reply({"issueChangeLogs": found, **more})
        return Reply({"errorMessages": ["no such path"]}, status=404)


def test_every_request_is_legal_and_none_uses_the_removed_search(jira_api: OpenAPI) -> None:
    with serving(Site(230)) as server:
        done = pull(jira(server.url, projects=["EE"]))
        source = jira(server.url)
        assert call(source, source.check) == f"Ada at {server.url.removeprefix('http://')}"
        again = pull(jira(server.url), since=done.cursor)
        requests = server.requests
    assert (done.error, again.error) == (None, None)
    for request in requests:
        assert_legal(jira_api, "https://your-domain.atlassian.net", request)
        assert not re.search(r"/search$", request.path)
    assert {request.method for request in requests if request.path.endswith("/jql")} == {"POST"}
    with pytest.raises(OpenAPIError):
        first = next(request for request in requests if request.path.endswith("/jql"))
        broken = Request("POST", first.path, {}, first.headers, {**first.json, "startAt": 0})
        assert_legal(jira_api, "https://your-domain.atlassian.net", broken)


def test_all_pages_of_issues_and_changelogs_are_read_and_every_page_moves_the_cursor() -> None:
    with serving(Site(230, histories_each=2)) as server:
        done = pull(jira(server.url))
    assert len(done.table("work_items")) == 230
    assert len(done.table("work_transitions")) == 230 * 3
    assert {row["estimate"] for row in done.table("work_items")} == {2.0}
    cursors = [page.cursor for page in done.pages]
    assert cursors == sorted(filter(None, cursors))
    assert done.cursor == "2026-02-10T13:00:00"


def test_the_bound_is_in_epoch_milliseconds_less_the_overlap() -> None:
    with serving(Site(1)) as server:
        pull(jira(server.url, projects=["EE", "K5"]), since="2026-02-10T13:00:00")
        jql = next(request.json["jql"] for request in server.requests if request.path.endswith("/jql"))
    # 2026-02-10 12:45 UTC, by `date -u -d '2026-02-10 12:45' +%s`
    assert jql == 'project in ("EE", "K5") AND updated >= 1770727500000 ORDER BY updated ASC, key ASC'


def test_a_second_sync_with_nothing_new_costs_few_requests() -> None:
    with serving(Site(0)) as server:
        done = pull(jira(server.url), since="2026-02-10T13:00:00")
        assert len(server.requests) <= 3
    assert (done.table("work_items"), done.error, done.cursor) == ([], None, "2026-02-10T13:00:00")


# -- refusals


def scoped(site: Site, *, gateway_knows: bool) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.path == "/_edge/tenant_info":
            return Reply({"cloudId": "11111111-2222-3333"})
        if request.path.startswith("/ex/jira/11111111-2222-3333") and gateway_knows:
            return site(
                Request(**{**request.__dict__, "path": request.path.removeprefix("/ex/jira/11111111-2222-3333")})
            )
        return Reply(b"<html><title>Unauthorized</title></html>", status=401)

    return answer


def test_a_scoped_token_is_tried_at_the_gateway_once_and_stays_there() -> None:
    with serving(scoped(Site(3), gateway_knows=True)) as server:
        done = pull(jira(server.url, gateway=server.url))
        paths = [request.path for request in server.requests]
    assert (done.error, len(done.table("work_items"))) == (None, 3)
    assert paths[:3] == ["/rest/api/3/status", "/_edge/tenant_info", "/ex/jira/11111111-2222-3333/rest/api/3/myself"]
    assert all(path.startswith("/ex/jira/") for path in paths[3:])


def test_a_token_neither_address_accepts_says_which_wants_which() -> None:
    with serving(scoped(Site(3), gateway_knows=False)) as server:
        done = pull(jira(server.url, gateway=server.url))
        assert len(server.requests) == 3
    assert isinstance(done.error, Denied)
    assert "gateway" in done.error.what
    assert "auth set mine" in done.error.hint
    assert "read:jira-work" in done.error.hint


def test_quota_is_not_waited_for_and_says_when_it_opens() -> None:
    headers = {
        "RateLimit-Reason": "jira-quota-tenant-based",
        "X-RateLimit-Reset": "2026-11-20T13:00Z",
        "Retry-After": "5",
    }
    with serving(lambda _: Reply({}, status=429, headers=headers)) as server:
        source = jira(server.url)
        done = pull(source)
        assert len(server.requests) == 1
    assert isinstance(done.error, RateLimited)
    assert done.error.opens_at is not None
    assert done.error.opens_at.isoformat() == "2026-11-20T13:00:00+00:00"
    assert source._network.waited_s == 0


def test_repeated_token_stops_and_keeps_what_came_before() -> None:
    site = Site(1)

    def endless(request: Request) -> Reply:
        if request.path.endswith("/jql"):
            return Reply({"issues": site.issues, "nextPageToken": "same"})
        return site(request)

    with serving(endless) as server:
        done = pull(jira(server.url))
    assert isinstance(done.error, Malformed)
    assert "same page twice" in done.error.what
    assert [row["key"] for row in done.table("work_items")] == ["EE-0"]


def test_empty_pages_with_a_token_are_followed_three_times() -> None:
    site = Site(1)
    searches = 0

    def empty(request: Request) -> Reply:
        nonlocal searches
        if request.path.endswith("/jql"):
            searches += 1
            return Reply({"issues": [], "nextPageToken": str(searches)})
        return site(request)

    with serving(empty) as server:
        done = pull(jira(server.url))
    assert isinstance(done.error, Malformed)
    assert searches == 4


def test_disagreeing_categories_are_counted_for_the_reader() -> None:
    site = Site(3)
    site.issues[1]["fields"]["status"] = {"id": "6", "name": "Done", "statusCategory": {"key": "new"}}
    with serving(site) as server:
        done = pull(jira(server.url))
    assert len(done.problems) == 1
    assert "1 issues" in done.problems[0]
    assert "EE-1" in done.problems[0]


@pytest.mark.parametrize(
    "wrong", [{"email": ""}, {"projects": ['EE") OR 1=1']}, {"url": "acme.atlassian.net"}, {"unknown": 1}]
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JiraSettings(**{"url": "https://acme.atlassian.net", "email": "a@b.c", **wrong})


def test_replay(tmp_path: Path) -> None:
    site = Site(2)
    search = {"method": "POST", "path": "/rest/api/3/search/jql"}
    changes = {"method": "POST", "path": "/rest/api/3/changelog/bulkfetch"}
    lines = [
        {"method": "GET", "path": "/rest/api/3/status", "body": TABLE},
        {"method": "GET", "path": "/rest/api/3/field", "body": [POINTS]},
        {
            **search,
            "match": {"json": {"nextPageToken": None}},
            "body": {"issues": site.issues[:1], "nextPageToken": "t"},
        },
        {**search, "match": {"json": {"nextPageToken": "t"}}, "body": {"issues": site.issues[1:]}},
        *(
            {
                **changes,
                "match": {"json": {"issueIdsOrKeys": [key]}},
                "body": {"issueChangeLogs": [{"issueId": key, "changeHistories": site._histories(key)}]},
            }
            for key in ("1000", "1001")
        ),
    ]
    url = recordings(tmp_path, [json.dumps(line) for line in lines])
    done = pull(Jira(JiraSettings(url=url), {}, network(root=tmp_path, offline=True)))
    assert done.error is None
    assert [row["key"] for row in done.table("work_items")] == ["EE-0", "EE-1"]
    assert len(done.table("work_transitions")) == 6
