"""Pipelines with jobs and test reports, merge requests and deployments of GitLab projects (REST v4)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, quote, unquote, urlsplit

from pydantic import Field, field_validator

from aether_tui.records.tables import DEPLOYMENTS, PIPELINE_JOBS, PIPELINE_RUNS, PULL_REQUESTS, TEST_CASES, TEST_RUNS
from connectors.answers import LATER, Again, Answer, Verdict, classify, listed, record
from connectors.base import (
    BY_AGE,
    Access,
    Denied,
    Forbidden,
    Gone,
    Malformed,
    Network,
    Page,
    RateLimited,
    Row,
    SourceError,
    Stream,
    Transient,
)
from connectors.fields import Node, Rows, add, dig, instant, integer, mapped, names, objects, possible, text, zulu
from connectors.gitlab_rows import (
    fold,
    gitlab_deployment_row,
    gitlab_merge_request_row,
    gitlab_pipeline_rows,
    gitlab_test_rows,
)
from connectors.http import ADDRESS, MOST_DAYS, Http, HttpSettings
from connectors.marks import Mark, advance, read_marks
from connectors.paging import PageGuard, fewer, together
from connectors.windows import again_from

PIPELINES = Stream("pipelines", (PIPELINE_RUNS, PIPELINE_JOBS, TEST_RUNS, TEST_CASES), kept=BY_AGE)
CHILDREN = Stream("child_pipelines", PIPELINES.tables, kept=BY_AGE)
MERGE_REQUESTS = Stream("merge_requests", (PULL_REQUESTS,), sweep_s=86_400, sweep_of=("repo", "projects"))
RELEASES = Stream("deployments", (DEPLOYMENTS,), sweep_s=86_400, sweep_of=("repo", "projects"))

_PER_PAGE = "100"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # instants are naive UTC
_TOGETHER = 20
"""Objects whose details are fetched and stored together."""
_DETAIL = "aether detail"
"""Where the connector keeps what it fetched for an object, beside the object's own fields."""
_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*\brel="next"')


class GitLabSettings(HttpSettings):
    """`[sources.gitlab]`. The access token (scope `read_api`; of a person, group or project) is the secret `token`."""

    API = "/api"

    url: str = Field("https://gitlab.com", pattern=ADDRESS, description="Address of the server, or replay:PATH")
    projects: list[str] = Field(min_length=1, description="Paths of the projects to read, group/name")
    jobs: bool = Field(True, description="Read the jobs of every pipeline (one request per pipeline)")
    tests: bool = Field(True, description="Read the test report of every pipeline (one request per pipeline)")
    days_back: int = Field(
        90, ge=1, le=MOST_DAYS, description="Days the first sync reads", json_schema_extra={"unit": "days"}
    )

    @field_validator("projects")
    @classmethod
    def _named(cls, projects: list[str]) -> list[str]:
        for path in projects:
            if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*)+", path, re.ASCII):
                raise ValueError(f"{path!r} is not the path of a project, group/name")
        return projects


class GitLab:
    """Pipelines, merge requests, deployments. One project that cannot be read does not stop the others."""

    kind = "gitlab"
    Settings = GitLabSettings
    SECRETS = ("token",)
    streams = (PIPELINES, CHILDREN, MERGE_REQUESTS, RELEASES)
    access = Access(
        credential="a project or group access token, role Reporter",
        permissions=("read_api",),
        reads=(
            "pipelines, jobs and test reports: times, results, messages of failures",
            "merge requests: times, size, labels, when commits and notes were made; titles and branches for the keys of items in them",
            "deployments",
            "authors, kept as a keyed hash",
        ),
        leaves=("source code", "job logs", "issues"),
        drops=("descriptions", "messages of commits", "texts of notes", "names, addresses and pictures of people"),
    )

    def __init__(self, settings: GitLabSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        self._missing: list[str] = []
        token = secrets.get("token", "")
        self._http = Http(
            settings.url,
            network,
            service="GitLab",
            secrets={"token": token},
            headers={"Authorization": f"Bearer {token.strip()}"},
            classify=classify_gitlab,
            ca_bundle=settings.ca_bundle,
        )

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of `stream` for each project in turn, oldest change first. Raises SourceError, for a project that is
        absent or denied only after the others were read; never stores.
        """
        marks, start = read_marks(since)
        reader = {
            PIPELINES.name: self._pipelines,
            CHILDREN.name: self._children,
            MERGE_REQUESTS.name: self._merge_requests,
            RELEASES.name: self._deployments,
        }[stream.name]
        trouble: SourceError | None = None
        for project in self._settings.projects:
            mark = marks.setdefault(project, dict(start))
            stored = dict(mark)
            try:
                async for page in reader(project, mark, timedelta(seconds=stream.overlap_s)):
                    page.cursor = json.dumps(marks, sort_keys=True)
                    page.problems, self._missing = [*page.problems, *self._missing], []
                    yield page
                    stored = dict(mark)
            except (Gone, Denied) as error:
                marks[project] = stored
                error.what = f"{project}: {error.what}"
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    async def check(self) -> str:
        """The owner of the token."""
        return text((await self._http.get("/api/v4/user")).json, "username") or "unknown"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    # -- streams

    async def _pipelines(self, project: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        async for page in self._ended(project, mark, overlap, {}):
            yield page

    async def _children(self, project: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Pipelines that a job of another one started: the list leaves them out unless their source is asked for."""
        async for page in self._ended(project, mark, overlap, {"source": "parent_pipeline"}):
            yield page

    async def _ended(
        self, project: str, mark: Mark, overlap: timedelta, query: Mapping[str, str]
    ) -> AsyncIterator[Page]:
        """The list knows no durations: pipelines that have ended are asked for one by one."""
        async for changed in self._changed(project, "pipelines", mark, overlap, query):
            problems: list[str] = []
            found = await together(self._with_details(project, one, problems) for one in changed)
            whole = [one for one in found if one is not None]
            if absent := [text(one, "id") or "" for one, got in zip(changed, found, strict=True) if got is None]:
                some = ", ".join(absent[:5]) + " …" * (len(absent) > 5)
                problems.append(f"{project}: listed, but deleted since or not visible to this token: pipelines {some}")
            rows, rejects = mapped(whole, PIPELINE_RUNS.name, lambda one: _pipeline_rows(one, project))
            yield Page(rows=rows, rejects=rejects, problems=problems)

    async def _with_details(self, project: str, pipeline: Node, problems: list[str]) -> Node | None:
        """A pipeline with its jobs and test report; None for one that was deleted meanwhile."""
        if text(pipeline, "id") is None or fold(text(pipeline, "status")) in {"running", "skipped"}:
            return pipeline
        path = f"{_path(project)}/pipelines/{text(pipeline, 'id')}"
        jobs: list[Node] = []
        report: object = None
        try:
            details = record(await self._http.get(path))
            if self._settings.jobs:
                jobs = await self._all(f"{path}/jobs", {"include_retried": "true"})
        except Gone:
            return None
        if self._settings.tests:
            try:
                report = record(await self._http.get(f"{path}/test_report"))
            except (Gone, Malformed, Transient) as error:
                # Reports of giant suites time out on the server: the pipeline is read without.
                problems.append(
                    f"{project}: the test report of pipeline {text(pipeline, 'id')} is missing: {error.what}"
                )
        return {**details, _DETAIL: {"jobs": jobs, "report": report}}

    async def _merge_requests(self, project: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        async for changed in self._changed(project, "merge_requests", mark, overlap, {"scope": "all"}):
            whole = await together(self._with_commits(project, one) for one in changed)
            rows, rejects = mapped(whole, PULL_REQUESTS.name, lambda one: _merge_request_rows(one, project))
            yield Page(rows=rows, rejects=rejects)

    async def _with_commits(self, project: str, request: Node) -> Node:
        if text(request, "iid") is None:
            return request
        path = f"{_path(project)}/merge_requests/{text(request, 'iid')}"
        commits = await self._all(f"{path}/commits", {})
        notes = await self._all(f"{path}/notes", {"order_by": "created_at", "sort": "asc"})
        return {**request, _DETAIL: {"commits": commits, "notes": notes}}

    async def _deployments(self, project: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        async for changed in self._changed(project, "deployments", mark, overlap):
            rows, rejects = mapped(
                changed, DEPLOYMENTS.name, lambda one: {DEPLOYMENTS.name: [gitlab_deployment_row(one, project)]}
            )
            yield Page(rows=rows, rejects=rejects)

    async def ids(self, stream: Stream) -> AsyncIterator[Sequence[str | tuple[str, ...]]]:
        """Every deployment there is, by its id, or every merge request, by its project and number there. Raises SourceError."""
        query = {} if stream.name == RELEASES.name else {"scope": "all", "view": "simple"}
        for project in self._settings.projects:
            async for page in self._pages(f"{_path(project)}/{stream.name}", _EPOCH, query, conditional=False):
                if stream.name == RELEASES.name:
                    yield names(page, "id")
                else:
                    yield [(project, number) for number in names(page, "iid")]
        if self._missing:
            raise Malformed(self._missing.pop(), hint=LATER)

    # -- paging

    async def _changed(
        self, project: str, what: str, mark: Mark, overlap: timedelta, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[Sequence[Node]]:
        """What changed since the mark, in portions; after each the mark moves over what it held.

        The overlap is asked for again, but what it shows unchanged is not handed out twice.
        """
        known = instant(mark, "updated")
        oldest = _naive(self._network.now()) - timedelta(days=self._settings.days_back)
        start = again_from(known, overlap, self._network.memory) if known else oldest
        async for page in self._pages(f"{_path(project)}/{what}", start, query or {}):
            seen = _texts(mark, "read")
            fresh = [one for one in page if seen.get(text(one, "id") or "", "") != (text(one, "updated_at") or "?")]
            for first in range(0, len(fresh), _TOGETHER):
                portion = fresh[first : first + _TOGETHER]
                seen |= {text(one, "id") or "": text(one, "updated_at") or "" for one in portion}
                found = (at for one in portion if (at := _instant(one)) and possible(at, self._network.now()))
                known = max((at for at in (known, *found) if at), default=None)
                advance(mark, "updated", known)
                mark["read"] = _within(seen, known - overlap) if known else {}
                yield portion
        yield ()

    async def _pages(
        self, path: str, start: datetime, query: Mapping[str, str], *, conditional: bool = True
    ) -> AsyncIterator[list[Node]]:
        """The list from `start` on, oldest change first; with `conditional` nothing where it did not change.

        Each page begins at the last change of the one before: under page numbers, something that changes meanwhile
        would push something else over the edge of a page, unseen.
        """
        guard = PageGuard(f"GitLab's list {path}")
        after, page = start, "1"
        came = set[str]()
        promised: int | None = None
        while True:
            asked = {"order_by": "updated_at", "sort": "asc", "updated_after": zulu(after)}
            asked |= {**query, "per_page": _PER_PAGE, "page": page}
            answer = await self._http.get(path, asked, conditional=conditional)
            if answer.unchanged:
                return
            found = listed(answer)
            if promised is None:
                promised = integer(answer.headers, "x-total") or 0  # GitLab counts no more than 10,000
            if promised:
                came.update(names(found, "id"))
            yield found
            following = _next_page(answer)
            if following is None:
                self._missing += fewer(
                    f"{unquote(path.rpartition('/projects/')[2])} since {start:%Y-%m-%d}", promised, len(came)
                )
                return
            self._http.forget(path, asked)
            conditional = False
            guard.follow(_token(found) or following, rows=len(found))
            times = [at for one in found if (at := _instant(one)) is not None]
            moved = times and max(times) > max(after, min(times))
            after, page = (max(times), "1") if moved else (after, following)

    async def _all(self, path: str, query: Mapping[str, str]) -> list[Node]:
        """A whole list that does not change while it is read."""
        guard = PageGuard(f"GitLab's list {path}")
        found: list[Node] = []
        page: str | None = "1"
        while page is not None:
            answer = await self._http.get(path, {**query, "per_page": _PER_PAGE, "page": page})
            found += listed(answer)
            page = _next_page(answer)
            if page is not None:
                guard.follow(page, rows=len(listed(answer)))
        return found


def classify_gitlab(answer: Answer) -> Verdict:
    """GitLab's customs: a limit may name its reset (epoch seconds) only, a 403 the scopes that are missing."""
    if answer.status == 429 and answer.retry_after_s() is None and (opens_at := _reset(answer)) is not None:
        limit = RateLimited(f"GitLab's limit is reached ({answer.story()})", hint=LATER)
        return Again(limit, wait_s=answer.seconds_until(opens_at))
    if answer.status == 403 and (scopes := text(answer.document, "scope")):
        return Forbidden(f"the token lacks one of {scopes} ({answer.story()})", scope=f"one of {scopes}")
    return classify(answer)


def _reset(answer: Answer) -> datetime | None:
    said = answer.headers.get("ratelimit-reset", "")
    try:
        return datetime.fromtimestamp(int(said), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _pipeline_rows(pipeline: Node, repo: str) -> Rows:
    jobs = objects(pipeline, _DETAIL, "jobs")
    rows: Rows = gitlab_pipeline_rows(pipeline, repo, jobs)
    report = dig(pipeline, _DETAIL, "report")
    if isinstance(report, Mapping):
        add(rows, gitlab_test_rows(report, pipeline, repo))
    return rows


def _merge_request_rows(request: Node, repo: str) -> dict[str, list[Row]]:
    commits, notes = objects(request, _DETAIL, "commits"), objects(request, _DETAIL, "notes")
    return {PULL_REQUESTS.name: [gitlab_merge_request_row(request, repo, commits, notes)]}


def _path(project: str) -> str:
    return f"/api/v4/projects/{quote(project, safe='')}"


def _next_page(answer: Answer) -> str | None:
    """The number of the next page: from its header, or from the link where a proxy drops that header."""
    said = answer.headers.get("x-next-page")
    if said is not None:
        return said.strip() or None
    link = _NEXT.search(answer.headers.get("link", ""))
    return next(iter(parse_qs(urlsplit(link[1]).query).get("page", [])), None) if link else None


def _token(page: Sequence[Node]) -> str | None:
    """What tells one page from another: its ends, and when they changed."""
    ends = (page[0], page[-1]) if page else ()
    return " to ".join(f"{text(one, 'id')} {text(one, 'updated_at')}" for one in ends) or None


def _within(seen: Mapping[str, str], bound: datetime) -> dict[str, str]:
    """Those whose change will be asked for again."""
    return {
        key: at for key, at in sorted(seen.items()) if (changed := _instant({"updated_at": at})) and changed >= bound
    }


def _texts(node: Node, field: str) -> dict[str, str]:
    value = dig(node, field)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, Mapping) else {}


def _instant(node: Node) -> datetime | None:
    try:
        return instant(node, "updated_at")
    except ValueError:
        return None


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
