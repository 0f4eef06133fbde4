"""Speed, quality and visibility of the product's delivery."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.report_model import Table
from screens.drill import Drill


class Lens(Drill):
    """Three scores with the indicators behind them."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "lens.scores"
    BEHIND: ClassVar[tuple[str, ...]] = (".indicators",)

    def action_open(self) -> None:
        """A score leads to its worst indicator."""
        item = self.page.selected
        report = self.page.report
        if item is None or item.block != "lens.scores" or report is None:
            super().action_open()
            return
        table = next((block for block in report.blocks if block.id == f"{item.row}.indicators"), None)
        if isinstance(table, Table) and table.rows:
            self.page.select(f"{table.id}/{table.rows[0].id}")
