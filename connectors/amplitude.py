"""Product usage of an Amplitude project: daily users, events, funnels and retention (Dashboard REST API), and the export."""

from __future__ import annotations

import asyncio
import json
import math
import zipfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from aether_tui.records.tables import PRODUCT_METRICS
from connectors.amplitude_export import HOURS, LATE, MAX_ZIP, Exports, tallies
from connectors.amplitude_rows import Found, funnel_rows, measuring, retention_rows, series_rows
from connectors.answers import Answer, Verdict, classify
from connectors.base import Access, Gone, Malformed, Network, Page, RateLimited, Refused, Reject, Stream, Transient
from connectors.http import ADDRESS, Http, HttpSettings

_COUNTS = "counts of days that are over"
ACTIVE = Stream("active_users", (PRODUCT_METRICS,), overlap_s=3 * 86_400, kept=_COUNTS)
NEW = Stream("new_users", (PRODUCT_METRICS,), overlap_s=3 * 86_400, kept=_COUNTS)
EVENTS = Stream("segmentation", (PRODUCT_METRICS,), overlap_s=3 * 86_400, setting="events", kept=_COUNTS)
FUNNELS = Stream("funnels", (PRODUCT_METRICS,), overlap_s=3 * 86_400, setting="funnels", kept=_COUNTS)
RETENTION = Stream("retention", (PRODUCT_METRICS,), overlap_s=31 * 86_400, setting="retention", kept=_COUNTS)
EXPORT = Stream("export", (PRODUCT_METRICS,), overlap_s=3 * 3_600, setting="export", kept=_COUNTS)

_HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
# Published limit per project: 1,000 points in 5 minutes; a query costs its days times its conditions. Recordings are free.
_POINTS, _WINDOW = 1_000, timedelta(minutes=5)
_LONGEST_DAYS = 365


class AmplitudeSettings(HttpSettings):
    """`[sources.amplitude]`. API key and secret key of the project are the secrets `api_key` and `secret_key`."""

    API = "/api"

    url: str = Field("", pattern=f"^$|{ADDRESS}", description="Address, or replay:PATH; empty: the region's own")
    region: Literal["us", "eu"] = Field("us", description="Where the project's data live")
    events: list[str] = Field(default_factory=list, description="Events to count per day, by their names in Amplitude")
    measure: Literal["totals", "uniques"] = Field("totals", description="Count events (totals) or users (uniques)")
    funnels: dict[str, list[str]] = Field(
        default_factory=dict, description="Funnels by a name of yours: their events in order, two or more"
    )
    funnel_days: int = Field(
        7, ge=1, le=90, description="Days within which a funnel must be walked", json_schema_extra={"unit": "days"}
    )
    retention: dict[str, tuple[str, str]] = Field(
        default_factory=dict, description="By a name of yours: the event that begins and the one that shows a return"
    )
    export: bool = Field(False, description="Download raw events by upload hour and keep their counts, of every event")
    export_days_back: int = Field(
        7, ge=1, le=_LONGEST_DAYS, description="Days the first export covers", json_schema_extra={"unit": "days"}
    )
    timezone: str = Field("", description="IANA time zone of the project: its days are days there; empty: unknown")
    days_back: int = Field(
        120, ge=1, le=_LONGEST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )

    @field_validator("funnels")
    @classmethod
    def _of_steps(cls, funnels: dict[str, list[str]]) -> dict[str, list[str]]:
        for name, steps in funnels.items():
            if len(steps) < 2:
                raise ValueError(f"the funnel {name!r} needs two events or more")
        return funnels

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from None
        return name


@dataclass(frozen=True, slots=True)
class _Question:
    """One query: what it is called in the cursor, where it is asked, its points a day, and what its answer means."""

    metric: str
    path: str
    query: tuple[tuple[str, str], ...]
    points: int
    rows: Callable[[Answer], list[Found]]
    again: timedelta = timedelta(0)
    """How much further back than the overlap it is asked again."""


class Amplitude:
    """Users, events, funnels and retention, one row per day and segment; events are counted from exports where asked."""

    kind = "amplitude"
    Settings = AmplitudeSettings
    SECRETS = ("api_key", "secret_key")
    streams = (ACTIVE, NEW, EVENTS, FUNNELS, RETENTION, EXPORT)
    access = Access(
        credential="the API key and the secret key of the project",
        permissions=("the keys of one project; Amplitude has no narrower ones",),
        reads=(
            "daily counts: active and new users, uniques and totals of the events named, steps of funnels, returning users",
            "with `export`: raw events pass through, of which only name, time and id are read and only counts are kept",
        ),
        leaves=("user properties", "event properties", "identities"),
    )

    def __init__(self, settings: AmplitudeSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        keys = {name: secrets.get(name, "") for name in self.SECRETS}
        self._http = Http(
            settings.url or _HOSTS[settings.region],
            network,
            service="Amplitude",
            secrets=keys,
            basic=(keys["api_key"], keys["secret_key"]),
            classify=classify_amplitude,
            ca_bundle=settings.ca_bundle,
        )
        self._exports = Exports(network)
        self._budget = _Budget(_POINTS if self._http.base else math.inf)

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """One page per metric. The cursor is a JSON object: the last finished day of each metric read so far.

        Raises SourceError; RateLimited before asking when the project's budget would not allow it. Never stores.
        """
        if stream.name == EXPORT.name:
            async for page in self._exported(since, timedelta(seconds=stream.overlap_s)):
                yield page
            return
        # An instant as cursor stands for every metric.
        marks: dict[str, str] = json.loads(since) if since and since.startswith("{") else {}
        start = since[:10] if since and not marks else None
        for one in self._questions(stream):
            overlap = timedelta(seconds=stream.overlap_s) + one.again
            first, last = self._period(marks.get(one.metric, start), overlap)
            days = (last - first).days + 1
            self._budget.spend(days * one.points, self._network.now())
            query = [*one.query, ("start", f"{first:%Y%m%d}"), ("end", f"{last:%Y%m%d}"), ("i", "1")]
            answer = await self._http.get(f"{one.path}?{urlencode(query)}")
            found = one.rows(answer)
            rows = [row for row in found if not isinstance(row, Reject)]
            rejects = [row for row in found if isinstance(row, Reject)]
            marks[one.metric] = max(marks.get(one.metric, ""), (self._over_before() - timedelta(days=1)).isoformat())
            yield Page(rows={PRODUCT_METRICS.name: rows}, rejects=rejects, cursor=json.dumps(marks, sort_keys=True))

    async def check(self) -> str:
        """Ask for one day of active users: there is no call that names the project."""
        day = f"{self._over_before() - timedelta(days=1):%Y%m%d}"
        self._budget.spend(1, self._network.now())
        await self._http.get("/api/2/users", {"m": "active", "start": day, "end": day, "i": "1"})
        return f"a project in Amplitude's {self._settings.region.upper()} region"

    async def close(self) -> None:
        """Close connections, and delete what was downloaded."""
        await self._http.close()
        self._exports.close()

    def _questions(self, stream: Stream) -> Iterator[_Question]:
        """Everything `stream` asks for."""
        settings, over = self._settings, self._over_before()
        measure = measuring(settings.timezone, self._naive_now())

        def series(metric: str, path: str, *query: tuple[str, str]) -> _Question:
            unit = "events" if ("m", "totals") in query else "users"
            zone, now = settings.timezone, self._naive_now()
            return _Question(
                metric, path, query, 1, lambda answer: series_rows(answer, metric, unit, zone, over, now)
            )  # fmt: skip

        if stream.name == ACTIVE.name:
            yield series("active_users", "/api/2/users", ("m", "active"))
        elif stream.name == NEW.name:
            yield series("new_users", "/api/2/users", ("m", "new"))
        elif stream.name == EVENTS.name:
            for event in settings.events:
                chosen = ("e", _event(event)), ("m", settings.measure)
                yield series(f"event:{event}", "/api/2/events/segmentation", *chosen)
        elif stream.name == FUNNELS.name:
            window = timedelta(days=settings.funnel_days)
            for name, steps in settings.funnels.items():
                yield _Question(
                    f"funnel:{name}",
                    "/api/2/funnels",
                    (*(("e", _event(step)) for step in steps), ("cs", str(settings.funnel_days * 86_400))),
                    2 * len(steps),
                    lambda answer, name=name, steps=steps: funnel_rows(answer, name, steps, over - window, measure),  # type: ignore[misc]
                    window,
                )
        else:
            for name, (begins, returns) in settings.retention.items():
                yield _Question(
                    f"retention:{name}",
                    "/api/2/retention",
                    (("se", _event(begins)), ("re", _event(returns)), ("rm", "n-day")),
                    8,
                    lambda answer, name=name: retention_rows(answer, name, measure),  # type: ignore[misc]
                )

    async def _exported(self, since: str | None, overlap: timedelta) -> AsyncIterator[Page]:
        """Counts of raw events, a day of upload hours at a time, oldest first; the cursor is the first hour not read."""
        until = self._naive_now().replace(minute=0, second=0, microsecond=0) - LATE
        oldest = until - timedelta(days=self._settings.export_days_back)
        begin = max(datetime.fromisoformat(since) - overlap, until - timedelta(days=_LONGEST_DAYS)) if since else oldest
        begin = begin.replace(minute=0, second=0, microsecond=0)
        hours = HOURS
        while begin < until:
            end = min(begin + timedelta(hours=hours), until)
            try:
                archive = await self._archive(begin, end)
            except (_TooMuch, Transient):
                if hours == 1:
                    raise
                hours = max(1, hours // 4)
                continue
            if archive is not None:
                found = tallies(archive, self._exports.folder, self._naive_now())
                while (tally := await asyncio.to_thread(next, found, None)) is not None:
                    yield Page(tally=tally)
                archive.unlink()
            yield Page(cursor=end.isoformat())
            begin = end

    async def _archive(self, begin: datetime, end: datetime) -> Path | None:
        """The export of some upload hours on disk; None when nothing was uploaded, which is told by a 404."""
        path = self._exports.folder() / "export.zip"
        query = {"start": f"{begin:%Y%m%dT%H}", "end": f"{end - timedelta(hours=1):%Y%m%dT%H}"}
        for attempt in range(2):
            try:
                await self._http.download("/api/2/export", query, path, max_bytes=MAX_ZIP)
            except Gone:
                return None
            with path.open("rb") as file:
                head = file.read(512)
            if head.startswith(b"PK") and zipfile.is_zipfile(path):
                return path
            if head.lstrip().startswith(b"<"):
                raise Malformed(
                    "Amplitude's export is a web page: this is not the API", hint="check the url of this source"
                )
            if attempt:
                raise Malformed("Amplitude's export is no zip archive, or cut short", hint="run sync again")
        raise AssertionError("unreachable")

    def _period(self, mark: str | None, overlap: timedelta) -> tuple[date, date]:
        """First and last day to ask for: from the mark less the overlap (late events) to the day that is running."""
        last = self._over_before()
        oldest = last - timedelta(days=self._settings.days_back)
        if mark is None:
            return oldest, last
        known = date.fromisoformat(mark)
        # What the first sync left out stays out.
        first = known - overlap if known < oldest else max(known - overlap, oldest)
        return max(min(first, last), last - timedelta(days=_LONGEST_DAYS)), last

    def _over_before(self) -> date:
        """Days before this one are over in the project's zone; in an unknown zone, in every zone."""
        now = self._network.now()
        if self._settings.timezone:
            return now.astimezone(ZoneInfo(self._settings.timezone)).date()
        return (now.astimezone(UTC) - timedelta(hours=12)).date()

    def _naive_now(self) -> datetime:
        return self._network.now().astimezone(UTC).replace(tzinfo=None)


class _TooMuch(Refused):
    """More than one export may hold."""


def classify_amplitude(answer: Answer) -> Verdict:
    """Amplitude's customs: an export that is too large is a 400."""
    if answer.status == 400 and answer.asked.endswith("/export"):
        return _TooMuch(
            f"the export was refused ({answer.story()})", hint="an hour may be more than 4 GB: set export = false"
        )
    return classify(answer)


def _event(name: str) -> str:
    return json.dumps({"event_type": name}, ensure_ascii=False)


class _Budget:
    """The project's points of the last five minutes, counted here because no header tells them."""

    def __init__(self, points: float) -> None:
        self._points = points
        self._spent: deque[tuple[datetime, int]] = deque()

    def spend(self, points: int, now: datetime) -> None:
        """Count a query before it is sent. Raises RateLimited when it would go over the limit."""
        while self._spent and self._spent[0][0] <= now - _WINDOW:
            self._spent.popleft()
        if self._spent and sum(cost for _, cost in self._spent) + points > self._points:
            opens_at = self._spent[0][0] + _WINDOW
            raise RateLimited(
                f"Amplitude allows queries worth {_POINTS:,} points in five minutes, and they are spent",
                opens_at=opens_at,
                hint=f"run sync again after {opens_at:%H:%M} UTC: it goes on where it stopped",
            )
        self._spent.append((now, points))
