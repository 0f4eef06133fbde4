"""Daily active and new users and event counts of an Amplitude project (Dashboard REST API)."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from aether_tui.records.tables import PRODUCT_METRICS
from connectors.answers import Answer
from connectors.base import Access, Malformed, Network, Page, RateLimited, Row, Stream
from connectors.fields import dig, number, text
from connectors.http import ADDRESS, Http, HttpSettings

ACTIVE = Stream("active_users", (PRODUCT_METRICS,), overlap_s=3 * 86_400)
NEW = Stream("new_users", (PRODUCT_METRICS,), overlap_s=3 * 86_400)
EVENTS = Stream("segmentation", (PRODUCT_METRICS,), overlap_s=3 * 86_400)

_HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}
# Published limit per project: 1,000 points in 5 minutes; a query costs its days times its conditions. Recordings are free.
_POINTS, _WINDOW = 1_000, timedelta(minutes=5)
_LONGEST_DAYS = 365


class AmplitudeSettings(HttpSettings):
    """`[sources.amplitude]`. API key and secret key of the project are the secrets `api_key` and `secret_key`."""

    url: str = Field("", pattern=f"^$|{ADDRESS}", description="Address, or replay:PATH; empty: the region's own")
    region: Literal["us", "eu"] = Field("us", description="Where the project's data live")
    events: list[str] = Field(default_factory=list, description="Events to count per day, by their names in Amplitude")
    measure: Literal["totals", "uniques"] = Field("totals", description="Count events (totals) or users (uniques)")
    timezone: str = Field("", description="IANA time zone of the project: its days are days there; empty: unknown")
    days_back: int = Field(
        120, ge=1, le=_LONGEST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from None
        return name


class Amplitude:
    """Active users, new users and counts of the configured events, one row per day and segment."""

    kind = "amplitude"
    Settings = AmplitudeSettings
    SECRETS = ("api_key", "secret_key")
    streams = (ACTIVE, NEW, EVENTS)
    access = Access(
        credential="the API key and the secret key of the project",
        permissions=("the keys of one project; Amplitude has no narrower ones",),
        reads=("daily counts: active and new users, uniques and totals of the events named",),
        leaves=("single events", "user properties", "identities"),
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
            ca_bundle=settings.ca_bundle,
        )
        self._budget = _Budget(_POINTS if self._http.base else math.inf)

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """One page per metric. The cursor is a JSON object: the last finished day of each metric read so far.

        Raises SourceError; RateLimited before asking when the project's budget would not allow it. Never stores.
        """
        # An instant as cursor stands for every metric.
        marks: dict[str, str] = json.loads(since) if since and since.startswith("{") else {}
        start = since[:10] if since and not marks else None
        for metric, path, query, cost_per_day in self._questions(stream):
            first, last = self._period(marks.get(metric, start), stream)
            days = (last - first).days + 1
            self._budget.spend(days * cost_per_day, self._network.now())
            answer = await self._http.get(
                path, {**query, "start": f"{first:%Y%m%d}", "end": f"{last:%Y%m%d}", "i": "1"}
            )
            unit = "events" if query["m"] == "totals" else "users"
            rows = series_rows(answer, metric, unit, self._settings.timezone, self._over_before(), self._naive_now())
            marks[metric] = max(marks.get(metric, ""), (self._over_before() - timedelta(days=1)).isoformat())
            yield Page(rows={PRODUCT_METRICS.name: rows}, cursor=json.dumps(marks, sort_keys=True))

    async def check(self) -> str:
        """Ask for one day of active users: there is no call that names the project."""
        day = f"{self._over_before() - timedelta(days=1):%Y%m%d}"
        self._budget.spend(1, self._network.now())
        await self._http.get("/api/2/users", {"m": "active", "start": day, "end": day, "i": "1"})
        return f"a project in Amplitude's {self._settings.region.upper()} region"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _questions(self, stream: Stream) -> Iterator[tuple[str, str, dict[str, str], int]]:
        """Metric name, path, query and points per day of everything `stream` asks for."""
        if stream.name == ACTIVE.name:
            yield "active_users", "/api/2/users", {"m": "active"}, 1
        elif stream.name == NEW.name:
            yield "new_users", "/api/2/users", {"m": "new"}, 1
        else:
            for event in self._settings.events:
                chosen = json.dumps({"event_type": event}, ensure_ascii=False)
                yield f"event:{event}", "/api/2/events/segmentation", {"e": chosen, "m": self._settings.measure}, 1

    def _period(self, mark: str | None, stream: Stream) -> tuple[date, date]:
        """First and last day to ask for: from the mark less the overlap (late events) to the day that is running."""
        last = self._over_before()
        oldest = last - timedelta(days=self._settings.days_back)
        if mark is None:
            return oldest, last
        first = date.fromisoformat(mark) - timedelta(seconds=stream.overlap_s)
        return max(min(first, last), last - timedelta(days=_LONGEST_DAYS)), last

    def _over_before(self) -> date:
        """Days before this one are over in the project's zone; in an unknown zone, in every zone."""
        now = self._network.now()
        if self._settings.timezone:
            return now.astimezone(ZoneInfo(self._settings.timezone)).date()
        return (now.astimezone(UTC) - timedelta(hours=12)).date()

    def _naive_now(self) -> datetime:
        return self._network.now().astimezone(UTC).replace(tzinfo=None)


def series_rows(answer: Answer, metric: str, unit: str, zone: str, over_before: date, read: datetime) -> list[Row]:
    """Rows of an answer `{data: {series, seriesLabels | seriesMeta, xValues}}`, one per day and label.

    Raises Malformed when the series and the days do not fit together.
    """
    data = dig(answer.json, "data")
    days = [_day(value) for value in _list(data, "xValues")]
    series = _list(data, "series")
    labels = _list(data, "seriesLabels") or _list(data, "seriesMeta")
    rows: list[Row] = []
    for position, values in enumerate(series):
        if not isinstance(values, list) or len(values) != len(days):
            raise Malformed(f"{answer.asked}: {metric} has another number of values than days", hint="report this")
        segment = "" if len(series) == 1 else _label(labels, position)
        rows += [
            PRODUCT_METRICS.row(
                metric=metric,
                segment=segment,
                day=datetime.combine(day, datetime.min.time()),
                zone=zone or None,
                value=number({"value": value}, "value"),
                unit=unit,
                incomplete=day >= over_before,
                updated=read,
            )
            for day, value in zip(days, values, strict=True)
        ]
    return rows


def _label(labels: Sequence[object], position: int) -> str:
    """Labels are texts, `[index, text]` pairs, or objects with a segment index; an absent one is its number."""
    label = labels[position] if position < len(labels) else None
    if isinstance(label, list):
        label = label[-1] if label else None
    if isinstance(label, Mapping):
        label = label.get("label")
    return text({"label": label}, "label") or str(position)


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Malformed(f"Amplitude answered a day that is none: {str(value)[:40]!r}", hint="report this") from None


def _list(node: object, field: str) -> list[object]:
    value = dig(node, field)
    return value if isinstance(value, list) else []


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
