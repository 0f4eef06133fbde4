"""An exclusive lock on a file, between processes, on every platform; it ends with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Busy(Exception):
    """Somebody else held the lock for too long."""


@contextmanager
def exclusive(path: Path, wait_s: float = 10.0) -> Iterator[None]:
    """Hold `path` locked. The file stays (removing it would let two in). Raises Busy after `wait_s`."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + wait_s
        while not _try(handle):
            if time.monotonic() > deadline:
                raise Busy(str(path))
            time.sleep(0.01)
        yield
    finally:
        os.close(handle)  # also unlocks


def _try(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
