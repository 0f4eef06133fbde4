"""Files of spans that were loaded and have not changed since: nothing they hold is new, so they are not read again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from aether_tui import __version__
from aether_tui.sync.intake import Writer

_KEY: Final = "files"
MOST: Final = 50_000
"""Files that are remembered, the last ones."""
SETTLED_NS: Final = 2_000_000_000
"""Age of a change from which a later one shows in the time of the file."""

Seen = tuple[int, int, int]
"""Bytes of a file, and when they and what is said of them changed."""


@dataclass(frozen=True, slots=True)
class Was:
    """What a file was when it was loaded: its kind, the source of its rows, and how many there were."""

    seen: Seen
    kind: str
    source: str
    rows: int


class Known:
    """The files that the cache has, by digits of their paths; none where they would be read otherwise today."""

    def __init__(self, writer: Writer) -> None:
        self._cache, self._force = writer.cache, writer.force or writer.ingest.assigns
        # What is stored of a file follows from these; rows that were pruned are told to be late.
        pruned = self._cache.recalled("raw_from:spans")
        self._by = ":".join(map(str, (__version__, writer.ingest.mapping_hash, writer.ingest.cleaned_by, pruned)))
        said = json.loads(self._cache.recalled(_KEY) or "{}")
        self._files: dict[str, list[object]] = said["files"] if said.get("by") == self._by else {}

    def was(self, path: Path, seen: Seen | None) -> Was | None:
        """What a file was that has not changed."""
        found = self._files.get(_digits(path))
        if found is None or seen is None or self._force or found[:3] != list(seen):
            return None
        kind, source, rows = found[3:]
        return Was(seen, str(kind), str(source), int(str(rows)))

    def keep(self, files: Mapping[Path, Was]) -> None:
        """Remember these files, too."""
        if not files:
            return
        for path, was in files.items():
            self._files.pop(_digits(path), None)
            self._files[_digits(path)] = [*was.seen, was.kind, was.source, was.rows]
        last = dict(list(self._files.items())[-MOST:])
        self._cache.remember(_KEY, json.dumps({"by": self._by, "files": last}, separators=(",", ":")))


def seen(path: Path) -> Seen | None:
    """How a file looks now; None where it is none, or changed so lately that it may change again and look the same."""
    try:
        stat = path.stat()
    except OSError:
        return None
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < SETTLED_NS:
        return None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _digits(path: Path) -> str:
    return blake2b(str(path.absolute()).encode(errors="surrogateescape"), digest_size=8).hexdigest()
