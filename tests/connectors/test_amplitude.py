"""Amplitude: there is no specification and no real dump, so a hand-written server with the documented shapes."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.sync.engine import Outcome, run
from aether_tui.sync.plan import Job
from aether_tui.workspace.folder import Workspace
from connectors.amplitude import Amplitude, AmplitudeSettings
from connectors.amplitude_rows import series_rows
from connectors.answers import Answer
from connectors.base import Malformed, RateLimited
from tests.connectors.catalogue import shows
from tests.connectors.pull import NOW, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving
from tests.sync.fake import workspace, writer


def amplitude(url: str, *, now: datetime = NOW, root: Path = Path(), **settings: Any) -> Amplitude:
    keys = {"api_key": "canary-key", "secret_key": "canary-secret"}
    return Amplitude(AmplitudeSettings(url=url, **settings), keys, network(now=lambda: now, root=root))


def days(request: Request) -> list[str]:
    first, last = (datetime.strptime(request.query[name], "%Y%m%d").replace(tzinfo=UTC) for name in ("start", "end"))
    return [date.fromordinal(n).isoformat() for n in range(first.toordinal(), last.toordinal() + 1)]


def project(request: Request) -> Reply:
    axis = days(request)
    base = {"active": 100, "new": 10}.get(request.query["m"], 1000)
    values = [base + n for n in range(len(axis))]
    labels = {"seriesLabels": [[0, "Sent"]]} if "e" in request.query else {"seriesMeta": [{"segmentIndex": 0}]}
    return Reply({"data": {"series": [values], "xValues": axis, **labels}})


def test_users_and_events_per_day_with_basic_credentials() -> None:
    with serving(project) as server:
        active = pull(amplitude(server.url, days_back=30, timezone="UTC"), "active_users")
        new = pull(amplitude(server.url, days_back=30, timezone="UTC"), "new_users")
        events = pull(
            amplitude(server.url, days_back=30, timezone="UTC", events=["Sent", "Accepted, too"]), "segmentation"
        )
        requests = server.requests
    rows = active.table("product_metrics")
    assert (len(rows), rows[0]["value"], rows[-1]["value"]) == (31, 100.0, 130.0)
    assert (rows[0]["day"].isoformat(), rows[-1]["day"].isoformat()) == ("2026-10-21T00:00:00", "2026-11-20T00:00:00")
    assert {(row["metric"], row["segment"], row["unit"], row["zone"]) for row in rows} == {
        ("active_users", "", "users", "UTC")
    }
    assert {row["metric"] for row in new.table("product_metrics")} == {"new_users"}
    assert {(row["metric"], row["unit"]) for row in events.table("product_metrics")} == {
        ("event:Sent", "events"), ("event:Accepted, too", "events"),
    }  # fmt: skip
    assert requests[0].headers["authorization"] == "Basic Y2FuYXJ5LWtleTpjYW5hcnktc2VjcmV0"
    assert [request.path for request in requests] == ["/api/2/users"] * 2 + ["/api/2/events/segmentation"] * 2
    assert json.loads(requests[3].query["e"]) == {"event_type": "Accepted, too"}
    assert {request.query["i"] for request in requests} == {"1"}


def test_the_next_sync_reads_three_days_again_and_the_cursor_names_finished_days() -> None:
    with serving(project) as server:
        first = pull(amplitude(server.url, timezone="UTC"), "active_users")
        assert json.loads(first.cursor or "") == {"active_users": "2026-11-19"}
        second = pull(amplitude(server.url, timezone="UTC"), "active_users", first.cursor)
        assert days(server.requests[-1]) == ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"]
    assert second.cursor == first.cursor


@pytest.mark.parametrize(
    ("zone", "now", "incomplete"),
    [
        ("UTC", "2026-11-20T12:00+00:00", ["2026-11-20"]),
        ("America/New_York", "2026-11-20T03:00+00:00", ["2026-11-19"]),
        ("Pacific/Auckland", "2026-11-20T12:00+00:00", ["2026-11-21"]),
        ("", "2026-11-20T03:00+00:00", ["2026-11-19"]),
    ],
)
@shows(21, of="amplitude")
def test_days_that_are_not_over_in_the_projects_zone_are_marked(zone: str, now: str, incomplete: list[str]) -> None:
    with serving(project) as server:
        source = amplitude(server.url, now=datetime.fromisoformat(now), timezone=zone, days_back=5)
        rows = pull(source, "active_users").table("product_metrics")
    assert [row["day"].date().isoformat() for row in rows if row["incomplete"]] == incomplete
    assert {row["zone"] for row in rows} == {zone or None}


def answer(data: dict[str, Any]) -> Answer:
    return Answer("GET /x", 200, {}, json.dumps({"data": data}).encode(), NOW)


@pytest.mark.parametrize(
    "labels", [["Free", "Paid"], [[0, "Free"], [0, "Paid"]], [{"label": "Free"}, {"label": "Paid"}]]
)
@shows(22, 25, of="amplitude")
def test_labels_come_as_texts_pairs_or_objects_and_days_in_three_forms(labels: list[Any]) -> None:
    days = ["2026-11-01", "2026-11-02T00:00:00", "Nov 03, 2026", "yesterday"]
    data = {
        "series": [[1, {"setId": "", "value": 2}, 3, 9], [3, None, "x", 9]],
        "seriesLabels": labels,
        "xValues": days,
        "new": [None],
    }
    with serving(lambda _: Reply({"data": data, "more": {}})) as server:
        done = pull(amplitude(server.url))
    assert done.error is None
    assert [(row["segment"], row["day"].day, row["value"]) for row in done.table("product_metrics")] == [
        ("Free", 1, 1.0), ("Free", 2, 2.0), ("Free", 3, 3.0), ("Paid", 1, 3.0), ("Paid", 2, None), ("Paid", 3, None),
    ]  # fmt: skip
    assert {reject.reason for reject in done.rejects} == {"not a day: 'yesterday'"}


def test_series_and_days_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Malformed, match="values than days"):
        series_rows(answer({"series": [[1]], "xValues": []}), "m", "users", "", date(2026, 11, 2), NOW)


@shows(11, of="amplitude")
def test_the_budget_is_kept_before_asking_and_the_next_sync_goes_on() -> None:
    names = [f"event {n}" for n in range(12)]
    with serving(project) as server:
        done = pull(amplitude(server.url, days_back=120, timezone="UTC", events=names), "segmentation")
        assert len(server.requests) == 8
        assert isinstance(done.error, RateLimited)
        assert done.error.opens_at is not None
        assert (done.error.opens_at - NOW).total_seconds() == 300
        again = pull(amplitude(server.url, days_back=120, timezone="UTC", events=names), "segmentation", done.cursor)
    assert again.error is None
    assert len(json.loads(again.cursor or "")) == 12


def test_check_asks_for_one_day() -> None:
    with serving(project) as server:
        source = amplitude(server.url, region="eu")
        assert call(source, source.check) == "a project in Amplitude's EU region"
        assert len(days(server.requests[0])) == 1


def test_regions_have_their_own_hosts() -> None:
    hosts = [Amplitude(AmplitudeSettings(region=region), {}, network())._http.base for region in ("us", "eu")]
    assert hosts == ["https://amplitude.com", "https://analytics.eu.amplitude.com"]
    with pytest.raises(ValidationError):
        AmplitudeSettings(timezone="Mars/Olympus")


def test_replay(tmp_path: Path) -> None:
    body = {"data": {"series": [[1, 2]], "seriesLabels": ["Sent"], "xValues": ["2026-11-19", "2026-11-20"]}}
    segmentation = {"method": "GET", "path": "/api/2/events/segmentation"}
    lines = [{**segmentation, "match": {"query": {"e": '{"event_type": "Sent"}', "m": "uniques"}}, "body": body}]
    url = recordings(tmp_path, [json.dumps(line) for line in lines])
    source = amplitude(url, root=tmp_path, events=["Sent"], measure="uniques")
    rows = pull(source, "segmentation").table("product_metrics")
    assert [(row["metric"], row["value"], row["unit"]) for row in rows] == [
        ("event:Sent", 1.0, "users"),
        ("event:Sent", 2.0, "users"),
    ]


def funnel(request: Request) -> Reply:
    axis = days(request)
    series = [[100, 50, 25 + n] for n in range(len(axis))]
    group = {
        "stepByStep": [1, 0.5, 0.5],
        "cumulativeRaw": [100, 50, 25],
        "dayFunnels": {"series": series, "xValues": axis},
    }
    return Reply({"data": [group]})


def test_a_funnel_per_day_with_its_window_and_days_that_may_still_change() -> None:
    with serving(funnel) as server:
        source = amplitude(
            server.url, days_back=9, timezone="UTC", funnels={"answered": ["Ask", "Shown", "Accepted"]}, funnel_days=2
        )
        rows = pull(source, "funnels").table("product_metrics")
        asked = server.requests[0]
    assert asked.path == "/api/2/funnels"
    assert asked.target.count("e=%7B%22event_type%22") == 3
    assert asked.query["cs"] == "172800"
    first = [row for row in rows if row["day"].day == 11]
    assert [(row["metric"], row["segment"], row["value"], row["unit"]) for row in first] == [
        ("funnel:answered", "entered", 100.0, "users"),
        ("funnel:answered", "step 2: Shown", 0.5, "ratio"),
        ("funnel:answered", "", 0.25, "ratio"),
    ]
    assert {row["day"].day for row in rows if row["incomplete"]} == {18, 19, 20}
    with pytest.raises(ValidationError, match="two events"):
        AmplitudeSettings(funnels={"short": ["Ask"]})


def test_retention_after_one_seven_and_thirty_days() -> None:
    periods = [{"count": 200 - after, "outof": 200, "incomplete": after == 30} for after in range(31)]
    values = {"Nov 01, 2026": periods, "2026-11-02": [*periods[:1], {"count": 5, "outof": 0}]}
    body = {"data": {"series": [{"dates": list(values), "values": values}]}}
    with serving(lambda _: Reply(body)) as server:
        source = amplitude(server.url, timezone="UTC", retention={"weekly": ["_new", "_active"]})
        done = pull(source, "retention")
        asked = server.requests[0].query
    assert (json.loads(asked["se"]), json.loads(asked["re"])) == ({"event_type": "_new"}, {"event_type": "_active"})
    assert [
        (row["metric"], row["day"].day, row["value"], row["incomplete"]) for row in done.table("product_metrics")
    ] == [
        ("retention:weekly day 1", 1, 0.995, False),
        ("retention:weekly day 7", 1, 0.965, False),
        ("retention:weekly day 30", 1, 0.85, True),
        ("retention:weekly day 1", 2, None, False),
    ]


@pytest.mark.parametrize(
    "said", [None, [], {}, [[]], [{"dayFunnels": {"series": "many", "xValues": []}}], {"series": {}}]
)
def test_an_answer_of_something_else_is_no_empty_funnel_and_no_empty_retention(said: object) -> None:
    with serving(lambda _: Reply({"data": said})) as server:
        for settings in (
            {"funnels": {"answered": ["Ask", "Accepted"]}},
            {"retention": {"weekly": ["_new", "_active"]}},
        ):
            done = pull(amplitude(server.url, **settings), next(iter(settings)))
            assert isinstance(done.error, Malformed)
            assert "this is not the API" in done.error.what


def event(name: str, at: str, uuid: str | int) -> str:
    said = {
        "event_type": name,
        "event_time": at,
        "uuid": uuid,
        "user_id": "ada@example.com",
        "event_properties": {"n": 1},
    }
    return json.dumps(said)


def export(hours: dict[str, list[str]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for hour, lines in hours.items():
            archive.writestr(f"1/1_{hour}.json.gz", gzip.compress("\n".join(lines).encode()))
    return packed.getvalue()


HOURS = {
    "2026-11-20_3#0": [
        event("Ask", "2026-11-20 03:10:00.1", "a"), event("Ask", "2026-11-20 03:10:00.1", "a"),
        event("Ask", "2026-11-19 23:59:59.9", "b"), event("Accept", "2026-11-20 03:11:00", "c"), "{broken",
    ],
    "2026-11-20_3#1": [event("Ask", "2026-11-20 03:12:00", "d"), event("", "2026-11-20 03:12:00", "e")],
    "2026-11-20_4#0": [event("Ask", "2026-11-20 03:59:00", 2**63 - n) for n in (1, 2, 3)],
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "acme")[0]


def sync(place: Workspace, url: str) -> Outcome:
    """The stream `export` into the cache of a workspace."""
    source = amplitude(url, export=True, export_days_back=1)
    keys = {"api_key": "canary-key", "secret_key": "canary-secret"}
    job = Job("amplitude", Amplitude, source._settings, source._network, keys)
    outcomes = asyncio.run(run([job], writer(place, Config(), NOW), lambda _: None))
    return next(one for one in outcomes if one.stream == "export")


def test_what_settings_leave_empty_is_not_asked_for() -> None:
    def asked(**settings: object) -> list[str]:
        source = amplitude("http://127.0.0.1:9", **settings)
        return [one.name for one in Job("amplitude", Amplitude, source._settings, source._network).streams]

    assert asked() == ["active_users", "new_users"]
    assert asked(events=["Ask"], funnels={"all": ["Ask", "Accept"]}) == [
        "active_users", "new_users", "segmentation", "funnels"
    ]  # fmt: skip
    assert asked(export=True)[-1] == "export"


def uploaded(body: bytes) -> Callable[[Request], Reply]:
    """Everything was uploaded between two and nine in the morning; nothing otherwise."""

    def answer(request: Request) -> Reply:
        if not request.path.endswith("/export"):
            return Reply({"data": {"series": [], "xValues": []}})
        inside = request.query["start"] <= "20261120T04" <= request.query["end"]
        return Reply(body, headers={"Content-Type": "application/zip"}) if inside else Reply({}, 404)

    return answer


@shows(24, of="amplitude")
def test_an_export_is_counted_by_event_and_day_and_nothing_of_it_stays(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))  # events lie in the workspace, or nowhere
    with serving(uploaded(export(HOURS))) as server:
        first = sync(place, server.url)
        periods = [(r.query["start"], r.query["end"]) for r in server.requests if r.path.endswith("/export")]
        second = sync(place, server.url)
        again = [r.query["start"] for r in server.requests if r.path.endswith("/export")][len(periods) :]
    assert (first.error, first.counts.inserted, first.counts.rejected) == ("", 4, 1)
    assert periods == [("20261119T09", "20261120T08")]
    assert (second.counts.inserted, second.counts.updated, again) == (0, 0, ["20261120T06"])
    with Cache(place.cache_path).read() as lease:
        rows = lease.rows('SELECT metric, segment, "day", value FROM product_metrics ORDER BY ALL')
        said = lease.rows("SELECT reason FROM rejects")
    assert [(row["metric"], row["segment"], row["day"].day, row["value"]) for row in rows] == [
        ("exported:Accept", "uploaded 2026-11-20T03", 20, 1.0),
        ("exported:Ask", "uploaded 2026-11-20T03", 19, 1.0),
        ("exported:Ask", "uploaded 2026-11-20T03", 20, 2.0),
        ("exported:Ask", "uploaded 2026-11-20T04", 20, 3.0),
    ]
    assert "without a name" in said[0]["reason"]
    assert b"ada@example.com" not in place.cache_path.read_bytes()
    assert list((place.cache_path.parent / "aside").iterdir()) == []


@shows(4, 14, of="amplitude")
def test_no_data_is_nothing_and_an_archive_cut_short_is_fetched_once_more() -> None:
    whole = export(HOURS)
    with serving(lambda _: Reply({}, 404)) as server:
        done = pull(amplitude(server.url, export=True), "export")
        assert (done.error, done.cursor, len(server.requests)) == (None, "2026-11-20T09:00:00", 7)
    with serving(lambda _: Reply(whole[: len(whole) // 2])) as server:
        done = pull(amplitude(server.url, export=True), "export")
        assert len(server.requests) == 2
    assert isinstance(done.error, Malformed)
    assert done.cursor is None
    assert pull(amplitude("http://127.0.0.1:9"), "export").pages == []


def test_a_status_without_a_file_is_no_trouble_of_this_machine() -> None:
    with serving(lambda _: Reply(b"", 204)) as server:
        done = pull(amplitude(server.url, export=True), "export")
    assert isinstance(done.error, Malformed)
    assert "answered 204 instead of a file" in done.error.what


@shows(14, of="amplitude")
def test_an_inner_file_cut_short_stores_nothing(place: Workspace) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        lines = "\n".join(event("Ask", "2026-11-20 03:10:00", f"{n:032x}") for n in range(2000))
        archive.writestr("1/1_2026-11-20_4#0.json.gz", gzip.compress(lines.encode())[:-2000])
    with serving(uploaded(packed.getvalue())) as server:
        outcome = sync(place, server.url)
    assert "damaged or cut archive" in outcome.error
    assert outcome.counts.rows == 0


@shows(8, of="amplitude")
def test_more_than_one_export_may_hold_is_asked_for_in_parts() -> None:
    def answer(request: Request) -> Reply:
        start, end = (
            datetime.strptime(request.query[name], "%Y%m%dT%H").replace(tzinfo=UTC) for name in ("start", "end")
        )
        return Reply({"error": "too large"}, 400) if (end - start).seconds // 3600 >= 6 else Reply({}, 404)

    with serving(answer) as server:
        done = pull(amplitude(server.url, export=True, export_days_back=1), "export")
        assert len(server.requests) == 5
    assert (done.error, done.cursor) == (None, "2026-11-20T09:00:00")


@pytest.mark.parametrize("name", ["notes.txt", "1/1_2026-11-20_4.json"])
def test_a_member_that_is_no_hour_is_refused(name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, b"x")
    with serving(lambda _: Reply(packed.getvalue())) as server:
        done = pull(amplitude(server.url, export=True, export_days_back=1), "export")
    assert isinstance(done.error, Malformed)
