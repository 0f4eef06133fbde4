"""Actions runs and jobs, pull requests, deployments, releases and test reports of GitHub repositories (REST)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from aether_tui.records.tables import DEPLOYMENTS, PIPELINE_JOBS, PIPELINE_RUNS, PULL_REQUESTS, TEST_CASES, TEST_RUNS
from connectors.answers import Answer, listed, record
from connectors.base import (
    BY_AGE,
    Access,
    Denied,
    Gone,
    Malformed,
    Network,
    Page,
    Row,
    SourceError,
    Stream,
)
from connectors.fields import Node, dig, instant, integer, latest, mapped, objects, possible, text
from connectors.github_answers import (
    OPEN_KEPT,
    Ceiling,
    at_least,
    classify_github,
    instant_of,
    keep_read,
    looked_for,
    naive,
    next_link,
    note_read,
    open_runs,
    read_already,
    rows_in,
    second,
    texts_of,
    unread,
)
from connectors.github_artifacts import report_pages
from connectors.github_deployments import DETAIL, PER_PAGE, Deployed, every, linked
from connectors.github_rows import (
    fold,
    github_pull_request_row,
    github_run_rows,
)
from connectors.github_settings import GitHubSettings
from connectors.http import Http
from connectors.marks import Mark, advance, read_marks
from connectors.paging import fewer, together
from connectors.windows import again_from

RUNS = Stream("runs", (PIPELINE_RUNS, PIPELINE_JOBS), overlap_s=3600, kept=BY_AGE)
PULLS = Stream("pull_requests", (PULL_REQUESTS,), overlap_s=600, kept="GitHub lets nobody delete one")
# Releases are rows of the same table: what is alive of both is listed together.
DEPLOYED = Stream("deployments", (DEPLOYMENTS,), overlap_s=3600, sweep_s=86_400, sweep_of=("repo", "repos"))
RELEASES = Stream("releases", (DEPLOYMENTS,), overlap_s=3600, setting="releases", kept="looked for with deployments")
ARTIFACTS = Stream("artifacts", (TEST_RUNS, TEST_CASES), overlap_s=3600, setting="artifacts", kept=BY_AGE)

_WINDOW_RESULTS = 1000
_SMALLEST_WINDOW = timedelta(minutes=1)
# Windows end a little after our own present, because the server's clock may be ahead of ours.
_AHEAD = timedelta(hours=2)
_RERUN_DAYS = 30
_ASKED_ALONE, _LISTED = 1, timedelta(days=2)
"""More unfinished runs of so long ago at most are looked for in the list, older ones once a day."""


class GitHub:
    """Runs with jobs, pull requests, deployments, releases, test reports. One repository that cannot be read does not stop the others."""

    kind = "github"
    Settings = GitHubSettings
    SECRETS = ("token",)
    streams = (RUNS, PULLS, DEPLOYED, RELEASES, ARTIFACTS)
    access = Access(
        credential="a fine-grained personal access token for the repositories named",
        permissions=(
            "Actions: read",
            "Pull requests: read",
            "Deployments: read",
            "Metadata: read",
            "Contents: read, only where `releases` is set",
        ),
        reads=(
            "workflow runs and jobs: times, results, branch, runner",
            "pull requests: times, size, labels, commit and review times; titles and branches for the keys of items in them",
            "deployments and their statuses, releases where asked: times and tags",
            "test reports in the artifacts that are named: cases, results, times, messages of failures",
            "authors, kept as a keyed hash",
        ),
        leaves=("source code", "logs", "comments", "issues"),
        drops=("descriptions", "messages of commits", "texts of reviews", "names, addresses and pictures of people"),
    )

    def __init__(self, settings: GitHubSettings, secrets: Mapping[str, str], network: Network) -> None:
        self._settings = settings
        self._network = network
        token = secrets.get("token", "")
        self._http = Http(
            settings.url,
            network,
            service="GitHub",
            secrets={"token": token},
            headers={
                "Authorization": f"Bearer {token.strip()}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            classify=classify_github,
            ca_bundle=settings.ca_bundle,
        )
        self._deployed = Deployed(self._http, network, settings.releases, self._start)

    async def pages(self, stream: Stream, since: str | None) -> AsyncIterator[Page]:
        """Pages of `stream` for each repository in turn. Raises SourceError, for a repository that is absent or denied
        only after the others were read; never stores.
        """
        marks, start = read_marks(since)
        reader = {
            RUNS.name: self._runs,
            PULLS.name: self._pulls,
            DEPLOYED.name: self._deployed.pages,
            RELEASES.name: self._deployed.releases,
            ARTIFACTS.name: self._artifacts,
        }[stream.name]
        trouble: SourceError | None = None
        for repo in self._settings.repos:
            mark = marks.setdefault(repo, dict(start))
            try:
                async for page in reader(repo, mark, timedelta(seconds=stream.overlap_s)):
                    page.cursor = json.dumps(marks, sort_keys=True)
                    yield page
            except (Gone, Denied) as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    async def ids(self, _: Stream) -> AsyncIterator[Sequence[str]]:
        """Ids of every deployment and release there is. Raises SourceError."""
        for repo in self._settings.repos:
            async for some in self._deployed.ids(repo):
                yield some

    async def check(self) -> str:
        """The owner of the token."""
        return text((await self._http.get("/user")).json, "login") or "unknown"

    async def close(self) -> None:
        """Close connections."""
        await self._http.close()

    def _start(self, known: datetime | None, overlap: timedelta) -> datetime:
        if known is None:
            return naive(self._network.now()) - timedelta(days=self._settings.days_back)
        return again_from(known, overlap, self._network.memory)

    # -- runs

    async def _runs(self, repo: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """New runs by windows of `created`, oldest first; runs that were not finished; once a day, re-runs of old ones.

        What was read and has not changed since (`read`: ids with `updated_at`) is not asked for again, nor after a walk
        that broke off.
        """
        now = naive(self._network.now())
        today = now.date().isoformat()
        known, changed = instant(mark, "created"), instant(mark, "updated")
        start = self._start(known, overlap)
        sweeps = text(mark, "swept") not in {None, today}
        begin = min(start, now - timedelta(days=_RERUN_DAYS)) if sweeps else start
        waiting = open_runs(mark)
        recent = [created for created in waiting.values() if created > now - _LISTED]
        if len(recent) > _ASKED_ALONE:
            begin = min(begin, *recent)  # the list shows them in fewer requests
        for run_id in [key for key, at in waiting.items() if at < begin and (sweeps or at in recent)]:
            run = await self._run(repo, run_id)
            news = unread([run] if run else [], mark)
            yield await self._run_page(repo, news, mark, gone=() if run else (run_id,))
            note_read(mark, news)
        newest, changed_now, dated = known, changed, dict[str, datetime]()
        async for answer, problem, complete in self._windows(repo, begin, _end(now), anew=known is None or sweeps):
            found = listed(answer, "workflow_runs")
            dated |= {key: at for run in found if (key := text(run, "id")) and (at := instant_of(run, "created_at"))}
            fresh = [
                run
                for run in unread(found, mark)
                if at_least(run, "created_at", start)
                or text(run, "id") in waiting
                or (changed is not None and at_least(run, "updated_at", changed - overlap))
            ]
            page = await self._run_page(repo, fresh, mark)
            page.problems = [problem] if problem else []
            newest = latest(page.rows, PIPELINE_RUNS, "created", newest, self._network.now())
            changed_now = latest(page.rows, PIPELINE_RUNS, "updated", changed_now, self._network.now())
            note_read(mark, fresh)
            if complete:
                # Inside a window the newest come first: only its end may move the mark.
                advance(mark, "created", newest)
                keep_read(
                    mark, dated, newest and newest - overlap, {*open_runs(mark), *looked_for(mark, changed, overlap)}
                )
            yield page
        if sweeps or changed is None:
            # Between two looks at all of them re-runs are not seen, whatever else is.
            advance(mark, "updated", changed_now)
        mark["swept"] = today
        yield Page()

    async def _run(self, repo: str, run_id: str) -> Node | None:
        try:
            return record(await self._http.get(f"/repos/{repo}/actions/runs/{run_id}"))
        except Gone:
            return None

    async def _run_page(self, repo: str, runs: list[Node], mark: Mark, gone: tuple[str, ...] = ()) -> Page:
        whole = await together(self._with_jobs(repo, run) for run in runs)
        rows, rejects = mapped(
            whole, PIPELINE_RUNS.name, lambda run: github_run_rows(run, repo, objects(run, DETAIL, "jobs"))
        )
        still = {key: at for key, at in open_runs(mark).items() if key not in gone}
        for run in runs:
            key, created = text(run, "id") or "", instant_of(run, "created_at")
            still.pop(key, None)
            if created and fold(text(run, "conclusion"), text(run, "status")) == "running":
                still[key] = created
        mark["open"] = {key: at.isoformat() for key, at in sorted(still.items())[-OPEN_KEPT:]}
        return Page(rows=rows, rejects=rejects)

    async def _with_jobs(self, repo: str, run: Node) -> Node:
        if (
            not self._settings.jobs
            or text(run, "id") is None
            or fold(text(run, "conclusion"), text(run, "status")) == "running"
        ):
            return run
        path = f"/repos/{repo}/actions/runs/{text(run, 'id')}/jobs"
        pages = linked(self._http, path, {"filter": "all", "per_page": PER_PAGE})
        return {**run, DETAIL: {"jobs": [job async for answer in pages for job in listed(answer, "jobs")]}}

    async def _windows(
        self, repo: str, start: datetime, end: datetime, *, anew: bool
    ) -> AsyncIterator[tuple[Answer, str, bool]]:
        """Pages of runs created in a period; a sentence where some cannot be had; whether the page ends its window.

        A filtered list ends at 1,000 results: a window with more is halved, down to a minute. Unless `anew`, a period that is
        one page may say that nothing changed in it.
        """
        path = f"/repos/{repo}/actions/runs"
        pending = [(start, end)]
        while pending:
            begin, until = pending.pop()
            query = {
                "created": f"{second(begin)}..{second(until)}",
                "per_page": PER_PAGE,
                "exclude_pull_requests": "true",
            }
            smallest = until - begin <= _SMALLEST_WINDOW
            first: Answer | None = None
            try:
                first = await self._http.get(path, query, conditional=not anew and until - begin == end - start)
                if first.unchanged:
                    return
                total = integer(first.json, "total_count") or 0
                if next_link(first) is not None:
                    self._http.forget(path, query)
            except Ceiling:
                if smallest:
                    raise
                total = _WINDOW_RESULTS + 1
            if total > _WINDOW_RESULTS and not smallest:
                middle = (begin + (until - begin) / 2).replace(microsecond=0)
                pending += [(middle, until), (begin, middle)]
                continue
            missing = total - _WINDOW_RESULTS
            problem = (
                f"{repo}: {missing:,} runs created {second(begin)} are beyond GitHub's list" if missing > 0 else ""
            )
            came = 0
            async for answer in linked(self._http, path, query, first):
                last, came = next_link(answer) is None, came + rows_in(answer)
                if last and missing <= 0:
                    problem = "".join(fewer(f"{repo}: runs created {second(begin)}..{second(until)}", total, came))
                yield answer, problem, last
                problem = ""

    # -- pull requests

    async def _pulls(self, repo: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Newest change first, down to the mark; only the end of the walk moves it.

        Two requests per pull request can use up the hour's limit: the stretch that an interrupted walk has read
        (`lower` to `upper`) is not asked for again.
        """
        known, lower, upper = (instant(mark, name) for name in ("updated", "lower", "upper"))
        start = self._start(known, overlap)
        newest, dated = upper or known, dict[str, datetime]()
        query = {"state": "all", "sort": "updated", "direction": "desc", "per_page": PER_PAGE}
        walk = linked(self._http, f"/repos/{repo}/pulls", query, conditional=upper is None)
        async for answer in walk:
            if answer.unchanged:
                return
            pulls = listed(answer)
            recent = [pull for pull in pulls if at_least(pull, "updated_at", start)]
            dated |= {key: at for one in recent if (key := text(one, "id")) and (at := instant_of(one, "updated_at"))}
            fresh = [
                pull for pull in unread(recent, mark) if not (lower and upper and read_already(pull, lower, upper))
            ]
            whole = await together(self._with_commits(repo, pull) for pull in fresh)
            rows, rejects = mapped(whole, PULL_REQUESTS.name, lambda pull: _pull_rows(pull, repo))
            newest = latest(rows, PULL_REQUESTS, "updated", newest, self._network.now())
            note_read(mark, fresh)
            keep_read(mark, dated, newest and newest - overlap)
            oldest = min(filter(None, (instant_of(pull, "updated_at") for pull in recent)), default=None)
            if oldest and (upper is None or oldest <= upper):
                advance(mark, "lower", min(lower or oldest, oldest))
                advance(mark, "upper", newest)
            yield Page(rows=rows, rejects=rejects)
            if len(recent) < len(pulls):
                break
        read = mark.get("read", {})
        mark.clear()
        mark["read"] = read
        advance(mark, "updated", newest)
        yield Page()

    async def _with_commits(self, repo: str, pull: Node) -> Node:
        if text(pull, "number") is None:
            return pull
        path = f"/repos/{repo}/pulls/{text(pull, 'number')}"
        commits, reviews = await every(self._http, f"{path}/commits"), await every(self._http, f"{path}/reviews")
        return {**pull, DETAIL: {"commits": commits, "reviews": reviews}}

    # -- test reports

    async def _artifacts(self, repo: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Artifacts whose names were asked for, newest first; each is downloaded once. Only the end of the walk moves the mark."""
        known, read = instant(mark, "created"), set(texts_of(mark, "read"))
        start = self._start(known, overlap)
        newest, now_read = known, set[str]()
        async for answer in linked(
            self._http, f"/repos/{repo}/actions/artifacts", {"per_page": PER_PAGE}, conditional=True
        ):
            if answer.unchanged:
                return
            found = listed(answer, "artifacts")
            recent = [one for one in found if at_least(one, "created_at", start)]
            for one in recent:
                created = instant_of(one, "created_at")
                name = text(one, "name") or ""
                if created is None or not any(fnmatchcase(name, pattern) for pattern in self._settings.artifacts):
                    continue
                if (key := text(one, "id") or "") not in read and dig(one, "expired") is not True:
                    for page in await self._reports(repo, one, created):
                        yield page
                newest = max((at for at in (newest, created) if at and possible(at, self._network.now())), default=None)
                now_read.add(key)
            if len(recent) < len(found):
                break
        advance(mark, "created", newest)
        mark["read"] = sorted(now_read)[-OPEN_KEPT:]
        yield Page()

    async def _reports(self, repo: str, artifact: Node, created: datetime) -> list[Page]:
        """The test reports of one artifact; one that is too large, gone or damaged is a problem, not the end."""
        name, cap = text(artifact, "name") or "", self._settings.artifact_mb
        if (integer(artifact, "size_in_bytes") or 0) > cap * 1_000_000:
            return [Page(problems=[f"{repo}: the artifact {name} is larger than {cap} MB and was left (artifact_mb)"])]
        target = f"/repos/{repo}/actions/artifacts/{text(artifact, 'id')}/zip"
        try:
            with self._network.aside() as folder:
                path = folder / "artifact.zip"
                await self._http.download(target, None, path, max_bytes=cap * 1_000_000, elsewhere=True)
                return await asyncio.to_thread(report_pages, path, artifact, repo, created)
        except (Gone, Malformed) as error:
            return [Page(problems=[f"{repo}: the artifact {name} was not read: {error.what}"])]


def _end(now: datetime) -> datetime:
    """Where windows end: the same all day, so that a list that did not change has the same address."""
    return (now + _AHEAD).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _pull_rows(pull: Node, repo: str) -> dict[str, list[Row]]:
    commits, reviews = objects(pull, DETAIL, "commits"), objects(pull, DETAIL, "reviews")
    return {PULL_REQUESTS.name: [github_pull_request_row(pull, repo, commits, reviews)]}
