"""Jira Data Center against real payloads of a self-hosted server, and a server that pages by offset as it does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import Denied, Gone, Malformed, Transient
from connectors.jira_dc import JiraDataCenter, JiraDataCenterSettings
from tests.connectors.catalogue import shows
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving

Real = Callable[[str], list[dict[str, Any]]]
POINTS = {"id": "customfield_10004", "name": "Story Points"}
TABLE = [
    {"id": "1", "name": "To Do", "statusCategory": {"key": "new"}},
    {"id": "3", "name": "In Progress", "statusCategory": {"key": "indeterminate"}},
]
START = datetime(2026, 2, 1, tzinfo=UTC)


def jira(url: str, *, root: Path = Path(), **settings: Any) -> JiraDataCenter:
    return JiraDataCenter(
        JiraDataCenterSettings(**{"url": url, **settings}), {"token": "canary-token"}, network(root=root)
    )


def issue(n: int, updated: datetime) -> dict[str, Any]:
    history = {
        "id": str(n),
        "author": {"name": "ada", "key": "JIRAUSER1"},
        "created": "2026-01-02T08:00:00.000+0800",
        "items": [{"field": "status", "from": "1", "fromString": "To Do", "to": "3", "toString": "In Progress"}],
    }
    return {
        "id": str(1000 + n),
        "key": f"DC-{n}",
        "fields": {
            "summary": f"Issue {n}",
            "status": TABLE[1],
            "created": "2026-01-01T08:00:00.000+0800",
            "updated": updated.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "project": {"key": "DC", "name": "Data"},
            "assignee": {"name": "ada", "key": "JIRAUSER1"},
            "customfield_10004": 3.0,
        },
        "changelog": {"startAt": 0, "maxResults": 1, "total": 1, "histories": [history]},
    }


class Site:
    """A Jira that searches by `updated`, pages by offset, and never gives more than `cap` issues."""

    def __init__(self, issues: int, *, cap: int = 100, apart_s: float = 60) -> None:
        self.issues = [issue(n, START + timedelta(seconds=n * apart_s)) for n in range(issues)]
        self.cap = cap

    def __call__(self, request: Request) -> Reply:
        match request.path.removeprefix("/jira"):
            case "/rest/api/2/status":
                return Reply(TABLE)
            case "/rest/api/2/field":
                return Reply([POINTS])
            case "/rest/api/2/myself":
                return Reply({"displayName": "Ada"})
            case "/rest/api/2/search":
                bound = re.search(r"(updated|created) >= (\d+) ORDER BY \1 ASC, key ASC$", request.query["jql"])
                assert bound
                by, since = bound[1], datetime.fromtimestamp(int(bound[2]) / 1000, UTC)
                found = [one for one in self.issues if datetime.fromisoformat(str(one["fields"][by])) >= since]
                found.sort(key=lambda one: (one["fields"][by], one["key"]))
                begin, size = int(request.query["startAt"]), min(int(request.query["maxResults"]), self.cap)
                page = found[begin : begin + size]
                return Reply({"startAt": begin, "maxResults": size, "total": len(found), "issues": page})
        return Reply({"errorMessages": ["no such path"]}, 404)


def searches(requests: list[Request]) -> list[Request]:
    return [request for request in requests if request.path.endswith("/search")]


def test_real_issues_of_a_real_server(real: Real, facts: dict[str, Any]) -> None:
    site = Site(0, cap=4)
    site.issues = real("jira/data_center_issues")
    with serving(site) as server:
        done = pull(jira(server.url, days_back=9999))
    rows = done.table("work_items")
    assert (done.error, len(rows), done.problems) == (None, facts["jira/data_center_issues"]["rows"], [])
    assert rows[0]["assignee"] == "admin"
    assert {row["key"] for row in rows} == {one["key"] for one in site.issues}
    created = [row for row in done.table("work_transitions") if row["from_state"] is None]
    assert len(created) == len(rows)


def test_requests_are_bearer_to_the_second_version_with_named_fields() -> None:
    with serving(Site(2)) as server:
        done = pull(jira(f"{server.url}/jira", projects=["DC"]), since="2026-02-10T13:00:00")
        assert {request.headers["authorization"] for request in server.requests} == {"Bearer canary-token"}
        assert all(request.path.startswith("/jira/rest/api/2/") for request in server.requests)
        (search,) = searches(server.requests)
    assert done.error is None
    # 2026-02-10 12:45 UTC, by `date -u -d '2026-02-10 12:45' +%s`
    assert search.query["jql"] == 'project in ("DC") AND updated >= 1770727500000 ORDER BY updated ASC, key ASC'
    assert search.query["expand"] == "changelog"
    assert "description" not in search.query["fields"]
    assert POINTS["id"] in search.query["fields"].split(",")


def test_rows_are_those_of_the_cloud() -> None:
    with serving(Site(1)) as server:
        done = pull(jira(server.url))
        url = server.url
    (row,) = done.table("work_items")
    assert (row["state_type"], row["estimate"], row["assignee"]) == ("indeterminate", 3.0, "JIRAUSER1")
    assert (row["created"], row["url"]) == (datetime.fromisoformat("2026-01-01T00:00"), f"{url}/browse/DC-0")
    assert [(t["from_state"], t["to_state"], t["to_type"]) for t in done.table("work_transitions")] == [
        (None, "To Do", "new"), ("To Do", "In Progress", "indeterminate"),
    ]  # fmt: skip


@pytest.mark.parametrize("cap", [1, 7, 100])
def test_all_pages_are_read_whatever_the_server_caps_them_at(cap: int) -> None:
    with serving(Site(30, cap=cap)) as server:
        done = pull(jira(server.url))
    assert (done.error, len(done.table("work_items"))) == (None, 30)
    assert {page.total for page in done.pages} == {30}
    came = [row[0] for page in done.pages for row in page.rows.get("work_items", ())]
    assert len(came) == len(set(came)) == 30  # an issue of the second in which a page begins is counted once
    cursors = [page.cursor for page in done.pages]
    assert cursors == sorted(filter(None, cursors))
    assert done.cursor == (START + timedelta(minutes=29)).replace(tzinfo=None).isoformat()


def test_a_page_cap_that_shrinks_on_the_way_loses_nothing() -> None:
    site = Site(90)

    def shrinking(request: Request) -> Reply:
        if request.path.endswith("/search"):
            site.cap = max(5, site.cap // 3)
        return site(request)

    with serving(shrinking) as server:
        done = pull(jira(server.url))
    assert (done.error, len(done.table("work_items"))) == (None, 90)


def test_issues_of_one_second_are_paged_by_offset() -> None:
    with serving(Site(60, cap=7, apart_s=0)) as server:
        done = pull(jira(server.url))
    assert (done.error, len(done.table("work_items"))) == (None, 60)


@shows(19, of="jira_dc")
def test_nothing_is_lost_when_issues_change_while_the_search_is_read() -> None:
    site = Site(60, cap=7)

    def restless(request: Request) -> Reply:
        reply = Reply(json.loads(site(request).content()))
        if request.path.endswith("/search"):
            oldest = min(site.issues, key=lambda one: str(one["fields"]["updated"]))
            moved = START + timedelta(days=1, seconds=len(server.requests))
            oldest["fields"]["updated"] = moved.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        return reply

    with serving(restless) as server:
        done = pull(jira(server.url))
    assert done.error is None
    assert len(done.table("work_items")) == 60


def test_a_broken_search_goes_on_where_it_was() -> None:
    site, left = Site(60, cap=7), 6

    def failing(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return site(request) if left >= 0 else Reply(b"", 503)

    with serving(failing) as server:
        first = pull(jira(server.url))
        assert isinstance(first.error, Transient)
        left = 10_000
        second = pull(jira(server.url), since=first.cursor)
    assert 0 < len(first.table("work_items")) < 60
    assert len(Pulled(first.pages + second.pages).table("work_items")) == 60


@shows(16, 17, of="jira_dc")
def test_a_search_that_repeats_itself_or_promises_too_much_is_stopped() -> None:
    same = [issue(n, START + timedelta(minutes=n)) for n in range(3)]
    for issues in (same, []):

        def stuck(request: Request, issues: list[Any] = issues) -> Reply:
            if not request.path.endswith("/search"):
                return Reply([])
            return Reply({"startAt": 0, "total": 1000, "issues": issues})

        with serving(stuck) as server:
            done = pull(jira(server.url))
            assert len(searches(server.requests)) == (2 if issues else 1)
        assert isinstance(done.error, Malformed)
        assert ("the same page twice" if issues else "counts 1,000 issues since") in done.error.what
        assert len(done.table("work_items")) == len(issues)


def test_cut_histories_are_told() -> None:
    site = Site(2)
    site.issues[1]["changelog"]["total"] = 40
    with serving(site) as server:
        done = pull(jira(server.url))
    assert len(done.problems) == 1
    assert "DC-1" in done.problems[0]
    (whole,) = [one.ids for page in done.pages for one in page.whole if one.table.name == "work_transitions"]
    assert whole == ("1000",)  # what is stored of the other stays


def test_a_captcha_is_named_after_one_request() -> None:
    headers = {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example/login.jsp"}
    with serving(lambda _: Reply(b"<html><title>Denied</title>", 403, headers)) as server:
        done = pull(jira(server.url))
        assert len(server.requests) == 1
    assert isinstance(done.error, Denied)
    assert "browser" in done.error.hint


def test_the_cloud_is_recognised_by_its_missing_search() -> None:
    def cloud(request: Request) -> Reply:
        removed = {"errorMessages": ["The requested API has been removed. CHANGE-2046"]}
        return Reply(removed, 410) if request.path.endswith("/search") else Reply([])

    with serving(cloud) as server:
        done = pull(jira(server.url))
    assert isinstance(done.error, Gone)
    assert 'kind = "jira"' in done.error.hint


def test_check_names_the_account() -> None:
    with serving(Site(0)) as server:
        source = jira(server.url)
        assert call(source, source.check) == f"Ada at {server.url.removeprefix('http://')}"


@pytest.mark.parametrize("wrong", [{"projects": ['DC") OR 1=1']}, {"url": "jira.example"}, {"email": "a@b.c"}])
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JiraDataCenterSettings(**{"url": "https://jira.example", **wrong})


def test_replay(tmp_path: Path) -> None:
    issues = Site(2).issues
    lines: list[dict[str, Any]] = [
        {"path": "/rest/api/2/status", "body": TABLE},
        {"path": "/rest/api/2/field", "body": [POINTS]},
        {"path": "/rest/api/2/search", "body": {"startAt": 0, "total": 2, "issues": issues}},
    ]
    url = recordings(tmp_path, [json.dumps({"method": "GET", **line}) for line in lines])
    done = pull(JiraDataCenter(JiraDataCenterSettings(url=url), {}, network(root=tmp_path, offline=True)))
    assert done.error is None
    assert [row["key"] for row in done.table("work_items")] == ["DC-0", "DC-1"]


def test_the_sweep_lists_every_id_although_issues_are_deleted_meanwhile() -> None:
    """Offsets shift when something before them goes: pages begin at an instant instead, so nothing is taken for deleted."""
    there = [{"id": str(n), "fields": {"created": (START + timedelta(minutes=n)).isoformat()}} for n in range(350)]
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Reply:
        asked.append(request.query)
        bound = re.search(r"created >= (-?\d+) ORDER BY created ASC", request.query["jql"])
        assert bound
        since = datetime.fromtimestamp(int(bound[1]) / 1000, UTC)
        found = [one for one in there if datetime.fromisoformat(one["fields"]["created"]) >= since]
        begin = int(request.query["startAt"])
        page = found[begin : begin + 100]
        if len(asked) == 1:
            del there[:5]
        return Reply({"startAt": begin, "total": len(found), "issues": page})

    with serving(answer) as server:
        source = jira(server.url)

        async def ids() -> set[str]:
            return {one async for page in source.ids(source.streams[0]) for one in page}

        listed = call(source, ids)
    assert {str(n) for n in range(5, 350)} <= listed
    assert asked[0]["fields"] == "id,created"
    assert "expand" not in asked[0]
