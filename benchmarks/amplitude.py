"""A million Amplitude events from a zip of gzips into the cache: `python -m benchmarks.amplitude [--events 1000000]`.

Beside it DuckDB reads the same events unzipped, once the keys that are counted and once every key it finds, into a table.
Prints CPU seconds, best of the runs, and how fast we are in terms of both; the bar is 0.5 of reading them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import duckdb

from aether_tui.cache import Cache
from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records.source import Page
from aether_tui.sync.intake import Intake, Writer
from connectors.amplitude_export import tallies

NAMES = ("Answer Accepted", "Answer Shown", "Session Start", "Search", "Feedback")
REST = {
    "app": 12345, "platform": "Web", "os_name": "Chrome", "os_version": "120", "device_family": "Mac OS X", "country": "Germany",
    "region": "Berlin", "city": "Berlin", "language": "English", "ip_address": "10.0.0.1", "library": "http/2.0", "$schema": 12,
    "event_properties": {"model": "large", "tokens": 1234, "length": 400, "feature": "search", "experiment": ["a", "b"]},
    "user_properties": {"plan": "pro", "seats": 12, "initial_referrer": "https://example.com/search?q=x"}, "groups": {},
    "data": {"path": "/2/httpapi", "group_first_event": {}},
}  # fmt: skip
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def write(plain: Path, archive: Path, events: int) -> None:
    """The same events as JSON lines and as an export of 24 hours."""
    draw = random.Random(7)
    with plain.open("w") as out, zipfile.ZipFile(archive, "w") as packed:
        for hour in range(24):
            lines = []
            for n in range(events // 24):
                at = f"{hour:02d}:{n % 60:02d}:11.123000"
                one = {
                    **REST, "event_type": NAMES[draw.randrange(5)], "uuid": f"{draw.getrandbits(128):032x}",
                    "user_id": f"user {draw.randrange(50_000)}", "device_id": f"{draw.getrandbits(64):016x}", "event_id": n,
                    "event_time": f"2026-11-20 {at}", "server_upload_time": f"2026-11-20 {at}",
                    "$insert_id": f"{draw.getrandbits(128):032x}",
                }  # fmt: skip
                lines.append(json.dumps(one) + "\n")
            text = "".join(lines)
            out.write(text)
            packed.writestr(f"1/1_2026-11-20_{hour}#0.json.gz", gzip.compress(text.encode(), 6))


def ours(archive: Path, folder: Path) -> None:
    """What a sync does once the archive is there."""
    numbers = count()

    def new() -> Path:
        path = folder / f"hours-{next(numbers)}"
        path.mkdir()
        return path

    (folder / "cache.duckdb").unlink(missing_ok=True)
    writer = Writer(Cache(folder / "cache.duckdb"), Ingest(Config(), b"0" * 32), lambda: NOW)
    intake = Intake(writer, "amplitude", "export", "product_metrics")
    counts = [intake.page(Page(tally=tally)) for tally in tallies(archive, new, NOW.replace(tzinfo=None))]
    intake.finish()
    assert sum(one.inserted for one in counts) == 24 * len(NAMES), counts


def reading(plain: Path, columns: str) -> None:
    """DuckDB by itself: JSON lines into a table."""
    connection = duckdb.connect()
    connection.execute("SET threads = 2")
    source = f"read_json('{plain}', format = 'newline_delimited'{columns})"
    connection.execute(f"CREATE TABLE events AS SELECT * FROM {source}")
    connection.close()


def best(work: Callable[[], None], runs: int) -> tuple[float, float]:
    """CPU and wall seconds of the quickest run."""
    times = []
    for _ in range(runs):
        before, wall = time.process_time(), time.perf_counter()
        work()
        times.append((time.process_time() - before, time.perf_counter() - wall))
    return min(cpu for cpu, _ in times), min(wall for _, wall in times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, archive = folder / "events.ndjson", folder / "export.zip"
        write(plain, archive, asked.events)
        start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu, wall = best(lambda: ours(archive, folder), asked.runs)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        keys = ", columns = {event_type: 'VARCHAR', event_time: 'VARCHAR', uuid: 'VARCHAR'}"
        few, few_wall = best(lambda: reading(plain, keys), asked.runs)
        whole, whole_wall = best(lambda: reading(plain, ""), asked.runs)
        megabytes = (peak - start) / (1 << (20 if sys.platform == "darwin" else 10))
        print(
            f"{asked.events:,} events, {plain.stat().st_size >> 20} MB of lines, {archive.stat().st_size >> 20} MB of archive"
        )
        print(f"into the cache: {cpu:.2f} CPU s, {wall:.2f} s; {megabytes:.0f} MB above start")
        print(f"DuckDB, every key: {whole:.2f} CPU s, {whole_wall:.2f} s: speed ratio {whole / cpu:.2f}")
        print(f"DuckDB, the three keys counted: {few:.2f} CPU s, {few_wall:.2f} s: speed ratio {few / cpu:.2f}")


if __name__ == "__main__":
    main()
