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

AETHER = [sys.executable, "-m", "aether_tui"]
KEPT = ("person.key", "id")


def sync(root: Path, now: str) -> list[str]:
    return [*AETHER, "-w", str(root), "--as-of", now, "sync", "--format", "json"]


def empty(root: Path) -> None:
    """Forget everything but the key that people are hashed with."""
    for path in (root / ".aether").iterdir():
        if path.is_file() and path.name not in KEPT:
            path.unlink()


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
    now = datetime.now(UTC).replace(microsecond=0).isoformat()
    with tempfile.TemporaryDirectory() as folder:
        calm, torn = Path(folder) / "calm", Path(folder) / "torn"
        made = subprocess.run(
            [*AETHER, "demo", "--no-tui", "--dir", str(calm)], capture_output=True, text=True, check=False
        )
        if made.returncode:
            print(made.stderr, file=sys.stderr)
            return made.returncode
        empty(calm)
        shutil.copytree(calm, torn)
        start = time.monotonic()
        subprocess.run(sync(calm, now), check=True, stdout=subprocess.DEVNULL)
        whole = time.monotonic() - start
        chance, struck = random.Random(options.seed), 0
        for _ in range(options.kills):
            with subprocess.Popen(sync(torn, now), stdout=subprocess.DEVNULL) as child:
                try:
                    child.wait(timeout=chance.uniform(0.2, whole))
                except subprocess.TimeoutExpired:
                    child.kill()
                    struck += 1
        subprocess.run(sync(torn, now), check=True, stdout=subprocess.DEVNULL)
        want, got = rows(calm), rows(torn)
        different = [name for name in want if want[name] != got.get(name)]
        total = sum(map(len, want.values()))
        print(f"{struck} of {options.kills} runs killed within {whole:.1f} s; {total:,} rows in {len(want)} tables")
        for name in different:
            print(f"DIFFERENT {name}: {len(set(want[name]) ^ set(got.get(name, [])))} rows")
        if not different:
            print("equal, row for row")
        return bool(different)


if __name__ == "__main__":
    sys.exit(main())
