"""What ClickHouse says when it refuses, and what every query is bound by."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cache import Cache
from aether_tui.cache.schema import ROLLUPS
from aether_tui.config import Config, Privacy
from aether_tui.ingest import Ingest
from aether_tui.sync.engine import run
from aether_tui.sync.intake import Writer
from aether_tui.sync.plan import Job
from connectors import clickhouse
from connectors.base import Denied, Forbidden, Gone, Malformed, Refused, SourceError
from connectors.clickhouse import ClickHouse, ClickHouseSettings
from connectors.clickhouse_spans import literal
from connectors.inflate import TooLarge
from tests.connectors.catalogue import shows
from tests.connectors.kinds import KINDS, documented, hex16
from tests.connectors.pull import NOW, Pulled, network, pull
from tests.connectors.server import Reply, Request, serving
from tests.files.test_otlp_scan import span


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [("516", 403, Denied), ("497", 403, Forbidden), ("164", 500, Forbidden), ("60", 404, Gone), ("159", 500, Refused)],
)
def test_the_number_of_the_error_says_more_than_the_status(code: str, status: int, error: type[SourceError]) -> None:
    said = Reply(f"Code: {code}. DB::Exception: no".encode(), status, {"X-ClickHouse-Exception-Code": code})
    with serving(lambda _: said) as server:
        done = pull(ClickHouse(ClickHouseSettings(url=server.url), {"key": "canary"}, network()))
        assert len(server.requests) == 1
    assert type(done.error) is error


def test_every_query_is_bound_in_time_and_may_only_read() -> None:
    with serving(lambda _: Reply({"meta": [], "data": []})) as server:
        assert pull(ClickHouse(ClickHouseSettings(url=server.url), {"key": "canary"}, network())).error is None
    for request in server.requests:
        assert (request.query["readonly"], request.query["max_execution_time"]) == ("2", "120")
        assert "Timestamp >= {low:" in request.json
        assert request.query["param_low"] < request.query["param_high"]


@shows(16, 18, of="clickhouse")
def test_a_page_that_is_full_is_followed_by_one_and_the_same_page_again_is_the_end() -> None:
    kind = KINDS["clickhouse"]
    assert kind.record is not None
    full = [kind.record.make(n, "2026-11-20T11:00:00") for n in range(1, 5_001)]
    with serving(
        lambda asked: kind.page(asked, [] if "trace" in asked.json.partition("WHERE")[2] else full, None)
    ) as server:
        done = pull(kind.source(server.url), since="2026-11-20T11:30:00")
        assert (done.error, len(done.table("spans")), len(server.requests)) == (None, 5_000, 2)
    with serving(lambda asked: kind.page(asked, full, None)) as server:
        done = pull(kind.source(server.url), since="2026-11-20T11:30:00")
        assert len(server.requests) == 2
    assert isinstance(done.error, Malformed)
    assert "same spans twice" in done.error.what


class Spans:
    """A server that has spans, an instant for every three of them, of which some are odd."""

    def __init__(self, count: int) -> None:
        rng, began = random.Random(4), int(NOW.timestamp()) * 10**9 - 10**12
        self.documents: dict[tuple[int, str, str], Any] = {}
        for number in range(count):
            found = span(rng, number, odd=rng.random() < 0.15)
            if not isinstance(found, dict):
                continue
            found |= {
                "startTimeUnixNano": str(began + number // 3),
                "traceId": f"{number // 7 + 1:032x}",
                "spanId": hex16(number + 1),
            }
            if number % 40 == 0:
                found["attributes"] = [{"key": "input.value", "value": {"stringValue": f"what is {number}?"}}]
            found |= {"parentSpanId": "nobody"} if number % 50 == 7 else {}
            self.documents[began + number // 3, found["traceId"], found["spanId"]] = documented(found)

    def __call__(self, asked: Request) -> Reply:
        ns, trace, place = (asked.query.get(f"param_{name}", "0") for name in ("ns", "trace", "span"))
        after = [one for at, one in sorted(self.documents.items()) if at > (int(ns), trace, place)]
        return Reply({"data": [[one] for one in after[: int(asked.json.rpartition("LIMIT ")[2])]]})


def test_spans_are_stored_as_one_by_one_and_the_cursor_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, found = Spans(350), []
    monkeypatch.setattr(clickhouse, "_PER_ANSWER", 50)
    monkeypatch.setattr(clickhouse, "_PAGE_BYTES", 100_000)
    for scanning in (True, False):
        monkeypatch.setattr(clickhouse, "worth", lambda _, *, said, scanning=scanning: scanning)
        cache = Cache(tmp_path / f"{scanning}.duckdb")
        writer = Writer(cache, Ingest(Config(privacy=Privacy(keep_payloads=True)), bytes(32)), lambda: NOW)
        with serving(server) as peer:
            settings = ClickHouseSettings(url=peer.url, days_back=1)
            jobs = [Job("one", ClickHouse, settings, network(), {"key": "canary-0123456789"})]
            (outcome,) = asyncio.run(run(jobs, writer, lambda _: None))
            assert len(peer.requests) == -(-len(server.documents) // 50)
            pages = pull(ClickHouse(settings, {"key": "canary-0123456789"}, network())).pages
            assert [page.scan is not None for page in pages[:-1]] == [scanning] * (len(pages) - 1) and len(pages) > 2
            assert [page.cursor is not None for page in pages] == [False] * (len(pages) - 1) + [True]
        with cache.read() as lease:
            tables = ("spans", "span_payloads", "tasks", *ROLLUPS, "rejects")
            rows = {name: lease.cursor.execute(f"FROM {name} ORDER BY ALL").fetchall() for name in tables}
        assert cache.verify() == []
        found.append((rows, outcome.error, outcome.counts, cache.cursors()["one", "traces"].cursor))
    scanned, one_by_one = found
    assert len(scanned[0]["spans"]) > 300 and len(scanned[0]["span_payloads"]) > 3
    assert len(scanned[0]["rejects"]) == scanned[2].rejected > 3
    assert scanned == one_by_one


def test_answers_that_would_be_too_large_are_asked_for_in_smaller_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse, "_PER_ANSWER", 32)
    monkeypatch.setattr(clickhouse, "worth", lambda _, *, said: False)
    with serving(Spans(30)) as peer:

        def read(most_bytes: int) -> Pulled:
            source = ClickHouse(ClickHouseSettings(url=peer.url, days_back=1), {"key": "canary"}, network())
            source._http._max_bytes = most_bytes
            return pull(source)

        whole, parts, none = read(10**6), read(9_000), read(400)
    assert (whole.error, parts.error, type(none.error)) == (None, None, TooLarge)
    assert parts.table("spans") == whole.table("spans") != []
    assert parts.cursor == whole.cursor


@pytest.mark.parametrize("scanning", [True, False])
@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (lambda body: body[:-40], Malformed),
        (lambda body: body[: body.rindex(b"[{")], Malformed),
        (lambda body: body + b"\nCode: 241. DB::Exception: Memory limit exceeded", Malformed),
        (lambda body: body[:-1] + b', "exception": "Code: 241. DB::Exception: Memory limit exceeded"}', Refused),
        (lambda body: body.replace(b'[{"resourceSpans"', b'[{"exception"'), Malformed),
        (lambda _: b'{"meta": [], "rows": 0}', Malformed),
    ],
)
def test_of_an_answer_that_broke_off_nothing_is_kept(
    broken: Any, error: type[SourceError], scanning: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clickhouse, "_PER_ANSWER", 50)
    monkeypatch.setattr(clickhouse, "_PAGE_BYTES", 1)
    monkeypatch.setattr(clickhouse, "worth", lambda _, *, said: scanning)
    server = Spans(120)

    def answer(asked: Request) -> Reply:
        whole = server(asked)
        return whole if "param_ns" not in asked.query else Reply(broken(json.dumps(whole.body).encode()))

    with serving(answer) as peer:
        done = pull(ClickHouse(ClickHouseSettings(url=peer.url, days_back=1), {"key": "canary"}, network()))
    assert (type(done.error), len(done.pages), done.cursor) == (error, 1, None)
    assert "Memory limit" in str(done.error) or error is Malformed


def test_a_text_ends_where_it_ends() -> None:
    assert literal("a'b\\") == "'a\\'b\\\\'"
