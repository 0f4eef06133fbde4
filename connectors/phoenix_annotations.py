"""Annotations of Phoenix projects as rows of `outcomes`: what people, models and code made of spans and traces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from aether_tui.records.tables import OUTCOMES
from connectors.answers import listed
from connectors.base import BY_AGE, Gone, Page, Row, Stream
from connectors.fields import Node, instant, mapped, names, objects, possible, text, zulu
from connectors.http import Http
from connectors.paging import PageGuard, together

ANNOTATIONS = Stream("annotations", (OUTCOMES,), overlap_s=3600, setting="annotations", kept=BY_AGE)
LATE: Final = timedelta(days=7)
"""Traces of so long ago are looked at once a day: their annotations may be newer, and Phoenix lists those by what they are of."""

_TRACES = "200"
_ANNOTATIONS = "1000"
_IDS = 150
"""Ids in one address, which many servers take up to 8,000 characters long."""
_WORDS = "note"  # the name of those that are words somebody wrote


def project_path(project: str) -> str:
    """The address of what a project holds."""
    return f"/v1/projects/{quote(project, safe='')}"


class Annotated:
    """Traces of one project by windows of their start, with what was said of them and their spans."""

    def __init__(self, http: Http, project: str) -> None:
        self._http, self._path = http, project_path(project)
        self._newest: datetime | None = None

    def newest(self) -> datetime | None:
        """The newest start of a trace that was listed."""
        return self._newest

    async def window(self, begin: datetime, end: datetime | None) -> AsyncIterator[tuple[Page, bool]]:
        """Annotations of what began in a period, and whether a page is its last."""
        query = {"start_time": zulu(begin), **({"end_time": zulu(end)} if end else {})}
        query |= {"limit": _TRACES, "include_spans": "true"}
        guard = PageGuard(f"Phoenix's list {self._path}/traces")
        while True:
            answer = await self._http.get(f"{self._path}/traces", query)
            found, cursor = listed(answer, "data"), text(answer.json, "next_cursor")
            yield await self._page(found), cursor is None
            if cursor is None:
                return
            guard.follow(cursor, rows=len(found))
            query["cursor"] = cursor

    async def _page(self, traces: Sequence[Node]) -> Page:
        self._newest = max((at for at in (self._newest, *map(_start, traces)) if at), default=None)
        spans = {span: text(one, "trace_id") for one in traces for span in names(objects(one, "spans"), "span_id")}
        said = [*await self._all("span", list(spans)), *await self._all("trace", names(traces, "trace_id"))]
        rows, rejects = mapped(said, OUTCOMES.name, lambda one: _rows(one, spans))
        return Page(rows=rows, rejects=rejects)

    async def _all(self, of: str, ids: Sequence[str]) -> list[Node]:
        parts = await together(self._said(of, ids[n : n + _IDS]) for n in range(0, len(ids), _IDS))
        return [one for part in parts for one in part]

    async def _said(self, of: str, ids: Sequence[str]) -> list[Node]:
        """Annotations of some spans, or traces; none of those that were deleted meanwhile."""
        asked = [(f"{of}_ids", one) for one in ids] + [("exclude_annotation_names", _WORDS), ("limit", _ANNOTATIONS)]
        guard = PageGuard(f"Phoenix's list {self._path}/{of}_annotations")
        found: list[Node] = []
        after: list[tuple[str, str]] = []
        while True:
            try:
                answer = await self._http.get(f"{self._path}/{of}_annotations?{urlencode([*asked, *after])}")
            except Gone as error:
                if "supplied" in error.what:
                    return found
                raise
            page, cursor = listed(answer, "data"), text(answer.json, "next_cursor")
            found += page
            if cursor is None:
                return found
            guard.follow(cursor, rows=len(page))
            after = [("cursor", cursor)]


def _rows(raw: Node, spans: Mapping[str, str | None]) -> dict[str, list[Row]]:
    """One annotation, nothing of one without label and score. Raises ValueError for what cannot be read."""
    span, value = text(raw, "span_id"), text(raw, "result", "label") or text(raw, "result", "score")
    if value is None:
        return {OUTCOMES.name: []}
    row = OUTCOMES.row(
        id=text(raw, "id"),
        name=text(raw, "name"),
        at=instant(raw, "created_at"),
        value=value,
        kind=text(raw, "annotator_kind"),
        trace_id=spans.get(span) if span else text(raw, "trace_id"),
        span_id=span,
        updated=instant(raw, "updated_at"),
    )
    return {OUTCOMES.name: [row]}


def _start(trace: Node) -> datetime | None:
    try:
        at = instant(trace, "start_time")
    except ValueError:
        return None
    return at if at and possible(at, None) else None
