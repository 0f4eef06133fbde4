"""Looking for what a source no longer has: its ids are asked for once in a while, the rest goes from the cache."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Protocol, TypeVar, cast

from aether_tui.cache import StreamState
from aether_tui.human import plural
from aether_tui.records.source import Name, Source, SourceError, Stream, Sweepable, Unlisted
from aether_tui.sync.intake import Counts, Writer
from aether_tui.sync.memory import swept_at
from aether_tui.sync.plan import Job

_T = TypeVar("_T")


class Engine(Protocol):
    """What a sweep needs of the sync it is part of."""

    @property
    def writer(self) -> Writer:
        """The way into the cache."""
        ...

    @property
    def full(self) -> bool:
        """Whether everything is read again, so that whatever is gone is believed."""
        ...

    def known(self, source: str, stream: str) -> StreamState | None:
        """Where a stream stood when the sync began."""
        ...

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        """Run cache work where it belongs."""
        ...


class Outcome(Protocol):
    """Where a sweep tells what it did."""

    counts: Counts
    problems: list[str]


class _Closable(Protocol):
    async def aclose(self) -> object: ...


async def sweep(engine: Engine, job: Job, source: Source, stream: Stream, outcome: Outcome) -> str | None:
    """Remove what is gone, when it is time to look; returns the instant of the last look as text, for the next sync.

    After a first sync there is nothing to look for. A look that fails is told and tried again next time.
    """
    if not stream.sweep_s:
        return None
    now, before = job.network.now(), engine.known(job.name, stream.name)
    last = swept_at(before)
    if before is None or before.last_success is None:
        return now.isoformat()
    if not engine.full and last is not None and now - last < timedelta(seconds=stream.sweep_s):
        return last.isoformat()
    try:
        outcome.counts.add(await _look(engine, job, cast("Sweepable", source), stream, outcome))
    except SourceError as error:
        clean = engine.writer.ingest.clean_text(error.what)
        outcome.problems.append(f"what was deleted was not looked for: {clean}")
        return last.isoformat() if last else None
    return now.isoformat()


async def _look(engine: Engine, job: Job, source: Sweepable, stream: Stream, outcome: Outcome) -> Counts:
    writer = engine.writer
    cache, clean = writer.cache, writer.ingest.identifier
    column, setting = stream.sweep_of or ("", "")
    of = (column, names) if setting and (names := getattr(job.settings, setting)) else None
    alive = await engine.in_thread(
        lambda: cache.sweep(job.name, stream.name, stream.tables[0], now=writer.clock(), of=of)
    )
    pages: AsyncIterator[Sequence[Name] | Unlisted] = source.ids(stream)
    try:
        async with aclosing(cast("_Closable", pages)):
            async for page in pages:
                if isinstance(page, Unlisted):
                    alive.leave(page)
                    continue
                ids = [clean(one) if isinstance(one, str) else tuple(map(clean, one)) for one in page]
                await engine.in_thread(lambda ids=ids: alive.add(ids))  # type: ignore[misc]  # mypy infers no default
        found = await engine.in_thread(lambda: cache.swept(alive, force=engine.full))
    finally:
        await engine.in_thread(alive.close)
    if found.refused:
        outcome.problems.append(
            f"{found.gone:,} of {found.stored:,} rows are no longer listed: more likely a lost permission than deletions, so "
            f"they stay; `aether-tui sync {job.name} --full` removes them"
        )
        return Counts()
    if found.gone:
        outcome.problems.append(f"{plural(found.gone, 'row')} gone at the source, and removed here")
    return Counts(removed=found.gone)
