"""Clean rows on disk that the cache does not hold yet: what a receiver has acknowledged survives whatever happens to it.

A folder holds one folder per receiver, that one segments: frames of `length, CRC-32, MessagePack`. A receiver holds the
lock of its folder, so what nobody holds was left by a killed one. Rows are clean: raw columns as `ingest` lets them pass.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import struct
import threading
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from aether_tui.cache.turn import Turn
from aether_tui.records import Row, Table
from aether_tui.records.source import Reject
from aether_tui.records.tables import SPAN_PAYLOADS

_HEAD: Final = struct.Struct("<II")
_TYPES: Final[dict[str, object]] = {
    "int": int | None,
    "float": float | None,
    "money": Decimal | None,
    "bool": bool | None,
    "time": datetime | None,
    "day": datetime | None,
    "texts": tuple[str, ...] | None,
}


class UnreadableSegment(Exception):
    """Some frames of a segment are damaged, or hold other columns."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A closed file of frames."""

    path: Path
    rows: int = 0

    def set_aside(self) -> Path:
        """Keep it under a name that nobody looks for; returns that."""
        return self.path.rename(self.path.with_suffix(".unreadable"))


Rows = list[Row]


class Format:
    """Frames of one table's raw rows, their rejects, and what was said in them (raw rows of `span_payloads`)."""

    def __init__(self, table: Table) -> None:
        row, said = _row_type(table), _row_type(SPAN_PAYLOADS)
        self._encode = msgspec.msgpack.Encoder().encode
        self._decoder = msgspec.msgpack.Decoder(tuple[list[row], list[Reject], list[said]])  # type: ignore[valid-type]  # made here

    def frame(self, rows: Sequence[Row], rejects: Sequence[Reject], said: Sequence[Row] = ()) -> bytes:
        """Rows and rejects as the bytes of one frame."""
        body = self._encode((rows, rejects, said))
        return _HEAD.pack(len(body), zlib.crc32(body)) + body

    def read(self, path: Path) -> Iterator[tuple[Rows, list[Reject], Rows]]:
        """Every whole frame of a segment; a tail that was being written when its writer died was never acknowledged.

        Raises UnreadableSegment behind the last where others are damaged, or another version of the program wrote them in another form.
        """
        whole, size = True, path.stat().st_size
        with path.open("rb") as file:
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                length, check = _HEAD.unpack(head)
                body = file.read(min(length, size))
                if zlib.crc32(body) != check:
                    whole = whole and len(body) < length and self._ends_early(body)
                    continue
                try:
                    yield self._decoder.decode(body)
                except msgspec.MsgspecError:
                    whole = False
        if not whole:
            raise UnreadableSegment(path.name)

    def _ends_early(self, body: bytes) -> bool:
        """Whether it is the beginning of a frame. Where the damage is in what was said of its length, it is a whole one, or more."""
        try:
            self._decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return "truncated" in str(error)
        return False


def _row_type(table: Table) -> object:
    return tuple.__class_getitem__(tuple(_TYPES.get(column.kind, str | None) for column in table.raw))


class Spool:
    """One receiver's folder under `root`; a segment is closed at `segment_rows`. `append` may be called by many threads,
    the rest by one."""

    def __init__(self, root: Path, table: Table, segment_rows: int = 9_500) -> None:
        self.format = Format(table)
        self._folder, self._turn = _own_folder(root)
        self._number = 0
        self._write = threading.Lock()
        self._sync = threading.Lock()
        self._written = self._synced = 0
        self._rows = self._end = 0
        self._segment_rows = segment_rows
        self._closed: deque[Segment] = deque()
        self._file = self._new_file()

    @property
    def full(self) -> bool:
        """Whether there is a whole segment."""
        return bool(self._closed)

    def append(self, rows: Sequence[Row], rejects: Sequence[Reject], said: Sequence[Row] = ()) -> None:
        """Make rows durable: returns once they are on the disk. Raises OSError when they are not.

        Threads that wait at once share one fsync.
        """
        frame = self.format.frame(rows, rejects, said)
        with self._write:
            try:
                os.truncate(self._file, self._end)  # what a full disk left of the frame before
                _write_all(self._file, frame)
            except OSError:
                with contextlib.suppress(OSError):
                    os.truncate(self._file, self._end)
                raise
            self._end += len(frame)
            self._rows += len(rows)
            self._written += 1
            mine = self._written
        with self._sync:
            if self._synced < mine:
                with self._write:
                    reached, descriptor = self._written, self._file
                os.fsync(descriptor)
                self._synced = reached
            if self._rows >= self._segment_rows:
                with self._write, contextlib.suppress(OSError):  # it grows until it can be closed
                    self._seal()

    def take(self) -> Segment | None:
        """The oldest segment, the open one being closed for it; None when there are no rows. Raises OSError."""
        with self._sync, self._write:
            if not self._closed and self._end:
                self._seal()
            return self._closed.popleft() if self._closed else None

    def close(self) -> None:
        """Give the folder back; it goes when nothing is left in it."""
        with self._sync, self._write:
            descriptor, self._file = self._file, -1  # a late writer must not hit the file that gets the number next
            os.close(descriptor)
            if not self._end:
                self._path().unlink(missing_ok=True)
        _leave(self._folder, self._turn)

    def _seal(self) -> None:
        """Close the open segment and begin another; both locks are held. Raises OSError, and the open one goes on."""
        os.fsync(self._file)
        sealed, done = Segment(self._path(), self._rows), self._file
        self._file = self._new_file()
        os.close(done)
        self._closed.append(sealed)
        self._synced = self._written
        self._rows = self._end = 0

    def _path(self, number: int = 0) -> Path:
        return self._folder / f"{number or self._number:08d}.frames"

    def _new_file(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = os.open(self._path(self._number + 1), flags, 0o600)
        self._number += 1
        return file


def left_over(root: Path) -> Iterator[Segment]:
    """Segments of receivers that are gone, oldest first; the caller deletes each once its rows are stored.

    While it is iterated, nobody else gets the same ones. A folder that is empty afterwards is removed.
    """
    if not root.is_dir():
        return
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        try:
            turn = Turn.take(folder / "lock", 0)
        except OSError:  # just removed by somebody else
            continue
        if turn is None:
            continue
        try:
            for path in sorted(folder.glob("*.frames")):
                yield Segment(path)
        finally:
            _leave(folder, turn)


def _own_folder(root: Path) -> tuple[Path, Turn]:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        folder = root / f"{os.getpid()}-{secrets.token_hex(4)}"
        folder.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):  # taken for a leftover before it was locked
            turn = Turn.take(folder / "lock", 0)
            if turn is not None and (folder / "lock").exists():
                return folder, turn


def _leave(folder: Path, turn: Turn) -> None:
    if all(path.name == "lock" for path in folder.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
    turn.release()


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
