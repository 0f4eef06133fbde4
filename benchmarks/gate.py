"""The gate over 50 budgets with 30-sample baselines: `python -m benchmarks.gate [--runs 5]`.

Prints CPU milliseconds (user and system, median of the runs) of `budget check` and `budget explain ID` as commands, from a
folder that holds nothing but budgets.yaml, baselines and a report. The bars are 500 and 300 ms; the modules are compiled
once before, as an installed package is.
"""

from __future__ import annotations

import argparse
import compileall
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

BUDGETS, SAMPLES = 50, 30
ROOT = Path(__file__).resolve().parents[1]


def project(root: Path) -> list[str]:
    """Budgets for fifty packages, their baselines, and one report for all of them; returns its path."""
    from aether_tui.budgets.baseline import updated
    from aether_tui.budgets.file import parse_budgets
    from aether_tui.budgets.model import Sample, Series
    from aether_tui.budgets.store import Folder

    lines = [
        f"  - {{id: tests.p{n:02}, surface: tests, metric: suite.duration, match: {{package: 'acme/p{n:02}'}}, limit: 5min}}"
        for n in range(BUDGETS)
    ]
    head = "version: 1\ncurrency: USD\ndefaults: {warn: {relative: 5%}, block: {relative: 10%}}\nbudgets:\n"
    (root / "optimization").mkdir()
    (root / "optimization" / "budgets.yaml").write_text(head + "\n".join(lines) + "\n")
    start = datetime(2026, 10, 1, tzinfo=UTC)
    file = parse_budgets((head + "\n".join(lines)).encode(), "budgets.yaml", start.date())
    draw, known, added = random.Random(1), (), []
    for day in range(SAMPLES):
        measured = {
            f"tests.p{n:02}": [
                Series("", (Sample(100 * draw.gauss(1, 0.1), fingerprint="ci"),),
                       labels={"suite": "tests", "package": f"acme/p{n:02}"})
            ]
            for n in range(BUDGETS)
        }  # fmt: skip
        added, _ = updated(file, measured, known, commit=f"{day:012x}", now=start + timedelta(days=day))
        known = tuple(one.baseline for one in added)
    Folder(root / "benchmarks").write({one.name: one.encoded("USD") for one in known})
    suites = "".join(
        f'<testsuite name="acme/p{n:02}"><testcase name="a" time="{100 + n % 5}"/></testsuite>' for n in range(BUDGETS)
    )
    (root / "report.xml").write_text(f"<testsuites>{suites}</testsuites>")
    return ["report.xml", "--fingerprint", "ci"]


def cpu_ms(command: list[str], cwd: Path, runs: int) -> float:
    """Median user and system time of a finished command."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == 0, done.stderr.decode()
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return 1000 * statistics.median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    for package in ("aether_tui", "connectors"):
        compileall.compile_dir(ROOT / package, quiet=2)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        report = project(root)
        program = [sys.executable, "-m", "aether_tui", "--as-of", "2026-11-21", "budget"]
        rows = [
            ("budget check", cpu_ms([*program, "check", "--format", "json", *report], root, runs), 500),
            ("budget explain", cpu_ms([*program, "explain", "tests.p07", *report], root, runs), 300),
        ]
    print(json.dumps({name: {"cpu_ms": round(value), "limit_ms": limit} for name, value, limit in rows}, indent=1))
    return 0 if all(value <= limit for _, value, limit in rows) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
