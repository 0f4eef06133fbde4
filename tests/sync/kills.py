"""Kill a sync at random moments, finish it, and compare every table with an undisturbed one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import duckdb

Settings = dict[str, dict[str, object]]


def command(root: Path, settings: Settings) -> list[str]:
    return [sys.executable, "-m", "tests.sync.child", str(root), json.dumps(settings)]


def undisturbed(root: Path, settings: Settings) -> float:
    """Run to the end; returns how long it took."""
    start = time.monotonic()
    subprocess.run(command(root, settings), check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


def killed(root: Path, settings: Settings, kills: int, longest_s: float, seed: int) -> int:
    """Kill -9 `kills` runs at random moments, then run to the end; returns how many were still running when killed."""
    chance, struck = random.Random(seed), 0
    for _ in range(kills):
        with subprocess.Popen(command(root, settings), stdout=subprocess.DEVNULL) as child:
            try:
                child.wait(timeout=chance.uniform(0.1, longest_s))
            except subprocess.TimeoutExpired:
                struck += 1
                child.kill()
    undisturbed(root, settings)
    return struck


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def dump(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, sorted."""
    with _reader().cursor() as cursor:
        cursor.execute(f"ATTACH '{path}' AS dumped (READ_ONLY)")
        try:
            cursor.execute("USE dumped")
            # Storage says how many rows it holds, deleted ones too: none is none.
            sizes = cursor.execute(
                "SELECT table_name, estimated_size FROM duckdb_tables() WHERE database_name = 'dumped' ORDER BY 1"
            ).fetchall()
            asked = {name: f'SELECT * FROM "{name}" ORDER BY ALL' for name, size in sizes if size}
            return {name: cursor.execute(asked[name]).fetchall() if size else [] for name, size in sizes}
        finally:
            cursor.execute("USE memory")
            cursor.execute("DETACH dumped")
