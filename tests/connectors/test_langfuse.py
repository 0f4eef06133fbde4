"""Langfuse against its published API definition and real traces of seven frameworks."""

from __future__ import annotations

import gzip
import json
import tarfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.answers import Answer
from connectors.base import Gone, Malformed, Refused
from connectors.langfuse import Langfuse, LangfuseSettings, classify_langfuse
from tests.connectors.catalogue import shows
from tests.connectors.pull import NOW, Pulled, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving
from tests.files.reading import stored

SECRETS = {"public_key": "pk-lf-canary", "secret_key": "sk-lf-canary"}
START = datetime.fromisoformat("2026-11-20T10:00")


def langfuse(url: str, *, root: Path = Path(), **settings: Any) -> Langfuse:
    return Langfuse(LangfuseSettings(**{"url": url, **settings}), SECRETS, network(root=root))


def at(minutes: float) -> str:
    return f"{(START + timedelta(minutes=minutes)).isoformat(timespec='milliseconds')}Z"


def generation(n: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{n:016x}", "traceId": f"{n // 3:032x}", "type": "GENERATION", "name": "answer", "level": "DEFAULT",
        "startTime": at(n), "endTime": at(n + 0.1), "parentObservationId": None, "isRootObservation": True,
        "environment": "production", "userId": "u1", "sessionId": "s1", "traceName": "chat",
        "completionStartTime": at(n + 0.05), "providedModelName": "gpt-4o-mini", "promptName": "p", "promptVersion": 3,
        "usageDetails": {"input": 100, "output": 20, "total": 120}, "costDetails": {"total": 0.0001}, "totalCost": 0.0001,
        "metadata": {"feature": "refund", "attributes": '{"gen_ai.prompt.0.content": "my secret ques'},
        **more,
    }  # fmt: skip


class Cloud:
    """Langfuse with v2 (cursor) and, where it is an old server, only v1 (pages); newest first, as ClickHouse answers."""

    def __init__(self, observations: list[dict[str, Any]], *, old: bool = False, most: int = 1000) -> None:
        self.observations = sorted(observations, key=lambda one: str(one["startTime"]), reverse=True)
        self.old = old
        self.most = most

    def __call__(self, request: Request) -> Reply:
        if request.path == "/api/public/projects":
            return Reply({"data": [{"id": "p1", "name": "Assist"}]})
        query = request.query
        found = [
            one
            for one in self.observations
            if query["fromStartTime"] <= one["startTime"] < query.get("toStartTime", "9999")
        ]
        size = int(query["limit"])
        if request.path == "/api/public/v2/observations" and not self.old:
            if size > self.most:
                return Reply({"message": "Response too large"}, 413)
            begin = int(query.get("cursor", "0"))
            more = {"cursor": str(begin + size)} if begin + size < len(found) else {}
            return Reply({"data": found[begin : begin + size], "meta": more})
        if request.path == "/api/public/observations" and self.old:
            begin = (int(query["page"]) - 1) * size
            meta = {
                "page": int(query["page"]),
                "limit": size,
                "totalItems": len(found),
                "totalPages": -(-len(found) // size),
            }
            return Reply({"data": found[begin : begin + size], "meta": meta})
        return Reply({"message": "Not Found"}, 404)


# -- real traces


@pytest.fixture(scope="module")
def traces(contracts: Path) -> dict[str, dict[str, Any]]:
    folder = contracts / "langfuse" / "framework-traces"
    return {path.name: json.loads(gzip.decompress(path.read_bytes())) for path in sorted(folder.glob("*.json.gz"))}


def as_v2(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """What v2 answers for an exported trace: no inputs, outputs or sums, the trace's fields on every observation."""
    head = trace["trace"]
    left_out = {"input", "output", "model", "inputUsage", "outputUsage", "totalUsage", "latency", "timeToFirstToken"}
    return [
        {
            **{name: value for name, value in one.items() if name not in left_out},
            "providedModelName": one["model"],
            **{name: head.get(name) for name in ("userId", "sessionId")},
            "traceName": head.get("name"),
            "isRootObservation": one["parentObservationId"] is None,
            # The framework traces were recorded over a year; here they are of one day.
            "startTime": shifted(one["startTime"], head),
            "endTime": shifted(one["endTime"], head),
            "completionStartTime": shifted(one["completionStartTime"], head),
        }
        for one in trace["observations"]
    ]


def shifted(value: str | None, trace: dict[str, Any]) -> str | None:
    if value is None:
        return None
    moved = START + (datetime.fromisoformat(value) - datetime.fromisoformat(trace["timestamp"]))
    return f"{moved.isoformat(timespec='milliseconds')}Z"


def test_real_traces_give_the_stated_counts(traces: dict[str, dict[str, Any]], facts: dict[str, Any]) -> None:
    for name, trace in traces.items():
        with serving(Cloud(as_v2(trace))) as server:
            done = pull(langfuse(server.url))
        rows, fact = done.table("spans"), facts[f"langfuse/{name}"]
        assert (done.error, len(rows), done.rejects) == (None, fact["observations"], []), name
        assert sum(row["parent_id"] is None for row in rows) == fact["roots"], name
        # An agent repeats what its generations used: only those are calls.
        calls = [one for one in trace["observations"] if one["type"] in {"GENERATION", "EMBEDDING"}]
        assert sum(row["input_tokens"] or 0 for row in rows) == sum(one["inputUsage"] or 0 for one in calls), name
        assert sum(row["output_tokens"] or 0 for row in rows) == sum(one["outputUsage"] or 0 for one in calls), name
        if name != "microsoft-agent-2025-10-14.json.gz":
            assert sum(row["input_tokens"] or 0 for row in rows) == fact["input_usage"], name
        cost = sum((row["reported_cost_usd"] or Decimal(0) for row in rows), Decimal(0))
        assert abs(cost - Decimal(fact["total_cost"])) < Decimal("1e-12"), name
        models = {model: n for model, n in fact["models"].items() if model != "unknown"}
        assert {row["model"] for row in rows if row["input_tokens"]} == set(models), name


# -- requests


def sent_names(requests: list[Request]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for request in requests:
        names.setdefault(request.path, set()).update(request.query)
    return names


def test_every_parameter_and_field_group_is_in_the_definition(contracts: Path) -> None:
    with tarfile.open(contracts / "langfuse" / "fern-server-definition.tar.xz") as archive:

        def read(name: str) -> Any:
            member = archive.extractfile(f"fern/apis/server/definition/{name}.yml")
            assert member is not None
            return yaml.safe_load(member.read())["service"]

        v2, v1, projects = read("observations"), read("legacy/observations-v1"), read("projects")
    with serving(Cloud([generation(n) for n in range(3)], most=2)) as server:
        assert pull(langfuse(server.url)).error is not None  # asked for ever fewer, then told
        server.requests.clear()
        source = langfuse(server.url)
        assert call(source, source.check) == "Assist"
        paths = [request.path for request in server.requests]
    assert paths == [projects["base-path"] + projects["endpoints"]["get"]["path"]]
    for service, old in ((v2, False), (v1, True)):
        with serving(Cloud([generation(n) for n in range(250)], old=old, most=100)) as server:
            assert pull(langfuse(server.url)).error is None
            sent = sent_names(server.requests)
        endpoint = service["endpoints"]["getMany"]
        names = sent[service["base-path"] + endpoint["path"]]
        assert names >= {"fromStartTime", "toStartTime", "limit"}
        assert names <= set(endpoint["request"]["query-parameters"])
    groups = server.requests[0].query["fields"].split(",")
    assert all(f"- `{group}` - " in v2["endpoints"]["getMany"]["docs"] for group in groups)
    assert not {"io", "metrics"} & set(groups)


def test_metadata_can_be_left_out() -> None:
    with serving(Cloud([])) as server:
        pull(langfuse(server.url, metadata=False))
        assert "metadata" not in server.requests[0].query["fields"]
        assert server.requests[0].headers["authorization"].startswith("Basic ")


# -- rows


def one_row(observation: dict[str, Any]) -> dict[str, Any]:
    with serving(Cloud([observation])) as server:
        (row,) = pull(langfuse(server.url)).table("spans")
    return row


def test_a_generation_is_a_span_with_cost_as_reported() -> None:
    row = one_row(generation(7))
    assert (row["operation"], row["model"], row["reported_cost_usd"]) == ("chat", "gpt-4o-mini", Decimal("0.0001"))
    assert (row["input_tokens"], row["output_tokens"]) == (100, 20)
    assert (row["duration_s"], row["time_to_first_token_s"]) == (6.0, 3.0)
    assert (row["user"], row["conversation"], row["source_environment"]) == ("u1", "s1", "production")
    assert (row["prompt_name"], row["prompt_version"]) == ("p", "3")
    stored = json.loads(row["attributes"])
    assert stored["feature"] == "refund"
    assert stored["langfuse.trace.name"] == "chat"


def test_what_was_said_is_neither_stored_nor_rejected() -> None:
    said = generation(7, input="my secret question", output="my secret answer")
    assert "secret" not in stored([one_row(said)])
    with serving(Cloud([{**said, "endTime": "soon"}, generation(8)])) as server:
        done = pull(langfuse(server.url))
    assert (len(done.table("spans")), len(done.rejects)) == (1, 1)
    assert "secret" not in str(done.rejects)
    assert f"{7:016x}" in done.rejects[0].raw


@pytest.mark.parametrize(
    ("cost", "kept"),
    [(0.0001, "0.0001"), ("0.000100", "0.0001"), (1e-7, "1e-7"), (None, None), (0, None), ("", None)],
)
def test_costs_are_numbers_or_text_or_unknown(cost: Any, kept: str | None) -> None:
    row = one_row(generation(1, totalCost=cost, costDetails={}))
    assert row["reported_cost_usd"] == (Decimal(kept) if kept else None)


def test_the_root_of_an_application_has_no_parent_here() -> None:
    kept = one_row(generation(1, parentObservationId="f" * 16, isRootObservation=True))
    child = one_row(generation(1, parentObservationId="f" * 16, isRootObservation=False))
    assert (kept["parent_id"], child["parent_id"]) == (None, "f" * 16)


def test_an_observation_without_a_trace_is_one_of_its_own() -> None:
    assert one_row(generation(5, traceId=None))["trace_id"] == f"{5:016x}"


# -- paging and cursors


def spread(days: int, per_day: int) -> list[dict[str, Any]]:
    return [generation(d * 100 + n, startTime=at(-d * 1440 - n)) for d in range(days) for n in range(per_day)]


def test_every_window_and_page_is_read_once_and_only_whole_windows_move_the_cursor() -> None:
    observations = spread(20, 5)
    with serving(Cloud(observations, most=15)) as server:
        done = pull(langfuse(server.url))
        paged = [request for request in server.requests if "cursor" in request.query]
        assert paged
    assert (done.error, len(done.table("spans"))) == (None, 100)
    assert sum(len(page.rows["spans"]) for page in done.pages) == 100
    assert done.cursor == START.isoformat()
    assert any(page.cursor is None for page in done.pages)
    cursors = [page.cursor for page in done.pages if page.cursor]
    assert cursors == sorted(cursors)


def test_a_broken_walk_goes_on_with_the_window_that_broke() -> None:
    observations = spread(20, 5)
    cloud, left = Cloud(observations, most=15), 11

    def failing(request: Request) -> Reply:
        nonlocal left
        left -= 1
        return cloud(request) if left >= 0 else Reply({"message": "no"}, 400)

    with serving(failing) as server:
        first = pull(langfuse(server.url))
        assert isinstance(first.error, Refused)
        assert 0 < len(first.table("spans")) < 100
        left = 10_000
        second = pull(langfuse(server.url), since=first.cursor)
    assert len(Pulled(first.pages + second.pages).table("spans")) == 100


def test_a_clock_that_is_ahead_does_not_carry_the_cursor_away() -> None:
    with serving(Cloud([generation(1), generation(2, startTime="2027-06-01T00:00:00.000Z")])) as server:
        done = pull(langfuse(server.url))
    assert len(done.table("spans")) == 2
    assert done.cursor == NOW.replace(tzinfo=None).isoformat()


@shows(8, of="langfuse")
def test_answers_over_the_cap_are_asked_for_in_smaller_pages() -> None:
    with serving(Cloud([generation(n) for n in range(300)], most=125)) as server:
        done = pull(langfuse(server.url))
    assert (done.error, len(done.table("spans"))) == (None, 300)
    with serving(Cloud([generation(1)], most=0)) as server:
        refused = pull(langfuse(server.url)).error
    assert isinstance(refused, Refused)
    assert "metadata or payloads = false" in refused.hint


@pytest.mark.parametrize("old", [False, True])
def test_what_was_said_is_asked_for_and_passed_on_only_where_the_source_says_so(old: bool) -> None:
    words = {"input": '[{"role": "user", "content": "hi"}]', "output": "hello"}
    for payloads in (False, True):
        with serving(Cloud([generation(1, **words), generation(2)], old=old)) as server:
            done = pull(langfuse(server.url, payloads=payloads))
            asked = [request.query.get("fields", "") for request in server.requests]
        assert done.error is None
        said = [(row["prompt"], row["completion"]) for row in done.table("span_payloads")]
        assert said == ([(words["input"], "hello")] if payloads else [])
        assert old or all(("io" in fields.split(",")) == payloads for fields in asked)


def test_a_server_of_ones_own_without_v2_is_asked_for_v1_once_and_for_all() -> None:
    observations = [
        {**generation(n), "model": "gpt-4o-mini", "providedModelName": None, "totalCost": None, "input": "said"}
        for n in range(250)
    ]
    with serving(Cloud(observations, old=True)) as server:
        done = pull(langfuse(server.url))
        paths = [request.path for request in server.requests]
    assert (done.error, len(done.table("spans"))) == (None, 250)
    assert paths.count("/api/public/v2/observations") == 1
    assert {row["model"] for row in done.table("spans")} == {"gpt-4o-mini"}
    assert {row["reported_cost_usd"] for row in done.table("spans")} == {Decimal("0.0001")}


def test_the_cloud_has_no_v1_to_fall_back_to() -> None:
    source = langfuse("https://us.cloud.langfuse.com")
    asked: list[str] = []

    async def absent(target: str, query: Any = None) -> Any:
        asked.append(target)
        verdict = classify_langfuse(Answer(target, 404, {}, b"{}", NOW))
        assert isinstance(verdict, Gone)
        raise verdict

    source._http.get = absent  # type: ignore[method-assign]
    assert isinstance(pull(source).error, Gone)
    assert asked == ["/api/public/v2/observations"]


def test_v1_that_does_not_count_its_pages_is_read_until_one_is_empty() -> None:
    def uncounted(request: Request) -> Reply:
        if "v2" in request.path:
            return Reply({}, 404)
        number = int(request.query["page"])
        return Reply({"data": [generation(number, startTime=at(-number))] if number < 4 else [], "meta": {}})

    with serving(uncounted) as server:
        done = pull(langfuse(server.url))
    assert (done.error, len(done.table("spans"))) == (None, 3)


def test_v1_that_never_ends_is_stopped() -> None:
    def endless(request: Request) -> Reply:
        if "v2" in request.path:
            return Reply({}, 404)
        return Reply({"data": [], "meta": {"totalPages": 10**9}})

    with serving(endless) as server:
        done = pull(langfuse(server.url))
        assert len(server.requests) == 5
    assert isinstance(done.error, Malformed)


def test_replay(tmp_path: Path) -> None:
    path = "/api/public/v2/observations"
    answers: list[dict[str, Any]] = [
        {"match": {"query": {"toStartTime": None, "cursor": None}}, "body": {"data": [generation(1)], "meta": {"cursor": "c"}}},
        {"match": {"query": {"cursor": "c"}}, "body": {"data": [generation(2)], "meta": {}}},
        {"body": {"data": [], "meta": {}}},
    ]  # fmt: skip
    url = recordings(tmp_path, [json.dumps({"method": "GET", "path": path, **answer}) for answer in answers])
    done = pull(Langfuse(LangfuseSettings(url=url), {}, network(root=tmp_path, offline=True)))
    assert (done.error, len(done.table("spans"))) == (None, 2)
