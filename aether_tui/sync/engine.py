"""Runs sources at once and their streams in order: the next page is fetched while the last one is stored.

A page and its cursor commit together, so a sync may end at any instant and the next one continues. One dead source
never stops the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal, Protocol, TypeVar, cast

from aether_tui.cache import StreamState
from aether_tui.cache.aside import folder_aside
from aether_tui.errors import AetherError
from aether_tui.records.source import (
    Denied,
    Forbidden,
    Malformed,
    Network,
    Offline,
    Page,
    RateLimited,
    Source,
    SourceError,
    Stream,
)
from aether_tui.sync import memory
from aether_tui.sync.deletions import sweep
from aether_tui.sync.intake import Counts, Intake, State, Writer, joined
from aether_tui.sync.plan import Job
from aether_tui.sync.remote import Remote
from aether_tui.text import masked, one_line

SAME_PAGES = 3
"""How often one and the same page may come in a row before the stream is stopped."""

HELD_ROWS = 8_000
HELD_S = 2.0
"""Rows for which a transaction is begun at once, and how long fewer of them wait for more: each has its price."""
PAGES_AHEAD = 20
"""Pages that are fetched before the first of them is stored, at most."""
BYTES_AHEAD: Final = 32 << 20
"""Bytes to scan in them."""

_ASKED_AGAIN_S = 0.02
_ESTIMATED = 0.9
"""Share of an estimated total below which rows are said to be missing."""

Emit = Callable[["Event"], None]
_T = TypeVar("_T")


class _Closable(Protocol):
    async def aclose(self) -> object: ...


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one stream asked of its source: `seconds` from its start to its end, `waited_s` of them because it was told to."""

    requests: int = 0
    bytes: int = 0
    waited_s: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, network: Network) -> Traffic:
        """The counters as they stand."""
        return cls(network.requests, network.bytes, network.waited_s, network.clock())

    def since(self, before: Traffic) -> Traffic:
        """What came after `before`."""
        pairs = zip(astuple(self), astuple(before), strict=True)
        requests, size, waited_s, seconds = (now - then for now, then in pairs)
        return Traffic(requests, size, round(waited_s, 3), round(seconds, 3))


@dataclass(frozen=True, slots=True)
class Event:
    """Progress of one stream; `counts` are totals so far, `total` what the source promised, `traffic` what it took when it
    ended. `finish` ends the sync."""

    event: Literal["start", "page", "done", "error", "finish"]
    source: str = ""
    stream: str = ""
    counts: Counts = field(default_factory=Counts)
    total: int | None = None
    message: str = ""
    traffic: Traffic | None = None


NOT_TRIED = "not tried: "
"""Before the error of a stream whose source was not there for the one before."""


@dataclass(slots=True)
class Outcome:
    """How one stream ended: `error` and `hint` are empty when it was read to its end; `tried` is not one whose source was not there."""

    source: str
    stream: str
    counts: Counts = field(default_factory=Counts)
    error: str = ""
    hint: str = ""
    tried: bool = True
    problems: list[str] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)


async def run(
    jobs: Sequence[Job], writer: Writer, emit: Emit, *, since: datetime | None = None, full: bool = False
) -> list[Outcome]:
    """Pull all jobs; answers one outcome per stream, in the order of the jobs. Raises CacheTrouble.

    `since` (aware) replaces the stored cursors of this sync, `full` forgets them. When cancelled, the page that is being
    stored is rolled back: its cursor is as old as its rows, so the next sync reads it again.
    """
    with ThreadPoolExecutor(1, "cache") as thread:
        engine = _Engine(writer, emit, thread, since, full)
        try:
            await engine.open()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(engine.source(job)) for job in jobs]
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        finally:
            thread.shutdown(wait=True, cancel_futures=True)
    outcomes = [outcome for task in tasks for outcome in task.result()]
    total = Counts()
    for outcome in outcomes:
        total.add(outcome.counts)
    failed = sum(bool(outcome.error) for outcome in outcomes)
    emit(Event("finish", counts=total, message=f"{failed} of {len(outcomes)} streams failed" if failed else ""))
    return outcomes


def _first(errors: BaseException) -> BaseException:
    """What a task group wraps: trouble of ours tells the story, else the first error."""
    if not isinstance(errors, BaseExceptionGroup):
        return errors
    ours = errors.subgroup(AetherError)
    return _first((ours or errors).exceptions[0])


class _Engine:
    """One sync. All cache work happens in one thread, in the order it was asked for."""

    def __init__(
        self, writer: Writer, emit: Emit, thread: ThreadPoolExecutor, since: datetime | None, full: bool
    ) -> None:
        self.writer = writer
        self.emit = emit
        self._thread = thread
        self._since = since
        self.full = full
        self._known: dict[tuple[str, str], StreamState] = {}

    async def open(self) -> None:
        for sentence in await self.in_thread(self.writer.open):
            self.emit(Event("start", message=sentence))
        self._known = await self.in_thread(self.writer.cache.cursors)

    def known(self, source: str, stream: str) -> StreamState | None:
        """Where the stream stood when the sync began."""
        return self._known.get((source, stream))

    async def source(self, job: Job) -> list[Outcome]:
        """Every stream of one source; the rest of them when the source is not there at all."""
        job.network.memory = memory.recall(job, self._known)
        job.network.deriving = Remote(self.writer.ingest, self.in_thread)
        job.network.aside = folder_aside
        outcomes: list[Outcome] = []
        try:
            source = job.connect()
        except Exception as error:
            outcomes = [Outcome(job.name, stream.name) for stream in job.streams]
            for stream, outcome in zip(job.streams, outcomes, strict=True):
                await self._failed(job, stream, outcome, *mistake(error), None)
            return outcomes
        try:
            stopped: SourceError | None = None
            for stream in job.streams:
                worked = any(not outcome.error for outcome in outcomes)
                outcome = Outcome(job.name, stream.name)
                outcomes.append(outcome)
                if stopped is None:
                    stopped = await self._stream(job, source, stream, outcome, worked=worked)
                else:
                    outcome.error, outcome.hint, outcome.tried = f"{NOT_TRIED}{stopped.what}", stopped.hint, False
                    self.emit(Event("error", job.name, stream.name, message=outcome.error))
        finally:
            with suppress(Exception):  # what it may still say about its end is nobody else's end
                await source.close()
        return outcomes

    async def _stream(
        self, job: Job, source: Source, stream: Stream, outcome: Outcome, *, worked: bool
    ) -> SourceError | None:
        """One stream into `outcome`. Returns the error that makes the source's other streams useless, if it was one."""
        self.emit(Event("start", job.name, stream.name))
        began = Traffic.of(job.network)
        remembered, anew = job.network.memory, self.full or self._since is not None
        before = None if anew else self.known(job.name, stream.name)
        # What was answered before counts only when the same is asked again.
        memory.begin(remembered, before)
        try:
            await self._pull(job, source, stream, outcome, began)
        except AetherError:
            raise
        except SourceError as error:
            outcome.traffic = Traffic.of(job.network).since(began)
            await self._failed(job, stream, outcome, error.what, error.hint, error)
            # A credential that never worked is not tried again (a Jira server locks accounts); one that did lacks a right.
            dead = isinstance(error, Denied) and not isinstance(error, Forbidden) and not worked
            return error if dead or isinstance(error, Offline) else None
        except Exception as error:  # a connector's own mistake must not stop the other sources
            outcome.traffic = Traffic.of(job.network).since(began)
            await self._failed(job, stream, outcome, *mistake(error), None)
            return None
        self.emit(Event("done", job.name, stream.name, outcome.counts, traffic=outcome.traffic))
        return None

    async def _pull(self, job: Job, source: Source, stream: Stream, outcome: Outcome, began: Traffic) -> None:
        since, keeps_cursor = self._start(job.name, stream.name)
        store = _Store(self, Intake(self.writer, job.name, stream.name, stream.tables[0].name), outcome, keeps_cursor)
        guard = _Guard()
        pages: AsyncIterator[Page] = source.pages(stream, since)
        try:
            # Closing the generator ends its requests; its type only promises an iterator.
            async with aclosing(cast("_Closable", pages)):
                async for page in pages:
                    guard.see(page)
                    outcome.problems += [
                        self.writer.ingest.clean_text(masked(said, job.secrets.values())) for said in page.problems
                    ]
                    await store.put(page)
        except asyncio.CancelledError:
            await store.stop()
            raise
        finally:
            await store.rest()
        outcome.problems += [*store.missing(), *self._changed(job, stream)]
        swept = await sweep(self, job, source, stream, outcome)
        outcome.traffic = Traffic.of(job.network).since(began)
        state = {**self._state(job, outcome), "swept": swept, **memory.kept_of_stream(job.network.memory)}
        read = job.network.memory.began or job.network.memory.read
        state["read"] = read.isoformat() if read and keeps_cursor else None
        state["settings"] = memory.settings(job)
        outcome.counts.add(await self.in_thread(lambda: store.intake.finish(state)))

    def _changed(self, job: Job, stream: Stream) -> list[str]:
        """A sentence when what was read before was asked for by other settings."""
        before = None if self.full else self.known(job.name, stream.name)
        if before is None or before.cursor is None or before.state.get("settings") in (None, memory.settings(job)):
            return []
        return [
            f"the settings of {job.name} have changed: `aether-tui sync {job.name} --full` applies them to what is here"
        ]

    def _start(self, source: str, stream: str) -> tuple[str | None, bool]:
        """Where to begin, and whether the cursors that follow may be stored: a later start must not hide a gap."""
        known = self._known.get((source, stream))
        stored = None if self.full or known is None else known.cursor
        if self._since is None:
            return stored, True
        asked = self._since.astimezone(UTC).replace(tzinfo=None)
        return asked.isoformat(), known is None or known.cursor is None or _not_after(asked, known.cursor)

    async def _failed(
        self, job: Job, stream: Stream, outcome: Outcome, what: str, hint: str, error: SourceError | None
    ) -> None:
        clean = self.writer.ingest.clean_text
        outcome.error, outcome.hint = (
            clean(masked(what, job.secrets.values())),
            clean(masked(hint, job.secrets.values())),
        )
        reason = f"{outcome.error}; {outcome.hint}" if outcome.hint else outcome.error
        state = dict(self._state(job, outcome))
        if isinstance(error, RateLimited) and error.opens_at is not None:
            state["opens_at"] = error.opens_at.isoformat()
        await self.in_thread(lambda: self.writer.fail(job.name, stream.name, reason, state))
        self.emit(Event("error", job.name, stream.name, outcome.counts, message=reason))

    def _state(self, job: Job, outcome: Outcome) -> State:
        before = self.known(job.name, outcome.stream)
        kept = ("swept", "etags", "notes", "settings")
        carried = {name: before.state[name] for name in kept if before and name in before.state}
        return {**carried, **memory.kept(job), **asdict(outcome.traffic), "problems": outcome.problems[:20]}

    async def in_thread(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def mistake(error: Exception) -> tuple[str, str]:
    """What happened in a connector that did not see it coming, and what to do."""
    if isinstance(error, SourceError):
        return error.what, error.hint
    if isinstance(error, OSError):
        return f"trouble on this machine ({error})", "make room or give access there, then run sync again"
    return f"the connector failed ({one_line(f'{type(error).__name__}: {error}', 300)})", "tell who made this connector"


class _Store:
    """Pages of one stream on their way to the disk, while more are fetched; small ones that wait are stored as one."""

    def __init__(self, engine: _Engine, intake: Intake, outcome: Outcome, keeps_cursor: bool) -> None:
        self.intake = intake
        self._engine = engine
        self._outcome = outcome
        self._keeps_cursor = keeps_cursor
        self._waiting: list[Page] = []
        self._enough = asyncio.Event()
        self._resting = False
        self._task: asyncio.Task[None] | None = None
        self._total: int | None = None
        self._about = False
        self._came = 0

    def missing(self) -> list[str]:
        """A sentence when the source promised more rows than came."""
        outcome, came = self._outcome, self._came
        if self._total is None or came >= self._total * (_ESTIMATED if self._about else 1):
            return []
        return [
            f"the source counts {self._total:,} rows and {came:,} came: what is missing changed meanwhile or is not visible "
            f"to this credential; `aether-tui sync {outcome.source} --full` reads all of them again"
        ]

    async def put(self, page: Page) -> None:
        """Hand over a page; waits while too many do. Raises what storing an earlier one raised."""
        self._waiting.append(page)
        alone = page.bulk or page.scan or page.tally or page.replace or page.pushed
        if alone or sum(map(_rows, self._waiting)) >= HELD_ROWS:
            self._enough.set()
        if self._task is None or self._task.done():
            await self._stored()
            self._task = asyncio.create_task(self._work())
        elif len(self._waiting) >= PAGES_AHEAD or sum(map(_bytes, self._waiting)) >= BYTES_AHEAD:
            await self.rest()

    async def rest(self) -> None:
        """Wait until everything handed over is stored; a cancelled waiter does not cancel the storing."""
        self._resting = True
        self._enough.set()
        await self._stored()
        self._resting = False
        self._enough.clear()

    async def _stored(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Drop what waits and roll back what is being stored: the next sync reads it again."""
        self._waiting.clear()
        self._enough.set()
        while self._task is not None and not self._task.done():
            self._engine.writer.cache.stop()
            await asyncio.wait([self._task], timeout=_ASKED_AGAIN_S)
        if self._task is not None:
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.exception()  # looked at: that it was stopped is no error of its own
            self._task = None

    async def _work(self) -> None:
        while self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), HELD_S)
            if not self._waiting:
                break
            page = self._waiting.pop(0)
            while self._waiting and (both := joined(page, self._waiting[0])):
                page = both
                self._waiting.pop(0)
            if sum(map(_rows, self._waiting)) < HELD_ROWS and not self._resting:
                self._enough.clear()
            self._outcome.counts.add(await self._engine.in_thread(self._storing(page)))
            if page.total is not None:
                self._total, self._about = page.total, page.about
            self._came = self._outcome.counts.rows + self._outcome.counts.rejected
            counts = replace(self._outcome.counts)
            self._engine.emit(Event("page", self._outcome.source, self._outcome.stream, counts, self._total))

    def _storing(self, page: Page) -> Callable[[], Counts]:
        return lambda: self.intake.page(page, cursor=page.cursor if self._keeps_cursor else None)


def _rows(page: Page) -> int:
    return sum(map(len, page.rows.values()))


def _bytes(page: Page) -> int:
    return len(page.scan.head) if page.scan else 0


def _not_after(asked: datetime, cursor: str) -> bool:
    """Whether a start lies at or before a stored cursor; a cursor that is no instant is not to be judged."""
    try:
        stored = datetime.fromisoformat(cursor)
    except ValueError:
        return False
    return asked <= (stored.astimezone(UTC).replace(tzinfo=None) if stored.tzinfo else stored)


class _Guard:
    """Stops a stream that gives the same rows again and again."""

    def __init__(self) -> None:
        self._last = 0
        self._times = 0

    def see(self, page: Page) -> None:
        """Raise Malformed when the same page came too often in a row."""
        if not any(page.rows.values()):
            return
        print_ = hash(tuple((name, *rows) for name, rows in sorted(page.rows.items())))
        self._times = self._times + 1 if print_ == self._last else 1
        self._last = print_
        if self._times > SAME_PAGES:
            raise Malformed(
                f"the same page came {self._times} times",
                hint="the source's paging is broken; what came before is stored",
            )
