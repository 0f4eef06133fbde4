"""Calculators of how work is organised: gains per cycle, rituals, release trains."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aether_tui.cli.calc.common import NUMBER, cell, format_option, read_table, share, show
from aether_tui.errors import ConfigurationError, NoData

if TYPE_CHECKING:
    from aether_tui.diagnostics.gains import Work

COLUMNS = ("cycle", "cluster", "value_weighted_successes", "cost_usd", "tasks")


@click.command()
@click.argument("file", metavar="FILE.csv")
@click.option("--level", type=NUMBER, default=0.95, show_default=True, help="Of the intervals.")
@format_option
def gain(file: str, level: float, form: str) -> None:
    """Gain in output per dollar per cycle at a fixed task mix, and cumulative. Cycles in the order of the file."""
    from aether_tui.diagnostics.gains import METHOD, gains

    cycles = _cycles(file)
    rows = [asdict(row) for row in gains(list(cycles.items()), share("--level", level))]
    last = rows[-1] if rows else None
    show(
        {
            "cumulative": last["cumulative"] if last else None,
            "cumulative_low": last["cumulative_low"] if last else None,
            "cumulative_high": last["cumulative_high"] if last else None,
            "interval": METHOD,
            "level": level,
            "cycles": rows,
        },
        form,
    )
    if len(rows) < 2:
        raise NoData("a gain needs two cycles", where="calc gain", next_step="add rows of another cycle")


def _cycles(file: str) -> dict[str, dict[str, Work]]:
    from aether_tui.diagnostics.gains import Work

    cycles: dict[str, dict[str, Work]] = {}
    for line, row in read_table(file, COLUMNS):
        where = f"{file}: line {line}"
        successes, cost, tasks = (cell(row, name, where) for name in COLUMNS[2:])
        if min(successes, cost) < 0 or tasks <= 0:
            raise ConfigurationError("successes and cost are zero or more, tasks above zero", where=where)
        clusters = cycles.setdefault(row["cycle"], {})
        if row["cluster"] in clusters:
            raise ConfigurationError(f"cycle {row['cycle']!r} has cluster {row['cluster']!r} twice", where=where)
        clusters[row["cluster"]] = Work(successes, cost, tasks)
    return cycles
