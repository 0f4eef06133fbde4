"""Deployments of GitHub repositories, and releases that count as some; what is alive of both."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from aether_tui.records.tables import DEPLOYMENTS
from connectors.answers import Answer, listed
from connectors.base import Network, Page, Row
from connectors.fields import Node, dig, instant, latest, mapped, names, objects, text
from connectors.github_answers import (
    OPEN_KEPT,
    at_least,
    instant_of,
    keep_read,
    naive,
    names_of,
    next_link,
    note_read,
    rows_in,
    unfinished,
    unread,
)
from connectors.github_rows import github_deployment_row, github_release_row
from connectors.http import Http
from connectors.marks import Mark, advance
from connectors.paging import PageGuard, together

PER_PAGE = "100"
DETAIL = "aether detail"
"""Where the connector keeps what it fetched for an object, beside the object's own fields."""


class Deployed:
    """Two lists of a repository: `environment` is where releases go; `start` says where a list is read from."""

    def __init__(
        self, http: Http, network: Network, environment: str, start: Callable[[datetime | None, timedelta], datetime]
    ) -> None:
        self._http, self._network, self._environment, self._start = http, network, environment, start

    async def pages(self, repo: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Newest first, down to the mark or the oldest deployment that had no final status when it was last read.

        A status moves `updated_at` of its deployment, so what shows none new is left; those without a final one are read
        once a day all the same.
        """
        now = naive(self._network.now())
        today = now.date().isoformat()
        known = instant(mark, "created")
        start = self._start(known, overlap)
        open_before = {key: at for key in names_of(mark, "open") if (at := instant(mark, "open", key)) is not None}
        again = set(open_before) if text(mark, "swept") != today else set[str]()
        floor = min((start, *open_before.values()))
        still = {key: at.isoformat() for key, at in open_before.items()}
        newest, dated = known, dict[str, datetime]()
        path, query = f"/repos/{repo}/deployments", {"per_page": PER_PAGE}
        async for answer in linked(self._http, path, query, conditional=not again):
            if answer.unchanged:
                return
            found = listed(answer)
            kept = [one for one in found if at_least(one, "created_at", start) or text(one, "id") in open_before]
            dated |= {key: at for one in kept if (key := text(one, "id")) and (at := instant_of(one, "created_at"))}
            new = unread(kept, mark)
            fresh = [one for one in kept if one in new or text(one, "id") in again]
            whole = await together(self._with_statuses(repo, one) for one in fresh)
            rows, rejects = mapped(whole, DEPLOYMENTS.name, lambda one: _deployment_rows(one, repo))
            newest = latest(rows, DEPLOYMENTS, "started", newest, self._network.now())
            note_read(mark, fresh)
            still = {key: at for key, at in still.items() if key not in {text(one, "id") for one in fresh}}
            still |= unfinished(rows[DEPLOYMENTS.name], now)
            yield Page(rows=rows, rejects=rejects)
            if not all(at_least(one, "created_at", floor) for one in found):
                break
            self._http.forget(path, query)  # a status further down does not change the first page
        advance(mark, "created", newest)
        still = {key: at for key, at in still.items() if key in dated}
        mark["open"] = dict(sorted(still.items())[-OPEN_KEPT:])
        keep_read(mark, dated, newest and newest - overlap, still)
        mark["swept"] = today
        yield Page()

    async def _with_statuses(self, repo: str, deployment: Node) -> Node:
        if text(deployment, "id") is None:
            return deployment
        statuses = await every(self._http, f"/repos/{repo}/deployments/{text(deployment, 'id')}/statuses")
        return {**deployment, DETAIL: {"statuses": statuses}}

    async def releases(self, repo: str, mark: Mark, overlap: timedelta) -> AsyncIterator[Page]:
        """Published releases, newest first, down to the mark; drafts and pre-releases are none."""
        known = instant(mark, "created")
        start = self._start(known, overlap)
        newest, environment = known, self._environment
        async for answer in linked(self._http, f"/repos/{repo}/releases", {"per_page": PER_PAGE}, conditional=True):
            if answer.unchanged:
                return
            found = listed(answer)
            fresh = [one for one in found if at_least(one, "published_at", start)]
            whole = [one for one in fresh if dig(one, "draft") is not True and dig(one, "prerelease") is not True]
            rows, rejects = mapped(
                whole, DEPLOYMENTS.name, lambda one: {DEPLOYMENTS.name: [github_release_row(one, repo, environment)]}
            )
            newest = latest(rows, DEPLOYMENTS, "started", newest, self._network.now())
            yield Page(rows=rows, rejects=rejects)
            if found and not fresh:
                break
        advance(mark, "created", newest)
        yield Page()

    async def ids(self, repo: str) -> AsyncIterator[Sequence[str]]:
        """Ids of all of both lists. Long ones are read twice: what is deleted meanwhile moves others to a page that was read."""
        for path, prefix in (("deployments", ""), ("releases", "release:")):
            if path == "releases" and not self._environment:
                return
            for _ in range(2):
                pages = 0
                async for answer in linked(self._http, f"/repos/{repo}/{path}", {"per_page": PER_PAGE}):
                    pages += 1
                    yield [f"{prefix}{one}" for one in names(listed(answer), "id")]
                if pages == 1:
                    break


async def linked(
    http: Http, path: str, query: Mapping[str, str], first: Answer | None = None, *, conditional: bool = False
) -> AsyncIterator[Answer]:
    """Answers along the `next` links, beginning with `first` where it is already there. With `conditional` the first may
    say that it is unchanged, and is then the only one."""
    guard = PageGuard(f"GitHub's list {path}")
    answer = first or await http.get(path, query, conditional=conditional)
    while True:
        yield answer
        link = None if answer.unchanged else next_link(answer)
        if link is None:
            return
        guard.follow(link, rows=rows_in(answer))
        answer = await http.get(link)


async def every(http: Http, path: str) -> list[Node]:
    """A whole list of objects."""
    return [item async for answer in linked(http, path, {"per_page": PER_PAGE}) for item in listed(answer)]


def _deployment_rows(deployment: Node, repo: str) -> dict[str, list[Row]]:
    return {DEPLOYMENTS.name: [github_deployment_row(deployment, repo, objects(deployment, DETAIL, "statuses"))]}
