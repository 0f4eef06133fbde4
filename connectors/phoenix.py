"""Spans of Phoenix projects, and annotations of them (REST v1)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from connectors.answers import listed
from connectors.base import BY_AGE, Access, Denied, Gone, Network, Page, Reject, Row, SourceError, Stream
from connectors.fields import Node, dig, instant, objects, text, zulu
from connectors.http import ADDRESS, MOST_DAYS, Http, HttpSettings
from connectors.marks import advance, read_marks
from connectors.otlp_attributes import Attribute, Resource
from connectors.otlp_span import Span, payload_row, span_row
from connectors.paging import PageGuard
from connectors.phoenix_annotations import ANNOTATIONS, LATE, Annotated, project_path
from connectors.windows import again_from, by_window

# A span arrives when it ends: an hour covers those that run long.
TRACES = Stream("spans", (SPANS, SPAN_PAYLOADS), overlap_s=3600, kept=BY_AGE)

_PER_PAGE = "1000"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
_STATUS = {"OK": 1, "ERROR": 2}
_MAX_DEPTH = 16
_DAY = timedelta(days=1)


class PhoenixSettings(HttpSettings):
    """`[sources.phoenix]`. The API key is the secret `api_key`."""

    API = "/v1"

    url: str = Field("http://localhost:6006", pattern=ADDRESS, description="Address of the server, or replay:PATH")
    projects: list[str] = Field(
        default_factory=lambda: ["default"],
        min_length=1,
        description="Projects to read; a project's name stands for the service where spans name none",
    )
    anonymous: bool = Field(False, description="The server runs without authentication: no API key is sent")
    annotations: bool = Field(
        True, description="Read annotations: scores and labels of people, models and code; no explanations, no notes"
    )
    days_back: int = Field(
        30, ge=1, le=MOST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )

    @field_validator("projects")
    @classmethod
    def _named(cls, projects: list[str]) -> list[str]:
        for name in projects:
            if not name.strip() or any(sign in name for sign in "/?#") or name in {".", ".."}:
                raise ValueError(f"{name!r} is not the name of a project: it has none of / ? #")
        return projects

    @property
    def needs_secrets(self) -> bool:
        """Whether a key must be kept for it."""
        return not self.anonymous


class Phoenix:
    """Spans and annotations by windows of a start, oldest window first. One project that is absent does not stop the others."""

    kind = "phoenix"
    Settings = PhoenixSettings
    SECRETS = ("api_key",)
    streams = (TRACES, ANNOTATIONS)
    access = Access(
        credential="an API key (none where the server runs without authentication)",
        permissions=("read of the projects named",),
        reads=(
            "spans: times, model, token counts, errors, names, attributes",
            "users, kept as a keyed hash",
            "annotations: names, labels, scores, what they are about",
        ),
        leaves=("datasets, experiments, prompts kept on the server", "notes"),
        drops=(
            "prompts and completions: what was asked becomes a category and a hash, its words are kept only where "
            "keeping them is switched on in aether.toml, redacted",
            "explanations and metadata of annotations",
        ),
    )

    def __init__(self, settings: PhoenixSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        key = secrets.get("api_key", "")
        self._http = Http(
            settings.url,
            network,
            service="Phoenix",
            secrets={} if settings.anonymous else {"api_key": key},
            headers={} if settings.anonymous else {"Authorization": f"Bearer {key.strip()}"},
            ca_bundle=settings.ca_bundle,
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Spans that started after the cursor (the newest start seen, by project), or annotations of traces that did. Raises
        SourceError, for a project that is absent or denied only after the others were read; never stores.
        """
        marks, start = read_marks(since)
        now = self._network.now().astimezone(UTC).replace(tzinfo=None)
        overlap, first = timedelta(seconds=stream.overlap_s), timedelta(days=self._settings.days_back)
        trouble: SourceError | None = None
        for project in self._settings.projects:
            empty = project in marks  # without an instant
            mark = marks.setdefault(project, dict(start))
            newest, looked = instant(mark, "created"), instant(mark, "looked")
            begin = again_from(newest, overlap, self._network.memory) if newest else now - first
            if stream.name == ANNOTATIONS.name:
                said = Annotated(self._http, project)
                if looked is None or now - looked >= _DAY:
                    begin, looked = min(begin, now - LATE), now
                walk = by_window(said.window, begin, newest, now, empty=empty and not newest, started=said.newest)
            else:
                walk = by_window(partial(self._window, project), begin, newest, now, empty=empty and not newest)
            try:
                async for page, reached in walk:
                    advance(mark, "created", reached)
                    page.cursor = json.dumps(marks, sort_keys=True) if reached else None
                    yield page
                advance(mark, "looked", looked)
                yield Page(cursor=json.dumps(marks, sort_keys=True))
            except (Gone, Denied) as error:
                error.what = f"{project}: {error.what}"
                if stream.name == ANNOTATIONS.name and isinstance(error, Gone):  # older servers do not list traces
                    yield Page(problems=[f"annotations are left out: {error.what}"])
                else:
                    trouble = trouble or error
        if trouble is not None:
            raise trouble

    async def check(self) -> str:
        """The server, once it has let us see its projects."""
        await self._http.get("/v1/projects", {"limit": "1"})
        return urlsplit(self._settings.url).netloc or self._settings.url

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _window(self, project: str, begin: datetime, end: datetime | None) -> AsyncIterator[tuple[Page, bool]]:
        path = f"{project_path(project)}/spans"
        query = {"start_time": zulu(begin), **({"end_time": zulu(end)} if end else {}), "limit": _PER_PAGE}
        guard = PageGuard(f"Phoenix's list of spans of {project}")
        while True:
            answer = await self._http.get(path, query)
            found, cursor = listed(answer, "data"), text(answer.json, "next_cursor")
            yield _page(found, project), cursor is None
            if cursor is None:
                return
            guard.follow(cursor, rows=len(found))
            query["cursor"] = cursor


def _page(found: list[Node], project: str) -> Page:
    rows: list[Row] = []
    payloads: list[Row] = []
    rejects: list[Reject] = []
    resource = Resource({"service.name": project})
    for raw in found:
        try:
            span = phoenix_span(raw)
            rows.append(span_row(span, resource))
            if (payload := payload_row(span)) is not None:
                payloads.append(payload)
        except ValueError as error:
            # What was said stays out of rejects: the ids find it.
            named = " ".join(filter(None, (text(raw, "context", key) for key in ("trace_id", "span_id"))))
            rejects.append(Reject(SPANS.name, str(error), named, text(raw, "id") or ""))
    return Page(rows={SPANS.name: rows, SPAN_PAYLOADS.name: payloads}, rejects=rejects)


def phoenix_span(raw: Node) -> Span:
    """One span as it would come off the wire. Raises ValueError for times that cannot be."""
    attributes = _flat(dig(raw, "attributes"))
    attributes.setdefault("openinference.span.kind", text(raw, "span_kind"))
    return Span(
        trace_id=text(raw, "context", "trace_id") or "",
        span_id=text(raw, "context", "span_id") or "",
        parent_id=text(raw, "parent_id") or "",
        name=text(raw, "name") or "",
        start_ns=_ns(raw, "start_time"),
        end_ns=_ns(raw, "end_time"),
        attributes=attributes,
        status=_STATUS.get((text(raw, "status_code") or "").upper(), 0),
        events=[
            (text(event, "name") or "", _ns(event, "timestamp"), _flat(dig(event, "attributes")))
            for event in objects(raw, "events")
        ],
    )


def _ns(node: Node, field: str) -> int:
    at = instant(node, field)
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000 if at else 0


def _flat(attributes: object, prefix: str = "", depth: int = 0) -> dict[str, Attribute]:
    """Attributes under their dotted names, whether the server nests them or not."""
    flat: dict[str, Attribute] = {}
    if isinstance(attributes, Mapping) and depth < _MAX_DEPTH:
        for name, value in attributes.items():
            if isinstance(value, Mapping):
                flat |= _flat(value, f"{prefix}{name}.", depth + 1)
            elif isinstance(value, str | int | float | list) or value is None:
                flat[f"{prefix}{name}"] = value
    return flat
