"""The traces explorer over many spans: `python -m benchmarks.explorer [SPANS]` (1,000,000 unless told). Medians of CPU-wall ms."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from aether_tui.cache import Cache
from aether_tui.cache.schema import ROLLUPS, quoted
from aether_tui.diagnostics.explorer import Cancelled, Explorer
from aether_tui.diagnostics.frame import Clock, Data, Filters
from aether_tui.diagnostics.trace_report import report
from aether_tui.records.definitions import definition, render
from aether_tui.report_model import load, save
from screens.widgets.layout import View, lay_out

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LIMITS_MS = {
    "list of one day": 150, "sort": 400, "page down": 20, "one trace of the list": 50,
    "one trace by id": 50, "tree of 2,000 spans": 300, "search stopped": 100,
}  # fmt: skip
DAYS, SPANS_EACH, BIG = 30, 10, 2_000
CHUNK = 1_000_000

_SPANS = """
INSERT INTO spans BY NAME
SELECT 'bench' AS source, md5((i // $each)::VARCHAR) AS trace_id, printf('%016x', i) AS span_id,
  CASE WHEN i % $each > 0 THEN printf('%016x', i // $each * $each) END AS parent_id,
  CASE WHEN i % $each = 0 THEN 'agent' WHEN i % 3 = 0 THEN 'execute_tool find' ELSE 'chat m' END AS name,
  CASE WHEN i % $each = 0 THEN 'invoke_agent' WHEN i % 3 = 0 THEN 'execute_tool' ELSE 'chat' END AS operation,
  TIMESTAMP '2026-10-22' + to_microseconds((i // $each) * $step_us + (i % $each) * 900000) AS start,
  CASE WHEN i % $each = 0 THEN 9.0 ELSE 0.5 + hash(i) % 400 / 1000 END AS duration_s,
  CASE WHEN i % $each > 0 AND i % 3 > 0 THEN 'm' || hash(i // $each) % 4 END AS model,
  CASE WHEN i % $each > 0 AND i % 3 > 0 THEN 500 + hash(i) % 4000 END AS input_tokens,
  CASE WHEN i % $each > 0 AND i % 3 > 0 THEN hash(i) % 400 END AS output_tokens,
  CASE WHEN i % $each > 0 AND i % 3 > 0 THEN 0.001 * (hash(i) % 90) END AS cost_usd,
  CASE WHEN hash(i) % 50 = 0 THEN 'error' ELSE 'ok' END AS status, 'f' || hash(i // $each) % 12 AS feature,
  'team' || hash(i // $each) % 5 AS team, 'production' AS environment, '{"app.note":"' || hash(i) || '"}' AS attributes
FROM range($low, $high) t(i)
"""
_BIG = """
INSERT INTO spans BY NAME
SELECT 'bench' AS source, 'big' AS trace_id, printf('b%015x', i) AS span_id,
  CASE WHEN i > 0 THEN printf('b%015x', (i - 1) // 3) END AS parent_id, 'chat m' AS name, 'chat' AS operation, 'm1' AS model,
  TIMESTAMP '2026-11-20 12:00:00' + to_milliseconds(i * 10) AS start, 0.5 AS duration_s, 10 AS input_tokens, 'ok' AS status
FROM range($n) t(i)
"""


def fill(cache: Cache, spans: int) -> None:
    """That many spans over 30 days, one trace of 2,000, and the rollup of tasks by its own definition."""
    cache.ensure()
    step_us = DAYS * 86_400_000_000 // max(spans // SPANS_EACH, 1)
    for low in range(0, spans, CHUNK):
        with cache._write() as connection:
            params = {"each": SPANS_EACH, "step_us": step_us, "low": low, "high": min(low + CHUNK, spans)}
            connection.execute(_SPANS, params)
    with cache._write() as connection:
        connection.execute(_BIG, {"n": BIG})
        made = render(definition("tasks"), {"spans": "spans"})
        connection.execute(f"INSERT INTO tasks BY NAME SELECT {quoted(list(ROLLUPS['tasks']))} FROM ({made})")


def median_ms(work: Callable[[int], object], times: int = 9) -> float:
    """Median wall time of some runs, in ms; the first warms up."""
    work(0)
    took = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        took.append(1e3 * (time.perf_counter() - began))
    return statistics.median(took)


def measure(cache: Cache) -> dict[str, float]:
    """Each number of the explorer, in ms."""
    day, month = Clock.of(NOW, "2026-11-18..2026-11-18"), Clock.of(NOW, "28d")
    explorer = Explorer(cache)

    def listed(_: int) -> None:
        explorer.open(day, Filters())
        explorer.page(0, 200)

    found = {"list of one day": median_ms(listed)}
    explorer.open(month, Filters())
    columns = ("cost_usd", "duration_s", "feature", "tokens")
    found["sort"] = median_ms(lambda n: explorer.order(columns[n % 4]))
    found["page down"] = median_ms(lambda n: explorer.page(200 * n, 200))
    ids = [str(row["trace_id"]) for row in explorer.page(0, 200)[::20]]
    found["one trace of the list"] = median_ms(
        lambda n: _one(cache, month, ids[n % len(ids)], explorer.started(ids[n % len(ids)]))
    )
    found["one trace by id"] = median_ms(lambda n: _one(cache, month, ids[n % len(ids)]))
    found["tree of 2,000 spans"] = median_ms(lambda _: lay_out(load(save(_one(cache, month, "big"))), View(), 120), 5)
    found["search stopped"] = median_ms(lambda _: _stopped(explorer, month), 5)
    explorer.close()
    return found


def _one(cache: Cache, clock: Clock, trace: str, begun: datetime | None = None):
    with Data(cache, clock) as data:
        return report(data, trace, begun=begun)


def _stopped(explorer: Explorer, clock: Clock) -> None:
    """A search for what is nowhere, interrupted while it runs: how long until it has ended is what this waits for."""
    begun = threading.Event()

    def search() -> None:
        with suppress(Cancelled, duckdb.InterruptException):
            for _ in explorer.search("nowhere at all", clock):
                begun.set()

    thread = threading.Thread(target=search)
    thread.start()
    begun.wait()
    explorer.interrupt()
    thread.join()


def main() -> None:
    spans = int(sys.argv[1].replace("_", "").replace(",", "")) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="aether-bench-") as folder:
        cache = Cache(Path(folder) / "cache.duckdb")
        fill(cache, spans)
        found = measure(cache)
    for name, took in found.items():
        print(f"{name:<22}{took:>9.1f} ms   limit {LIMITS_MS[name]} ms", file=sys.stderr)
    print(json.dumps({"spans": spans, "ms": {name: round(took, 2) for name, took in found.items()}}))


if __name__ == "__main__":
    main()
