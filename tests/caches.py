"""New caches begin as copies of an empty one that was made as any user's is: its fifty tables are made once in a process."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aether_tui.cache import schema
from aether_tui.cache.lease import Leases

_attach = Leases._attach
_VERSION = schema.VERSION
_making = threading.Lock()
_by_hand = False


def copy_new_ones(empty: Path) -> None:
    """From now on, of `empty`, which is made when the first is needed; in children of this process, too."""

    def attach(self: Leases, mode: str, deadline: float) -> None:
        copied = not _by_hand and schema.VERSION == _VERSION and mode == "READ_WRITE"
        if copied and not self.path.exists() and not self.wal.exists():
            _make(empty)
            begun = self.path.with_name(f"{self.path.name}.begun")
            shutil.copyfile(empty, begun)
            begun.rename(self.path)
        _attach(self, mode, deadline)

    Leases._attach = attach  # type: ignore[method-assign]


@contextmanager
def made_by_hand() -> Iterator[None]:
    """Here each is made as users' are."""
    global _by_hand
    before, _by_hand = _by_hand, True
    try:
        yield
    finally:
        _by_hand = before


def _make(empty: Path) -> None:
    with _making, made_by_hand():
        if empty.exists():
            return
        made = Leases(empty.parent / f"{os.getpid()}" / "cache.duckdb")
        with made.alone(30):
            pass
        made.renew()
        made.path.rename(empty)
