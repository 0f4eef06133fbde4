"""A document that was just made, as a row of its report until the report that is being built has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aether_tui.report_model import Block, Col, Row, SavedReport, Table


@dataclass(frozen=True, slots=True)
class Begun:
    """A row of the table `block`: cells by column, as far as they are known; `path` is the document's file."""

    block: str
    identity: str
    path: Path
    cells: Mapping[str, str]

    def within(self, report: SavedReport) -> SavedReport | None:
        """The report with the row first in its table; None when it is there, or was taken back."""
        import msgspec

        there = next((one for one in report.blocks if one.id == self.block), None)
        empty = Table(id=self.block, columns=tuple(Col(key=key, title=key) for key in self.cells), rows=())
        table = there if isinstance(there, Table) else empty
        if self.identity in {row.id for row in table.rows} or not self.path.exists():
            return None
        row = Row(id=self.identity, cells=tuple(self.cells.get(column.key, "") for column in table.columns))
        table = msgspec.structs.replace(table, rows=(row, *table.rows))
        blocks: tuple[Block, ...] = tuple(table if one is there else one for one in report.blocks)
        return msgspec.structs.replace(report, blocks=blocks if there is not None else (*blocks, table))
