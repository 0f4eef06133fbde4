"""How it feels, as ratios and budgets in one run: `python -m benchmarks [--runs 5] [--workspace DIR]`.

Start-up is compared with `benchmarks/bare.py`, interleaved, because absolute times drift with the machine. Prints a table and
writes `benchmarks/feel.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = [sys.executable, "-m", "aether_tui"]


def tui(command: list[str], *options: str) -> dict[str, float | None]:
    done = subprocess.run(
        [sys.executable, str(HERE / "tui_bench.py"), *options, "--", *command],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def cpu_ms(command: list[str], runs: int) -> float:
    """Median user + system time of a finished command."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return 1000 * statistics.median(times)


def start_ratios(console: list[str], runs: int) -> list[float]:
    """CPU until the screen is settled, ours over the bare application's, pair by pair."""
    ratios = []
    for _ in range(runs):
        ours, bare = (
            tui(command, "--keys", "0", "--idle", "0", "--quit-key", "q,ctrl+q")["start_cpu_ms"]
            for command in (console, [sys.executable, str(HERE / "bare.py")])
        )
        assert ours and bare
        ratios.append(ours / bare)
    return ratios


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--workspace", type=Path, help="a demonstration engagement; built when absent")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        demo = args.workspace or Path(folder) / "demo"
        if not (demo / "aether.toml").is_file():
            subprocess.run([*PROGRAM, "demo", "--no-tui", "--dir", str(demo)], check=True, stdout=subprocess.DEVNULL)
        console = [*PROGRAM, "-w", str(demo), "--offline"]
        # One visit to each screen, so that the first paint has a saved report to show.
        tui(console, "--before", "g,f,g,l,g,p,g,b,g,s,g,h", "--keys", "0", "--idle", "0", "--quit-key", "q,ctrl+q")
        ratios = start_ratios(console, args.runs)
        felt = tui(console, "--before", "g,p", "--key", "j,k", "--keys", "60", "--idle", "5", "--quit-key", "q,ctrl+q")
        busy_demo = [*PROGRAM, "-w", str(demo)]
        busy = tui(
            busy_demo, "--before", "g,p,s", "--key", "j,k", "--keys", "60", "--idle", "0", "--quit-key", "q,ctrl+q"
        )
        rows: list[tuple[str, float | None, float, str]] = [
            ("start CPU over bare Textual", statistics.median(ratios), 1.3, "ratio"),
            ("key to last paint p95", felt["key_p95_ms"], 50, "ms"),
            ("key to last paint p95 during sync", busy["key_p95_ms"], 50, "ms"),
            ("idle traffic", felt["idle_bytes_s"], 0, "bytes/s"),
            ("idle CPU", felt["idle_cpu_pct"], 1, "%"),
            ("peak resident memory", felt["peak_rss_mb"], 120, "MB"),
            ("--help CPU", cpu_ms([*PROGRAM, "--help"], args.runs), 150, "ms"),
            (
                "report budgets CPU",
                cpu_ms([*PROGRAM, "-w", str(demo), "report", "budgets", "--format", "json"], args.runs),
                600,
                "ms",
            ),
        ]
    for name, value, limit, unit in rows:
        verdict = "·" if value is None else "✓" if value <= limit else "■"
        shown = "—" if value is None else f"{value:10.2f}"
        print(f"{verdict} {name:36} {shown} {unit:8} limit {limit:g}")
    result = {
        "load_1min": os.getloadavg()[0],
        "start_ratios": ratios,
        "rows": [{"name": name, "value": value, "limit": limit, "unit": unit} for name, value, limit, unit in rows],
    }
    (HERE / "feel.json").write_text(json.dumps(result, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return 0 if all(value is not None and value <= limit for _, value, limit, _ in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
