"""What stands behind a finding: the numbers of the same report that it names, each with its value and with why."""

from __future__ import annotations

from collections.abc import Iterator

from aether_tui import human
from aether_tui.report_model import Fact, Facts, Plot, Quantity, Row, SavedReport, Table, Trend
from screens.widgets.spans import clean

MOST = 5
"""Rows of a table that a finding names as a whole."""


def named(report: SavedReport, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What each of these numbers is, and why; of one that is not on the page its name."""
    known = {name: (told, why) for name, told, why in reversed(list(_numbers(report)))}
    told = tuple(clean(known.get(name, (name, ""))[0]) for name in names)
    whys = [line for name in names for line in (known.get(name, ("", ""))[1] or name).split("\n")]
    return told, tuple(clean(line) for line in dict.fromkeys(whys))


def _numbers(report: SavedReport) -> Iterator[tuple[str, str, str]]:
    for block in report.blocks:
        if isinstance(block, Facts):
            yield from ((fact.id, _fact(fact), fact.why) for fact in block.facts)
        elif isinstance(block, Table):
            rows = [(row.id, _row(block, row), row.why or block.why) for row in block.rows]
            yield block.id, "; ".join(told for _, told, _ in rows[:MOST]), "\n".join(why for _, _, why in rows[:MOST])
            yield from rows
        elif isinstance(block, Plot | Trend):
            yield block.id, block.title, block.why


def _fact(fact: Fact) -> str:
    return f"{fact.label}: {human.quantity(fact.value)} {human.evidence(fact.value)}".rstrip()


def _row(block: Table, row: Row) -> str:
    """Its first text, and its numbers by their columns."""
    cells = list(zip(block.columns, row.cells, strict=False))
    name = next((cell for column, cell in cells if isinstance(cell, str) and cell and column.kind == "text"), row.id)
    numbers = [
        f"{column.title} {human.quantity(cell)} {human.evidence(cell)}".strip()
        for column, cell in cells
        if isinstance(cell, Quantity) and cell.value is not None
    ]
    return f"{name}: {', '.join(numbers)}" if numbers else name
