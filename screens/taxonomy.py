"""What is asked of the product: kinds of request with volume, cost and failures, mended by one key each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from aether_tui.actions import Where
from aether_tui.report_model import Table
from aether_tui.text import one_line
from aether_tui.workspace import taxonomies
from screens.base import ReportScreen

if TYPE_CHECKING:
    from aether_tui.workspace.kinds.taxonomy import Taxonomy as Document

KINDS = "taxonomy.kinds"
EXAMPLES = "taxonomy.examples"


class Taxonomy(ReportScreen):
    """The map, examples, the unsure, versions."""

    FIRST: ClassVar[str] = KINDS
    LEAD: ClassVar[int] = 1
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"taxonomy"}

    def action_merge(self) -> None:
        """Merge the selected kind into another."""
        kind = self._kind()
        if kind:
            self._ask(
                f"merge {kind} into (id or label)",
                "",
                lambda old, into, day: taxonomies.merge(old, kind, into, day),
                f"{kind} merged into {{}}",
            )

    def action_split(self) -> None:
        """Split the selected kind into its halves."""
        kind = self._kind()
        if kind:
            self._change(lambda old, day: taxonomies.split(old, kind, day), f"{kind} split")

    def action_rename(self) -> None:
        """Give the selected kind another label."""
        kind = self._kind()
        if kind:
            self._ask(
                f"call {kind}",
                self._cell(1),
                lambda old, label, day: taxonomies.rename(old, kind, label, day),
                f"{kind} is called {{}}",
            )

    def action_move(self) -> None:
        """Move the selected example into another kind."""
        item = self.page.selected
        if item is None or item.block != EXAMPLES:
            self.shell.say("select an example first (}), then w says which kind it belongs to")
            return
        said = self._cell(1)
        self._ask(
            f"“{one_line(said, 36)}” belongs to (id or label)",
            "",
            lambda old, into, day: taxonomies.move(old, said, into, day),
            "an example moved to {}",
        )

    def action_build(self) -> None:
        """Build the next version from the kept requests, in a child."""
        writes = self.shell.workspace.engagement / "taxonomy"
        self.shell.command("taxonomy", "taxonomy", "build", writes=writes)

    def _kind(self) -> str:
        item = self.page.selected
        if item is None or item.block not in (KINDS, EXAMPLES):
            self.shell.say("select a kind of request first (j, k)")
            return ""
        return item.row.partition("/")[0]

    def _cell(self, place: int) -> str:
        """A cell of the selected row, whole."""
        report, item = self.shell.saved(self.report), self.page.selected
        if report is None or item is None:
            return ""
        tables = (block for block in report.blocks if isinstance(block, Table) and block.id == item.block)
        rows = (row for table in tables for row in table.rows if row.id == item.row)
        return next((str(row.cells[place]) for row in rows), "")

    def _ask(self, label: str, value: str, update: Callable[[Document, str, date], Document], what: str) -> None:
        """Ask for a word, then change the taxonomy with it; `{}` in `what` stands for it."""

        def done(answer: str | None) -> None:
            if answer and answer.strip():
                words = answer.strip()
                self._change(lambda old, day: update(old, words, day), what.replace("{}", words))

        self.ask(label, value, done)

    def _change(self, update: Callable[[Document, date], Document], what: str) -> None:
        from screens.edits import mend_taxonomy

        workspace, now = self.shell.workspace, self.shell.now()
        self.shell.edit(lambda: mend_taxonomy(workspace, update, now, what), rebuild=self.report)
