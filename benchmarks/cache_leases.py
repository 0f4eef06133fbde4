"""Six readers and two writers on one cache: how long does anybody wait? `python -m benchmarks.cache_leases [SECONDS]`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aether_tui.cache import Cache
from aether_tui.records import TABLES, Row, Value

READERS, WRITERS = 6, 2
ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 21, tzinfo=UTC)
SPANS = TABLES["spans"]


def spans(first: int, count: int) -> list[Row]:
    """Spans of traces of five, a minute apart."""
    start = datetime(2026, 7, 1)  # noqa: DTZ001 - instants in rows are naive UTC
    names = [column.name for column in SPANS.columns]
    rows = []
    for number in range(first, first + count):
        values: dict[str, Value] = {
            "trace_id": f"{number // 5:032x}", "span_id": f"{number:016x}", "start": start + timedelta(minutes=number),
            "parent_id": None if number % 5 == 0 else f"{number // 5 * 5:016x}", "operation": "chat", "model": "m",
            "duration_s": 1.0 + number % 7, "input_tokens": 100 + number % 90, "output_tokens": number % 50,
            "status": "ok", "feature": f"f{number % 4}", "team": "t", "environment": "production",
        }  # fmt: skip
        rows.append(tuple(values.get(name) for name in names))
    return rows


def read(path: Path, seconds: float) -> list[float]:
    """Waits (s) of a reader that looks, works 20 ms and looks again."""
    cache, until = Cache(path), time.monotonic() + seconds
    waits: list[float] = []
    while not waits or time.monotonic() < until:
        asked = time.perf_counter()
        with cache.read() as lease:
            waits.append(time.perf_counter() - asked)
            lease.rows("SELECT model, sum(calls) AS calls FROM llm_hourly GROUP BY model")
        time.sleep(0.02)
    return waits


def write(path: Path, seconds: float, name: str) -> list[float]:
    """Whole durations (s) of merges of 2,000 spans, one after the other."""
    cache, until, first = Cache(path), time.monotonic() + seconds, 0
    waits: list[float] = []
    while not waits or time.monotonic() < until:
        rows = spans(first, 2000)
        asked = time.perf_counter()
        cache.merge(name, "spans", {"spans": rows}, mapping_hash="m", now=NOW)
        waits.append(time.perf_counter() - asked)
        first += 2000
    return waits


def run(seconds: float, path: Path) -> dict[str, dict[str, float]]:
    """Waits by role: count, p50, p95 and longest, in ms."""
    Cache(path).merge("seed", "spans", {"spans": spans(0, 40_000)}, mapping_hash="m", now=NOW)
    roles = [f"reader{n}" for n in range(READERS)] + [f"writer{n}" for n in range(WRITERS)]
    command = [sys.executable, "-m", "benchmarks.cache_leases", "child", str(path)]
    children = {
        role: subprocess.Popen([*command, role], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for role in roles
    }
    for child in children.values():  # imported and waiting
        assert child.stdout is not None
        child.stdout.readline()
    for child in children.values():
        assert child.stdin is not None
        child.stdin.write(f"{seconds}\n")
        child.stdin.flush()
    waits: dict[str, list[float]] = {"reader": [], "writer": []}
    for role, child in children.items():
        output, _ = child.communicate(timeout=seconds + 60)
        if child.returncode:
            raise SystemExit(f"{role} failed with status {child.returncode}")
        waits[role[:6]] += json.loads(output)
    return {role: _summary(sorted(found)) for role, found in waits.items()}


def _summary(waits: list[float]) -> dict[str, float]:
    def at(share: float) -> float:
        return round(1000 * waits[min(len(waits) - 1, int(share * len(waits)))], 1)

    return {"n": len(waits), "p50_ms": at(0.5), "p95_ms": at(0.95), "max_ms": at(1.0)}


def main(arguments: list[str]) -> None:
    """Parent without `child`, else one process of the crowd."""
    if arguments[:1] == ["child"]:
        path, role = Path(arguments[1]), arguments[2]
        with Cache(path).read():  # the first look of a process starts DuckDB: that is no wait for others
            print("ready", flush=True)
        seconds = float(sys.stdin.readline())
        waits = read(path, seconds) if role.startswith("reader") else write(path, seconds, role)
        print(json.dumps(waits))
        return
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(float(arguments[0]) if arguments else 60.0, Path(folder) / "cache.duckdb"), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
