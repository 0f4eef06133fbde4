"""Speed, quality and visibility of the product's delivery."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import BY_ID
from aether_tui.report_model import Table
from screens.drill import Drill

ELSEWHERE = {
    "speed.decision_latency": "go.decisions", "visibility.freshness": "go.sources", "visibility.decisions": "go.interview",
    "quality.evaluation": "go.interview",
}  # fmt: skip
"""Indicators whose rows are documents or streams, and the screen that has them."""


class Lens(Drill):
    """Three scores with the indicators behind them."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = "lens.scores"
    BEHIND: ClassVar[tuple[str, ...]] = (".indicators",)

    def action_open(self) -> None:
        """A score leads to its worst indicator; one that is not of stored rows to the screen of what it is made of."""
        item = self.page.selected
        if item is not None and item.row in ELSEWHERE:
            self.shell.say("what this is made of is here; [ goes back")
            self.run_worker(self.shell.perform(BY_ID[ELSEWHERE[item.row]]))
            return
        report = self.page.report
        if item is None or item.block != "lens.scores" or report is None:
            super().action_open()
            return
        table = next((block for block in report.blocks if block.id == f"{item.row}.indicators"), None)
        if isinstance(table, Table) and table.rows:
            self.page.select(f"{table.id}/{table.rows[0].id}")
