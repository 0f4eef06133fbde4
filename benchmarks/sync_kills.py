"""Kill -9 a sync of the demonstration at N random moments, finish it, and compare row for row with an undisturbed one.

    python -m benchmarks.sync_kills 20 [--seed 1]
    python -m benchmarks.sync_kills 5 --connectors [--interrupt]

With `--connectors`: every connector against a server on this machine, ended N times while one of its requests, drawn at random, is
unanswered; `--interrupt` ends by ctrl+c, and says how long that took. Exit 1 when one row of one table differs. Real command, real
connectors, real cache.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from aether_tui.demo.build import write_sources
from aether_tui.demo.world import World
from aether_tui.workspace.folder import Workspace

AETHER = [sys.executable, "-m", "aether_tui"]


def sync(root: Path, now: datetime) -> list[str]:
    return [*AETHER, "-w", str(root), "--as-of", now.isoformat(), "--offline", "sync", "--format", "json"]


def rows(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, sorted. The state of a stream counts the requests of its last run: left out."""
    with duckdb.connect(str(root / ".aether" / "cache.duckdb"), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        left_out = {"sync_state": "EXCLUDE (state)"}
        return {
            name: connection.execute(f'SELECT * {left_out.get(name, "")} FROM "{name}" ORDER BY ALL').fetchall()
            for name in names
        }


def strike(times: int, seed: int, with_signal: signal.Signals) -> int:
    """Every connector, ended at some of its requests and finished; returns the exit status."""
    from tests.connectors import test_catalogue_kills as kills
    from tests.connectors.kinds import KINDS
    from tests.connectors.server import serving

    chance, different = random.Random(seed), 0
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder, serving(service := kills.Service(kind, kind.paged)) as server:
            calm = Path(folder) / "calm"
            kills.sync(kind, calm, server.url, kills.NOW)
            want, longest = kills.rows(calm), 0.0
            drawn = chance.sample(range(1, service.asked + 1), min(times, service.asked))
            for number in drawn:
                torn = Path(folder) / str(number)
                ended = kills.struck(
                    kind, service, torn, server.url, calm / ".aether" / "person.key", number, with_signal
                )
                longest = max(longest, ended.seconds)
                kills.sync(kind, torn, server.url, kills.NOW)
                if (got := kills.rows(torn)) != want:
                    different += 1
                    print(
                        f"DIFFERENT {name}, request {number}: {[table for table in want if want[table] != got[table]]}"
                    )
            print(f"{name}: ended at requests {sorted(drawn)}, at the latest {longest:.2f} s after {with_signal.name}")
    return int(different > 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--connectors", action="store_true", help="Strike every connector at single requests")
    parser.add_argument("--interrupt", action="store_true", help="With --connectors: by ctrl+c")
    options = parser.parse_args()
    if options.connectors:
        return strike(options.kills, options.seed, signal.SIGINT if options.interrupt else signal.SIGKILL)
    now = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as folder:
        calm, torn = Path(folder) / "calm", Path(folder) / "torn"
        calm.mkdir()
        write_sources(World(now.replace(hour=0, minute=0, second=0, tzinfo=None)), Workspace(calm))
        shutil.copytree(calm, torn)
        start = time.monotonic()
        subprocess.run(sync(calm, now), check=True, stdout=subprocess.DEVNULL)
        whole = time.monotonic() - start
        chance, struck, longest = random.Random(options.seed), 0, whole
        for _ in range(5 * options.kills):
            begun = time.monotonic()
            with subprocess.Popen(sync(torn, now), stdout=subprocess.DEVNULL) as child:
                try:
                    child.wait(timeout=chance.uniform(0.2, longest))
                    longest = time.monotonic() - begun  # little is left to pull: strike sooner
                except subprocess.TimeoutExpired:
                    child.kill()
                    struck += 1
            if struck == options.kills:
                break
        subprocess.run(sync(torn, now), check=True, stdout=subprocess.DEVNULL)
        want, got = rows(calm), rows(torn)
        different = [name for name in want if want[name] != got.get(name)]
        total = sum(map(len, want.values()))
        print(f"{struck} runs killed (undisturbed: {whole:.1f} s); {total:,} rows in {len(want)} tables")
        for name in different:
            print(f"DIFFERENT {name}: {len(set(want[name]) ^ set(got.get(name, [])))} rows")
        if not different:
            print("equal, row for row")
        return bool(different)


if __name__ == "__main__":
    sys.exit(main())
