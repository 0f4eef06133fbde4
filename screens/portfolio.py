"""Opportunities ranked by ICE-P; scores are typed where they stand."""

from __future__ import annotations

from typing import ClassVar, Literal

from aether_tui.actions import Where
from screens.base import ReportScreen
from screens.edits import Field, add, rate

FIELDS: tuple[Literal["impact", "confidence", "reversibility"], ...] = ("impact", "confidence", "reversibility")
TABLE = "portfolio.items"


class Portfolio(ReportScreen):
    """The ranking. Digits set the marked field of the selected opportunity, at once and on disk."""

    LEAD: ClassVar[int] = 100
    FIRST: ClassVar[str] = TABLE
    SCOPES: ClassVar[frozenset[Where]] = ReportScreen.SCOPES | {"portfolio"}

    def on_mount(self) -> None:
        self.page.look(mark=FIELDS[0])

    @property
    def opportunity(self) -> str:
        """The id of the selected opportunity, or nothing."""
        item = self.page.selected
        return item.row if item is not None and item.block == TABLE else ""

    def action_next_field(self) -> None:
        mark = self.page.view.mark
        at = next((i for i, field in enumerate(FIELDS) if field == mark), -1)
        self.page.look(mark=FIELDS[(at + 1) % len(FIELDS)])

    def action_rate(self, digit: int) -> None:
        mark = next((field for field in FIELDS if field == self.page.view.mark), FIELDS[0])
        self._set(mark, float(digit or 10))

    def action_effort(self) -> None:
        def done(value: str | None) -> None:
            if value:
                try:
                    self._set("effort_weeks", float(value.replace(",", ".")))
                except ValueError:
                    self.shell.say(f"▲ {value!r} is not a number of weeks")

        if self._selected():
            self.ask("weeks to the first reliable signal", "", done)

    def action_new(self) -> None:
        def done(title: str | None) -> None:
            if title:
                self.shell.edit(lambda: add(self.shell.workspace, title, self.shell.now()), rebuild=self.report)

        self.ask("new opportunity", "", done)

    def _set(self, field: Field, value: float) -> None:
        identity = self._selected()
        if identity:
            work = lambda: rate(self.shell.workspace, identity, field, value, self.shell.now())  # noqa: E731
            self.shell.edit(work, rebuild=self.report)

    def _selected(self) -> str:
        if not self.opportunity:
            self.shell.say("select an opportunity first (j, k), or add one (n)")
        return self.opportunity
