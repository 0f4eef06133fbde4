"""A damaged cache: how it is told, what readers leave word of, and where it is set aside."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from aether_tui.cache import schema
from aether_tui.errors import CacheTrouble

_DAMAGE = re.compile(
    r"Corrupt database file|not a valid DuckDB database file|Could not read enough bytes|[Ss]erializ|checksum|"
    r"replaying WAL|This WAL was created"
)
_LACKS = re.compile(r"Table with name \"?(\w+)\"? (?:does not|already) exist")

_COMMIT: Final = bytes.fromhex("e7fe7d722fed3d5e640064ffff")
"""How a transaction in DuckDB's log ends: a checksum, and the mark that it is of."""


class CacheDamaged(CacheTrouble):
    """The cache could not be read. `moved_to` is where a command that may write has put it aside (None: still there)."""

    def __init__(self, what: str, *, where: str, next_step: str, moved_to: Path | None = None) -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.moved_to = moved_to


def says_damage(error: str) -> bool:
    """Whether what DuckDB says means that the file, or its log, is not what was written."""
    lost = _LACKS.search(error)  # a table, or the version: somebody else has written into the file
    return _DAMAGE.search(error) is not None or (lost is not None and lost[1] in schema.OURS)


def log_of(path: Path) -> Path:
    """Where DuckDB's write-ahead log of a file is."""
    return path.with_name(path.name + ".wal")


def ends_whole(log: Path) -> bool:
    """Whether a log ends with a whole transaction. One that a killed writer left torn does not; of one that does, nothing may be
    unreadable, which DuckDB by itself takes for torn: it drops the rest, or all of it, without a word.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - len(_COMMIT)))
            return file.read() == _COMMIT
    except OSError:  # there is none, or DuckDB cannot read it either
        return False


class Damage:
    """What there is to say and to do when one cache file is damaged, or when a reader says that it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._doubted = path.with_name("cache.doubted")

    @property
    def doubted(self) -> bool:
        """Whether a reader met damage that only those who come by the same block would notice: to be looked for by who may write."""
        return self._doubted.exists()

    def doubt(self) -> None:
        """Leave word of it."""
        with contextlib.suppress(OSError):  # a reader may be on a mount that is read-only
            self._doubted.touch(mode=0o600)

    def trust(self) -> None:
        """Forget that: every block was read, or the file is another one."""
        self._doubted.unlink(missing_ok=True)

    def inodes(self) -> list[int | None]:
        """Which file has the name at present, and which is its log; None where there is none."""
        found: list[int | None] = []
        for path in (self._path, log_of(self._path)):
            try:
                found.append(path.stat().st_ino)
            except FileNotFoundError:
                found.append(None)
        return found

    def found(self) -> CacheDamaged:
        """For who may only read."""
        return CacheDamaged(
            "the cache is damaged and cannot be read",
            where=str(self._path),
            next_step="run `aether-tui sync` to rebuild it",
        )

    def gone(self) -> CacheDamaged:
        """For who wanted to set it aside."""
        return CacheDamaged(
            "the cache was damaged, and another process has set it aside",
            where=str(self._path),
            next_step="run the command again",
        )

    def set_aside(self, whole: Callable[[], bool], now: datetime) -> CacheDamaged:
        """Rename the damaged cache (and its log) with a time stamp, or only its log where the rest is `whole`; returns what to raise.
        Nobody else may attach the file meanwhile."""
        moved = self._renamed(whole, now)
        self.trust()
        if self._path.exists():
            return CacheDamaged(
                f"the log of the cache was damaged and is now {moved.name}: what was stored last is lost",
                where=str(self._path),
                next_step="run the command again, and load again what was being loaded then",
                moved_to=moved,
            )
        return CacheDamaged(
            f"the cache was damaged and is now {moved.name}",
            where=str(self._path),
            next_step="run the command again: a new cache is built from the sources, documents are untouched",
            moved_to=moved,
        )

    def _renamed(self, whole: Callable[[], bool], now: datetime) -> Path:
        """The new path: that of the log where the rest is whole."""
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        target = self._path.with_name(f"{self._path.name}.damaged-{stamp}")
        count = 1
        while target.exists() or log_of(target).exists():
            count += 1
            target = self._path.with_name(f"{self._path.name}.damaged-{stamp}-{count}")
        log = log_of(self._path)
        if log.exists():
            log.rename(log_of(target))
            if whole():
                return log_of(target)
        self._path.rename(target)
        return target
