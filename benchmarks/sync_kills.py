"""Kill -9 a sync of the demonstration at N random moments, finish it, and compare row for row with an undisturbed one.

    python -m benchmarks.sync_kills 20 [--seed 1]

Exit 1 when one row of one table differs. Real command, real connectors on recorded answers, real cache.
"""

from __future__ import annotations

import argparse
import random
import shutil
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kills", type=int, nargs="?", default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
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
