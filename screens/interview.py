"""Interviews: the list, where one is begun or resumed, and what people said across them."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.report_model import SavedReport, Table
from aether_tui.workspace.written import Edit
from screens.base import ReportScreen

SITTINGS, START, NOTES = "interview.sittings", "interview.start", "stakeholders.notes"
WHO = "who: name, function (product, engineering, operations), role"


class Interview(ReportScreen):
    """Enter resumes the interview under the cursor, or begins the questionnaire under it."""

    LEAD: ClassVar[int] = 2

    def first(self, report: SavedReport) -> str:
        """An interview to be resumed comes before one to be begun."""
        tables = (block for block in report.blocks if isinstance(block, Table) and block.id == SITTINGS)
        return SITTINGS if any(row.state == "running" for table in tables for row in table.rows) else START

    def action_open(self) -> None:
        item = self.page.selected
        if item is not None and item.block == SITTINGS and item.row:
            self._sit(item.row)
        elif item is not None and item.block == START and item.row:
            self._begin(item.row, item.copy.partition("\t")[0])
        else:
            super().action_open()

    def action_opportunity(self) -> None:
        """Make the quote or note under the cursor an opportunity."""
        item = self.page.selected
        interview, _, place = (item.row if item is not None and item.block == NOTES else "").partition("/")
        if not place.isdigit():
            super().action_opportunity()
            return
        from screens.interview_edits import opportunity

        workspace, now = self.shell.workspace, self.shell.now()
        self.shell.edit(lambda: opportunity(workspace, interview, int(place), now), rebuild=self.report)

    def _begin(self, questionnaire: str, title: str) -> None:
        def done(who: str | None) -> None:
            if who:
                from screens.interview_edits import begin

                workspace, now = self.shell.workspace, self.shell.now()
                start = self._start_levels()
                work = lambda: begin(workspace, questionnaire, who, start, now)  # noqa: E731
                self.shell.edit(work, rebuild=self.report, done=began)

        def began(edit: Edit) -> None:
            self.begun(SITTINGS, edit, {"state": "open", "id": edit.identity, "questionnaire": title})
            self._sit(edit.identity)

        self.ask(WHO, "", done)

    def _sit(self, identity: str) -> None:
        from screens.interview_sitting import Sitting

        self.app.push_screen(Sitting(identity))

    def _start_levels(self) -> dict[str, float]:
        """Scores of the lenses as the last report has them; they say where the search for a level begins."""
        from aether_tui.report_model import Facts

        report = self.shell.saved("lens")
        return {
            fact.id: fact.value.value
            for block in (report.blocks if report else ())
            if isinstance(block, Facts)
            for fact in block.facts
            if fact.value.value is not None
        }
