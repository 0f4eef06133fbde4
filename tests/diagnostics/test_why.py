"""Every number of the reports people look at most says why: formula, filters, where its rows are, and a command."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from aether_tui.cache import Cache
from aether_tui.config_file import load_config
from aether_tui.diagnostics.frame import Clock, written
from aether_tui.diagnostics.looked import WRITTEN
from aether_tui.diagnostics.run import built, open_data
from aether_tui.report_model import Block, Facts, Plot, Quantity, Row, Table, Trend
from aether_tui.workspace.documents import read_documents
from aether_tui.workspace.folder import Workspace

REPORTS = ("lens", "scorecard", "flow", "pipeline", "anomalies", "portfolio", "summary", "gate", "gains", "value-stream", "constraint",
           "attribution", "traces")  # fmt: skip
"""What people look at most."""
WINDOW = "2026-10-01..2026-11-10"
OWN_WINDOW = ("gate", "gains", "constraint")
"""Reports with windows of their own: the gate's, those of cycles, and that of the value stream."""


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
            yield from (Number(block.id, row.id, row.why or block.why) for row in block.rows if counts(block, row))


def counts(table: Table, row: Row) -> bool:
    return any(
        isinstance(cell, Quantity | int | float) or (col.kind in {"number", "bar", "spark"} and cell)
        for col, cell in zip(table.columns, row.cells, strict=False)
    )


@dataclasses.dataclass(frozen=True)
class Read:
    """What was built, and of which answers."""

    numbers: dict[str, list[Number]]
    asked: list[tuple[str, int]]
    """Queries as they are printed, each with the rows it had."""
    cache: Path
    looking: str


@pytest.fixture(scope="module")
def found(built_demo: Path) -> Read:
    made = Workspace(built_demo)
    clock = Clock.of(datetime(2026, 11, 21, 9, 30, tzinfo=UTC), WINDOW, "2026-09-20")
    with open_data(load_config(made), clock, Cache(made.cache_path)) as data:
        documents = read_documents(made, load_config(made))
        told = {name: list(numbers(built(name, data, documents, clock).blocks)) for name in REPORTS}
        questions = list(data.asked.items())
        asked = [(written(name, given), len(data.rows(name, **given))) for (name, _), given in questions]  # type: ignore[arg-type]
        looking = built("flow", data, documents, clock).looking
    return Read(told, asked, made.cache_path, looking)


def test_a_report_says_what_it_is_compared_with(found: Read) -> None:
    assert found.looking == "compared with the window to 2026-09-20"


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_says_why(found: Read, name: str) -> None:
    assert len(found.numbers[name]) >= 5  # the demonstration fills every one of them
    for one in found.numbers[name]:
        lines = one.why.split("\n")
        assert any(line.startswith("aether-tui ") for line in lines), (one.block, one.id, "a command to type")
        if one.block == "summary.budgets":
            continue  # `budget explain` has formula, samples and filters of a budget
        assert lines[0].endswith("."), (one.block, one.id, "a formula is a sentence")
        of_rows = [line for line in lines if line.startswith(("query: ", "rows: "))]
        assert of_rows, (one.block, one.id, "where its rows are")
        if name not in OWN_WINDOW and not any(line.startswith("rows: ") for line in of_rows):
            assert any(line.startswith("filters: 2026-10-01 to 2026-11-11, ") for line in lines), (one.block, one.id)
        for line in lines:
            if line.startswith("aether-tui report ") and line.split()[2] not in WRITTEN:
                assert f"--window {WINDOW} --compare 2026-09-20" in line, (one.block, one.id, line)


def test_queries_as_they_are_printed_run_in_duckdbs_own_shell(found: Read) -> None:
    with duckdb.connect(found.cache, read_only=True) as plain:
        for sql, rows in found.asked:
            assert len(plain.execute(sql).fetchall()) == rows, sql
    assert len(found.asked) > 80
    hostile = written("speed_deployments", {"until": datetime(2026, 11, 1), "team": "O'Brien; --", "service": None})  # noqa: DTZ001
    assert "team = 'O''Brien; --'" in hostile
    assert "$" not in hostile
