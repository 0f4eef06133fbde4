"""From a request's body to durable rows, and from there to the cache: one door for many threads, one writer behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from aether_tui.cache.spool import Segment, Spool
from aether_tui.errors import AetherError, CacheTrouble
from aether_tui.ingest import Ingest
from aether_tui.receiver.body import Refusal
from aether_tui.receiver.wire import Batch, Form, decode, success
from aether_tui.records.tables import SPAN_PAYLOADS, SPANS
from aether_tui.sync.intake import Writer

BATCH_ROWS: Final = 9_500
"""Spans that make a batch at once: with the request that completes them one lease. Fewer wait for more, because a small
merge costs as much as a large one."""
MAX_WAITING: Final = 500_000
"""Spans on disk that the cache does not hold yet, from which senders are told to wait."""
_SHARE: Final = 1 / 30
"""Part of a core that merging small batches may take."""
_SHORTEST_S: Final = 1.0
_LONGEST_S: Final = 60.0
_RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Numbers:
    """What happened so far. `received` spans are durable, `stored` ones were merged into the cache (`new` of them new),
    but for those that came too `late`: retention has let go of their day."""

    requests: int = 0
    refused: int = 0
    received: int = 0
    rejected: int = 0
    stored: int = 0
    new: int = 0
    late: int = 0

    @property
    def waiting(self) -> int:
        """Durable spans that the cache does not hold yet."""
        return self.received - self.stored


class Receiver:
    """Takes bodies, keeps them, stores them. `ingest` cleans at the door; `writer` belongs to the writing thread.

    `seen` is told the trace ids of every batch, before it is acknowledged.
    """

    def __init__(self, writer: Writer, ingest: Ingest, seen: Callable[[set[str]], None] | None = None) -> None:
        self._writer, self._ingest, self._seen = writer, ingest, seen
        self._spool = Spool(writer.spool, SPANS, BATCH_ROWS)
        self._clean = threading.Lock()
        self._change = threading.Condition()
        self._numbers = Numbers()
        self._stopping = False
        self._segment: Segment | None = None
        self.trouble = ""
        """Why not everything reaches the cache at present; '' when all is well."""
        self.dead: BaseException | None = None
        """What ended the writing thread before its time."""
        self._thread = threading.Thread(target=self._run, name="receiver-writer", daemon=True)
        self._thread.start()

    @property
    def numbers(self) -> Numbers:
        """A consistent copy of the counters."""
        return self._numbers

    def accept(self, body: bytes, form: Form) -> bytes:
        """Decode, clean and keep a body; the answer to send with 200. Raises Refusal; nothing is kept then."""
        self.ready()
        with self._clean:
            # One body at a time: the work holds the interpreter anyway, and memory stays that of one.
            batch = decode(body, form, payloads=self._ingest.keeps(SPAN_PAYLOADS.name))
            rows = self._ingest.clean(SPANS, batch.rows)
            said = self._ingest.clean(SPAN_PAYLOADS, batch.said)
            batch.rejects = [self._ingest.clean_reject(reject) for reject in batch.rejects]
        if rows or batch.rejects:
            try:
                self._spool.append(rows, batch.rejects, said)
            except OSError as error:
                raise Refusal(503, f"cannot be kept ({error.strerror})") from error
        if self._seen is not None:
            self._seen({str(row[0]) for row in rows})
        self._count(batch, len(rows))
        return success(form, *batch.rejected())

    def ready(self) -> None:
        """Raises Refusal (503) while nothing more can be taken."""
        if self.dead is not None or self._stopping:
            raise Refusal(503, "shutting down", unread=True)
        if self._numbers.waiting >= MAX_WAITING:
            raise Refusal(503, self.trouble or "too much is waiting for the cache", unread=True)

    def refused(self) -> None:
        """Count a request that was refused."""
        with self._change:
            self._numbers = replace(
                self._numbers, requests=self._numbers.requests + 1, refused=self._numbers.refused + 1
            )

    def close(self) -> None:
        """Store everything that was acknowledged. Raises what keeps it from the cache: the spans stay on disk then."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        self._thread.join()
        self._spool.close()
        if self.dead is not None:
            raise self.dead

    def _count(self, batch: Batch, rows: int) -> None:
        with self._change:
            known = self._numbers
            self._numbers = replace(
                known,
                requests=known.requests + 1,
                received=known.received + rows,
                rejected=known.rejected + batch.rejected()[0],
            )
            if self._spool.full:
                self._change.notify_all()

    # --- The writing thread -------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            wait_s = _SHORTEST_S
            while not self._stopping:
                with self._change:
                    self._change.wait_for(lambda: self._stopping or self._spool.full, wait_s)
                began, used = time.monotonic(), time.process_time()
                stored = self._store()
                # On a busy machine it takes long without working long; while requests come in, the process works on those, too.
                worked_s = min(time.monotonic() - began, time.process_time() - used)
                wait_s = max(worked_s / _SHARE, _SHORTEST_S)
                wait_s = min(wait_s, _LONGEST_S) if stored else _RETRY_S
            self._store(last=True)
        except BaseException as error:  # told by `close`, and by every answer until then
            self.dead = error

    def _store(self, *, last: bool = False) -> bool:
        """Store what waits; False when the cache cannot be written just now. The `last` time that is an error."""
        while True:
            told: list[str] = []
            try:
                segment = self._segment = self._segment or self._spool.take()
                if segment is None:
                    return True
                counts = self._writer.store_received(segment, self._spool.format, told)
            except (CacheTrouble, OSError) as error:
                self.trouble = error.what if isinstance(error, CacheTrouble) else str(error.strerror)
                if last:
                    raise
                return self._mend()
            self._segment, self.trouble = None, "".join(told)
            with self._change:
                known = self._numbers
                self._numbers = replace(
                    known,
                    stored=known.stored + counts.rows,
                    new=known.new + counts.inserted,
                    late=known.late + counts.late,
                )
            if not last and not self._spool.full:
                return True

    def _mend(self) -> bool:
        """A damaged cache is begun anew; what else is wrong may pass."""
        try:
            self._writer.cache.ensure()
        except AetherError as error:
            self.trouble = error.what
        return False
