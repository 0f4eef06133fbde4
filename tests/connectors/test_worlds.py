"""Every source with all its streams, and every kind of file: whole the first time, and the second time nothing changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from aether_tui.cache import Cache
from aether_tui.sync.engine import Outcome
from aether_tui.sync.intake import Counts
from aether_tui.sync.loading import load
from aether_tui.sync.registry import file_kind
from tests.connectors.kinds import KINDS
from tests.connectors.pull import NOW, Time
from tests.connectors.server import Reply, Request, serving
from tests.connectors.strangers import SECRET, Phoenix
from tests.connectors.worlds import WORLDS, World, linear
from tests.sync.fake import workspace, writer
from tests.sync.kills import dump

LATER = 8.1 * 3600
"""Longer than a bill that was paid for is good for; twice as much later it is still the same day in New York."""


class Told:
    """A server that first asks for seven seconds, and later says that nothing is left of a limit."""

    def __init__(self, world: World, time: Time) -> None:
        self.world, self.time = world, time
        self.headers: dict[str, str] = {}
        self.refusals = [Reply({}, 429, {"Retry-After": "7"})]

    def __call__(self, request: Request) -> Reply:
        if self.refusals:
            return self.refusals.pop()
        reply = self.world.answer(request)
        date = {"Date": format_datetime(self.time.now(), usegmt=True)}
        return Reply(reply.body, reply.status, {**date, **reply.headers, **self.headers}, reply.cut)


@pytest.fixture(params=["linear", *WORLDS])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "linear":
        return linear(request.getfixturevalue("linear_schema"))
    return WORLDS[request.param]()


def rows(root: Path) -> dict[str, list[Any]]:
    """Every table and rollup, but for when a stream was read last and an export was taken."""
    found = dump(root / ".aether" / "cache.duckdb")
    return {**found, "sync_state": [], "meta": [], "exports": [row[:3] for row in found["exports"]]}


def changes(outcomes: list[Outcome]) -> set[tuple[str, int]]:
    return {(one.error, one.counts.inserted + one.counts.updated + one.counts.removed) for one in outcomes}


def test_everything_arrives_later_syncs_change_no_row_and_ask_thrice_a_stream_at_most_and_what_is_gone_goes_after_a_day(
    world: World, tmp_path: Path
) -> None:
    time = Time()
    service = Told(world, time)
    with serving(service) as server:
        first = world.sync(tmp_path, server.url, time)
        assert [one.error for one in first] == [""] * len(first)
        assert (first[0].traffic.waited_s, time.waits) == (7.0, [7.0])
        assert all(one.traffic.requests and one.traffic.bytes for one in first)
        before = rows(tmp_path)
        assert {name: len(before[name]) for name in world.holds} == world.holds
        assert [one.problems for one in first] == [[]] * len(first)

        time.waits = [LATER]
        service.headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30"}
        second = world.sync(tmp_path, server.url, time)
        assert changes(second) == {("", 0)}
        assert all(0 < one.traffic.requests <= 3 for one in second), second
        assert set(time.waits[1:]) <= {30.0}

        # Another server, whose clock says that the newest thing has just happened: what is older may still appear.
        then = format_datetime((world.newest + timedelta(minutes=1)).astimezone(UTC), usegmt=True)
        service.headers["Date"] = then
        time.waits = [sum(time.waits)]
        third = world.sync(tmp_path, server.url, time)
        assert changes(third) == {("", 0)}
        assert rows(tmp_path) == before
        asked = sum(one.traffic.requests for one in third)
        # The limit that the sync before was told is waited for before anything is asked, to the second.
        assert time.waits[1:] == [30.0] * asked
        assert all(one.traffic.requests <= 3 for one in third)
        if world.conditional:
            assert sum(one.traffic.bytes for one in third) == 0

        service.headers = {"Date": then}
        world.late()
        if world.gone is not None:
            world.gone()
        time.waits = [2 * LATER]
        fifth = world.sync(tmp_path, server.url, time)
        before = rows(tmp_path)
        table, held = next(iter(world.holds.items()))
        assert (fifth[0].error, len(before[table])) == ("", held + world.more)
        assert fifth[0].counts.inserted + fifth[0].counts.updated > 0
        assert sum(one.counts.removed for one in fifth) == 0  # nobody looked

        if world.gone is None:
            assert not any(stream.sweep_s for stream in world.cls.streams)
            return
        service.headers = {}
        time.waits = [25 * 3600.0]
        swept = world.sync(tmp_path, server.url, time)
        after = rows(tmp_path)
        assert {name: len(before[name]) - len(after[name]) for name in world.lost} == world.lost
        assert all("gone at the source" in one.problems[-1] for one in swept if one.counts.removed)
        time.waits = [50 * 3600.0]
        assert sum(one.counts.removed for one in world.sync(tmp_path, server.url, time)) == 0


def test_settings_that_changed_are_told_once_and_a_full_sync_applies_them(tmp_path: Path) -> None:
    world, time = WORLDS["jira"](), Time()
    other = replace(world, settings={**world.settings, "estimate_field": "Impact"})
    with serving(world.answer) as server:
        world.sync(tmp_path, server.url, time)
        (told, _) = other.sync(tmp_path, server.url, time)
        assert "settings of one have changed: `aether-tui sync one --full`" in told.problems[0]
        assert other.sync(tmp_path, server.url, time)[0].problems == []
        (whole, _) = other.sync(tmp_path, server.url, time, full=True)
        assert (whole.problems, whole.counts.updated > 0) == ([], True)
        # What is not asked for any more is not gone.
        assert world.gone is not None
        world.gone()
        time.waits = [25 * 3600.0]
        (narrow, _) = replace(other, settings={**other.settings, "projects": ["OTHER"]}).sync(
            tmp_path, server.url, time
        )
        time.waits = [50 * 3600.0]
        (wide, _) = other.sync(tmp_path, server.url, time)
    assert (narrow.counts.removed, wide.counts.removed) == (0, 1)


@pytest.mark.parametrize(("name", "status"), [("jira", 403), ("jira_dc", 404)])
def test_a_site_without_jira_software_is_told_once_and_has_its_sprints_when_it_gets_it(
    name: str, status: int, tmp_path: Path
) -> None:
    """As the specification says of the Cloud (no licence), and as servers without that application answer."""
    world, time, boards = WORLDS[name](), Time(), [Reply({"message": "null for uri"}, status)]

    def answer(request: Request) -> Reply:
        return boards[0] if "/agile/" in request.path and boards else world.answer(request)

    with serving(answer) as server:
        _, told = world.sync(tmp_path, server.url, time)
        later = []
        for hours in (0.5, 8, 25, 26, 51):  # within the hour of boards, on the same day, after a day
            time.waits = [hours * 3600]
            later += world.sync(tmp_path, server.url, time)
        assert (told.error, told.traffic.requests) == ("", 1)
        assert "Jira Software" in told.problems[0] and "sprints are left out" in told.problems[0]
        assert [(one.error, one.problems) for one in later] == [("", [])] * len(later)
        boards.clear()
        time.waits = [53 * 3600.0]
        assert world.sync(tmp_path, server.url, time)[1].counts.inserted == world.holds["iterations"]


@pytest.mark.parametrize("name", ["langfuse", "phoenix", "clickhouse"])
def test_what_was_empty_is_asked_for_once_and_has_what_comes_however_old(name: str, tmp_path: Path) -> None:
    world, time, nothing = WORLDS[name](), Time(), [None]
    world = replace(world, settings={**world.settings, "days_back": 365})

    def answer(request: Request) -> Reply:
        return KINDS[name].page(request, [], None) if nothing else world.answer(request)

    with serving(answer) as server:
        (first, *_) = world.sync(tmp_path, server.url, time)
        assert (first.error, first.problems, first.traffic.requests) == ("", [], 4)  # windows that grow
        (second, *_) = world.sync(tmp_path, server.url, time)
        assert (second.error, second.problems, second.traffic.requests) == ("", [], 1)
        nothing.clear()
        (third, *_) = world.sync(tmp_path, server.url, time)
    assert (third.error, third.counts.inserted) == ("", next(iter(world.holds.values())))


def test_annotations_of_phoenix_are_outcomes_of_their_tasks_without_what_was_written(tmp_path: Path) -> None:
    world, time = WORLDS["phoenix"](), Time()
    peer, said = world.answer, "aaaa"
    assert isinstance(peer, Phoenix)
    with serving(world.answer) as server:
        world.sync(tmp_path, server.url, time)
        # Whoever says it later is heard within a day, of traces of the last week.
        old = peer.spans[601]["context"]["span_id"]
        peer.said.append(peer.said[0] | {"id": said, "span_id": old, "result": {"label": "poor"}})
        time.waits = [LATER]
        world.sync(tmp_path, server.url, time)
        assert said not in {row[1] for row in rows(tmp_path)["outcomes"]}
        time.waits = [25 * 3600.0]
        assert world.sync(tmp_path, server.url, time)[1].counts.inserted == 1
    with Cache(tmp_path / ".aether" / "cache.duckdb").read() as lease:
        found = lease.rows("SELECT o.* FROM outcomes o JOIN spans s USING (source, trace_id, span_id) ORDER BY id")
        (trace,) = lease.rows("SELECT * FROM outcomes WHERE span_id IS NULL")
    assert [(one["value"], one["kind"], one["name"]) for one in found] == [
        ("poor", "HUMAN", "helpfulness"), ("helpful", "HUMAN", "helpfulness"), ("helpful", "HUMAN", "helpfulness"),
    ]  # fmt: skip
    assert (trace["trace_id"], trace["value"]) == (peer.spans[7]["context"]["trace_id"], "0.25")
    assert SECRET not in repr([found, trace])


COUNTS = {"total_count", "totalItems", "count"}
"""Where services say how much there is; GitLab says it in a header."""


@pytest.mark.parametrize("name", ["jira", "github", "gitlab", "langfuse_before"])
def test_a_source_that_counts_more_than_it_gives_is_told(name: str, tmp_path: Path) -> None:
    world = WORLDS[name]()

    def more(number: object) -> object:
        return int(str(number)) * 3 // 2

    def counted(found: object) -> object:
        if not isinstance(found, dict):
            return found
        return {key: more(one) if key in COUNTS else counted(one) for key, one in found.items()}

    def boasting(request: Request) -> Reply:
        reply = world.answer(request)
        total = reply.headers.get("X-Total")
        body = reply.body if isinstance(reply.body, bytes) else counted(reply.body)
        return Reply(
            body, reply.status, {**reply.headers, **({"X-Total": str(more(total))} if total else {})}, reply.cut
        )

    with serving(boasting) as server:
        first = world.sync(tmp_path, server.url, Time())
    (told,) = first[0].problems
    assert (first[0].error, "source counts" in told, "--full" in told) == ("", True, True)


SHEETS = {
    "items": "id,title,created,state\n1,One,2026-01-02,Open\n2,Two,2026-01-03,Done\n",
    "opportunities": "id,title,problem\n1,Answers,Agents search for long\n",
    "invoice": "date,service,amount,currency\n2026-10-01,Claude,12.50,USD\n",
    "requests": "text,at\nWhere is my parcel,2026-11-01T10:00:00\nWhere is my money,2026-11-02T10:00:00\n",
    "spans": "trace_id,span_id,start\n0000000000000000000000000000000b,b,2026-11-01T10:00:00\n",
}
FILES = {
    "focus": "focus", "infracost": "infracost/example_breakdown.json", "junit": "junit/jest", "otlp": "otlp/captured",
    "langfuse": "langfuse/framework-traces/langgraph-2025-08-22.json.gz",
}  # fmt: skip
"""Files of strangers by kind, in the folder of contracts."""


@pytest.mark.parametrize("form", [*FILES, *SHEETS])
def test_a_file_that_is_loaded_again_changes_no_row(form: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if form in FILES:
        path = request.getfixturevalue("contracts") / FILES[form]
    else:
        path = tmp_path / f"{form}.csv"
        path.write_text(SHEETS[form])
    place, config = workspace(tmp_path / "acme")
    forced = file_kind(form)

    def counts(hours: int) -> list[Counts]:
        now = NOW + timedelta(hours=hours)
        done = load(
            [path],
            kinds=[forced],
            forced=forced if form in SHEETS else None,
            writer=writer(place, config, now),
            now=now,
        )
        assert [one.error for one in done if not one.skipped] == [""] * sum(not one.skipped for one in done)
        return [one.counts for one in done]

    first, before = counts(0), rows(tmp_path / "acme")
    again = counts(1)
    assert sum(one.inserted for one in first) > 0
    assert [(one.inserted, one.updated, one.removed, one.rows) for one in again] == [
        (0, 0, 0, one.rows) for one in first
    ]
    assert rows(tmp_path / "acme") == before
