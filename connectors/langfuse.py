"""Observations of one Langfuse project as spans, and its scores; by older lists on servers of one's own that lack the present ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

from pydantic import Field

from aether_tui.records.tables import OUTCOMES, SPAN_PAYLOADS, SPANS
from connectors.answers import Answer, Verdict, classify, listed
from connectors.base import BY_AGE, Access, Gone, Network, Page, Refused, Reject, Row, Stream
from connectors.fields import Node, integer, mapped, objects, text, zulu
from connectors.http import ADDRESS, MOST_DAYS, Http, HttpSettings
from connectors.langfuse_rows import as_exported, observation_row, payload_rows
from connectors.langfuse_scores import TYPES, score_rows, without_words
from connectors.paging import PageGuard, fewer
from connectors.windows import again_from, by_window

# A span arrives when it ends, and old SDKs send up to 15 minutes late: an hour covers spans that run long.
OBSERVATIONS = Stream("observations", (SPANS, SPAN_PAYLOADS), overlap_s=3600, kept=BY_AGE)
SCORES = Stream("scores", (OUTCOMES,), overlap_s=3600, setting="scores", kept=BY_AGE)

_FIELDS = "core,basic,time,model,usage,prompt,trace_context"
_FEWEST_PER_PAGE = 10
_PER_PAGE_BEFORE = 100


@dataclass(frozen=True, slots=True)
class _List:
    """A list by cursor, the one by page that servers had before it, and what both call their period."""

    name: str
    path: str
    before: str
    since: str
    until: str
    per_page: int


_LISTS = {
    OBSERVATIONS.name: _List(
        "observations", "/api/public/v2/observations", "/api/public/observations", "fromStartTime", "toStartTime", 1000
    ),
    SCORES.name: _List("scores", "/api/public/v3/scores", "/api/public/v2/scores", "fromTimestamp", "toTimestamp", 100),
}


class LangfuseSettings(HttpSettings):
    """`[sources.langfuse]`. The keys of one project are the secrets `public_key` and `secret_key`."""

    API = "/api"

    url: str = Field(
        "https://cloud.langfuse.com",
        pattern=ADDRESS,
        description="Address: cloud (EU), us.cloud, jp.cloud, hipaa.cloud, or your own server; or replay:PATH",
    )
    metadata: bool = Field(True, description="Read metadata: feature, team and outcome are often told there")
    scores: bool = Field(True, description="Read scores: numbers, yes or no, and words of categories; no comments")
    payloads: bool = Field(
        False,
        description="Ask for inputs and outputs: they are kept redacted, and only with [privacy] keep_payloads = true",
    )
    days_back: int = Field(
        30, ge=1, le=MOST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )


class _TooMuch(Refused):
    pass


class _Absent(Gone):
    pass


class Langfuse:
    """Observations and scores by windows of their instant, oldest window first; inputs and outputs only with `payloads`."""

    kind = "langfuse"
    Settings = LangfuseSettings
    SECRETS = ("public_key", "secret_key")
    streams = (OBSERVATIONS, SCORES)
    access = Access(
        credential="the public and the secret key of the project",
        permissions=("the keys of one project; Langfuse has no narrower ones",),
        reads=(
            "observations: times, model, token counts, cost, errors, names, attributes",
            "users, kept as a keyed hash, and sessions",
            "scores: names, values, what they are about",
        ),
        leaves=(
            "prompts and completions, unless keeping them is switched on in aether.toml",
            "comments of scores, and scores that are texts",
        ),
        drops=("from servers of your own before the present lists: inputs, outputs, comments and text scores",),
    )

    def __init__(self, settings: LangfuseSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        keys = {name: secrets.get(name, "") for name in self.SECRETS}
        self._http = Http(
            settings.url,
            network,
            service="Langfuse",
            secrets=keys,
            basic=(keys["public_key"], keys["secret_key"]),
            classify=classify_langfuse,
            ca_bundle=settings.ca_bundle,
        )
        self._old = set[str]()
        self._per_page = {name: one.per_page for name, one in _LISTS.items()}

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """What started, or was scored, after the cursor (the newest instant seen). Raises SourceError; never stores."""
        now = self._network.now().astimezone(UTC).replace(tzinfo=None)
        newest = datetime.fromisoformat(since) if since else None
        overlap, first = timedelta(seconds=stream.overlap_s), timedelta(days=self._settings.days_back)
        begin = again_from(newest, overlap, self._network.memory) if newest else now - first
        window = partial(self._window, _LISTS[stream.name])
        empty = newest is None and self._network.memory.read is not None
        async for page, reached in by_window(window, begin, newest, now, stream.tables[0], empty=empty):
            page.cursor = reached.isoformat() if reached else None
            yield page

    async def check(self) -> str:
        """The project the keys belong to."""
        found = objects((await self._http.get("/api/public/projects")).json, "data")
        return next(filter(None, (text(project, "name") for project in found)), "unknown")

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _window(self, wanted: _List, begin: datetime, end: datetime | None) -> AsyncIterator[tuple[Page, bool]]:
        period = {wanted.since: zulu(begin), **({wanted.until: zulu(end)} if end else {})}
        if wanted.name not in self._old:
            try:
                async for page in self._by_cursor(wanted, period):
                    yield page
                return
            except _Absent:
                # The cloud never lacks the present list; a server of one's own may be older.
                if (urlsplit(self._http.base).hostname or "").endswith("langfuse.com"):
                    raise
                self._old.add(wanted.name)
        async for page in self._by_number(wanted, period):
            yield page

    async def _by_cursor(self, wanted: _List, period: Mapping[str, str]) -> AsyncIterator[tuple[Page, bool]]:
        query = {**period, **self._asked(wanted)}
        guard = PageGuard(f"Langfuse's list of {wanted.name}")
        while True:
            try:
                answer = await self._http.get(wanted.path, {**query, "limit": str(self._per_page[wanted.name])})
            except _TooMuch:
                if self._per_page[wanted.name] // 2 < _FEWEST_PER_PAGE:
                    raise
                self._per_page[wanted.name] //= 2
                continue
            found, cursor = listed(answer, "data"), text(answer.json, "meta", "cursor")
            yield self._page(wanted, found), cursor is None
            if cursor is None:
                return
            guard.follow(cursor, rows=len(found))
            query["cursor"] = cursor

    def _asked(self, wanted: _List) -> dict[str, str]:
        """What of each object is asked for."""
        if wanted.name == SCORES.name:
            return {"fields": "subject", "dataType": ",".join(TYPES)}
        settings = self._settings
        asked = {"fields": _FIELDS + ",metadata" * settings.metadata + ",io" * settings.payloads}
        return asked | ({"expandMetadata": "resourceAttributes"} if settings.metadata else {})

    async def _by_number(self, wanted: _List, period: Mapping[str, str]) -> AsyncIterator[tuple[Page, bool]]:
        guard = PageGuard(f"Langfuse's list of {wanted.name}")
        query = {**period, **({"fields": "score"} if wanted.name == SCORES.name else {})}
        number, came = 1, 0
        while True:
            answer = await self._http.get(wanted.before, {**query, "page": str(number), "limit": str(_PER_PAGE_BEFORE)})
            found = listed(answer, "data")
            pages = integer(answer.json, "meta", "totalPages")
            last = number >= pages if pages is not None else not found
            page, came = self._page(wanted, found), came + len(found)
            page.problems = fewer(wanted.name, integer(answer.json, "meta", "totalItems") or 0, came) if last else ()
            yield page, last
            if last:
                return
            number += 1
            guard.follow(str(number), rows=len(found))

    def _page(self, wanted: _List, found: list[Node]) -> Page:
        if wanted.name == OBSERVATIONS.name:
            return _page(found, payloads=self._settings.payloads)
        rows, rejects = mapped(map(without_words, found), OUTCOMES.name, score_rows)
        return Page(rows=rows, rejects=rejects)


def classify_langfuse(answer: Answer) -> Verdict:
    """Langfuse's customs: an answer over 5 MB is refused, and fewer rows have to be asked for."""
    if answer.status == 413:
        return _TooMuch(f"the answer would be too large ({answer.story()})", hint="set metadata or payloads = false")
    verdict = classify(answer)
    return _Absent(verdict.what, hint=verdict.hint) if answer.status == 404 and isinstance(verdict, Gone) else verdict


def _page(found: list[Node], *, payloads: bool) -> Page:
    rows: list[Row] = []
    said: list[Row] = []
    rejects: list[Reject] = []
    for raw in found:
        try:
            row = observation_row(*as_exported(raw))
            rows.append(row)
            said += payload_rows(raw, row) if payloads else []
        except (ValueError, ArithmeticError, RecursionError) as error:
            # What was said stays out of rejects: the ids find it.
            named = " ".join(filter(None, (text(raw, key) for key in ("traceId", "id", "type"))))
            rejects.append(Reject(SPANS.name, str(error), named, text(raw, "id") or ""))
    return Page(rows={SPANS.name: rows, SPAN_PAYLOADS.name: said}, rejects=rejects)
