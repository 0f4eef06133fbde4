"""The turnstile: one file lock that every process passes before it attaches the cache, so that nobody starves."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.003
QUIET_S: Final = 2.0
"""Seconds after which those who wait say so."""
_MAY_NOT_WRITE: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


def say_waiting(who: str) -> None:
    """Tell whoever watches that this process waits; without other handlers Python writes it to stderr."""
    import logging

    logging.getLogger(__name__).warning("aether-tui: waiting for the cache, which %s holds", who)


class Turn:
    """The exclusive right to attach the cache file. Readers give it back once attached, writers once detached.

    The kernel drops it with the process, so a killed holder never blocks anybody.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, wait_s: float, *, looking: bool = False) -> Turn | None:
        """The turn, or None when nobody gave it back within `wait_s` seconds. Who is only `looking` need not be allowed to write."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            if not looking or error.errno not in _MAY_NOT_WRITE:
                raise
            descriptor = os.open(path, os.O_RDONLY)
        return cls(descriptor) if _lock(descriptor, wait_s, path) else None

    def sign(self, who: str) -> None:
        """Write who holds the turn, for the message of those who wait too long; on a full disk they are not told."""
        if self._descriptor is not None:
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.ftruncate(self._descriptor, 0)
            with contextlib.suppress(OSError):
                os.write(self._descriptor, who.encode("utf-8", "replace"))

    @contextmanager
    def signed(self, who: str) -> Iterator[None]:
        """Hold it in this name, then give it back."""
        try:
            self.sign(who)
            yield
        finally:
            self.sign("")
            self.release()

    def release(self) -> None:
        """Give it back; harmless when repeated."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _unlock(descriptor)
            os.close(descriptor)


def holder(path: Path) -> str:
    """`process 123 (aether-tui sync)` as the holder signed, or ''."""
    with contextlib.suppress(OSError):
        return path.read_text("utf-8", "replace").strip()[:200]
    return ""


if sys.platform == "win32":
    import msvcrt

    # Windows refuses to read locked bytes: lock one far behind the signature.
    _BYTE: Final = 1 << 20

    def _lock(descriptor: int, wait_s: float, path: Path) -> bool:
        deadline = time.monotonic() + wait_s
        while True:
            os.lseek(descriptor, _BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return True
            except OSError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(_POLL_S)

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int, wait_s: float, path: Path) -> bool:
        """Blocking in a thread of its own: the kernel queues waiters in order, which polling would not."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if wait_s <= 0:  # who only asks must not stand in the queue: it would be given the lock later, for a moment
                os.close(descriptor)
                return False
        guard, got = threading.Lock(), threading.Event()
        abandoned = False

        def wait() -> None:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with guard:
                if abandoned:
                    os.close(descriptor)
                else:
                    got.set()

        threading.Thread(target=wait, name="cache-turn", daemon=True).start()
        try:
            if not got.wait(min(QUIET_S, wait_s)) and wait_s > QUIET_S:
                say_waiting(holder(path) or "another process")
                got.wait(wait_s - QUIET_S)
        except BaseException:
            with guard:
                abandoned = True
                if got.is_set():
                    os.close(descriptor)
            raise
        with guard:
            abandoned = not got.is_set()
            return not abandoned

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
