"""Running a connector to its end and laying its rows out by name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from aether_tui.cache.bulk import scanned
from aether_tui.records import TABLES
from connectors.base import Network, Page, Scan, SourceError, Stream

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


async def at_once(_: float) -> None:
    """Retries happen at once; how long they would have waited is in `Network.waited_s`."""


def network(**values: Any) -> Network:
    return Network(**{"now": lambda: NOW, "source": "mine", "sleep": at_once, **values})


class Time:
    """A clock that only waiting moves: `network(**time.parts())`."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=sum(self.waits))

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    def parts(self) -> dict[str, Any]:
        return {"now": self.now, "clock": lambda: sum(self.waits), "sleep": self.sleep}


@dataclass
class Pulled:
    pages: list[Page] = field(default_factory=list)
    error: SourceError | None = None

    @property
    def cursor(self) -> str | None:
        return next((page.cursor for page in reversed(self.pages) if page.cursor), None)

    def table(self, name: str) -> list[dict[str, Any]]:
        """The rows of all pages, merged by key as the cache does: the later page wins."""
        columns = [column.name for column in TABLES[name].raw]
        merged: dict[tuple[Any, ...], dict[str, Any]] = {}
        for page in self.pages:
            for row in page.rows.get(name, ()):
                named = dict(zip(columns, row, strict=True))
                merged[tuple(named[key] for key in TABLES[name].key)] = named
        return list(merged.values())

    @property
    def rejects(self) -> list[Any]:
        return [reject for page in self.pages for reject in page.rejects]

    @property
    def problems(self) -> list[str]:
        return [problem for page in self.pages for problem in page.problems]


def _read(page: Page, scan: Scan) -> None:
    """Add the rows and rejects of a scan to its page."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = [row for sql, _ in scanned(connection, scan) for row in connection.execute(sql).fetchall()]
    page.rows, page.rejects = {**scan.rest.rows, scan.table.name: rows}, scan.rest.rejects


def pull(source: Any, stream: str | Stream | None = None, since: str | None = None) -> Pulled:
    """All pages of one stream (the first by default), and the error that ended them."""
    wanted = next(s for s in source.streams if stream is None or stream in (s.name, s))

    async def run() -> Pulled:
        done = Pulled()
        try:
            async for page in source.pages(wanted, since):
                done.pages.append(page)
                if page.scan is not None:
                    _read(page, page.scan)
        except SourceError as error:
            done.error = error
        finally:
            await source.close()
        return done

    return asyncio.run(run())


def call(source: Any, action: Callable[[], Awaitable[Any]]) -> Any:
    """One awaited call, then the connections closed."""

    async def run() -> Any:
        try:
            return await action()
        finally:
            await source.close()

    return asyncio.run(run())


def recordings(folder: Path, lines: Sequence[str]) -> str:
    """A `replay:` address of these recording lines."""
    (folder / "recorded.jsonl").write_text("\n".join(lines))
    return "replay:recorded.jsonl"
