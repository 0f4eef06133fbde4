"""The one thing that holds everything back; causes of failures are given where the sample stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from aether_tui.actions import Where
from aether_tui.report_model import SavedReport, Table
from screens.base import ReportScreen
from screens.widgets.parts import Item
from screens.widgets.table import Sort

LEVERS = "constraint.levers"
TRACES = "constraint.traces"
OBJECTIVES = (
    ("money", "money a month", True), ("cost_per_success", "cost per success", False), ("success_rate", "success rate", True),
    ("lead_time", "lead time", False), ("throughput", "items a month", True),
)  # fmt: skip
"""Column, its words, and whether more is better."""


class Constraint(ReportScreen):
    """The 30 % table with its objective, the steps, the failure review."""

    LEAD: ClassVar[int] = 1
    FIRST: ClassVar[str] = LEVERS
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"constraint", "drill"}

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name=name)
        self._objective = 0
        self._who = ""

    def adorn(self, report: SavedReport) -> SavedReport:
        """The title of the table says which objective ranks it."""
        import msgspec

        title = f"30 % better, by {OBJECTIVES[self._objective][1]}"
        blocks = tuple(
            msgspec.structs.replace(block, title=title) if isinstance(block, Table) and block.id == LEVERS else block
            for block in report.blocks
        )
        return msgspec.structs.replace(report, blocks=blocks)

    def action_objective(self) -> None:
        """Rank the levers by the next objective."""
        table = self._levers()
        if table is None:
            self.shell.say("there is no value stream yet: aether-tui doc new value-stream")
            return
        self._objective = (self._objective + 1) % len(OBJECTIVES)
        column, words, more = OBJECTIVES[self._objective]
        at = next(number for number, col in enumerate(table.columns) if col.key == column)
        others = tuple((block, sort) for block, sort in self.page.view.sorts if block != LEVERS)
        self.page.look(sorts=others if column == "money" else (*others, (LEVERS, Sort(at, more))))
        self.show()
        self.shell.say(f"ranked by {words}")

    def _levers(self) -> Table | None:
        report = self.shell.saved(self.report)
        return next((b for b in report.blocks if isinstance(b, Table) and b.id == LEVERS), None) if report else None

    def opportunity_of(self, item: Item) -> tuple[str, str]:
        """A lever is an opportunity to make it 30 % better, and what that gains is its evidence."""
        if item.block != LEVERS:
            return super().opportunity_of(item)
        lever = item.row.replace(".", " ")
        return f"Improve {lever} by 30 %", " ".join(("constraint", lever, *item.detail))

    def action_rate(self, digit: int) -> None:
        """Give the selected trace a cause, as whoever said who they are."""
        item = self.page.selected
        if item is None or item.block != TRACES:
            self.shell.say("select a reviewed trace first (}), then 1–9 gives its cause; N draws a sample")
        elif not self._who:
            self._ask_who(lambda: self._give(item.row, digit))
        else:
            self._give(item.row, digit)

    def _give(self, row: str, digit: int) -> None:
        from screens.edits import give_cause

        who = self._who
        self.page.action_down()
        self.shell.edit(
            lambda: give_cause(self.shell.workspace, row, digit, who, self.shell.now()), rebuild=self.report
        )

    def action_rater(self) -> None:
        self._ask_who(lambda: self.shell.say(f"causes are given by {self._who}"))

    def _ask_who(self, then: Callable[[], None]) -> None:
        def done(who: str | None) -> None:
            if who and who.strip():
                self._who = who.strip()
                then()

        self.ask("who gives the causes", self._who, done, most=200)

    def action_sample(self) -> None:
        """Draw a sample in a child: only commands read traces."""
        writes = self.shell.workspace.engagement / "failure-reviews"
        self.shell.command("failure sample", "failures", "sample", writes=writes)
