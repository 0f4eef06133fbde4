"""Amplitude's export: a zip of one gzip of JSON lines per upload hour, counted by the cache, of which no event is kept."""

from __future__ import annotations

import gzip
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from aether_tui.records.tables import PRODUCT_METRICS
from connectors.base import Malformed, Network, Refused, Row, Tally

HOURS = 24
"""Upload hours asked for at once; fewer where that is too much for one answer."""
LATE = timedelta(hours=3)
"""An hour is complete about two hours after its end."""
MAX_ZIP = 4 << 30
"""Amplitude refuses to export more at once."""
MAX_MEMBER = 1 << 30
MAX_MEMBERS = 5_000
MAX_LINE = 16 << 20
MAX_HOUR = 16 << 30
"""Bytes of the events of a file, unpacked."""
HOURS_TOGETHER = 4
"""Hours that are unpacked and counted together: they are read side by side, and lie on the disk for so long."""
PART_BYTES = 4 << 20
"""Bytes of events that are put into a file: of a longer one DuckDB holds 32 MB."""

_HOUR = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{1,2})(?:#\d+)?\.json\.gz$")
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


class Exports:
    """Where exports lie between the download and the counting: a folder of our own, gone with the connector."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._root: Path | None = None
        self._ends = ExitStack()
        self._count = 0

    def folder(self) -> Path:
        """A new empty folder that only this user can read."""
        if self._root is None:
            self._root = self._ends.enter_context(self._network.aside())
        self._count += 1
        folder = self._root / str(self._count)
        folder.mkdir()
        return folder

    def close(self) -> None:
        """Delete whatever is left."""
        self._ends.close()
        self._root = None


def tallies(archive: Path, folder: Callable[[], Path], read: datetime) -> Iterator[Tally]:
    """What there is to count in an export, some hours at a time, each unpacked into a folder that goes when it is counted.

    Raises Malformed for a damaged archive, for too much, and for members that are no hours.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            hours = _hours(zipped)
            names = sorted(hours)
            for first in range(0, len(names), HOURS_TOGETHER):
                target = folder()
                files = {
                    hour: tuple(part for info in hours[hour] for part in _unpack(zipped, info, target))
                    for hour in names[first : first + HOURS_TOGETHER]
                }
                yield Tally(
                    PRODUCT_METRICS, files, "event_type", "event_time", "uuid", _rows(read), partial(_drop, target)
                )
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise Refused(
                f"Amplitude's export cannot be unpacked on this machine: {error.strerror}",
                hint="make room there, and run sync again",
            ) from error
        raise Malformed(f"Amplitude's export is a damaged or cut archive ({error})", hint="run sync again") from error


def _hours(zipped: zipfile.ZipFile) -> dict[str, list[zipfile.ZipInfo]]:
    members = [info for info in zipped.infolist() if not info.is_dir()]
    if len(members) > MAX_MEMBERS:
        raise Malformed(f"Amplitude's export holds {len(members):,} files, the cap is {MAX_MEMBERS:,}")
    hours: dict[str, list[zipfile.ZipInfo]] = {}
    for info in members:
        found = _HOUR.search(info.filename)
        if found is None:
            raise Malformed("Amplitude's export holds a file that is no hour of events", hint="report this")
        if info.file_size > MAX_MEMBER:
            raise Malformed(f"an hour of Amplitude's export is larger than {MAX_MEMBER >> 20} MiB packed: refused")
        hours.setdefault(f"{found[1]}T{int(found[2]):02d}", []).append(info)
    return hours


def _unpack(zipped: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Iterator[Path]:
    """Files of whole lines."""
    came = 0
    with zipped.open(info) as packed, gzip.open(packed) as events:
        while part := events.read(PART_BYTES):
            part += events.readline(MAX_LINE)
            came += len(part)
            if came > MAX_HOUR:
                raise Malformed(f"an hour of Amplitude's export is larger than {MAX_HOUR >> 30} GiB unpacked: refused")
            path = folder / f"{info.header_offset}-{came}.json"
            path.write_bytes(part)
            yield path


def _drop(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _rows(read: datetime) -> Callable[[str, str, datetime, int], Row]:
    def row(hour: str, name: str, day: datetime, n: int) -> Row:
        return PRODUCT_METRICS.row(
            metric=f"exported:{name}",
            segment=f"uploaded {hour}",
            day=day,
            zone="UTC",
            value=float(n),
            unit="events",
            incomplete=False,
            updated=read,
        )

    return row
