"""The one way from a page into the cache: cleaned, derived, merged in one transaction with its cursor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from aether_tui.cache import Cache, Merged
from aether_tui.cache.joint import Files
from aether_tui.cache.spool import Format, Segment, UnreadableSegment, left_over
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row
from aether_tui.records.source import (
    Bulk,
    Page,
    Pushed,
    Reject,
    Replace,
    Scan,
    Tally,
    Together,
    Whole,
)
from aether_tui.records.tables import REQUESTS, SPAN_PAYLOADS, SPANS

BULK_ROWS = 10_000
"""Rows of a bulk file that are cleaned and stored at a time."""

RECEIVED: Final = ("otlp", "receiver")
"""Source and stream of spans that came over OTLP/HTTP; files of OTLP are the same source, so a span counts once."""

KEPT_DAYS: Final = 14
"""Days that texts of requests are kept."""

JOINED_ROWS: Final = 10_000
"""Rows of small pages that are stored in one transaction, at most."""

State = Mapping[str, object]


@dataclass(slots=True)
class Counts:
    """What became of some rows. `late` ones came after retention or a deletion had let go of them: they are not stored."""

    rows: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    late: int = 0

    def add(self, other: Counts) -> None:
        """Count `other` too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Writer:
    """What stands between pages and the cache. `clock` gives the aware instant that rows are stamped with.

    Used by one thread at a time. `force` lets an older export replace a newer one.
    """

    cache: Cache
    ingest: Ingest
    clock: Callable[[], datetime]
    force: bool = False

    def open(self) -> list[str]:
        """Make the cache ready: begun anew if it was damaged, derived again if the mapping changed.

        Returns sentences for the reader. Raises CacheTrouble.
        """
        told = []
        kept = {REQUESTS.name: KEPT_DAYS}
        ingest = self.ingest
        aside, derived = self.cache.begin(
            ingest, ingest.mapping_hash, kept, now=self.clock(), derived_by=ingest.derived_by
        )
        if aside is not None and aside.suffix == ".wal":
            told.append(
                f"the log of the cache was damaged: it is set aside as {aside.name}, and what was stored last is lost; "
                "load again what was being loaded then"
            )
        elif aside is not None:
            told.append(
                f"the cache was damaged: it is set aside as {aside.name} and filled anew; load your files again, if there are any"
            )
        told += [f"the mapping has changed: {derived:,} rows derived again"] * bool(derived)
        return [*told, *self.ingest.notes, *self._recover()]

    @property
    def spool(self) -> Path:
        """Where receivers keep what the cache does not hold yet."""
        return self.cache.path.with_name("spool")

    def store_received(self, segment: Segment, form: Format, told: list[str]) -> Counts:
        """Store the clean spans of a segment in the cache, then delete it, or set it aside where some cannot be read, which `told` gets
        a sentence on; repeating it adds nothing. Raises CacheTrouble."""
        rows, rejects, whole = [], [], True
        try:
            for some, refused, said in form.read(segment.path):
                rows += some
                rejects += refused
                if said:  # frame by frame: they are large
                    self._store_said(said)
        except UnreadableSegment:
            whole = False
        merged = self.cache.merge(
            *RECEIVED,
            {SPANS.name: self.ingest.derive(SPANS, rows)},
            mapping_hash=self.ingest.mapping_hash,
            now=self.clock(),
            rejects=rejects,
            complete=True,
        )
        if whole:
            segment.path.unlink()
        else:
            told.append(
                "received spans that cannot be read, being damaged or of another version of aether-tui, are set aside as "
                f"{segment.set_aside()}; those that can be read are stored"
            )
        return Counts(
            len(rows), merged.inserted, merged.updated, merged.unchanged, merged.removed, len(rejects), merged.late
        )

    def _store_said(self, said: Sequence[Row]) -> None:
        rows = {SPAN_PAYLOADS.name: self.ingest.derive(SPAN_PAYLOADS, said)}
        self.cache.merge(*RECEIVED, rows, mapping_hash=self.ingest.mapping_hash, now=self.clock())

    def _recover(self) -> list[str]:
        """Store what killed receivers left."""
        form, kept = Format(SPANS), 0
        told: list[str] = []
        for segment in left_over(self.spool):
            kept += self.store_received(segment, form, told).inserted
        told += [f"{kept:,} spans stored that a receiver had acknowledged before it was stopped"] * bool(kept)
        return told

    def fail(self, source: str, stream: str, reason: str, state: State | None = None) -> None:
        """Keep why a stream failed; what was stored before stays."""
        self.cache.note(source, stream, now=self.clock(), error=self.ingest.clean_text(reason), state=state)


class Intake:
    """Pages of one stream on their way into the cache. Call `finish` after the last one.

    `counted` is the table whose rows are the stream's rows; without it those of every table count.
    """

    def __init__(self, writer: Writer, source: str, stream: str, counted: str = "") -> None:
        self._writer = writer
        self._source = source
        self._stream = stream
        self._counted = counted
        self._export: Replace | None = None
        self._waiting: list[Reject] = []
        self._cursor: str | None = None
        self._apart = False
        self.refused: Sequence[Reject] = ()
        """Rows of the last page that could not be read, also those that the cache itself refused."""

    def page(self, page: Page, *, cursor: str | None = None, state: State | None = None) -> Counts:
        """Store a page with its cursor. Of bulk files every chunk is stored by itself, the cursor with the last.

        Pages of an export that replaces are collected: `complete`, or the first page of another export, stores them.
        """
        counts = self.complete() if page.replace != self._export else Counts()
        self._export = page.replace
        self.refused = rejects = list(page.rejects)
        if page.bulk is not None and page.replace is None and Cache.takes_bulk(page.bulk):
            counts.add(self._merge_bulk(page.bulk, rejects))
        elif page.bulk is not None:
            for one in self.rows(page.bulk, rejects):
                counts.add(self._merge(one.rows))
        if page.scan is not None:
            counts.add(self._merge_bulk(page.scan, rejects))
            rejects += page.scan.rest.rejects
            beside = {name: rows for name, rows in page.scan.rest.rows.items() if name != page.scan.table.name and rows}
            page = replace(page, rows={**page.rows, **beside})
        if page.small is not None:
            for one in page.small.pages():
                counts.add(self.page(one))
        if page.pushed is not None:
            return self._push(page.pushed, cursor)
        stored = page.bulk is not None or page.scan is not None
        if stored and not (rejects or page.rows or page.whole or page.replace or cursor or state):
            return counts  # nothing to note: each note takes a lease
        rows = (
            page.rows if page.tally is None else {**page.rows, page.tally.table.name: self._tally(page.tally, rejects)}
        )
        counts.add(self._merge(rows, self._clean(rejects), cursor, state, whole=page.whole))
        return counts

    def _tally(self, tally: Tally, rejects: list[Reject]) -> list[Row]:
        try:
            return self._writer.cache.tally(tally, rejects)
        finally:
            tally.stored()

    def complete(self) -> Counts:
        """Store the export collected so far, if there is one: it was read to its end."""
        if self._export is None:
            return Counts()
        rejects, self._waiting = self._waiting, []
        counts = self._merge({}, rejects, self._cursor, complete=True)
        counts.rejected = 0  # counted when they came
        self._export = self._cursor = None
        return counts

    def discard(self) -> None:
        """Forget an export that broke off; what is stored of it stays as it was."""
        self._export, self._waiting, self._cursor = None, [], None

    def together(self, page: Page, parts: Sequence[tuple[Page, Counts]]) -> None:
        """Store a page that some were `joined` to, each of which has counts of its own."""
        if page.rejects or any(page.rows.values()):
            self._merge(page.rows, self._clean(page.rejects), whole=page.whole, parts=parts)

    def several(self, some: Bulk | Together) -> Files:
        """Store the rows of several files that are read as one; returns what became of each."""
        files, rejects = Files(), list[Reject]()
        self._merge_bulk(some, rejects, files)
        rejects = [reject for of_it in files.rejects.values() for reject in of_it]
        if rejects:
            self._merge({}, self._clean(rejects))
        return files

    def rows(self, bulk: Bulk, rejects: list[Reject]) -> Iterator[Page]:
        """Pages of the rows of files, read one by one; what cannot be read is appended to `rejects` before its page comes."""
        for chunk in self._writer.cache.read_bulk(bulk, BULK_ROWS, rejects):
            yield Page(chunk)

    def finish(self, state: State | None = None) -> Counts:
        """Complete the stream: it succeeded."""
        counts = self.complete()
        self._merge({}, state=state, complete=True)
        if self._apart:
            self._writer.cache.tidy()
        return counts

    def _counts(self, table: str) -> bool:
        """What was said in spans is a part of them, not rows of its own."""
        return table == self._counted if self._counted else table != SPAN_PAYLOADS.name

    def _push(self, pushed: Pushed, cursor: str | None) -> Counts:
        writer, ingest = self._writer, self._writer.ingest
        rows = writer.cache.push(
            self._source,
            self._stream,
            pushed,
            ingest,
            mapping_hash=ingest.mapping_hash,
            now=writer.clock(),
            cursor=cursor,
        )
        return Counts(rows, rows)

    def _merge_bulk(self, bulk: Bulk | Scan, rejects: list[Reject], files: Files | None = None) -> Counts:
        writer, ingest = self._writer, self._writer.ingest
        merged = writer.cache.merge_bulk(
            self._source,
            self._stream,
            bulk,
            ingest,
            mapping_hash=ingest.mapping_hash,
            now=writer.clock(),
            rejects=rejects,
            files=files,
        )
        self._apart |= bool(merged.inserted or merged.updated)
        return counts_of(merged)

    def _merge(
        self,
        rows: Mapping[str, Sequence[Row]],
        rejects: Sequence[Reject] = (),
        cursor: str | None = None,
        state: State | None = None,
        *,
        complete: bool = False,
        whole: Sequence[Whole] = (),
        parts: Sequence[tuple[Page, Counts]] = (),
    ) -> Counts:
        writer, ingest = self._writer, self._writer.ingest
        rows = {name: part for name, part in rows.items() if part and ingest.keeps(name)}
        merged: Merged = writer.cache.merge(
            self._source,
            self._stream,
            {name: ingest.prepare(TABLES[name], part) for name, part in rows.items()},
            mapping_hash=ingest.mapping_hash,
            now=writer.clock(),
            cursor=cursor,
            rejects=rejects,
            replace=self._export,
            state=state,
            complete=complete,
            force=writer.force,
            whole=[replace(one, ids=[ingest.identifier(name) for name in one.ids]) for one in whole],
            parts=_firsts([page for page, _ in parts]),
        )
        for number, (page, counts) in enumerate(parts):
            counts.add(self._counts_of(page.rows, merged.by_part.get(number, Merged()), page.rejects))
        if self._export is not None and not complete:
            # Nothing is stored yet: rejects and cursor go with the export.
            self._waiting += rejects
            self._cursor = cursor if cursor is not None else self._cursor
        return self._counts_of(rows, merged, rejects)

    def _counts_of(self, rows: Mapping[str, Sequence[Row]], merged: Merged, rejects: Sequence[Reject]) -> Counts:
        return Counts(
            rows=sum(len(part) for name, part in rows.items() if self._counts(name)),
            inserted=merged.inserted,
            updated=merged.updated,
            unchanged=merged.unchanged,
            removed=merged.removed,
            rejected=len(rejects),
            late=merged.late,
        )

    def _clean(self, rejects: Sequence[Reject]) -> list[Reject]:
        return [self._writer.ingest.clean_reject(reject) for reject in rejects]


def counts_of(merged: Merged) -> Counts:
    rows = merged.inserted + merged.updated + merged.unchanged + merged.late
    return Counts(rows, merged.inserted, merged.updated, merged.unchanged, late=merged.late)


def joined(first: Page, second: Page) -> Page | None:
    """Two pages as one, with the later cursor; None when they are large or more than rows."""
    if any(
        page.bulk or page.scan or page.small or page.tally or page.replace or page.pushed for page in (first, second)
    ):
        return None
    rows = {name: [*first.rows.get(name, ()), *second.rows.get(name, ())] for name in {**first.rows, **second.rows}}
    rejects = [*first.rejects, *second.rejects]
    if sum(map(len, rows.values())) + len(rejects) > JOINED_ROWS:
        return None
    return Page(
        rows,
        cursor=first.cursor if second.cursor is None else second.cursor,
        rejects=rejects,
        whole=[*first.whole, *second.whole],
        total=first.total if second.total is None else second.total,
        about=first.about if second.total is None else second.about,
    )


def _firsts(pages: Sequence[Page]) -> dict[str, dict[int, int]]:
    """By table, the place of the first row of each page among those of all, and the number of that page."""
    found: dict[str, dict[int, int]] = {}
    places: Counter[str] = Counter()
    for number, page in enumerate(pages):
        for name, rows in page.rows.items():
            if rows:
                found.setdefault(name, {})[places[name]] = number
                places[name] += len(rows)
    return found
