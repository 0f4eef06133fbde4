"""Every report over 200,000 items, 1,000,000 transitions and the rollups of 10,000,000 spans: `python -m benchmarks.reports [SHARE]`.

Rows go straight into records and rollups: no span is made (`benchmarks.plane` loads spans). Printed per report: p95 of the time spent
in queries over windows of 7 d, 28 d, 90 d and a quarter, each asked anew except for what is the same in every window (limit 150 ms:
✓ or ■), and of the whole build in a warm process (a change of the window on the screen is measured by `benchmarks.window`). Both as
wall and as CPU time of all threads: on a machine that is busy with something else only the latter means anything. SHARE of the sizes;
1 unless told.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from aether_tui.cache import Cache
from aether_tui.cache.look import ReadLease
from aether_tui.cache.schema import COMPUTED, ROLLUPS, quoted
from aether_tui.config import Config
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.registry import REPORTS
from aether_tui.diagnostics.run import run_report
from aether_tui.records import TABLES
from aether_tui.records.definitions import definition, render
from aether_tui.records.model import Value
from aether_tui.workspace.folder import Workspace

T = TypeVar("T")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
WINDOWS = ("7d", "28d", "90d", "2026-Q4")
TIMES = 5
QUERY_MS = 150.0
ITEMS, SPANS, SPANS_EACH = 200_000, 10_000_000, 7
DAYS = 365

_OWN = ("task_coverage_daily", "flow_items", "flow_daily", "changes", "delivery_daily", "cost_daily", "ci_daily")
"""Rollups made by their own definitions."""


def fill(cache: Cache, share: float) -> None:
    """Records and rollups of the sizes."""
    cache.ensure()
    sizes = {
        "items": int(ITEMS * share),
        "tasks": int(SPANS / SPANS_EACH * share),
        "pulls": int(20_000 * share),
        "days": DAYS,
    }
    with cache._write() as connection:
        for text in (Path(__file__).with_suffix(".sql")).read_text("utf-8").split(";\n"):
            if not text.strip():
                continue
            connection.execute(text, {name: size for name, size in sizes.items() if f"${name}" in text})
        computed = ", ".join(f"{name} = {render(text, {})}" for name, text in COMPUTED.items())
        connection.execute(f"UPDATE tasks SET {computed}")
        sources = {table: table for table in (*TABLES, *ROLLUPS)}
        sources["flow_events"] = f"({render(definition('flow_events'), sources)})"
        for name in _OWN:
            made = render(definition(name), sources)
            connection.execute(f"INSERT INTO {name} BY NAME SELECT {quoted(list(ROLLUPS[name]))} FROM ({made})")
        state = "SELECT 'linear' AS source, 'issues' AS stream, TIMESTAMP '2026-11-20' AS last_success, 1 AS rows"
        connection.execute(f"INSERT INTO sync_state BY NAME {state}")


class Timed:
    """The cache with the time its queries take, in seconds."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.spent_s = self.cpu_s = 0.0

    def read(self) -> AbstractContextManager[TimedLease]:
        """A lease that is timed."""
        return _Timing(self, self._cache.read())


class TimedLease:
    """A lease whose queries are timed."""

    def __init__(self, lease: ReadLease, timed: Timed) -> None:
        self._lease, self._timed = lease, timed
        self.kept = lease.kept

    def rows(self, sql: str, params: Mapping[str, object] | None = None) -> list[dict[str, Value]]:
        """Rows of a query."""
        return self._timing(lambda: self._lease.rows(sql, params))

    def several(self, asked: Sequence[tuple[str, Mapping[str, object]]]) -> list[list[dict[str, Value]]]:
        """Rows of several."""
        return self._timing(lambda: self._lease.several(asked))

    def _timing(self, work: Callable[[], T]) -> T:
        began, cpu = time.perf_counter(), time.process_time()
        found = work()
        self._timed.spent_s += time.perf_counter() - began
        self._timed.cpu_s += time.process_time() - cpu
        return found

    def interrupt(self) -> None:
        """Stop the running query."""
        self._lease.interrupt()


class _Timing(AbstractContextManager[TimedLease]):
    def __init__(self, timed: Timed, lease: AbstractContextManager[ReadLease]) -> None:
        self._timed, self._lease = timed, lease

    def __enter__(self) -> TimedLease:
        return TimedLease(self._lease.__enter__(), self._timed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lease.__exit__(kind, error, trace)


def measure(workspace: Workspace, cache: Cache, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Per report: p95 of the time in queries and of the whole build, wall and CPU, in ms, over every window several times."""
    config, found = Config(), {}
    for name in names:
        runs: list[dict[str, float]] = []
        for window in WINDOWS * TIMES:
            timed = Timed(cache)
            began, cpu = time.perf_counter(), time.process_time()
            run_report(name, workspace, config, Clock.of(NOW, window), timed)
            whole, whole_cpu = time.perf_counter() - began, time.process_time() - cpu
            runs.append({"query": timed.spent_s, "query_cpu": timed.cpu_s, "whole": whole, "whole_cpu": whole_cpu})
        del runs[0]  # it imports and warms up
        found[name] = {what: p95([1e3 * run[what] for run in runs]) for what in runs[0]}
    return found


def p95(values: list[float]) -> float:
    """Nearest rank."""
    return sorted(values)[-(-95 * len(values) // 100) - 1]


def main() -> None:
    """Fill, measure, print."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    names = tuple(sys.argv[2:]) or tuple(spec.name for spec in REPORTS.values() if spec.needs_data)
    with tempfile.TemporaryDirectory(prefix="aether-bench-") as folder:
        workspace = Workspace(Path(folder))
        workspace.config_path.write_text("")
        workspace.private()
        cache = Cache(workspace.cache_path)
        began = time.perf_counter()
        fill(cache, share)
        print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        found = measure(workspace, cache, names)
    for name, took in found.items():
        over = min(took["query"], took["query_cpu"]) > QUERY_MS
        said = "".join(f"{what.replace('_', ' '):>12}{ms:>6.0f} ms" for what, ms in took.items())
        print(f"{'■' if over else '✓'} {name:<16}{said}", file=sys.stderr)
    print(
        json.dumps(
            {
                "share": share,
                "p95_ms": {name: {what: round(ms, 1) for what, ms in took.items()} for name, took in found.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
