"""Linear against its published schema, executed; and its customs around limits."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, graphql_sync, parse, validate
from graphql.validation import NoDeprecatedCustomRule

from aether_tui.records.tables import ITERATIONS
from connectors.base import Malformed, RateLimited, Refused
from connectors.linear import Linear, LinearSettings
from connectors.linear_rows import linear_cycle_rows, linear_issue_rows
from tests.connectors.catalogue import shows
from tests.connectors.pull import Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving

DOCUMENTS = sorted(path.name for path in files("connectors").joinpath("queries").iterdir())


pytestmark = pytest.mark.xdist_group("linear-schema")  # reading the schema takes longer than every test of it


def linear(url: str, **values: Any) -> Linear:
    return Linear(LinearSettings(url=url), {"api_key": "lin_api_canary"}, network(**values))


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name.startswith("linear")])
def test_documents_are_valid_and_use_nothing_deprecated(linear_schema: GraphQLSchema, name: str) -> None:
    document = parse(files("connectors").joinpath("queries", name).read_text())
    assert validate(linear_schema, document) == []
    assert validate(linear_schema, document, [NoDeprecatedCustomRule]) == []


def test_the_check_would_notice_an_unknown_or_deprecated_field(linear_schema: GraphQLSchema) -> None:
    assert isinstance(linear_schema.type_map["Issue"], GraphQLObjectType)
    old = next(
        name
        for name, definition in linear_schema.type_map["Issue"].fields.items()
        if definition.deprecation_reason and not definition.args
    )
    assert validate(linear_schema, parse("{ issues { nodes { nonsense } } }"))
    assert validate(linear_schema, parse(f'{{ issue(id: "1") {{ {old} }} }}'), [NoDeprecatedCustomRule])


# -- a peer that executes the schema


def issue(number: int, spans: int = 3) -> dict[str, Any]:
    created = datetime.fromisoformat("2026-01-01") + timedelta(hours=number)
    states = [("Backlog", "backlog"), ("In Progress", "started"), ("Done", "completed")]
    return {
        "id": f"id-{number}",
        "identifier": f"ENG-{number}",
        "title": f"Issue {number}",
        "createdAt": f"{created.isoformat()}.000Z",
        "updatedAt": f"{(created + timedelta(days=9)).isoformat()}.500Z",
        "estimate": 3,
        "priorityLabel": "High",
        "url": f"https://linear.app/acme/issue/ENG-{number}",
        "state": {"name": "Done", "type": "completed"},
        "team": {"key": "ENG"},
        "project": {"name": "Checkout"},
        "labels": {"pageInfo": {"hasNextPage": False}, "nodes": [{"name": "bug"}]},
        "spans": [
            {
                "stateId": states[n % 3][0],
                "startedAt": f"{(created + timedelta(hours=n)).isoformat()}Z",
                "state": {"name": states[n % 3][0], "type": states[n % 3][1]},
            }
            for n in range(spans)
        ],
    }


class Peer:
    """Executes Linear's own schema over a list of issues, with Relay paging."""

    def __init__(self, schema: GraphQLSchema, issues: list[dict[str, Any]]) -> None:
        self.schema = schema
        self.issues = issues
        self.sizes: list[int] = []
        self.points_per_issue = 98.0
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.refused = ""

    def _connection(self, nodes: list[dict[str, Any]], first: int, after: str | None) -> dict[str, Any]:
        begin = int(after) if after else 0
        end = begin + first
        return {"nodes": nodes[begin:end], "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(end)}}

    def _resolve(self, source: Any, info: Any, **arguments: Any) -> Any:
        match info.field_name:
            case "issues":
                if "filter" not in arguments:
                    return self._connection(self.issues, arguments["first"], arguments.get("after"))
                bounds = arguments["filter"]["updatedAt"]
                since, until = bounds["gte"], bounds.get("lte", "9999")
                found = sorted(
                    (one for one in self.issues if since <= one["updatedAt"] <= until),
                    key=lambda one: one["updatedAt"],
                    reverse=True,
                )
                self.sizes.append(arguments["first"])
                return self._connection(found, arguments["first"], arguments.get("after"))
            case "cycles" | "projects" | "initiatives" | "issueRelations" | "customerNeeds" as name if source is None:
                if name == self.refused:
                    raise ValueError("Feature not accessible on this plan")
                found = self.lists.get(name, [])
                if arguments.get("filter"):
                    asked = arguments["filter"].get("or", [arguments["filter"]])[0]["updatedAt"]["gte"]
                    found = [one for one in found if one["updatedAt"] >= asked or one.get("isActive")]
                return self._connection(found, arguments["first"], arguments.get("after"))
            case "issue" if source is None:
                return next(one for one in self.issues if one["id"] == arguments["id"])
            case "stateHistory":
                return self._connection(source["spans"], arguments["first"], arguments.get("after"))
            case "viewer" | "organization":
                return {"name": info.field_name.title()}
            case name:
                return source.get(name)

    def __call__(self, request: Request) -> Reply:
        done = graphql_sync(
            self.schema,
            request.json["query"],
            variable_values=request.json["variables"],
            operation_name=request.json["operationName"],
            field_resolver=self._resolve,
        )
        errors = {"errors": [{"message": error.message} for error in done.errors]} if done.errors else {}
        cost = self.points_per_issue * (self.sizes[-1] if self.sizes else 1)
        return Reply({"data": done.data, **errors}, headers={"X-Complexity": str(cost)})


def test_pages_to_the_end_with_nested_pages_and_only_then_moves_the_cursor(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n, spans=150 if n == 7 else 3) for n in range(130)])
    with serving(peer) as server:
        done = pull(linear(server.url))
        assert done.error is None
        assert sorted(row["key"] for row in done.table("work_items")) == sorted(f"ENG-{n}" for n in range(130))
        assert len(done.table("work_transitions")) == 129 * 3 + 150
        assert all((page.cursor or "").startswith("{") for page in done.pages[:-1])
        assert done.cursor == "2026-01-15T09:00:00.500000"
        assert server.requests[0].headers["authorization"] == "lin_api_canary"

        again = pull(linear(server.url), since=done.cursor)
        assert again.cursor == done.cursor
        assert [row["key"] for row in again.table("work_items")] == ["ENG-129"]


@pytest.mark.parametrize("nested", [False, True])
def test_a_further_page_without_a_cursor_is_not_the_end(nested: bool) -> None:
    more, end = {"hasNextPage": True, "endCursor": None}, {"hasNextPage": False, "endCursor": None}
    history = {"nodes": [], "pageInfo": more if nested else end}
    page = {"nodes": [issue(1) | {"stateHistory": history}], "pageInfo": end if nested else more}
    with serving(lambda _: Reply({"data": {"issues": page}})) as server:
        done = pull(linear(server.url))
    assert isinstance(done.error, Malformed)
    assert "does not say where" in done.error.what
    assert not any(page.cursor and not page.cursor.startswith("{") for page in done.pages)


def test_a_first_pull_that_broke_off_goes_on_where_it_was(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n) for n in range(400)])
    left = 3

    def mortal(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return peer(request) if left >= 0 else Reply({"errors": [{"message": "down"}]})

    with serving(mortal) as server:
        pulls = [pull(linear(server.url))]
        # Meanwhile one that was read changes, and so does one that was not.
        for number, minute in ((390, 1), (3, 2)):
            peer.issues[number] |= {"updatedAt": f"2026-02-01T00:0{minute}:00.000Z"}
        while pulls[-1].error:
            left = 3
            pulls.append(pull(linear(server.url), since=pulls[-1].cursor))
        asked = len(server.requests)
    assert len(pulls[0].table("work_items")) == 50 + 91 + 91
    whole = Pulled([page for done in pulls for page in done.pages])
    assert {row["key"] for row in whole.table("work_items")} == {f"ENG-{n}" for n in range(400)}
    assert {row["key"]: row["updated"].month for row in whole.table("work_items")}["ENG-390"] == 2
    assert whole.cursor == "2026-02-01T00:02:00"
    assert asked <= 12


@shows(19, of="linear")
def test_an_issue_that_changes_while_pages_are_read_is_neither_lost_nor_doubled(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n) for n in range(130)])

    def busy(request: Request) -> Reply:
        reply = peer(request)
        if len(peer.sizes) == 1:
            # The oldest issue, on the last page, jumps to the front of the first one, which was read already.
            peer.issues[0] |= {"title": "Changed meanwhile", "updatedAt": "2026-01-16T00:00:00.000Z"}
        return reply

    with serving(busy) as server:
        first = pull(linear(server.url))
        second = pull(linear(server.url), since=first.cursor)
    both = Pulled(first.pages + second.pages).table("work_items")
    assert sorted(row["key"] for row in both) == sorted(f"ENG-{n}" for n in range(130))
    assert next(row["title"] for row in both if row["key"] == "ENG-0") == "Changed meanwhile"


def test_page_size_follows_the_price_of_the_first_page(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n) for n in range(130)])
    peer.points_per_issue = 300.0
    with serving(peer) as server:
        assert pull(linear(server.url)).error is None
    assert peer.sizes == [50, 30, 30, 30]


def test_a_query_that_is_too_complex_is_asked_again_by_halves(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n) for n in range(30)])

    def strict(request: Request) -> Reply:
        if request.json["variables"].get("first", 0) > 20:
            return Reply({"errors": [{"message": "Query too complex"}]}, status=400)
        return peer(request)

    with serving(strict) as server:
        done = pull(linear(server.url))
    assert len(done.table("work_items")) == 30
    assert peer.sizes[0] == 12


@shows(6, 20, of="linear")
def test_rate_limit_is_a_400_and_the_reset_is_in_milliseconds_of_the_servers_clock() -> None:
    limited = {"errors": [{"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}]}
    # The server's clock is an hour off ours: the wait is computed from its own Date.
    headers = {
        "Date": "Fri, 20 Nov 2026 13:00:00 GMT",
        "X-RateLimit-Requests-Remaining": "0",
        "X-RateLimit-Requests-Reset": "1795179642500",
        "X-RateLimit-Complexity-Remaining": "100",
        "X-RateLimit-Complexity-Reset": "1795190000000",
    }
    replies = [Reply(limited, status=400, headers=headers), Reply(_page([issue(1)]))]
    with serving(lambda _: replies.pop(0)) as server:
        source = linear(server.url)
        done = pull(source)
    assert (done.error, len(done.table("work_items"))) == (None, 1)
    assert source._network.waited_s == pytest.approx(42.5)

    with serving(lambda _: Reply(limited, status=400, headers=headers)) as server:
        late = pull(linear(server.url, deadline_s=30))
        assert len(server.requests) == 1
    assert isinstance(late.error, RateLimited)
    assert late.error.opens_at is not None
    assert late.error.opens_at.isoformat() == "2026-11-20T12:00:42.500000+00:00"
    assert "12:00 UTC" in late.error.hint


@pytest.mark.parametrize("status", [200, 400])
@shows(7, of="linear")
def test_field_errors_beside_data_fail_the_page_and_show_the_servers_words(status: int) -> None:
    answer = {
        **_page([issue(1)]),
        "errors": [{"message": "x", "extensions": {"userPresentableMessage": "No such team"}}],
    }
    with serving(lambda _: Reply(answer, status=status)) as server:
        done = pull(linear(server.url))
        assert len(server.requests) == 1
    assert isinstance(done.error, Refused)
    assert "No such team" in done.error.what
    assert (done.pages, done.cursor) == ([], None)


def stamped(number: int, /, **more: Any) -> dict[str, Any]:
    at = datetime.fromisoformat("2026-11-01") - timedelta(hours=number)
    common = {"id": f"id-{number}", "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": f"{at.isoformat()}.000Z"}
    return {**common, **more}


def test_what_a_cycle_does_not_count_at_its_end_is_not_what_it_counted_before() -> None:
    cycle = {
        "issueCountHistory": [8, "9", None],
        "scopeHistory": [float("inf"), True, "5.5"],
        "completedScopeHistory": "5",
    }
    ((row,),) = linear_cycle_rows(stamped(1, number=7, **cycle)).values()
    columns = [column.name for column in ITERATIONS.raw]
    named = dict(zip(columns, row, strict=True))
    assert [named[f"{of}_{when}"] for of in ("items", "scope") for when in ("start", "end", "done")] == [
        8, None, None, None, 5.5, None,
    ]  # fmt: skip


def test_cycles_projects_initiatives_relations_and_needs_are_read_to_the_end(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [])
    cycle = {
        "number": 7, "startsAt": "2026-10-05T00:00:00.000Z", "endsAt": "2026-10-19T00:00:00.000Z", "team": {"key": "ENG"},
        "completedAt": "2026-10-19T00:00:00.000Z", "issueCountHistory": [8, 9, 11], "completedIssueCountHistory": [0, 3, 9],
        "scopeHistory": [20, 21, 25.5], "completedScopeHistory": [0, 8, 21],
    }  # fmt: skip
    empty = {"issueCountHistory": [], "completedIssueCountHistory": [], "scopeHistory": [], "completedScopeHistory": []}
    peer.lists = {
        "cycles": [stamped(n, **cycle) for n in range(230)]
        + [stamped(9_000, **{**cycle, **empty}, isActive=True), stamped(9_001, **cycle)],
        "projects": [
            stamped(n, name="Checkout", url="u", status={"name": "In Progress"}, health="atRisk", targetDate="2026-12-24",
                    initiatives={"nodes": [{"id": "i1"}]}) for n in range(3)
        ],
        "initiatives": [stamped(100, name="Grow", url="u", status="Active", parentInitiative={"id": "top"})],
        "issueRelations": [
            stamped(n, type="blocks", issue={"id": "a"}, relatedIssue={"id": "b"}) for n in range(150)
        ] + [stamped(9_000 + n, type="related", issue={"id": "a"}, relatedIssue={"id": "c"}) for n in range(150)],
        "customerNeeds": [stamped(500, priority=1, customer={"id": "acme"}, issue={"id": "a"})],
    }  # fmt: skip
    with serving(peer) as server:
        cycles = pull(linear(server.url), "cycles", since="2026-10-20T00:00:00")
        projects = pull(linear(server.url), "projects", since="2026-10-01T00:00:00")
        before = len(server.requests)
        links = pull(linear(server.url), "links", since="2026-10-01T00:00:00")
        assert len(server.requests) - before == 3  # of relations no page beyond the first that reaches back far enough
        peer.refused = "customerNeeds"
        without = pull(linear(server.url), "links", since="2026-10-31T00:00:00")
        sweeping = linear(server.url)
        ids = call(sweeping, lambda: _ids(sweeping, "cycles"))
    assert (cycles.error, projects.error, links.error, without.error) == (None, None, None, None)
    rows = {row["id"]: row for row in cycles.table("iterations")}
    assert "id-9000" in rows  # it runs, though nothing touched it
    assert rows["id-9000"]["items_start"] is None
    first = rows["id-0"]
    counted = ("items_start", "items_end", "items_done", "scope_start", "scope_end", "scope_done")
    assert tuple(first[name] for name in counted) == (8, 11, 9, 20.0, 25.5, 21.0)
    assert (first["name"], first["source_team"], first["state"]) == ("7", "ENG", "closed")
    assert cycles.cursor == "2026-11-01T00:00:00"
    kinds = sorted((row["kind"], row["health"], row["state"], row["parents"]) for row in projects.table("projects"))
    assert kinds[0] == ("initiative", None, "Active", ("top",))
    assert kinds[1:] == [("project", "at risk", "In Progress", ("i1",))] * 3
    found = links.table("work_links")
    assert [(row["kind"], row["customer"], row["weight"]) for row in found if row["kind"] == "need"] == [
        ("need", "acme", 1.0)
    ]
    assert sum(row["kind"] == "blocks" for row in found) == 150
    assert "Feature not accessible" in without.problems[0]
    assert without.cursor == "2026-11-01T00:00:00"
    assert len(ids) == 232


async def _ids(source: Linear, stream: str) -> list[str]:
    wanted = next(one for one in source.streams if one.name == stream)
    return [one async for page in source.ids(wanted) for one in page]


def test_the_sweep_lists_every_issue_whatever_its_age(linear_schema: GraphQLSchema) -> None:
    peer = Peer(linear_schema, [issue(n) for n in range(600)])
    with serving(peer) as server:
        source = linear(server.url)
        assert call(source, lambda: _ids(source, "issues")) == [f"id-{n}" for n in range(600)]
        assert len(server.requests) == 3
        assert server.requests[0].json["query"].count("nodes { id }") > 1


def _page(nodes: list[dict[str, Any]], after: str | None = None) -> dict[str, Any]:
    return {"data": {"issues": {"nodes": nodes, "pageInfo": {"hasNextPage": after is not None, "endCursor": after}}}}


# -- the mapper


def _rows(node: dict[str, Any]) -> Pulled:
    from connectors.base import Page

    return Pulled([Page(rows=linear_issue_rows(node))])


def test_spans_become_transitions_in_order_of_time() -> None:
    span = {"A": ("A", "unstarted"), "B": ("B", "started")}
    nodes = [
        {"stateId": s, "startedAt": at, "state": {"name": span[s][0], "type": span[s][1]} if s != "A" else None}
        for s, at in [("B", "2026-01-02T00:00:00Z"), ("A", "2026-01-01T00:00:00Z"), ("A", "2026-01-01T12:00:00+02:00")]
    ]
    rows = _rows({"id": "1", "stateHistory": {"nodes": nodes}}).table("work_transitions")
    assert [(row["at"].day, row["from_state"], row["to_state"], row["to_type"]) for row in rows] == [
        (1, None, "A", None),
        (2, "A", "B", "started"),
    ]


def test_labels_beyond_what_is_asked_for_are_told(tmp_path: Path) -> None:
    many = {
        **stamped(7),
        "identifier": "ENG-7",
        "labels": {"pageInfo": {"hasNextPage": True}, "nodes": [{"name": "bug"}]},
    }
    few = {**many, "id": "8", "labels": {"pageInfo": {"hasNextPage": False}, "nodes": []}}
    with serving(lambda _: Reply(_page([many, few]))) as server:
        done = pull(linear(server.url))
    assert (done.error, len(done.table("work_items"))) == (None, 2)
    assert done.problems == ["more than 10 labels, of which the first 10 are read: ENG-7"]


def test_a_trashed_issue_counts_as_cancelled_and_missing_fields_are_null() -> None:
    node = {
        "id": "1",
        "trashed": True,
        "archivedAt": "2026-02-01T00:00:00Z",
        "state": {"name": "Todo", "type": "unstarted"},
    }
    (row,) = _rows(node).table("work_items")
    assert (row["state_type"], row["cancelled"]) == ("canceled", datetime.fromisoformat("2026-02-01"))
    assert (row["estimate"], row["created"], row["assignee"]) == (None, None, None)


def test_an_unreadable_issue_is_a_reject_and_the_others_stay(tmp_path: Path) -> None:
    page = _page([issue(1), {**issue(2), "createdAt": "yesterday"}, {"title": "no id"}, issue(3)])
    url = recordings(tmp_path, [json.dumps({"method": "POST", "path": "/graphql", "body": page})])
    done = pull(linear(url, root=tmp_path, offline=True))
    assert [row["key"] for row in done.table("work_items")] == ["ENG-1", "ENG-3"]
    assert [(reject.table, reject.where) for reject in done.rejects] == [("work_items", "id-2"), ("work_items", "")]


def test_replay_tells_pages_apart_by_operation_and_cursor(tmp_path: Path) -> None:
    def line(after: str | None, body: dict[str, Any]) -> str:
        match = {"json": {"operationName": "Issues", "variables": {"after": after}}}
        return json.dumps({"method": "POST", "path": "/graphql", "match": match, "body": body})

    viewer = {"data": {"viewer": {"name": "Ada"}, "organization": {"name": "Acme"}}}
    url = recordings(
        tmp_path,
        [
            line(None, _page([issue(1)], "c1")),
            line("c1", _page([issue(2)])),
            json.dumps(
                {"method": "POST", "path": "/graphql", "match": {"json": {"operationName": "Viewer"}}, "body": viewer}
            ),
        ],
    )
    settings = LinearSettings(url=url)
    done = pull(Linear(settings, {}, network(root=tmp_path)))
    assert [row["key"] for row in done.table("work_items")] == ["ENG-1", "ENG-2"]
    source = Linear(settings, {}, network(root=tmp_path))
    assert call(source, source.check) == "Ada at Acme"
