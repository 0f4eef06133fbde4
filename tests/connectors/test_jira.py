"""Jira against its published specification and real payloads of a real site (in Chinese, at UTC+8)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from pydantic import ValidationError

from aether_tui.cache import Cache
from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from connectors.base import Denied, Malformed, Page, RateLimited, Refused
from connectors.jira import Jira, JiraSettings
from connectors.jira_fields import JiraFields, estimate_fields
from connectors.jira_rows import JiraSite, disagrees, jira_issue_rows, status_categories
from tests.connectors.catalogue import shows
from tests.connectors.pull import NOW, Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving
from tests.sync.fake import workspace, writer

Real = Callable[[str], list[dict[str, Any]]]
POINTS = {
    "id": "customfield_10016", "name": "Story-Punkte-Schätzung",
    "schema": {"type": "number", "custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
}  # fmt: skip
"""As a site names it whose token belongs to a German."""
SPRINT = {
    "id": "customfield_10020", "name": "Etappe", "schema": {"type": "array", "custom": "com.pyxis.greenhopper.jira:gh-sprint"},
}  # fmt: skip
IMPACT = {"id": "customfield_10101", "name": "Impact", "schema": {"type": "number"}}
EFFORT = {"id": "customfield_10102", "name": "Delivery effort", "schema": {"type": "option"}}
FIELDS = [{"id": "summary", "name": "Summary"}, POINTS, SPRINT, IMPACT, EFFORT]
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
    site = JiraSite(fields=JiraFields(("customfield_1", "customfield_10016")))
    (row,) = Pulled([Page(rows=jira_issue_rows(issue, site))]).table("work_items")
    assert (row["estimate"], row["created"]) == (5.0, datetime.fromisoformat("2025-12-31T16:00"))


# -- requests


class Site:
    """A Jira that pages issues and changelogs by token."""

    def __init__(self, issues: int, histories_each: int = 2) -> None:
        self.issues = [self._issue(n) for n in range(issues)]
        self.histories_each = histories_each

    boards: list[dict[str, Any]] = []
    sprints: dict[str, list[dict[str, Any]]] = {}

    @staticmethod
    def _values(request: Request, values: list[dict[str, Any]]) -> dict[str, Any]:
        begin, size = int(request.query["startAt"]), min(int(request.query["maxResults"]), 20)
        page = values[begin : begin + size]
        return {"startAt": begin, "maxResults": size, "isLast": begin + size >= len(values), "values": page}

    def _found(self, request: Request) -> list[dict[str, Any]]:
        bound = re.search(r"(updated|created) >= (\d+)", request.json["jql"])
        assert bound
        at = lambda one: datetime.fromisoformat(one["fields"][bound[1]]).timestamp() * 1000  # noqa: E731
        return [one for one in self.issues if at(one) >= int(bound[2])]

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
                return Reply(FIELDS)
            case "/rest/api/3/search/approximate-count":
                return Reply({"count": len(self._found(request))})
            case "/rest/agile/1.0/board":
                return Reply(self._values(request, self.boards))
            case path if path.startswith("/rest/agile/1.0/board/") and path.split("/")[5] in self.sprints:
                return Reply(self._values(request, self.sprints[path.split("/")[5]]))
            case path if path.startswith("/rest/agile/1.0/board/"):
                return Reply({"errorMessages": ["The board does not support sprints"], "errors": {}}, 400)
            case "/rest/api/3/myself":
                return Reply({"displayName": "Ada"})
            case "/rest/api/3/search/jql":
                found = self._found(request)
                begin = int(request.json.get("nextPageToken", "0"))
                end = begin + request.json["maxResults"]
                more = {"nextPageToken": str(end)} if end < len(found) else {}
                return Reply({"issues": found[begin:end], "isLast": False, **more})
            case "/rest/api/3/changelog/bulkfetch":
                logs = [(issue, one) for issue in request.json["issueIdsOrKeys"] for one in self._histories(issue)]
                begin = int(request.json.get("nextPageToken", "0"))
                more = {"nextPageToken": str(begin + 150)} if begin + 150 < len(logs) else {}
                found = [{"issueId": issue, "changeHistories": [one]} for issue, one in logs[begin : begin + 150]]
                return Reply({"issueChangeLogs": found, **more})
        return Reply({"errorMessages": ["no such path"]}, status=404)


def test_all_pages_of_issues_and_changelogs_are_read_and_every_page_moves_the_cursor() -> None:
    with serving(Site(230, histories_each=2)) as server:
        done = pull(jira(server.url))
        source = jira(server.url)
        assert call(source, source.check) == f"Ada at {server.url.removeprefix('http://')}"
    assert len(done.table("work_items")) == 230
    assert len(done.table("work_transitions")) == 230 * 3
    assert {row["estimate"] for row in done.table("work_items")} == {2.0}
    cursors = [page.cursor for page in done.pages]
    assert cursors == sorted(filter(None, cursors))
    assert done.cursor == "2026-02-10T13:00:00"


@shows(21, of="jira")
def test_the_bound_is_in_epoch_milliseconds_less_the_overlap() -> None:
    with serving(Site(1)) as server:
        pull(jira(server.url, projects=["EE", "K5"]), since="2026-02-10T13:00:00")
        jql = next(request.json["jql"] for request in server.requests if request.path.endswith("/jql"))
    # 2026-02-10 12:45 UTC, by `date -u -d '2026-02-10 12:45' +%s`
    assert jql == 'project in ("EE", "K5") AND updated >= 1770727500000 ORDER BY updated ASC, key ASC'


# -- sprints, links, ideas


def test_sprints_of_scrum_boards_are_read_to_the_end(real: Real) -> None:
    site = Site(0)
    site.boards = [{"id": 8, "name": "EE", "type": "scrum"}, {"id": 9, "name": "Ops", "type": "kanban"}] + [
        {"id": n, "name": f"B{n}", "type": "kanban"} for n in range(10, 40)
    ]
    taken = real("jira/sprints")
    more = [{**taken[0], "id": 1000 + n, "state": "future"} for n in range(30)]
    site.boards.append({"id": 40, "name": "Other", "type": "scrum"})
    site.boards.append({"id": 41, "name": "Team-managed", "type": "simple"})  # and without sprints
    foreign = {**taken[0], "id": 5, "originBoardId": 40}  # shown on both, made on the other one
    site.sprints = {"8": [*taken, *more, foreign], "40": [foreign]}
    with serving(site) as server:
        done = pull(jira(server.url), "sprints")
        source = jira(server.url)
        ids = call(source, lambda: _ids(source, "sprints"))
        again = pull(jira(server.url), "sprints", since=done.cursor)
        assert len(server.requests) == 2 * (2 + 3 + 1 + 1)  # read again within the hour: nothing is asked
    rows = {row["id"]: row for row in done.table("iterations")}
    assert (done.error, len(rows), sorted(ids)) == (None, 15 + 30 + 1, sorted(rows))
    assert rows["5"]["source_team"] == "Other"
    first = rows[str(taken[0]["id"])]
    assert (first["name"], first["state"], first["source_team"]) == ("EE Sprint 7", "closed", "EE")
    assert (first["start"], first["completed"]) == (
        datetime.fromisoformat("2020-06-12T00:38:51.882"), datetime.fromisoformat("2020-06-22T05:59:58.980"),
    )  # fmt: skip
    assert (again.pages, again.error) == ([], None)


async def _ids(source: Jira, stream: str) -> list[str]:
    wanted = next(one for one in source.streams if one.name == stream)
    return [one async for page in source.ids(wanted) for one in page]


def test_the_sweep_lists_every_id() -> None:
    with serving(Site(130)) as server:
        source = jira(server.url, projects=["EE"])
        assert len(call(source, lambda: _ids(source, "issues"))) == 130
        (request,) = server.requests
    assert request.json["jql"] == 'project in ("EE") AND created >= 0 ORDER BY created ASC, key ASC'
    assert request.json["fields"] == ["id"]


def sprint_change(at: str, before: str, after: str) -> dict[str, Any]:
    item = {"field": "Sprint", "fieldId": "customfield_10020", "from": before, "to": after}
    return {"id": at, "created": at, "items": [item]}


def test_sprints_an_issue_was_in_with_when_it_came_and_went() -> None:
    site = JiraSite(fields=JiraFields(sprints=("customfield_10020",)))
    histories = [
        sprint_change("2026-03-10T08:00:00.000+0800", "7, 8", "8"),
        sprint_change("2026-03-01T08:00:00.000+0800", "7", "7, 8"),
        sprint_change("2026-04-01T00:00:00.000Z", "8", "8, 9"),
    ]
    fields = {"created": "2026-02-01T00:00:00.000Z", "customfield_10020": [{"id": 8}, {"id": 9}, {"id": 11}]}
    rows = Pulled([Page(rows=jira_issue_rows({"id": "1", "fields": fields}, site, histories))]).table("iteration_items")
    day = datetime.fromisoformat
    assert {row["iteration_id"]: (row["added"], row["removed"]) for row in rows} == {
        "7": (day("2026-02-01"), day("2026-03-10")),  # in it from the beginning, taken out
        "8": (day("2026-03-01"), None),
        "9": (day("2026-04-01"), None),
        "11": (day("2026-02-01"), None),
    }
    # Data Center tells its sprints as texts.
    text = "com.atlassian.greenhopper.service.sprint.Sprint@1[completeDate=<null>,id=42,rapidViewId=3,name=S [1],state=ACTIVE]"
    issue = {"id": "1", "fields": {"created": None, "customfield_10020": [text]}}
    (row,) = Pulled([Page(rows=jira_issue_rows(issue, site))]).table("iteration_items")
    assert (row["iteration_id"], row["added"]) == ("42", None)


def test_real_issues_were_in_real_sprints(real: Real) -> None:
    site = JiraSite(fields=JiraFields(sprints=("customfield_10020",)))
    issues = real("jira/issues")
    rows = Pulled([Page(rows=jira_issue_rows(issue, site)) for issue in issues]).table("iteration_items")
    there = {(str(s["id"]), issue["id"]) for issue in issues for s in issue["fields"].get("customfield_10020") or []}
    assert there
    assert there <= {(row["iteration_id"], row["item_id"]) for row in rows}


def test_links_are_told_once_in_the_direction_in_which_they_act(real: Real) -> None:
    blocks = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    one = {"id": "1", "fields": {"issuelinks": [{"id": "77", "type": blocks, "outwardIssue": {"id": "2"}}]}}
    two = {"id": "2", "fields": {"issuelinks": [{"id": "77", "type": blocks, "inwardIssue": {"id": "1"}}]}}
    found = [jira_issue_rows(issue)["work_links"] for issue in (one, two)]
    assert found[0] == found[1]
    (row,) = Pulled([Page(rows={"work_links": found[0]})]).table("work_links")
    assert (row["id"], row["from_id"], row["to_id"], row["kind"]) == ("77", "1", "2", "blocks")


def test_a_link_that_was_removed_goes_with_the_next_sync(tmp_path: Path) -> None:
    blocks = {"name": "Blocks", "inward": "is blocked by", "outward": "blocks"}
    site, (place, config) = Site(3), workspace(tmp_path, one={})

    def link(number: str, side: str, other: int) -> dict[str, Any]:
        return {"id": number, "type": blocks, f"{side}Issue": {"id": site.issues[other]["id"]}}

    def sync(url: str) -> list[Outcome]:
        settings = JiraSettings(url=url, email="ada@example.invalid")
        job = Job("one", Jira, settings, network(source="one"), {"token": "canary-token"})
        return asyncio.run(run([job], writer(place, config, NOW), lambda _: None))

    for issue, links in zip(
        site.issues, ([("7", "outward", 1)], [("7", "inward", 0), ("8", "outward", 2)], None), strict=True
    ):
        if links is not None:  # a field that does not come says nothing of links
            issue["fields"]["issuelinks"] = [link(*one) for one in links]
    with serving(site) as server:
        sync(server.url)
        for issue, links in zip(site.issues, ([], [("8", "outward", 2)]), strict=False):
            issue["fields"] |= {"issuelinks": [link(*one) for one in links], "updated": "2026-11-20T11:00:00.000+0000"}
        issues, _ = sync(server.url)
    assert (issues.counts.updated, issues.counts.removed) == (2, 1)
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        assert lease.rows("SELECT id, from_id, to_id FROM work_links") == [
            {"id": "8", "from_id": "1001", "to_id": "1002"}
        ]


def test_a_state_that_was_renamed_is_no_change_beside_the_old_name_and_what_cannot_be_read_keeps_its_own(
    tmp_path: Path,
) -> None:
    site, (place, config) = Site(2, histories_each=0), workspace(tmp_path, one={})

    def moves(url: str, updated: str) -> list[tuple[object, ...]]:
        for issue in site.issues:
            issue["fields"]["updated"] = updated
        settings = JiraSettings(url=url, email="ada@example.invalid")
        job = Job("one", Jira, settings, network(source="one"), {"token": "canary-token"})
        asyncio.run(run([job], writer(place, config, NOW), lambda _: None))
        with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
            return [
                tuple(row.values()) for row in lease.rows("SELECT item_id, to_state FROM work_transitions ORDER BY 1")
            ]

    with serving(site) as server:
        assert moves(server.url, "2026-11-20T10:00:00.000+0000") == [("1000", "Done"), ("1001", "Done")]
        for issue in site.issues:
            issue["fields"]["status"] = {**TABLE[2], "name": "Shipped"}
        site.issues[1]["fields"]["created"] = "long ago"
        assert moves(server.url, "2026-11-20T11:00:00.000+0000") == [("1000", "Shipped"), ("1001", "Done")]


def test_ideas_carry_what_their_mapped_fields_say() -> None:
    site = Site(5)
    for issue, impact in zip(site.issues, (7.0, {"value": "High"}, None, [{"value": "3"}], 8.5), strict=True):
        issue["fields"] |= {"issuetype": {"name": "Idea"}, "customfield_10101": impact, "labels": ["x"]}
        issue["fields"]["customfield_10102"] = {"value": "L"}
    with serving(site) as server:
        done = pull(jira(server.url, discovery={"impact": "impact", "effort": "customfield_10102"}))
        asked = next(request.json["fields"] for request in server.requests if request.path.endswith("/jql"))
        wrong = pull(jira(server.url, discovery={"impact": "Impakt"}))
    labels = [row["labels"] for row in done.table("work_items")]
    assert labels == [
        ("x", "impact: 7", "effort: L"), ("x", "impact: High", "effort: L"), ("x", "effort: L"),
        ("x", "impact: 3", "effort: L"), ("x", "impact: 8.5", "effort: L"),
    ]  # fmt: skip
    assert {"customfield_10101", "customfield_10102"} <= set(asked)
    assert isinstance(wrong.error, Refused)
    assert "discovery.impact: Jira has no field 'Impakt'" in wrong.error.what
    assert "did you mean 'Impact'" in wrong.error.hint


def test_fields_are_proposed_by_their_names() -> None:
    with serving(Site(0)) as server:
        source = jira(server.url)
        lines = call(source, source.field_proposal)
    assert lines == [
        "[sources.mine]", 'estimate_field = "customfield_10016"  # Story-Punkte-Schätzung', "",
        "[sources.mine.discovery]", 'impact = "customfield_10101"  # Impact', 'effort = "customfield_10102"  # Delivery effort',
    ]  # fmt: skip


def test_what_the_count_promised_is_told_for_progress() -> None:
    with serving(Site(230)) as server:
        assert {(page.total, page.about) for page in pull(jira(server.url)).pages} == {(230, True)}
    with serving(Site(30)) as server:
        assert {page.total for page in pull(jira(server.url)).pages} == {None}  # one page: nothing to count


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


@shows(11, of="jira")
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


@pytest.mark.parametrize("said", [None, [], 7, {"issueChangeLogs": {}}])
def test_an_answer_of_something_else_is_no_history_without_changes(said: object) -> None:
    site = Site(1)
    with serving(lambda asked: Reply(said) if asked.path.endswith("/bulkfetch") else site(asked)) as server:
        done = pull(jira(server.url))
    assert isinstance(done.error, Malformed)
    assert done.pages == []


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
        {"method": "GET", "path": "/rest/api/3/field", "body": FIELDS},
        {"method": "POST", "path": "/rest/api/3/search/approximate-count", "body": {"count": 2}},
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
