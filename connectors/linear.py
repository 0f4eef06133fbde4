"""Issues of a Linear workspace with their state history, cycles, projects, initiatives and customer needs (GraphQL)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files

from pydantic import Field

from aether_tui.records.tables import ITERATIONS, PROJECTS, WORK_ITEMS, WORK_LINKS, WORK_TRANSITIONS
from connectors.answers import LATER, Again, Answer, Verdict, classify, listed
from connectors.base import Access, Malformed, Network, Page, RateLimited, Refused, Stream, Unlisted, Whole
from connectors.fields import Mapper, Node, Rows, dig, instant, latest, mapped, names, number, objects, text, zulu
from connectors.http import ADDRESS, MOST_DAYS, Http, HttpSettings
from connectors.linear_rows import (
    linear_cycle_rows,
    linear_initiative_rows,
    linear_issue_rows,
    linear_need_rows,
    linear_project_rows,
    linear_relation_rows,
)
from connectors.linear_walk import Walk
from connectors.paging import PageGuard, ahead
from connectors.windows import again_from

_DAY_S = 86_400.0
ISSUES = Stream("issues", (WORK_ITEMS, WORK_TRANSITIONS), overlap_s=600, sweep_s=_DAY_S)
CYCLES = Stream("cycles", (ITERATIONS,), overlap_s=600, sweep_s=_DAY_S)
PROJECTS_STREAM = Stream("projects", (PROJECTS,), overlap_s=600, sweep_s=_DAY_S)
LINKS = Stream("links", (WORK_LINKS,), overlap_s=600, sweep_s=_DAY_S)

_PATH = "/graphql"
# One query may cost 10,000 points; 50 issues of our query cost about 4,900. The first answer's X-Complexity tells.
_POINTS = 9_000
_LABELS = 10  # as the query says
_FIRST_PAGE, _SMALLEST_PAGE, _LARGEST_PAGE = 50, 5, 100


class LinearSettings(HttpSettings):
    """`[sources.linear]`. The personal API key is the secret `api_key`."""

    API = "/graphql"

    url: str = Field("https://api.linear.app", pattern=ADDRESS, description="Address of the service, or replay:PATH")
    days_back: int = Field(
        365, ge=1, le=MOST_DAYS, description="Days of changes the first sync reads", json_schema_extra={"unit": "days"}
    )


@dataclass(frozen=True)
class _List:
    """One paged list of Linear: the document and operation that read it, its field, the rows of its nodes, the operation
    that lists its ids, the kind of its rows where a workspace may do without it, and whether it has no filter by time."""

    document: str
    operation: str
    field: str
    rows: Mapper
    ids: str
    first: int = 100
    optional: str = ""
    unfiltered: bool = False


_ISSUES = _List("linear_issues", "Issues", "issues", linear_issue_rows, "IssueIds", _FIRST_PAGE)
_LISTS = {
    "issues": (_ISSUES,),
    "cycles": (_List("linear_cycles", "Cycles", "cycles", linear_cycle_rows, "CycleIds"),),
    "projects": (
        _List("linear_projects", "Projects", "projects", linear_project_rows, "ProjectIds"),
        _List(
            "linear_initiatives",
            "Initiatives",
            "initiatives",
            linear_initiative_rows,
            "InitiativeIds",
            optional="initiative",
        ),
    ),
    "links": (
        _List(
            "linear_relations",
            "IssueRelations",
            "issueRelations",
            linear_relation_rows,
            "IssueRelationIds",
            unfiltered=True,
        ),
        _List("linear_needs", "CustomerNeeds", "customerNeeds", linear_need_rows, "CustomerNeedIds", optional="need"),
    ),
}


class Linear:
    """Issues with their transitions, cycles, projects and initiatives, relations and customer needs, changed since the
    cursor of each (the newest `updatedAt` seen)."""

    kind = "linear"
    Settings = LinearSettings
    SECRETS = ("api_key",)
    streams = (ISSUES, CYCLES, PROJECTS_STREAM, LINKS)
    access = Access(
        credential="a personal API key of a member who sees the teams in question",
        permissions=("Read",),
        reads=(
            "issues: key, title, state and its history, labels, team, project, parent, priority, estimate, dates",
            "assignees, kept as a keyed hash",
            "cycles: name, dates, how many issues and points were in them and done, day by day",
            "projects and initiatives: name, state, health, dates",
            "relations between issues; customer needs: which customer (by id), which issue, how important",
        ),
        leaves=("descriptions", "comments", "attachments", "what customers said", "names of customers"),
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
        """Pages of what changed after `since`. Linear sends the newest first, so only the last page moves the cursor; of
        issues, which are many, each page notes how far down a walk came. Raises SourceError; never stores.
        """
        walk = Walk.read(since)
        if stream is ISSUES:
            async for page in self._issues(stream, walk):
                yield page
        else:
            async for page in self._others(stream, walk):
                yield page
        yield Page(cursor=walk.newest.isoformat() if walk.newest else None)

    async def _others(self, stream: Stream, walk: Walk) -> AsyncIterator[Page]:
        start, table = self._start(stream, walk), stream.tables[0]
        for one in _LISTS[stream.name]:
            try:
                async with aclosing(self._nodes(one, start)) as pages:
                    async for nodes in pages:
                        rows, rejects = mapped(nodes, table.name, one.rows)
                        walk.newest = latest(rows, table, "updated", walk.newest, self._network.now())
                        yield Page(rows=rows, rejects=rejects)
            except Refused as error:
                if not one.optional:
                    raise
                yield Page(problems=[f"{one.field} cannot be read and are left out: {error.what}"])

    async def _issues(self, stream: Stream, walk: Walk) -> AsyncIterator[Page]:
        """From the newest change down; a walk that broke off goes on where it was, after what changed since it began."""
        overlap, lower = timedelta(seconds=stream.overlap_s), walk.lower
        stretches = [(self._start(stream, walk), lower)]
        if walk.upper is not None and lower is not None:
            stretches.insert(0, (walk.upper - overlap, None))
        for start, until in stretches:
            async with aclosing(self._nodes(_ISSUES, start, until)) as pages:
                async for nodes in pages:
                    rows, rejects = mapped(nodes, WORK_ITEMS.name, linear_issue_rows)
                    walk.newest = latest(rows, WORK_ITEMS, "updated", walk.newest, self._network.now())
                    if until is lower:
                        walk.came(nodes)
                    yield Page(
                        rows=rows,
                        rejects=rejects,
                        problems=_cut_labels(nodes),
                        cursor=walk.cursor,
                        whole=[_histories(rows)],
                    )
            walk.upper = walk.newest

    def _start(self, stream: Stream, walk: Walk) -> datetime:
        """Where reading begins: the cursor less the overlap, else `days_back`. Naive UTC."""
        if walk.known is not None:
            return again_from(walk.known, timedelta(seconds=stream.overlap_s), self._network.memory)
        return self._network.now().astimezone(UTC).replace(tzinfo=None) - timedelta(days=self._settings.days_back)

    async def ids(self, stream: Stream) -> AsyncIterator[Sequence[str] | Unlisted]:
        """Ids of everything that is alive, archived or not. Raises SourceError."""
        for one in _LISTS[stream.name]:
            try:
                async with aclosing(self._ids(one)) as pages:
                    async for some in pages:
                        yield some
            except Refused:
                if not one.optional:
                    raise
                yield Unlisted("kind", one.optional)

    async def _ids(self, one: _List) -> AsyncGenerator[Sequence[str]]:
        after: str | None = None
        guard = PageGuard(f"Linear's {one.field}")
        while True:
            answer = await self._ask(one.ids, "linear_ids", {"after": after})
            nodes = listed(answer, "data", one.field, "nodes")
            yield names(nodes, "id")
            after = _next(answer.json, "data", one.field)
            if after is None:
                return
            guard.follow(after, rows=len(nodes))

    async def check(self) -> str:
        """The owner of the key and the workspace."""
        answer = await self._ask("Viewer", "linear_viewer", {})
        return f"{text(answer.json, 'data', 'viewer', 'name')} at {text(answer.json, 'data', 'organization', 'name')}"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    async def _nodes(self, one: _List, start: datetime, until: datetime | None = None) -> AsyncGenerator[list[Node]]:
        """The nodes of a list, page by page, down to `start` where the list cannot be asked for that."""
        guard = PageGuard("Linear")

        def following(page: tuple[Answer, int]) -> Coroutine[None, None, tuple[Answer, int]] | None:
            answer, size = page
            nodes, after = listed(answer, "data", one.field, "nodes"), _next(answer.json, "data", one.field)
            if after is None or (one.unfiltered and _older(nodes, start)):
                return None
            guard.follow(after, rows=len(nodes))
            return self._page(one, start, until, _page_size(answer, size), after)

        pages = ahead(self._page(one, start, until, one.first, None), following)
        async with aclosing(pages):
            async for answer, _ in pages:
                nodes = listed(answer, "data", one.field, "nodes")
                yield [await self._whole(node) for node in nodes] if one is _ISSUES else nodes

    async def _page(
        self, one: _List, start: datetime, until: datetime | None, size: int, after: str | None
    ) -> tuple[Answer, int]:
        """One page, and the size that passed: a query that is too complex is asked again by halves."""
        while True:
            try:
                variables: dict[str, object] = {"first": size, "after": after}
                if not one.unfiltered:
                    variables["since"] = zulu(start)
                if until is not None:
                    variables["until"] = zulu(until)
                operation = one.operation if until is None else f"{one.operation}Until"
                return await self._ask(operation, one.document, variables), size
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
            spans += listed(answer, "data", "issue", "stateHistory", "nodes")
            after = _next(answer.json, "data", "issue", "stateHistory")
        return {**node, "stateHistory": {"nodes": spans}}

    async def _ask(self, operation: str, document: str, variables: Mapping[str, object]) -> Answer:
        query = _document(document)
        return await self._http.post(_PATH, {"query": query, "operationName": operation, "variables": variables})


@cache
def _document(name: str) -> str:
    return files("connectors").joinpath("queries", f"{name}.graphql").read_text(encoding="utf-8")


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
            waits.append(answer.seconds_until_epoch(reset_ms / 1000))
    return max((wait for wait in waits if wait is not None), default=answer.retry_after_s())


def _histories(rows: Rows) -> Whole:
    """Issues whose history came: a state that was renamed, or left within seconds, is another one when it is read again."""
    return Whole(WORK_TRANSITIONS, ("item_id",), sorted({str(row[0]) for row in rows.get(WORK_TRANSITIONS.name, ())}))


def _cut_labels(nodes: Sequence[Node]) -> list[str]:
    """A sentence when issues have more labels than the query asks for: each one more would make every page smaller."""
    cut = [text(node, "identifier") or "?" for node in nodes if dig(node, "labels", "pageInfo", "hasNextPage") is True]
    shown = ", ".join(cut[:5]) + (" …" if len(cut) > 5 else "")
    return [f"more than {_LABELS} labels, of which the first {_LABELS} are read: {shown}"] if cut else []


def _next(node: object, *path: str) -> str | None:
    if dig(node, *path, "pageInfo", "hasNextPage") is not True:
        return None
    after = text(node, *path, "pageInfo", "endCursor")
    if after is None:
        raise Malformed("Linear offers a further page and does not say where: what came before is kept", hint=LATER)
    return after


def _page_size(answer: Answer, size: int) -> int:
    """How many issues the next page may ask for, by what this one cost."""
    points = number(answer.headers, "x-complexity")
    if not points or points <= 0:
        return size
    return max(_SMALLEST_PAGE, min(_LARGEST_PAGE, int(size * _POINTS / points)))


def _older(nodes: Sequence[Node], start: datetime) -> bool:
    """Whether a page, newest first, reaches back before `start`."""
    try:
        oldest = instant(nodes[-1], "updatedAt") if nodes else None
    except ValueError:
        return False
    return oldest is not None and oldest < start
