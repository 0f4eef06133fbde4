"""Interviews: the list, where one is begun or resumed, and what people said across them."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.workspace.written import Edit
from screens.base import ReportScreen

SITTINGS, START, NOTES = "interview.sittings", "interview.start", "stakeholders.notes"
WHO = "who: name, function (product, engineering, operations), role"


class Interview(ReportScreen):
    """Enter resumes the interview under the cursor, or begins the questionnaire under it."""

    LEAD: ClassVar[int] = 2
    FIRST: ClassVar[str] = START

    def action_open(self) -> None:
        item = self.page.selected
        if item is not None and item.block == SITTINGS and item.row:
            self._sit(item.row)
        elif item is not None and item.block == START and item.row:
            self._begin(item.row)
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

    def _begin(self, questionnaire: str) -> None:
        def done(who: str | None) -> None:
            if who:
                from screens.interview_edits import begin

                workspace, now = self.shell.workspace, self.shell.now()
                start = self._start_levels()
                work = lambda: begin(workspace, questionnaire, who, start, now)  # noqa: E731
                self.shell.edit(work, rebuild=self.report, done=self._began)

        self.ask(WHO, "", done)

    def _began(self, edit: Edit) -> None:
        self._sit(edit.identity)

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
