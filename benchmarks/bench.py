"""Every number of the data plane in one run and one table: `python -m benchmarks.bench` (AETHER_BENCH_SPANS, 300,000 unless told).

Each is shown beside its bar and as its ratio to it, where one and less is within. Those of the issue's sentences: ingest (1), exact
merges (2), rollups (3), drill-down (4), receiver (5), prices (6), redaction (7), parity with ClickHouse (8; with the group `peers`
only), trouble (9). What is true or false counts the tests of it that failed. Writes `benchmarks/bench.json`; `yardstick`
there is how long a fixed piece of Python takes here, over the machine the bars were set on, `load_1min` how busy it was: wall times
of a busy machine say little.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from benchmarks import cache_leases, explorer, floors, plane, ratios, receiver

HERE = Path(__file__).resolve().parent
LEASES_S = 10.0


@dataclass(frozen=True)
class Number:
    """A measured number of a sentence; without a bar it is only told, without a value it was not measured."""

    sentence: int
    name: str
    value: float | None
    unit: str
    bar: float | None
    at_least: bool = False

    @property
    def of_bar(self) -> float | None:
        """How much of what is allowed is used; more than one is too much."""
        if self.value is None or self.bar is None:
            return None
        if self.at_least:
            return self.bar / self.value if self.value else float("inf")
        if not self.bar:  # each that there is, is too much
            return 1.0 + self.value if self.value else 0.0
        return self.value / self.bar

    def line(self) -> str:
        """One row of the table."""
        ratio = self.of_bar
        mark = "·" if ratio is None else "✓" if ratio <= 1 else "■"
        value = "not measured" if self.value is None else f"{self.value:,.4g} {self.unit}"
        bar = "" if self.bar is None else f"{'≥' if self.at_least else '≤'} {self.bar:,g}"
        return (
            f"{mark} {self.sentence}  {self.name:<46.46}{value:>17}{bar:>10}{'' if ratio is None else f'{ratio:8.2f}'}"
        )


def data_plane(spans: int, folder: Path) -> Iterator[Number]:
    """Ingest, merge and rollups."""
    us = {}
    for name, value, unit, bar, side in plane.measure(spans, folder, say):
        sentence = 3 if any(word in name for word in ("newest", "late", "raw", "report")) else 1
        us[name] = value
        yield Number(sentence, name, value, unit, None if side == "." else bar, side == ">=")
    for kind, file in {
        "spans": "whole.parquet",
        "spans and texts": "said.parquet",
        "JSON lines": "lines.ndjson",
    }.items():
        own = plane.ctas(folder / file)
        for rollups, what in ((False, "no merge"), (True, "rollups")):
            least = min(floors.floor(folder / file, rollups=rollups) for _ in range(2))
            yield Number(1, f"own over the least for {kind}, {what}", own / least, "x", None)
        if kind == "spans":
            yield Number(1, "a load over the least", us["CPU of a load"] * spans / 1e6 / least, "x", None)
    waits = cache_leases.run(LEASES_S, folder / "leases.duckdb")
    yield Number(3, "wait of six readers beside two writers, p95", waits["reader"]["p95_ms"], "ms", 1000)
    yield Number(3, "wait of two writers beside six readers, p95", waits["writer"]["p95_ms"], "ms", 1000)


def drill_down(spans: int, folder: Path) -> Iterator[Number]:
    """Lists, one trace, search."""
    from aether_tui.cache import Cache

    cache = Cache(folder / "explorer.duckdb")
    explorer.fill(cache, spans)
    for name, value in explorer.measure(cache).items():
        yield Number(4, name, value, "ms", explorer.LIMITS_MS[name])


def receiving() -> Iterator[Number]:
    """From a body to the disk, from there to the cache, and a receiver as a user starts it."""
    rng = random.Random(1)
    bodies = [receiver.body(rng, number * receiver.BATCH) for number in range(200)]
    found = receiver.in_process(bodies) | receiver.running(bodies, 4)
    for name, unit in (
        ("durable_cpu_us", "us/span"), ("merge_cpu_us", "us/span"), ("accepted_per_s", "spans/s"), ("peak_mb", "MB"),
        ("quiet_core_share", "core"),
    ):  # fmt: skip
        yield Number(5, f"receiver: {name}", found[name], unit, receiver.GOALS[name], name == "accepted_per_s")


CHECKS: Final = {
    "cache/test_any_order.py": (2, "merges in any order, 10 stories"),
    "cache/test_rederive.py": (2, "changed mapping and price, pruned days"),
    "pty/test_live.py": (3, "open console, numbers of a commit"),
    "receiver/test_receive.py": (5, "receiver: kill -9, retries, draining"),
    "receiver/test_door.py": (5, "receiver: bombs, garbage, strangers"),
    "peers/test_senders.py": (5, "exporters and clients of others"),
    "ingest/test_prices.py": (6, "prices by kind of token"),
    "diagnostics/test_bill.py": (6, "traces beside the bill"),
    "receiver/test_canary.py": (7, "canary, kill -9 too"),
    "ingest/test_redact.py": (7, "canary in every column"),
    "cache/test_upkeep.py": (7, "prune by policy, told first"),
    "peers/test_clickhouse.py": (8, "ClickHouse parity, 200,000 spans"),
    "cache/test_trouble.py": (9, "damaged, full, newer caches"),
    "cache/test_lease.py": (9, "held caches"),
}
"""What is true or false: tests, the sentence they show and what it is about."""
MUCH: Final = {"AETHER_EXAMPLES": "5", "AETHER_PARITY_SPANS": "200000"}


def checked() -> Iterator[Number]:
    """How many tests of each say no."""
    for file, (sentence, name) in CHECKS.items():
        say(name)
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            options = ["-n0", "-q", "-p", "no:cacheprovider", "--junitxml", str(report)]
            command = [sys.executable, "-m", "pytest", *options, str(HERE.parent / "tests" / file)]
            subprocess.run(command, cwd=HERE.parent, env=os.environ | MUCH, capture_output=True, check=False)
            cases = ElementTree.parse(report).iter("testcase") if report.exists() else ()
            results = [{result.tag for result in case} for case in cases] or [{"error"}]  # it died before it could say
        failed = sum(bool({"failure", "error"} & tags) for tags in results)
        ran = any("skipped" not in tags for tags in results)
        yield Number(sentence, f"{name}: tests failed", float(failed) if ran else None, "", 0)


def say(step: str) -> None:
    print(f"… {step}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure, print, write; status 1 when a bar is missed."""
    spans = int(os.environ.get("AETHER_BENCH_SPANS", "300000").replace("_", ""))
    numbers: list[Number] = []
    with tempfile.TemporaryDirectory(prefix="aether-bench-") as temporary:
        folder = Path(temporary)
        numbers += data_plane(spans, folder)
        say("explorer")
        numbers += drill_down(spans, folder)
    say("receiver")
    numbers += receiving()
    numbers += checked()
    numbers.sort(key=lambda number: number.sentence)
    yardstick = min(ratios.cpu_s([sys.executable, "-I", "-c", ratios.YARDSTICK], HERE) for _ in range(3))
    print(
        f"{spans:,} spans, yardstick {yardstick / ratios.YARDSTICK_S:.2f}; the last column is the share of the bar that is used"
    )
    for number in numbers:
        print(number.line())
    rows = [
        {
            "sentence": one.sentence, "name": one.name, "value": None if one.value is None else float(f"{one.value:.4g}"),
            "unit": one.unit, "bar": one.bar, "of_bar": None if one.of_bar is None else round(one.of_bar, 3),
        }
        for one in numbers
    ]  # fmt: skip
    found = {
        "spans": spans, "yardstick": round(yardstick / ratios.YARDSTICK_S, 2), "load_1min": round(os.getloadavg()[0], 1), "rows": rows,
    }  # fmt: skip
    (HERE / "bench.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(any(number.of_bar is not None and number.of_bar > 1 for number in numbers))


if __name__ == "__main__":
    raise SystemExit(main())
