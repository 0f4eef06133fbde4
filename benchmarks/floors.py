"""What a load must cost at least, whoever writes it: `python -m benchmarks.floors` (AETHER_BENCH_SPANS, 100,000 unless told).

The smallest pipeline that does each thing once that is asked of a load, in bare DuckDB: every text
is looked at by one regular expression, people are hashed, prices and words of the mapping are joined, the columns that the cache
keeps are written (one `CREATE TABLE AS`), and each rollup is its own definition over them (one `CREATE TABLE AS` each). It knows no
rows from before, rejects nothing, takes no lease, and finds fewer secrets than the product. All in CPU time, the least of three
rounds in which everything takes its turn; where its ratio is below a bar, no load that does these things reaches it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import duckdb

from benchmarks import plane

ROUNDS: Final = 3
_SECRET: Final = "@|[0-9]{7}|pass|secret|token|auth|[A-Za-z0-9_-]{20}"
_LOOKED: Final = (
    "name", "operation", "error_type", "conversation", "source_service", "source_environment", "prompt_name", "prompt_version",
    "attributes",
)  # fmt: skip
_MAPPED: Final = {"feature": "app.feature", "team": "app.team", "scenario": "app.scenario", "task_cluster": "app.task"}


def _clean(file: str) -> str:
    """SELECT of the file's columns, cleaned, with the words that the mapping asks for."""
    cells = {
        name: f"CASE WHEN regexp_matches({name}, '{_SECRET}') THEN md5({name}) ELSE {name} END" for name in _LOOKED
    }
    replaced = ", ".join(f"{cell} AS {name}" for name, cell in {**cells, '"user"': 'sha256("user")[:16]'}.items())
    paths = ", ".join(f"'$.\"{name}\"'" for name in _MAPPED.values())
    return f"SELECT * REPLACE ({replaced}), json_extract_string(attributes, [{paths}]) AS said FROM {file}"


def pipeline(path: Path, *, rollups: bool) -> list[str]:
    """The statements, for a database attached as `x`."""
    from aether_tui.cache.rollups import DAILY
    from aether_tui.cache.schema import sql_type
    from aether_tui.records.definitions import definition, render
    from aether_tui.records.tables import SPANS

    file = f"read_parquet('{path}')"
    if path.suffix != ".parquet":  # told the types it need not guess them, which takes a third
        types = {column.name: sql_type(column) for column in SPANS.raw}
        file = f"read_json('{path}', columns = {{{', '.join(f'{name!r}: {kind!r}' for name, kind in types.items())}}})"
    cells = plane.DERIVED | {
        "cost_usd": "CAST(c.input_tokens * p.input_usd + c.output_tokens * p.output_usd AS DECIMAL(38, 12))",
        "cost_status": "CASE WHEN c.model IS NOT NULL THEN CASE WHEN p.model IS NULL THEN 'unpriced' ELSE 'priced' END END",
        "price_version": "CASE WHEN c.model IS NOT NULL THEN 'genai-prices' END",
        "environment": "e.ours", "service": "c.source_service",
        **{name: f"said[{place}]" for place, name in enumerate(_MAPPED, 1)},
    }  # fmt: skip
    said = f"({_clean(file)}) AS c LEFT JOIN prices AS p ON p.model = c.model LEFT JOIN words AS e ON e.theirs = source_environment"
    statements = [f"CREATE TABLE x.spans AS SELECT {plane.kept_cells(path, cells, 'c.')} FROM {said}"]
    if rollups:
        ours = {"spans": "x.spans", "tasks": "x.tasks"}
        names = ["tasks", *(one.sql for one in DAILY if one.source in ours)]
        statements += [f"CREATE TABLE x.{name} AS {render(definition(name), ours)}" for name in names]
    return statements


def floor(path: Path, *, rollups: bool) -> float:
    """CPU seconds of the smallest pipeline from a file into a file."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute(
            "CREATE TEMP TABLE prices AS SELECT unnest(['gpt-4o', 'gpt-4o-mini', 'gpt-4.1', 'o3']) AS model, "
            "0.0000025 AS input_usd, 0.00001 AS output_usd"
        )
        connection.execute("CREATE TEMP TABLE words AS SELECT 'production' AS theirs, 'production' AS ours")
        connection.execute(f"ATTACH '{folder}/x.duckdb' AS x")
        statements, began = pipeline(path, rollups=rollups), plane.cpu_s()
        for statement in statements:
            connection.execute(statement)
        connection.execute("DETACH x")
        return plane.cpu_s() - began


def measured(path: Path, spans: int) -> dict[str, float]:
    """Least µs of CPU a span of everything, taken in turn."""
    with tempfile.TemporaryDirectory() as folder:
        steps: dict[str, Callable[[], float]] = {
            "own CREATE TABLE AS of the file": lambda: plane.ctas(path),
            "the same with the columns that are kept": lambda: plane.ctas(path, plane.kept(path)),
            "smallest pipeline, no rollups": lambda: floor(path, rollups=False),
            "smallest pipeline, with rollups": lambda: floor(path, rollups=True),
        }
        if path.suffix == ".parquet":
            steps["ours, no merge, no rollups"] = lambda: plane.child("staged", str(path))["cpu_s"]
        steps["ours, with merge and rollups"] = lambda: plane.child(
            "load", str(path), f"{folder}/{os.urandom(4).hex()}"
        )["cpu_s"]
        least = dict.fromkeys(steps, float("inf"))
        for _ in range(ROUNDS):
            for name, step in steps.items():
                least[name] = min(least[name], 1e6 * step() / spans)
        return least


def main() -> None:
    """Measure and print."""
    spans = int(os.environ.get("AETHER_BENCH_SPANS", "100000").replace("_", ""))
    first = (plane.NOW - timedelta(days=plane.DAYS)).replace(tzinfo=None)
    with tempfile.TemporaryDirectory(prefix="aether-floors-") as folder:
        for form in ("parquet", "ndjson"):
            found = measured(plane.make(Path(folder) / f"spans.{form}", 0, spans, first, plane.DAYS), spans)
            own, *_ = found.values()
            print(f"{form}, {spans:,} spans{'us/span':>32}{'own over it':>13}")
            for name, value in found.items():
                print(f"  {name:<44}{value:>8.2f}{own / value:>13.2f}")


if __name__ == "__main__":
    main()
