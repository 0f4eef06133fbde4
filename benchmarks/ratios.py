"""What the gate watches of our own speed: `python -m benchmarks.ratios FILE`, about twenty seconds.

Writes a report in hyperfine's form. Each time is a ratio in disguise: CPU of ours over CPU of a fixed piece of Python run
right before it, times what that piece takes on the machine the limits were set on (50 ms), so that a slow or busy machine
does not matter. Medians of interleaved pairs.

Spans are measured against DuckDB itself: CPU of `load` over CREATE TABLE AS from the same file, and over the smallest pipeline
that does what is asked of a load (`floors.py`), where 1 s is a ratio of one.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks import floors, plane, receiver
from benchmarks.gate import project

YARDSTICK = "x = {}\nfor n in range(180_000):\n    x[n % 997] = str(n)"
YARDSTICK_S = 0.05
PAIRS = 3
SPANS = 60_000


def cpu_s(command: list[str], cwd: Path) -> float:
    """User and system time of a finished command."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def ratios(command: list[str], cwd: Path) -> list[float]:
    """CPU of the command over the yardstick's, pair by pair, in the yardstick's seconds."""
    run: Callable[[list[str]], float] = lambda one: cpu_s(one, cwd)  # noqa: E731
    run(command)
    yardstick = [sys.executable, "-I", "-c", YARDSTICK]
    return [YARDSTICK_S / run(yardstick) * run(command) for _ in range(PAIRS)]


def spans(root: Path) -> dict[str, list[float]]:
    """Loading spans, and loading them again, over DuckDB's own reading and writing of them."""
    start = (plane.NOW - timedelta(days=2)).replace(tzinfo=None)
    file = plane.make(root / "spans.parquet", 0, SPANS, start, 1)
    found: dict[str, list[float]] = {"load spans": [], "load spans again": [], "load spans over the least": []}
    for number in range(PAIRS):
        own, cache = plane.ctas(file), root / f"{number}.duckdb"
        first, again = (plane.child("load", str(file), str(cache))["cpu_s"] for _ in range(2))
        least = floors.floor(file, rollups=True)
        for name, ratio in zip(found, (first / own, again / own, first / least), strict=True):
            found[name].append(ratio)
    return found


def received() -> dict[str, list[float]]:
    """CPU of 10,000 received spans until they are durable, and from there until they are in the cache, in the yardstick's seconds."""
    rng = random.Random(1)
    bodies = [receiver.body(rng, number * receiver.BATCH) for number in range(60)]
    found: dict[str, list[float]] = {"receive spans": [], "store received spans": []}
    for _ in range(PAIRS):
        pace = YARDSTICK_S / cpu_s([sys.executable, "-I", "-c", YARDSTICK], Path.cwd())
        each = receiver.in_process(bodies)
        for name, key in zip(found, ("durable_cpu_us", "merge_cpu_us"), strict=True):
            found[name].append(pace * each[key] / 100)
    return found


def main(path: Path) -> None:
    """Measure and write."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        report = project(root)
        program = [sys.executable, "-m", "aether_tui", "--as-of", "2026-11-21"]
        commands = {
            "help": [*program, "--help"],
            "budget check": [*program, "budget", "check", "--format", "json", *report],
            "budget explain": [*program, "budget", "explain", "tests.p07", *report],
        }
        found = {name: ratios(command, root) for name, command in commands.items()}
        found |= spans(root) | received()
    results = [
        {"command": name, "median": statistics.median(times), "times": times, "exit_codes": [0] * len(times)}
        for name, times in found.items()
    ]
    path.write_text(json.dumps({"results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
