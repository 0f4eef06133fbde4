"""What could be saved on each surface; one key makes it an opportunity."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import Where
from aether_tui.report_model import Row, Table
from screens.base import ReportScreen

UNKNOWN = "levers.unknown"
"""The table of those nothing can be said about."""


class Levers(ReportScreen):
    """Levers with what each would save; `↵` opens the rows behind one, `p` puts it into the portfolio."""

    LEAD: ClassVar[int] = 100
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"levers"}

    def action_promote(self) -> None:
        from screens.edits import promote

        row = self._lever()
        if row is None:
            self.shell.say("select a lever first (j, k)")
        else:
            now = self.shell.now()
            saving = str(row.cells[2])
            title = f"{row.cells[1]}: {row.cells[0]}"
            self.shell.edit(
                lambda: promote(self.shell.workspace, title, f"lever {row.id}", f"{saving}\n{row.detail}", now),
                rebuild="portfolio",
            )

    def _lever(self) -> Row | None:
        item, report = self.page.selected, self.page.report
        if item is None or report is None or item.block == UNKNOWN:
            return None
        rows = (
            row for block in report.blocks if isinstance(block, Table) and block.id == item.block for row in block.rows
        )
        return next((row for row in rows if row.id == item.row), None)
