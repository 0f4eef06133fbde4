"""CPU of the calculators against their limits: `python -m benchmarks.calc [--runs 5]`.

Each is a process of its own, start-up and imports included, in a compiled tree (bytecode is written first). Prints a table and
exits 1 when a limit is passed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
PROGRAM = [sys.executable, "-m", "aether_tui", "calc"]


def portfolio(folder: Path) -> Path:
    """1,000 opportunities, every input a range."""
    rng = random.Random(1)

    def stated(low: float, high: float) -> str:
        return '"' + ",".join(f"{value:.1f}" for value in sorted(rng.uniform(low, high) for _ in range(3))) + '"'

    rows = (
        f"OPP-{n},Thing {n},{stated(1, 10)},{stated(1, 10)},{stated(1, 30)},{stated(1, 10)}" for n in range(1, 1001)
    )
    path = folder / "portfolio.csv"
    path.write_text("id,title,impact,confidence,effort_weeks,reversibility\n" + "\n".join(rows) + "\n")
    return path


def stream(folder: Path) -> Path:
    """50 steps with rework, abandonment and capacity."""
    rng = random.Random(1)
    steps = (
        f"  - {{name: s{n}, touch_s: {rng.uniform(1, 60):.1f}, wait_s: {rng.uniform(1, 600):.1f}, cost: {rng.uniform(0.001, 0.3):.3f}, "
        f"error_rate: {rng.uniform(0.001, 0.1):.3f}, rework_to: s{max(0, n - 1)}, abandon_rate: {rng.uniform(0.001, 0.02):.3f}, "
        "capacity_per_month: 40000}"
        for n in range(50)
    )
    path = folder / "stream.yaml"
    path.write_text("demand_per_month: 12000\nvalue_per_success: 4.2\nsteps:\n" + "\n".join(steps) + "\n")
    return path


def cpu_ms(command: list[str], runs: int) -> float:
    """Median user + system time of a command that must succeed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(runs + 1):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=environment, cwd=HERE, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return 1000 * statistics.median(times[1:])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    for package in ("aether_tui", "connectors", "screens"):
        compileall.compile_dir(HERE / package, quiet=1)
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sequential = "sequential --mean-diff 0.05 --se 0.01 --n 10000 --planned-n 20000 --simulate-power --effect 0.02 --looks 20"
        for title, words, limit in (
            ("power, proportions", "power --kind proportions --baseline 0.1 --mde 0.02", 250),
            ("power, means, 10 million per arm", "power --kind means --sd 1 --mde 0.001", 250),
            ("sequential, 10,000 paths × 20 looks", sequential, 400),
            ("icep, 2,000 draws × 1,000 with ranges", f"icep {portfolio(folder)}", 700),
            ("constraint, 50 steps × 1,000 draws", f"constraint {stream(folder)}", 500),
        ):
            value = cpu_ms([*PROGRAM, *words.split()], args.runs)
            failed = failed or value > limit
            print(f"{'✓' if value <= limit else '■'} {title:40} {value:7.0f} ms  limit {limit}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
