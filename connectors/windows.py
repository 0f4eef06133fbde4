"""Walking time in windows, for lists whose order is not promised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from aether_tui.records.tables import SPANS
from connectors.base import Memory, Page, Table
from connectors.fields import latest

_WIDTH = timedelta(days=1)


def again_from(newest: datetime, overlap: timedelta, memory: Memory) -> datetime:
    """Where reading goes on: `overlap` before the newest instant seen, because what is older may have come late; at that
    instant where the last reading began so much later that nothing of before can have."""
    return newest if memory.read is not None and memory.read - overlap >= newest else newest - overlap


ReadWindow = Callable[[datetime, datetime | None], AsyncIterator[tuple[Page, bool]]]
"""Pages of what began in a period (open-ended without an end), and whether each is the last."""


async def by_window(
    read: ReadWindow,
    begin: datetime,
    newest: datetime | None,
    now: datetime,
    table: Table = SPANS,
    *,
    empty: bool = False,
    started: Callable[[], datetime | None] | None = None,
) -> AsyncIterator[tuple[Page, datetime | None]]:
    """All pages from `begin` on, oldest window first, each with the newest instant of `table` up to which all is read.

    Only the last page of a window knows one; `newest` is what was known before. Windows grow where little happened: what was
    `empty` when it was read to its end before is one. Where rows do not tell, `started` says what the newest is.
    """
    width = _WIDTH
    while True:
        end = begin + width if begin + width < now and not empty else None
        pages = 0
        async for page, last in read(begin, end):
            pages += 1
            reached = latest(page.rows, table, table.at, newest) if started is None else started() or newest
            # A sender whose clock is far ahead must not carry the cursor away.
            newest = min(reached, now) if reached else None
            yield page, newest if last else None
        if end is None:
            return
        begin, width = end, width * 8 if pages <= 1 else _WIDTH
