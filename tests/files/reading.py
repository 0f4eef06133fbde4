"""What the tests of file kinds share: rows as mappings, read through the kind's own door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aether_tui.config import Config
from aether_tui.ingest import Ingest
from aether_tui.records import TABLES, Row, Value
from aether_tui.records.tables import SPANS
from connectors.base import FileKind, Reject

NOW = datetime.fromisoformat("2026-11-21T08:00:00")


def named(table: str, row: Row) -> dict[str, Value]:
    """A raw row by column name."""
    return dict(zip((column.name for column in TABLES[table].raw), row, strict=True))


def read(kind: FileKind, *paths: Path) -> tuple[dict[str, list[dict[str, Value]]], list[Reject], list[str]]:
    """All rows by table, all rejects and all problems of some files."""
    rows: dict[str, list[dict[str, Value]]] = {}
    rejects: list[Reject] = []
    problems: list[str] = []
    for page in kind.pages(list(paths), NOW):
        for table, items in page.rows.items():
            rows.setdefault(table, []).extend(named(table, row) for row in items)
        rejects.extend(page.rejects)
        problems.extend(page.problems)
    return rows, rejects, problems


def total(rows: Sequence[dict[str, Value]], column: str) -> int:
    """The sum of a column of counts, missing ones left out."""
    return sum(value for row in rows if isinstance(value := row[column], int))


def stored(spans: Sequence[Mapping[str, Value]]) -> str:
    """What is kept of raw spans once they are clean: of what was asked, its category only."""
    return repr(Ingest(Config(), bytes(32)).clean(SPANS, [SPANS.row(**span) for span in spans]))
