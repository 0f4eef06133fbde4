"""Issues of a Linear workspace with their state history (GraphQL)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from pydantic import Field

from aether_tui.records.tables import WORK_ITEMS, WORK_TRANSITIONS
from connectors.answers import LATER, Again, Answer, Verdict, classify
from connectors.base import Access, Network, Page, RateLimited, Refused, Row, Stream
from connectors.fields import Node, dig, instant, latest, mapped, names, number, objects, text, zulu
from connectors.http import ADDRESS, Http, HttpSettings
from connectors.paging import PageGuard

ISSUES = Stream("issues", (WORK_ITEMS, WORK_TRANSITIONS), overlap_s=600)

_PATH = "/graphql"
# One query may cost 10,000 points; 50 issues of our query cost about 4,900. The first answer's X-Complexity tells.
_POINTS = 9_000
_FIRST_PAGE, _SMALLEST_PAGE, _LARGEST_PAGE = 50, 5, 100


class LinearSettings(HttpSettings):
    """`[sources.linear]`. The personal API key is the secret `api_key`."""

    url: str = Field("https://api.linear.app", pattern=ADDRESS, description="Address of the service, or replay:PATH")
    days_back: int = Field(
        365, ge=1, description="Days of changes the first sync reads", json_schema_extra={"unit": "days"}
    )


class Linear:
    """Issues and their transitions, changed since the cursor (the newest `updatedAt` seen)."""

    kind = "linear"
    Settings = LinearSettings
    SECRETS = ("api_key",)
    streams = (ISSUES,)
    access = Access(
        credential="a personal API key of a member who sees the teams in question",
        permissions=("Read",),
        reads=(
            "issues: key, title, state and its history, type labels, team, project, priority, estimate, dates",
            "assignees, kept as a keyed hash",
        ),
        leaves=("descriptions", "comments", "attachments"),
    )

    def __init__(self, settings: LinearSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        key = secrets.get("api_key", "")
        self._http = Http(
            settings.url,
            network,
            service="Linear",
            secrets={"api_key": key},
            headers={"Authorization": key.strip()},
            classify=classify_linear,
            ca_bundle=settings.ca_bundle,
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of issues changed after `since`. Linear sends the newest first, so only the last page moves the cursor.

        Raises SourceError; never stores.
        """
        start = _start(since, stream, self._network.now(), self._settings.days_back)
        newest = datetime.fromisoformat(since) if since else None
        guard = PageGuard("Linear")
        after: str | None = None
        size = _FIRST_PAGE
        while True:
            answer, size = await self._issues(start, size, after)
            nodes = objects(answer.json, "data", "issues", "nodes")
            rows, rejects = mapped([await self._whole(node) for node in nodes], WORK_ITEMS.name, linear_issue_rows)
            newest = latest(rows, WORK_ITEMS, "updated", newest)
            after = _next(answer.json, "data", "issues")
            yield Page(rows=rows, rejects=rejects, cursor=newest.isoformat() if newest and not after else None)
            if after is None:
                return
            guard.follow(after, rows=len(nodes))
            size = _page_size(answer, size)

    async def check(self) -> str:
        """The owner of the key and the workspace."""
        answer = await self._ask("Viewer", "linear_viewer", {})
        return f"{text(answer.json, 'data', 'viewer', 'name')} at {text(answer.json, 'data', 'organization', 'name')}"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _issues(self, start: datetime, size: int, after: str | None) -> tuple[Answer, int]:
        """One page, and the size that passed: a query that is too complex is asked again by halves."""
        while True:
            try:
                return await self._ask(
                    "Issues", "linear_issues", {"since": zulu(start), "first": size, "after": after}
                ), size
            except Refused as error:
                if "complex" not in error.what.lower() or size <= _SMALLEST_PAGE:
                    raise
                size = max(_SMALLEST_PAGE, size // 2)

    async def _whole(self, node: Node) -> Node:
        """The issue with all spans of its state history, however many pages they take."""
        after = _next(node, "stateHistory")
        if after is None:
            return node
        spans = objects(node, "stateHistory", "nodes")
        guard = PageGuard("Linear's state history")
        while after is not None:
            guard.follow(after, rows=len(spans))
            answer = await self._ask("StateHistory", "linear_state_history", {"id": text(node, "id"), "after": after})
            spans += objects(answer.json, "data", "issue", "stateHistory", "nodes")
            after = _next(answer.json, "data", "issue", "stateHistory")
        return {**node, "stateHistory": {"nodes": spans}}

    async def _ask(self, operation: str, document: str, variables: Mapping[str, object]) -> Answer:
        query = files("connectors").joinpath("queries", f"{document}.graphql").read_text(encoding="utf-8")
        return await self._http.post(_PATH, {"query": query, "operationName": operation, "variables": variables})


def linear_issue_rows(issue: Node) -> dict[str, Sequence[Row]]:
    """The work item and the transitions of one issue (a node of `Issues`).

    Spans have no from and to: each begins where the one before it ended. Raises ValueError for an unreadable issue.
    """
    trashed = dig(issue, "trashed") is True
    cancelled = instant(issue, "canceledAt")
    if trashed and cancelled is None:
        # The trash has no state of its own: a deleted issue keeps the state it had.
        cancelled = instant(issue, "archivedAt") or instant(issue, "updatedAt")
    item = WORK_ITEMS.row(
        id=text(issue, "id"),
        key=text(issue, "identifier"),
        title=text(issue, "title"),
        state=text(issue, "state", "name"),
        state_type="canceled" if trashed else text(issue, "state", "type"),
        created=instant(issue, "createdAt"),
        started=instant(issue, "startedAt"),
        completed=instant(issue, "completedAt"),
        cancelled=cancelled,
        updated=instant(issue, "updatedAt"),
        priority=text(issue, "priorityLabel"),
        estimate=number(issue, "estimate"),
        project=text(issue, "project", "name"),
        source_team=text(issue, "team", "key"),
        assignee=text(issue, "assignee", "id"),
        labels=names(objects(issue, "labels", "nodes")),
        parent=text(issue, "parent", "id"),
        url=text(issue, "url"),
    )
    return {WORK_ITEMS.name: [item], WORK_TRANSITIONS.name: _transitions(issue)}


def _transitions(issue: Node) -> list[Row]:
    spans = objects(issue, "stateHistory", "nodes")
    dated = sorted(
        ((at, span) for span in spans if (at := instant(span, "startedAt")) is not None), key=lambda pair: pair[0]
    )
    rows: list[Row] = []
    before: Node = {}
    for at, span in dated:
        if text(span, "stateId") == text(before, "stateId") and before:
            continue
        rows.append(
            WORK_TRANSITIONS.row(
                item_id=text(issue, "id"),
                at=at,
                to_state=text(span, "state", "name") or text(span, "stateId"),
                to_type=text(span, "state", "type"),
                from_state=text(before, "state", "name") or text(before, "stateId"),
                from_type=text(before, "state", "type"),
                source_team=text(issue, "team", "key"),
            )
        )
        before = span
    return rows


def classify_linear(answer: Answer) -> Verdict:
    """Linear's customs: limits are a 400 with the code RATELIMITED and resets in epoch ms; errors also come with 200."""
    errors = objects(answer.document, "errors") if answer.status in {200, 400, 429} else []
    if any(text(error, "extensions", "code") == "RATELIMITED" for error in errors):
        limit = RateLimited(f"Linear's limit is reached ({answer.story()})", hint=LATER)
        return Again(limit, wait_s=_limit_wait_s(answer))
    if errors:
        return Refused(
            f"Linear refused the query: {answer.message()}", hint="upgrade aether-tui, or report this message"
        )
    return classify(answer)


def _limit_wait_s(answer: Answer) -> float | None:
    """Until the limit that is used up opens again; None when no header says."""
    waits = []
    for limit in ("requests", "complexity", "endpoint-requests"):
        reset_ms = number(answer.headers, f"x-ratelimit-{limit}-reset")
        remaining = number(answer.headers, f"x-ratelimit-{limit}-remaining")
        if reset_ms is not None and (remaining is None or remaining <= 0):
            waits.append(answer.seconds_until(datetime.fromtimestamp(reset_ms / 1000, UTC)))
    return max(waits, default=answer.retry_after_s())


def _start(since: str | None, stream: Stream, now: datetime, days_back: int) -> datetime:
    """Where reading begins: the cursor less the overlap, else `days_back`. Naive UTC."""
    if since:
        return datetime.fromisoformat(since) - timedelta(seconds=stream.overlap_s)
    return now.astimezone(UTC).replace(tzinfo=None) - timedelta(days=days_back)


def _next(node: object, *path: str) -> str | None:
    more = dig(node, *path, "pageInfo", "hasNextPage") is True
    return text(node, *path, "pageInfo", "endCursor") if more else None


def _page_size(answer: Answer, size: int) -> int:
    """How many issues the next page may ask for, by what this one cost."""
    points = number(answer.headers, "x-complexity")
    if not points or points <= 0:
        return size
    return max(_SMALLEST_PAGE, min(_LARGEST_PAGE, int(size * _POINTS / points)))
