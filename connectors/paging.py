"""Paging: the next page is asked for while this one is worked on, and guards against what never ends."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import TypeVar

from connectors.base import Malformed, SourceError

P = TypeVar("P")

_EMPTY_PAGES = 3
_PAGES = 10_000


class PageGuard:
    """Watches the pages of one stream: each token once, few empty pages, a bounded number of pages."""

    def __init__(self, asked: str) -> None:
        self._asked = asked
        self._seen: set[str] = set()
        self._empty = 0

    def follow(self, token: str, *, rows: int) -> None:
        """Allow asking for the page behind `token`, after a page of `rows`. Raises Malformed when that cannot end."""
        self._empty = 0 if rows else self._empty + 1
        if token in self._seen:
            digest = hashlib.sha256(token.encode()).hexdigest()[:12]
            raise self._stop(f"offered the same page twice (token {digest})")
        if self._empty > _EMPTY_PAGES:
            raise self._stop(f"offered a further page after {self._empty} empty ones")
        self._seen.add(token)
        if len(self._seen) > _PAGES:
            raise self._stop(f"offered more than {_PAGES:,} pages")

    def _stop(self, what: str) -> Malformed:
        return Malformed(
            f"{self._asked} {what}: stopped, what came before is kept", hint="run sync again; report it if it stays"
        )


def fewer(what: str, promised: int, came: int) -> list[str]:
    """A sentence when a source counts more of something than it gave; `promised` is 0 where it does not count."""
    if came >= promised:
        return []
    return [f"{what}: the source counts {promised:,} and {came:,} came; `aether-tui sync --full` reads them again"]


async def ahead(
    first: Coroutine[None, None, P], following: Callable[[P], Coroutine[None, None, P] | None]
) -> AsyncGenerator[P]:
    """Pages in order, each asked for before the one before it is handed over. `following` gives the request behind a page,
    None for the last; what it raises is raised after that page."""
    task: asyncio.Future[P] | None = asyncio.ensure_future(first)
    try:
        while task is not None:
            page = await task
            stop: SourceError | None = None
            request: Coroutine[None, None, P] | None = None
            try:
                request = following(page)
            except SourceError as error:
                stop = error
            task = asyncio.ensure_future(request) if request is not None else None
            yield page
            if stop is not None:
                raise stop
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def together(jobs: Iterable[Coroutine[None, None, P]]) -> list[P]:
    """The results of all jobs, run side by side; the first error stops the others."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
