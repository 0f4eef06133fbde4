"""Amplitude: there is no specification and no real dump, so a hand-written server with the documented shapes."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.amplitude import Amplitude, AmplitudeSettings, series_rows
from connectors.answers import Answer
from connectors.base import Malformed, RateLimited
from tests.connectors.pull import NOW, call, network, pull, recordings
from tests.connectors.server import Reply, Request, serving


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
def test_labels_come_as_texts_pairs_or_objects(labels: list[Any]) -> None:
    data = {"series": [[1, 2], [3, None]], "seriesLabels": labels, "xValues": ["2026-11-01", "2026-11-02T00:00:00"]}
    rows = series_rows(answer(data), "m", "users", "", date(2026, 11, 2), NOW.replace(tzinfo=None))
    assert [(row[1], row[2].day, row[4]) for row in rows if isinstance(row[2], datetime)] == [
        ("Free", 1, 1.0), ("Free", 2, 2.0), ("Paid", 1, 3.0), ("Paid", 2, None),
    ]  # fmt: skip


def test_series_and_days_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Malformed, match="values than days"):
        series_rows(answer({"series": [[1]], "xValues": []}), "m", "users", "", date(2026, 11, 2), NOW)


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
