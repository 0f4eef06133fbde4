"""The failure catalogue, its rows about content: times, ids, unknown words, missing fields; and what nothing new costs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.base import Refused
from connectors.clickhouse import ClickHouse
from tests.connectors.catalogue import shows
from tests.connectors.kinds import BEHIND, KINDS, Kind, Record
from tests.connectors.pull import NOW, Pulled, network, pull
from tests.connectors.server import Reply, Request, serving

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def those(which: Callable[[Kind], object]) -> pytest.MarkDecorator:
    """A test for the connectors of which something holds."""
    kinds = [kind for kind in KINDS.values() if which(kind)]
    return pytest.mark.parametrize("kind", kinds, ids=[kind.cls.kind for kind in kinds])


CARRYING = those(lambda kind: kind.record)
AT = datetime.fromisoformat("2026-11-10T00:52:27")
FINE = "2026-11-10T00:00:00Z"


def carried(kind: Kind, *pairs: tuple[object, object], **more: Any) -> tuple[Pulled, Record]:
    """What arrives of records with these ids and instants."""
    record = kind.record
    assert record is not None
    found = [{**record.make(*pair), **more} for pair in pairs]
    with serving(lambda request: kind.page(request, found, None)) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    return done, record


@those(lambda kind: kind.record and kind.record.forms)
@shows(22)
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


@those(lambda kind: kind.record and kind.record.forms)
@shows(22)
def test_an_unknown_form_of_time_rejects_its_row_and_not_the_page(kind: Kind) -> None:
    beyond = "9999-12-31T23:59:59-05:00"
    done, record = carried(kind, (1, FINE), (2, "yesterday"), (3, FINE), (4, beyond))
    assert sorted(row[record.id] for row in done.table(record.table)) == [record.shown(1), record.shown(3)]
    told = {reject.reason for reject in done.rejects}
    assert len(told) == 2
    for said in ("yesterday", beyond):
        assert any(said in reason for reason in told)


@CARRYING
@shows(20)
def test_a_record_of_the_year_one_carries_no_cursor_there(kind: Kind) -> None:
    """Some services write a time that is not set as the first instant there is: nothing lies an overlap before that."""
    record = kind.record
    assert record is not None
    text = json.dumps(record.make(1, "0001-01-01T00:00:00Z")).replace(FINE, "0001-01-01T00:00:00Z")
    with serving(lambda request: kind.page(request, [json.loads(text)], None)) as server:
        first = pull(kind.source(server.url))
        second = pull(kind.source(server.url), since=first.cursor)
    assert (first.error, second.error) == (None, None)


@CARRYING
@shows(24)
def test_ids_above_two_to_the_53_stay_as_they_are_and_are_one_thing_as_number_and_as_text(kind: Kind) -> None:
    large = 2**63 - 1
    done, record = carried(kind, (large, FINE), (large - 1, FINE), (str(large), FINE))
    assert sorted(row[record.id] for row in done.table(record.table)) == [record.shown(large - 1), record.shown(large)]


@CARRYING
@shows(25)
def test_unknown_fields_and_words_keep_the_row(kind: Kind) -> None:
    strange = {
        "status": "levitating",
        "StatusCode": "levitating",
        "state": "levitating",
        "conclusion": "levitating",
        "type": "LEVITATING",
        "brandNew": [{}],
    }
    done, record = carried(kind, (1, FINE), **strange)
    assert [row[record.id] for row in done.table(record.table)] == [record.shown(1)]
    assert done.rejects == []


@those(lambda kind: kind.record and kind.record.named)
@shows(25)
def test_a_record_without_its_id_is_one_reject(kind: Kind) -> None:
    record = kind.record
    assert record is not None
    whole, bare = record.make(1, FINE), record.make(2, FINE)
    for name in ("id", "context", "spanId"):
        bare.pop(name, None)
    with serving(lambda request: kind.page(request, [whole, bare], None)) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    assert [row[record.id] for row in done.table(record.table)] == [record.shown(1)]
    assert len({reject.reason for reject in done.rejects}) == 1


@those(lambda kind: kind.record and kind.paged and kind.cls.kind not in {"linear", "gitlab", "aws"})
@shows(19)
def test_a_record_that_moves_while_pages_are_read_is_there_once_as_it_is_now(kind: Kind) -> None:
    record = kind.record
    assert record is not None
    first = [record.make(1, FINE), record.make(2, FINE)]
    later = "2026-11-10T00:52:27Z"
    second = [record.make(1, later) | {"updated_at": later}, record.make(3, FINE)]

    def answer(request: Request) -> Reply:
        behind = BEHIND in f"{request.target} {request.json}"
        return kind.page(request, second if behind else first, None if behind else BEHIND)

    with serving(answer) as server:
        done = pull(kind.source(server.url))
    assert done.error is None
    assert {row[record.id]: row[record.at] for row in done.table(record.table)} == {
        record.shown(1): AT, record.shown(2): datetime.fromisoformat(FINE).replace(tzinfo=None),
        record.shown(3): datetime.fromisoformat(FINE).replace(tzinfo=None),
    }  # fmt: skip


TWICE = "2026-11-01T01:30:00"
"""A quarter of an hour that New York has twice."""


@EVERY
@shows(21)
def test_where_this_machine_the_account_and_the_project_stand_changes_nothing(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    record, forms = kind.record, (f"{TWICE}-04:00", f"{TWICE}-05:00", "2026-11-01T13:30:00.000+0800")
    found = (
        [{"day": "2026-10-31", "value": 3}] if record is None else [record.make(n, at) for n, at in enumerate(forms, 1)]
    )
    request.addfinalizer(time.tzset)
    request.addfinalizer(monkeypatch.undo)
    seen: list[object] = []
    with serving(lambda asked: kind.page(asked, found, None)) as server:
        for zone in ("UTC", "America/New_York", "Asia/Shanghai"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            now = datetime.fromisoformat("2026-11-01T06:10:00+00:00").astimezone(ZoneInfo(zone))
            done = pull(kind.source(server.url, now=lambda now=now: now), since="2026-11-01T05:00:00")
            seen.append((done.pages, done.error, sorted(f"{one.target} {one.json}" for one in server.requests)))
            server.requests.clear()
    assert seen == [seen[0]] * 3
    if record is not None:
        shown = [at.isoformat()[11:16] for row in done.table(record.table) if (at := row[record.at])]
        assert sorted(shown) == ["05:30", "05:30", "06:30"]


@CARRYING
@shows(18)
def test_a_last_page_that_is_full_is_the_last(kind: Kind) -> None:
    done, record = carried(kind, *((number, FINE) for number in range(1, 101)))
    assert len(done.table(record.table)) == 100
    assert done.rejects == []


@EVERY
@shows(18)
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
