"""What ClickHouse says when it refuses, and what every query is bound by."""

from __future__ import annotations

import pytest

from connectors.base import Denied, Forbidden, Gone, Malformed, Refused, SourceError
from connectors.clickhouse import ClickHouse, ClickHouseSettings
from connectors.clickhouse_spans import literal
from tests.connectors.catalogue import shows
from tests.connectors.kinds import KINDS
from tests.connectors.pull import network, pull
from tests.connectors.server import Reply, serving


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


def test_a_text_ends_where_it_ends() -> None:
    assert literal("a'b\\") == "'a\\'b\\\\'"
