"""Leases: nobody keeps the cache file open.

Each process holds one in-memory DuckDB and attaches the file only while it works, because DuckDB lets one process write
or many read, and refuses everybody else at once.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from aether_tui.cache import catchup, schema
from aether_tui.cache.aside import at_home
from aether_tui.cache.damage import CacheDamaged, Damage, ends_whole, log_of, says_damage
from aether_tui.cache.look import Kept, ReadLease
from aether_tui.cache.turn import QUIET_S, Turn, holder, say_waiting
from aether_tui.errors import AetherError, CacheTrouble, NoData

_CONFLICT = re.compile(r"Could not set lock on file|Conflicting lock|being used by another process")
_NEWER = re.compile(r"version number (\d+), but we can only read")
_FULL = re.compile(r"No space left|File too large|[Dd]isk quota|Could not write|Failed to write", re.S)
_PID = re.compile(r"\(PID (\d+)\)")
ROW_GROUP: Final = 20_480
"""Rows of a row group. With DuckDB's 122,880 the checkpoint of one that just filled up would hold everybody for a second. Putting three
together takes 20 MB; with 30,720 rows it took a sync of 75,000 runs of GitHub over 150."""
ROW_GROUPS: Final = f", ROW_GROUP_SIZE {ROW_GROUP}"
_TIDY_EVERY: Final = 8
"""Merges after which small row groups are put together; at each one it would write the newest rows again each time."""
_NO_CACHE = "nothing has been pulled yet"
_FILL_IT = "run `aether-tui sync` or `aether-tui load PATH`"


class Leases:
    """The one in-memory DuckDB of this process and the leases on one cache file. Use `leases_of`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._turn_path = path.with_name("cache.turn")
        self.damage = Damage(path)
        self._change = threading.Condition()
        self._memory: duckdb.DuckDBPyConnection | None = None
        self._readers = 0
        self._mine = threading.local()
        self._threads = 0
        self._merges = 0
        self._kept: Kept = {}
        self._kept_of: object = None
        self.mends = False
        """Whether this process may write: then it also sets aside what opens and cannot be read."""

    def threads(self, most: int) -> int:
        """Let DuckDB work with at most so many threads, 0: one per core. Each has memory of its own; with a limit, what is freed
        is given back at once. Returns the limit before."""
        with self._change:
            before, self._threads = self._threads, most
            if most != before and self._memory is not None:
                self._limit(self._memory)
            return before

    def _limit(self, memory: duckdb.DuckDBPyConnection) -> None:
        limits = {"threads": self._threads, "allocator_bulk_deallocation_flush_threshold": "256KB"}
        for name, most in limits.items():
            memory.execute(f"SET GLOBAL {name} = '{most}'" if self._threads else f"RESET GLOBAL {name}")

    def renew(self) -> None:
        """Close the in-memory database, unless somebody reads: the next lease has a new one. No cursor of it may be in use."""
        with self._change:
            if self._readers == 0:
                self._discard()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new connection to the in-memory database, for staging."""
        with self._change:
            return self._instance().cursor()

    @contextmanager
    def read(self, wait_s: float) -> Iterator[ReadLease]:
        """Attach read-only and look. Raises NoData without a cache, CacheTrouble when it stays locked or is damaged."""
        if (looked_at := self.damage.inodes())[0] is None:
            raise NoData(_NO_CACHE, where=str(self.path), next_step=_FILL_IT)
        with self._alone_in_thread():
            try:
                with self._translate(), self._attached_to_read(wait_s) as lease:
                    lease.cursor.execute("USE cache")
                    yield lease
            except CacheDamaged:
                if not self.mends:
                    self.damage.doubt()
                    raise
                raise self._unreadable(looked_at, wait_s) from None

    @contextmanager
    def write(
        self, wait_s: float, cursor: duckdb.DuckDBPyConnection | None = None, *, tidy: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """Attach read-write, one transaction: committed at the end, rolled back by any exception.

        `cursor` may bring temporary tables along. `tidy` is how many small row groups of each table the checkpoint puts together:
        0 suits one of many large merges, None is one run of them now and then.
        Raises CacheTrouble; a cache that does not open is moved aside first.
        """
        with self._alone_in_thread(), self._attached_to_write(wait_s):
            mine = cursor or self._instance().cursor()
            if cursor is not None:
                self._tidy(tidy)
            try:
                mine.execute("USE cache")
                mine.execute("BEGIN")
                try:
                    yield mine
                    mine.execute("COMMIT")
                except BaseException:
                    with contextlib.suppress(duckdb.Error):
                        mine.execute("ROLLBACK")
                    raise
                finally:
                    with contextlib.suppress(duckdb.Error):
                        mine.execute("USE memory")
            finally:
                if cursor is None:
                    mine.close()

    def _tidy(self, most: int | None) -> None:
        if most is None:  # begins with the first merge: many a process has no eighth
            most = int(self._merges % _TIDY_EVERY == 0)
            self._merges += 1
        self._instance().execute(f"SET GLOBAL max_vacuum_tasks = {most}")

    @contextmanager
    def alone(self, wait_s: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file attached as `cache`, read-write, without a transaction: for maintenance."""
        with self._alone_in_thread(), self._attached_to_write(wait_s):
            cursor = self._instance().cursor()
            try:
                yield cursor
            finally:
                cursor.close()

    @contextmanager
    def deriving(self, wait_s: float) -> Iterator[None]:
        """While no other process derives rows again: it would derive the same. Who waited that long does so all the same."""
        turn = None
        with contextlib.suppress(OSError):  # nobody may write there: said at the first lease
            turn = Turn.take(self.path.with_name("cache.derive"), wait_s)
        with nullcontext() if turn is None else turn.signed(_signature()):
            yield

    def _unreadable(self, looked_at: Sequence[int | None], wait_s: float) -> CacheDamaged:
        """Set aside what could not be read, unless another process has done so: the same name may be a new file, or its log gone."""
        with self._take_turn(wait_s).signed(_signature()):
            if self.damage.inodes() == looked_at:
                return self.damage.set_aside(self._whole, datetime.now(UTC))
        return self.damage.gone()

    def _state(self) -> object:
        """What differs after every write, of whatever process, while it is attached to read: nobody writes then."""
        found = []
        for path in (self.path, self.wal):
            with contextlib.suppress(FileNotFoundError):
                now = path.stat()
                found.append((now.st_ino, now.st_size, now.st_mtime_ns))
        return found

    def remove(self, wait_s: float) -> None:
        """Delete the cache file and its log while nobody else may attach. Documents are not in it."""
        with self._take_turn(wait_s).signed(_signature()):
            self.path.unlink(missing_ok=True)
            self.wal.unlink(missing_ok=True)
            self.damage.trust()

    def interrupted(self, wait_s: float) -> bool:
        """Whether there is a log of a writer that is not at work any more."""
        if not self.wal.exists():
            return False
        turn = self._take_turn(wait_s, looking=True)
        try:
            return self.wal.exists()
        finally:
            turn.release()

    def _whole(self) -> bool:
        """Whether every block of the file without its log can be read. DuckDB writes none of those that the last checkpoint left, and
        the header after all others, so that the file is then what it was before the transactions in the log, with their cursors."""
        try:
            self._attach("READ_ONLY", time.monotonic())
            with self._instance().cursor() as cursor:
                cursor.execute("USE cache")
                schema.read_all(cursor)
        except (duckdb.Error, AetherError):
            self._discard()
            return False
        self._detach()
        return True

    @property
    def wal(self) -> Path:
        """DuckDB's write-ahead log; present only after a writer was killed, or while one works."""
        return log_of(self.path)

    # --- Attaching ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _attached_to_read(self, wait_s: float) -> Iterator[ReadLease]:
        deadline = time.monotonic() + wait_s
        turn = self._take_turn(wait_s, looking=True)
        try:
            with self._change:
                if not self.path.exists():
                    raise NoData(_NO_CACHE, where=str(self.path), next_step=_FILL_IT)
                if self._readers == 0:
                    self._attach_current(deadline)
                self._readers += 1
                lease = ReadLease(self._instance().cursor(), self._kept)
        finally:
            turn.release()
        try:
            yield lease
        finally:
            lease.cursor.close()
            with self._change:
                self._readers -= 1
                if self._readers == 0:
                    self._detach()
                self._change.notify_all()

    def _attach_current(self, deadline: float) -> None:
        """Attach read-only. A log left by a killed writer is folded in and an older schema migrated first: both write.

        A file that nobody has written since this process last attached it to read is not asked for its version again.
        """
        if self.wal.exists():
            self._fold_log(deadline)
        self._attach("READ_ONLY", deadline)
        try:
            if self._state() == self._kept_of:
                return
            version = schema.stored_version(self._instance())
            if version > schema.VERSION:
                raise schema.newer(self.path)
            if version < schema.VERSION:
                self._detach()
                self._attach("READ_WRITE", deadline)
                catchup.migrate(self._instance(), self.path)
                self._detach()
                self._attach("READ_ONLY", deadline)
            self._kept, self._kept_of = {}, self._state()
        except BaseException:
            self._detach()
            raise

    def _fold_log(self, deadline: float) -> None:
        """Checkpoint under a write attach; where other readers hold the file, or nobody may write, this one replays the log itself."""
        patience = min(deadline, time.monotonic() + 0.2)
        with contextlib.suppress(CacheTrouble, duckdb.IOException):
            self._attach("READ_WRITE", patience)
            self._detach()

    @contextmanager
    def _attached_to_write(self, wait_s: float) -> Iterator[None]:
        deadline = time.monotonic() + wait_s
        # Translated here because a damaged file is renamed while nobody else can attach.
        with self._take_turn(wait_s).signed(_signature()), _private(), self._translate(may_move=True), self._change:
            if not self._change.wait_for(lambda: self._readers == 0, max(0.0, deadline - time.monotonic())):
                raise self._locked("a thread of this process keeps reading")
            self._attach("READ_WRITE", deadline)
            at_home(self.path.parent / "aside")
            written_anew(self.path).unlink(missing_ok=True)
            self._kept_of = None
            try:
                catchup.migrate(self._instance(), self.path)
                yield
            finally:
                self._detach()

    def _take_turn(self, wait_s: float, *, looking: bool = False) -> Turn:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            turn = Turn.take(self._turn_path, wait_s, looking=looking)
        except OSError as error:
            raise CacheTrouble(
                f"cannot be used ({error.strerror})",
                where=str(self.path),
                next_step="mend that and run the command again",
            ) from error
        if turn is None:
            raise self._locked(holder(self._turn_path) or "another process")
        return turn

    def _attach(self, mode: str, deadline: float) -> None:
        path, quiet_until = str(self.path).replace("'", "''"), time.monotonic() + QUIET_S
        new = not self.path.exists()
        while True:
            if self.wal.exists():
                with contextlib.suppress(duckdb.CatalogException):  # not every DuckDB has that
                    self._instance().execute(f"SET GLOBAL debug_abort_on_wal_failure = {ends_whole(self.wal)}")
            try:
                self._instance().execute(
                    f"ATTACH '{path}' AS cache ({mode}{ROW_GROUPS if mode == 'READ_WRITE' else ''})"
                )
                return
            except duckdb.IOException as error:
                if not _CONFLICT.search(str(error)):
                    if new:  # half made, it would be taken for a damaged one
                        self.path.unlink(missing_ok=True)
                    raise
                pid = _PID.search(str(error))
                who = f"process {pid[1]}" if pid else "another process"
                if time.monotonic() >= deadline:
                    raise self._locked(who) from error
                if time.monotonic() >= quiet_until:
                    quiet_until = float("inf")
                    say_waiting(who)
            time.sleep(0.002)

    def _detach(self) -> None:
        # After a fatal error DuckDB refuses everything; the instance is then replaced as a whole.
        if self._memory is not None:
            with contextlib.suppress(duckdb.Error):
                self._memory.execute("DETACH DATABASE IF EXISTS cache")

    def _instance(self) -> duckdb.DuckDBPyConnection:
        if self._memory is None:
            self._memory = duckdb.connect(
                ":memory:",
                config={
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "allow_community_extensions": "false",
                    "temp_directory": "",  # DuckDB itself never spills to disk
                },
            )
            self._memory.execute("SET python_enable_replacements = false")  # no look at Python variables
            self._memory.execute("SET GLOBAL TimeZone = 'UTC'")
            # What will be in the checkpoint a moment later is not written to the log before, compressed nowhere.
            self._memory.execute("SET GLOBAL checkpoint_threshold = '256KB'")
            if self._threads:
                self._limit(self._memory)
        return self._memory

    def _discard(self) -> None:
        with self._change:
            memory, self._memory = self._memory, None
            if memory is not None:
                with contextlib.suppress(duckdb.Error):
                    memory.close()

    # --- Errors -------------------------------------------------------------------------------------------------------

    @contextmanager
    def _alone_in_thread(self) -> Iterator[None]:
        if getattr(self._mine, "held", False):
            raise RuntimeError("a cache lease inside a lease would wait for itself")
        self._mine.held = True
        try:
            yield
        finally:
            self._mine.held = False

    @contextmanager
    def _translate(self, *, may_move: bool = False) -> Iterator[None]:
        """DuckDB's errors as ours; with `may_move` a damaged file is put aside."""
        try:
            yield
        except duckdb.InterruptException:
            raise
        except duckdb.Error as error:
            raise self._trouble(error, may_move) from error

    def _trouble(self, error: duckdb.Error, may_move: bool) -> AetherError:
        text = str(error)
        where = str(self.path)
        if _NEWER.search(text):
            return schema.newer(self.path)
        if _FULL.search(text):
            self._discard()
            return CacheTrouble(
                "the disk is full; this step is stored whole or not at all, what was stored before stays",
                where=where,
                next_step="free some space and run the command again",
            )
        if says_damage(text):
            self._discard()
            return self.damage.set_aside(self._whole, datetime.now(UTC)) if may_move else self.damage.found()
        if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.OutOfMemoryException):
            self._discard()
            return CacheTrouble(
                f"cannot be used ({text.splitlines()[0]})", where=where, next_step="mend that and run the command again"
            )
        raise error

    def _locked(self, who: str) -> CacheTrouble:
        return CacheTrouble(
            f"the cache is held by {who}",
            where=str(self.path),
            next_step="wait until that is done, then run the command again",
        )


def written_anew(path: Path) -> Path:
    """Where a file is put together that takes the place of the cache; what a killed process left of one goes with the next lease that
    writes."""
    return path.with_name(path.name + ".compact")


_LEASES: dict[Path, Leases] = {}
_LEASES_GUARD = threading.Lock()


def leases_of(path: Path) -> Leases:
    """The leases of this process on `path`. There is one per file: a second attach in the same process would drop the
    first one's file lock (POSIX locks belong to the process)."""
    key = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow a link that does not exist yet
    with _LEASES_GUARD:
        return _LEASES.setdefault(key, Leases(key))


@contextmanager
def _private() -> Iterator[None]:
    """Nobody else may read the files that are made meanwhile."""
    mask = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(mask)


def _signature() -> str:
    words = [Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python", *sys.argv[1:]]
    if words[0] == "__main__.py":
        words[0] = "aether-tui"
    return f"process {os.getpid()} ({' '.join(words)[:120]})"
