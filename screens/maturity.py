"""Six pillars as bars, and the one next practice, marked done where it stands."""

from __future__ import annotations

from typing import ClassVar

from aether_tui.actions import Where
from aether_tui.report_model import Checklist
from aether_tui.workspace.edits import change, create
from aether_tui.workspace.written import Edit
from screens.base import ReportScreen

NEXT = "maturity.next"


class Maturity(ReportScreen):
    """Space marks the next practice as done; its pillar then stands one level higher."""

    LEAD: ClassVar[int] = 7
    FIRST: ClassVar[str] = NEXT
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"maturity"}

    def action_done(self) -> None:
        practice = next(
            (
                item.id
                for block in (self.page.report.blocks if self.page.report else ())
                if isinstance(block, Checklist) and block.id == NEXT
                for item in block.items
            ),
            "",
        )
        if practice:
            self.shell.edit(lambda: self._mark(practice), rebuild=self.report)
        else:
            self.shell.say("there is no next practice yet: ask somebody first (g i)")

    def _mark(self, practice: str) -> Edit:
        """In a thread: into the newest assessment, or a new one."""
        from aether_tui.workspace.kinds.assessment import Assessment, Done
        from aether_tui.workspace.store import Store

        workspace, now = self.shell.workspace, self.shell.now()
        mark = Done(practice=practice, when=now.date())
        stored, _ = Store(workspace).all(Assessment)
        if not stored:
            make = lambda identity: Assessment(id=identity, day=now.date(), done=[mark])  # noqa: E731
            return create(workspace, Assessment, make, now, f"{practice} is done ({{id}})")
        newest = stored[-1].document.id

        def add(old: Assessment) -> Assessment:
            return old.model_copy(update={"done": [*old.done, mark]})

        return change(workspace, Assessment, newest, add, now, f"{practice} is done ({newest})")
