"""The failure catalogue, its rows about content: times, ids, unknown words, missing fields; and what nothing new costs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from connectors.base import Refused
from connectors.clickhouse import ClickHouse
from tests.connectors.kinds import KINDS, Kind, Record
from tests.connectors.pull import NOW, Pulled, network, pull
from tests.connectors.server import Reply, Request, serving
from tests.sync.fake import workspace, writer

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
CARRYING = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS.values() if kind.record], ids=[name for name, kind in KINDS.items() if kind.record]
)
AT = datetime.fromisoformat("2026-11-10T00:52:27")
FINE = "2026-11-10T00:00:00Z"


def test_every_connector_of_this_distribution_is_in_the_catalogue() -> None:
    points = distribution("aether-tui").entry_points
    assert {point.name for point in points if point.group == "aether_tui.connectors"} == set(KINDS)


def carried(kind: Kind, *pairs: tuple[object, object], **more: Any) -> tuple[Pulled, Record]:
    """What arrives of records with these ids and instants."""
    record = kind.record
    assert record is not None
    found = [{**record.make(*pair), **more} for pair in pairs]
    with serving(lambda request: record.carry(request, found)) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    return done, record


@CARRYING
def test_times_of_every_form_are_one_instant(kind: Kind) -> None:
    seconds = int((AT - datetime.fromisoformat("1970-01-01")).total_seconds())
    forms: list[object] = [
        "2026-11-10T00:52:27Z", "2026-11-10T08:52:27.000+0800", "2026-11-09T19:52:27-05:00", "2026-11-10 00:52:27 UTC",
        "2026-11-10T00:52:27.0000000Z", "2026-11-10T00:52:27.000000000Z", seconds, seconds * 10**3, seconds * 10**6,
        seconds * 10**9,
    ]  # fmt: skip
    done, record = carried(kind, *((1000 + n, form) for n, form in enumerate(forms)))
    assert {row[record.id]: row[record.at] for row in done.table(record.table)} == {
        record.shown(1000 + n): AT for n in range(len(forms))
    }
    assert done.rejects == []


@CARRYING
def test_an_unknown_form_of_time_rejects_its_row_and_not_the_page(kind: Kind) -> None:
    done, record = carried(kind, (1, FINE), (2, "yesterday"), (3, FINE))
    assert sorted(row[record.id] for row in done.table(record.table)) == [record.shown(1), record.shown(3)]
    assert len({reject.reason for reject in done.rejects}) == 1
    assert "yesterday" in done.rejects[0].reason


@CARRYING
def test_ids_above_two_to_the_53_stay_as_they_are(kind: Kind) -> None:
    large = 2**63 - 1
    done, record = carried(kind, (large, FINE), (large - 1, FINE))
    assert sorted(row[record.id] for row in done.table(record.table)) == [record.shown(large - 1), record.shown(large)]


@CARRYING
def test_unknown_fields_and_words_keep_the_row(kind: Kind) -> None:
    strange = {
        "status": "levitating",
        "state": "levitating",
        "conclusion": "levitating",
        "type": "LEVITATING",
        "brandNew": [{}],
    }
    done, record = carried(kind, (1, FINE), **strange)
    assert [row[record.id] for row in done.table(record.table)] == [record.shown(1)]
    assert done.rejects == []


@CARRYING
def test_a_record_without_its_id_is_one_reject(kind: Kind) -> None:
    record = kind.record
    assert record is not None
    whole, bare = record.make(1, FINE), record.make(2, FINE)
    bare.pop("id", None)
    bare.pop("context", None)
    if record.carry.__name__ == "_gitlab_carry":
        bare["id"] = None  # its details are asked for by the id
    with serving(lambda request: record.carry(request, [whole, bare])) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    assert [row[record.id] for row in done.table(record.table)] == [record.shown(1)]
    assert len({reject.reason for reject in done.rejects}) == 1


DAYS = {"data": {"series": [[3, 4]], "xValues": ["2026-11-10", "2026-11-11"]}}
_USD = {"Amount": "1.5", "Unit": "USD"}
_SPENT = {"Keys": ["AmazonS3", "111"], "Metrics": {"UnblendedCost": _USD, "AmortizedCost": _USD}}
BILL = {
    "ResultsByTime": [
        {"TimePeriod": {"Start": "2026-11-10", "End": "2026-11-11"}, "Groups": [_SPENT], "Estimated": False}
    ]
}

TRACES = {
    "meta": [{"name": name} for name in ("at", "TraceId", "SpanId", "Duration")],
    "data": [[1794268800 * 10**9, f"{7:032x}", f"{n:016x}", "5000"] for n in (1, 2)],
}


@EVERY
def test_the_same_answers_read_later_change_no_row(kind: Kind, tmp_path: Path) -> None:
    place, config = workspace(tmp_path, one={})
    record, settings = kind.record, kind.settings
    first_of = type(kind.cls.__name__, (kind.cls,), {"streams": kind.cls.streams[:1]})

    def answer(request: Request) -> Reply:
        if record is not None:
            return record.carry(request, [record.make(n, FINE) for n in (1001, 1002)])
        return Reply({"amplitude": DAYS, "aws": BILL, "clickhouse": TRACES}[kind.cls.kind])

    def sync(at: datetime) -> Outcome:
        into = replace(writer(place, config, at), clock=lambda: at)
        secrets = dict.fromkeys(kind.cls.SECRETS, "key-0123456789")
        parsed = kind.cls.Settings(url=server.url, **settings)
        job = Job("one", first_of, parsed, network(source="one", now=lambda: at), secrets)
        (outcome,) = asyncio.run(run([job], into, lambda _: None))
        return outcome

    with serving(answer) as server:
        first = sync(NOW)
        asked = len(server.requests)
        second = sync(NOW + timedelta(hours=9))
    assert first.error == second.error == ""
    assert first.counts.inserted > 0
    assert len(server.requests) > asked
    assert (second.counts.inserted, second.counts.updated, second.counts.removed) == (0, 0, 0)
    assert second.traffic.requests <= 3, [request.target for request in server.requests[asked:]]


@EVERY
def test_nothing_new_costs_three_requests_a_stream_at_most(kind: Kind) -> None:
    for stream in kind.streams:
        with serving(kind.fine) as server:
            done = pull(kind.source(server.url), stream, since="2026-11-20T11:30:00")
            assert len(server.requests) <= 3, (stream.name, [request.target for request in server.requests])
        assert done.error is None, stream.name
        assert all(not rows for page in done.pages for rows in page.rows.values())


@CARRYING
def test_a_last_page_that_is_full_is_the_last(kind: Kind) -> None:
    done, record = carried(kind, *((number, FINE) for number in range(1, 101)))
    assert len(done.table(record.table)) == 100
    assert done.rejects == []


@EVERY
def test_an_empty_first_page_is_a_success(kind: Kind) -> None:
    with serving(kind.fine) as server:
        done = pull(kind.source(server.url))
    assert (done.error, done.rejects) == (None, [])


def test_days_whose_rollups_are_here_are_only_looked_at_also_just_after_midnight() -> None:
    """Without a workspace's mapping nothing can be computed: what is not skipped is refused."""
    looks = Reply({"meta": [], "data": [[5, "17", [], []]]})
    after_midnight = NOW.replace(hour=0, minute=20)
    days = [f"{day:%Y-%m-%d} 5 17" for day in (NOW - timedelta(days=1), NOW)]

    def pulled(*seen: str) -> Pulled:
        settings = ClickHouse.Settings(url=server.url, mode="rollups")
        cursor = {"to": "2026-11-20T00:10:00", "mapping": "", "seen": "; ".join(seen)}
        source = ClickHouse(settings, {"key": "canary"}, network(now=lambda: after_midnight))
        return pull(source, "traces", json.dumps(cursor))

    with serving(lambda _: looks) as server:
        assert (pulled(*days).error, len(server.requests)) == (None, 2)
        assert isinstance(pulled(days[1]).error, Refused)
