"""Every number of the reports people look at most says why: formula, filters, where its rows are, and a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aether_tui.cache import Cache
from aether_tui.config_file import load_config
from aether_tui.diagnostics.frame import Clock
from aether_tui.diagnostics.run import built, open_data
from aether_tui.report_model import Block, Facts, Plot, Quantity, Row, Table, Trend
from aether_tui.workspace.documents import read_documents
from aether_tui.workspace.folder import Workspace

REPORTS = ("lens", "scorecard", "flow", "pipeline", "anomalies", "portfolio", "summary")
"""3-Lens, Scorecard, Flow, Pipeline, What changed, Portfolio, Home."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A number somebody can stand on, and what `x` says of it."""

    block: str
    id: str
    why: str


def numbers(blocks: tuple[Block, ...]) -> Iterator[Number]:
    for block in blocks:
        if isinstance(block, Facts):
            yield from (Number(block.id, fact.id, fact.why) for fact in block.facts)
        elif isinstance(block, Plot | Trend):
            yield Number(block.id, block.id, block.why)
        elif isinstance(block, Table):
            yield from (Number(block.id, row.id, row.why) for row in block.rows if counts(block, row))


def counts(table: Table, row: Row) -> bool:
    return any(
        isinstance(cell, Quantity | int | float) or (col.kind in {"number", "bar", "spark"} and cell)
        for col, cell in zip(table.columns, row.cells, strict=False)
    )


@pytest.fixture(scope="module")
def found(built_demo: Path) -> dict[str, list[Number]]:
    made = Workspace(built_demo)
    config, clock = load_config(made), Clock.of(datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
    with open_data(config, clock, Cache(made.cache_path)) as data:
        documents = read_documents(made, config)
        return {name: list(numbers(built(name, data, documents, clock).blocks)) for name in REPORTS}


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_says_why(found: dict[str, list[Number]], name: str) -> None:
    assert len(found[name]) >= 5  # the demonstration fills every one of them
    for one in found[name]:
        lines = one.why.split("\n")
        assert any(line.startswith("aether-tui ") for line in lines), (one.block, one.id, "a command to type")
        if one.block == "summary.budgets":
            continue  # `budget explain` has formula, samples and filters of a budget
        assert lines[0].endswith("."), (one.block, one.id, "a formula is a sentence")
        assert any(line.startswith(("query: ", "rows: ")) for line in lines), (one.block, one.id, "where its rows are")
        if not any(line.startswith("rows: ") for line in lines):
            assert any(line.startswith("filters: 2026-10-24 to 2026-11-21, ") for line in lines), (one.block, one.id)
