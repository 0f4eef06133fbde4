"""Kill a sync at random moments, finish it, and compare every table with an undisturbed one."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
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


def dump(cache: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, sorted."""
    with duckdb.connect(str(cache), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall() for name in names}
