"""Small pages and files of one load, put together: what a merge costs besides its rows is as much as thousands of rows cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Final

from aether_tui.cache import Cache, Merged
from aether_tui.records import TABLES, Row, Table
from aether_tui.records.source import Bulk, Malformed, Page, Reject, Small, Together
from aether_tui.sync.intake import Counts, Intake, counts_of, joined

BULK_BYTES: Final = 256 << 10
"""Bytes of a bulk file that is worth a merge of its own."""
SMALL_BYTES: Final = 64 << 20
"""Bytes of small files that wait in memory for others."""
JOINED_CHARACTERS: Final = 4 << 20
"""Characters of pages of files from which no more of them are joined."""

Late = Callable[[Sequence[Reject], Sequence[str], Malformed | None], None]
"""Hears of a file that waited which of its rows could not be read, what else is to be said, and why it is refused."""


@dataclass(slots=True)
class _Held:
    """Pages of files that wait for more, as one page; `keys` are those of their rows."""

    page: Page = field(default_factory=Page)
    parts: list[tuple[Page, Counts]] = field(default_factory=list)
    keys: set[tuple[str, object]] = field(default_factory=set)
    characters: int = 0


class Joining:
    """Pages of files on their way into an intake. Call `flush` before the intake completes or finishes."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._held = _Held()
        self._files: dict[Path, tuple[Bulk, Counts, Late]] = {}
        self._small: list[tuple[Small, Counts, Late]] = []
        self._small_bytes = 0

    def put(self, page: Page, counts: Counts, late: Late) -> Sequence[Reject]:
        """Store a page of a file, a small one as one with those of other files: `counts` has what became of it after `flush`. Pages with
        a key in common are stored one after the other. Spans that DuckDB reads wait, and `late` hears of them. Returns rows of the page
        that could not be read."""
        if page.bulk is not None and page.replace is None:
            bulk = page.bulk
            if Cache.takes_bulk(bulk):
                if not self._files.keys().isdisjoint(bulk.paths):  # named twice
                    self._store_files()
                self._files |= {path: (replace(bulk, paths=(path,)), counts, late) for path in bulk.paths}
                page = replace(page, bulk=None)
            elif _bytes(bulk) < BULK_BYTES:
                page = replace(page, bulk=None, rejects=[*page.rejects, *self._put_rows(bulk, counts, late)])
        if page.small is not None:
            self._small.append((page.small, counts, late))
            self._small_bytes += len(page.small.data)
            page = replace(page, small=None)
            if self._small_bytes >= SMALL_BYTES:
                self._store_small()
        alone = joined(Page(), page)
        if alone is None:
            self._store_held()
            counts.add(self._intake.page(page))
            return self._intake.refused
        keys = {(name, key) for name, rows in page.rows.items() for key in _keys(TABLES[name], rows)}
        whole = None if keys & self._held.keys else joined(self._held.page, page)
        if whole is None:
            self._store_held()
        self._held.parts.append((page, counts))
        self._held.page = whole or alone
        self._held.keys |= keys
        self._held.characters += _characters(page)
        if self._held.characters >= JOINED_CHARACTERS:
            self._store_held()
        return page.rejects

    def flush(self) -> None:
        """Store what waits for more."""
        self._store_files()
        self._store_small()
        self._store_held()

    def _put_rows(self, bulk: Bulk, counts: Counts, late: Late) -> list[Reject]:
        rejects: list[Reject] = []
        for page in self._intake.rows(bulk, rejects):
            self.put(page, counts, late)
        return rejects

    def _store_held(self) -> None:
        held, self._held = self._held, _Held()
        self._intake.together(held.page, held.parts)

    def _store_files(self) -> None:
        """Store the files that wait: those of one shape as one, and few bytes as rows."""
        waiting, self._files = self._files, {}
        while waiting:
            shape = replace(next(iter(waiting.values()))[0], paths=())
            some = {path: one for path, one in waiting.items() if replace(one[0], paths=()) == shape}
            waiting = {path: one for path, one in waiting.items() if path not in some}
            whole = replace(shape, paths=tuple(some))
            large = _bytes(whole) >= BULK_BYTES
            if large and len(some) > 1:
                self._store_several(whole, [(counts, late) for _, counts, late in some.values()])
                continue
            for bulk, counts, late in some.values():
                try:
                    if large:
                        counts.add(self._intake.page(Page(bulk=bulk)))
                        refused = self._intake.refused
                    else:
                        refused = self.put(Page({}, rejects=self._put_rows(bulk, counts, late)), counts, late)
                except Malformed as error:
                    late((), (), error)
                else:
                    late(refused, (), None)

    def _store_small(self) -> None:
        """Store the small files that wait: by one scan, and few bytes as rows."""
        waiting, self._small, size, self._small_bytes = self._small, [], self._small_bytes, 0
        if waiting and size >= waiting[0][0].enough:
            one = waiting[0][0].join([(small.path, small.data) for small, _, _ in waiting])
            told = [(counts, late) for _, counts, late in waiting]
            del waiting
            self._store_several(one, told)
            return
        for small, counts, late in waiting:
            try:
                for page in small.pages():
                    late(self.put(page, counts, late), page.problems, None)
            except Malformed as error:
                late((), (), error)

    def _store_several(self, some: Bulk | Together, told: Sequence[tuple[Counts, Late]]) -> None:
        files = self._intake.several(some)
        for number, (counts, late) in enumerate(told):
            of_it = files.rejects.get(number, ())
            counts.add(counts_of(files.merged.get(number, Merged())))
            counts.rejected += len(of_it)
            rest = None if isinstance(some, Bulk) else some.rests[number]
            late(of_it, rest.problems if isinstance(rest, Page) else (), files.refused.get(number))


def _bytes(bulk: Bulk) -> int:
    return sum(path.stat().st_size for path in bulk.paths if path.exists())


def _keys(table: Table, rows: Sequence[Row]) -> Iterable[object]:
    names = [column.name for column in table.raw]
    return map(itemgetter(*map(names.index, table.key)), rows)


def _characters(page: Page) -> int:
    rows = sum(len(value) for rows in page.rows.values() for row in rows for value in row if isinstance(value, str))
    return rows + sum(len(reject.raw) for reject in page.rejects)
